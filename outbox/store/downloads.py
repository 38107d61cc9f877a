"""Who fetched the book, and how often by one link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, insert, select

from . import Tx, queue_for
from .schema import download


@dataclass(frozen=True, slots=True)
class Download:
    """One time that somebody fetched a file."""

    file: str
    at: datetime


def record(tx: Tx, subscriber_id: int, file: str, link: str, *, most: int, now: datetime) -> bool:
    """Keep that a person fetches a file by a link; False, and nothing kept, when it was used `most` times."""
    queue_for(tx, f"download {subscriber_id}")
    if count(tx, subscriber_id, link) >= most:
        return False
    row = {"subscriber_id": subscriber_id, "file": file, "link": _name(link), "at": now}
    tx.connection.execute(insert(download), row)
    return True


def count(tx: Tx, subscriber_id: int, link: str) -> int:
    """How often a person has used a link."""
    mine = (download.c.subscriber_id == subscriber_id, download.c.link == _name(link))
    return tx.connection.execute(select(func.count()).select_from(download).where(*mine)).scalar_one()


def has_downloaded(tx: Tx, subscriber_id: int) -> bool:
    """Whether a person ever fetched the book."""
    query = select(download.c.id).where(download.c.subscriber_id == subscriber_id).limit(1)
    return tx.connection.execute(query).first() is not None


def find_downloads(tx: Tx, subscriber_id: int) -> Sequence[Download]:
    """All that a person fetched, in order."""
    query = select(download.c.file, download.c.at).where(download.c.subscriber_id == subscriber_id)
    rows = tx.connection.execute(query.order_by(download.c.at, download.c.id))
    return [Download(row.file, row.at) for row in rows]


def _name(link: str) -> str:
    """By what a link is known here: the database does not hold the key itself."""
    return sha256(link.encode()).hexdigest()[:32]
