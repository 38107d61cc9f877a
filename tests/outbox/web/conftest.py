"""The front door of a book, really served on this machine, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
import uvicorn
from lxml import html
from sqlalchemy import select
from starlette.types import ASGIApp

from outbox import config
from outbox.model import Subscriber
from outbox.store import Store, subscribers
from outbox.store.columns import metadata
from outbox.store.schema import letter, subscriber
from outbox.web.app import make_app
from outbox.web.desk import WebDesk, open_web_desk
from outbox.web.line import Line
from outbox.web.server import open_socket

SECRET = "a-secret-of-sixteen-and-more"


@dataclass(slots=True)
class Clock:
    """Says what the test wants it to be."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Door:
    """A front door, and a visitor before it."""

    url: str
    desk: WebDesk
    clock: Clock

    def ask(self, method: str, path: str, **values: Any) -> requests.Response:
        """One request; redirects are not followed."""
        headers = {"Connection": "close", **values.pop("headers", {})}
        return requests.request(
            method, f"{self.url}{path}", allow_redirects=False, timeout=30, headers=headers, **values
        )

    def get(self, path: str, **values: Any) -> requests.Response:
        return self.ask("GET", path, **values)

    def post(
        self, path: str, data: Mapping[str, Any] | str | None = None, **values: Any
    ) -> requests.Response:
        return self.ask("POST", path, data=data, **values)

    def sign_up(self, email: str = "mira@example.org", *, wait: int = 5, **values: Any) -> requests.Response:
        """Open the form, wait some seconds by the door's clock, fill it in and send it."""
        form = read_forms(self.get("/mail/sign-up").text)[0]
        self.clock.now += timedelta(seconds=wait)
        return self.post(form.action, {**form.values, "email": email, "agree": "yes", **values})


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form as a browser would send it untouched."""

    action: str
    values: dict[str, str]


def read_forms(page: str) -> list[SentForm]:
    """The forms of a page, with what is filled in already; boxes that are not ticked are not sent."""
    forms = html.fromstring(page).forms
    return [SentForm(form.action, dict(form.form_values())) for form in forms]


def queued(store: Store) -> list[tuple[str, str, int]]:
    """The letters that were put in: key, name, for whom."""
    with store.read() as tx:
        query = select(letter.c.key, letter.c.name, letter.c.subscriber_id).order_by(letter.c.id)
        return [tuple(row) for row in tx.connection.execute(query)]


def token_of(store: Store, email: str) -> str:
    """The token in the links of a person."""
    with store.read() as tx:
        one = select(subscriber.c.token).where(subscriber.c.email_key == email)
        return tx.connection.execute(one).scalar_one()


def person_of(store: Store, email: str) -> Subscriber | None:
    """The person behind an address."""
    with store.read() as tx:
        return subscribers.find(tx, email)


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is in the database."""
    with store.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@contextmanager
def listening(app: ASGIApp, http: type[asyncio.Protocol] = Line) -> Iterator[str]:
    """Serve an application on a free port of this machine."""
    listener, begun = open_socket("127.0.0.1", 0), Event()
    settings = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", http=http, interface="asgi3")

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            begun.set()

    server = Server(settings)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    begun.wait(30)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


OpenDoor = Callable[..., Any]


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The time at the door."""
    return Clock(now)


@pytest.fixture
def open_door(book: Path, clock: Clock) -> OpenDoor:
    """Open the front door of a store; `more` is added to book.toml, `env` to the environment."""

    @contextmanager
    def open_(store: Store, more: str = "", env: Mapping[str, str] | None = None) -> Iterator[Door]:
        path = book / "book.toml"
        path.write_text(path.read_text("utf-8") + more, "utf-8")
        desk = open_web_desk(store, config.read(path, {"OUTBOX_SECRET": SECRET, **(env or {})}), clock)
        try:
            with listening(make_app(desk)) as url:
                yield Door(url, desk, clock)
        finally:
            desk.close()

    return open_


@pytest.fixture
def door(store: Store, open_door: OpenDoor) -> Iterator[Door]:
    """The front door of the four people's list."""
    with open_door(store) as opened:
        yield opened
