"""Ask the ledger: how far a send has come, what became of each message, what waits and what is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, case, func, select, text, update

from outbox.model import STATE_IN, Chunk, ChunkState, Delivery, Envelope, Progress, Recipient, Send, State

from . import Tx, trials
from .claims import CHUNK, DECIDED, WAITING, to_chunk
from .rolls import unpack, unpack_ids
from .schema import call, chunk, delivery, issue, roster, send
from .states import Told, read_states, spread

HELD, RETRY = text("chunk.state = 'held'"), text("chunk.state = 'retry'")
#: Messages that reached somebody's mailbox or failed to, and how many of them it takes to judge.
ANSWERED, JUDGED = (State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED), 200
#: Shares at which a send is paused (mail rules L12, L22).
TOO_MANY = {State.COMPLAINED: 0.003, State.BOUNCED: 0.05}
NOBODY_KNOWS = "nobody could tell whether the provider took it"
#: What is to be said of a message of which its chunk says all.
WHY = {State.HELD: NOBODY_KNOWS}


@dataclass(frozen=True, slots=True)
class Held:
    """A message nobody can tell about, and which chunk holds it."""

    slug: str
    chunk: Chunk
    person: Recipient


def find_send(tx: Tx, send_id: str) -> Send:
    """A send by its id."""
    return _send(tx.connection.execute(_sends().where(send.c.id == send_id)).one())


def find_send_of(tx: Tx, slug: str) -> Send | None:
    """The send of an issue; None when it was never frozen."""
    row = tx.connection.execute(_sends().where(issue.c.slug == slug)).first()
    return _send(row) if row else None


def find_sends_of(tx: Tx, name: str) -> list[Send]:
    """The send of an issue, or those of the letter of this name."""
    issue_send = find_send_of(tx, name)
    if issue_send:
        return [issue_send]
    return (
        [_send(row) for row in tx.connection.execute(_sends().where(send.c.letter == name))] if name else []
    )


def find_waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many messages still wait in active sends, and when the first of them may go."""
    decided = case((chunk.c.variant >= 0, chunk.c.not_before))
    query = select(func.coalesce(func.sum(chunk.c.follow), 0), func.min(decided))
    query = query.join(send, send.c.id == chunk.c.send_id).where(WAITING, send.c.state == "active")
    number, first = tx.connection.execute(query).one()
    return number, min(filter(None, (first, trials.find_next(tx))), default=None)


def find_first(tx: Tx, since: datetime) -> datetime | None:
    """When the next message after a moment may go, of sends that are active."""
    query = select(func.min(chunk.c.not_before)).join(send, send.c.id == chunk.c.send_id)
    query = query.where(WAITING, DECIDED, chunk.c.not_before > since, send.c.state == "active")
    return tx.connection.execute(query).scalar()


def is_waiting(tx: Tx, send_id: str) -> bool:
    """Whether anything of a send is still to be called."""
    query = select(chunk.c.no).where(chunk.c.send_id == send_id, WAITING).limit(1)
    return tx.connection.execute(query).first() is not None


def pause(tx: Tx, send_id: str, reason: str) -> bool:
    """Let no further call of a send begin; False when it was not active."""
    active = update(send).where(send.c.id == send_id, send.c.state == "active")
    return bool(tx.connection.execute(active.values(state="paused", reason=reason)).rowcount)


def resume(tx: Tx, send_id: str, now: datetime) -> bool:
    """Let a send go on; False when it was not paused."""
    paused = update(send).where(send.c.id == send_id, send.c.state == "paused")
    return bool(tx.connection.execute(paused.values(state="active", reason="", active_at=now)).rowcount)


def cancel(tx: Tx, send_id: str, reason: str) -> bool:
    """Let nothing more of a send go out, for good; False when it was cancelled before."""
    open_send = update(send).where(send.c.id == send_id, send.c.state != "cancelled")
    done = bool(tx.connection.execute(open_send.values(state="cancelled", reason=reason)).rowcount)
    sweep_cancelled(tx)
    return done


def sweep_cancelled(tx: Tx) -> None:
    """Cancel what came back to a send that was cancelled while its calls were running."""
    cancelled = select(send.c.id).where(send.c.state == "cancelled")
    waiting = update(chunk).where(WAITING, chunk.c.send_id.in_(cancelled))
    tx.connection.execute(waiting.values(state=ChunkState.CANCELLED, lease_owner="", lease_until=None))


def keep_alive(tx: Tx, send_id: str, now: datetime) -> None:
    """Note that a send is being worked on."""
    tx.connection.execute(update(send).where(send.c.id == send_id).values(active_at=now))


def find_late(tx: Tx, before: datetime) -> list[Send]:
    """Active sends of issues with chunks due, and no sign of life, since before this moment."""
    due = (
        select(chunk.c.no)
        .where(chunk.c.send_id == send.c.id, WAITING, DECIDED, chunk.c.not_before < before)
        .exists()
    )
    late = _sends().where(send.c.letter == "", send.c.state == "active", send.c.active_at < before, due)
    return [_send(row) for row in tx.connection.execute(late)]


def progress(tx: Tx) -> list[Progress]:
    """Every send with the number of its messages in each state, the newest last."""
    states: dict[str, dict[State, int]] = {}
    together = select(chunk.c.send_id, chunk.c.state, func.sum(chunk.c.follow)).group_by(
        chunk.c.send_id, chunk.c.state
    )
    for send_id, state, number in tx.connection.execute(together):
        _count(states, send_id, STATE_IN[ChunkState(state)], number)
    alone = select(delivery.c.send_id, delivery.c.state, func.count()).group_by(
        delivery.c.send_id, delivery.c.state
    )
    for send_id, state, number in tx.connection.execute(alone):
        _count(states, send_id, State(state), number)
    rows = tx.connection.execute(_sends().order_by(send.c.due_at, issue.c.slug))
    return [
        Progress(
            row.letter or row.slug, row.digest, row.provider, row.due_at, row.audience, states.get(row.id, {}),
            row.id, row.state, row.reason, bool(row.letter),
        )
        for row in rows
    ]  # fmt: skip


def everybody(tx: Tx, send_id: str) -> Iterator[tuple[int, State]]:
    """Every person of a send with the state of their message, chunk by chunk."""
    parts = [to_chunk(row) for row in tx.connection.execute(select(*CHUNK).where(chunk.c.send_id == send_id))]
    for part in parts:
        yield from ((number, told.state) for number, told in read_states(tx, part).items())


def history(tx: Tx, subscriber_id: int) -> list[Delivery]:
    """Every message to one person, oldest first."""
    found = []
    for row in tx.connection.execute(_sends().order_by(send.c.due_at, issue.c.slug)).all():
        part = chunk_of(tx, row.id, subscriber_id)
        if part:
            found.append(_delivery(tx, row, part, subscriber_id))
    return found


def find_held(tx: Tx) -> list[Held]:
    """Every message that only a person can settle."""
    columns = (*CHUNK, send.c.letter, issue.c.slug, roster.c.ids, roster.c.people)
    query = (
        select(*columns).join(send, send.c.id == chunk.c.send_id).join(issue, issue.c.id == send.c.issue_id)
    )
    query = query.join(roster, (roster.c.send_id == chunk.c.send_id) & (roster.c.no == chunk.c.no))
    found = []
    for row in tx.connection.execute(query.where(HELD).order_by(chunk.c.send_id, chunk.c.no)).all():
        part = to_chunk(row[: len(CHUNK)])
        held = {number for number, told in read_states(tx, part).items() if told.state == State.HELD}
        people = unpack(part.send_id, row.ids, row.people, State.HELD)
        found += [Held(row.letter or row.slug, part, one) for one in people if one.subscriber_id in held]
    return found


def find_trouble(tx: Tx) -> str:
    """What the provider said of the last call that reached nobody and waits to be made again; empty: none."""
    again = (chunk.c.send_id == call.c.send_id) & (chunk.c.no == call.c.chunk_no)
    query = select(call.c.answer).join(chunk, again).where(RETRY).order_by(call.c.started_at.desc())
    return tx.connection.execute(query.limit(1)).scalar() or ""


def find_unwelcome(tx: Tx) -> list[tuple[Progress, str]]:
    """Active sends that too many have complained of, or bounced, with the reason to pause them (RT-3)."""
    found = []
    for one in progress(tx):
        judged = sum(one.states.get(state, 0) for state in ANSWERED)
        for state, most in TOO_MANY.items():
            number = one.states.get(state, 0)
            if one.state == "active" and judged >= JUDGED and number > most * judged:
                found.append((one, f"{number} of {judged} {state}, more than {most:.1%}"))
                break
    return found


def pause_unwelcome(tx: Tx) -> None:
    """Pause the sends that too many have complained of, or bounced."""
    for one, why in find_unwelcome(tx):
        pause(tx, one.send_id, f"{why}; to go on all the same: outbox resume {one.slug}")


def decide(tx: Tx, part: Chunk, numbers: list[int], state: State, detail: str, *, now: datetime) -> None:
    """Give messages that are in doubt or held the state that a policy or a person says."""
    told = dict.fromkeys(numbers, Told(state, detail=detail))
    spread(tx, part, told, now=now, retry_at=now)


def _count(states: dict[str, dict[State, int]], send_id: str, state: State, number: int) -> None:
    if number:
        mine = states.setdefault(send_id, {})
        mine[state] = mine.get(state, 0) + number


def chunk_of(tx: Tx, send_id: str, subscriber_id: int) -> Chunk | None:
    """The newest chunk of a send that holds a person."""
    around = (chunk.c.first_id <= subscriber_id, chunk.c.last_id >= subscriber_id)
    query = select(*CHUNK, roster.c.ids).join(
        roster, (roster.c.send_id == chunk.c.send_id) & (roster.c.no == chunk.c.no)
    )
    query = query.where(chunk.c.send_id == send_id, *around).order_by(chunk.c.no.desc())
    for row in tx.connection.execute(query):
        if subscriber_id in unpack_ids(row.ids):
            return to_chunk(row[: len(CHUNK)])
    return None


def _delivery(tx: Tx, order: Any, part: Chunk, subscriber_id: int) -> Delivery:
    query = select(roster.c.ids, roster.c.people).where(
        roster.c.send_id == part.send_id, roster.c.no == part.no
    )
    packed = tx.connection.execute(query).one()
    place = unpack_ids(packed.ids).index(subscriber_id)
    person = unpack(part.send_id, packed.ids, packed.people, STATE_IN[part.state])[place]
    mine = select(delivery).where(
        delivery.c.send_id == part.send_id, delivery.c.subscriber_id == subscriber_id
    )
    own = tx.connection.execute(mine).first()
    last = _last_call(tx, part)
    if own is None:
        given = _given_id(last, place) if part.state == ChunkState.DONE else ""
        moment = (last.ended_at or last.started_at) if last else order.created_at
        own_fields = (person.state, given, "", WHY.get(person.state, ""), moment)
    else:
        own_fields = (State(own.state), own.provider_id, own.code, own.detail, own.changed_at)
    name, subject = order.letter or order.slug, trials.subject_of(tx, part)
    return Delivery(name, person.outbox_id, person.email, *own_fields, subject)


def _last_call(tx: Tx, part: Chunk) -> Any:
    query = select(call).where(call.c.send_id == part.send_id, call.c.chunk_no == part.no)
    return tx.connection.execute(query.order_by(call.c.attempt.desc()).limit(1)).first()


def _given_id(last: Any, place: int) -> str:
    if last is None or last.provider_ids is None:
        return ""
    names: list[str] | str = msgspec.json.decode(last.provider_ids)
    return names if isinstance(names, str) else names[place]


def _sends() -> Select[Any]:
    return select(send, issue.c.slug, issue.c.digest).join(issue, issue.c.id == send.c.issue_id)


def _send(row: Any) -> Send:
    envelope = msgspec.json.decode(row.envelope, type=Envelope)
    return Send(
        row.id,
        row.slug,
        row.digest,
        row.provider,
        row.on_unknown,
        row.due_at,
        envelope,
        row.state,
        row.reason,
        row.letter,
    )
