"""Which letter comes next for somebody, and when: no clock, no database, the same answer every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import Series, Step

#: A step that is not later than this counts as on time: the next one keeps its distance from the plan.
ON_TIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands: the ids of steps that are behind them, and when the last of these was due."""

    passed: tuple[str, ...]
    last_at: datetime  # the beginning, as long as nothing was sent


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to somebody now: a letter, or none; then where they stand, and when to look again."""

    step: Step | None
    standing: Standing
    next_at: datetime | None  # None: nothing more will come


#: When each step was first seen in its series.
Since = Mapping[str, datetime]


def find_next(series: Series, since: Since, standing: Standing) -> tuple[Step | None, tuple[str, ...]]:
    """The next step somebody is owed, and the ids of those that came in behind them.

    A step counts as passed once it was sent. One that was put in before the place somebody had come
    to is not for them, unless it says `catch_up`; one that only changed its place still is.
    """
    order = [step.id for step in series.steps]
    behind = [place for place, step_id in enumerate(order) if step_id in standing.passed]
    here = max(behind, default=-1) + 1
    if standing.passed and not behind:  # every step they had was taken out: the number of letters counts
        here = min(len(standing.passed), len(order))
    owed, missed = None, []
    for place, step in enumerate(series.steps):
        if step.id in standing.passed:
            continue
        if place >= here or step.catch_up or since.get(step.id, standing.last_at) < standing.last_at:
            owed = owed or step
        else:
            missed.append(step.id)
    return owed, tuple(missed)


def look_ahead(series: Series, since: Since, standing: Standing, zone: ZoneInfo) -> datetime | None:
    """When somebody's next step is due; None when there is none."""
    step, _ = find_next(series, since, standing)
    return series.window.next(step.after.after(standing.last_at, zone), zone) if step else None


def advance(
    series: Series, since: Since, standing: Standing, zone: ZoneInfo, *, due: datetime, now: datetime
) -> Move:
    """Send what was due at `due`, if the window is open now, and say what follows."""
    opens = series.window.next(now, zone)
    step, missed = find_next(series, since, standing)
    if step is None:
        return Move(None, standing, None)
    if opens > now:
        return Move(None, standing, opens)
    at = due if now - due <= ON_TIME else now
    after = Standing((*standing.passed, *missed, step.id), at)
    return Move(step, after, look_ahead(series, since, after, zone))


def foresee(
    series: Series, since: Since, standing: Standing, zone: ZoneInfo, now: datetime
) -> Iterator[tuple[Step, datetime]]:
    """Every step that is still to come with its moment, if nothing stops the series."""
    due = look_ahead(series, since, standing, zone)
    while due:
        now = max(now, due)
        move = advance(series, since, standing, zone, due=due, now=now)
        if move.step:
            yield move.step, now
        standing, due = move.standing, move.next_at
