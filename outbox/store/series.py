"""Who stands where in which series, and what may have begun one: each question is one indexed query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, literal, null, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from outbox.model import Consent

from . import Tx, queue_for, segments
from .columns import Instant
from .schema import consent_event, download, enrolment, preference, series, step, subscriber, suppression, tag

# Spelled out, not bound: with bound values SQLite would not use the partial index.
UNDER_WAY = text("enrolment.next_at IS NOT NULL")
BARRED = select(suppression.c.id).where(suppression.c.email_key == subscriber.c.email_key).exists()
FETCHED = select(download.c.id).where(download.c.subscriber_id == subscriber.c.id).exists()
MAY_BE_WRITTEN_TO = (subscriber.c.consent == Consent.CONFIRMED, ~BARRED)
AT_ONCE, EVENTS = 500, 20_000  # numbers in one question, events in one answer


@dataclass(frozen=True, slots=True)
class Kept:
    """A series as it was last seen."""

    name: str
    digest: str
    state: str
    since: datetime
    mark: int
    steps: Mapping[str, datetime] = field(default_factory=dict)  # when each step was first seen


@dataclass(frozen=True, slots=True)
class Begun:
    """Somebody to whom something happened that begins a series."""

    subscriber_id: int
    time_zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where a person stands in a series."""

    series: str
    subscriber_id: int
    state: str
    passed: tuple[str, ...]
    began_at: datetime
    last_at: datetime
    next_at: datetime | None
    time_zone: str = ""
    welcome: bool = True  # may still be written to
    rests_until: datetime | None = None  # asked for a pause until then


def find(tx: Tx, name: str) -> Kept | None:
    """A series as it was last seen; None for a new one."""
    row = tx.connection.execute(select(series).where(series.c.name == name)).first()
    return Kept(row.name, row.digest, row.state, row.since, row.mark, _steps(tx, name)) if row else None


def find_all(tx: Tx) -> list[Kept]:
    """Every series that was ever seen."""
    names = tx.connection.execute(select(series.c.name).order_by(series.c.name)).scalars().all()
    return [kept for name in names if (kept := find(tx, name))]


def take_up(tx: Tx, name: str, *, also_before: bool, now: datetime) -> Kept:
    """Write down a series that was not seen before; only what happens from now on begins it, unless said."""
    newest = tx.connection.execute(select(func.max(consent_event.c.id))).scalar_one() or 0
    kept = Kept(name, "", "active", now, 0 if also_before else newest)
    row = {"name": name, "digest": "", "state": "active", "since": now, "mark": kept.mark}
    tx.connection.execute(insert(series), row)
    return kept


def add_steps(tx: Tx, name: str, ids: Sequence[str], now: datetime) -> None:
    """Write down when steps were first seen."""
    if ids:
        tx.connection.execute(insert(step), [{"series": name, "id": one, "since": now} for one in ids])


def change(tx: Tx, name: str, **values: Any) -> bool:
    """Write down a new digest, mark or state; False when nothing is another than before."""
    other = or_(*(series.c[key] != value for key, value in values.items()))
    done = update(series).where(series.c.name == name, other).values(values)
    return bool(tx.connection.execute(done).rowcount)


def read_mark(tx: Tx, name: str) -> int:
    """Up to where a series was asked what happened."""
    mark: int = tx.connection.execute(select(series.c.mark).where(series.c.name == name)).scalar_one()
    return mark


def lock(tx: Tx, name: str) -> None:
    """Let nobody else enrol people in this series meanwhile."""
    queue_for(tx, f"series {name}")


# -- who begins


def find_confirmed(
    tx: Tx, kept: Kept, only: str, *, until: datetime, now: datetime, without: bool = False
) -> tuple[list[Begun], int]:
    """Who confirmed after the series' mark, up to a moment, and the new mark; `without`: and never fetched the book.

    A list that was imported begins none.
    """
    event = consent_event.c
    later = select(event.id).where(event.id > kept.mark, event.at > until).order_by(event.id).limit(1)
    end = tx.connection.execute(later).scalar() or kept.mark + EVENTS + 1
    fresh = (event.id > kept.mark, event.id < min(end, kept.mark + EVENTS + 1))
    last = tx.connection.execute(select(func.max(event.id)).where(*fresh)).scalar()
    query = select(subscriber.c.id, subscriber.c.time_zone, func.min(event.at)).join(
        consent_event, event.subscriber_id == subscriber.c.id
    )
    query = query.where(*fresh, event.consent == Consent.CONFIRMED, event.method != "import")
    query = query.where(~FETCHED) if without else query
    grouped = query.group_by(subscriber.c.id, subscriber.c.time_zone)
    return _begun(tx, grouped, kept.name, only, now) if last else [], last or kept.mark


def find_tagged(tx: Tx, name: str, word: str, only: str, *, limit: int, now: datetime) -> list[Begun]:
    """Who has a tag and was never in this series."""
    query = select(subscriber.c.id, subscriber.c.time_zone, literal(now, Instant)).join(
        tag, tag.c.subscriber_id == subscriber.c.id
    )
    return _begun(tx, query.where(tag.c.tag == word), name, only, now, limit=limit)


def find_fetched(
    tx: Tx, name: str, only: str, *, since: datetime | None, limit: int, now: datetime
) -> list[Begun]:
    """Who fetched the book, since a moment or ever, and was never in this series."""
    query = select(subscriber.c.id, subscriber.c.time_zone, func.min(download.c.at)).join(
        download, download.c.subscriber_id == subscriber.c.id
    )
    query = query.where(download.c.at >= since) if since else query
    return _begun(tx, query.group_by(subscriber.c.id, subscriber.c.time_zone), name, only, now, limit=limit)


def find_everyone(tx: Tx, name: str, only: str, *, at: datetime, limit: int, now: datetime) -> list[Begun]:
    """Who may be written to and was never in this series."""
    query = select(subscriber.c.id, subscriber.c.time_zone, literal(at, Instant))
    return _begun(tx, query, name, only, now, limit=limit)


def pass_over_tagged(tx: Tx, name: str, word: str, now: datetime) -> None:
    """Note who had a tag before the series was there: it is not for them."""
    had = select(
        literal(name), tag.c.subscriber_id, literal("before"), literal(""),
        literal(now, Instant), literal(now, Instant), null(),
    )  # fmt: skip
    columns = ("series", "subscriber_id", "state", "passed", "began_at", "last_at", "next_at")
    tx.connection.execute(insert(enrolment).from_select(columns, had.where(tag.c.tag == word)))


# -- where they stand


def enrol(tx: Tx, rows: Sequence[Enrolment]) -> None:
    """Put people into a series; who is or was in it stays where they are."""
    kind = postgresql if tx.many else sqlite
    made = [_row(one) for one in rows]
    if made:
        tx.connection.execute(kind.insert(enrolment).on_conflict_do_nothing(), made)


def find_due(tx: Tx, name: str, now: datetime, limit: int) -> list[Enrolment]:
    """Whose next step is due, the longest waiting first."""
    query = _enrolments().where(UNDER_WAY, enrolment.c.series == name, enrolment.c.next_at <= now)
    query = query.order_by(enrolment.c.next_at, enrolment.c.subscriber_id).limit(limit)
    if tx.many:
        query = query.with_for_update(skip_locked=True, of=enrolment)
    return [_enrolment(row) for row in tx.connection.execute(query)]


def find_first(tx: Tx, since: datetime) -> datetime | None:
    """When the next step after a moment is due, of series that are active."""
    names = tx.connection.execute(select(series.c.name).where(series.c.state == "active")).scalars().all()
    moments = []
    for name in names:
        later = (UNDER_WAY, enrolment.c.series == name, enrolment.c.next_at > since)
        query = select(enrolment.c.next_at).where(*later).order_by(enrolment.c.next_at).limit(1)
        moments.append(tx.connection.execute(query).scalar())
    return min(filter(None, moments), default=None)


def find_of(tx: Tx, name: str, subscriber_id: int) -> Enrolment | None:
    """Where one person stands."""
    mine = _enrolments().where(enrolment.c.series == name, enrolment.c.subscriber_id == subscriber_id)
    row = tx.connection.execute(mine).first()
    return _enrolment(row) if row else None


def find_all_of(tx: Tx, subscriber_id: int) -> list[Enrolment]:
    """Where one person stands in every series they were ever in."""
    mine = _enrolments().where(enrolment.c.subscriber_id == subscriber_id, enrolment.c.state != "before")
    return [_enrolment(row) for row in tx.connection.execute(mine.order_by(enrolment.c.began_at))]


def find_some(tx: Tx, name: str, states: Sequence[str], after: int, limit: int) -> list[Enrolment]:
    """People of a series in these states, in order of their numbers."""
    query = _enrolments().where(enrolment.c.series == name, enrolment.c.subscriber_id > after)
    query = query.where(enrolment.c.state.in_(states)).order_by(enrolment.c.subscriber_id).limit(limit)
    return [_enrolment(row) for row in tx.connection.execute(query)]


def find_matching(tx: Tx, expression: str, numbers: Sequence[int], now: datetime) -> set[int]:
    """Who of these is in a segment; nobody is in an empty one."""
    found: set[int] = set()
    for start in range(0, len(numbers) if expression else 0, AT_ONCE):
        some = subscriber.c.id.in_(numbers[start : start + AT_ONCE])
        query = select(subscriber.c.id).where(some, segments.choose(tx, expression, now))
        found.update(tx.connection.execute(query).scalars())
    return found


def move(tx: Tx, rows: Sequence[Enrolment]) -> None:
    """Write down where people stand now."""
    one = update(enrolment).where(
        enrolment.c.series == bindparam("_series"), enrolment.c.subscriber_id == bindparam("_subscriber_id")
    )
    values = ("state", "passed", "last_at", "next_at")
    made = [{f"_{key}": value for key, value in _row(row).items()} for row in rows]
    if made:
        tx.connection.execute(one.values({key: bindparam(f"_{key}") for key in values}), made)


def stop(tx: Tx, name: str, subscriber_id: int | None = None) -> int:
    """Let nothing more come to one person, or to anybody; returns to how many."""
    who = [] if subscriber_id is None else [enrolment.c.subscriber_id == subscriber_id]
    one = update(enrolment).where(UNDER_WAY, enrolment.c.series == name, *who)
    return tx.connection.execute(one.values(state="stopped", next_at=None)).rowcount


def count(tx: Tx) -> dict[str, dict[str, int]]:
    """How many people of each series are in which state."""
    query = select(enrolment.c.series, enrolment.c.state, func.count())
    found: dict[str, dict[str, int]] = {}
    for name, state, number in tx.connection.execute(query.group_by(enrolment.c.series, enrolment.c.state)):
        found.setdefault(name, {})[state] = number
    return found


def forget(tx: Tx, subscriber_id: int) -> None:
    """Remove where a person stood."""
    tx.connection.execute(delete(enrolment).where(enrolment.c.subscriber_id == subscriber_id))


def _steps(tx: Tx, name: str) -> dict[str, datetime]:
    rows = tx.connection.execute(select(step.c.id, step.c.since).where(step.c.series == name))
    return {row.id: row.since for row in rows}


def _begun(
    tx: Tx, query: Select[Any], name: str, only: str, now: datetime, *, limit: int | None = None
) -> list[Begun]:
    """Those of a query who may be enrolled: written to, in the segment, never in this series before."""
    been = select(enrolment.c.series).where(
        enrolment.c.series == name, enrolment.c.subscriber_id == subscriber.c.id
    )
    chosen = query.where(*MAY_BE_WRITTEN_TO, ~been.exists(), segments.choose(tx, only, now))
    return [Begun(*row) for row in tx.connection.execute(chosen.order_by(subscriber.c.id).limit(limit))]


def _enrolments() -> Select[Any]:
    welcome = (subscriber.c.consent == Consent.CONFIRMED) & ~BARRED
    query = select(enrolment, subscriber.c.time_zone, welcome.label("welcome"), preference.c.paused_until)
    query = query.join(subscriber, subscriber.c.id == enrolment.c.subscriber_id)
    return query.outerjoin(preference, preference.c.subscriber_id == enrolment.c.subscriber_id)


def _enrolment(row: Any) -> Enrolment:
    return Enrolment(
        row.series, row.subscriber_id, row.state, tuple(row.passed.split()), row.began_at, row.last_at,
        row.next_at, row.time_zone, bool(row.welcome), row.paused_until,
    )  # fmt: skip


def _row(one: Enrolment) -> dict[str, Any]:
    return {
        "series": one.series,
        "subscriber_id": one.subscriber_id,
        "state": one.state,
        "passed": " ".join(one.passed),
        "began_at": one.began_at,
        "last_at": one.last_at,
        "next_at": one.next_at,
    }
