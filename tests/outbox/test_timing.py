"""Everybody gets an issue when it is the author's hour on their own clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from outbox import mailing
from outbox.consent import Claim, enlist
from outbox.issue import read
from outbox.model import Consent, Envelope, State
from outbox.store import Store, ledger, verify
from outbox.timing import Timing, find_moment, make_calendar
from tests.outbox.diary import Diary

IssueMaker = Callable[..., Path]
NINE = datetime(2026, 12, 1, 9)  # noqa: DTZ001  (on everybody's own clock)
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
ORDER: dict[str, Any] = {"provider": "file", "max_batch": 2, "on_unknown": "hold", "send_id": "s"}
#: Where each of these people lives, and when it is nine there.
PEOPLE = {
    "kiri@example.org": ("Pacific/Kiritimati", datetime(2026, 11, 30, 19, tzinfo=UTC)),
    "ben@example.org": ("Europe/Berlin", datetime(2026, 12, 1, 8, tzinfo=UTC)),
    "lena@example.org": ("Europe/Berlin", datetime(2026, 12, 1, 8, tzinfo=UTC)),
    "ana@example.org": ("", datetime(2026, 12, 1, 9, tzinfo=UTC)),
    "lou@example.org": ("America/Los_Angeles", datetime(2026, 12, 1, 17, tzinfo=UTC)),
}


@pytest.fixture
def travellers(any_store: Store) -> Store:
    """Five people in four time zones."""
    with any_store.begin() as tx:
        tx.connection.execute(text("UPDATE subscriber SET consent = 'unsubscribed'"))
        for email, (zone, _) in PEOPLE.items():
            enlist(tx, Claim(email, "", Consent.CONFIRMED, "said yes", "test", time_zone=zone), BEFORE)
        tx.connection.execute(
            text("UPDATE subscriber SET consent = 'confirmed' WHERE email = 'ana@example.org'")
        )
    return any_store


def freeze(store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime) -> None:
    """For nine o'clock on everybody's own clock."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, timing=Timing(NINE), **ORDER)


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2026-12-01T09:00", "Europe/Berlin", "2026-12-01T08:00Z"),
        ("2026-07-01T09:00", "Europe/Berlin", "2026-07-01T07:00Z"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30Z"),  # left out: it is 03:30 then
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30Z"),  # comes twice: the first
        ("2026-12-01T09:00", "Asia/Kathmandu", "2026-12-01T03:15Z"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45Z"),  # summer time of half an hour
    ],
)
def test_an_hour_is_found_on_every_clock(wall: str, zone: str, moment: str) -> None:
    """Summer time and winter time, the hour that is left out and the one that comes twice."""
    assert datetime.fromisoformat(moment) == find_moment(datetime.fromisoformat(wall), zone)


@given(
    wall=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001
    people=st.dictionaries(
        st.sampled_from(["", "UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Mars/Base"]),
        st.integers(min_value=1, max_value=1000),
    ),
)
def test_nobody_is_missing_in_a_calendar(wall: datetime, people: dict[str, int]) -> None:
    """Whatever the hour and wherever people live, and within a day of the hour itself."""
    calendar = make_calendar(Timing(wall, "Europe/Berlin"), people, BEFORE)

    assert sum(people.values()) == sum(one.people for one in calendar)
    assert all(abs(one.at - wall.replace(tzinfo=UTC)) <= timedelta(hours=15) for one in calendar)
    assert sorted(one.at for one in calendar) == [one.at for one in calendar]


def test_everybody_gets_it_at_nine(travellers: Store, make_issue: IssueMaker, envelope: Envelope) -> None:
    """Hour by hour for two days: nobody early, nobody late, nobody twice, and the ledger is whole."""
    freeze(travellers, make_issue, envelope, BEFORE)
    diary = Diary(BEFORE)
    for hour in range(48):
        diary.work(travellers, BEFORE + timedelta(hours=hour), max_late=timedelta(hours=24))
    with travellers.read() as tx:
        (progress,), faults = ledger.progress(tx), verify.find_faults(tx)

    assert {email: moment for email, (_, moment) in PEOPLE.items()} == diary.got
    assert ({State.ACCEPTED: 5}, "active", []) == (progress.states, progress.state, faults)
    assert PEOPLE["kiri@example.org"][1] == progress.due_at


def test_people_of_one_hour_share_calls(
    travellers: Store, make_issue: IssueMaker, envelope: Envelope
) -> None:
    """A call holds people of one moment, and no more than it takes."""
    freeze(travellers, make_issue, envelope, BEFORE)
    with travellers.read() as tx:
        sizes = tx.connection.execute(text("SELECT not_before, size FROM chunk ORDER BY no")).all()

    assert sorted([2, 1, 1, 1]) == sorted(size for _, size in sizes)
    assert len({at for at, _ in sizes}) == 4


def test_whose_hour_has_passed_gets_it_at_once(
    travellers: Store, make_issue: IssueMaker, envelope: Envelope
) -> None:
    """Frozen when it is already ten in Berlin: the first pass catches up, the plan said so."""
    late = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    with travellers.read() as tx:
        plan = mailing.plan(tx, read(make_issue()), envelope, now=late, timing=Timing(NINE))
    freeze(travellers, make_issue, envelope, late)
    diary = Diary(late)
    diary.work(travellers, late, max_late=timedelta(hours=24))

    assert {"kiri@example.org", "ben@example.org", "lena@example.org", "ana@example.org"} == diary.got.keys()
    assert [(1, True), (2, True), (1, True), (1, False)] == [
        (one.people, one.passed) for one in plan.calendar
    ]
    assert ("Europe/Berlin",) == plan.calendar[1].zones


def test_an_outage_asks_for_those_who_waited_too_long(
    travellers: Store, make_issue: IssueMaker, envelope: Envelope
) -> None:
    """Of what was due more than a day ago the author is asked, and the rest waits with it."""
    freeze(travellers, make_issue, envelope, BEFORE)
    diary = Diary(BEFORE)
    diary.work(travellers, PEOPLE["kiri@example.org"][1], max_late=timedelta(hours=24))
    diary.work(travellers, PEOPLE["lou@example.org"][1] + timedelta(hours=20), max_late=timedelta(hours=24))
    with travellers.read() as tx:
        (progress,) = ledger.progress(tx)

    assert ["kiri@example.org"] == list(diary.got)
    assert "paused" == progress.state
    assert "outbox resume" in progress.reason


def test_a_zone_that_nobody_knows_is_told(
    travellers: Store, make_issue: IssueMaker, envelope: Envelope
) -> None:
    """The list's is taken, and the plan says for how many."""
    with travellers.begin() as tx:
        tx.connection.execute(text("UPDATE subscriber SET time_zone = 'Mars/Base' WHERE time_zone = ''"))
        when = Timing(NINE, "Europe/Berlin")
        plan = mailing.plan(tx, read(make_issue()), envelope, now=BEFORE, timing=when)

    assert any("1 people have the time zone 'Mars/Base'" in note for note in plan.notes)
    assert 3 == next(one.people for one in plan.calendar if "Europe/Berlin" in one.zones)


def test_the_command_line_reads_an_hour_on_everybodys_clock(
    book: Path, make_issue: IssueMaker, outbox: Callable[..., Any]
) -> None:
    """A plan shows the calendar and is sent as it was shown; a time with an offset and --local do not go together."""
    make_issue()
    (book / "list.csv").write_text(
        "email,time_zone,basis\nkiri@example.org,Pacific/Kiritimati,x\nlou@example.org,America/Denver,x\n"
    )
    outbox("init")
    outbox("subscribers", "import", "list.csv")
    words = ("2026-03-01-first-light", "--at", "2030-12-01 09:00", "--local")
    plan = json.loads(outbox("plan", *words, "--json").stdout)
    outbox("send", plan["id"])
    (status,) = json.loads(outbox("status", "--json").stdout)["issues"]

    assert sum(one["people"] for one in plan["calendar"]) == plan["audience"] == 2
    assert ["2030-11-30T19:00:00+00:00", "2030-12-01T16:00:00+00:00"] == [
        one["at"] for one in plan["calendar"]
    ]
    assert status["due_at"] == plan["due_at"] == plan["calendar"][0]["at"]
    assert status["states"] == {"planned": 2}
    assert "--local" in outbox("plan", *words[:3], code=2).stderr
    assert "has an offset" in outbox("plan", words[0], "--at", "2030-12-01T09:00Z", "--local", code=2).stderr
    assert "has no time of its own" in outbox("plan", words[0], "--local", code=1).stderr


def test_a_book_may_go_by_everybodys_clock(
    book: Path, make_issue: IssueMaker, outbox: Callable[..., Any]
) -> None:
    """With `local_time`, the hour of an issue is the hour where its reader lives; the list has a zone of its own."""
    settings = (book / "book.toml").read_text("utf-8")
    settings = settings.replace('id = "letters', 'time_zone = "Asia/Tokyo"\nid = "letters')
    (book / "book.toml").write_text(settings + "local_time = true\n", "utf-8")
    make_issue(send_at="2030-12-01T09:00:00+01:00")
    outbox("init")
    outbox("subscribers", "add", "ana@example.org", "--basis", "said yes")
    plan = json.loads(outbox("plan", "2026-03-01-first-light", "--json").stdout)
    (book / "book.toml").write_text(settings.replace("Asia/Tokyo", "Mars/Base"), "utf-8")

    assert ["2030-12-01T00:00:00+00:00"] == [one["at"] for one in plan["calendar"]]
    assert "book.toml:7: [list] time_zone: 'Mars/Base' is not a time zone" in outbox("status", code=1).stderr
