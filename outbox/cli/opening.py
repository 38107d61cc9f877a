"""Open what a command works with: the settings, the database, what a sender needs."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import typer

from outbox.config import Settings, read
from outbox.desk import Desk
from outbox.errors import OutboxError
from outbox.model import State
from outbox.providers import PROVIDERS
from outbox.store import Store, guard, open_store
from outbox.store.lock import sole_sender


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command's name."""

    config: Path
    database: str


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def settings_of(ctx: typer.Context) -> Settings:
    """Read book.toml and the environment."""
    options: Options = ctx.obj
    return read(options.config, os.environ, database=options.database)


def database_file(settings: Settings) -> Path | None:
    """The file behind the database's URL; None for a database on a server."""
    url = settings.database
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the outbox's database; raises OutboxError when there is no file of it yet."""
    path = database_file(settings)
    if path is not None and not path.is_file():
        raise OutboxError(f"there is no {path.name} yet; run: outbox init")
    store = open_store(settings.database, clock())
    try:
        yield store
    finally:
        store.close()


@contextmanager
def sending(settings: Settings, stop: Event | None = None) -> Iterator[Desk]:
    """Open the database as the one that sends; raises Temporary when another sender is at work.

    SIGTERM and Ctrl-C set `stop`: calls that run are finished, no other begins.
    """
    with opened(settings) as store, sole_sender(store), stopped_by_signal(stop or Event()):
        guard.enter(store)
        provider = PROVIDERS[settings.provider](settings.account)
        try:
            yield Desk(
                store,
                provider,
                settings.pace,
                max_late=settings.max_late,
                search_lag=settings.search_lag,
                is_told=settings.provider in settings.hooks,
            )
        finally:
            provider.close()


@contextmanager
def stopped_by_signal(stop: Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C set `stop`, the first time; a second Ctrl-C ends at once."""
    if current_thread() is not main_thread():
        yield
        return

    def set_stop(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_IGN)

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def short(moment: datetime) -> str:
    """A moment as people read it."""
    return moment.strftime("%Y-%m-%d %H:%M %Z")


def in_words(states: Mapping[State, int]) -> str:
    """How many messages are in each state, in the order a message passes them."""
    counted = Counter(states)
    told = (f"{counted[state]} {state.replace('_', ' ')}" for state in State if counted[state])
    return ", ".join(told) or "nothing"


def print_json(value: Any) -> None:
    """Print a value as JSON, moments in ISO 8601."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat()))
