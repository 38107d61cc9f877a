"""Keep one exact state for each message: its chunk's, or a row of its own where it differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update

from outbox.model import STATE_IN, Chunk, ChunkState, State

from . import Tx
from .freeze import new_chunk
from .rolls import pick, unpack_ids
from .schema import chunk, delivery, roster, send

#: States that another answer may still change.
OPEN = frozenset({State.PLANNED, State.IN_DOUBT, State.RETRY, State.HELD})


class Told(NamedTuple):
    """What is known of one message."""

    state: State
    provider_id: str = ""
    code: str = ""
    detail: str = ""


def spread(tx: Tx, part: Chunk, told: Mapping[int, Told], *, now: datetime, retry_at: datetime) -> None:
    """Bring what was told of some messages of a chunk together with what is known of the others.

    What must be tried again only in part moves into a new chunk, and so under a new key (LG-2).
    """
    known = read_states(tx, part)
    after = {number: _newer(known[number], told.get(number)) for number in known}
    state = _state_of_all(after, before=known)
    if state in {ChunkState.DONE, ChunkState.HELD}:
        again = [number for number, one in after.items() if one.state == State.RETRY]
        move(tx, part, again, not_before=retry_at)
        after = {number: one for number, one in after.items() if one.state != State.RETRY}
    rows = {number: one for number, one in after.items() if one.state != STATE_IN[state]}
    _rewrite(tx, part, rows, now)
    values = {"state": state, "follow": len(after) - len(rows), "not_before": retry_at}
    tx.connection.execute(_one(part).values(values))


def mark(tx: Tx, part: Chunk, told: Mapping[int, Told], now: datetime) -> None:
    """Give some messages of a chunk a state of their own; the chunk and the others stay as they are."""
    rows = [_row(part, number, one, now) for number, one in told.items()]
    tx.connection.execute(insert(delivery), rows)
    tx.connection.execute(_one(part).values(follow=chunk.c.follow - len(rows)))


def move(tx: Tx, part: Chunk, numbers: Iterable[int], *, not_before: datetime) -> int | None:
    """Put people of a chunk into a new one and return its number; None for nobody.

    The caller says what becomes of the old one.
    """
    wanted = list(numbers)
    if not wanted:
        return None
    tx.connection.execute(select(send.c.id).where(send.c.id == part.send_id).with_for_update())
    top = select(func.max(chunk.c.no)).where(chunk.c.send_id == part.send_id)
    no: int = tx.connection.execute(top).scalar_one() + 1
    packed = tx.connection.execute(_roster(part)).one()
    ids, one_field, other_field = pick(packed.ids, packed.people, wanted)
    row = new_chunk(
        part.send_id,
        no,
        ids,
        not_before=not_before,
        parent_no=part.no,
        variant=part.variant,
        domain=part.domain,
    )
    tx.connection.execute(insert(chunk), row)
    tx.connection.execute(
        insert(roster), {"send_id": part.send_id, "no": no, "ids": one_field, "people": other_field}
    )
    return no


def move_all(tx: Tx, part: Chunk, groups: Iterable[Iterable[int]], *, not_before: datetime) -> None:
    """Cut a chunk that waits into new ones; nobody is left in it, and it is done."""
    for numbers in groups:
        move(tx, part, numbers, not_before=not_before)
    close(tx, part)


def close(tx: Tx, part: Chunk) -> None:
    """Nothing of this chunk is left to call."""
    values = {"state": ChunkState.DONE, "follow": 0, "lease_owner": "", "lease_until": None}
    tx.connection.execute(_one(part).values(values))


def read_states(tx: Tx, part: Chunk) -> dict[int, Told]:
    """What is known of everyone who has not moved on from a chunk."""
    numbers = set(unpack_ids(tx.connection.execute(_roster(part)).one().ids))
    children = select(roster.c.ids).join(
        chunk, (chunk.c.send_id == roster.c.send_id) & (chunk.c.no == roster.c.no)
    )
    moved = children.where(chunk.c.send_id == part.send_id, chunk.c.parent_no == part.no)
    for packed in tx.connection.execute(moved).scalars():
        numbers -= set(unpack_ids(packed))
    known = {number: Told(STATE_IN[part.state]) for number in sorted(numbers)}
    rows = tx.connection.execute(select(delivery).where(*_rows(part)))
    own = {row.subscriber_id: Told(State(row.state), row.provider_id, row.code, row.detail) for row in rows}
    return {**known, **own}


def _newer(known: Told, told: Told | None) -> Told:
    return told if told and known.state in OPEN else known


def _state_of_all(after: Mapping[int, Told], *, before: Mapping[int, Told]) -> ChunkState:
    """The state a chunk has when its messages have these."""
    states = {one.state for one in after.values()}
    for state in (ChunkState.IN_DOUBT, ChunkState.HELD):
        if STATE_IN[state] in states:
            return state
    # Whole again, with the same people as called: the same chunk and key. Else a new one for the part.
    called = {after[number].state for number in after if before[number].state in OPEN}
    return ChunkState.RETRY if called == {State.RETRY} else ChunkState.DONE


def _rewrite(tx: Tx, part: Chunk, rows: Mapping[int, Told], now: datetime) -> None:
    old = tx.connection.execute(select(delivery).where(*_rows(part))).all()
    same = {
        row.subscriber_id
        for row in old
        if rows.get(row.subscriber_id) == Told(State(row.state), row.provider_id, row.code, row.detail)
    }
    stale = [row.subscriber_id for row in old if row.subscriber_id not in same]
    if stale:
        tx.connection.execute(delete(delivery).where(*_rows(part), delivery.c.subscriber_id.in_(stale)))
    fresh = [_row(part, number, one, now) for number, one in rows.items() if number not in same]
    if fresh:
        tx.connection.execute(insert(delivery), fresh)


def _row(part: Chunk, number: int, told: Told, now: datetime) -> dict[str, object]:
    return {
        "send_id": part.send_id,
        "subscriber_id": number,
        "chunk_no": part.no,
        "state": told.state,
        "provider_id": told.provider_id,
        "code": told.code,
        "detail": told.detail,
        "changed_at": now,
    }


def _roster(part: Chunk):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return select(roster.c.ids, roster.c.people).where(
        roster.c.send_id == part.send_id, roster.c.no == part.no
    )


def _rows(part: Chunk):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return delivery.c.send_id == part.send_id, delivery.c.chunk_no == part.no


def _one(part: Chunk):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return update(chunk).where(chunk.c.send_id == part.send_id, chunk.c.no == part.no)
