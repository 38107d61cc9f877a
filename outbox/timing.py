"""When an issue is due: at one moment for all, or at one time on everybody's own clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Timing:
    """`at` with an offset is one moment for all; without one it is read on each person's own clock."""

    at: datetime
    zone: str = "UTC"  # of people of whom none is known

    @property
    def is_local(self) -> bool:
        return self.at.tzinfo is None

    def moment_for(self, zone: str) -> datetime:
        """When a person of this zone gets the issue, in UTC; empty, or no zone at all: the list's."""
        if not self.is_local:
            return self.at.astimezone(UTC)
        return find_moment(self.at, zone if is_zone(zone) else self.zone)


@dataclass(frozen=True, slots=True)
class Departure:
    """A moment at which part of a send goes. `passed`: it lies behind, so these people get it at once."""

    at: datetime
    people: int
    zones: tuple[str, ...] = ()
    passed: bool = False


def make_calendar(timing: Timing, people: Mapping[str, int], now: datetime) -> tuple[Departure, ...]:
    """The moments at which a send goes, from how many people live in each zone."""
    numbers, zones = Counter[datetime](), defaultdict[datetime, list[str]](list)
    for zone, number in sorted(people.items()):
        moment = timing.moment_for(zone)
        numbers[moment] += number
        zones[moment].append(zone if is_zone(zone) else timing.zone)
    return tuple(
        Departure(at, numbers[at], tuple(dict.fromkeys(zones[at])) if timing.is_local else (), at < now)
        for at in sorted(numbers)
    )


@lru_cache(maxsize=1024)
def find_moment(wall: datetime, zone: str) -> datetime:
    """The moment, in UTC, at which clocks of a zone show a time without offset.

    An hour that clocks leave out in spring is counted as if they had not been put forward, so 02:30 goes
    at what is then 03:30; of an hour that comes twice in autumn the first is meant (RFC 5545 section 3.3.5).
    """
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether a time zone of this name is known here (IANA)."""
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return False
