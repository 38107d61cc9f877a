"""Open the database, bring its schema up to date, and hand out transactions."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select, text

from . import schema
from .engine import BUSY_MS, connect, plain_errors
from .upgrade import upgrade

__all__ = ["BUSY_MS", "Store", "Tx", "instance_secret", "open_store", "queue_for"]


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction. Only modules of this package look inside."""

    connection: Connection

    @property
    def many(self) -> bool:
        """Whether several may write at once (PostgreSQL); SQLite has one writer at a time."""
        return self.connection.dialect.name == "postgresql"

    def undo(self) -> None:
        """Take back everything done so far; what was a trial leaves no trace."""
        self.connection.rollback()


@dataclass(frozen=True, slots=True)
class Store:
    """The database of one outbox."""

    engine: Engine
    path: Path | None  # None: in memory, or on a server

    @property
    def many(self) -> bool:
        """Whether several senders may work at once (PostgreSQL)."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Write: all or nothing, one writer at a time; raises Temporary for a locked or full database."""
        with plain_errors(), self.engine.execution_options(write=True).begin() as connection:
            yield Tx(connection)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Read from one moment's view of the database."""
        with plain_errors(), self.engine.begin() as connection:
            yield Tx(connection)

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str, now: datetime) -> Store:
    """Open a database (SQLite's file is created when new), its schema up to date.

    `url` is sqlite:///FILE, sqlite:// (in memory) or postgresql://USER:PASSWORD@HOST/NAME.
    Raises Temporary when the database is locked or cannot be reached, OutboxError when it is none or too new.
    """
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    store = Store(connect(url), path)
    try:
        with plain_errors():
            upgrade(store.engine.execution_options(write=True))
        with store.begin() as tx:
            _name_instance(tx, now)
    except BaseException:
        store.close()
        raise
    return store


def queue_for(tx: Tx, name: str) -> None:
    """Wait until nobody else holds this lock, and keep it to the end of the transaction."""
    if tx.many:
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def instance_secret(tx: Tx) -> str:
    """The secret made with the database; it signs links while OUTBOX_SECRET is not set."""
    secret: str = tx.connection.execute(select(schema.instance.c.secret)).scalar_one()
    return secret


def _name_instance(tx: Tx, now: datetime) -> None:
    queue_for(tx, "instance")
    if tx.connection.execute(select(schema.instance.c.one)).first() is None:
        row = {
            "one": 1,
            "id": uuid4().hex,
            "secret": secrets.token_hex(32),
            "generation": "",
            "created_at": now,
        }
        tx.connection.execute(insert(schema.instance), row)
