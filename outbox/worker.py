"""One pass over everything due: claim chunks, commit the intents, call the provider, settle the answers.

One thread, the caller's, writes to the ledger, many things in one transaction. Workers make the bytes of
calls and make the calls; what they found comes back through a queue. No call begins before its intent is
on the disk.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from threading import Event
from time import monotonic, sleep
from typing import NamedTuple

from . import mailing
from .allowance import (
    Allowance,
    allow,
    close_domain,
    find_closed,
    heed,
    longest_wait,
    spend,
    spend_domain,
)
from .crew import Crew
from .desk import LEASE, Desk
from .errors import Temporary
from .many import Accepted, sum_up
from .model import STATE_AFTER, Chunk, ItemResult, Outcome, PreparedBatch, State
from .rates import count_threads
from .recovery import recover
from .rendering import Rendered, render
from .store import Tx, claims, ledger, together, trials
from .store.claims import Taken
from .store.slots import Slots
from .store.states import Told, close, mark, move_all

Clock = Callable[[], datetime]

#: Seconds until the next try, by tries made; the last one repeats.
BACKOFF = (60, 300, 900, 3600, 14400)
#: After so many calls in a row that reached nobody, the provider is down and the pass ends.
DOWN = 3
#: How often an answer that cannot be written down is tried again, and the seconds between.
PATIENCE, PAUSE_S = 12, 2.0
#: Answers that mean: something in this call is wrong.
CONTENT = frozenset({"http 400", "http 413", "http 422"})
#: Answers of SMTP that put off one mailbox; 421 is about the whole connection.
PUT_OFF = re.compile(r"smtp 4(?!21)\d\d")
#: A domain that may get mail so soon is waited for; else the pass ends, and a later one sees to it.
SOON = timedelta(seconds=5)
#: How often a send's sign of life is written.
ALIVE = timedelta(minutes=1)
#: Seconds a thread may keep the others waiting; the usual 5 ms are as long as writing to the disk ten times.
TURN_S = 0.0005
#: Seconds to wait for more to come back, so that one commit writes down much; where the workers have calls in
#: store meanwhile, and where they have not.
GATHER_S, GATHER_SOON_S = 0.02, 0.004
#: Messages in hand beyond what the workers are at, so that one commit has many of them. After a power cut all of
#: these are in doubt: where a provider cannot tell, they are few.
IN_HAND, IN_HAND_UNSURE = 15_000, 1_000
#: Calls whose time is remembered to choose the number of threads.
REMEMBERED = 50


class Answered(NamedTuple):
    """What came of a call, and how many seconds it took."""

    chunk: Chunk
    results: Sequence[ItemResult]
    seconds: float
    accepted: Accepted | None  # everybody of the whole chunk was, as nearly always


class Missed(NamedTuple):
    """A call that was not begun, since the pass ends or its lease has all but run out."""

    chunk: Chunk


Item = Rendered | Answered | Missed


def run(
    desk: Desk,
    clock: Clock,
    *,
    tell: Callable[[int], None] = lambda _: None,
    stop: Event | None = None,
    limit: int | None = None,
) -> Counter[State]:
    """Recover, then send until nothing is due; returns how many messages came into each state.

    Ends early when `stop` is set (calls that run are finished), when about `limit` messages were
    called, or when the provider is down. Raises what a worker raised, and Temporary when the
    ledger cannot be written.
    """
    if not desk.store.many:  # the sender's lock says that whoever held these is dead
        with desk.store.begin() as tx:
            claims.free_all(tx)
    tally = recover(desk, clock())
    with desk.store.begin() as tx:
        trials.decide_due(tx, clock())
    _pause_late(desk, clock())
    slots = Slots(desk.slots_path, desk.lease.owner, _room(desk))
    line = _Line(desk, clock, tell, stop or Event(), slots, limit)
    turn = sys.getswitchinterval()
    try:
        sys.setswitchinterval(TURN_S)
        line.run()
    finally:
        sys.setswitchinterval(turn)
        line.crew.close()
        slots.close()
    with desk.store.begin() as tx:
        claims.free_all(tx, desk.lease.owner)
        ledger.sweep_cancelled(tx)
    return +(tally + line.tally)


def _pause_late(desk: Desk, now: datetime) -> None:
    """What should have gone long ago asks first: after an outage, or from a restored database."""
    if desk.max_late is None:
        return
    with desk.store.begin() as tx:
        for order in ledger.find_late(tx, now - desk.max_late):
            when = order.due_at.strftime("%Y-%m-%d %H:%M UTC")
            ledger.pause(tx, order.id, f"was due {when}; to send it all the same: outbox resume {order.slug}")


def _room(desk: Desk) -> int:
    """How many chunks are in hand at a time: enough for the workers while the disk is being written."""
    caps = desk.provider.caps
    can_tell = caps.replay_window_s is not None or caps.lookup != "none"
    ahead = IN_HAND if can_tell else IN_HAND_UNSURE
    return 2 * desk.pace.connections + 4 + min(ahead // caps.max_batch, 200)


@dataclass(slots=True)
class _Line:
    """The chunks in hand, from claim to settlement."""

    desk: Desk
    clock: Clock
    tell: Callable[[int], None]
    stop: Event
    slots: Slots
    limit: int | None
    tally: Counter[State] = field(default_factory=Counter)
    in_hand: int = 0
    failures: int = 0
    wait_until: datetime | None = None
    called: int = 0  # intents of which no answer is written down
    ready: list[Rendered] = field(default_factory=list)  # rendered, without an intent yet
    alive: dict[str, datetime] = field(default_factory=dict)  # when a sign of life was last written
    crew: Crew[Item] = field(default_factory=Crew)
    seconds: list[float] = field(default_factory=list)
    decided: datetime | None = None  # when winners of trials were last looked for
    refused: Counter[str] = field(default_factory=Counter)  # calls in a row that a domain put off
    shut: dict[str, datetime] = field(default_factory=dict)  # domains that are left alone, and until when

    def run(self) -> None:
        """Go on until nothing is in hand and nothing more is to be claimed."""
        self.crew.grow(1)
        while True:
            self._write_down(self._collect())
            self.crew.grow(self._threads_wanted())
            if not self.in_hand and not self._waits():
                return

    def _threads_wanted(self) -> int:
        pace = self.desk.pace
        latency = median(self.seconds) if self.seconds else 0.0
        batch = self.desk.provider.caps.max_batch
        return count_threads(pace.rate, latency, batch, ceiling=pace.connections)

    def _collect(self) -> list[Item]:
        """What came back; waits for something when there is nothing else to do."""
        working = self.in_hand - len(self.ready)
        if working:
            seconds = GATHER_S if self.slots.lasting else GATHER_SOON_S
            return self.crew.collect(working, seconds=seconds, enough=self.slots.size // 2)
        if self.wait_until and not self.ready:
            self.stop.wait(min(max((self.wait_until - self.clock()).total_seconds(), 0.001), 1.0))
        return []

    def _write_down(self, items: Sequence[Item]) -> None:
        """One transaction: answers, intents, new claims. Answers are not given up easily."""
        for left in range(PATIENCE, -1, -1):
            try:
                self._commit(items, claim=left == PATIENCE)
            except Temporary:
                if not left or not any(isinstance(item, Answered) for item in items):
                    raise
                sleep(PAUSE_S)
            else:
                return

    def _commit(self, items: Sequence[Item], *, claim: bool) -> None:
        now = self.clock()
        before = (Counter(self.tally), self.in_hand, self.failures, self.limit, self.called, list(self.ready))
        settled: list[Chunk] = []
        intended: list[tuple[Chunk, PreparedBatch]] = []
        try:
            with self.desk.store.begin() as tx:
                self._settle_all(tx, [item for item in items if isinstance(item, Answered)], now)
                for item in items:
                    if isinstance(item, Missed):
                        claims.take_back(tx, item.chunk)
                settled = [item.chunk for item in items if isinstance(item, Answered | Missed)]
                self.in_hand -= len(settled)
                self.called -= len(settled)
                self.ready += [item for item in items if isinstance(item, Rendered)]
                intended = self._intend(tx, self._next_calls(), now)
                taken = self._take(tx, now) if claim else []
        except BaseException:
            self.tally, self.in_hand, self.failures, self.limit, self.called, self.ready = before
            raise
        for part in settled:
            self.slots.release(part)
        for part, batch in intended:
            self.slots.reserve(part)
            self.crew.call(self._call(part, batch))
        for frozen, one in taken:
            self.crew.render(partial(render, self.desk, frozen, one, now))

    def _take(self, tx: Tx, now: datetime) -> list[tuple[mailing.FrozenSend, Taken]]:
        """Claim as many chunks as there is room and allowance for."""
        self.wait_until = None
        room = self.slots.size - self.in_hand
        if room * 3 < self.slots.size or self._ends():
            return []
        found: list[tuple[mailing.FrozenSend, Taken]] = []
        name, pace = self.desk.provider.name, self.desk.pace
        self.decided = self.decided or now
        if now - self.decided > ALIVE:  # a long pass must not keep the others waiting for their subject
            trials.decide_due(tx, now)
            self.decided = now
        ready = claims.find_ready(tx, now)
        allowed = allow(tx, pace, name, now) if ready else None
        closed = find_closed(tx, pace, now) if ready else {}
        for send_id in ready:
            if len(found) >= room or not allowed or not allowed.messages:
                break
            frozen = self.desk.frozen(tx, send_id)
            number = self._chunks_allowed(allowed, room - len(found))
            for taken in claims.take(tx, send_id, self.desk.lease, now, number, besides=closed):
                domain = taken.chunk.domain
                if domain in closed:  # since the one before it
                    claims.put_back(tx, taken.chunk)
                elif taken.people and not self._cut(tx, taken, allowed, now):
                    allowed = self._spend(tx, allowed, len(taken.people), now)
                    found.append((frozen, taken))
                    if domain and not spend_domain(tx, pace, domain, len(taken.people), now):
                        closed |= find_closed(tx, pace, now)
            if now - self.alive.get(send_id, now - 2 * ALIVE) > ALIVE:
                ledger.keep_alive(tx, send_id, now)
                self.alive[send_id] = now
        if allowed and not allowed.messages and not allowed.hard:
            self.wait_until = allowed.wait_until
        elif ready and closed and not found:
            self.wait_until = min((at for at in closed.values() if at - now < SOON), default=None)
        self.in_hand += len(found)
        return found

    def _chunks_allowed(self, allowed: Allowance, room: int) -> int:
        """Few enough that their messages do not pass what is allowed by more than a call."""
        batch = self.desk.provider.caps.max_batch
        most = min(allowed.messages, self.limit if self.limit is not None else allowed.messages)
        if self.desk.pace.rate and not allowed.hard:
            most = min(most, int(self.desk.pace.rate) or 1)
        return max(1, min(room, -(-most // batch)))

    def _cut(self, tx: Tx, taken: Taken, allowed: Allowance, now: datetime) -> bool:
        """Cut a claimed chunk that is larger than what is allowed in two, of which the second waits."""
        numbers = taken.people.numbers
        most = allowed.messages if allowed.hard else len(numbers)
        most = min(most, self.limit) if self.limit is not None else most
        if most >= len(numbers):
            return False
        later = allowed.wait_until if allowed.hard and allowed.wait_until else now
        move_all(tx, taken.chunk, [numbers[:most]] if most else [], not_before=now)
        move_all(tx, taken.chunk, [numbers[most:]], not_before=later)
        return True

    def _spend(self, tx: Tx, allowed: Allowance, messages: int, now: datetime) -> Allowance:
        """Count what was claimed against what is allowed."""
        spend(tx, self.desk.pace, self.desk.provider.name, now, messages)
        if self.limit is not None:
            self.limit -= messages
        return replace(allowed, messages=allowed.messages - messages)

    def _next_calls(self) -> list[Rendered]:
        """What may be intended now. Without marks every intent is a doubt after a kill, so they are few."""
        most = self.slots.size if self.slots.lasting else self.crew.callers
        number = len(self.ready) if self._halts() else max(most - self.called, 0)
        found, self.ready = self.ready[:number], self.ready[number:]
        return found

    def _intend(self, tx: Tx, items: Sequence[Rendered], now: datetime) -> list[tuple[Chunk, PreparedBatch]]:
        """Write down which calls begin now; who left since the freeze is dropped first."""
        gone = _find_gone(tx, self.desk, items)
        good = [item for item in items if self._check(tx, item, gone[item.taken.chunk.send_id], now)]
        batches = [item.batch for item in good if item.batch]
        calls = [(item.taken.chunk, batch.key, item.sha) for item, batch in zip(good, batches, strict=True)]
        begun = together.intend_all(tx, calls, now)
        intended = [(part, batch) for part, batch in zip(begun, batches, strict=True) if part]
        self.called += len(intended)
        self.in_hand -= len(items) - len(intended)
        return intended

    def _check(self, tx: Tx, item: Rendered, gone: set[int], now: datetime) -> bool:
        """Whether a call may go as it was rendered; else it is put right and goes another time."""
        part = item.taken.chunk
        if self._halts() or self.shut.get(part.domain, now) > now:
            claims.put_back(tx, part)
            return False
        same = not part.attempt or item.sha == part.body_sha
        if item.batch and same and not gone:
            return True
        numbers = item.people.numbers
        left = gone.intersection(numbers)
        why = UNFIT if self.desk.sends[part.send_id].send.letter else LEFT
        dropped = dict.fromkeys(left, why) | {
            one.subscriber_id: Told(State.REFUSED, code="unwritable", detail=why)
            for one, why in item.unwritable
        }
        rest = [number for number in numbers if number not in left]
        if item.batch and same and not dropped:
            return True
        if dropped:
            mark(tx, part, dropped, now)
            self.tally.update(told.state for told in dropped.values())
            self.tell(len(dropped))
        _put_right(tx, part, rest, item.parts, now, fresh=bool(part.attempt))
        return False

    def _settle_all(self, tx: Tx, items: Sequence[Answered], now: datetime) -> None:
        """Write down answers: together where everybody of a call was accepted, else one by one."""
        good = [(item.chunk, item.accepted) for item in items if item.accepted]
        settled = together.settle_accepted(tx, good, now)
        for item in items:
            if not item.accepted:
                self._settle(tx, item, now)
                continue
            self.seconds = [*self.seconds[-REMEMBERED:], item.seconds]
            if (item.chunk.send_id, item.chunk.no) in settled:
                self.failures = 0
                self.tally[State.ACCEPTED] += len(item.results)
                self.tell(len(item.results))

    def _settle(self, tx: Tx, item: Answered, now: datetime) -> None:
        part, results = item.chunk, item.results
        outcomes = Counter([one.outcome for one in results])
        heed(tx, self.desk.provider.name, results, now)
        retry_at = now + self._wait(part.attempt, results)
        halves = _refused_together(results) if outcomes[Outcome.NOT_SENT] == len(results) else []
        if claims.settle(tx, part, results, now=now, retry_at=now if halves else retry_at):
            if halves:
                move_all(tx, part, halves, not_before=now)
            states = {STATE_AFTER[outcome] for outcome in outcomes}
            for outcome, number in outcomes.items():
                self.tally[STATE_AFTER[outcome]] += number
            down = states == {State.RETRY} and not halves
            if not self._is_put_off(tx, part, results, retry_at, now):
                self.failures = self.failures + 1 if down else 0
            self.seconds = [*self.seconds[-REMEMBERED:], item.seconds]
            self.tell(len(results))

    def _is_put_off(
        self, tx: Tx, part: Chunk, results: Sequence[ItemResult], retry_at: datetime, now: datetime
    ) -> bool:
        """Whether the servers of one domain did it, and not the provider; again and again, they are left alone."""
        if not part.domain:
            return False
        if not all(PUT_OFF.fullmatch(one.code) for one in results):
            del self.refused[part.domain]
            return False
        self.refused[part.domain] += 1
        if self.refused[part.domain] >= DOWN:
            close_domain(tx, part.domain, retry_at, now)
            self.shut[part.domain] = retry_at
        return True

    def _wait(self, attempt: int, results: Iterable[ItemResult]) -> timedelta:
        asked = longest_wait(results)
        base = BACKOFF[min(attempt, len(BACKOFF)) - 1]
        return timedelta(seconds=max(asked, base * (0.5 + 0.5 * self.desk.chance.random())))

    def _halts(self) -> bool:
        return self.stop.is_set() or self.failures >= DOWN

    def _ends(self) -> bool:
        return self._halts() or (self.limit is not None and self.limit <= 0)

    def _waits(self) -> bool:
        """Whether more may be claimed a little later."""
        return self.wait_until is not None and not self._ends()

    def _call(self, part: Chunk, batch: PreparedBatch) -> Callable[[], Item]:
        desk, slots, stop, shut = self.desk, self.slots, self.stop, self.shut
        good_until = monotonic() + LEASE.total_seconds() / 2

        def call() -> Item:
            began = monotonic()
            if stop.is_set() or part.domain in shut or (desk.store.many and began > good_until):
                return Missed(part)
            slots.begin(part)
            results = desk.provider.send(batch)
            whole = len(results) == part.size == part.follow
            return Answered(part, results, monotonic() - began, sum_up(results) if whole else None)

        return call


LEFT = Told(State.SUPPRESSED, detail="left the list between the freeze and the call")
UNFIT = Told(
    State.SUPPRESSED, detail="came or left between the freeze and the call; the letter is for others"
)


def _refused_together(results: Sequence[ItemResult]) -> list[list[int]]:
    """The halves of a call that was refused for what is in it: one bad message must not keep back the others."""
    refused = all(one.code in CONTENT for one in results)
    numbers = [claims.number_of(one) for one in results]
    return [numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]] if refused and numbers[1:] else []


def _find_gone(tx: Tx, desk: Desk, items: Iterable[Rendered]) -> dict[str, set[int]]:
    """Who of all these may not be written to any more, asked once for each send."""
    numbers: dict[str, list[int]] = {}
    for item in items:
        numbers.setdefault(item.taken.chunk.send_id, []).extend(item.taken.people.numbers)
    return {send_id: desk.find_gone(tx, send_id, some) for send_id, some in numbers.items()}


def _put_right(
    tx: Tx, part: Chunk, rest: Sequence[int], parts: Sequence[Sequence[int]], now: datetime, *, fresh: bool
) -> None:
    """Give a chunk back for another try, cut or under a new number where its people or bytes are others."""
    stay = set(rest)
    groups = [[number for number in group if number in stay] for group in parts] or [list(rest)]
    groups = [group for group in groups if group]
    if not groups:
        close(tx, part)
    elif fresh or parts:
        move_all(tx, part, groups, not_before=now)
    else:
        claims.put_back(tx, part)
