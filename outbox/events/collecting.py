"""Take mail that came back out of its box, keep it as any other arrival, and leave ordinary mail alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from outbox import bounces
from outbox.model import Arrival
from outbox.store import Store, arrivals

if TYPE_CHECKING:
    from outbox.bounces.boxes import Box

AT_ONCE = 200  # mails in one transaction


class Collected(NamedTuple):
    """How many mails were looked at, and how many of them told of a letter."""

    seen: int
    kept: int


def collect(box: Box, store: Store, now: datetime) -> Collected:
    """Keep what came back; it is marked as read only once it is on the disk, so none is lost and none kept twice."""
    seen = kept = 0
    mails = iter(list(box.unread()))
    while batch := list(islice(mails, AT_ONCE)):
        told = dict(_choose(batch))
        with store.begin() as tx:
            arrivals.keep(tx, [Arrival("mailbox", {}, raw, now) for raw in told.values()])
        box.mark(told)
        seen, kept = seen + len(batch), kept + len(told)
    return Collected(seen, kept)


def _choose(batch: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    return ((name, raw) for name, raw in batch if bounces.read(raw))
