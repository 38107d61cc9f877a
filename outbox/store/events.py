"""What is reported of messages: kept once, and overlaid on the state of each, whatever the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, insert, select, update

from outbox.addresses import key_of
from outbox.model import STATE_IN, Chunk, EventType, Report, State

from . import Tx, subscribers, wishes
from .claims import CHUNK, to_chunk
from .rolls import unpack_ids
from .schema import chunk, delivery, event, roster, subscriber
from .states import OPEN

#: What a report makes of a message, and which report goes before which, in whatever order they come.
STATE_OF: Mapping[EventType, State] = MappingProxyType(
    {
        EventType.ACCEPTED: State.ACCEPTED,
        EventType.DEFERRED: State.ACCEPTED,
        EventType.DELIVERED: State.DELIVERED,
        EventType.BOUNCED: State.BOUNCED,
        EventType.COMPLAINED: State.COMPLAINED,
        EventType.REFUSED: State.REFUSED,
        # Whoever reads a letter, answers it or leaves by it has it.
        EventType.OPENED: State.DELIVERED,
        EventType.CLICKED: State.DELIVERED,
        EventType.AUTO_REPLY: State.DELIVERED,
        EventType.UNSUBSCRIBED: State.ACCEPTED,
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
AT_ONCE = 500  # values in one question
#: Reports of what a person did with a letter.
WATCHING = frozenset({EventType.OPENED, EventType.CLICKED})


@dataclass(frozen=True, slots=True)
class Placed:
    """A report and what it is about: the person, and the chunk of their message, as far as they are known."""

    report: Report
    arrival_id: int | None = None
    part: Chunk | None = None
    subscriber_id: int | None = None


def record(tx: Tx, report: Report, now: datetime) -> bool:
    """Keep one report and let the message follow it; False when it is known already."""
    return bool(record_all(tx, place(tx, [(report, None)]), now))


def place(tx: Tx, reports: Sequence[tuple[Report, int | None]]) -> list[Placed]:
    """Find the message each report is about by our own id in it, else the person by their mailbox.

    A report that anybody might have written is about nobody, unless id and mailbox belong together, or it
    holds the person's own token.
    """
    named = [_split(report.outbox_id) for report, _ in reports]
    wanted: dict[str, set[int]] = {}
    for send_id, number in named:
        wanted.setdefault(send_id, set()).update([number] if number else [])
    parts = {send_id: _find_parts(tx, send_id, people) for send_id, people in wanted.items() if people}
    people = _find_people(tx, {number for found in parts.values() for number in found})
    strangers = {
        key_of(report.recipient)
        for (report, _), (send_id, number) in zip(reports, named, strict=True)
        if report.proven and report.recipient and number not in parts.get(send_id, {})
    }
    known = subscribers.find_many(tx, sorted(strangers))
    placed = []
    for (report, arrival_id), (send_id, number) in zip(reports, named, strict=True):
        part = parts.get(send_id, {}).get(number) if number else None
        if part and number and _is_believed(report, people.get(number)):
            placed.append(Placed(report, arrival_id, part, number))
        else:
            person = known.get(key_of(report.recipient)) if report.proven and not part else None
            placed.append(Placed(report, arrival_id, None, person.id if person else None))
    return placed


def _is_believed(report: Report, person: Row[Any] | None) -> bool:
    if report.proven or person is None:
        return report.proven
    own_token = bool(report.token) and compare_digest(report.token, person.token)
    return own_token or key_of(report.recipient) == person.email_key


def record_all(tx: Tx, placed: Sequence[Placed], now: datetime) -> list[Placed]:
    """Keep what is new, and let the messages follow; returns what was new.

    A message that is in doubt or held is settled by it. Reports about a person without a message are kept too.
    Who opened or clicked is written down of those alone who allowed it; of others stays that somebody did.
    """
    fresh = _find_new(tx, placed)
    if fresh:
        watching = [one.subscriber_id for one in fresh if one.report.type in WATCHING and one.subscriber_id]
        watched = wishes.find_watched(tx, watching)
        tx.connection.execute(insert(event), [_row(_blur(one, watched), now) for one in fresh])
        _overlay(tx, fresh, now)
    return fresh


def _blur(one: Placed, watched: Collection[int]) -> Placed:
    if one.report.type not in WATCHING or one.subscriber_id in watched:
        return one
    return replace(one, subscriber_id=None, report=replace(one.report, detail=""))


def count(tx: Tx) -> list[tuple[str, EventType, int, datetime]]:
    """How often each provider reported what, and when last."""
    query = select(event.c.provider, event.c.type, func.count(), func.max(event.c.at))
    query = query.group_by(event.c.provider, event.c.type).order_by(event.c.provider, event.c.type)
    return [(row[0], EventType(row[1]), row[2], row[3]) for row in tx.connection.execute(query)]


def find_of(tx: Tx, subscriber_id: int) -> list[dict[str, Any]]:
    """Everything reported about one person, oldest first."""
    columns = (event.c.provider, event.c.type, event.c.firmness, event.c.cause, event.c.at, event.c.detail)
    mine = select(*columns).where(event.c.subscriber_id == subscriber_id)
    return [dict(row._mapping) for row in tx.connection.execute(mine.order_by(event.c.at, event.c.id))]  # noqa: SLF001


def find_history(tx: Tx, people: Iterable[int], since: datetime) -> dict[int, list[Any]]:
    """What was reported of people since a moment, for each of them the oldest first."""
    found: dict[int, list[Any]] = {}
    wanted = sorted(set(people))
    columns = (
        event.c.subscriber_id,
        event.c.type,
        event.c.firmness,
        event.c.cause,
        event.c.send_id,
        event.c.at,
    )
    for start in range(0, len(wanted), AT_ONCE):
        mine = event.c.subscriber_id.in_(wanted[start : start + AT_ONCE])
        query = select(*columns).where(mine, event.c.at >= since).order_by(event.c.at, event.c.id)
        for row in tx.connection.execute(query):
            found.setdefault(row.subscriber_id, []).append(row)
    return found


def _split(outbox_id: str) -> tuple[str, int | None]:
    send_id, _, number = outbox_id.rpartition(".")
    return (
        (send_id, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else ("", None)
    )


def _find_new(tx: Tx, placed: Sequence[Placed]) -> list[Placed]:
    once = {(one.report.provider, one.report.event_id): one for one in reversed(placed)}
    known = set[tuple[str, str]]()
    for provider in {name for name, _ in once}:
        names = [event_id for name, event_id in once if name == provider]
        for start in range(0, len(names), AT_ONCE):
            same = event.c.event_id.in_(names[start : start + AT_ONCE])
            query = select(event.c.event_id).where(event.c.provider == provider, same)
            known.update((provider, found) for found in tx.connection.execute(query).scalars())
    return [one for key, one in reversed(once.items()) if key not in known]


def _row(one: Placed, now: datetime) -> dict[str, Any]:
    report = one.report
    return {
        "provider": report.provider,
        "event_id": report.event_id,
        "type": report.type,
        "firmness": report.firmness,
        "cause": report.cause or "",
        "send_id": one.part.send_id if one.part else None,
        "subscriber_id": one.subscriber_id,
        "at": report.at,
        "seen_at": now,
        "detail": report.detail,
        "arrival_id": one.arrival_id,
    }


def _overlay(tx: Tx, fresh: Iterable[Placed], now: datetime) -> None:
    """Let each message have the state that goes before all others reported of it."""
    wanted: dict[str, dict[int, Placed]] = {}
    for one in fresh:
        if one.part and one.subscriber_id and one.report.type in STATE_OF:
            mine = wanted.setdefault(one.part.send_id, {})
            before = mine.get(one.subscriber_id)
            if before is None or _rank(one) > _rank(before):
                mine[one.subscriber_id] = one
    for send_id, told in wanted.items():
        _overlay_send(tx, send_id, told, now)


def _rank(one: Placed) -> int:
    return RANK.index(STATE_OF[one.report.type])


def _overlay_send(tx: Tx, send_id: str, told: Mapping[int, Placed], now: datetime) -> None:
    own = _find_own(tx, send_id, told)
    rows, stale, less = list[dict[str, Any]](), list[int](), Counter[int]()
    for number, one in told.items():
        assert one.part is not None  # noqa: S101
        new, row = STATE_OF[one.report.type], own.get(number)
        known = State(row.state) if row else STATE_IN[one.part.state]
        if known == new or (known not in OPEN and RANK.index(known) >= RANK.index(new)):
            continue
        rows.append(_delivery(one, one.part, new, row, now))
        if row:
            stale.append(number)
        else:
            less[one.part.no] += 1
    for start in range(0, len(stale), AT_ONCE):
        old = delivery.c.subscriber_id.in_(stale[start : start + AT_ONCE])
        tx.connection.execute(delete(delivery).where(delivery.c.send_id == send_id, old))
    if rows:
        tx.connection.execute(insert(delivery), rows)
    if less:
        values = [{"the_send": send_id, "the_no": no, "number": number} for no, number in less.items()]
        tx.connection.execute(FEWER, values)


#: So many people of a chunk now have a row of their own.
FEWER = (
    update(chunk)
    .where(chunk.c.send_id == bindparam("the_send"), chunk.c.no == bindparam("the_no"))
    .values(follow=chunk.c.follow - bindparam("number"))
)


def _delivery(one: Placed, part: Chunk, state: State, row: Row[Any] | None, now: datetime) -> dict[str, Any]:
    return {
        "send_id": part.send_id,
        "subscriber_id": one.subscriber_id,
        "chunk_no": part.no,
        "state": state,
        "provider_id": one.report.provider_id or (row.provider_id if row else ""),
        "code": one.report.cause or (row.code if row else ""),
        "detail": one.report.detail or (row.detail if row else ""),
        "changed_at": now,
    }


def _find_own(tx: Tx, send_id: str, people: Iterable[int]) -> dict[int, Row[Any]]:
    found, wanted = {}, sorted(people)
    for start in range(0, len(wanted), AT_ONCE):
        mine = delivery.c.subscriber_id.in_(wanted[start : start + AT_ONCE])
        for row in tx.connection.execute(select(delivery).where(delivery.c.send_id == send_id, mine)):
            found[row.subscriber_id] = row
    return found


def _find_people(tx: Tx, numbers: Iterable[int]) -> dict[int, Row[Any]]:
    found, wanted = dict[int, Row[Any]](), sorted(numbers)
    columns = (subscriber.c.id, subscriber.c.email_key, subscriber.c.token)
    for start in range(0, len(wanted), AT_ONCE):
        mine = subscriber.c.id.in_(wanted[start : start + AT_ONCE])
        found.update({row.id: row for row in tx.connection.execute(select(*columns).where(mine))})
    return found


def _find_parts(tx: Tx, send_id: str, people: Iterable[int]) -> dict[int, Chunk]:
    """The newest chunk that holds each person. One of a single person is newer than any that holds more."""
    found, wanted = dict[int, Chunk](), set(people)
    single = and_(chunk.c.send_id == send_id, chunk.c.size == 1)
    ordered = sorted(wanted)
    for start in range(0, len(ordered), AT_ONCE):
        mine = chunk.c.first_id.in_(ordered[start : start + AT_ONCE])
        query = select(*CHUNK, chunk.c.first_id).where(single, mine).order_by(chunk.c.no)
        rows = tx.connection.execute(query.with_for_update())  # whoever settles it now goes first, or waits
        found.update({row.first_id: to_chunk(row[: len(CHUNK)]) for row in rows})
    wanted -= set(found)
    if wanted:
        found |= _find_in_large(tx, send_id, wanted)
    return found


def _find_in_large(tx: Tx, send_id: str, wanted: set[int]) -> dict[int, Chunk]:
    joined = (roster.c.send_id == chunk.c.send_id) & (roster.c.no == chunk.c.no)
    around = (chunk.c.first_id <= max(wanted), chunk.c.last_id >= min(wanted), chunk.c.size > 1)
    query = select(*CHUNK, roster.c.ids).join(roster, joined).where(chunk.c.send_id == send_id, *around)
    found = dict[int, Chunk]()
    for row in tx.connection.execute(query.order_by(chunk.c.no).with_for_update(of=chunk)):
        for number in wanted.intersection(unpack_ids(row.ids)):
            found[number] = to_chunk(row[: len(CHUNK)])
    return found
