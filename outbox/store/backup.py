"""Copy the database while it is at work."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from outbox.errors import OutboxError

from . import Store
from .engine import plain_errors


def back_up(store: Store, target: Path) -> None:
    """Write a whole copy under `target`, which must not be there; raises OutboxError.

    A sender may go on meanwhile: the copy is the database of one moment.
    """
    if store.path is None:
        raise OutboxError("a PostgreSQL database is copied by its own program: pg_dump --format=custom")
    hidden = target.with_name(f".{target.name}.part")
    try:
        with plain_errors():
            source, copy = sqlite3.connect(store.path), sqlite3.connect(hidden)
            try:
                source.backup(copy)
            finally:
                copy.close()
                source.close()
        target.hardlink_to(hidden)
    except FileExistsError:
        raise OutboxError(f"{target} is there already; name another file") from None
    except OSError as error:
        raise OutboxError(f"{target} cannot be written: {error.strerror}") from None
    finally:
        hidden.unlink(missing_ok=True)
