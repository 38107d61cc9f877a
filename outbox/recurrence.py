"""When issues go by themselves: the occasions that cron text names, and which issue gets which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MINUTE = timedelta(minutes=1)  # no finer does cron know


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Occasions that come again and again: five fields as in crontab(5), read in a time zone.

    As in Debian's cron, an hour that is left out in spring comes right after, and one that comes twice
    in autumn is meant once.
    """

    cron: str
    zone: str

    def __str__(self) -> str:
        words = CronSim(self.cron, datetime(2026, 1, 1, tzinfo=UTC)).explain()
        return f"{words[0].lower()}{words[1:]}, {self.zone}"

    @property
    def rule(self) -> str:
        """What names it in the database: another text or zone is another recurrence."""
        return f"{self.cron} {self.zone}"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The occasions after a moment, in UTC."""
        for occasion in CronSim(self.cron, moment.astimezone(ZoneInfo(self.zone))):
            yield occasion.astimezone(UTC)

    def latest(self, now: datetime) -> datetime:
        """The last occasion up to now, in UTC."""
        local = (now + MINUTE).astimezone(ZoneInfo(self.zone)).replace(second=0, microsecond=0)
        return next(CronSim(self.cron, local, reverse=True)).astimezone(UTC)

    def wall(self, moment: datetime) -> datetime:
        """What the clocks of its zone show then, without offset."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An issue that was not sent yet. `send_at` says on which day it may go at the earliest."""

    slug: str
    send_at: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """A moment at which one issue goes; `slug` is empty where none is ready."""

    at: datetime
    rule: str
    slug: str = ""


def find_fault(cron: str) -> str:
    """What is wrong with a cron text, or nothing."""
    if len(cron.split()) != 5:
        return "has five fields: minute, hour, day of the month, month, day of the week"
    try:
        next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        said = str(error)
        return f"{said[0].lower()}{said[1:]}"
    except StopIteration:
        return "never comes"
    return ""


def find_due(recurrence: Recurrence, used: datetime, now: datetime) -> datetime:
    """The occasion to look at: one that has come and was not used, else the next. Of several missed ones the last."""
    latest = recurrence.latest(now)
    return latest if latest > used else next(recurrence.after(max(used, now)))


def pick(waiting: Sequence[Waiting], recurrence: Recurrence, at: datetime) -> Waiting | None:
    """The issue that goes on an occasion: the first whose day has come, by day and name."""
    day = recurrence.wall(at).date()
    ready = [one for one in waiting if one.send_at is None or _day_of(one.send_at, recurrence) <= day]
    return min(ready, key=_order, default=None)


def forecast(
    recurring: Sequence[Recurrence], waiting: Sequence[Waiting], used: Mapping[str, datetime], now: datetime
) -> Iterator[Occasion]:
    """The occasions to come with their issues, without end; what was missed comes first."""
    left = list(waiting)
    for at, one in merge(*(_occasions(one, used.get(one.rule, now), now) for one in recurring), key=_moment):
        found = pick(left, one, at)
        if found:
            left.remove(found)
        yield Occasion(at, one.rule, found.slug if found else "")


def _occasions(one: Recurrence, used: datetime, now: datetime) -> Iterator[tuple[datetime, Recurrence]]:
    first = find_due(one, used, now)
    yield first, one
    yield from ((at, one) for at in one.after(first))


def _moment(pair: tuple[datetime, Recurrence]) -> tuple[datetime, str]:
    return pair[0], pair[1].rule


def _order(one: Waiting) -> tuple[bool, datetime, str]:
    return one.send_at is None, one.send_at or datetime.min.replace(tzinfo=UTC), one.slug


def _day_of(moment: datetime, recurrence: Recurrence) -> date:
    return recurrence.wall(moment).date()
