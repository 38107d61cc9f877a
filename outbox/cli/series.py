"""The commands about series: list, simulate, pause, resume, stop."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from outbox import issue as issues
from outbox.addresses import read_mailbox
from outbox.config import Settings
from outbox.errors import MUST_ACT, IssueError, OutboxError, PeopleError
from outbox.model import Subscriber
from outbox.series import Series
from outbox.series.engine import Standing, foresee
from outbox.series.files import read_all
from outbox.series.run import read_zone
from outbox.store import Store, Tx, subscribers
from outbox.store import series as places
from outbox.store.series import Enrolment

from .opening import clock, opened, print_json, settings_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Letters that follow each other.")
Name = Annotated[str, typer.Argument(metavar="SERIES", help="The name of a file in series/.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Who = Annotated[str, typer.Option(metavar="ADDRESS", help="Somebody on the list.")]


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """Name every series with its steps, how many people are in it, and what is wrong with its file.

    \b
    outbox series list
    outbox series list --json
    """  # noqa: D301
    settings = settings_of(ctx)
    every, errors = read_all(settings.series)
    with opened(settings) as store, store.read() as tx:
        told = [_describe(settings, one, places.find(tx, one.name), places.count(tx)) for one in every]
    if as_json:
        print_json({"series": told, "faults": [str(error) for error in errors]})
    else:
        for one in told:
            _print_series(one)
        print(
            "there is no series yet; docs/automation.md shows one" if not every and not errors else "", end=""
        )
    _end(errors)


@app.command()
def simulate(
    ctx: typer.Context,
    series: Annotated[str, typer.Argument(metavar="[SERIES]", help="Only this one.")] = "",
    subscriber: Who = "",
    start: Annotated[
        str, typer.Option("--from", metavar="DATE", help="When the clock begins: 2026-12-01; else now.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Print which letters somebody will get and when, by a clock that is made up. Nothing is written.

    Whoever is in a series already goes on from where they are; anybody else begins it at DATE.

    \b
    outbox series simulate --subscriber ana@example.org
    outbox series simulate ten-weeks --subscriber ana@example.org --from 2026-12-01
    """  # noqa: D301
    settings = settings_of(ctx)
    every, errors = read_all(settings.series)
    chosen = [one for one in every if series in {"", one.name}]
    if series and not chosen and not errors:
        raise OutboxError(f"there is no series {series!r}; outbox series list names them")
    with opened(settings) as store, store.read() as tx:
        person = _find(tx, subscriber) if subscriber else None
        told = [_foretell(tx, settings, one, person, start) for one in chosen]
    if as_json:
        print_json({"subscriber": subscriber, "series": told})
    else:
        for one in told:
            _print_calendar(one, subscriber or "somebody new")
    _end(errors)


@app.command()
def pause(ctx: typer.Context, series: Name) -> None:
    """Let no step of a series go until you say resume; everybody keeps their place.

    \b
    outbox series pause ten-weeks
    """  # noqa: D301
    with opened(settings_of(ctx)) as store:
        done = _change(store, series, "paused")
    print(f"{series}: paused" if done else f"{series}: was paused before")


@app.command()
def resume(ctx: typer.Context, series: Name) -> None:
    """Let a series go on. Steps that came due meanwhile go with the next pass.

    \b
    outbox series resume ten-weeks
    """  # noqa: D301
    with opened(settings_of(ctx)) as store:
        done = _change(store, series, "active")
    print(f"{series}: goes on with the next pass" if done else f"{series}: was not paused")


@app.command()
def stop(ctx: typer.Context, series: Name, subscriber: Who = "") -> None:
    """End a series for good: for one person, or for everybody who is in it. Nobody begins it again.

    \b
    outbox series stop ten-weeks --subscriber ana@example.org
    outbox series stop ten-weeks
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        if places.find(tx, series) is None:
            raise OutboxError(f"no series {series!r} was begun; outbox series list names them")
        number = places.stop(tx, series, _find(tx, subscriber).id if subscriber else None)
        if not subscriber:
            places.change(tx, series, state="stopped")
    print(f"{series}: stopped for {number} people")


def _change(store: Store, name: str, state: str) -> bool:
    with store.begin() as tx:
        kept = places.find(tx, name)
        if kept is None or kept.state == "stopped":
            why = (
                "was stopped for good" if kept else "was not begun; the next pass of outbox work takes it up"
            )
            raise OutboxError(f"{name}: {why}")
        return places.change(tx, name, state=state)


def _find(tx: Tx, address: str) -> Subscriber:
    person = subscribers.find(tx, read_mailbox(address))
    if person is None:
        raise PeopleError(f"{address} is not on the list")
    return person


def _describe(
    settings: Settings, one: Series, kept: places.Kept | None, counts: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    people = {state: number for state, number in counts.get(one.name, {}).items() if state != "before"}
    return {
        "name": one.name,
        "title": one.title,
        "start": one.start.on,
        "state": kept.state if kept else "new",
        "people": people,
        "steps": [
            {"step": step.id, "letter": step.letter, "subject": _subject(settings, step.letter)}
            for step in one.steps
        ],
    }


def _foretell(
    tx: Tx, settings: Settings, one: Series, person: Subscriber | None, start: str
) -> dict[str, Any]:
    """The calendar of one person in one series."""
    kept, place = places.find(tx, one.name), places.find_of(tx, one.name, person.id) if person else None
    zone = read_zone(person.time_zone if person and one.by_reader else "", settings.time_zone)
    now = _moment(start, zone)
    now = now if place else _beginning(one, now, read_zone(settings.time_zone))
    standing = Standing(place.passed, place.last_at) if place else Standing((), now)
    since = dict.fromkeys((step.id for step in one.steps), standing.last_at) | dict(
        kept.steps if kept else {}
    )
    ended = (kept and kept.state == "stopped") or (place and place.state == "stopped")
    steps = [] if ended else [
        {"step": step.id, "letter": step.letter, "at": at.astimezone(zone), "subject": _subject(settings, step.letter)}
        for step, at in foresee(one, since, standing, zone, now)
    ]  # fmt: skip
    return {
        "name": one.name, "title": one.title, "time_zone": str(zone), "begins": now.astimezone(zone),
        "stands": _stands(tx, one, place, person, now), "steps": steps,
    }  # fmt: skip


def _beginning(one: Series, now: datetime, zone: ZoneInfo) -> datetime:
    """When a series begins for somebody to whom all that it asks for happens now."""
    day = one.start.day
    at = datetime.combine(day, time(), zone).astimezone(UTC) if day else now
    return one.start.within.after(max(at, now), zone)


def _stands(tx: Tx, one: Series, place: Enrolment | None, person: Subscriber | None, now: datetime) -> str:
    if place:
        return f"{place.state}, {len(place.passed)} steps behind them"
    if person and one.only and not places.find_matching(tx, one.only, [person.id], now):
        return f"not for them now: {one.only}"
    if person and one.stop and places.find_matching(tx, one.stop, [person.id], now):
        return f"would stop at once: {one.stop}"
    return "would begin"


def _subject(settings: Settings, letter: str) -> str:
    try:
        return issues.read(settings.letters / letter).subject
    except (IssueError, OSError):
        return ""


def _moment(text: str, zone: Any) -> datetime:
    if not text:
        return clock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write 2026-12-01, or 2026-12-01T09:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _print_series(told: Mapping[str, Any]) -> None:
    people = ", ".join(f"{number} {state}" for state, number in told["people"].items()) or "nobody yet"
    print(f"{told['name']}: {told['title']}")
    print(f"  {told['state']}, begins by: {told['start']}; {people}")
    for number, step in enumerate(told["steps"], 1):
        print(f"  {number:>2}  {step['step']:<16}  {_words(step)}")


def _print_calendar(told: Mapping[str, Any], who: str) -> None:
    print(f"{told['name']}: {told['title']}")
    print(f"  {who}: {told['stands']}; the clock is that of {told['time_zone']}")
    for step in told["steps"]:
        print(f"  {step['at']:%a %d %b %Y %H:%M}  {step['step']:<16}  {_words(step)}")
    if not told["steps"]:
        print("  nothing more comes")


def _words(step: Mapping[str, str]) -> str:
    return step["subject"] or f"{step['letter']}: this letter is not made yet; pipeline newsletter"


def _end(errors: Sequence[OutboxError]) -> None:
    for error in errors:
        print(f"outbox: {error}", file=sys.stderr)
    if errors:
        raise typer.Exit(MUST_ACT)
