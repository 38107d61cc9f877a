"""One exact state for everybody, at every moment, whatever happens to a send."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from outbox import mailing, worker
from outbox.consent import Claim, enlist, unsubscribe
from outbox.desk import Desk
from outbox.issue import read
from outbox.model import (
    Addressee,
    Capabilities,
    Consent,
    Envelope,
    EventType,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Report,
    State,
)
from outbox.providers.file import File
from outbox.rates import Pace
from outbox.store import Store, events, ledger, subscribers, verify

IssueMaker = Callable[..., Path]
PEOPLE = 40
#: What a moody provider answers for a message, and how often.
MOODS = {
    Outcome.ACCEPTED: 60,
    Outcome.REJECTED: 8,
    Outcome.THROTTLED: 12,
    Outcome.NOT_SENT: 12,
    Outcome.UNKNOWN: 8,
}


class Died(BaseException):
    """The process was killed here."""


@dataclass
class Moody:
    """A provider that answers by chance, and keeps for itself whom it took."""

    chance: random.Random
    caps: Capabilities
    name: str = "file"
    calm: bool = False
    took: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)

    def prepare(
        self,
        letter: Letter,  # noqa: ARG002
        people: Sequence[Addressee],
        batch_id: str,
        *,
        date: datetime,
    ) -> PreparedBatch:
        """Names and the date."""
        names = tuple(one.outbox_id for one in people)
        return PreparedBatch(batch_id, batch_id, "POST", "/", {}, repr((names, date)).encode(), names)

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """By chance, a death before or after among it; when calm it accepts."""
        if self.calm:
            self.took.update(batch.outbox_ids)
            return [ItemResult(name, Outcome.ACCEPTED) for name in batch.outbox_ids]
        drawn = self.chance.random()
        if drawn < 0.05:
            raise Died
        alike = self.chance.random() < 0.5
        moods = self.chance.choices(list(MOODS), list(MOODS.values()), k=len(batch.outbox_ids))
        results = [
            ItemResult(name, moods[0] if alike else mood)
            for name, mood in zip(batch.outbox_ids, moods, strict=True)
        ]
        self.took.update(one.outbox_id for one in results if one.outcome == Outcome.ACCEPTED)
        self.took.update(
            one.outbox_id for one in results if one.outcome == Outcome.UNKNOWN and self.chance.random() < 0.5
        )
        self.refused.update(one.outbox_id for one in results if one.outcome == Outcome.REJECTED)
        if drawn > 0.95:
            raise Died
        return results

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """What it took."""
        return {name: ItemResult(name, Outcome.ACCEPTED) for name in batch.outbox_ids if self.took[name]}

    def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture
def crowd(any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime) -> Store:
    """Many people, an issue frozen for them."""
    with any_store.begin() as tx:
        for each in range(PEOPLE):
            enlist(tx, Claim(f"p{each}@example.org", "", Consent.CONFIRMED, "said yes", "test"), now)
        mailing.freeze(
            tx,
            read(make_issue()),
            envelope,
            provider="file",
            max_batch=7,
            on_unknown="hold",
            send_id="s",
            now=now,
        )
    return any_store


@pytest.mark.parametrize("seed", range(4))
def test_a_long_story_leaves_one_true_state_for_everybody(crowd: Store, now: datetime, seed: int) -> None:
    """Deaths, refusals, doubt, people who leave: after each pass the counts, the rows and the provider agree."""
    chance = random.Random(seed)
    provider = Moody(chance, replace(File.caps, max_batch=7))
    for hour in range(30):
        provider.calm = hour > 25
        time = now + timedelta(hours=5 * hour)
        desk = Desk(crowd, provider, Pace(connections=1), chance=chance)
        try:
            worker.run(desk, lambda time=time: time)  # type: ignore[misc]
        except Died:
            run_out(crowd)
        if chance.random() < 0.3:
            leave(crowd, chance.randrange(1, PEOPLE), time)
        assert [] == faults(crowd)

    with crowd.read() as tx:
        states = {f"s.{number}": state for number, state in ledger.everybody(tx, "s")}
        counted = ledger.progress(tx)[0].states
    assert dict(Counter(states.values())) == dict(counted)
    assert max(provider.took.values()) == 1
    assert {name for name, state in states.items() if state == State.ACCEPTED} == set(provider.took)
    assert {name for name, state in states.items() if state == State.REFUSED} <= provider.refused
    assert set(states.values()) <= {State.ACCEPTED, State.REFUSED, State.SUPPRESSED, State.HELD}


def run_out(store: Store) -> None:
    """The leases of the dead run out; on SQLite the sender's lock says so."""
    if store.many:
        with store.begin() as tx:
            over = "UPDATE chunk SET lease_until = now() - interval '1 second' WHERE lease_owner <> ''"
            tx.connection.execute(text(over))


def leave(store: Store, number: int, time: datetime) -> None:
    """Somebody unsubscribes."""
    with store.begin() as tx:
        person = subscribers.find_by_id(tx, number)
        assert person
        unsubscribe(tx, person, source="test", now=time)


def faults(store: Store) -> list[str]:
    """What `outbox verify` finds."""
    with store.read() as tx:
        return verify.find_faults(tx)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE chunk SET follow = follow - 1 WHERE no = 2",
        "UPDATE send SET audience = audience + 1",
        "DELETE FROM roster WHERE no = 3",
        "UPDATE roster SET ids = (SELECT ids FROM roster WHERE no = 1) WHERE no = 2",
        "INSERT INTO delivery VALUES ('s', 1, 1, 'held', '', '', '', '2026-03-01')",
    ],
)
def test_damage_is_found(crowd: Store, damage: str) -> None:
    """Whoever changes the ledger by hand is told of it."""
    assert [] == faults(crowd)
    with crowd.begin() as tx:
        tx.connection.execute(text(damage))

    assert faults(crowd)


def test_a_paused_send_begins_no_call_and_a_cancelled_one_never_will(crowd: Store, now: datetime) -> None:
    """Pause, resume and cancel work at once, and everybody's state says so."""
    provider = Moody(random.Random(1), replace(File.caps, max_batch=7))
    desk = Desk(crowd, provider, Pace(connections=1))
    with crowd.begin() as tx:
        assert ledger.pause(tx, "s", "by hand")
    worker.run(desk, lambda: now)
    assert not provider.took
    with crowd.begin() as tx:
        assert ledger.resume(tx, "s", now)
        assert ledger.cancel(tx, "s", "by hand")
        assert not ledger.resume(tx, "s", now)
    worker.run(desk, lambda: now)

    with crowd.read() as tx:
        assert {State.CANCELLED: PEOPLE + 3} == ledger.progress(tx)[0].states
    assert not provider.took
    assert [] == faults(crowd)


def test_reports_give_the_same_state_in_any_order_and_however_often(crowd: Store, now: datetime) -> None:
    """FX-13: doubled, reordered and early; a complaint goes before a delivery."""
    worker.run(Desk(crowd, in_a_good_mood(), Pace(connections=1)), lambda: now)
    told = [(EventType.DELIVERED, "a"), (EventType.COMPLAINED, "b"), (EventType.DELIVERED, "a")]
    with crowd.begin() as tx:
        for person, order in ((1, told), (2, told[::-1])):
            kept = [
                events.record(tx, Report("file", f"{name}{person}", kind, now, f"s.{person}"), now)
                for kind, name in order
            ]
            assert [True, True, False] == kept
    with crowd.read() as tx:
        states = dict(ledger.everybody(tx, "s"))

    assert states[1] == states[2] == State.COMPLAINED
    assert states[3] == State.ACCEPTED
    assert [] == faults(crowd)


def test_a_report_settles_a_doubt(crowd: Store, now: datetime) -> None:
    """Who is held and then reported as delivered has the letter."""
    with crowd.begin() as tx:
        tx.connection.execute(
            text("UPDATE chunk SET state = 'held', attempt = 1, first_try_at = not_before WHERE no = 1")
        )
        events.record(tx, Report("file", "x", EventType.DELIVERED, now, "s.2"), now)
    with crowd.read() as tx:
        states = dict(ledger.everybody(tx, "s"))
        held = {one.person.subscriber_id for one in ledger.find_held(tx)}

    assert (states[1], states[2]) == (State.HELD, State.DELIVERED)
    assert 2 not in held
    assert [] == faults(crowd)


def test_too_many_bounces_stop_a_send(crowd: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-3, as a question to the ledger."""
    monkeypatch.setattr(ledger, "JUDGED", 20)
    worker.run(Desk(crowd, in_a_good_mood(), Pace(connections=1)), lambda: now)
    with crowd.begin() as tx:
        assert ledger.find_unwelcome(tx) == []
        for person in (1, 2, 3):
            events.record(tx, Report("file", f"{person}", EventType.BOUNCED, now, f"s.{person}"), now)
        ((one, why),) = ledger.find_unwelcome(tx)

    assert one.send_id == "s"
    assert why == "3 of 43 bounced, more than 5.0%"


def in_a_good_mood() -> Moody:
    """A provider in a good mood."""
    return Moody(random.Random(0), replace(File.caps, max_batch=7), calm=True)
