"""How fast mail may go: token buckets, a warm-up curve, and the number of calls at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Warm-up (delivery rule RT-4): messages on the first day, on the last, and how many days lie between.
WARM_FROM, WARM_TO, WARM_DAYS = 200, 200_000, 42


@dataclass(frozen=True, slots=True)
class Pace:
    """What the author allows. Rates in messages per second; 0: no limit."""

    rate: float = 0.0

    warm_up: bool = False
    connections: int = 4  # at most so many calls at a time
    domains: Mapping[str, float] = field(default_factory=dict)  # to mailboxes of one domain


@dataclass(frozen=True, slots=True)
class Level:
    """How full a bucket was, and when. `blocked_until`: the provider asked for silence."""

    tokens: float
    at: datetime
    blocked_until: datetime | None = None


def fill(level: Level, rate: float, now: datetime, *, room: float) -> Level:
    """The bucket as it is now; a clock that went back adds nothing."""
    passed = max((now - level.at).total_seconds(), 0.0)
    return Level(min(level.tokens + passed * rate, room), max(now, level.at), level.blocked_until)


def warm_limit(day: int) -> int:
    """How many messages may go on a day of the warm-up, the first being day 0.

    Grows evenly from WARM_FROM to WARM_TO; afterwards there is no limit worth the name.
    """
    grown = WARM_FROM * (WARM_TO / WARM_FROM) ** (min(day, WARM_DAYS - 1) / (WARM_DAYS - 1))
    return round(grown) if day < WARM_DAYS else 10**9


def count_threads(rate: float, latency: float, batch: int, *, ceiling: int) -> int:
    """How many calls must run at a time to reach `rate`, each taking `latency` seconds (delivery rule RT-5)."""
    if not rate:
        return ceiling
    return max(1, min(ceiling, math.ceil(rate * latency / batch)))


def next_day(now: datetime) -> datetime:
    """Midnight UTC after `now`."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
