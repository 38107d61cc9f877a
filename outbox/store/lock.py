"""Let one sender work on an SQLite database at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from outbox.errors import Temporary

from . import Store


@contextmanager
def sole_sender(store: Store) -> Iterator[None]:
    """Hold the sender's lock; raises Temporary when another process has it. The lock dies with its holder.

    On PostgreSQL there is none: leases keep senders apart there.
    """
    if store.path is None:
        yield
        return
    with store.path.with_name(f"{store.path.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Temporary(f"another sender is at work on {store.path.name}; nothing was done") from None
        yield
