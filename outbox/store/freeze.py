"""Freeze an audience: who gets an issue, cut into calls, with all that fills their messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, Select, cast, func, insert, select, update

from outbox.model import ChunkState, Consent, Send
from outbox.timing import Timing
from outbox.trial import AS_USUAL, Rules, draw

from . import Tx, segments, wishes
from .rolls import pack_ids, pack_people
from .schema import chunk, roster, send, subscriber, suppression

#: Rows read, and chunks written, at a time.
READ, WRITE = 20_000, 500
#: Where the columns of `audience` stand.
EMAIL, ATTRIBUTES, ZONE = 1, 4, 5


class Group(NamedTuple):
    """Who may go together in one call."""

    not_before: datetime
    variant: int = 0
    domain: str = ""  # of all of them, where it has a rate of its own


@dataclass(frozen=True, slots=True)
class Cutting:
    """What parts people: the moment they are due, the subject they get, a domain with a rate of its own."""

    timing: Timing
    rules: Rules = AS_USUAL
    subjects: int = 1
    domains: Mapping[str, float] = field(default_factory=dict)
    single: bool = False  # a call holds one person, and so is of one domain

    @property
    def is_needed(self) -> bool:
        return self.timing.is_local or self.subjects > 1 or bool(self.domains) or self.single

    def group_of(self, send_id: str, row: Any) -> Group:
        variant = draw(self.rules, send_id, row[0], self.subjects) if self.subjects > 1 else 0
        domain = row[EMAIL].rpartition("@")[2].lower()
        return Group(
            self.timing.moment_for(row[ZONE]),
            variant,
            domain if self.single or domain in self.domains else "",
        )

    def size_of(self, group: Group, most: int) -> int:
        """How many may go together: to a domain with a rate of its own no more than in a second."""
        return max(1, min(most, int(self.domains.get(group.domain, most))))


def freeze(
    tx: Tx,
    order: Send,
    *,
    issue_id: int,
    max_batch: int,
    now: datetime,
    fields: Sequence[str] = (),
    segment: str = "",
    cutting: Cutting | None = None,
) -> int:
    """Write a send with everyone confirmed and not suppressed, cut into chunks; return how many they are.

    `fields` are the attributes that fill the letter, `segment` is the expression of the part of the
    list it is for; `cutting` says who may not go together. The audience is one ordered SELECT, so nobody
    can stand in it twice.
    """
    open_send(tx, order, issue_id=issue_id, now=now)
    total, chunks, rosters = 0, list[dict[str, Any]](), list[dict[str, Any]]()
    chosen = audience(tx, segment, now, order.due_at)
    people = tx.connection.execute(chosen, execution_options={"yield_per": READ})
    for no, (group, rows) in enumerate(_cut(people, order, max_batch, cutting), 1):
        ids = [row[0] for row in rows]
        total += len(ids)
        chunks.append(new_chunk(order.id, no, ids, **group._asdict()))
        packed = pack_people([_person(row, fields) for row in rows] if fields else [row[1:4] for row in rows])
        rosters.append({"send_id": order.id, "no": no, "ids": pack_ids(ids), "people": packed})
        if len(chunks) == WRITE:
            _write(tx, chunks, rosters)
    _write(tx, chunks, rosters)
    tx.connection.execute(update(send).where(send.c.id == order.id).values(audience=total))
    wishes.count_issue(tx, order, chosen.with_only_columns(subscriber.c.id).order_by(None))
    return total


def open_send(tx: Tx, order: Send, *, issue_id: int, now: datetime) -> None:
    """Write a send that nobody is in yet."""
    tx.connection.execute(insert(send), _order(tx, order, issue_id, now))


def audience(
    tx: Tx, segment: str, now: datetime, due_at: datetime | None = None
) -> Select[int, str, str, str, str, str]:
    """Everyone of a segment who may be written to: number, address, name, token, attributes and time zone.

    Whoever pauses when the issue is due, or wants fewer than there are, is left out.
    """
    barred = select(suppression.c.id).where(suppression.c.email_key == subscriber.c.email_key)
    columns = (
        subscriber.c.id,
        subscriber.c.email,
        subscriber.c.name,
        subscriber.c.token,
        subscriber.c.attributes,
        subscriber.c.time_zone,
    )
    chosen = select(*columns).where(subscriber.c.consent == Consent.CONFIRMED, ~barred.exists())
    chosen = chosen.where(~wishes.resting(due_at or now))
    return chosen.where(segments.choose(tx, segment, now)).order_by(subscriber.c.id)


def count_audience(
    tx: Tx, segment: str, now: datetime, due_at: datetime | None = None
) -> tuple[int, list[str]]:
    """How many people a send frozen now would reach, and the first few of them."""
    people = audience(tx, segment, now, due_at).order_by(None).subquery()
    number = tx.connection.execute(select(func.count()).select_from(people)).scalar_one()
    shown = tx.connection.execute(select(people.c.email).order_by(people.c.id).limit(3)).scalars()
    return number, list(shown)


def count_zones(tx: Tx, segment: str, now: datetime) -> dict[str, int]:
    """How many of these people live in each time zone."""
    people = audience(tx, segment, now).order_by(None).subquery()
    query = select(people.c.time_zone, func.count()).group_by(people.c.time_zone)
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def count_beyond_ascii(tx: Tx, segment: str, now: datetime) -> int:
    """How many of these people have a mailbox with more bytes than letters (addresses.needs_smtputf8)."""
    email = audience(tx, segment, now).order_by(None).subquery().c.email
    size = func.octet_length(email) if tx.many else func.length(cast(email, LargeBinary))
    return tx.connection.execute(select(func.count()).where(size > func.length(email))).scalar_one()


def new_chunk(
    send_id: str,
    no: int,
    ids: Sequence[int],
    *,
    not_before: datetime,
    parent_no: int | None = None,
    variant: int = 0,
    domain: str = "",
) -> dict[str, Any]:
    """The row of a chunk that nobody has tried yet."""
    return {
        "send_id": send_id,
        "no": no,
        "parent_no": parent_no,
        "state": ChunkState.PLANNED,
        "attempt": 0,
        "epoch": 0,
        "not_before": not_before,
        "first_try_at": None,
        "body_sha": "",
        "first_id": min(ids),
        "last_id": max(ids),
        "size": len(ids),
        "follow": len(ids),
        "lease_owner": "",
        "lease_until": None,
        "variant": variant,
        "domain": domain,
    }


def _order(tx: Tx, order: Send, issue_id: int, now: datetime) -> dict[str, Any]:
    newest = tx.connection.execute(select(func.max(suppression.c.id))).scalar_one()
    return {
        "id": order.id,
        "issue_id": issue_id,
        "provider": order.provider,
        "on_unknown": order.on_unknown,
        "state": order.state,
        "reason": order.reason,
        "due_at": order.due_at,
        "active_at": order.due_at,
        "envelope": msgspec.json.encode(order.envelope).decode(),
        "audience": 0,
        "newest_suppression": newest or 0,
        "created_at": now,
        "letter": order.letter,
    }


def _cut(
    people: Any, order: Send, size: int, cutting: Cutting | None
) -> Iterator[tuple[Group, Sequence[Any]]]:
    """Rows in groups that may go together, each no larger than `size`."""
    if cutting is None or not cutting.is_needed:  # nearly always, and quicker
        return ((Group(order.due_at), rows) for rows in people.partitions(size))
    return _gather(people, order, size, cutting)


def _gather(
    people: Iterable[Any], order: Send, size: int, cutting: Cutting
) -> Iterator[tuple[Group, Sequence[Any]]]:
    open_ones: dict[Group, list[Any]] = {}
    for row in people:
        group = cutting.group_of(order.id, row)
        mine = open_ones.setdefault(group, [])
        mine.append(row)
        if len(mine) == cutting.size_of(group, size):
            yield group, open_ones.pop(group)
    yield from open_ones.items()


def _person(row: Any, fields: Sequence[str]) -> list[Any]:
    known = json.loads(row[ATTRIBUTES])
    return [*row[1:4], {name: str(known[name]) for name in fields if name in known}]


def _write(tx: Tx, chunks: list[dict[str, Any]], rosters: list[dict[str, Any]]) -> None:
    if chunks:
        tx.connection.execute(insert(chunk), chunks)
        tx.connection.execute(insert(roster), rosters)
        chunks.clear()
        rosters.clear()
