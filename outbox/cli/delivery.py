"""The commands that deliver: init, plan, send, work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from importlib import resources
from pathlib import Path
from threading import Event
from typing import Annotated
from uuid import uuid4

import typer

from outbox import mailing
from outbox.addresses import read_mailbox
from outbox.config import Settings
from outbox.consent import enlist_all
from outbox.errors import DONE, MUST_ACT, OutboxError
from outbox.people.claims import read_batches
from outbox.people.sheet import open_sheet
from outbox.store import Store, open_store, plans, subscribers
from outbox.timing import Departure
from outbox.trial import FEW, MEANS, letter_of

from .daemon import look_again
from .opening import clock, database_file, opened, print_json, sending, settings_of, short
from .passes import deliver, freeze, send_test, work_once
from .planning import (
    caps_of,
    list_upcoming,
    plan_of,
    read_issue,
    read_planned,
    say_due,
    say_occasion,
    time_for,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
At = Annotated[
    str,
    typer.Option(metavar="TIME", help="When, with offset: 2026-03-01T09:00+01:00; without one with --local."),
]
Local = Annotated[bool, typer.Option("--local", help="When it is that time on everybody's own clock.")]
#: Time zones named in a line of the calendar.
SHOWN = 3
Named = Annotated[str, typer.Argument(metavar="ISSUE", help="An issue folder, or its name in build/issues.")]


def init(
    ctx: typer.Context,
    sample: Annotated[
        bool, typer.Option("--sample", help="Put five invented people into a new database.")
    ] = False,
) -> None:
    """Make the database. One that is there is brought up to date and keeps its people.

    \b
    outbox init
    outbox init --sample
    """  # noqa: D301
    settings = settings_of(ctx)
    path = database_file(settings)
    if path is not None and not path.exists() and _create(settings, path, sample=sample):
        return
    with opened(settings) as store, store.read() as tx:
        number = sum(subscribers.count(tx).values())
    name = path.name if path else "the database"
    print(f"{name} is there, with {number} people; nobody was added")


def plan(
    ctx: typer.Context, issue: Named = "", at: At = "", local: Local = False, as_json: Json = False
) -> None:
    """Say who would get an issue, when, and what forbids it; the plan's id can be given to send.

    Without an issue, say what goes next by itself.

    \b
    outbox plan
    outbox plan 2026-03-01-the-immune-system
    outbox plan 2026-03-01-the-immune-system --at "2026-03-01 09:00" --local
    outbox plan build/issues/2026-03-01-the-immune-system --json
    """  # noqa: D301
    settings, when = settings_of(ctx), _moment(at, local=local)
    if not issue:
        _tell_upcoming(settings, as_json=as_json)
        return
    with opened(settings) as store:
        one = read_issue(settings, issue)
        timing = time_for(settings, one, when, local=local)
        found = plan_of(settings, store, one, timing, caps_of(settings))
        name = _keep(store, found, timing.at if timing else None)
        coming = next((each for each in list_upcoming(settings, store) if each.slug == found.slug), None)
    if as_json:
        by_itself = coming.at if coming else None
        print_json({**asdict(found), "id": name, "provider": settings.provider, "by_itself": by_itself})
    else:
        _print_plan(found, settings)
        if coming and settings.recurring:
            print(f"  {'by itself':<12}{short(coming.at)}, on an occasion of {coming.rule}")
        print(f"  {'plan':<12}{name}")
    raise typer.Exit(MUST_ACT if found.problems else DONE)


def send(
    ctx: typer.Context,
    issue: Annotated[
        list[str],
        typer.Argument(metavar="ISSUE|PLAN...", help="Issue folders, names in build/issues, or plans."),
    ],
    at: At = "",
    local: Local = False,
    test: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Send it to this address alone, as a test.")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="Send so many, then pause; 0: all.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plans and stop.")] = False,
) -> None:
    """Freeze issues with their audience, and send what is due. Run again, it goes on where it was stopped.

    \b
    outbox send 2026-03-01-the-immune-system
    outbox send --dry-run build/issues/*
    outbox send 2026-03-01-the-immune-system --test me@example.org
    outbox send 2026-03-01-the-immune-system --at 2026-03-01T09:00+01:00
    outbox send 2026-03-01-the-immune-system --at "2026-03-01 09:00" --local
    """  # noqa: D301
    settings, when, stop = settings_of(ctx), _moment(at, local=local), Event()
    with opened(settings) as store:
        planned = [read_planned(settings, store, name) for name in issue]
        issues = [(one, time_for(settings, one, when or wish, local=local)) for one, wish in planned]
        if dry_run:
            caps = caps_of(settings)
            shown = [plan_of(settings, store, one, timing, caps) for one, timing in issues]
            for found in shown:
                _print_plan(found, settings)
            raise typer.Exit(MUST_ACT if any(found.problems for found in shown) else DONE)
    if test:
        to = read_mailbox(test)
        raise typer.Exit(max(send_test(settings, one, to) for one, _ in issues))
    with sending(settings, stop) as desk:
        for one, timing in issues:
            freeze(settings, desk, one, timing)
        raise typer.Exit(deliver(desk, stop, limit=limit, slugs=[one.slug for one, _ in issues]))


def work(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass over everything due, then end.")] = False,
) -> None:
    """Send every issue that is due and was not sent, letters and steps of series, and what was stopped before.

    Without --once it stays and looks again for as long as it runs; SIGTERM lets it finish its calls and end.

    \b
    outbox work --once
    outbox work
    """  # noqa: D301
    settings, stop = settings_of(ctx), Event()
    if not once:
        look_again(settings, stop)
        return
    with sending(settings, stop) as desk:
        code = work_once(settings, desk, stop)
    raise typer.Exit(code)


COMMANDS = (init, plan, send, work)


def _tell_upcoming(settings: Settings, *, as_json: bool) -> None:
    with opened(settings) as store:
        found = list_upcoming(settings, store)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for recurrence in settings.recurring:
        print(f"{recurrence.cron}: {recurrence}")
    for one in found:
        print(f"  {say_occasion(one)}")
    if not found:
        print("every issue was sent")


def _keep(store: Store, found: mailing.Plan, at: datetime | None) -> str:
    now = clock()
    with store.begin() as tx:
        return plans.keep(
            tx,
            slug=found.slug,
            digest=found.digest,
            due_at=found.due_at,
            audience=found.audience,
            at=at,
            now=now,
        )


def _create(settings: Settings, path: Path, *, sample: bool) -> bool:
    """Build the database beside its place and move it there in one step; False when somebody was faster."""
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    invented = sample and settings.provider == "file"  # invented people are never written to for real
    with resources.as_file(resources.files("outbox.sample").joinpath("subscribers.csv")) as path_of_list:
        (batch,) = read_batches(open_sheet(path_of_list))
    try:
        store = open_store(f"sqlite:///{beside}", clock())
        with store.begin() as tx:
            added = len(enlist_all(tx, batch.claims, clock(), method="import")) if invented else 0
        store.close()
        os.link(beside, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise OutboxError(f"{path} cannot be made: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
    print(f"made {path.name} with {added} invented people" if invented else f"made {path.name}")
    if sample and not invented:
        print(f"the sample list is for the provider 'file', not for {settings.provider!r}; nobody was added")
    return True


def _moment(text: str, *, local: bool) -> datetime | None:
    """A time that was given by hand; `local`, it has no offset."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-03-01T09:00+01:00") from None
    if local and moment.tzinfo:
        raise typer.BadParameter(f"{text!r} has an offset; with --local write 2026-03-01T09:00")
    if not local and moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} has no offset; write {text}+01:00, or Z for UTC, or say --local for everybody's own clock"
        )
    return moment


def _print_plan(found: mailing.Plan, settings: Settings) -> None:
    print(found.slug)
    more = (
        f" ({', '.join(found.first)}{', ...' if found.audience > len(found.first) else ''})"
        if found.first
        else ""
    )
    rows = [
        *_list_subjects(found, settings),
        ("people", f"{found.audience}{more}"),
        ("due", say_due(found)),
        *(("", _say_departure(one)) for one in found.calendar),
        ("provider", settings.provider),
        ("content", found.digest[:12]),
    ]
    if found.frozen:
        rows.append(
            (
                "sent before",
                "yes" if found.frozen == found.digest else f"with other content {found.frozen[:12]}",
            )
        )
    rows += [("problem", problem) for problem in found.problems] + [("note", note) for note in found.notes]
    for name, value in rows:
        print(f"  {name:<12}{value}")


def _list_subjects(found: mailing.Plan, settings: Settings) -> Iterator[tuple[str, str]]:
    """The subject, or all that are compared and how."""
    if not found.subjects:
        yield "subject", found.subject
        return
    for number, subject in enumerate(found.subjects):
        yield f"subject {letter_of(number)}", subject
    rules = settings.trial
    rest = "" if rules.share == 1 else f"; after {rules.hours:g} hours the rest gets {MEANS[rules.measure]}"
    each = rules.share * found.audience / len(found.subjects)
    yield "compared", f"by about {each:.0f} people each{rest}"
    if each < FEW:
        yield "note", f"what fewer than {FEW} people do differently is mostly chance"


def _say_departure(one: Departure) -> str:
    """How many at which moment, and where they live."""
    more = f" and {len(one.zones) - SHOWN} more" if len(one.zones) > SHOWN else ""
    where = f"{', '.join(one.zones[:SHOWN])}{more}"
    return f"{one.people:>9,}  {short(one.at)}  {where}{' (has passed: they get it at once)' if one.passed else ''}"
