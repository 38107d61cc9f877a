"""What the delivering commands do: read issues, freeze them, make one pass."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from uuid import uuid4

from outbox import issue as issues
from outbox import letterbox, mailing, worker
from outbox.config import Settings
from outbox.desk import Desk
from outbox.errors import DONE, MUST_ACT, TRY_LATER, IssueError, OutboxError, Temporary
from outbox.events.applying import apply_new
from outbox.letterbox import Letterbox
from outbox.model import Capabilities, Issue, Outcome, State
from outbox.providers import PROVIDERS
from outbox.series.files import read_all
from outbox.series.run import run
from outbox.store import Store, claims, ledger, plans

from .opening import clock, in_words, short

#: The clock of those of whom no time zone is known.
ZONE = "UTC"


def read_issue(settings: Settings, name: str) -> Issue:
    """Read an issue folder by its path or its name in build/issues; raises IssueError."""
    folder = Path(name) if Path(name).is_dir() else settings.issues / name
    if not folder.is_dir():
        raise IssueError(f"there is no issue {name!r}, neither as a folder nor in {settings.issues.name}")
    return issues.read(folder.resolve())


def read_planned(settings: Settings, store: Store, name: str) -> Issue:
    """Read an issue, or that of a plan; raises IssueError when too much changed since the plan was made."""
    with store.read() as tx:
        kept = plans.find(tx, name)
        changed = plans.count_changes(tx, kept) if kept else 0
    if kept is None:
        return read_issue(settings, name)
    issue = read_issue(settings, kept.slug)
    if issue.digest != kept.digest:
        raise IssueError(f"{issue.slug} was changed since plan {name} was made; make a new plan")
    if changed > settings.plan_changes * kept.audience:
        raise IssueError(
            f"{changed} people came, went or changed since plan {name} was made for {kept.audience}; "
            "make a new plan, or raise [outbox] plan_changes"
        )
    return issue


def caps_of(settings: Settings) -> Capabilities:
    """What the provider of book.toml can do; raises ConfigError when it lacks something."""
    provider = PROVIDERS[settings.provider](settings.account)
    provider.close()
    return provider.caps


def plan_of(
    settings: Settings, store: Store, issue: Issue, at: datetime | None, caps: Capabilities
) -> mailing.Plan:
    """Say what sending an issue by a provider that can do so much would do."""
    with store.read() as tx:
        return mailing.plan(
            tx, issue, settings.envelope, now=clock(), at=at, segments=settings.segments, caps=caps
        )


def freeze(settings: Settings, desk: Desk, issue: Issue, at: datetime | None) -> None:
    """Freeze an issue with its audience, unless that was done before."""
    caps = desk.provider.caps
    found = plan_of(settings, desk.store, issue, at, caps)
    if found.frozen == issue.digest:
        print(f"{issue.slug}: frozen before; going on with what is left")
        return
    files = mailing.carries_files(issue, settings.envelope)
    with desk.store.begin() as tx:
        number = mailing.freeze(
            tx,
            issue,
            settings.envelope,
            provider=settings.provider,
            max_batch=caps.batch_of(attachments=files),
            on_unknown=settings.on_unknown,
            send_id=uuid4().hex,
            now=clock(),
            at=at,
            segments=settings.segments,
            caps=caps,
        )
    print(f"{issue.slug}: frozen for {number} people" + (f", due {short(found.due_at)}" if at else ""))


def deliver(
    desk: Desk,
    stop: Event,
    *,
    limit: int = 0,
    slugs: Sequence[str] = (),
    now: Callable[[], datetime] = clock,
    tend: Callable[[], None] = lambda: None,
) -> int:
    """Make one pass and tell what came of it; returns the exit code."""
    apply_new(desk.store, now())
    with desk.store.begin() as tx:
        ledger.pause_unwelcome(tx)
        total, _ = ledger.find_waiting(tx)
    with _progress(total) as tell:
        tally = worker.run(desk, now, tell=tell, stop=stop, limit=limit or None, tend=tend)
    if limit:
        _pause_limited(desk, slugs, limit)
    with desk.store.read() as tx:
        waiting, first = ledger.find_waiting(tx)
        doubtful, trouble = claims.count_in_doubt(tx), ledger.find_trouble(tx)
        paused = [one for one in ledger.progress(tx) if one.state == "paused"]
    print(in_words(tally) if tally else "nothing was due")
    if waiting and first:
        print(f"{waiting} messages wait until {short(first)}" + (f" ({trouble})" if trouble else ""))
    for one in paused:
        print(f"{one.slug}: paused: {one.reason}")
    if tally[State.HELD]:
        print("some may have got it or not: outbox held list", file=sys.stderr)
        return MUST_ACT
    return TRY_LATER if tally[State.RETRY] or doubtful else DONE


def work_once(settings: Settings, desk: Desk, stop: Event, *, now: Callable[[], datetime] = clock) -> int:
    """Freeze what is due and new, and make one pass; an error about one of them does not keep back the others."""
    errors = [*_freeze_single(settings, desk, now()), *_freeze_due(settings, desk, now)]

    def tend() -> None:
        with suppress(Temporary):  # the database is busy; the next time will do
            deque(
                _freeze_single(settings, desk, now()), maxlen=0
            )  # faults were told, or will be by the next pass

    code = deliver(desk, stop, now=now, tend=tend)
    for error in errors:
        print(f"outbox: {error}", file=sys.stderr)
    return MUST_ACT if errors else code


def _freeze_single(settings: Settings, desk: Desk, now: datetime) -> Iterator[OutboxError]:
    """Freeze what single people are to get now: steps of series, letters; yields what is wrong with any."""
    every, errors = read_all(settings.series)
    yield from errors
    run(desk.store, every, ZONE, now)
    box = Letterbox(settings.letters, settings.envelope, settings.secrets, settings.gift)
    yield from letterbox.empty(desk, box, now)


def send_test(settings: Settings, issue: Issue, to: str) -> int:
    """Send an issue to one address outside the ledger; returns the exit code."""
    provider, now = PROVIDERS[settings.provider](settings.account), clock()
    letter, person = mailing.make_test(issue, settings.envelope, to, test_id=uuid4().hex, now=now)
    batch_id = f"test.{person.outbox_id}"
    (result,) = provider.send(provider.prepare(letter, [person], batch_id, date=now))
    provider.close()
    words = " ".join(filter(None, (result.provider_id, result.code, result.detail)))
    print(f"{issue.slug}: test to {to}: {result.outcome}  {words}".rstrip())
    return DONE if result.outcome == Outcome.ACCEPTED else MUST_ACT


def _freeze_due(settings: Settings, desk: Desk, now: Callable[[], datetime]) -> Iterator[OutboxError]:
    for folder in sorted(settings.issues.glob("[!.]*/")):
        try:
            issue = issues.read(folder)
            found = plan_of(settings, desk.store, issue, None, desk.provider.caps)
            if found.frozen and found.frozen != issue.digest:
                print(f"{issue.slug}: was sent before with other content; the rebuilt folder is left alone")
            elif not found.frozen and issue.kind == "issue" and (issue.send_at or now()) <= now():
                freeze(settings, desk, issue, None)
        except IssueError as error:
            yield error


def _pause_limited(desk: Desk, slugs: Sequence[str], limit: int) -> None:
    with desk.store.begin() as tx:
        for slug in slugs:
            found = ledger.find_send_of(tx, slug)
            if found and ledger.is_waiting(tx, found.id):
                ledger.pause(
                    tx, found.id, f"after {limit} messages, as asked; to go on: outbox resume {slug}"
                )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty() or not total:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("sending", total=total)
        yield lambda number: bar.advance(task, number)
