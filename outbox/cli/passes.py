"""What the delivering commands do: read issues, freeze them, make one pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from uuid import uuid4

from outbox import letterbox, mailing, worker
from outbox.config import Settings
from outbox.desk import Desk
from outbox.errors import DONE, MUST_ACT, TRY_LATER, IssueError, OutboxError
from outbox.events.applying import apply_new
from outbox.letterbox import Letterbox
from outbox.model import Issue, ItemResult, Outcome, State
from outbox.providers import PROVIDERS
from outbox.series.files import read_all
from outbox.series.run import run
from outbox.store import claims, ledger, occasions
from outbox.timing import Timing

from .opening import clock, in_words, short
from .planning import find_due, plan_of, say_due, say_next


def freeze(
    settings: Settings,
    desk: Desk,
    issue: Issue,
    timing: Timing | None,
    occasion: tuple[str, datetime] | None = None,
    *,
    now: datetime | None = None,
) -> None:
    """Freeze an issue with its audience, unless that was done before, or another sender used the occasion."""
    caps = desk.provider.caps
    found = plan_of(settings, desk.store, issue, timing, caps, now)
    if found.frozen == issue.digest:
        print(f"{issue.slug}: frozen before; going on with what is left")
        return
    files = mailing.carries_files(issue, settings.envelope)
    with desk.store.begin() as tx:
        if occasion and not occasions.use(tx, *occasion, issue.slug):
            return
        number = mailing.freeze(
            tx,
            issue,
            settings.envelope,
            provider=settings.provider,
            max_batch=caps.batch_of(attachments=files),
            on_unknown=settings.on_unknown,
            send_id=uuid4().hex,
            now=now or clock(),
            timing=timing,
            segments=settings.segments,
            caps=caps,
            rules=settings.trial,
            domains=settings.pace.domains,
        )
    print(f"{issue.slug}: frozen for {number} people" + (f", due {say_due(found)}" if timing else ""))


def deliver(
    desk: Desk,
    stop: Event,
    *,
    limit: int = 0,
    slugs: Sequence[str] = (),
    now: Callable[[], datetime] = clock,
) -> int:
    """Make one pass and tell what came of it; returns the exit code."""
    apply_new(desk.store, now())
    with desk.store.begin() as tx:
        ledger.pause_unwelcome(tx)
        total, _ = ledger.find_waiting(tx)
    with _progress(total) as tell:
        tally = worker.run(desk, now, tell=tell, stop=stop, limit=limit or None)
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
    every, errors = read_all(settings.series)
    run(desk.store, every, settings.time_zone, now())
    box = Letterbox(settings.letters, settings.envelope, settings.secrets, settings.gift)
    errors += [*letterbox.empty(desk, box, now()), *_freeze_due(settings, desk, now)]
    code = deliver(desk, stop, now=now)
    if line := say_next(settings, desk.store, now()):
        print(line)
    for error in errors:
        print(f"outbox: {error}", file=sys.stderr)
    return MUST_ACT if errors else code


def send_test(settings: Settings, issue: Issue, to: str) -> int:
    """Send an issue to one address outside the ledger; returns the exit code."""
    provider, now = PROVIDERS[settings.provider](settings.account), clock()
    results = list[ItemResult]()
    for letter, person in mailing.make_tests(issue, settings.envelope, to, test_id=uuid4().hex, now=now):
        batch_id = f"test.{person.outbox_id}"
        results += provider.send(provider.prepare(letter, [person], batch_id, date=now))
    provider.close()
    for one in results:
        words = " ".join(filter(None, (one.provider_id, one.code, one.detail)))
        print(f"{issue.slug}: test to {to}: {one.outcome}  {words}".rstrip())
    return DONE if all(one.outcome == Outcome.ACCEPTED for one in results) else MUST_ACT


def _freeze_due(settings: Settings, desk: Desk, now: Callable[[], datetime]) -> Iterator[OutboxError]:
    for found in find_due(settings, desk.store, desk.provider.caps, now()):
        try:
            if isinstance(found, OutboxError):
                raise found
            freeze(settings, desk, found.issue, found.timing, found.occasion, now=now())
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
