"""The commands about issues: init, plan, send, work, status, show."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from outbox import issue as issues
from outbox import mailing, worker
from outbox.addresses import read_mailbox
from outbox.config import Settings
from outbox.desk import Desk
from outbox.errors import DONE, MUST_ACT, TRY_LATER, IssueError, OutboxError, PeopleError
from outbox.model import Issue, State
from outbox.people import enlist_all, read_people
from outbox.providers import PROVIDERS
from outbox.store import Store, claims, ledger, open_store, subscribers
from outbox.store.lock import sole_sender

from .opening import clock, database_file, opened, settings_of, signer_of

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
    if not path.exists() and _create(settings, path, sample=sample):
        return
    with opened(settings) as store, store.read() as tx:
        number = sum(subscribers.count(tx).values())
    print(f"{path.name} is there, with {number} people; nobody was added")


def plan(ctx: typer.Context, issue: Named, as_json: Json = False) -> None:
    """Say who would get an issue, when, and what forbids it. Changes nothing.

    \b
    outbox plan 2026-03-01-the-immune-system
    outbox plan build/issues/2026-03-01-the-immune-system --json
    """  # noqa: D301
    settings = settings_of(ctx)
    with opened(settings) as store:
        found = _plan(settings, store, _read(settings, issue), None)
    if as_json:
        print_json({**asdict(found), "provider": settings.provider})
    else:
        _print_plan(found, settings)
    raise typer.Exit(MUST_ACT if found.problems else DONE)


def send(
    ctx: typer.Context,
    issue: Annotated[
        list[str], typer.Argument(metavar="ISSUE...", help="Issue folders, or names in build/issues.")
    ],
    at: Annotated[str, typer.Option(metavar="TIME", help="When, with offset: 2026-03-01T09:00+01:00.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plans and stop.")] = False,
) -> None:
    """Freeze issues with their audience, and send what is due. Run again, it goes on where it was stopped.

    \b
    outbox send 2026-03-01-the-immune-system
    outbox send --dry-run build/issues/*
    outbox send 2026-03-01-the-immune-system --at 2026-03-01T09:00+01:00
    """  # noqa: D301
    settings, when = settings_of(ctx), _moment(at)
    with opened(settings) as store:
        folders = [_read(settings, name) for name in issue]
        if dry_run:
            plans = [_plan(settings, store, one, when) for one in folders]
            for found in plans:
                _print_plan(found, settings)
            raise typer.Exit(MUST_ACT if any(found.problems for found in plans) else DONE)
        with sole_sender(store):
            for one in folders:
                _freeze(settings, store, one, when)
            raise typer.Exit(_deliver(settings, store))


def work(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass over everything due, then end.")] = False,
) -> None:
    """Send every issue in build/issues that is due and was not sent, and go on with what was stopped.

    \b
    outbox work --once
    """  # noqa: D301
    if not once:
        raise typer.BadParameter("work needs --once; put it into cron or a systemd timer")
    settings = settings_of(ctx)
    with opened(settings) as store, sole_sender(store):
        errors = list(_freeze_due(settings, store))
        code = _deliver(settings, store)
    for error in errors:
        print(f"outbox: {error}", file=sys.stderr)
    raise typer.Exit(MUST_ACT if errors else code)


COMMANDS = (init, plan, send, work, status, show)


def _create(settings: Settings, path: Path, *, sample: bool) -> bool:
    """Build the database beside its place and move it there in one step; False when somebody was faster."""
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    people = resources.files("outbox.sample").joinpath("subscribers.csv").read_bytes()
    invented = sample and settings.provider == "file"  # invented people are never written to for real
    claims, _ = read_people(people, name="sample/subscribers.csv")
    try:
        store = open_store(f"sqlite:///{beside}", clock())
        with store.begin() as tx:
            added = enlist_all(tx, claims if invented else [], clock()).total()
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


def _read(settings: Settings, name: str) -> Issue:
    folder = Path(name) if Path(name).is_dir() else settings.issues / name
    if not folder.is_dir():
        raise IssueError(f"there is no issue {name!r}, neither as a folder nor in {settings.issues.name}")
    return issues.read(folder.resolve())


def _plan(settings: Settings, store: Store, issue: Issue, at: datetime | None) -> mailing.Plan:
    with store.read() as tx:
        return mailing.plan(tx, issue, settings.envelope, now=clock(), at=at)


def _freeze(settings: Settings, store: Store, issue: Issue, at: datetime | None) -> None:
    found = _plan(settings, store, issue, at)
    if found.frozen == issue.digest:
        print(f"{issue.slug}: frozen before; going on with what is left")
        return
    with store.begin() as tx:
        number = mailing.freeze(
            tx,
            issue,
            settings.envelope,
            provider=settings.provider,
            max_batch=PROVIDERS[settings.provider](settings.account).caps.max_batch,
            on_unknown=settings.on_unknown,
            send_id=uuid4().hex,
            now=clock(),
            at=at,
        )
    print(f"{issue.slug}: frozen for {number} people" + (f", due {short(found.due_at)}" if at else ""))


def _freeze_due(settings: Settings, store: Store) -> Iterator[OutboxError]:
    """Freeze every issue folder that is due and new; an error about one does not keep back the others."""
    for folder in sorted(settings.issues.glob("[!.]*/")):
        try:
            issue = issues.read(folder)
            found = _plan(settings, store, issue, None)
            if found.frozen and found.frozen != issue.digest:
                print(f"{issue.slug}: was sent before with other content; the rebuilt folder is left alone")
            elif not found.frozen and issue.kind == "issue" and found.due_at <= clock():
                _freeze(settings, store, issue, None)
        except IssueError as error:
            yield error


def _deliver(settings: Settings, store: Store) -> int:
    provider = PROVIDERS[settings.provider](settings.account)
    sender = Desk(store, provider, signer_of(settings, store))
    with store.read() as tx:
        total, _ = ledger.find_waiting(tx)
    with _progress(total) as tell:
        tally = worker.run(sender, clock, tell=tell)
    with store.read() as tx:
        waiting, first = ledger.find_waiting(tx)
        doubtful = claims.count_in_doubt(tx)
    print(in_words(tally) if tally else "nothing was due")
    if waiting and first:
        print(f"{waiting} messages wait until {short(first)}")
    if tally[State.HELD]:
        return MUST_ACT
    return TRY_LATER if tally[State.RETRY] or doubtful else DONE


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty() or not total:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("sending", total=total)
        yield lambda number: bar.advance(task, number)


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


