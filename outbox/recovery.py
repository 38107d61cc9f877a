"""Settle what a dead sender left in doubt: by key, by asking, by what was reported, else by the list's policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from . import mailing
from .desk import Desk
from .errors import OutboxError
from .many import Roster
from .model import STATE_AFTER, Chunk, ItemResult, OnUnknown, Outcome, PreparedBatch, State
from .store import claims, ledger
from .store.claims import Taken
from .store.slots import Marks, read_marks

#: What becomes of a message nobody can tell about.
POLICY: dict[OnUnknown, State] = {
    "hold": State.HELD,
    "resend": State.RETRY,
    "assume-sent": State.ACCEPTED,
}


#: Of whom a call in doubt was made: all but those who were left out of it.
CALLED = frozenset(State).difference({State.SUPPRESSED, State.REFUSED})


def recover(desk: Desk, now: datetime) -> Counter[State]:
    """Settle every chunk in doubt whose sender is dead; returns how many messages came into each state."""
    marks = read_marks(desk.slots_path)
    if marks:
        _take_back(desk, marks)
    with desk.store.read() as tx:
        doubtful = claims.find_doubtful(tx, desk.lease.owner)
    tally = Counter[State]()
    for part in doubtful:
        with desk.store.begin() as tx:
            taken = claims.reclaim(tx, part, desk.lease, now)
            frozen = desk.frozen(tx, part.send_id) if taken else None
        if taken and frozen:
            tally += _settle(desk, frozen, taken, now)
    del tally[State.RETRY]  # these go again in the same pass
    return tally


def _take_back(desk: Desk, marks: Marks) -> None:
    """What was claimed but never begun goes back to what it was."""
    with desk.store.begin() as tx:
        for part in claims.find_claimed(tx, marks.owner):
            if not marks.know(part):
                claims.take_back(tx, part)


def _settle(desk: Desk, frozen: mailing.FrozenSend, taken: Taken, now: datetime) -> Counter[State]:
    part, results, ask_again = _find_out(desk, frozen, taken, now)
    told = {claims.number_of(result): STATE_AFTER[result.outcome] for result in results}
    after = {
        number: told.get(number, state)
        for number, state in zip(taken.people.numbers, taken.people.states, strict=True)
        if state in {State.IN_DOUBT, State.RETRY}
    }
    left = [number for number, state in after.items() if state == State.IN_DOUBT and not ask_again]
    policy = POLICY[frozen.send.on_unknown]
    with desk.store.begin() as tx:
        if not claims.settle(tx, part, results, now=now, retry_at=now):
            return Counter()
        if left:
            ledger.decide(tx, part, left, policy, ledger.NOBODY_KNOWS, now=now)
    return Counter((after | dict.fromkeys(left, policy)).values())


def _find_out(
    desk: Desk, frozen: mailing.FrozenSend, taken: Taken, now: datetime
) -> tuple[Chunk, Sequence[ItemResult], bool]:
    """Ask what became of a call; True with it when asking again later may tell more.

    While the provider remembers the key, the same call is made again; else it is asked.
    """
    called = claims.only(taken, CALLED).people
    try:
        batch = desk.prepare(frozen, taken.chunk, called, now)
    except OutboxError:
        return taken.chunk, [], False  # no such call can be made any more, so nobody can be asked about it
    if _may_replay(desk, taken.chunk, called, batch, now):
        with desk.store.begin() as tx:
            again = claims.replay(tx, taken.chunk, key=batch.key, now=now)
        results = desk.provider.send(batch) if again else []
        return again or taken.chunk, results, any(one.outcome == Outcome.UNKNOWN for one in results)
    return taken.chunk, *_look_up(desk, taken.chunk, batch, now)


def _may_replay(desk: Desk, part: Chunk, called: Roster, batch: PreparedBatch, now: datetime) -> bool:
    """The provider still knows the key, the bytes are the same, and everyone in them still wants the letter."""
    window = timedelta(seconds=desk.provider.caps.replay_window_s or 0)
    if batch.sha != part.body_sha or now >= (part.first_try_at or now) + window:
        return False
    numbers = called.numbers
    with desk.store.read() as tx:
        return not desk.find_gone(tx, part.send_id, numbers)


def _look_up(desk: Desk, part: Chunk, batch: PreparedBatch, now: datetime) -> tuple[list[ItemResult], bool]:
    caps = desk.provider.caps
    lags = now < (part.first_try_at or now) + desk.search_lag
    if caps.lookup == "none":
        return [], desk.is_told and lags
    found = desk.provider.lookup(batch)
    absent = Outcome.NOT_SENT if caps.lookup == "exact" else Outcome.UNKNOWN
    results = [found.get(name) or ItemResult(name, absent) for name in batch.outbox_ids]
    # A search may lag behind, as a report may, so for a while it is asked again.
    return results, lags and any(result.outcome == Outcome.UNKNOWN for result in results)
