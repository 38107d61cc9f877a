"""Open the database, bring its schema up to date, and hand out transactions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event, exc, insert, select

from outbox.errors import OutboxError, Temporary

from . import schema
from .upgrade import upgrade

BUSY_MS = 10_000
#: What SQLite says when waiting helps.
PASSING = ("locked", "full", "disk i/o", "unable to open")


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction. Only modules of this package look inside."""

    connection: Connection

    def undo(self) -> None:
        """Take back everything done so far; what was a trial leaves no trace."""
        self.connection.rollback()


@dataclass(frozen=True, slots=True)
class Store:
    """The database of one outbox."""

    engine: Engine
    path: Path | None  # None: in memory

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Write: all or nothing, one writer at a time; raises Temporary for a locked or full database."""
        with _plain_errors(), self.engine.execution_options(write=True).begin() as connection:
            yield Tx(connection)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Read from one moment's view of the database."""
        with _plain_errors(), self.engine.begin() as connection:
            yield Tx(connection)

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str, now: datetime) -> Store:
    """Open `sqlite:///FILE` (created when new) or `sqlite://` (in memory), its schema up to date.

    Raises Temporary when the database is locked, OutboxError when it is none or too new.
    """
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    store = Store(engine, path)
    try:
        with _plain_errors():
            upgrade(engine.execution_options(write=True))
        with store.begin() as tx:
            _name_instance(tx, now)
    except BaseException:
        store.close()
        raise
    return store


def instance_secret(tx: Tx) -> str:
    """The secret made with the database; it signs links while OUTBOX_SECRET is not set."""
    secret: str = tx.connection.execute(select(schema.instance.c.secret)).scalar_one()
    return secret


def _name_instance(tx: Tx, now: datetime) -> None:
    if tx.connection.execute(select(schema.instance.c.one)).first() is None:
        row = {"one": 1, "id": uuid4().hex, "secret": secrets.token_hex(32), "created_at": now}
        tx.connection.execute(insert(schema.instance), row)


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    # The driver must not begin transactions by itself: reads and writes begin differently.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a read that turns into a write could not wait for it.
    writes = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError:
        raise  # a broken invariant is our fault, never the user's
    except exc.DBAPIError as error:
        raise _explain(str(error.orig)) from error
    except sqlite3.Error as error:
        raise _explain(str(error)) from error


def _explain(said: str) -> OutboxError:
    if any(word in said.lower() for word in PASSING):
        return Temporary(f"the database cannot be used just now: {said}")
    return OutboxError(f"the database cannot be used: {said}")
