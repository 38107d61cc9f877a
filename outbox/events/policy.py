"""When a mailbox that fails again and again is given up: failures fade with time, and a delivery wipes them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from outbox.model import Cause, EventType

#: After this time a failure counts half.
HALF_LIFE = timedelta(days=30)
#: So many failures that count in full, over so many days at least, are too many.
TOO_MANY, SPAN = 3.0, timedelta(days=7)
#: How far back failures are looked at.
MEMORY = 6 * HALF_LIFE
#: What a failure counts by its cause. What is said of us or of one letter says nothing of the mailbox.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        Cause.NETWORK: 0.5,
        Cause.SYSTEM: 0.5,
        Cause.BLOCKED: 0.0,
        Cause.CONTENT: 0.0,
        Cause.LOOP: 0.0,
        Cause.POLICY: 0.0,
        Cause.RATE: 0.0,
        Cause.RELAYING: 0.0,
        Cause.SPAM: 0.0,
        Cause.SUPPRESSED: 0.0,
        Cause.TOO_LARGE: 0.0,
    }
)
ARRIVED = frozenset({EventType.DELIVERED, EventType.OPENED, EventType.CLICKED})


class Told(Protocol):
    """One line of what was reported of a person."""

    type: str
    firmness: str
    cause: str
    send_id: str | None
    at: datetime


def is_worn_out(history: Iterable[Told], now: datetime) -> bool:
    """Whether a mailbox has failed too often, by all that was reported of it, oldest first.

    One send counts once. Four weekly letters that fail in a row are too many; three are not.
    """
    failed: dict[object, Told] = {}
    for one in history:
        if one.type in ARRIVED:
            failed.clear()
        elif one.type == EventType.BOUNCED and WEIGHTS.get(one.cause, 1.0):
            failed.setdefault(one.send_id or one.at, one)
    if not failed:
        return False
    moments = [one.at for one in failed.values()]
    score = sum(WEIGHTS.get(one.cause, 1.0) * 0.5 ** ((now - one.at) / HALF_LIFE) for one in failed.values())
    return score >= TOO_MANY and max(moments) - min(moments) >= SPAN
