"""A series: letters that follow each other once something has happened, each person at their own pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from .windows import Window

On = Literal["confirmed", "tag", "date", "downloaded", "not downloaded"]


@dataclass(frozen=True, slots=True)
class Delay:
    """How long to wait: days by the calendar, which may have 23 or 25 hours, and seconds by the clock."""

    days: int = 0
    seconds: int = 0

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment so much later, in UTC; after whole days it is the same time on the wall."""
        wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=self.days)
        same = wall.replace(tzinfo=zone) if self.days else moment
        return same.astimezone(UTC) + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Start:
    """What has to happen for somebody to be enrolled."""

    on: On
    tag: str = ""
    day: date | None = None
    within: Delay = Delay()  # so long they had for what they did not do
    also_before: bool = False  # even if it happened before the series was there


@dataclass(frozen=True, slots=True)
class Step:
    """One letter of a series. Its id never changes: by it the outbox knows who has had it."""

    id: str
    letter: str
    after: Delay
    catch_up: bool = False  # also for those who were past this point when it was put in


@dataclass(frozen=True, slots=True)
class Series:
    """Everything one file says."""

    name: str
    title: str
    start: Start
    steps: tuple[Step, ...]
    only: str = ""  # a segment: who may be enrolled
    stop: str = ""  # a segment: who gets no further step
    window: Window = field(default_factory=Window)
    by_reader: bool = True  # the window is one of each reader's own clock
    digest: str = ""  # of the file
