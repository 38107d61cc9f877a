"""Connect to SQLite or PostgreSQL, and say in plain words what a database reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, exc

from outbox.errors import OutboxError, Temporary

BUSY_MS = 10_000
#: What databases say when waiting helps.
PASSING = (
    "locked",
    "full",
    "disk i/o",
    "unable to open",
    "no space left",
    "connection failed",
    "connection to server",
    "connection is closed",
    "server closed",
    "starting up",
    "shutting down",
    "terminating connection",
    "too many clients",
    "lock timeout",
    "deadlock",
)
#: Seconds, milliseconds: a server that does not answer must not hold a sender for ever.
CONNECT_S, LOCK_MS = 10, 30_000


def connect(url: str) -> Engine:
    """Return an engine that opens every connection the way the ledger needs it.

    Parameters are hidden, so that no error shows anybody's address.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000}, hide_parameters=True)
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    settings = f"-c timezone=UTC -c synchronous_commit=on -c lock_timeout={LOCK_MS}"
    driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(
        driver,
        connect_args={"connect_timeout": CONNECT_S, "options": settings},
        pool_pre_ping=True,
        hide_parameters=True,
    )


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
def plain_errors() -> Iterator[None]:
    """Turn what a database reports into a sentence; raises Temporary where waiting helps."""
    try:
        yield
    except exc.IntegrityError:
        raise  # a broken invariant is our fault, never the user's
    except exc.DBAPIError as error:
        raise _explain(str(error.orig)) from error
    except sqlite3.Error as error:
        raise _explain(str(error)) from error


def _explain(said: str) -> OutboxError:
    line = " ".join(said.split())
    if any(word in line.lower() for word in PASSING):
        return Temporary(f"the database cannot be used just now: {line}")
    return OutboxError(f"the database cannot be used: {line}")
