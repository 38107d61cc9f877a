"""What `outbox plan` showed, kept so that a later send can tell what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, insert, select

from . import Tx
from .schema import consent_event
from .schema import plan as plans


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan that was shown."""

    id: str
    slug: str
    digest: str
    due_at: datetime
    audience: int
    newest_consent: int
    at: datetime | None = None  # the time it was made for by hand; without offset on everybody's own clock


def keep(
    tx: Tx,
    *,
    slug: str,
    digest: str,
    due_at: datetime,
    audience: int,
    now: datetime,
    at: datetime | None = None,
) -> str:
    """Keep a plan and return its id: the same for the same issue, people and time."""
    newest = tx.connection.execute(select(func.coalesce(func.max(consent_event.c.id), 0))).scalar_one()
    due, by_hand = "" if due_at <= now else due_at.isoformat(), at.isoformat() if at else ""
    name = sha256(f"{slug} {digest} {due} {by_hand} {audience} {newest}".encode()).hexdigest()[:12]
    if find(tx, name) is None:
        row = {
            "id": name,
            "slug": slug,
            "digest": digest,
            "due_at": due_at,
            "audience": audience,
            "newest_consent": newest,
            "made_at": now,
            "at": by_hand,
        }
        tx.connection.execute(insert(plans), row)
    return name


def find(tx: Tx, name: str) -> Kept | None:
    """A plan by its id."""
    row = tx.connection.execute(select(plans).where(plans.c.id == name)).first()
    if row is None:
        return None
    at = datetime.fromisoformat(row.at) if row.at else None
    return Kept(row.id, row.slug, row.digest, row.due_at, row.audience, row.newest_consent, at)


def count_changes(tx: Tx, kept: Kept) -> int:
    """How many people came, went or changed their consent since a plan was made."""
    who = func.count(consent_event.c.subscriber_id.distinct())
    return tx.connection.execute(select(who).where(consent_event.c.id > kept.newest_consent)).scalar_one()
