"""Remove what is known of a person; the ledger keeps that there was a message, not to whom."""

from __future__ import annotations

from sqlalchemy import delete, update

from outbox.model import Consent

from . import Tx
from .schema import delivery, event, subscriber, tag


def forget(tx: Tx, subscriber_id: int) -> None:
    """Blank every field about a person, in every table that has one."""
    if not tx.many:
        tx.connection.exec_driver_sql("PRAGMA secure_delete = ON")  # overwrite what is freed
    tx.connection.execute(delete(tag).where(tag.c.subscriber_id == subscriber_id))
    blank = {
        "email": "",
        "email_key": f"erased:{subscriber_id}",
        "name": "",
        "language": "",
        "time_zone": "",
        "token": "",
        "attributes": "{}",
        "consent": Consent.ERASED,
    }
    tx.connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(blank))
    mine = update(delivery).where(delivery.c.subscriber_id == subscriber_id)
    tx.connection.execute(mine.values(email="", name="", detail=""))
    said = update(event).where(event.c.subscriber_id == subscriber_id)
    tx.connection.execute(said.values(detail="", raw=""))
