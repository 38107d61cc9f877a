"""Prove that the ledger is whole: every rule it must keep, checked row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from outbox.model import UNDECIDED, Progress

from . import Tx, evidence, ledger
from .claims import CHUNK, to_chunk
from .rolls import unpack_ids
from .schema import chunk, delivery, letter, roster, trial
from .states import read_states


def find_faults(tx: Tx) -> list[str]:
    """Every broken rule as a sentence; none for a ledger that is whole."""
    faults = list(_database(tx))
    number = evidence.find_broken_link(tx)
    if number is not None:
        faults.append(f"the chain of consent is broken at event {number}: evidence was changed or removed")
    for one in ledger.progress(tx):
        faults += _send(tx, one)
        faults += _trial(tx, one)
    return faults


def _keys(tx: Tx, one: Progress, frozen: set[int]) -> Iterator[str]:
    """Everybody in the send of a letter is there by a key, and the other way round."""
    query = select(letter.c.subscriber_id).where(letter.c.send_id == one.send_id)
    odd = frozen.symmetric_difference(tx.connection.execute(query).scalars())
    if odd:
        yield f"{one.slug}: {len(odd)} people have a letter without a key, or a key without a letter"


def _database(tx: Tx) -> Iterator[str]:
    if tx.many:
        return  # PostgreSQL keeps these by itself
    for row in tx.connection.exec_driver_sql("PRAGMA integrity_check").all():
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"
    for row in tx.connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        yield f"a row of {row[0]} points to a row of {row[2]} that is not there"


def _send(tx: Tx, one: Progress) -> Iterator[str]:
    """Each person is in one chunk of the first cut, has one state, and the counts add up."""
    columns = (*CHUNK, chunk.c.parent_no, chunk.c.first_id, chunk.c.last_id, roster.c.ids)
    joined = (roster.c.send_id == chunk.c.send_id) & (roster.c.no == chunk.c.no)
    query = select(*columns).outerjoin(roster, joined).where(chunk.c.send_id == one.send_id)
    frozen, ended = set[int](), set[int]()
    for row in tx.connection.execute(query.order_by(chunk.c.no)).all():
        if row.ids is None:
            if row.size:
                yield f"{one.slug}: call {row.no} has no roster"
            continue
        ids = unpack_ids(row.ids)
        yield from (f"{one.slug}: call {row.no} {what}" for what in _chunk(tx, row, ids, ended))
        if row.parent_no is None:
            if not frozen.isdisjoint(ids):
                yield f"{one.slug}: call {row.no} holds somebody whom another call holds too"
            frozen.update(ids)
    if one.letter:
        yield from _keys(tx, one, frozen)
    if frozen != ended:
        yield f"{one.slug}: {len(frozen ^ ended)} people of the audience have no state, or two"
    if not len(frozen) == one.audience == sum(one.states.values()):
        counted = sum(one.states.values())
        yield f"{one.slug}: {one.audience} people were frozen, {len(frozen)} are in calls, {counted} are counted"


def _trial(tx: Tx, one: Progress) -> Iterator[str]:
    """Whoever waits for a winner waits in a trial that has none."""
    undecided = select(func.count()).where(chunk.c.send_id == one.send_id, chunk.c.variant == UNDECIDED)
    opened = select(trial.c.send_id).where(trial.c.send_id == one.send_id, trial.c.winner.is_(None))
    number = tx.connection.execute(undecided).scalar_one()
    if number and not tx.connection.execute(opened).first():
        yield f"{one.slug}: {number} calls wait for the winner of a trial that is over"


def _chunk(tx: Tx, row: Any, ids: Sequence[int], ended: set[int]) -> Iterator[str]:
    part = to_chunk(row[: len(CHUNK)])
    known = read_states(tx, part)
    if len(ids) != part.size or len(set(ids)) != len(ids) or (ids[0], ids[-1]) != (row.first_id, row.last_id):
        yield "has a roster that is not its own"
    own = select(func.count()).select_from(delivery)
    own = own.where(delivery.c.send_id == part.send_id, delivery.c.chunk_no == part.no)
    if len(known) - tx.connection.execute(own).scalar_one() != part.follow:
        yield "counts its people wrongly"
    if not ended.isdisjoint(known):
        yield "says something of a person of whom another call says something too"
    ended.update(known)
