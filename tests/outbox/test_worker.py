"""Every message once: whatever the provider answers, and whatever happens in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from outbox import desk as desks
from outbox import mailing, worker
from outbox.consent import Claim, enlist, unsubscribe
from outbox.errors import OutboxError
from outbox.issue import read
from outbox.model import (
    Addressee,
    Capabilities,
    Consent,
    Envelope,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    State,
)
from outbox.providers.file import File
from outbox.rates import Pace
from outbox.store import Store, claims, ledger, subscribers, suppressions

IssueMaker = Callable[..., Path]


class Died(BaseException):
    """The process was killed here."""


@dataclass
class Journal:
    """A provider that keeps what it accepted and answers as the script says; then it accepts.

    A script entry is an outcome for all, a list of outcomes, or `die before` / `die after` accepting.
    """

    script: Iterator[Any]
    caps: Capabilities
    name: str = "file"
    accepted: list[str] = field(default_factory=list)
    keys: list[tuple[str, bytes]] = field(default_factory=list)

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """Subjects and the date, so that bytes depend on what is said and when."""
        lines = [f"{one.to} {letter.subject.fill(one.values)} {date.isoformat()}" for one in people]
        names = tuple(one.outbox_id for one in people)
        return PreparedBatch(batch_id, batch_id, "POST", "/", {}, "\n".join(lines).encode(), names)

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """One call; a repeated key is answered without accepting again."""
        answer = next(self.script, Outcome.ACCEPTED)
        if answer == "die before":
            raise Died
        seen = batch.key in {key for key, _ in self.keys} and bool(self.caps.replay_window_s)
        self.keys.append((batch.key, batch.body))
        outcomes = answer if isinstance(answer, list) else [answer] * len(batch.outbox_ids)
        taken = (Outcome.ACCEPTED, Outcome.UNKNOWN, "die after")
        self.accepted += [
            name for name, one in zip(batch.outbox_ids, outcomes, strict=True) if one in taken and not seen
        ]
        if answer == "die after":
            raise Died
        return [ItemResult(name, one) for name, one in zip(batch.outbox_ids, outcomes, strict=True)]

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """What was accepted is found."""
        return {
            name: ItemResult(name, Outcome.ACCEPTED) for name in batch.outbox_ids if name in self.accepted
        }


@dataclass
class Desk:
    """A store with one issue frozen for three people, and a clock that can be moved."""

    store: Store
    time: datetime

    def clock(self) -> datetime:
        """The time on this desk."""
        return self.time

    def run(self, provider: Any) -> Counter[State]:
        """One pass by a new process."""
        one_at_a_time = Pace(connections=1)
        return worker.run(desks.Desk(self.store, provider, one_at_a_time), self.clock)

    def die(self, provider: Any) -> None:
        """One pass that ends with a death; on PostgreSQL the dead one's lease runs out."""
        with pytest.raises(Died):
            self.run(provider)
        if self.store.many:
            with self.store.begin() as tx:
                over = "UPDATE chunk SET lease_until = now() - interval '1 second' WHERE lease_owner <> ''"
                tx.connection.execute(text(over))

    def states(self) -> dict[State, int]:
        """What the ledger says."""
        with self.store.read() as tx:
            return dict(ledger.progress(tx)[0].states)

    def leave(self, email: str) -> None:
        """Let somebody unsubscribe."""
        with self.store.begin() as tx:
            person = subscribers.find(tx, email)
            assert person is not None
            unsubscribe(tx, person, source="test", now=self.time)


def abilities(**changes: Any) -> Capabilities:
    """Two messages to a call, and no way to ask unless the test says so."""
    return replace(File.caps, **{"max_batch": 2, "lookup": "none", **changes})


def journal(*script: Any, **caps: Any) -> Journal:
    """A provider with a script."""
    return Journal(iter(script), abilities(**caps))


@pytest.fixture
def desk(any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime) -> Desk:
    """Three people, two to a call, on both databases."""
    with any_store.begin() as tx:
        mailing.freeze(
            tx,
            read(make_issue()),
            envelope,
            provider="file",
            max_batch=2,
            on_unknown="hold",
            send_id="s",
            now=now,
        )
    return Desk(any_store, now)


def test_everyone_gets_it_once(desk: Desk) -> None:
    """A second run has nothing to do."""
    provider = journal()

    assert {State.ACCEPTED: 3} == desk.run(provider)
    assert Counter() == desk.run(provider)
    assert provider.accepted == ["s.1", "s.2", "s.3"]


def test_the_intent_is_on_record_before_the_call(desk: Desk) -> None:
    """While the provider is being called, the ledger already says so."""
    seen = []

    class Curious(Journal):
        def send(self, batch: PreparedBatch) -> list[ItemResult]:
            seen.append(desk.states())
            return super().send(batch)

    desk.run(Curious(iter(()), abilities()))

    assert all(State.IN_DOUBT in states for states in seen)


@pytest.mark.parametrize("moment", ["die before", "die after"])
@pytest.mark.parametrize("caps", [{"lookup": "exact"}, {"replay_window_s": 3600}], ids=["asked", "replayed"])
def test_a_death_around_the_call_loses_and_doubles_nothing(
    desk: Desk, moment: str, caps: dict[str, Any]
) -> None:
    """With an exact look-up or a living key, what was in doubt is settled by the next run."""
    provider = journal(moment, **caps)
    desk.die(provider)

    assert desk.states()[State.IN_DOUBT] > 0
    desk.run(provider)

    assert {State.ACCEPTED: 3} == desk.states()
    assert sorted(provider.accepted) == ["s.1", "s.2", "s.3"]


@pytest.mark.parametrize("moment", ["die before", "die after"])
def test_doubt_that_nobody_can_settle_is_held(desk: Desk, moment: str) -> None:
    """Without key or look-up nothing is sent twice, and whoever may have missed it is named."""
    provider = journal(moment)
    desk.die(provider)
    desk.run(provider)

    assert {State.HELD: 2, State.ACCEPTED: 1} == desk.states()
    assert max(Counter(provider.accepted).values()) == 1
    with desk.store.read() as tx:
        (message,) = ledger.history(tx, 1)
    assert message.detail == "nobody could tell whether the provider took it"


def test_a_dead_key_is_not_used_again(desk: Desk) -> None:
    """After its window the provider has forgotten the key, so doubt is held."""
    provider = journal("die after", replay_window_s=3600)
    desk.die(provider)
    desk.time += timedelta(hours=2)
    desk.run(provider)

    assert {State.HELD: 2, State.ACCEPTED: 1} == desk.states()


def test_the_policy_resend_prefers_two_to_none(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Where a second copy harms nobody, doubt is sent again."""
    with store.begin() as tx:
        mailing.freeze(
            tx,
            read(make_issue()),
            envelope,
            provider="file",
            max_batch=2,
            on_unknown="resend",
            send_id="s",
            now=now,
        )
    provider = journal("die before")
    Desk(store, now).die(provider)
    Desk(store, now).run(provider)

    assert sorted(provider.accepted) == ["s.1", "s.2", "s.3"]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.REJECTED, State.REFUSED),
        (Outcome.INVALID, State.REFUSED),
        (Outcome.SUPPRESSED, State.REFUSED),
    ],
)
def test_a_definite_no_is_final(desk: Desk, outcome: Outcome, state: State) -> None:
    """It is written down and not tried again."""
    provider = journal([outcome, Outcome.ACCEPTED])
    desk.run(provider)
    desk.time += timedelta(days=1)
    desk.run(provider)

    assert {state: 1, State.ACCEPTED: 2} == desk.states()
    assert len(provider.keys) == 2


def test_what_was_surely_not_sent_waits_and_goes_again(desk: Desk) -> None:
    """The same people, the same bytes, the same key, after a pause."""
    provider = journal(Outcome.NOT_SENT)

    assert {State.RETRY: 2, State.ACCEPTED: 1} == desk.run(provider)
    assert {State.RETRY: 2, State.ACCEPTED: 1} == desk.states()
    desk.time += timedelta(minutes=2)
    desk.run(provider)

    assert {State.ACCEPTED: 3} == desk.states()
    assert provider.keys[0] == provider.keys[-1]


def test_a_partial_failure_gets_a_new_key(desk: Desk) -> None:
    """LG-2: the part that must go again is another set of people, so another chunk."""
    provider = journal([Outcome.ACCEPTED, Outcome.THROTTLED])
    desk.run(provider)
    desk.time += timedelta(minutes=2)
    desk.run(provider)

    assert {State.ACCEPTED: 3} == desk.states()
    assert sorted(provider.accepted) == ["s.1", "s.2", "s.3"]
    assert len({key for key, _ in provider.keys}) == 3


def test_an_unreadable_answer_for_one_of_two(desk: Desk) -> None:
    """One is known, the other is asked for in the next run."""
    provider = journal([Outcome.ACCEPTED, Outcome.UNKNOWN], lookup="exact")
    desk.run(provider)

    assert {State.ACCEPTED: 2, State.IN_DOUBT: 1} == desk.states()
    desk.run(provider)

    assert {State.ACCEPTED: 3} == desk.states()
    assert sorted(provider.accepted) == ["s.1", "s.2", "s.3"]


def test_who_leaves_after_the_freeze_gets_nothing(desk: Desk) -> None:
    """Consent is read again at the moment of the intent."""
    desk.leave("ana@example.org")
    with desk.store.begin() as tx:
        suppressions.suppress(tx, "dora@example.com", "complaint", desk.time)
    provider = journal()

    assert {State.SUPPRESSED: 2, State.ACCEPTED: 1} == desk.run(provider)
    assert {State.SUPPRESSED: 2, State.ACCEPTED: 1} == desk.states()
    assert provider.accepted == ["s.2"]


def test_who_leaves_before_a_retry_is_left_out_under_a_new_key(desk: Desk) -> None:
    """LU-3: the bytes change, so the key must."""
    provider = journal(Outcome.NOT_SENT)
    desk.run(provider)
    desk.leave("ana@example.org")
    desk.time += timedelta(minutes=2)
    desk.run(provider)

    assert {State.SUPPRESSED: 1, State.ACCEPTED: 2} == desk.states()
    assert provider.keys[0][0] not in [key for key, _ in provider.keys[1:]]


def test_a_changed_secret_means_a_new_key(desk: Desk) -> None:
    """Same key means same bytes; when the bytes differ, the key does too."""
    provider = journal(Outcome.NOT_SENT)
    desk.run(provider)
    with desk.store.begin() as tx:
        tx.connection.execute(text("UPDATE chunk SET body_sha = 'other' WHERE no = 1"))
    desk.time += timedelta(minutes=2)
    desk.run(provider)

    assert {State.ACCEPTED: 3} == desk.states()
    assert len({key for key, _ in provider.keys}) == len(provider.keys)


def test_one_impossible_name_does_not_stop_the_others(desk: Desk) -> None:
    """P17: the message is refused with its reason, the rest go out."""
    with desk.store.begin() as tx:
        people = tx.connection.execute(text("SELECT people FROM roster WHERE no = 1")).scalar_one()
        forged = people.replace(b"Ana Ruiz", b"Ana\\nBcc: x")
        tx.connection.execute(text("UPDATE roster SET people = :it WHERE no = 1"), {"it": forged})
    provider = journal()

    assert {State.REFUSED: 1, State.ACCEPTED: 2} == desk.run(provider)
    with desk.store.read() as tx:
        (message,) = ledger.history(tx, 1)
    assert (message.code, message.state) == ("unwritable", State.REFUSED)


def test_a_late_answer_does_not_overwrite(desk: Desk) -> None:
    """The epoch fences: an answer for a claim that was taken over changes nothing."""
    with desk.store.begin() as tx:
        (taken,) = claims.take(tx, "s", desks.new_lease(), desk.time, 1)
        old = claims.intend(tx, taken.chunk, key="k", body_sha="x", now=desk.time)
        assert old
        tx.connection.execute(text("UPDATE chunk SET epoch = epoch + 1 WHERE no = 1"))

        assert not claims.settle(
            tx, old, [ItemResult("s.1", Outcome.REJECTED)], now=desk.time, retry_at=desk.time
        )
    assert State.REFUSED not in desk.states()


def test_another_provider_does_not_take_over(desk: Desk) -> None:
    """A send begun with one provider is finished with it."""
    provider = journal()
    provider.name = "other"

    with pytest.raises(OutboxError, match="was begun with provider 'file'"):
        desk.run(provider)


def test_a_newcomer_does_not_join_a_send(desk: Desk) -> None:
    """The audience is frozen."""
    with desk.store.begin() as tx:
        enlist(tx, Claim("new@example.org", "", Consent.CONFIRMED, "x", "test"), desk.time)

    assert {State.ACCEPTED: 3} == desk.run(journal())
