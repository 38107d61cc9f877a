"""What providers report afterwards: kept once, and overlaid on the state of the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, insert, select, update

from outbox.model import Chunk, EventType, State

from . import Tx
from .ledger import chunk_of
from .schema import chunk, delivery, event
from .states import OPEN, Told, mark, read_states

#: What a report makes of a message, and which report goes before which, in whatever order they come.
STATE_OF: Mapping[EventType, State] = MappingProxyType(
    {
        EventType.ACCEPTED: State.ACCEPTED,
        EventType.DELIVERED: State.DELIVERED,
        EventType.BOUNCED: State.BOUNCED,
        EventType.COMPLAINED: State.COMPLAINED,
        EventType.REFUSED: State.REFUSED,
    }
)
RANK = (
    State.SUPPRESSED,
    State.CANCELLED,
    State.ACCEPTED,
    State.REFUSED,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
)


@dataclass(frozen=True, slots=True)
class Report:
    """One thing a provider reports. `outbox_id` is empty where it does not say of which message."""

    provider: str
    event_id: str
    type: EventType
    outbox_id: str
    at: datetime
    detail: str
    raw: str


def record(tx: Tx, report: Report, now: datetime) -> bool:
    """Keep a report; False when it is known already. A message in doubt is settled by it."""
    same = (event.c.provider == report.provider, event.c.event_id == report.event_id)
    if tx.connection.execute(select(event.c.id).where(*same)).first():
        return False
    send_id, _, number = report.outbox_id.rpartition(".")
    part = chunk_of(tx, send_id, int(number)) if number.isdigit() else None
    row = {
        "provider": report.provider,
        "event_id": report.event_id,
        "type": report.type,
        "send_id": send_id if part else None,
        "subscriber_id": int(number) if part else None,
        "at": report.at,
        "seen_at": now,
        "detail": report.detail,
        "raw": report.raw,
    }
    tx.connection.execute(insert(event), row)
    if part and report.type in STATE_OF:
        _overlay(tx, part, int(number), Told(STATE_OF[report.type], detail=report.detail), now)
    return True


def _overlay(tx: Tx, part: Chunk, number: int, told: Told, now: datetime) -> None:
    known = read_states(tx, part)[number]
    if known.state not in OPEN and RANK.index(known.state) >= RANK.index(told.state):
        return
    if known.state == told.state:
        return
    mine = (delivery.c.send_id == part.send_id, delivery.c.subscriber_id == number)
    removed = tx.connection.execute(delete(delivery).where(*mine)).rowcount
    if removed:
        one = update(chunk).where(chunk.c.send_id == part.send_id, chunk.c.no == part.no)
        tx.connection.execute(one.values(follow=chunk.c.follow + 1))
    mark(tx, part, {number: told._replace(provider_id=known.provider_id)}, now)
