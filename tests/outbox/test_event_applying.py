"""What is reported changes messages and people: once, in any order, and never the wrong person."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outbox import mailing, worker
from outbox.consent import Claim, enlist
from outbox.desk import Desk
from outbox.events.applying import KEEP, apply_new
from outbox.events.policy import is_worn_out
from outbox.issue import read
from outbox.model import (
    Addressee,
    Arrival,
    Cause,
    Consent,
    Envelope,
    EventType,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    State,
)
from outbox.providers.file import File
from outbox.rates import Pace
from outbox.store import Store, arrivals, erasure, events, ledger, subscribers, suppressions, verify, wishes
from outbox.store.wishes import Wishes

SEND = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PEOPLE, FIRST = 30, 5  # how many of them the test invents, and the number of the first


class Carrier:
    """A provider that takes seven to a call and answers as it is told; it cannot be asked, but it reports."""

    name = "file"
    caps = replace(File.caps, lookup="none", replay_window_s=None, max_batch=7)

    def __init__(self, outcome: Outcome, before: Callable[[PreparedBatch], None] = lambda _: None) -> None:
        self.outcome, self.before = outcome, before

    def prepare(
        self,
        letter: Letter,
        people: Sequence[Addressee],
        batch_id: str,
        *,
        date: datetime,  # noqa: ARG002
    ) -> PreparedBatch:
        names = tuple(person.outbox_id for person in people)
        return PreparedBatch(batch_id, batch_id, "POST", "", {}, letter.tag.encode(), names)

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        self.before(batch)
        return [ItemResult(name, self.outcome) for name in batch.outbox_ids]

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        raise AssertionError(batch)

    def close(self) -> None:
        pass


@pytest.fixture
def crowd(any_store: Store, make_issue: Callable[..., Path], envelope: Envelope) -> Store:
    """An issue, frozen for three and thirty people, seven to a call."""
    with any_store.begin() as tx:
        for number in range(PEOPLE):
            claim = Claim(f"r{number}@example.org", "", Consent.CONFIRMED, "said yes", "test")
            enlist(tx, claim, NOW)
        mailing.freeze(
            tx, read(make_issue()), envelope, provider="file", max_batch=7, on_unknown="hold", send_id=SEND, now=NOW,
        )  # fmt: skip
    return any_store


@pytest.fixture
def sent(crowd: Store) -> Store:
    """The same, sent."""
    worker.run(Desk(crowd, Carrier(Outcome.ACCEPTED), Pace(connections=1)), lambda: NOW)
    return crowd


def told(number: int, kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    """One event of the sandbox about one person's message."""
    event = {"id": name or f"{kind}-{number}", "type": kind, "outbox_id": f"{SEND}.{number}", "detail": kind}
    return event | {"at": NOW.timestamp()} | more


def come_in(
    store: Store, *calls: list[dict[str, Any]], provider: str = "sandbox", at: datetime = NOW
) -> None:
    """Calls that were proven and kept."""
    with store.begin() as tx:
        bodies = [json.dumps({"events": call}).encode() for call in calls]
        arrivals.keep(tx, [Arrival(provider, {}, body, at) for body in bodies])


def states_of(store: Store) -> dict[int, State]:
    with store.read() as tx:
        assert verify.find_faults(tx) == []
        return dict(ledger.everybody(tx, SEND))


def consent_of(store: Store, number: int) -> Consent:
    with store.read() as tx:
        person = subscribers.find_by_id(tx, number)
    assert person
    return person.consent


HISTORY = [
    told(1, "accepted"),
    told(1, "delivered"),
    told(1, "bounced", firmness="hard", cause="unknown_user"),
    told(1, "complained"),
]


def test_every_order_ends_the_same(sent: Store) -> None:
    """A delivery that is told late changes nothing that a bounce or a complaint said; told twice is told once."""
    orders = list(itertools.permutations(HISTORY))[::3]
    numbers = range(FIRST, FIRST + PEOPLE)
    for number, order in zip(numbers, orders, strict=False):
        calls = [[{**one, "id": f"{one['type']}-{number}", "outbox_id": f"{SEND}.{number}"}] for one in order]
        come_in(sent, *calls, *calls)
        apply_new(sent, NOW, batch=3)
    states = states_of(sent)

    assert {State.COMPLAINED} == {states[number] for number, _ in zip(numbers, orders, strict=False)}
    assert states[FIRST + PEOPLE - 1] == State.ACCEPTED
    with sent.read() as tx:
        assert {number for _, _, number, _ in events.count(tx)} == {len(orders)}
        assert arrivals.count(tx) == (0, 0)


def test_reports_in_one_batch_and_one_by_one_end_the_same(sent: Store) -> None:
    """How much is applied at a time makes no difference: chance, seeded, is the judge."""
    chance = random.Random(5)
    kinds = ["accepted", "delivered", "deferred", "opened", "bounced", "complained", "refused", "other"]
    made = [told(chance.randrange(FIRST, FIRST + 15), chance.choice(kinds)) for _ in range(150)]
    twin = [{**one, "id": f"twin-{one['id']}", "outbox_id": _fifteen_on(one["outbox_id"])} for one in made]
    come_in(sent, made)
    apply_new(sent, NOW)
    for one in chance.sample(twin, len(twin)):
        come_in(sent, [one])
    apply_new(sent, NOW, batch=1)
    states = states_of(sent)

    first = range(FIRST, FIRST + 15)
    assert [states[number] for number in first] == [states[number + 15] for number in first]
    assert len(set(states.values())) > 3


def _fifteen_on(outbox_id: str) -> str:
    return f"{SEND}.{int(outbox_id[33:]) + 15}"


def test_who_opened_is_written_down_only_where_they_allowed_it(sent: Store) -> None:
    """Of the others stays that somebody opened and clicked, and that their message arrived."""
    with sent.begin() as tx:
        wishes.keep(tx, 1, Wishes(tracking=True))
    come_in(sent, [told(number, kind) for number in (1, 2) for kind in ("opened", "clicked")])
    apply_new(sent, NOW)
    with sent.read() as tx:
        known = {number: [one["type"] for one in events.find_of(tx, number)] for number in (1, 2)}
        counted = {kind: number for _, kind, number, _ in events.count(tx)}

    assert {1: ["opened", "clicked"], 2: []} == known
    assert {EventType.OPENED: 2, EventType.CLICKED: 2} == counted
    assert [State.DELIVERED] * 2 == [states_of(sent)[number] for number in (1, 2)]


def test_a_hard_bounce_and_a_complaint_suppress_at_once(sent: Store) -> None:
    """Everywhere: the mailbox itself is barred, with evidence that holds no address."""
    come_in(sent, [
        told(1, "bounced", firmness="hard", cause="unknown_user", email="ana@example.org"),
        told(2, "complained", email="bjork@example.com"),
        told(3, "bounced", firmness="soft", cause="full", email="dora@example.com"),
        told(5, "unsubscribed"),
    ])  # fmt: skip
    apply_new(sent, NOW)

    assert [Consent.SUPPRESSED, Consent.SUPPRESSED, Consent.CONFIRMED, Consent.UNSUBSCRIBED] == [
        consent_of(sent, number) for number in (1, 2, 3, 5)
    ]
    with sent.read() as tx:
        assert suppressions.reason_of(tx, "ana@example.org") == "bounce"
        assert suppressions.reason_of(tx, "bjork@example.com") == "complaint"
        sources = [row.source for row in tx.connection.exec_driver_sql(
            "SELECT source FROM consent_event WHERE method = 'event' ORDER BY id")]  # fmt: skip
    assert ["sandbox: unknown_user", "sandbox", "sandbox"] == sources


def test_a_person_is_known_by_their_mailbox_where_the_message_is_not(sent: Store) -> None:
    """A provider's own form to leave by knows nothing of our messages."""
    come_in(sent, [
        {"id": "1", "type": "unsubscribed", "email": "R3@example.org"},
        {"id": "2", "type": "complained", "email": "stranger@example.org"},
        {"id": "3", "type": "bounced", "firmness": "hard", "email": "r4@example.org", "outbox_id": f"{'f' * 32}.9"},
    ])  # fmt: skip
    apply_new(sent, NOW)
    with sent.read() as tx:
        people = [subscribers.find(tx, f"r{number}@example.org") for number in (3, 4)]
        stranger = suppressions.reason_of(tx, "stranger@example.org")

    assert [Consent.UNSUBSCRIBED, Consent.SUPPRESSED] == [person.consent for person in people if person]
    assert stranger == ""  # nobody of ours


def mailgun(number: int, email: str, name: str, event: str = "complained") -> dict[str, Any]:
    """An event of Mailgun's, whose signature does not cover it."""
    variables = {"outbox_id": f"{SEND}.{number}"}
    return {
        "signature": {"token": name},
        "event-data": {"event": event, "recipient": email, "user-variables": variables},
    }


def test_what_anybody_might_have_written_counts_only_for_a_message_of_ours(sent: Store) -> None:
    """Message and mailbox must belong together."""
    with sent.begin() as tx:
        bodies = [
            mailgun(1, "bjork@example.com", "a"),
            mailgun(99_999, "ana@example.org", "b"),
            {
                "signature": {"token": "c"},
                "event-data": {"event": "complained", "recipient": "ana@example.org"},
            },
            mailgun(2, "Bjork@example.com", "d"),
        ]
        arrivals.keep(tx, [Arrival("mailgun", {}, json.dumps(body).encode(), NOW) for body in bodies])
    tally = apply_new(sent, NOW)

    assert tally == {EventType.COMPLAINED: 4}
    assert [Consent.CONFIRMED, Consent.SUPPRESSED] == [consent_of(sent, number) for number in (1, 2)]
    assert {1: State.ACCEPTED, 2: State.COMPLAINED} == {number: states_of(sent)[number] for number in (1, 2)}


def test_an_event_that_comes_before_the_answer_is_kept_and_settles_it(crowd: Store) -> None:
    """The first call is reported while it still runs, and then brings no answer."""

    def report(batch: Any) -> None:
        numbers = [int(name.rpartition(".")[2]) for name in batch.outbox_ids]
        if 1 in numbers:
            come_in(crowd, [told(number, "delivered") for number in numbers])
            apply_new(crowd, NOW)

    worker.run(Desk(crowd, Carrier(Outcome.UNKNOWN, report), Pace(connections=1)), lambda: NOW)
    states = states_of(crowd)

    assert State.DELIVERED == states[1] == states[2]
    assert State.IN_DOUBT in set(states.values())


def test_doubt_waits_for_what_a_provider_reports_before_it_is_held(crowd: Store) -> None:
    """Where nobody can be asked, a report is all there is; it may take its time."""
    lag = timedelta(minutes=15)

    def look(at: datetime) -> dict[int, State]:
        worker.run(
            Desk(crowd, Carrier(Outcome.UNKNOWN), Pace(connections=1), search_lag=lag, is_told=True),
            lambda: at,
        )
        return states_of(crowd)

    assert {State.IN_DOUBT} == {state for number, state in look(NOW).items() if number != 4}
    assert State.IN_DOUBT == look(NOW + timedelta(minutes=5))[1]
    come_in(crowd, [told(1, "accepted")])
    apply_new(crowd, NOW)
    last = look(NOW + timedelta(minutes=16))

    assert (State.ACCEPTED, State.HELD) == (last[1], last[2])


def test_too_many_complaints_pause_a_send_as_they_come_in(
    crowd: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call begins any more, whoever sends: the intent asks."""
    monkeypatch.setattr(ledger, "JUDGED", 2)
    come_in(crowd, [told(number, "complained") for number in (1, 2, 3)])
    apply_new(crowd, NOW)
    with crowd.read() as tx:
        (progress,) = ledger.progress(tx)

    assert progress.state == "paused"
    assert progress.reason.startswith("3 of 3 complained")


def test_what_cannot_be_read_is_kept_and_counted(sent: Store) -> None:
    """An unknown event is an event; nonsense is not, and neither keeps back the others."""
    come_in(sent, [told(1, "sneezed")])
    with sent.begin() as tx:
        arrivals.keep(tx, [Arrival("sandbox", {}, b"{", NOW), Arrival("nobody", {}, b"{}", NOW)])
    come_in(sent, [told(2, "delivered")])

    assert {EventType.OTHER: 1, EventType.DELIVERED: 1} == apply_new(sent, NOW)
    with sent.read() as tx:
        assert arrivals.count(tx) == (0, 2)


def test_raw_calls_are_kept_for_a_month(sent: Store) -> None:
    """What was read from them stays."""
    come_in(sent, [told(1, "delivered")])
    apply_new(sent, NOW)
    apply_new(sent, NOW + KEEP)
    with sent.read() as tx:
        before = tx.connection.exec_driver_sql("SELECT count(*) FROM arrival").scalar_one()
    apply_new(sent, NOW + KEEP + timedelta(seconds=1))
    with sent.read() as tx:
        after = tx.connection.exec_driver_sql("SELECT count(*) FROM arrival").scalar_one()

    assert (before, after) == (1, 0)
    assert states_of(sent)[1] == State.DELIVERED


def test_an_erased_person_is_in_no_raw_call(sent: Store) -> None:
    """Nor in the words of an event."""
    come_in(
        sent, [told(1, "bounced", firmness="soft", email="ana@example.org", detail="<ana@example.org>: full")]
    )
    apply_new(sent, NOW)
    with sent.begin() as tx:
        erasure.forget(tx, 1)
    with sent.read() as tx:
        rows = [
            *tx.connection.exec_driver_sql("SELECT body FROM arrival"),
            *tx.connection.exec_driver_sql("SELECT detail FROM event"),
        ]

    assert not any(row[0] for row in rows)


# --- when a mailbox is given up ------------------------------------------------------------------


class Line:
    """One line of a history, so many days after the first letter."""

    def __init__(self, day: float, kind: str = "bounced", cause: str = "full", send: str = "") -> None:
        self.type, self.firmness, self.cause, self.send_id = kind, "soft", cause, send or f"send-{day}"
        self.at = NOW + timedelta(days=day)


@pytest.mark.parametrize(
    ("history", "worn_out"),
    [
        ([Line(0), Line(7), Line(14)], False),
        ([Line(0), Line(7), Line(14), Line(21)], True),
        ([Line(0), Line(1), Line(2), Line(3)], False),  # a full mailbox may be a holiday
        ([Line(day, send="one") for day in range(9)], False),  # one letter, told nine times
        ([Line(0), Line(7), Line(14), Line(15, "delivered"), Line(21)], False),
        ([Line(0), Line(30), Line(60), Line(90), Line(120)], False),  # what is long ago counts little
        ([Line(day, cause=Cause.BLOCKED) for day in range(0, 60, 7)], False),  # our fault, not the reader's
        ([Line(day, cause=Cause.NETWORK) for day in range(0, 120, 7)], True),
        ([Line(day, "deferred") for day in range(0, 60, 7)], False),
        ([], False),
    ],
)  # fmt: skip
def test_a_mailbox_is_given_up_when_it_fails_again_and_again(
    history: list[Line],
    worn_out: bool,  # noqa: FBT001
) -> None:
    """Failures fade, a delivery wipes them out."""
    assert worn_out is is_worn_out(history, history[-1].at if history else NOW)


def test_four_letters_that_fail_in_a_row_end_it(sent: Store) -> None:
    """The policy is asked with each soft bounce."""
    for week in range(4):
        at = NOW + timedelta(weeks=week)
        come_in(sent, [{**told(3, "bounced", f"b{week}", firmness="soft", cause="full"), "at": at.timestamp(),
                        "outbox_id": f"{SEND}.3" if not week else "", "email": "dora@example.com"}])  # fmt: skip
        assert consent_of(sent, 3) == Consent.CONFIRMED
        apply_new(sent, at)

    assert consent_of(sent, 3) == Consent.SUPPRESSED
