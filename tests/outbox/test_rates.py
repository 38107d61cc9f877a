"""No faster than allowed: rates, silence a provider asked for, warm-up, and the number of calls at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from outbox.allowance import allow, heed, spend
from outbox.model import ItemResult, Outcome
from outbox.rates import Pace, count_threads, warm_limit
from outbox.store import Store


@pytest.mark.parametrize(
    ("day", "limit"),
    [(0, 200), (7, 650), (14, 2_116), (21, 6_880), (28, 22_377), (35, 72_779), (41, 200_000)],
)
def test_the_warm_up_grows_as_published(day: int, limit: int) -> None:
    """RT-4."""
    assert warm_limit(day) == pytest.approx(limit, rel=0.01)


@pytest.mark.parametrize(
    ("rate", "latency", "batch", "threads"),
    [(50_000, 0.1, 500, 10), (200, 0.3, 100, 1), (1_000_000, 1, 1, 64), (0, 0.1, 100, 64)],
)
def test_threads_follow_from_the_rate(rate: float, latency: float, batch: int, threads: int) -> None:
    """RT-5: never a fixed number, never more than the ceiling."""
    assert threads == count_threads(rate, latency, batch, ceiling=64)


def test_a_rate_holds_over_processes(any_store: Store, now: datetime) -> None:
    """RT-1: what one took, another does not take again; a clock that goes back gives nothing."""
    pace = Pace(rate=10)
    with any_store.begin() as tx:
        assert allow(tx, pace, "x", now).messages > 0
        spend(tx, pace, "x", now, 30)
    with any_store.begin() as tx:
        blocked = allow(tx, pace, "x", now - timedelta(days=1))
        assert blocked.messages == 0
        assert allow(tx, pace, "x", now + timedelta(seconds=1)).messages == 0
        assert allow(tx, pace, "x", now + timedelta(seconds=3)).messages > 0


def test_a_provider_that_asks_for_silence_gets_it(any_store: Store, now: datetime) -> None:
    """Retry-After outlives the process that heard it, and a shorter one does not undo a longer one."""
    with any_store.begin() as tx:
        allow(tx, Pace(), "x", now)
        for seconds in (60.0, 5.0):
            heed(tx, "x", [ItemResult("s.1", Outcome.THROTTLED, retry_after=seconds)], now)
    with any_store.begin() as tx:
        assert allow(tx, Pace(), "x", now + timedelta(seconds=59)).wait_until == now + timedelta(seconds=60)
        assert allow(tx, Pace(), "x", now + timedelta(seconds=61)).messages > 0
        assert allow(tx, Pace(), "another", now).messages > 0


def test_a_warm_up_gives_a_little_more_each_day(any_store: Store, now: datetime) -> None:
    """200 on the first day; what is left of a day is not kept for the next."""
    pace = Pace(warm_up=True)
    with any_store.begin() as tx:
        assert allow(tx, pace, "x", now).messages == 200
        spend(tx, pace, "x", now, 150)
        assert allow(tx, pace, "x", now).messages == 50
        assert allow(tx, pace, "x", now + timedelta(days=7)).messages == warm_limit(7)
