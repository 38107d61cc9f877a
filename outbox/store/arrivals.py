"""What came in from outside, kept as it came: on the disk before it is answered, read later, gone after a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from outbox.model import Arrival

from . import Tx, queue_for
from .schema import arrival, event

UNREAD = arrival.c.read_at.is_(None)


class Kept(NamedTuple):
    """An arrival and its number."""

    id: int
    arrival: Arrival


def keep(tx: Tx, arrivals: Iterable[Arrival]) -> None:
    """Write down what came in; nothing is understood of it yet."""
    rows = [
        {
            "provider": one.provider,
            "headers": msgspec.json.encode(one.headers).decode(),
            "body": one.body,
            "at": one.at,
            "trouble": "",
        }
        for one in arrivals
    ]
    if rows:
        tx.connection.execute(insert(arrival), rows)


def find_unread(tx: Tx, limit: int) -> list[Kept]:
    """The next that wait, in the order they came. Who asks keeps others from asking until the transaction ends."""
    queue_for(tx, "arrival")
    rows = tx.connection.execute(select(arrival).where(UNREAD).order_by(arrival.c.id).limit(limit))
    return [
        Kept(row.id, Arrival(row.provider, msgspec.json.decode(row.headers), bytes(row.body), row.at))
        for row in rows
    ]


def mark_read(tx: Tx, numbers: Sequence[int], trouble: Mapping[int, str], now: datetime) -> None:
    """Say that these were read, and which of them could not be understood."""
    one = update(arrival).where(arrival.c.id == bindparam("the_id"))
    one = one.values(read_at=now, trouble=bindparam("the_trouble"))
    rows = [{"the_id": number, "the_trouble": trouble.get(number, "")} for number in numbers]
    if rows:
        tx.connection.execute(one, rows)


def count(tx: Tx) -> tuple[int, int]:
    """How many wait, and how many of those kept could not be understood."""
    waiting = select(func.count()).select_from(arrival).where(UNREAD)
    odd = select(func.count()).select_from(arrival).where(arrival.c.trouble != "")
    return tx.connection.execute(waiting).scalar_one(), tx.connection.execute(odd).scalar_one()


def is_waiting(tx: Tx) -> bool:
    """Whether anything waits to be read."""
    return tx.connection.execute(select(arrival.c.id).where(UNREAD).limit(1)).first() is not None


def purge(tx: Tx, before: datetime) -> int:
    """Remove what was read and came before this moment; returns how many there were."""
    old = delete(arrival).where(arrival.c.at < before, arrival.c.read_at.is_not(None))
    return tx.connection.execute(old).rowcount


def forget(tx: Tx, subscriber_id: int) -> None:
    """Empty what a person's events were read from."""
    mine = select(event.c.arrival_id).where(event.c.subscriber_id == subscriber_id)
    tx.connection.execute(update(arrival).where(arrival.c.id.in_(mine)).values(headers="{}", body=b""))
