"""Claim chunks, write down the intent of a call, take it back, settle its answer: all fenced by the epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Update,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    union,
    update,
)

from outbox.many import Roster, sum_up
from outbox.model import STATE_AFTER, STATE_IN, Chunk, ChunkState, Consent, ItemResult, Outcome, State

from . import Tx
from .rolls import unpack, unpack_ids
from .schema import call, chunk, roster, send, subscriber, suppression
from .states import OPEN, Told, read_states, spread

# Spelled out, not bound: with bound values SQLite would not use the partial indexes.
WAITING = text("chunk.state IN ('planned', 'retry')")
IN_DOUBT = text("chunk.state = 'in_doubt'")
DECIDED = text("chunk.variant >= 0")  # the subject is known
GONE = text("subscriber.consent <> 'confirmed'")
OURS = (
    chunk.c.send_id == bindparam("the_send"),
    chunk.c.no == bindparam("the_no"),
    chunk.c.epoch == bindparam("the_epoch"),
)
ACTIVE = select(send.c.id).where(send.c.id == bindparam("the_send"), send.c.state == "active").exists()
# Built once: a send of one message to a call runs each of these for every message.
INTEND = (
    update(chunk)
    .where(*OURS, WAITING, ACTIVE)
    .values(
        state=ChunkState.IN_DOUBT,
        attempt=bindparam("the_attempt"),
        first_try_at=bindparam("the_first"),
        body_sha=bindparam("the_sha"),
    )
)
SETTLE = (
    update(chunk)
    .where(*OURS, IN_DOUBT)
    .values(state=bindparam("the_state"), not_before=bindparam("the_time"), lease_owner="", lease_until=None)
)
ROSTERS = select(roster.c.no, roster.c.ids, roster.c.people).where(
    roster.c.send_id == bindparam("the_send"),
    roster.c.no.in_(bindparam("the_numbers", expanding=True)),
)
BEGIN_CALL = insert(call)
END_CALL = (
    update(call)
    .where(
        call.c.send_id == bindparam("the_send"),
        call.c.chunk_no == bindparam("the_no"),
        call.c.attempt == bindparam("the_attempt"),
    )
    .values(
        ended_at=bindparam("the_time"),
        answer=bindparam("the_answer"),
        provider_ids=func.coalesce(bindparam("the_ids", type_=LargeBinary), call.c.provider_ids),
    )
)
_ENDS = bindparam("first", type_=Integer), bindparam("last", type_=Integer)
_MARK = select(send.c.newest_suppression).where(send.c.id == bindparam("the_send")).scalar_subquery()
_BARRED = select(suppression.c.email_key).where(suppression.c.id > _MARK)
FIND_GONE = union(
    select(subscriber.c.id).where(subscriber.c.id.between(*_ENDS), GONE),
    # The few that are suppressed come first: "+ 0" keeps SQLite from walking through everybody in between.
    select(subscriber.c.id).where(subscriber.c.email_key.in_(_BARRED), (subscriber.c.id + 0).between(*_ENDS)),
)
AT_ONCE = 500  # numbers in one question
#: What a whole chunk becomes when all its messages end alike.
ALIKE = {State.ACCEPTED: ChunkState.DONE, State.RETRY: ChunkState.RETRY}


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a chunk, and for how long: longer than the longest call, or another sender would recover it."""

    owner: str
    length: timedelta

    def until(self, tx: Tx, now: datetime) -> Any:
        """The end of a lease that begins now, by the clock that all senders share."""
        return func.now() + self.length if tx.many else now + self.length


@dataclass(frozen=True, slots=True)
class Taken:
    """A chunk that is ours, with everyone who has not moved on from it."""

    chunk: Chunk
    people: Roster


def free_all(tx: Tx, owner: str = "") -> None:
    """Take the leases off what waits; all of them when the sender's lock says that no other sender lives."""
    mine = [chunk.c.lease_owner == owner] if owner else [chunk.c.lease_owner != ""]
    tx.connection.execute(update(chunk).where(WAITING, *mine).values(lease_owner="", lease_until=None))


def find_ready(tx: Tx, now: datetime) -> list[str]:
    """The active sends that have a chunk to be called now: letters, then issues, the longest due first."""
    due = select(chunk.c.no).where(chunk.c.send_id == send.c.id, *_due(tx, now)).exists()
    query = (
        select(send.c.id)
        .where(send.c.state == "active", due)
        .order_by(send.c.letter == "", send.c.due_at, send.c.id)
    )
    return list(tx.connection.execute(query).scalars())


def take(
    tx: Tx, send_id: str, lease: Lease, now: datetime, limit: int, *, besides: Collection[str] = ()
) -> list[Taken]:
    """Claim the next chunks of a send, the longest due first. They still wait: nothing is said of a call yet.

    Those for the domains named by `besides` are left alone.
    """
    others = [chunk.c.domain.not_in(besides)] if besides else []
    first = select(chunk.c.no).where(chunk.c.send_id == send_id, *_due(tx, now), *others)
    first = first.order_by(chunk.c.not_before, chunk.c.no).limit(limit)
    if tx.many:
        first = first.with_for_update(skip_locked=True)
    # As a common table it is read once; PostgreSQL may run a sub-select again, and claim more than asked.
    chosen = first.cte("chosen")
    claim = update(chunk).where(chunk.c.send_id == send_id, chunk.c.no.in_(select(chosen.c.no)))
    rows = tx.connection.execute(_leased(tx, claim, lease, now).returning(*CHUNK)).all()
    parts = [to_chunk(row) for row in sorted(rows, key=lambda row: row.no)]
    taken = _with_people(tx, send_id, parts)
    return [one if OPEN.issuperset(one.people.states) else only(one, OPEN) for one in taken]


def put_back(tx: Tx, part: Chunk) -> None:
    """Give a claimed chunk back untried."""
    tx.connection.execute(_fenced(part).where(WAITING).values(lease_owner="", lease_until=None))


def find_gone(tx: Tx, send_id: str, first_id: int, last_id: int) -> set[int]:
    """Who of these numbers has lost consent, or was suppressed since the freeze, as of this transaction."""
    asked = {"the_send": send_id, "first": first_id, "last": last_id}
    return set(tx.connection.execute(FIND_GONE, asked).scalars())


def find_unlike(tx: Tx, numbers: Sequence[int], consent: Consent) -> set[int]:
    """Who of these stands elsewhere than a letter is for, or is suppressed, as of this transaction."""
    barred = select(suppression.c.id).where(suppression.c.email_key == subscriber.c.email_key)
    fitting = select(subscriber.c.id).where(subscriber.c.consent == consent, ~barred.exists())
    left = set(numbers)
    for start in range(0, len(numbers), AT_ONCE):
        some = subscriber.c.id.in_(numbers[start : start + AT_ONCE])
        left.difference_update(tx.connection.execute(fitting.where(some)).scalars())
    return left


def intend(tx: Tx, part: Chunk, *, key: str, body_sha: str, now: datetime) -> Chunk | None:
    """Write down, before the call, that it begins; None when the chunk is not ours or its send not active."""
    first = part.first_try_at or now
    values = {"the_attempt": part.attempt + 1, "the_first": first, "the_sha": body_sha}
    if not tx.connection.execute(INTEND, fence_of(part) | values).rowcount:
        return None
    return _begin_call(tx, part, key=key, body_sha=body_sha, now=now, first=first)


def replay(tx: Tx, part: Chunk, *, key: str, now: datetime) -> Chunk | None:
    """Write down that a call in doubt is made again with its key and its bytes; None when it is not ours."""
    again = _fenced(part).where(IN_DOUBT).values(attempt=part.attempt + 1)
    if not tx.connection.execute(again).rowcount:
        return None
    return _begin_call(tx, part, key=key, body_sha=part.body_sha, now=now, first=part.first_try_at or now)


def take_back(tx: Tx, part: Chunk) -> None:
    """Undo an intent of which it is certain that its call never began."""
    tx.connection.execute(delete(call).where(*_call_of(part)))
    first = part.attempt == 1
    values = {
        "state": ChunkState.PLANNED if first else ChunkState.RETRY,
        "attempt": part.attempt - 1,
        "lease_owner": "",
        "lease_until": None,
    }
    values |= {"first_try_at": None, "body_sha": ""} if first else {}
    tx.connection.execute(_fenced(part).where(IN_DOUBT).values(values))


def settle(tx: Tx, part: Chunk, results: Sequence[ItemResult], *, now: datetime, retry_at: datetime) -> bool:
    """Write down the answers; False, with nothing touched, when somebody else took the chunk over."""
    states = {STATE_AFTER[outcome] for outcome in {result.outcome for result in results}}
    whole = len(results) == part.size == part.follow and len(states) == 1
    alike = ALIKE.get(next(iter(states))) if whole else None
    values = {"the_state": alike or ChunkState.IN_DOUBT, "the_time": retry_at}
    if not tx.connection.execute(SETTLE, fence_of(part) | values).rowcount:
        return False
    if not alike:
        spread(tx, part, {number_of(one): _told(one) for one in results}, now=now, retry_at=retry_at)
    _end_call(tx, part, results, now)
    return True


def find_doubtful(tx: Tx, owner: str) -> list[Chunk]:
    """Chunks whose call was begun and never settled, and whose sender is no more, or has let its lease run out."""
    dead: list[ColumnElement[bool]] = [chunk.c.lease_owner != owner]
    if tx.many:
        dead.append(or_(chunk.c.lease_until.is_(None), chunk.c.lease_until < func.now()))
    query = select(*CHUNK).where(IN_DOUBT, *dead).order_by(chunk.c.send_id, chunk.c.no)
    return [to_chunk(row) for row in tx.connection.execute(query)]


def find_claimed(tx: Tx, owner: str) -> list[Chunk]:
    """Chunks in doubt whose intent is that of one sender."""
    query = select(*CHUNK).where(IN_DOUBT, chunk.c.lease_owner == owner)
    return [to_chunk(row) for row in tx.connection.execute(query)]


def count_in_doubt(tx: Tx) -> int:
    """How many chunks are in doubt, whoever holds them."""
    return tx.connection.execute(select(func.count()).select_from(chunk).where(IN_DOUBT)).scalar_one()


def reclaim(tx: Tx, part: Chunk, lease: Lease, now: datetime) -> Taken | None:
    """Claim a chunk in doubt for recovery; None when somebody was faster."""
    claim = _leased(tx, _fenced(part).where(IN_DOUBT), lease, now).returning(*CHUNK)
    row = tx.connection.execute(claim).first()
    return _with_people(tx, part.send_id, [to_chunk(row)])[0] if row else None


def number_of(result: ItemResult) -> int:
    """The subscriber's number in a message's id."""
    return int(result.outbox_id.rpartition(".")[2])


CHUNK = (
    chunk.c.send_id,
    chunk.c.no,
    chunk.c.state,
    chunk.c.attempt,
    chunk.c.epoch,
    chunk.c.first_try_at,
    chunk.c.body_sha,
    chunk.c.size,
    chunk.c.follow,
    chunk.c.variant,
    chunk.c.domain,
)


def to_chunk(row: Any) -> Chunk:
    """A row of `CHUNK` columns as a chunk."""
    return Chunk(row[0], row[1], ChunkState(row[2]), *row[3:])


def _due(tx: Tx, now: datetime) -> tuple[Any, ...]:
    # With one sender at a time its lock says who is dead; among many, a lease that has run out.
    free = chunk.c.lease_owner == ""
    if tx.many:
        free = or_(free, chunk.c.lease_until < func.now())
    return WAITING, DECIDED, chunk.c.not_before <= now, free


def _leased(tx: Tx, claim: Update, lease: Lease, now: datetime) -> Update:
    until = lease.until(tx, now)
    return claim.values(epoch=chunk.c.epoch + 1, lease_owner=lease.owner, lease_until=until)


def _with_people(tx: Tx, send_id: str, parts: list[Chunk]) -> list[Taken]:
    asked = {"the_send": send_id, "the_numbers": [part.no for part in parts]}
    rows = tx.connection.execute(ROSTERS, asked)
    packed = {row.no: row for row in rows}
    taken = []
    for part in parts:
        people = unpack(send_id, packed[part.no].ids, packed[part.no].people, STATE_IN[part.state])
        if part.follow < part.size:
            told = read_states(tx, part)
            people = people.only(told)
            people = replace(people, states=[told[number].state for number in people.numbers])
        taken.append(Taken(part, people))
    return taken


def only(taken: Taken, states: Collection[State]) -> Taken:
    """A chunk with those of its people alone whose messages are in one of these states."""
    both = zip(taken.people.numbers, taken.people.states, strict=True)
    return replace(taken, people=taken.people.only({number for number, state in both if state in states}))


def _fenced(part: Chunk) -> Update:
    return update(chunk).where(
        chunk.c.send_id == part.send_id, chunk.c.no == part.no, chunk.c.epoch == part.epoch
    )


def fence_of(part: Chunk) -> dict[str, Any]:
    """What names a chunk under the claim that is ours."""
    return {"the_send": part.send_id, "the_no": part.no, "the_epoch": part.epoch}


def _call_of(part: Chunk) -> Iterable[ColumnElement[bool]]:
    return call.c.send_id == part.send_id, call.c.chunk_no == part.no, call.c.attempt == part.attempt


def _begin_call(tx: Tx, part: Chunk, *, key: str, body_sha: str, now: datetime, first: datetime) -> Chunk:
    tx.connection.execute(BEGIN_CALL, call_row(part, key, body_sha, now))
    return begun(part, body_sha, first)


def call_row(part: Chunk, key: str, body_sha: str, now: datetime) -> dict[str, Any]:
    """The row of a call that begins."""
    return {
        "send_id": part.send_id,
        "chunk_no": part.no,
        "attempt": part.attempt + 1,
        "key": key,
        "body_sha": body_sha,
        "started_at": now,
        "answer": "",
    }


def begun(part: Chunk, body_sha: str, first: datetime) -> Chunk:
    """A chunk as it is once its intent is written."""
    return replace(
        part, state=ChunkState.IN_DOUBT, attempt=part.attempt + 1, first_try_at=first, body_sha=body_sha
    )


def _end_call(tx: Tx, part: Chunk, results: Sequence[ItemResult], now: datetime) -> None:
    counted = Counter([result.outcome for result in results])
    answer = ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))
    if set(counted) != {Outcome.ACCEPTED}:
        said = (one for one in results if one.outcome != Outcome.ACCEPTED and (one.code or one.detail))
        words = next(said, None)
        answer += f": {words.code} {words.detail}".rstrip() if words else ""
    given = _provider_ids(tx, part, results) if counted[Outcome.ACCEPTED] else None
    values = {"the_attempt": part.attempt, "the_time": now, "the_answer": answer, "the_ids": given}
    tx.connection.execute(END_CALL, fence_of(part) | values)


def _provider_ids(tx: Tx, part: Chunk, results: Sequence[ItemResult]) -> Any:
    whole = sum_up(results)
    if whole and len(whole) == part.size:
        return msgspec.json.encode(whole.provider_ids)
    given = {number_of(result): result.provider_id for result in results}
    query = select(roster.c.ids).where(roster.c.send_id == part.send_id, roster.c.no == part.no)
    numbers = unpack_ids(tx.connection.execute(query).scalar_one())
    return msgspec.json.encode([given.get(number, "") for number in numbers])


def _told(result: ItemResult) -> Told:
    return Told(STATE_AFTER[result.outcome], result.provider_id, result.code, result.detail)
