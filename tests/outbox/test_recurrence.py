"""The next issue goes every Tuesday at nine: one an occasion, none piled up, right in spring and autumn."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.cli import opening, passes, planning
from outbox.config import Settings, read
from outbox.consent import Claim, enlist
from outbox.desk import Desk
from outbox.model import Consent
from outbox.providers import PROVIDERS
from outbox.recurrence import Recurrence, Waiting, find_due, find_fault, forecast, pick
from outbox.store import Store, ledger, occasions

IssueMaker = Callable[..., Path]
TUESDAYS = Recurrence("0 9 * * TUE", "Europe/Berlin")
TABLE = '[[outbox.recurring]]\ncron = "0 9 * * TUE"\ntime_zone = "Europe/Berlin"\n'
SUNDAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


def moments(*texts: str) -> list[datetime]:
    """Moments from ISO 8601."""
    return [datetime.fromisoformat(text) for text in texts]


def test_occasions_keep_the_hour_in_spring() -> None:
    """Nine o'clock in Berlin is eight in UTC before the clocks change, and seven after."""
    after = islice(TUESDAYS.after(datetime(2026, 3, 20, tzinfo=UTC)), 2)

    assert moments("2026-03-24T08:00Z", "2026-03-31T07:00Z") == list(after)


@pytest.mark.parametrize(
    ("since", "first", "second"),
    [
        ("2026-03-28T12:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"),  # 02:30 is left out: right after
        ("2026-10-24T12:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),  # comes twice: once
    ],
)
def test_an_odd_hour_comes_once(since: str, first: str, second: str) -> None:
    """As in Debian's cron."""
    found = Recurrence("30 2 * * *", "Europe/Berlin").after(datetime.fromisoformat(since))

    assert moments(first, second) == list(islice(found, 2))


@given(st.integers(0, 130_000_000).map(lambda seconds: SUNDAY + timedelta(seconds=seconds)))
def test_the_latest_occasion_is_the_last_before(now: datetime) -> None:
    """It has come, and the next one has not; whatever the second."""
    latest = TUESDAYS.latest(now)

    assert latest <= now
    assert next(TUESDAYS.after(latest)) > now
    assert latest == TUESDAYS.latest(latest)


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 9 * * TUE", ""),
        ("*/15 8-17 1,15 * *", ""),
        ("0 9 * * TUX", "bad day-of-week"),
        ("0 25 * * *", "bad hour"),
        ("0 9 30 2 *", "bad day-of-month"),
        ("@weekly", "has five fields"),
        ("0 0 9 * * TUE", "has five fields"),
        ("", "has five fields"),
    ],
)
def test_a_cron_text_is_understood_or_refused(cron: str, says: str) -> None:
    """The fault is named."""
    assert find_fault(cron).startswith(says)
    assert bool(find_fault(cron)) is bool(says)


def test_missed_occasions_do_not_pile_up() -> None:
    """After three weeks without a sender one is left, the last; used, the next is to come."""
    used, now = datetime(2026, 3, 3, 8, tzinfo=UTC), datetime(2026, 3, 25, tzinfo=UTC)
    missed = find_due(TUESDAYS, used, now)

    assert moments("2026-03-24T08:00Z", "2026-03-31T07:00Z") == [missed, find_due(TUESDAYS, missed, now)]


def test_an_issue_waits_for_its_day() -> None:
    """By day and name; an issue of the same day goes, whatever hour it says, and one without a day comes last."""
    at = datetime(2026, 3, 3, 8, tzinfo=UTC)
    late = Waiting("b", at + timedelta(hours=5))
    early, undated = Waiting("c", at - timedelta(days=9)), Waiting("a", None)

    assert early == pick([late, undated, early], TUESDAYS, at)
    assert late == pick([late, undated], TUESDAYS, at)
    assert undated == pick([undated, Waiting("b", at + timedelta(days=1))], TUESDAYS, at)
    assert pick([Waiting("b", at + timedelta(days=1))], TUESDAYS, at) is None


def test_a_forecast_gives_each_issue_its_occasion() -> None:
    """Two recurrences share the issues; where none is ready the place is empty."""
    fridays = Recurrence("0 17 * * FRI", "Europe/Berlin")
    waiting = [Waiting("one", SUNDAY), Waiting("two", SUNDAY), Waiting("far", SUNDAY + timedelta(days=12))]
    coming = list(islice(forecast([TUESDAYS, fridays], waiting, {}, SUNDAY), 4))

    assert ["one", "two", "", "far"] == [one.slug for one in coming]
    assert moments("2026-03-03T08:00Z", "2026-03-06T16:00Z", "2026-03-10T08:00Z", "2026-03-13T16:00Z") == [
        one.at for one in coming
    ]


def test_an_occasion_is_used_once(any_store: Store) -> None:
    """Nor does one that lies before it come back; a new rule begins now."""
    with any_store.begin() as tx:
        occasions.begin(tx, ["a", "b"], SUNDAY)
        occasions.begin(tx, ["a"], SUNDAY + timedelta(days=9))
        assert occasions.use(tx, "a", SUNDAY + timedelta(days=2), "x")
        assert not occasions.use(tx, "a", SUNDAY + timedelta(days=2), "y")
        assert not occasions.use(tx, "a", SUNDAY + timedelta(days=1), "z")
        used = occasions.read_used(tx, ["a", "b"], SUNDAY + timedelta(days=30))

    assert {"a": SUNDAY + timedelta(days=2), "b": SUNDAY} == used


class Week:
    """A book that is worked on hour by hour, with a clock of its own."""

    def __init__(self, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every command module asks the same clock."""
        self.settings, self.store, self.now = settings, store, SUNDAY
        for module in (opening, planning, passes):
            monkeypatch.setattr(module, "clock", lambda: self.now)

    def work(self, now: datetime) -> list[tuple[str, datetime]]:
        """One pass; which issues were frozen so far, and for when."""
        self.now = now
        provider = PROVIDERS["file"](self.settings.account)
        desk = Desk(self.store, provider, max_late=self.settings.max_late)
        passes.work_once(self.settings, desk, Event(), now=lambda: self.now)
        with self.store.read() as tx:
            return [(one.slug, one.due_at) for one in ledger.progress(tx) if one.state == "active"]


@pytest.fixture
def week(book: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Week:
    """A book whose issues go on Tuesdays at nine in Berlin."""
    (book / "book.toml").write_text((book / "book.toml").read_text("utf-8") + TABLE, "utf-8")
    return Week(read(book / "book.toml", {}), store, monkeypatch)


def test_the_next_issue_goes_every_tuesday(week: Week, make_issue: IssueMaker) -> None:
    """Every six hours for four weeks: two issues, two Tuesdays; what is ready on Wednesday waits for the next."""
    make_issue(slug="2026-02-02-second", send_at="2026-02-02T09:00:00+00:00")
    make_issue(slug="2026-02-01-first", send_at="2026-02-01T09:00:00+00:00")
    sent: list[tuple[str, datetime]] = []
    for hour in range(0, 24 * 28, 6):
        if hour == 24 * 17:  # a Wednesday
            make_issue(slug="2026-02-03-third", send_at="2026-02-03T09:00:00+00:00")
        sent = week.work(SUNDAY + timedelta(hours=hour))

    assert [
        ("2026-02-01-first", datetime(2026, 3, 3, 8, tzinfo=UTC)),
        ("2026-02-02-second", datetime(2026, 3, 10, 8, tzinfo=UTC)),
        ("2026-02-03-third", datetime(2026, 3, 24, 8, tzinfo=UTC)),
    ] == sent


def test_after_an_outage_one_goes_or_asks(week: Week, make_issue: IssueMaker) -> None:
    """A few hours late it goes; weeks late it is paused and asks, and takes no second one with it."""
    for number in range(1, 5):
        make_issue(slug=f"2026-02-0{number}-x", send_at=f"2026-02-0{number}T09:00:00+00:00")
    week.work(SUNDAY)
    first = week.work(datetime(2026, 3, 3, 20, tzinfo=UTC))
    asked = week.work(datetime(2026, 3, 27, tzinfo=UTC))
    again = week.work(datetime(2026, 3, 28, tzinfo=UTC))
    after = week.work(datetime(2026, 3, 31, 7, tzinfo=UTC))
    with week.store.read() as tx:
        paused = [one for one in ledger.progress(tx) if one.state == "paused"]

    assert [("2026-02-01-x", datetime(2026, 3, 3, 8, tzinfo=UTC))] == first == asked == again
    assert [("2026-02-02-x", datetime(2026, 3, 24, 8, tzinfo=UTC))] == [(o.slug, o.due_at) for o in paused]
    assert "2026-02-03-x" == after[-1][0]


def test_an_occasion_may_be_an_hour_on_everybodys_clock(
    week: Week, make_issue: IssueMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `local_time` it is frozen when the first reader's Tuesday begins, and goes to each at nine."""
    week.settings = Settings(**{
        name: getattr(week.settings, name) for name in Settings.__slots__
    } | {"local_time": True})  # fmt: skip
    with week.store.begin() as tx:
        claim = Claim("kiri@example.org", "", Consent.CONFIRMED, "x", "t", time_zone="Pacific/Kiritimati")
        enlist(tx, claim, SUNDAY)
    make_issue(slug="2026-02-01-first", send_at="2026-02-01T09:00:00+00:00")
    week.work(SUNDAY)
    early = week.work(datetime(2026, 3, 2, 18, 59, tzinfo=UTC))
    sent = week.work(datetime(2026, 3, 2, 19, tzinfo=UTC))
    later = week.work(datetime(2026, 3, 3, 9, tzinfo=UTC))

    assert ([], [("2026-02-01-first", datetime(2026, 3, 2, 19, tzinfo=UTC))]) == (early, sent)
    assert later == sent
    assert "1 accepted" in capsys.readouterr().out


def test_a_broken_issue_keeps_its_place(week: Week, make_issue: IssueMaker) -> None:
    """What the gate stops is told at each pass and goes as soon as it is mended; the next one does not overtake."""
    good = "@@unsubscribe_url@@ @@postal_address@@ @@first_name@@"
    make_issue(slug="2026-02-01-first", text="@@first_name@@ @@postal_address@@", send_at=None)
    make_issue(slug="2026-02-02-second", send_at=None)
    week.work(SUNDAY)
    tuesday = datetime(2026, 3, 3, 8, tzinfo=UTC)

    assert [] == week.work(tuesday)
    make_issue(slug="2026-02-01-first", text=good, send_at=None)
    assert [("2026-02-01-first", tuesday)] == week.work(tuesday + timedelta(hours=1))


def test_the_command_line_shows_what_comes_next(
    book: Path, make_issue: IssueMaker, outbox: Callable[..., Any]
) -> None:
    """Without an issue, `outbox plan` lists the next ones; a fault in the table has its line."""
    text = (book / "book.toml").read_text("utf-8")
    make_issue(send_at="2031-03-01T09:00:00+00:00")
    outbox("init", "--sample")
    dated = outbox("plan").stdout
    (book / "book.toml").write_text(text + TABLE, "utf-8")
    plan = outbox("plan").stdout
    told = json.loads(outbox("plan", "--json").stdout)
    worked = outbox("work", "--once").stdout
    (book / "book.toml").write_text(text + TABLE.replace("TUE", "TUX"), "utf-8")

    assert "2031-03-01 09:00 UTC  2026-03-01-first-light" in dated
    assert "0 9 * * TUE: at 09:00 on Tuesday, Europe/Berlin" in plan
    assert "2031-03-04 08:00 UTC  2026-03-01-first-light" in plan
    assert "2026-03-01-first-light" in {one["slug"] for one in told}
    assert "next: " in worked
    assert "[[outbox.recurring]] cron: '0 9 * * TUX' bad day-of-week" in outbox("plan", code=1).stderr
