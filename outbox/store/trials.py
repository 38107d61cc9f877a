"""Trials of subjects: begin one, ask what came of each subject, give the winner to those who wait."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, insert, select, update

from outbox.model import UNDECIDED, Chunk, Consent, EventType, State
from outbox.trial import Result, Rules, Trial, choose, letter_of

from . import Tx
from .claims import CHUNK, WAITING, to_chunk
from .schema import chunk, consent_event, event, preference, send, trial
from .states import read_states

#: The message is with them, or was.
REACHED = frozenset({State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED})
LOST = frozenset({State.BOUNCED, State.COMPLAINED})
LEFT = (Consent.UNSUBSCRIBED, Consent.SUPPRESSED)


def begin(tx: Tx, send_id: str, rules: Rules, subjects: int) -> None:
    """Write down that a send compares subjects."""
    row = {
        "send_id": send_id,
        "subjects": subjects,
        "measure": rules.measure,
        "hours": rules.hours,
        "why": "",
    }
    tx.connection.execute(insert(trial), row)


def find(tx: Tx, send_id: str) -> Trial | None:
    """The trial of a send with what came of each subject so far; None: it has one subject."""
    row = tx.connection.execute(select(trial).where(trial.c.send_id == send_id)).first()
    if row is None:
        return None
    rest = select(func.coalesce(func.sum(chunk.c.follow), 0))
    rest = rest.where(WAITING, chunk.c.send_id == send_id, chunk.c.variant == UNDECIDED)
    waiting: int = tx.connection.execute(rest).scalar_one()
    return Trial(row.subjects, row.measure, row.hours, row.winner, row.why, _count(tx, row), waiting)


def find_next(tx: Tx) -> datetime | None:
    """When the next winner is to be found; None: no trial is open, or none has begun."""
    return min(filter(None, (_due(tx, row) for row in _open(tx))), default=None)


def decide_due(tx: Tx, now: datetime) -> None:
    """Find the winner of each trial whose time is over."""
    for row in _open(tx):
        due = _due(tx, row)
        if due and due <= now:
            winner, why = choose(row.measure, _count(tx, row))
            decide(tx, row.send_id, winner, why, now)


def decide(tx: Tx, send_id: str, winner: int, why: str, now: datetime) -> bool:
    """Give a subject to everybody who waits; False when that was done before, or nothing is compared."""
    opened = update(trial).where(trial.c.send_id == send_id, trial.c.winner.is_(None))
    if not tx.connection.execute(opened.values(winner=winner, why=why, decided_at=now)).rowcount:
        return False
    # Nobody is late who waited for this.
    later = case((chunk.c.not_before < now, now), else_=chunk.c.not_before)
    rest = update(chunk).where(chunk.c.send_id == send_id, chunk.c.variant == UNDECIDED)
    tx.connection.execute(rest.values(variant=winner, not_before=later))
    return True


def subject_of(tx: Tx, part: Chunk) -> str:
    """What the subject of a chunk is called; empty where there is one, or none yet."""
    compared = tx.connection.execute(select(trial.c.winner).where(trial.c.send_id == part.send_id)).first()
    return letter_of(part.variant) if compared and part.variant != UNDECIDED else ""


def _open(tx: Tx) -> list[Any]:
    active = select(trial).join(send, send.c.id == trial.c.send_id).where(send.c.state == "active")
    return list(tx.connection.execute(active.where(trial.c.winner.is_(None))).all())


def _due(tx: Tx, row: Any) -> datetime | None:
    """When a winner is to be found; None while nobody was called yet and somebody still will be."""
    mine = (chunk.c.send_id == row.send_id, chunk.c.variant >= 0)
    begun: datetime | None = tx.connection.execute(
        select(func.min(chunk.c.first_try_at)).where(*mine)
    ).scalar()
    if begun:
        return begun + timedelta(hours=row.hours)
    if tx.connection.execute(select(chunk.c.no).where(*mine, WAITING).limit(1)).first():
        return None
    due: datetime = tx.connection.execute(select(send.c.due_at).where(send.c.id == row.send_id)).scalar_one()
    return due


def _count(tx: Tx, row: Any) -> tuple[Result, ...]:
    """What came of each subject, in people who were to compare them: the others had less time to leave."""
    reached, lost = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    compared = select(*CHUNK).where(chunk.c.send_id == row.send_id, chunk.c.variant >= 0)
    if row.decided_at:
        compared = compared.where(chunk.c.first_try_at < row.decided_at)
    for part in map(to_chunk, tx.connection.execute(compared).all()):
        for number, told in read_states(tx, part).items():
            if told.state in REACHED:
                reached[part.variant].add(number)
            if told.state in LOST:
                lost[part.variant].add(number)
    left, agreed = _find_left(tx, row.send_id), _find_agreed(tx)
    opened, clicked = (_find_doers(tx, row.send_id, kind) for kind in (EventType.OPENED, EventType.CLICKED))
    return tuple(
        Result(
            reached=len(reached[variant]),
            lost=len(reached[variant] & (lost[variant] | left)),
            agreed=len(reached[variant] & agreed),
            opened=len(reached[variant] & agreed & opened),
            clicked=len(reached[variant] & agreed & clicked),
        )
        for variant in range(row.subjects)
    )


def _find_left(tx: Tx, send_id: str) -> set[int]:
    """Who has left since the first call of a send."""
    begun = select(func.min(chunk.c.first_try_at)).where(chunk.c.send_id == send_id).scalar_subquery()
    gone = select(consent_event.c.subscriber_id).where(
        consent_event.c.consent.in_(LEFT), consent_event.c.at >= begun
    )
    return set(tx.connection.execute(gone).scalars())


def _find_agreed(tx: Tx) -> set[int]:
    agreed = select(preference.c.subscriber_id).where(preference.c.tracking == 1)
    return set(tx.connection.execute(agreed).scalars())


def _find_doers(tx: Tx, send_id: str, kind: EventType) -> set[int]:
    query = select(event.c.subscriber_id).where(event.c.send_id == send_id, event.c.type == kind)
    return {number for number in tx.connection.execute(query).scalars() if number}
