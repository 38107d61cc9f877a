"""Whoever pauses, or wants fewer letters, gets no issue that is due in that time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from outbox import mailing
from outbox.issue import read
from outbox.model import Envelope
from outbox.store import Store, wishes
from outbox.store.schema import preference
from outbox.store.wishes import Asked, Wishes
from outbox.timing import Timing

IssueMaker = Callable[..., Path]


def send(store: Store, folder: Path, envelope: Envelope, due_at: datetime, now: datetime) -> int:
    """Freeze an issue; returns how many get it."""
    issue = read(folder)
    with store.begin() as tx:
        return mailing.freeze(
            tx, issue, envelope, send_id=issue.slug, provider="file", on_unknown="hold", max_batch=500,
            now=now, timing=Timing(due_at),
        )  # fmt: skip


def choose(store: Store, number: int, chosen: Wishes) -> None:
    """Let a person choose."""
    with store.begin() as tx:
        wishes.keep(tx, number, chosen)


def test_a_pause_counts_on_the_day_the_issue_is_due(
    any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Frozen today for next week: a pause that ends tomorrow keeps nobody out, one that ends later does."""
    choose(any_store, 1, Wishes(paused_until=now + timedelta(days=1)))
    choose(any_store, 2, Wishes(paused_until=now + timedelta(days=8)))

    assert send(any_store, make_issue(), envelope, now + timedelta(days=7), now) == 2


def test_a_plan_counts_as_the_freeze_does(
    any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """What `outbox plan` says is how many get it."""
    choose(any_store, 1, Wishes(paused_until=now + timedelta(days=8)))
    issue, due = read(make_issue()), now + timedelta(days=7)
    with any_store.read() as tx:
        planned = mailing.plan(tx, issue, envelope, now=now, timing=Timing(due))

    assert planned.audience == send(any_store, make_issue(), envelope, due, now) == 2


def test_who_wants_one_in_a_week_gets_one_in_a_week(
    any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Four issues in eight days; an hour less between Mondays, as in spring, still is a week."""
    choose(any_store, 1, Wishes(every_days=7))
    choose(any_store, 2, Wishes(every_days=30))
    days = (timedelta(), timedelta(days=3), timedelta(days=7, hours=-1), timedelta(days=8))
    got = [
        send(any_store, make_issue(slug=f"2026-03-0{number}-x"), envelope, now + after, now + after)
        for number, after in enumerate(days, 1)
    ]

    assert [3, 1, 2, 1] == got


def test_only_those_who_got_it_wait_for_the_next(
    any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Somebody who paused, or is not on the list, has their next one still before them."""
    choose(any_store, 1, Wishes(every_days=7, paused_until=now + timedelta(days=2)))
    choose(any_store, 4, Wishes(every_days=7))
    send(any_store, make_issue(), envelope, now, now)
    with any_store.read() as tx:
        waiting = tx.connection.execute(select(preference.c.next_at)).scalars().all()

    assert [None, None] == waiting


def test_wishes_are_kept_and_changed(any_store: Store, now: datetime) -> None:
    """What was chosen last holds; whoever chose nothing gets every letter and is not watched."""
    choose(any_store, 1, Wishes(paused_until=now, every_days=7, tracking=True))
    choose(any_store, 1, Wishes(every_days=30))
    with any_store.read() as tx:
        assert [Wishes(every_days=30), Wishes()] == [wishes.find(tx, number) for number in (1, 2)]


def test_what_was_asked_for_is_counted(any_store: Store, now: datetime) -> None:
    """Each person and each kind of letter by itself."""
    later = now + timedelta(days=1)
    with any_store.begin() as tx:
        wishes.count_asked(tx, "confirm", [1, 2], now)
        wishes.count_asked(tx, "confirm", [2], later)
        wishes.count_asked(tx, "link", [], now)

        assert {1: Asked(1, now), 2: Asked(2, later)} == wishes.asked_of(tx, "confirm", [1, 2, 3])
        assert {} == wishes.asked_of(tx, "link", [1, 2])
