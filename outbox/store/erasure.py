"""Remove what is known of a person; the ledger keeps that there was a message, not to whom."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from outbox.model import Consent

from . import Tx, arrivals, letters, series
from .rolls import blank
from .schema import asked, chunk, delivery, download, event, preference, roster, subscriber, tag


def forget(tx: Tx, subscriber_id: int) -> None:
    """Blank every field about a person, in every table that has one."""
    if not tx.many:
        tx.connection.exec_driver_sql("PRAGMA secure_delete = ON")  # overwrite what is freed
    for about in (tag, preference, asked):
        tx.connection.execute(delete(about).where(about.c.subscriber_id == subscriber_id))
    nothing = {
        "email": "",
        "email_key": f"erased:{subscriber_id}",
        "name": "",
        "language": "",
        "time_zone": "",
        "token": "",
        "attributes": "{}",
        "consent": Consent.ERASED,
    }
    tx.connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(nothing))
    tx.connection.execute(update(delivery).where(delivery.c.subscriber_id == subscriber_id).values(detail=""))
    arrivals.forget(tx, subscriber_id)
    tx.connection.execute(update(download).where(download.c.subscriber_id == subscriber_id).values(link=""))
    said = update(event).where(event.c.subscriber_id == subscriber_id)
    tx.connection.execute(said.values(detail=""))
    series.forget(tx, subscriber_id)
    letters.drop_of(tx, subscriber_id, "erased")
    _forget_in_rosters(tx, subscriber_id)


def _forget_in_rosters(tx: Tx, subscriber_id: int) -> None:
    joined = (roster.c.send_id == chunk.c.send_id) & (roster.c.no == chunk.c.no)
    query = (
        select(roster)
        .join(chunk, joined)
        .where(chunk.c.first_id <= subscriber_id, chunk.c.last_id >= subscriber_id)
    )
    for row in tx.connection.execute(query).all():
        people = blank(row.ids, row.people, subscriber_id)
        if people != row.people:
            one = update(roster).where(roster.c.send_id == row.send_id, roster.c.no == row.no)
            tx.connection.execute(one.values(people=people))
