"""Letters that wait for their moment: put in once under a key, frozen into sends, never forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from . import Tx
from .freeze import new_chunk
from .rolls import pack_ids, pack_people
from .schema import chunk, issue, letter, roster, send, subscriber, suppression

# Spelled out, not bound: with bound values SQLite would not use the partial index.
WAITING = text("letter.send_id IS NULL AND letter.dropped = ''")
AT_ONCE = 500  # numbers in one question
_ROW = ("key", "name", "subscriber_id", "due_at", "queued_at", "dropped")
ONCE = {
    False: sqlite.insert(letter).on_conflict_do_nothing(index_elements=["key"]).returning(letter.c.id),
    True: postgresql.insert(letter).on_conflict_do_nothing(index_elements=["key"]).returning(letter.c.id),
}


@dataclass(frozen=True, slots=True)
class Queued:
    """A letter that waits, and all that is known of the person it is for."""

    id: int
    name: str
    subscriber_id: int
    due_at: datetime
    email: str
    person: str  # the person's name
    token: str
    attributes: str  # JSON
    consent: str  # a Consent
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Unsent:
    """A letter of one person that waits, or was dropped."""

    name: str
    key: str
    due_at: datetime
    dropped: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many letters of a name wait, and when the first of them is due."""

    name: str
    number: int
    first: datetime


def queue(tx: Tx, rows: Sequence[tuple[str, str, int, datetime]], now: datetime) -> int:
    """Put in letters as (key, name, subscriber id, moment it is due); returns how many keys were new."""
    made = [dict(zip(_ROW, (*row, now, ""), strict=True)) for row in rows]
    return len(tx.connection.execute(ONCE[tx.many], made).all()) if made else 0


def find_due(tx: Tx, now: datetime, limit: int, *, besides: Iterable[str] = ()) -> list[Queued]:
    """The letters that are due, the longest waiting first; `besides` are names to be left alone."""
    barred = select(suppression.c.id).where(suppression.c.email_key == subscriber.c.email_key).exists()
    query: Select[Any] = (
        select(
            letter.c.id, letter.c.name, letter.c.subscriber_id, letter.c.due_at, subscriber.c.email,
            subscriber.c.name, subscriber.c.token, subscriber.c.attributes, subscriber.c.consent, barred,
        )
        .join(subscriber, subscriber.c.id == letter.c.subscriber_id)
        .where(WAITING, letter.c.due_at <= now, letter.c.name.not_in(list(besides)))
        .order_by(letter.c.due_at, letter.c.id)
        .limit(limit)
    )  # fmt: skip
    if tx.many:
        query = query.with_for_update(skip_locked=True, of=letter)
    return [Queued(*row) for row in tx.connection.execute(query)]


def find_names(tx: Tx, now: datetime) -> list[str]:
    """The names of letters that are due."""
    query = select(letter.c.name).where(WAITING, letter.c.due_at <= now).distinct().order_by(letter.c.name)
    return list(tx.connection.execute(query).scalars())


def find_waiting(tx: Tx) -> list[Waiting]:
    """What waits, by name."""
    query = select(letter.c.name, func.count(), func.min(letter.c.due_at)).where(WAITING)
    rows = tx.connection.execute(query.group_by(letter.c.name).order_by(letter.c.name))
    return [Waiting(*row) for row in rows]


def find_unsent(tx: Tx, subscriber_id: int) -> list[Unsent]:
    """The letters of one person that are in no send, the first due first."""
    query = select(letter.c.name, letter.c.key, letter.c.due_at, letter.c.dropped)
    mine = query.where(letter.c.subscriber_id == subscriber_id, letter.c.send_id.is_(None))
    return [Unsent(*row) for row in tx.connection.execute(mine.order_by(letter.c.due_at, letter.c.id))]


def find_first(tx: Tx, since: datetime) -> datetime | None:
    """When the next letter after a moment is due, of those that are not paused."""
    query = select(letter.c.due_at).where(WAITING, letter.c.due_at > since)
    query = query.where(letter.c.name.not_in(find_paused(tx)))
    return tx.connection.execute(query.order_by(letter.c.due_at, letter.c.id).limit(1)).scalar()


def find_paused(tx: Tx) -> set[str]:
    """The names of letters of which a send is paused."""
    query = select(send.c.letter).where(send.c.letter != "", send.c.state == "paused").distinct()
    return set(tx.connection.execute(query).scalars())


def find_sends(tx: Tx, name: str, digest: str) -> list[tuple[str, str, int]]:
    """The sends that a letter with this content may still go into, the oldest first: id, envelope, audience."""
    columns = (send.c.id, send.c.envelope, send.c.provider, send.c.audience)
    query = select(*columns).join(issue, issue.c.id == send.c.issue_id)
    query = query.where(send.c.letter == name, send.c.state == "active", issue.c.digest == digest)
    rows = tx.connection.execute(query.order_by(send.c.created_at, send.c.id))
    return [(row.id, f"{row.provider} {row.envelope}", row.audience) for row in rows]


def find_held_by(tx: Tx, send_id: str, numbers: Sequence[int]) -> set[int]:
    """Who of these is in a send already."""
    found: set[int] = set()
    for start in range(0, len(numbers), AT_ONCE):
        some = letter.c.subscriber_id.in_(numbers[start : start + AT_ONCE])
        query = select(letter.c.subscriber_id).where(some, letter.c.send_id == send_id)
        found.update(tx.connection.execute(query).scalars())
    return found


def put_in(
    tx: Tx, send_id: str, people: Sequence[tuple[Queued, Mapping[str, str]]], *, max_batch: int, now: datetime
) -> None:
    """Add people to a send, each with what fills their letter, in calls of `max_batch` and in order of number."""
    tx.connection.execute(select(send.c.id).where(send.c.id == send_id).with_for_update())
    top = select(func.coalesce(func.max(chunk.c.no), 0)).where(chunk.c.send_id == send_id)
    first: int = tx.connection.execute(top).scalar_one() + 1
    ordered = sorted(people, key=lambda one: one[0].subscriber_id)
    parts = [ordered[start : start + max_batch] for start in range(0, len(ordered), max_batch)]
    chunks, rosters = [], []
    for no, part in enumerate(parts, first):
        ids = [one.subscriber_id for one, _ in part]
        packed = pack_people([(one.email, one.person, one.token, values) for one, values in part])
        chunks.append(new_chunk(send_id, no, ids, not_before=now))
        rosters.append({"send_id": send_id, "no": no, "ids": pack_ids(ids), "people": packed})
    tx.connection.execute(insert(chunk), chunks)
    tx.connection.execute(insert(roster), rosters)
    grown = update(send).where(send.c.id == send_id)
    tx.connection.execute(grown.values(audience=send.c.audience + len(people), active_at=now))
    _mark(tx, [one.id for one, _ in people], send_id=send_id)


def drop(tx: Tx, ids: Sequence[int], why: str) -> None:
    """Say of letters that wait that they will not be sent, for good."""
    _mark(tx, ids, dropped=why)


def drop_all(tx: Tx, name: str, why: str) -> int:
    """Likewise of all that wait under a name; returns how many."""
    return tx.connection.execute(
        update(letter).where(WAITING, letter.c.name == name).values(dropped=why)
    ).rowcount


def drop_due(tx: Tx, now: datetime, why: str, *, besides: Sequence[str]) -> int:
    """Likewise of all that are due, but for letters of these names; returns how many."""
    due = update(letter).where(WAITING, letter.c.due_at <= now, letter.c.name.not_in(besides))
    return tx.connection.execute(due.values(dropped=why)).rowcount


def drop_of(tx: Tx, subscriber_id: int, why: str) -> None:
    """Likewise of all that wait for one person."""
    mine = update(letter).where(WAITING, letter.c.subscriber_id == subscriber_id)
    tx.connection.execute(mine.values(dropped=why))


def _mark(tx: Tx, ids: Sequence[int], **values: str) -> None:
    for start in range(0, len(ids), AT_ONCE):
        some = letter.c.id.in_(ids[start : start + AT_ONCE])
        tx.connection.execute(update(letter).where(WAITING, some).values(values))
