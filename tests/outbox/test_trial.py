"""Subjects are compared on a part of the list, and the rest gets the winner: once, and whatever happens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from outbox import mailing
from outbox.consent import Claim, enlist, unsubscribe
from outbox.errors import IssueError
from outbox.issue import read
from outbox.model import UNDECIDED, Consent, Envelope, EventType, Report, State
from outbox.store import Store, events, ledger, subscribers, trials, verify, wishes
from outbox.timing import Timing
from outbox.trial import Result, Rules, choose, draw
from tests.outbox.diary import Diary

IssueMaker = Callable[..., Path]
SUBJECTS = ["First light", "What @@first_name@@ sees at dawn"]
ORDER: dict[str, Any] = {"provider": "file", "max_batch": 7, "on_unknown": "hold", "send_id": "s"}
HALF = Rules(share=0.5, hours=4)
NUMBER = 60


@pytest.fixture
def town(any_store: Store, now: datetime) -> Store:
    """Sixty people besides the three who are there."""
    with any_store.begin() as tx:
        for number in range(NUMBER - 3):
            claim = Claim(f"reader{number}@example.org", f"Reader{number}", Consent.CONFIRMED, "yes", "test")
            enlist(tx, claim, now)
    return any_store


def freeze(store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime, **more: Any) -> None:
    """An issue with two subjects, half of the people compare them."""
    issue = read(make_issue(subject=SUBJECTS[0], subjects=SUBJECTS))
    with store.begin() as tx:
        mailing.freeze(tx, issue, envelope, now=now, **{"rules": HALF, **ORDER, **more})


def leave(store: Store, emails: list[str], now: datetime) -> None:
    """Let people unsubscribe."""
    with store.begin() as tx:
        for email in emails:
            person = subscribers.find(tx, email)
            assert person
            unsubscribe(tx, person, source="test", now=now)


def who_got(diary: Diary, first: bool) -> list[str]:  # noqa: FBT001
    """Who got the first subject, or the second."""
    return [email for email, subject in diary.subjects.items() if (subject == "First light") is first]


@given(
    share=st.floats(min_value=0.01, max_value=1),
    send_id=st.uuids().map(lambda one: one.hex),
    subjects=st.integers(min_value=2, max_value=5),
)
def test_chance_is_fair_and_always_the_same(share: float, send_id: str, subjects: int) -> None:
    """Each subject gets its part of the share, and asked again a person gets the same."""
    rules = Rules(share=share)
    drawn = [draw(rules, send_id, number, subjects) for number in range(2000)]
    counted = Counter(drawn)

    assert drawn == [draw(rules, send_id, number, subjects) for number in range(2000)]
    assert counted.keys() <= {UNDECIDED, *range(subjects)}
    for variant in range(subjects):
        assert abs(counted[variant] - 2000 * share / subjects) < 150


@pytest.mark.parametrize(
    ("measure", "results", "winner", "why"),
    [
        ("kept", [Result(100, 4), Result(100, 1)], 1, "kept: A 96.00%, B 99.00%"),
        ("kept", [Result(100, 1), Result(100, 1)], 0, "kept: A 99.00%, B 99.00%"),
        ("kept", [Result(100, 1), Result()], 0, "too little is known by kept, so the first"),
        ("clicks", [Result(90, 0, 10, 5, 1), Result(90, 0, 20, 9, 3)], 1, "clicks: A 10.00%, B 15.00%"),
        ("clicks", [Result(90, 0), Result(90, 0)], 0, "too little is known by clicks, so the first"),
        ("opens", [Result(90, 0, 10, 5), Result(90, 0, 10, 4)], 0, "opens: A 50.00%, B 40.00%"),
        ("by-hand", [Result(90, 9), Result(90, 0)], 0, "nobody chose in time, so the first"),
    ],
)
def test_the_winner_follows_from_what_is_known(
    measure: Any, results: list[Result], winner: int, why: str
) -> None:
    """By the stated measure; a tie, or nothing known, gives the first."""
    assert (winner, why) == choose(measure, results)


def test_the_rest_gets_the_subject_that_fewer_left_over(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Half compare, three leave over the first subject, and after four hours the second goes to all others."""
    freeze(town, make_issue, envelope, now)
    diary = Diary(now)
    diary.work(town, now)
    first, second = who_got(diary, first=True), who_got(diary, first=False)
    leave(town, first[:3], now + timedelta(hours=1))
    with town.read() as tx:
        until = ledger.find_waiting(tx)
    diary.work(town, now + timedelta(hours=3, minutes=59))
    waiting = NUMBER - len(first) - len(second)
    assert (waiting, now + timedelta(hours=4)) == until
    assert len(diary.got) == len(first) + len(second)

    diary.work(town, now + timedelta(hours=4))
    with town.read() as tx:
        trial, faults, (progress,) = trials.find(tx, "s"), verify.find_faults(tx), ledger.progress(tx)
        told = ledger.history(tx, 1)

    assert {State.ACCEPTED: NUMBER} == progress.states
    assert first == who_got(diary, first=True)
    assert len(diary.got) == NUMBER
    assert [] == faults
    assert trial
    assert (1, 0) == (trial.winner, trial.waiting)
    assert [(len(first), 3), (len(second), 0)] == [(one.reached, one.lost) for one in trial.results]
    assert ["A" if "ana@example.org" in first else "B"] == [one.subject for one in told]


def test_the_author_may_choose_before(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """By hand and at once; chosen twice, the first choice stays."""
    freeze(town, make_issue, envelope, now)
    diary = Diary(now)
    diary.work(town, now)
    with town.begin() as tx:
        assert trials.decide(tx, "s", 1, "by hand", now)
        assert not trials.decide(tx, "s", 0, "by hand", now)
    first = who_got(diary, first=True)
    diary.work(town, now + timedelta(minutes=1))

    assert NUMBER == len(diary.got)
    assert first == who_got(diary, first=True)


def test_a_pass_that_dies_forgets_nobody(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Stopped in the middle of each half, and gone on by new processes."""
    freeze(town, make_issue, envelope, now, on_unknown="resend")
    diary, at = Diary(now), now

    class Died(BaseException):
        pass

    def die() -> None:
        real = diary.send

        def send(batch: Any) -> Any:
            if len(diary.calls) % 3 == 2:
                diary.calls.append((at, ()))
                raise Died
            return real(batch)

        diary.send = send  # type: ignore[method-assign]

    die()
    for hour in range(12):
        at = now + timedelta(hours=hour)
        for _ in range(12):
            try:
                diary.work(town, at)
                break
            except Died:
                if town.many:
                    with town.begin() as tx:
                        tx.connection.exec_driver_sql(
                            "UPDATE chunk SET lease_until = now() - interval '1 second' WHERE lease_owner <> ''"
                        )
    with town.read() as tx:
        (progress,), faults = ledger.progress(tx), verify.find_faults(tx)

    assert {State.ACCEPTED: NUMBER} == progress.states
    assert (NUMBER, []) == (len(diary.got), faults)


def test_nobody_is_compared_and_yet_nobody_is_forgotten(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """A share so small that chance picks nobody: everybody gets the first subject, at once."""
    freeze(town, make_issue, envelope, now, rules=Rules(share=1e-9))
    diary = Diary(now)
    diary.work(town, now)

    assert NUMBER == len(who_got(diary, first=True))


def test_a_late_trial_still_compares(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The hours count from the first call, so a send that was paused for a week compares all the same."""
    freeze(town, make_issue, envelope, now)
    with town.begin() as tx:
        ledger.pause(tx, "s", "by hand")
        ledger.resume(tx, "s", now + timedelta(days=7))
    diary, later = Diary(now), now + timedelta(days=7)
    diary.work(town, later, max_late=timedelta(hours=24))
    compared = len(diary.got)
    diary.work(town, later + timedelta(hours=4), max_late=timedelta(hours=24))

    assert 0 < compared < NUMBER
    assert NUMBER == len(diary.got)


def test_clicks_count_for_those_who_agreed(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Whoever did not agree to be counted is not, however often they click."""
    freeze(town, make_issue, envelope, now, rules=Rules(share=0.5, measure="clicks"))
    diary = Diary(now)
    diary.work(town, now)
    first, second = who_got(diary, first=True), who_got(diary, first=False)
    with town.begin() as tx:
        for number, email in enumerate([*first, second[0]]):
            person = subscribers.find(tx, email)
            assert person
            if email in {first[0], second[0]}:
                wishes.keep(tx, person.id, wishes.Wishes(tracking=True))
            if email != first[0]:
                said = Report("file", f"e{number}", EventType.CLICKED, now, f"s.{person.id}")
                events.record(tx, said, now)
    diary.work(town, now + timedelta(hours=4))
    with town.read() as tx:
        trial = trials.find(tx, "s")

    assert trial
    assert (1, "clicks: A 0.00%, B 100.00%") == (trial.winner, trial.why)


def test_with_two_clocks_everybody_keeps_their_hour(
    town: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The rest gets the winner at its own hour, or at once when that has passed."""
    with town.begin() as tx:
        tx.connection.execute(text("UPDATE subscriber SET time_zone = 'America/Denver' WHERE mod(id, 2) = 0"))
    wall = now.replace(tzinfo=None)
    freeze(town, make_issue, envelope, now, timing=Timing(wall))
    diary = Diary(now)
    for hour in range(9):
        diary.work(town, now + timedelta(hours=hour))
    hours = Counter((at - now).total_seconds() / 3600 for at in diary.got.values())

    assert {0, 4, 7} == hours.keys()
    assert NUMBER == hours.total()


@pytest.mark.parametrize(
    "subjects",
    [["First light"], ["First light", "First light"], ["Another", "First light"], ["First light", ""]],
)
def test_subjects_that_cannot_be_compared_are_refused(make_issue: IssueMaker, subjects: list[str]) -> None:
    """One alone, the same twice, or the first not that of the issue."""
    with pytest.raises(IssueError, match="subjects"):
        read(make_issue(subject="First light", subjects=subjects))


def test_the_gate_reads_every_subject(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """A second one that looks like an answer is told as well."""
    issue = read(make_issue(subject="First light", subjects=["First light", "Re: light @@first_name@@"]))
    with store.read() as tx:
        plan = mailing.plan(tx, issue, envelope, now=now)

    assert any("begins with 'Re:'" in note for note in plan.notes)


def test_the_command_line_shows_and_chooses(
    book: Path, make_issue: IssueMaker, outbox: Callable[..., Any]
) -> None:
    """Plan, test, status, winner: each names subjects by their letters."""
    settings = (book / "book.toml").read_text("utf-8")
    trial = '[outbox.trial]\nshare = 0.5\nmeasure = "by-hand"\n'
    (book / "book.toml").write_text(settings + trial, "utf-8")
    make_issue(subject=SUBJECTS[0], subjects=SUBJECTS)
    slug = "2026-03-01-first-light"
    outbox("init")
    rows = "".join(f"reader{number}@example.org,Reader,x\n" for number in range(40))
    (book / "list.csv").write_text(f"email,name,basis\n{rows}")
    outbox("subscribers", "import", "list.csv")
    plan = outbox("plan", slug).stdout
    test = outbox("send", slug, "--test", "me@example.org").stdout
    sent = outbox("send", slug).stdout
    status = json.loads(outbox("status", "--json").stdout)["issues"][0]["trial"]
    refused = outbox("winner", slug, "C", code=2).stderr
    chosen = outbox("winner", slug, "b").stdout
    again = outbox("winner", slug, "A", code=1).stderr
    outbox("work", "--once")
    told = outbox("status").stdout

    assert "subject B   What @@first_name@@ sees at dawn" in plan
    assert "by about 10 people each; after 4 hours the rest gets the one you choose, else the first" in plan
    assert test.count("accepted") == 2
    assert f"{status['waiting']} messages wait until" in sent
    assert status["results"]["A"]["reached"] + status["results"]["B"]["reached"] == 40 - status["waiting"]
    assert "A, B, not 'C'" in refused
    assert f"B goes to the {status['waiting']} people who wait" in chosen
    assert "B was chosen before (by hand)" in again
    assert "40 accepted of 40" in told
    assert "the winner" in told
    broken = (book / "book.toml").read_text("utf-8").replace("0.5", "5")
    (book / "book.toml").write_text(broken, "utf-8")
    assert "book.toml:13: [outbox.trial] share" in outbox("status", code=1).stderr
