"""What would go, and when: by hand, by an issue's own time, on an occasion that comes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from outbox import issue as issues
from outbox import mailing, recurrence
from outbox.config import Settings
from outbox.errors import IssueError, OutboxError, Place
from outbox.model import Capabilities, Issue
from outbox.providers import PROVIDERS
from outbox.recurrence import Occasion, Recurrence, Waiting
from outbox.store import Store, ledger, occasions, plans
from outbox.timing import Timing

from .opening import clock, short

#: Occasions that are looked at, and how many without an issue are shown.
FORESEEN, SHOWN = 2000, 3


@dataclass(frozen=True, slots=True)
class Due:
    """An issue whose time has come, and the occasion that it uses."""

    issue: Issue
    timing: Timing | None
    occasion: tuple[str, datetime] | None = None


def read_issue(settings: Settings, name: str) -> Issue:
    """Read an issue folder by its path or its name in build/issues; raises IssueError."""
    folder = Path(name) if Path(name).is_dir() else settings.issues / name
    if not folder.is_dir():
        raise IssueError(f"there is no issue {name!r}, neither as a folder nor in {settings.issues.name}")
    return issues.read(folder.resolve())


def time_for(settings: Settings, issue: Issue, at: datetime | None, *, local: bool = False) -> Timing | None:
    """When an issue goes: at a time given by hand, without offset on everybody's own clock; None: when it says.

    With `local`, or `local_time` in book.toml, the issue's own time is read on everybody's own clock too.
    Raises IssueError when there is no time to read.
    """
    if at:
        return Timing(at, settings.time_zone)
    if local and issue.send_at is None:
        raise IssueError("has no time of its own; say which with --at", Place(issue.slug))
    if issue.send_at and (local or settings.local_time):
        return Timing(issue.send_at.replace(tzinfo=None), settings.time_zone)
    return None


def read_planned(settings: Settings, store: Store, name: str) -> tuple[Issue, datetime | None]:
    """Read an issue, or that of a plan with the time it was made for.

    Raises IssueError when too much changed since the plan was made.
    """
    with store.read() as tx:
        kept = plans.find(tx, name)
        changed = plans.count_changes(tx, kept) if kept else 0
    if kept is None:
        return read_issue(settings, name), None
    issue = read_issue(settings, kept.slug)
    if issue.digest != kept.digest:
        raise IssueError(f"{issue.slug} was changed since plan {name} was made; make a new plan")
    if changed > settings.plan_changes * kept.audience:
        raise IssueError(
            f"{changed} people came, went or changed since plan {name} was made for {kept.audience}; "
            "make a new plan, or raise [outbox] plan_changes"
        )
    return issue, kept.at


def caps_of(settings: Settings) -> Capabilities:
    """What the provider of book.toml can do; raises ConfigError when it lacks something."""
    provider = PROVIDERS[settings.provider](settings.account)
    provider.close()
    return provider.caps


def plan_of(
    settings: Settings,
    store: Store,
    issue: Issue,
    timing: Timing | None,
    caps: Capabilities,
    now: datetime | None = None,
) -> mailing.Plan:
    """Say what sending an issue by a provider that can do so much would do."""
    with store.read() as tx:
        return mailing.plan(
            tx,
            issue,
            settings.envelope,
            now=now or clock(),
            timing=timing,
            segments=settings.segments,
            caps=caps,
        )


def say_due(found: mailing.Plan) -> str:
    """When a plan's people get it: one moment, or from the first to the last."""
    ends = list(dict.fromkeys(short(one.at) for one in (found.calendar[:1] + found.calendar[-1:])))
    return " to ".join(ends) or short(found.due_at)


def find_due(
    settings: Settings, store: Store, caps: Capabilities, now: datetime
) -> Iterator[Due | OutboxError]:
    """New issues whose time has come, and what is wrong with a folder.

    Where there are occasions, each takes one issue; an occasion on which none is ready is used up.
    """
    fresh, errors = _read_new(settings, store)
    yield from errors
    if settings.recurring:
        yield from _find_for_occasions(settings, store, caps, fresh, now)
        return
    for issue in fresh:
        timing = time_for(settings, issue, None)
        if plan_of(settings, store, issue, timing, caps, now).due_at <= now:
            yield Due(issue, timing)


def find_upcoming(settings: Settings, store: Store, now: datetime) -> Iterator[Occasion]:
    """What goes next by itself; occasions that find no issue ready come without one, and without end."""
    fresh, _ = _read_new(settings, store)
    if settings.recurring:
        with store.read() as tx:
            used = occasions.read_used(tx, _rules(settings), now)
        return recurrence.forecast(settings.recurring, _waiting(fresh), used, now)
    timed = ((time_for(settings, one, None) or mailing.time_of(one, now), one.slug) for one in fresh)
    return iter(sorted(Occasion(when.moment_for(""), "", slug) for when, slug in timed))


def list_upcoming(settings: Settings, store: Store) -> list[Occasion]:
    """What goes next by itself, with the first few occasions that wait for an issue."""
    found = list(islice(find_upcoming(settings, store, clock()), FORESEEN))
    empty = [one for one in found if not one.slug][:SHOWN]
    return sorted([*(one for one in found if one.slug), *empty])


def say_next(settings: Settings, store: Store, now: datetime) -> str:
    """The next thing that goes by itself, in a line; empty where nothing does."""
    found = next(find_upcoming(settings, store, now), None)
    return f"next: {say_occasion(found)}" if found else ""


def say_occasion(one: Occasion) -> str:
    """When which issue goes."""
    at = short(one.at) if one.at > clock() else f"{'at once':<20}"
    return f"{at}  {one.slug or '(no issue is ready)'}"


def _read_new(settings: Settings, store: Store) -> tuple[list[Issue], list[OutboxError]]:
    """Issues that were not sent yet, by day and name, and what is wrong with a folder."""
    with store.read() as tx:
        known = {one.slug: one.digest for one in ledger.progress(tx) if not one.letter}
    fresh, errors = [], list[OutboxError]()
    for folder in sorted(settings.issues.glob("[!.]*/")):
        try:
            issue = issues.read(folder)
        except IssueError as error:
            errors.append(error)
            continue
        if issue.slug not in known and issue.kind == "issue":
            fresh.append(issue)
        elif known.get(issue.slug, issue.digest) != issue.digest:
            print(f"{issue.slug}: was sent before with other content; the rebuilt folder is left alone")
    return fresh, errors


def _find_for_occasions(
    settings: Settings, store: Store, caps: Capabilities, fresh: list[Issue], now: datetime
) -> Iterator[Due]:
    with store.begin() as tx:
        occasions.begin(tx, _rules(settings), now)
        used = occasions.read_used(tx, _rules(settings), now)
    left = {issue.slug: issue for issue in fresh}
    for one in settings.recurring:
        at = recurrence.find_due(one, used[one.rule], now)
        found = recurrence.pick(_waiting(left.values()), one, at)
        if found is None:
            _pass_over(store, one, at, now)
            continue
        timing = Timing(one.wall(at) if settings.local_time else at, settings.time_zone)
        if plan_of(settings, store, left[found.slug], timing, caps, now).due_at <= now:
            yield Due(left.pop(found.slug), timing, (one.rule, at))


def _pass_over(store: Store, one: Recurrence, at: datetime, now: datetime) -> None:
    """An occasion that finds no issue is over: a chapter that is ready a day later waits for the next."""
    if at <= now:
        with store.begin() as tx:
            occasions.use(tx, one.rule, at)


def _waiting(fresh: Iterable[Issue]) -> list[Waiting]:
    return [Waiting(one.slug, one.send_at) for one in fresh]


def _rules(settings: Settings) -> list[str]:
    return [one.rule for one in settings.recurring]
