"""Series at work, on both databases, with a clock that can be moved: nobody twice, nobody forgotten."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from outbox.consent import enlist, erase, unsubscribe
from outbox.model import Claim, Consent
from outbox.series import Delay, Series, Start, Step
from outbox.series import run as series_run
from outbox.series.run import run
from outbox.series.windows import Window
from outbox.store import Store, downloads, letters, subscribers, wishes
from outbox.store import series as places

Run = Callable[..., "subprocess.CompletedProcess[str]"]
IssueMaker = Callable[..., Path]
DAY = timedelta(days=1)
WEEKLY = Series(
    "weekly",
    "Weekly",
    Start("confirmed"),
    (Step("a", "first", Delay(1)), Step("b", "second", Delay(7)), Step("c", "third", Delay(7))),
    digest="1",
)


class Life:
    """A list, series, and a clock."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.time = store, now

    def join(self, email: str, *, method: str = "link", zone: str = "", tags: tuple[str, ...] = ()) -> None:
        """Somebody confirms."""
        claim = Claim(email, "", Consent.CONFIRMED, "pressed the button", "test", time_zone=zone, tags=tags)
        with self.store.begin() as tx:
            enlist(tx, claim, self.time, method=method)

    def give(self, email: str, *tags: str) -> None:
        """Somebody gets tags."""
        with self.store.begin() as tx:
            subscribers.add_tags(tx, [(self.number(email), tag) for tag in tags])

    def number(self, email: str) -> int:
        """Somebody's number."""
        with self.store.read() as tx:
            person = subscribers.find(tx, email)
        assert person
        return person.id

    def leave(self, email: str) -> None:
        """Somebody leaves."""
        with self.store.begin() as tx:
            person = subscribers.find(tx, email)
            assert person
            unsubscribe(tx, person, source="test", now=self.time)

    def live(self, *every: Series, days: int = 0, step: int = 12) -> None:
        """Time passes, so many hours at a time, with a pass each time; no days: one pass now."""
        for _ in range(days * 24 // step or 1):
            self.time += timedelta(hours=step if days else 0)
            run(self.store, every, "UTC", self.time)

    def queued(self, email: str) -> list[tuple[str, datetime]]:
        """Which letters somebody is to get, and when."""
        with self.store.read() as tx:
            return [(one.name, one.due_at) for one in letters.find_unsent(tx, self.number(email))]

    def names(self, email: str) -> list[str]:
        """Likewise, without the moments."""
        return [name for name, _ in self.queued(email)]

    def place(self, email: str, series: str = "weekly") -> str:
        """Where somebody stands."""
        with self.store.read() as tx:
            found = places.find_of(tx, series, self.number(email))
        return found.state if found else ""


@pytest.fixture
def life(any_store: Store, now: datetime) -> Life:
    """Series that were seen before anybody came."""
    life = Life(any_store, now)
    life.live(WEEKLY)
    return life


def test_steps_come_one_after_the_other(life: Life) -> None:
    """Each at its day, until the series is over; then nothing more comes."""
    joined = life.time
    life.join("zoe@example.org")
    life.live(WEEKLY, days=20)
    days = [(name, (at - joined).days) for name, at in life.queued("zoe@example.org")]

    assert [("first", 1), ("second", 8), ("third", 15)] == days
    assert "finished" == life.place("zoe@example.org")


def test_a_series_begins_with_what_happens_from_now_on(life: Life) -> None:
    """Who was there before, and who came by a list, gets nothing; who asks for the past gets it."""
    life.join("imported@example.org", method="import")
    life.live(WEEKLY, days=2)
    again = replace(WEEKLY, name="again", start=Start("confirmed", also_before=True))
    life.live(WEEKLY, again, days=2)

    assert [] == life.names("imported@example.org")
    assert ["first"] == life.names("ana@example.org")
    assert "" == life.place("ana@example.org")
    assert "" == life.place("pia@example.org", "again")  # never confirmed


def test_who_leaves_gets_no_further_step(life: Life) -> None:
    """Nor who has what the series stops at, nor who is forgotten."""
    stopping = replace(WEEKLY, stop='"enough" in tags', digest="2")
    for name in ("leaver", "tagged", "erased"):
        life.join(f"{name}@example.org")
    life.live(stopping, days=2)
    life.leave("leaver@example.org")
    life.give("tagged@example.org", "enough")
    number = life.number("erased@example.org")
    with life.store.begin() as tx:
        person = subscribers.find_by_id(tx, number)
        assert person
        erase(tx, person, ["0123456789abcdef"], source="test", now=life.time)
    life.live(stopping, days=20)

    assert ["first"] == life.names("leaver@example.org")
    assert ["first"] == life.names("tagged@example.org")
    assert ["stopped"] * 2 == [life.place(f"{name}@example.org") for name in ("leaver", "tagged")]
    with life.store.read() as tx:
        assert places.find_of(tx, "weekly", number) is None
        assert ["first"] == [one.name for one in letters.find_unsent(tx, number)]
        assert ["erased"] == [one.dropped for one in letters.find_unsent(tx, number)]


def test_a_tag_begins_a_series(life: Life) -> None:
    """From when it is given on; who had it before is passed over; twice is once."""
    carers = replace(WEEKLY, name="carers", start=Start("tag", tag="carer"))
    life.give("ana@example.org", "carer")
    life.live(carers)
    life.give("dora@example.com", "carer")
    life.give("pia@example.org", "carer")  # has not confirmed
    life.live(carers, days=2)
    with life.store.begin() as tx:
        subscribers.remove_tag(tx, life.number("dora@example.com"), "carer")
    life.live(carers, days=1)
    life.give("dora@example.com", "carer")
    life.live(carers, days=2)

    assert [] == life.names("ana@example.org") == life.names("pia@example.org")
    assert ["first"] == life.names("dora@example.com")


def test_a_date_begins_a_series_for_everybody(life: Life) -> None:
    """Once, for those who are there that day; a day that was over when the file came begins nothing."""
    spring = replace(WEEKLY, name="spring", start=Start("date", day=date(2026, 3, 20)))
    winter = replace(WEEKLY, name="winter", start=Start("date", day=date(2026, 1, 1)))
    life.live(spring, winter, days=18)
    before = life.names("ana@example.org")
    life.live(spring, winter, days=3)
    life.join("late@example.org")
    life.live(spring, winter, days=3)

    assert [] == before
    assert [("first", datetime(2026, 3, 21, 0, 0, tzinfo=UTC))] == [
        (name, at.replace(hour=0)) for name, at in life.queued("ana@example.org")
    ]
    assert [] == life.names("late@example.org")


def test_only_a_part_of_the_list(life: Life) -> None:
    """A segment says for whom a series is."""
    some = replace(WEEKLY, name="some", only='language == "de" or domain == "example.net"')
    life.live(some)
    life.join("zoe@example.org")
    life.join("zoe@example.net")
    life.live(some, days=2)

    assert [] == life.names("zoe@example.org")
    assert ["first"] == life.names("zoe@example.net")


def test_letters_go_by_the_readers_clock(life: Life) -> None:
    """Nine in the morning is nine in the morning; who has no time zone goes by the list's."""
    morning = replace(WEEKLY, window=Window(openings=((9 * 60, 10 * 60),)), digest="2")
    life.time = life.time.replace(hour=12)
    life.join("tokyo@example.org", zone="Asia/Tokyo")
    life.join("lima@example.org", zone="America/Lima")
    life.join("unknown@example.org", zone="Nowhere/Land")
    life.live(morning, days=2, step=1)
    hours = {
        name: [at.hour for _, at in life.queued(f"{name}@example.org")]
        for name in ("tokyo", "lima", "unknown")
    }

    assert {"tokyo": [0], "lima": [14], "unknown": [9]} == hours


def test_a_changed_file_moves_what_is_to_come_and_repeats_nothing(life: Life) -> None:
    """Steps are put in, taken out, renamed and moved; a shorter delay brings the next letter forward."""
    life.join("zoe@example.org")
    life.live(WEEKLY, days=2)
    a, b, c = WEEKLY.steps
    changed = replace(
        WEEKLY,
        digest="2",
        steps=(
            Step("x", "before", Delay(1)),
            replace(c, after=Delay(2)),
            replace(a, letter="first-anew"),
            replace(b, letter="second-anew"),
            Step("d", "fourth", Delay(1)),
        ),
    )
    life.live(changed, days=20)

    assert ["first", "third", "second-anew", "fourth"] == life.names("zoe@example.org")


def test_a_step_that_catches_up_reaches_those_who_were_done(life: Life) -> None:
    """Who has come to the end gets a new letter only where the file says so."""
    life.join("zoe@example.org")
    life.live(WEEKLY, days=20)
    plain = Step("d", "fourth", Delay(1))
    life.live(replace(WEEKLY, steps=(*WEEKLY.steps, plain), digest="2"), days=3)
    before = life.names("zoe@example.org")
    life.live(replace(WEEKLY, steps=(*WEEKLY.steps, replace(plain, catch_up=True)), digest="3"), days=3)

    assert ["first", "second", "third"] == before
    assert ["first", "second", "third", "fourth"] == life.names("zoe@example.org")


def test_an_outage_shifts_a_series_and_crowds_nothing(life: Life) -> None:
    """After a month of silence the next letter comes, and the one after it a week later."""
    life.join("zoe@example.org")
    life.live(WEEKLY)
    life.time += 30 * DAY
    back = life.time
    life.live(WEEKLY, days=9)
    days = [(name, (at - back).days) for name, at in life.queued("zoe@example.org")]

    assert [("first", 0), ("second", 7)] == days


def test_a_paused_series_waits_and_a_stopped_one_ends(life: Life) -> None:
    """Nobody loses their place by a pause."""
    life.join("zoe@example.org")
    life.live(WEEKLY, days=2)
    with life.store.begin() as tx:
        places.change(tx, "weekly", state="paused")
    life.live(WEEKLY, days=20)
    paused = life.names("zoe@example.org")
    with life.store.begin() as tx:
        places.change(tx, "weekly", state="active")
    life.live(WEEKLY, days=1)
    resumed = life.names("zoe@example.org")
    with life.store.begin() as tx:
        assert places.stop(tx, "weekly") == 1
    life.live(WEEKLY, days=20)

    assert ["first"] == paused
    assert ["first", "second"] == resumed == life.names("zoe@example.org")


def test_many_people_are_moved_in_parts(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few fit into a transaction, everybody gets each letter once."""
    monkeypatch.setattr(series_run, "AT_ONCE", 7)
    monkeypatch.setattr(places, "EVENTS", 5)
    for number in range(40):
        life.join(f"p{number}@example.org")
    life.live(WEEKLY, days=9)

    assert {("first", "second")} == {tuple(life.names(f"p{number}@example.org")) for number in range(40)}


def test_the_gift_begins_a_series_or_its_absence_does(life: Life) -> None:
    """Who fetched the book gets one series, who did not within five days the other, and nobody both."""
    fetched = replace(WEEKLY, name="fetched", start=Start("downloaded"))
    waiting = replace(WEEKLY, name="waiting", start=Start("not downloaded", within=Delay(5)))
    life.live(fetched, waiting)
    for name in ("quick", "slow"):
        life.join(f"{name}@example.org")
    life.live(fetched, waiting, days=1)
    with life.store.begin() as tx:
        number = subscribers.find(tx, "quick@example.org")
        assert number
        downloads.record(tx, number.id, "book.epub", "link", most=9, now=life.time)
    life.live(fetched, waiting, days=6)
    places_of = {
        (name, series): life.place(f"{name}@example.org", series)
        for name in ("quick", "slow")
        for series in ("fetched", "waiting")
    }

    assert {("quick", "fetched"): "active", ("slow", "waiting"): "active"} == {
        who: state for who, state in places_of.items() if state
    }
    assert ["first"] == life.names("quick@example.org") == life.names("slow@example.org")


def test_steps_wait_while_their_reader_rests(life: Life) -> None:
    """A pause of a month moves the series by a month."""
    life.join("zoe@example.org")
    until = life.time + 30 * DAY
    with life.store.begin() as tx:
        person = subscribers.find(tx, "zoe@example.org")
        assert person
        wishes.keep(tx, person.id, wishes.Wishes(paused_until=until))
    life.live(WEEKLY, days=38)

    assert [("first", until), ("second", until + 7 * DAY)] == life.queued("zoe@example.org")
