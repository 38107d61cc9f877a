"""Rates that outlive a process and are shared by all senders, taken in the transaction that claims."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, update

from outbox.rates import Level

from . import Tx, queue_for
from .schema import bucket


def read_level(tx: Tx, name: str, now: datetime, *, full: float) -> tuple[Level, datetime]:
    """How full a bucket is, and since when there is one; a new one is full."""
    queue_for(tx, f"bucket {name}")
    row = tx.connection.execute(select(bucket).where(bucket.c.name == name)).first()
    if row is None:
        tx.connection.execute(insert(bucket), {"name": name, "tokens": full, "updated_at": now, "since": now})
        return Level(full, now), now
    return Level(row.tokens, row.updated_at, row.blocked_until), row.since


def write_level(tx: Tx, name: str, level: Level) -> None:
    """Keep how full a bucket is."""
    values = {"tokens": level.tokens, "updated_at": level.at, "blocked_until": level.blocked_until}
    tx.connection.execute(update(bucket).where(bucket.c.name == name).values(values))


def find_blocked(tx: Tx, prefix: str, now: datetime) -> dict[str, datetime]:
    """The buckets, by what follows `prefix` in their names, that nothing may pass, and until when."""
    blocked = select(bucket.c.name, bucket.c.blocked_until)
    blocked = blocked.where(bucket.c.name.startswith(prefix), bucket.c.blocked_until > now)
    return {row[0].removeprefix(prefix): row[1] for row in tx.connection.execute(blocked)}


def block(tx: Tx, name: str, until: datetime) -> None:
    """Let nothing pass before a moment, as the provider asked; a later one that stands already stays."""
    row = update(bucket).where(bucket.c.name == name, func.coalesce(bucket.c.blocked_until, until) <= until)
    tx.connection.execute(row.values(blocked_until=until))
