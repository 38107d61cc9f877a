"""Open what a command works with: the settings, the database, the signer of links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from outbox.config import Settings, read
from outbox.errors import OutboxError
from outbox.store import Store, instance_secret, open_store
from outbox.tokens import Signer


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


def database_file(settings: Settings) -> Path:
    """The file behind the database's URL."""
    return Path(settings.database.removeprefix("sqlite:///"))


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the outbox's database; raises OutboxError when there is none yet."""
    path = database_file(settings)
    if not path.is_file():
        raise OutboxError(f"there is no {path.name} yet; run: outbox init")
    store = open_store(settings.database, clock())
    try:
        yield store
    finally:
        store.close()


def signer_of(settings: Settings, store: Store) -> Signer:
    """Sign with OUTBOX_SECRET, or with the secret in the database while there is none; both stay readable."""
    with store.read() as tx:
        secret = instance_secret(tx)
    return Signer((*settings.secrets, secret), settings.envelope.list_id)
