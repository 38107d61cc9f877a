"""How many messages may go now: the account's rate, the provider's wish for silence, and the warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .model import ItemResult
from .rates import Level, Pace, fill, next_day, warm_limit
from .store import Tx, buckets

#: What stands for "as many as you like".
PLENTY = 10**9
#: What the buckets of recipient domains are called by.
DOMAIN = "domain:"


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many messages may go now; when there are none, `wait_until` says when to ask again."""

    messages: int
    wait_until: datetime | None = None
    hard: bool = (
        False  # not one more, so a call is cut; else a call may run into debt, which is paid by waiting
    )


def allow(tx: Tx, pace: Pace, provider: str, now: datetime) -> Allowance:
    """Say how many messages may go by this provider at this moment."""
    level, _ = buckets.read_level(tx, _account(provider), now, full=max(pace.rate, 1.0))
    if level.blocked_until and level.blocked_until > now:
        return Allowance(0, level.blocked_until)
    if pace.rate:
        level = fill(level, pace.rate, now, room=max(pace.rate, 1.0))
        if level.tokens < 1:
            return Allowance(0, now + timedelta(seconds=(1 - level.tokens) / pace.rate))
    return _warm(tx, provider, now) if pace.warm_up else Allowance(PLENTY)


def spend(tx: Tx, pace: Pace, provider: str, now: datetime, messages: int) -> None:
    """Take what is about to go from every bucket it passes."""
    if pace.rate:
        level, _ = buckets.read_level(tx, _account(provider), now, full=max(pace.rate, 1.0))
        level = fill(level, pace.rate, now, room=max(pace.rate, 1.0))
        buckets.write_level(tx, _account(provider), replace(level, tokens=level.tokens - messages))
    if pace.warm_up:
        level, _ = buckets.read_level(tx, _warming(provider), now, full=0.0)
        buckets.write_level(tx, _warming(provider), replace(level, tokens=level.tokens - messages))


def heed(tx: Tx, provider: str, results: Iterable[ItemResult], now: datetime) -> None:
    """Keep silent for as long as the provider asked (Retry-After)."""
    asked = longest_wait(results)
    if asked > 0:
        buckets.block(tx, _account(provider), now + timedelta(seconds=asked))


def find_closed(tx: Tx, pace: Pace, now: datetime) -> dict[str, datetime]:
    """The recipient domains that may get nothing now, each with the moment at which it may again."""
    closed = buckets.find_blocked(tx, DOMAIN, now)
    for name, rate in pace.domains.items():
        level = _fill_domain(tx, name, rate, now)
        if level.tokens < 1 and name not in closed:
            closed[name] = now + timedelta(seconds=(1 - level.tokens) / rate)
    return closed


def spend_domain(tx: Tx, pace: Pace, name: str, messages: int, now: datetime) -> bool:
    """Take what is about to go to a domain from its bucket; False when nothing more may go there now."""
    rate = pace.domains.get(name)
    if not rate:
        return True
    level = _fill_domain(tx, name, rate, now)
    left = replace(level, tokens=level.tokens - messages)
    buckets.write_level(tx, DOMAIN + name, left)
    return left.tokens >= 1


def close_domain(tx: Tx, name: str, until: datetime, now: datetime) -> None:
    """Leave a domain alone for a while; the others get their mail."""
    buckets.read_level(tx, DOMAIN + name, now, full=1.0)
    buckets.block(tx, DOMAIN + name, until)


def longest_wait(results: Iterable[ItemResult]) -> float:
    """The seconds a provider asked to be left alone; 0 when it did not."""
    return max((result.retry_after for result in results if result.retry_after), default=0.0)


def _warm(tx: Tx, provider: str, now: datetime) -> Allowance:
    """What is left of today; the bucket is filled anew on each day that mail is sent."""
    level, since = buckets.read_level(tx, _warming(provider), now, full=float(warm_limit(0)))
    if level.at.date() < now.date():
        level = replace(level, tokens=float(warm_limit((now.date() - since.date()).days)), at=now)
        buckets.write_level(tx, _warming(provider), level)
    return Allowance(max(int(level.tokens), 0), next_day(now), hard=True)


def _fill_domain(tx: Tx, name: str, rate: float, now: datetime) -> Level:
    room = max(rate, 1.0)
    level, _ = buckets.read_level(tx, DOMAIN + name, now, full=room)
    return fill(level, rate, now, room=room)


def _account(provider: str) -> str:
    return f"account:{provider}"


def _warming(provider: str) -> str:
    return f"warmup:{provider}"
