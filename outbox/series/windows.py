"""When letters may go: on which days, and between which hours, by somebody's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes
Span = tuple[int, int]  # minutes of the day, the second not included; it may run over midnight


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the week, Monday being 0, and the minutes of such a day when it is open."""

    days: frozenset[int] = frozenset(range(7))
    openings: tuple[Span, ...] = ((0, DAY),)

    def next(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """This moment when the window is open, else the one when it opens."""
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        for ahead in range(8):
            day = local.date() + timedelta(days=ahead)
            for first, last in self.openings if day.weekday() in self.days else ():
                if ahead or minute < first:
                    return datetime.combine(day, time(first // 60, first % 60), zone).astimezone(UTC)
                if minute < last:
                    return moment
        raise AssertionError  # a week has all days, and there is a window only where one can open


def open_between(hours: Span, quiet: Span) -> tuple[Span, ...]:
    """The parts of a day that lie in `hours` and not in `quiet`; either may run over midnight."""
    edges = sorted({0, DAY, *hours, *quiet})
    parts = [
        (first, last) for first, last in pairwise(edges) if _holds(hours, first) and not _holds(quiet, first)
    ]
    joined: list[Span] = []
    for first, last in parts:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return tuple(joined)


def _holds(span: Span, minute: int) -> bool:
    first, last = span
    return first <= minute < last if first <= last else minute >= first or minute < last
