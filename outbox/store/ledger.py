"""The ledger: freeze an audience, claim a chunk, write down the intent, settle the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Select,
    String,
    Update,
    bindparam,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    text,
    update,
)

from outbox.model import (
    STATE_AFTER,
    Chunk,
    ChunkState,
    Consent,
    Delivery,
    Envelope,
    ItemResult,
    Progress,
    Recipient,
    Send,
    State,
)

from . import Tx
from .columns import Instant
from .schema import call, chunk, delivery, issue, send, subscriber, suppression

# Spelled out, not bound: with bound values SQLite would not use the partial indexes.
WAITING = text("chunk.state IN ('planned', 'retry')")
IN_DOUBT = text("chunk.state = 'in_doubt'")
OPEN = (State.PLANNED, State.RETRY)


def freeze(tx: Tx, order: Send, *, issue_id: int, max_batch: int, now: datetime) -> int:
    """Write a send with everyone confirmed and not suppressed, cut into chunks; return how many they are.

    The audience is one ordered SELECT, so nobody can stand in it twice.
    """
    row = {
        "id": order.id,
        "issue_id": issue_id,
        "provider": order.provider,
        "on_unknown": order.on_unknown,
        "due_at": order.due_at,
        "envelope": msgspec.json.encode(order.envelope).decode(),
        "audience": 0,
        "created_at": now,
    }
    tx.connection.execute(insert(send), row)
    people = _audience(max_batch).subquery()
    tx.connection.execute(insert(chunk).from_select(*_chunks_of(people, order)))
    rows = tx.connection.execute(insert(delivery).from_select(*_deliveries_of(people, order, issue_id, now)))
    tx.connection.execute(update(send).where(send.c.id == order.id).values(audience=rows.rowcount))
    return rows.rowcount


def find_send(tx: Tx, send_id: str) -> Send:
    """A send by its id."""
    return _send(tx.connection.execute(_sends().where(send.c.id == send_id)).one())


def find_due(tx: Tx, now: datetime, limit: int) -> list[Chunk]:
    """The next chunks that may be called, the longest due first."""
    query = select(chunk).where(WAITING, chunk.c.not_before <= now)
    query = query.order_by(chunk.c.not_before, chunk.c.send_id, chunk.c.no).limit(limit)
    return [_chunk(row) for row in tx.connection.execute(query)]


def find_in_doubt(tx: Tx) -> list[Chunk]:
    """Chunks whose call was begun and never settled."""
    query = select(chunk).where(IN_DOUBT).order_by(chunk.c.send_id, chunk.c.no)
    return [_chunk(row) for row in tx.connection.execute(query)]


def find_waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many messages still wait, and when the first of them may go."""
    query = select(func.count(), func.min(chunk.c.not_before)).select_from(chunk)
    query = query.join(
        delivery, (delivery.c.send_id == chunk.c.send_id) & (delivery.c.chunk_no == chunk.c.no)
    )
    number, first = tx.connection.execute(query.where(WAITING, delivery.c.state.in_(OPEN))).one()
    return number, first


def members(tx: Tx, part: Chunk) -> list[Recipient]:
    """The people of a chunk, in the order of their numbers; those dropped before the call are left out."""
    query = select(delivery).where(*_in_chunk(part), delivery.c.state != State.SUPPRESSED)
    return [_recipient(row) for row in tx.connection.execute(query.order_by(delivery.c.subscriber_id))]


def drop_gone(tx: Tx, part: Chunk, now: datetime) -> int:
    """Read consent and suppression again and suppress everyone of a chunk who left since the freeze."""
    stays = select(subscriber.c.id).where(subscriber.c.consent == Consent.CONFIRMED, _not_suppressed())
    gone = update(delivery).where(
        *_in_chunk(part), delivery.c.state.in_(OPEN), delivery.c.subscriber_id.not_in(stays)
    )
    detail = "left the list between the freeze and the call"
    return tx.connection.execute(gone.values(state=State.SUPPRESSED, detail=detail, changed_at=now)).rowcount


def refuse(tx: Tx, person: Recipient, detail: str, now: datetime) -> None:
    """Write down that a message can never be made."""
    one = update(delivery).where(
        delivery.c.send_id == person.send_id,
        delivery.c.subscriber_id == person.subscriber_id,
        delivery.c.state.in_(OPEN),
    )
    tx.connection.execute(one.values(state=State.REFUSED, code="unwritable", detail=detail, changed_at=now))


def close(tx: Tx, part: Chunk) -> None:
    """Nothing of this chunk is left to call."""
    tx.connection.execute(_one_chunk(part).values(state=ChunkState.DONE))


def renumber(tx: Tx, part: Chunk, *, not_before: datetime) -> Chunk:
    """Move what waits into a new chunk, so under a new key: a key never covers other people or bytes."""
    top = select(func.max(chunk.c.no)).where(chunk.c.send_id == part.send_id)
    no = tx.connection.execute(top).scalar_one() + 1
    row = {
        "send_id": part.send_id,
        "no": no,
        "parent_no": part.no,
        "state": ChunkState.PLANNED,
        "attempt": 0,
        "epoch": 0,
        "not_before": not_before,
        "first_try_at": None,
        "body_sha": "",
    }
    tx.connection.execute(insert(chunk), row)
    tx.connection.execute(
        update(delivery).where(*_in_chunk(part), delivery.c.state.in_(OPEN)).values(chunk_no=no)
    )
    return Chunk(part.send_id, no, ChunkState.PLANNED, 0, 0, None, "")


def intend(tx: Tx, part: Chunk, *, key: str, body_sha: str, now: datetime) -> Chunk:
    """Write down, before the call, that it begins; returns the chunk under its new epoch."""
    first = part.first_try_at or now
    values = {
        "state": ChunkState.IN_DOUBT,
        "attempt": part.attempt + 1,
        "epoch": part.epoch + 1,
        "first_try_at": first,
        "body_sha": body_sha,
    }
    tx.connection.execute(_one_chunk(part).values(values))
    tx.connection.execute(
        update(delivery)
        .where(*_in_chunk(part), delivery.c.state.in_(OPEN))
        .values(state=State.IN_DOUBT, changed_at=now)
    )
    row = {
        "send_id": part.send_id,
        "chunk_no": part.no,
        "attempt": part.attempt + 1,
        "key": key,
        "body_sha": body_sha,
        "started_at": now,
        "answer": "",
    }
    tx.connection.execute(insert(call), row)
    return Chunk(
        part.send_id, part.no, ChunkState.IN_DOUBT, part.attempt + 1, part.epoch + 1, first, body_sha
    )


def settle(tx: Tx, part: Chunk, results: Sequence[ItemResult], *, now: datetime, retry_at: datetime) -> bool:
    """Write down the answers; False, with nothing touched, when somebody else took the chunk over."""
    fence = select(chunk.c.no).where(
        chunk.c.send_id == part.send_id, chunk.c.no == part.no, chunk.c.epoch == part.epoch, IN_DOUBT
    )
    if tx.connection.execute(fence).first() is None:
        return False
    rows = [_answer(result, now) for result in results]
    tx.connection.execute(_settled(part), rows)
    outcome = ",".join(
        f"{name} {number}" for name, number in sorted(Counter(r.outcome for r in results).items())
    )
    ended = update(call).where(
        call.c.send_id == part.send_id, call.c.chunk_no == part.no, call.c.attempt == part.attempt
    )
    tx.connection.execute(ended.values(ended_at=now, answer=outcome))
    _close_chunk(tx, part, retry_at)
    return True


def decide(tx: Tx, part: Chunk, *, state: State, detail: str, now: datetime) -> None:
    """Give everything of a chunk that is still in doubt the state its policy says."""
    doubtful = update(delivery).where(*_in_chunk(part), delivery.c.state == State.IN_DOUBT)
    tx.connection.execute(doubtful.values(state=state, detail=detail, changed_at=now))
    _close_chunk(tx, part, now)


def progress(tx: Tx) -> list[Progress]:
    """Every send with the number of its messages in each state, the newest last."""
    query = select(delivery.c.send_id, delivery.c.state, func.count()).group_by(
        delivery.c.send_id, delivery.c.state
    )
    states: dict[str, dict[State, int]] = {}
    for send_id, state, number in tx.connection.execute(query):
        states.setdefault(send_id, {})[State(state)] = number
    rows = tx.connection.execute(_sends().order_by(send.c.due_at, issue.c.slug))
    return [
        Progress(row.slug, row.digest, row.provider, row.due_at, row.audience, states.get(row.id, {}))
        for row in rows
    ]


def history(tx: Tx, subscriber_id: int) -> list[Delivery]:
    """Every message to one person, oldest first."""
    query = select(delivery, issue.c.slug).join(issue, issue.c.id == delivery.c.issue_id)
    query = query.join(send, send.c.id == delivery.c.send_id).where(delivery.c.subscriber_id == subscriber_id)
    rows = tx.connection.execute(query.order_by(send.c.due_at, issue.c.slug))
    return [
        Delivery(
            row.slug,
            _recipient(row).outbox_id,
            row.email,
            State(row.state),
            row.provider_id,
            row.code,
            row.detail,
            row.changed_at,
        )
        for row in rows
    ]


def count_audience(tx: Tx) -> tuple[int, list[str]]:
    """How many people a send frozen now would reach, and the first few of them."""
    people = _audience(1).subquery()
    number = tx.connection.execute(select(func.count()).select_from(people)).scalar_one()
    shown = tx.connection.execute(select(people.c.email).order_by(people.c.id).limit(3)).scalars()
    return number, list(shown)


def _not_suppressed() -> Any:
    return ~select(suppression.c.email_key).where(suppression.c.email_key == subscriber.c.email_key).exists()


def _audience(max_batch: int) -> Select[int, str, str, int]:
    place = func.row_number().over(order_by=subscriber.c.id)
    no = ((place - 1) // max_batch + 1).label("no")
    return select(subscriber.c.id, subscriber.c.email, subscriber.c.name, no).where(
        subscriber.c.consent == Consent.CONFIRMED, _not_suppressed()
    )


def _chunks_of(people: Any, order: Send) -> tuple[list[str], Select[Any]]:
    values: Mapping[str, Any] = {
        "send_id": literal(order.id),
        "no": people.c.no,
        "state": literal(str(ChunkState.PLANNED)),
        "attempt": literal(0),
        "epoch": literal(0),
        "not_before": literal(order.due_at, Instant),
        "first_try_at": cast(null(), Instant),
        "body_sha": literal(""),
    }
    return list(values), select(*values.values()).distinct()


def _deliveries_of(people: Any, order: Send, issue_id: int, now: datetime) -> tuple[list[str], Select[Any]]:
    values: Mapping[str, Any] = {
        "send_id": literal(order.id),
        "subscriber_id": people.c.id,
        "issue_id": literal(issue_id),
        "chunk_no": people.c.no,
        "state": literal(str(State.PLANNED)),
        "email": people.c.email,
        "name": people.c.name,
        "provider_id": literal(""),
        "code": literal(""),
        "detail": literal(""),
        "changed_at": literal(now, Instant),
    }
    return list(values), select(*values.values()).order_by(people.c.id)


def _in_chunk(part: Chunk) -> tuple[Any, Any]:
    return delivery.c.send_id == part.send_id, delivery.c.chunk_no == part.no


def _one_chunk(part: Chunk) -> Update:
    return update(chunk).where(
        chunk.c.send_id == part.send_id, chunk.c.no == part.no, chunk.c.epoch == part.epoch
    )


def _settled(part: Chunk) -> Update:
    one = update(delivery).where(
        *_in_chunk(part),
        delivery.c.state == State.IN_DOUBT,
        delivery.c.subscriber_id == bindparam("person"),
    )
    return one.values(
        state=bindparam("to_state", type_=String),
        provider_id=bindparam("given_id"),
        code=bindparam("its_code"),
        detail=bindparam("its_detail"),
        changed_at=bindparam("now"),
    )


def _answer(result: ItemResult, now: datetime) -> dict[str, Any]:
    return {
        "person": int(result.outbox_id.rpartition(".")[2]),
        "to_state": STATE_AFTER[result.outcome],
        "given_id": result.provider_id,
        "its_code": result.code,
        "its_detail": result.detail,
        "now": now,
    }


def _close_chunk(tx: Tx, part: Chunk, retry_at: datetime) -> None:
    """Let a chunk follow its messages; what must be tried again only in part gets a new number."""
    query = select(delivery.c.state).where(*_in_chunk(part), delivery.c.state != State.SUPPRESSED)
    states = {State(name) for name in tx.connection.execute(query).scalars()}
    if State.RETRY in states and states != {State.RETRY}:
        renumber(tx, part, not_before=retry_at)
    doubt, retry = State.IN_DOUBT in states, states == {State.RETRY}
    state = (
        ChunkState.IN_DOUBT
        if doubt
        else ChunkState.RETRY
        if retry
        else (ChunkState.HELD if State.HELD in states else ChunkState.DONE)
    )
    tx.connection.execute(_one_chunk(part).values(state=state, not_before=retry_at))


def _sends() -> Select[Any]:
    return select(send, issue.c.slug, issue.c.digest).join(issue, issue.c.id == send.c.issue_id)


def _send(row: Any) -> Send:
    envelope = msgspec.json.decode(row.envelope, type=Envelope)
    return Send(row.id, row.slug, row.digest, row.provider, row.on_unknown, row.due_at, envelope)


def _chunk(row: Any) -> Chunk:
    return Chunk(
        row.send_id, row.no, ChunkState(row.state), row.attempt, row.epoch, row.first_try_at, row.body_sha
    )


def _recipient(row: Any) -> Recipient:
    return Recipient(row.send_id, row.subscriber_id, row.email, row.name, State(row.state))
