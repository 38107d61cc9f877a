"""What a series says, and which letter comes next for whom and when: without a clock and without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from outbox.errors import ConfigError
from outbox.series import Delay, Series, Start, Step
from outbox.series.engine import Move, Standing, advance, find_next, foresee, look_ahead
from outbox.series.files import read, read_delay
from outbox.series.windows import DAY, Window, open_between

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
WEEKDAYS = Window(frozenset(range(5)), ((9 * 60, 17 * 60),))

FILE = """\
title = "One a week"
only = '"carer" in tags'
stop = '"enough" in tags'

[start]
on = "confirmed"

[window]
days = ["mon", "wed"]
hours = "9-18"
quiet = "12:30-14:00"

[[step]]
id = "one"
letter = "first-week"
after = "3 days"

[[step]]
id = "two"
letter = "second"
after = "1 week"
"""


def series_of(*ids: str, after: str = "1 week", catch_up: tuple[str, ...] = ()) -> Series:
    """A series with these steps, each at the same distance."""
    delay = read_delay(after) or Delay()
    steps = tuple(Step(one, f"letter-{one}", delay, one in catch_up) for one in ids)
    return Series("weekly", "Weekly", Start("confirmed"), steps)


SEEN = dict.fromkeys("abcdef", NOON - timedelta(days=30))


def write(tmp_path: Path, text: str) -> Path:
    """A file of a series."""
    path = tmp_path / "series" / "weekly.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    """Everything in it ends up where the engine looks."""
    found = read(write(tmp_path, FILE))

    assert ("weekly", "One a week", Start("confirmed")) == (found.name, found.title, found.start)
    assert ('"carer" in tags', '"enough" in tags') == (found.only, found.stop)
    assert Window(frozenset({0, 2}), ((9 * 60, 12 * 60 + 30), (14 * 60, 18 * 60))) == found.window
    assert (Step("one", "first-week", Delay(3)), Step("two", "second", Delay(7))) == found.steps


def test_a_date_and_a_tag_begin_a_series(tmp_path: Path) -> None:
    """Each trigger with what it needs; tags are written as segments write them."""
    dated = read(write(tmp_path, FILE.replace('on = "confirmed"', 'on = "date"\ndate = 2026-12-01')))
    tagged = read(write(tmp_path, FILE.replace('on = "confirmed"', 'on = "tag"\ntag = " Carer "')))

    assert Start("date", day=date(2026, 12, 1)) == dated.start
    assert Start("tag", tag="carer") == tagged.start


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('after = "1 week"', 'after = "a while"', "series/weekly.toml:21: step.after 'a while': write"),
        ('id = "two"', 'id = "one"', "two steps have the id 'one'; an id is one step's for ever"),
        ('id = "two"', 'id = "Two!"', "step.id 'Two!': write small letters"),
        ('letter = "second"', 'lettre = "second"', "has no key 'lettre'; did you mean 'letter'?"),
        ('letter = "second"\n', "", "series/weekly.toml:18: step needs a key 'letter'"),
        ('on = "confirmed"', 'on = "tag"', "start: on = 'tag' needs a key 'tag'"),
        ('on = "confirmed"', 'on = "confirmed"\nwithin = "3 days"', "start.within is for on = 'not downloaded' only"),
        ('on = "confirmed"', 'on = "opened"', "start.on: invalid enum value"),
        ('hours = "9-18"', 'hours = "9 to 5"', "window.hours '9 to 5': write for example '9-18'"),
        ('hours = "9-18"', 'hours = "13-14"', "window: never opens"),
        ("days = [", "days = [] # [", "window: never opens"),
        ("'\"enough\" in tags'", "'enough in tags'", "stop: column 1: expected a text in quotes"),
        ("title", "[title", "series/weekly.toml: cannot be read"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    """File and line, what is wrong, what to write."""
    with pytest.raises(ConfigError) as caught:
        read(write(tmp_path, FILE.replace(old, new)))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "delay"),
    [
        ("3 days", Delay(3)),
        ("1 week", Delay(7)),
        ("90 minutes", Delay(0, 5400)),
        ("2 hours", Delay(0, 7200)),
        ("at once", Delay()),
        ("soon", None),
        ("-1 days", None),
    ],
)
def test_delays_are_read(words: str, delay: Delay | None) -> None:
    """A number and a unit."""
    assert delay == read_delay(words)


def test_a_week_is_a_week_on_the_wall(tmp_path: Path) -> None:
    """Over the change to summer time a letter keeps its hour; a delay in hours does not."""
    before = datetime(2026, 3, 25, 8, 0, tzinfo=UTC)  # 9:00 in Berlin, 9:00 a week later is 7:00 UTC

    assert datetime(2026, 4, 1, 7, 0, tzinfo=UTC) == Delay(7).after(before, BERLIN)
    assert datetime(2026, 4, 1, 8, 0, tzinfo=UTC) == Delay(0, 168 * 3600).after(before, BERLIN)


def test_a_window_opens_by_the_readers_clock() -> None:
    """Five in the afternoon in Berlin is too late there, and the weekend is no weekday anywhere."""
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)

    assert datetime(2026, 3, 9, 8, 0, tzinfo=UTC) == WEEKDAYS.next(friday, BERLIN)
    assert friday == WEEKDAYS.next(friday, ZoneInfo("America/New_York"))
    assert datetime(2026, 3, 9, 3, 15, tzinfo=UTC) == WEEKDAYS.next(friday, KATHMANDU)


def test_quiet_hours_are_cut_out() -> None:
    """Over midnight, in the middle, all of it."""
    assert ((8 * 60, 21 * 60),) == open_between((0, DAY), (21 * 60, 8 * 60))
    assert ((0, 600), (660, DAY)) == open_between((0, DAY), (600, 660))
    assert ((0, 360), (1320, DAY)) == open_between((22 * 60, 6 * 60), (0, 0))
    assert () == open_between((9 * 60, 10 * 60), (8 * 60, 11 * 60))


spans = some.tuples(some.integers(0, DAY - 1), some.integers(1, DAY)).filter(lambda span: span[0] != span[1])
zones = some.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "UTC"])


@given(
    some.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001  (made aware below)
    spans,
    some.frozensets(some.integers(0, 6), min_size=1),
    zones,
)
def test_the_next_opening_is_open_and_never_before(
    moment: datetime, hours: tuple[int, int], days: frozenset[int], zone: str
) -> None:
    """Whatever the window and the zone: never earlier, open when it comes, within nine days, and once is enough."""
    window = Window(days, open_between(hours, (0, 0)))
    now = moment.replace(tzinfo=UTC)
    opens = window.next(now, ZoneInfo(zone))

    assert now <= opens <= now + timedelta(days=9)
    # but for an hour that the clock leaves out
    assert opens == window.next(opens, ZoneInfo(zone)) or shifts_before(opens, ZoneInfo(zone))


def shifts_before(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone were changed in the hours before."""
    earlier = moment - timedelta(hours=3)
    return moment.astimezone(zone).utcoffset() != earlier.astimezone(zone).utcoffset()


def test_steps_follow_each_other() -> None:
    """Each at its distance from the one before, until none is left."""
    series = series_of("a", "b", "c")
    calendar = list(foresee(series, SEEN, Standing((), NOON), BERLIN, NOON))

    assert [("a", 7), ("b", 14), ("c", 21)] == [(step.id, (at - NOON).days) for step, at in calendar]


def test_a_step_that_is_late_keeps_the_distance_to_the_next() -> None:
    """After an outage of a month a week lies between two letters all the same."""
    series, now = series_of("a", "b"), NOON + timedelta(days=37)
    due = look_ahead(series, SEEN, Standing((), NOON), BERLIN)
    assert due
    move = advance(series, SEEN, Standing((), NOON), BERLIN, due=due, now=now)

    assert move.step
    assert "a" == move.step.id
    assert now + timedelta(days=7) == move.next_at


def test_nothing_goes_while_the_window_is_closed() -> None:
    """What was due in the night goes in the morning, and nobody has moved."""
    series, standing = replace(series_of("a", after="at once"), window=WEEKDAYS), Standing((), NOON)
    night = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    move = advance(series, SEEN, standing, BERLIN, due=NOON, now=night)

    assert Move(None, standing, datetime(2026, 3, 3, 8, 0, tzinfo=UTC)) == move


PASSED = Standing(("a", "b"), NOON)


def next_of(series: Series, standing: Standing = PASSED, **since: datetime) -> str | None:
    """The id of the next step."""
    step, _ = find_next(series, {**SEEN, **since}, standing)
    return step.id if step else None


def test_a_changed_series_never_goes_back() -> None:
    """Whatever is done to the file, who had a and b gets what is new behind them, and nothing twice."""
    later = dict.fromkeys("xyz", NOON + timedelta(days=1))

    assert next_of(series_of("a", "b", "c")) == "c"
    assert next_of(series_of("b", "a", "c")) == "c"
    assert next_of(series_of("c", "a", "b")) == "c"  # it only changed its place
    assert next_of(series_of("x", "a", "b", "c"), **later) == "c"  # it came in behind them
    assert next_of(series_of("x", "a", "b", "c", catch_up=("x",)), **later) == "x"
    assert next_of(series_of("a", "b", "x", "c"), **later) == "x"
    assert next_of(series_of("a", "b", "x"), **later) == "x"
    assert next_of(series_of("b", "c")) == "c"
    assert next_of(series_of("x", "y", "z"), **later) == "z"  # theirs are gone: two letters are behind them
    assert next_of(series_of("a", "b")) is None
    assert next_of(series_of("x"), **later) is None


def test_what_was_passed_over_stays_passed_over() -> None:
    """A step that came in behind somebody is not for them later either."""
    series, inserted = series_of("x", "a", "b", "c", "d"), {**SEEN, "x": NOON + timedelta(days=1)}
    due = NOON + timedelta(days=7)
    move = advance(series, inserted, PASSED, BERLIN, due=due, now=due)

    assert move.step
    assert "c" == move.step.id
    assert "d" == next_of(series, move.standing, x=inserted["x"])


steps = some.lists(some.sampled_from("abcdef"), unique=True, min_size=1, max_size=6)


@given(some.lists(steps, min_size=2, max_size=6), some.data())
def test_no_change_of_a_file_sends_a_step_twice(versions: list[list[str]], data: some.DataObject) -> None:
    """Any number of rewrites between any two letters: each step at most once, and it ends."""
    since: dict[str, datetime] = {}
    standing, now, sent = Standing((), NOON), NOON, list[str]()
    for number, version in enumerate([*versions, *[versions[-1]] * 8]):
        since = {**dict.fromkeys(version, now), **since}
        caught = tuple(version) if number < len(versions) and data.draw(some.booleans()) else ()
        series = series_of(*version, catch_up=caught)
        due = look_ahead(series, since, standing, BERLIN)
        if due:
            now = max(now, due)
            move = advance(series, since, standing, BERLIN, due=due, now=now)
            sent += [move.step.id] if move.step else []
            standing = move.standing

    assert len(set(sent)) == len(sent)
    last = series_of(*versions[-1])
    assert look_ahead(last, since, standing, BERLIN) is None
