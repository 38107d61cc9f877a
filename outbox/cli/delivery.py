"""The commands that deliver: init, plan, send, work."""

from __future__ import annotations

import os
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

from .daemon import look_again
from .opening import clock, database_file, opened, print_json, sending, settings_of, short
from .passes import (
    caps_of,
    deliver,
    freeze,
    plan_of,
    read_issue,
    read_planned,
    send_test,
    work_once,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
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


def plan(ctx: typer.Context, issue: Named, as_json: Json = False) -> None:
    """Say who would get an issue, when, and what forbids it; the plan's id can be given to send.

    \b
    outbox plan 2026-03-01-the-immune-system
    outbox plan build/issues/2026-03-01-the-immune-system --json
    """  # noqa: D301
    settings = settings_of(ctx)
    with opened(settings) as store:
        found = plan_of(settings, store, read_issue(settings, issue), None, caps_of(settings))
        name = _keep(store, found)
    if as_json:
        print_json({**asdict(found), "id": name, "provider": settings.provider})
    else:
        _print_plan(found, settings)
        print(f"  {'plan':<12}{name}")
    raise typer.Exit(MUST_ACT if found.problems else DONE)


def send(
    ctx: typer.Context,
    issue: Annotated[
        list[str],
        typer.Argument(metavar="ISSUE|PLAN...", help="Issue folders, names in build/issues, or plans."),
    ],
    at: Annotated[str, typer.Option(metavar="TIME", help="When, with offset: 2026-03-01T09:00+01:00.")] = "",
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
    """  # noqa: D301
    settings, when, stop = settings_of(ctx), _moment(at), Event()
    with opened(settings) as store:
        issues = [read_planned(settings, store, name) for name in issue]
        if dry_run:
            caps = caps_of(settings)
            shown = [plan_of(settings, store, one, when, caps) for one in issues]
            for found in shown:
                _print_plan(found, settings)
            raise typer.Exit(MUST_ACT if any(found.problems for found in shown) else DONE)
    if test:
        to = read_mailbox(test)
        raise typer.Exit(max(send_test(settings, one, to) for one in issues))
    with sending(settings, stop) as desk:
        for one in issues:
            freeze(settings, desk, one, when)
        raise typer.Exit(deliver(desk, stop, limit=limit, slugs=[one.slug for one in issues]))


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


def _keep(store: Store, found: mailing.Plan) -> str:
    now = clock()
    with store.begin() as tx:
        return plans.keep(
            tx, slug=found.slug, digest=found.digest, due_at=found.due_at, audience=found.audience, now=now
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


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-03-01T09:00+01:00") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset; write {text}+01:00, or Z for UTC")
    return moment


def _print_plan(found: mailing.Plan, settings: Settings) -> None:
    print(found.slug)
    more = (
        f" ({', '.join(found.first)}{', ...' if found.audience > len(found.first) else ''})"
        if found.first
        else ""
    )
    rows = [
        ("subject", found.subject),
        ("people", f"{found.audience}{more}"),
        ("due", short(found.due_at)),
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
