"""What people chose about their letters: pauses, how often, tracking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outbox.model import Send

from . import Tx
from .schema import asked, preference, subscriber

#: An issue that comes a little early, as when clocks are put forward, still counts as one of the next week.
SLACK = timedelta(hours=12)
AT_ONCE = 500  # numbers in one question
NEVER = 0  # days between issues: as many as there are


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one person chose; as it is here for whoever chose nothing."""

    paused_until: datetime | None = None
    every_days: int = NEVER
    tracking: bool = False


def find(tx: Tx, subscriber_id: int) -> Wishes:
    """What a person chose."""
    mine = select(preference).where(preference.c.subscriber_id == subscriber_id)
    row = tx.connection.execute(mine).first()
    return Wishes(row.paused_until, row.every_days, bool(row.tracking)) if row else Wishes()


def keep(tx: Tx, subscriber_id: int, wishes: Wishes) -> None:
    """Let these be a person's wishes from now on; who wants fewer letters gets the next one all the same."""
    values = {
        "paused_until": wishes.paused_until,
        "every_days": wishes.every_days,
        "tracking": int(wishes.tracking),
    }
    row = {"subscriber_id": subscriber_id, "next_at": None, **values}
    one = _insert(tx, preference).values(row)
    tx.connection.execute(one.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))


def find_watched(tx: Tx, ids: Iterable[int]) -> set[int]:
    """Those of these people who allowed to be told that they opened a letter, or followed a link."""
    wanted, found = sorted(set(ids)), set[int]()
    for start in range(0, len(wanted), AT_ONCE):
        mine = preference.c.subscriber_id.in_(wanted[start : start + AT_ONCE])
        query = select(preference.c.subscriber_id).where(mine, preference.c.tracking == 1)
        found.update(tx.connection.execute(query).scalars())
    return found


def resting(at: datetime) -> ColumnElement[bool]:
    """The condition, over `subscriber`, that a person wants no issue that is due at this moment."""
    rests = or_(preference.c.paused_until > at, preference.c.next_at > at)
    return (
        select(preference.c.subscriber_id)
        .where(preference.c.subscriber_id == subscriber.c.id, rests)
        .exists()
    )


def count_issue(tx: Tx, order: Send, people: Any) -> None:
    """Remember an issue for those of these `people` (a SELECT of numbers) who want fewer, from its due day on."""
    wanted = select(preference.c.every_days).where(preference.c.every_days > NEVER).distinct()
    for days in tx.connection.execute(wanted).scalars().all():
        mine = update(preference).where(
            preference.c.every_days == days, preference.c.subscriber_id.in_(people)
        )
        tx.connection.execute(mine.values(next_at=order.due_at + timedelta(days=days) - SLACK))


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a person was written to because somebody asked for it, and when last."""

    times: int = 0
    last_at: datetime | None = None


def asked_of(tx: Tx, what: str, ids: list[int]) -> dict[int, Asked]:
    """Of those of these people who were written to for this: how often."""
    mine = select(asked).where(asked.c.what == what, asked.c.subscriber_id.in_(ids))
    rows = tx.connection.execute(mine) if ids else ()
    return {row.subscriber_id: Asked(row.times, row.last_at) for row in rows}


def count_asked(tx: Tx, what: str, ids: list[int], now: datetime) -> None:
    """These people are written to once more."""
    if ids:
        rows = [{"subscriber_id": number, "what": what, "times": 1, "last_at": now} for number in ids]
        once_more = {"times": asked.c.times + 1, "last_at": now}
        one = _insert(tx, asked).on_conflict_do_update(
            index_elements=["subscriber_id", "what"], set_=once_more
        )
        tx.connection.execute(one, rows)


def _insert(tx: Tx, table: Any) -> Any:
    return (postgresql if tx.many else sqlite).insert(table)
