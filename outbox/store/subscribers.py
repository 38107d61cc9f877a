"""People, the evidence of their consent, and the addresses never to write to again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from outbox.addresses import key_of
from outbox.model import Consent, ConsentEvent, Subscriber

from . import Tx, queue_for
from .schema import consent_event, subscriber, suppression

_COLUMNS = (subscriber.c.id, subscriber.c.email, subscriber.c.name, subscriber.c.consent)


def find(tx: Tx, email: str) -> Subscriber | None:
    """The person behind a mailbox, whatever its spelling."""
    query = select(*_COLUMNS).where(subscriber.c.email_key == key_of(email))
    row = tx.connection.execute(query).first()
    return _subscriber(row) if row else None


def find_by_id(tx: Tx, subscriber_id: int) -> Subscriber | None:
    """The person a signed link names."""
    row = tx.connection.execute(select(*_COLUMNS).where(subscriber.c.id == subscriber_id)).first()
    return _subscriber(row) if row else None


def add(tx: Tx, email: str, *, name: str, now: datetime) -> Subscriber:
    """Write a new person, still without consent."""
    row = {
        "email": email,
        "email_key": key_of(email),
        "name": name,
        "language": "",
        "time_zone": "",
        "token": secrets.token_urlsafe(16),
        "attributes": "{}",
        "consent": Consent.PENDING,
        "created_at": now,
    }
    result = tx.connection.execute(insert(subscriber), row)
    new_id: int = result.inserted_primary_key[0]  # type: ignore[index]
    return Subscriber(new_id, email, name, Consent.PENDING)


def rename(tx: Tx, subscriber_id: int, name: str) -> None:
    """Change the name that future sends use; frozen ones keep theirs."""
    tx.connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(name=name))


def record(tx: Tx, event: ConsentEvent) -> None:
    """Append the evidence to the chain and let the person's consent follow it."""
    queue_for(tx, "consent_event")  # two writers at once would fork the chain
    last = select(consent_event.c.digest).order_by(consent_event.c.id.desc()).limit(1)
    previous = tx.connection.execute(last).scalar_one_or_none() or ""
    row = {
        "subscriber_id": event.subscriber_id,
        "consent": event.consent,
        "basis": event.basis,
        "source": event.source,
        "method": event.method,
        "form_sha": event.form_sha or None,
        "given_at": event.given_at,
        "at": event.at,
        "previous": previous,
        "digest": _digest(previous, event),
    }
    tx.connection.execute(insert(consent_event), row)
    changed = update(subscriber).where(subscriber.c.id == event.subscriber_id).values(consent=event.consent)
    tx.connection.execute(changed)


def events_of(tx: Tx, subscriber_id: int) -> list[ConsentEvent]:
    """The evidence about one person, oldest first."""
    query = (
        select(consent_event)
        .where(consent_event.c.subscriber_id == subscriber_id)
        .order_by(consent_event.c.id)
    )
    return [_event(row) for row in tx.connection.execute(query)]


def find_broken_link(tx: Tx) -> int | None:
    """The number of the first event that does not follow from the one before; None for a whole chain."""
    previous = ""
    for row in tx.connection.execute(select(consent_event).order_by(consent_event.c.id)):
        if row.previous != previous or row.digest != _digest(previous, _event(row)):
            number: int = row.id
            return number
        previous = row.digest
    return None


def everyone(tx: Tx) -> Iterator[tuple[Subscriber, ConsentEvent | None]]:
    """Every person with the last evidence about them, in the order they came."""
    newest = select(func.max(consent_event.c.id)).group_by(consent_event.c.subscriber_id)
    last = select(consent_event).where(consent_event.c.id.in_(newest)).subquery()
    columns = [
        last.c[name] for name in ("subscriber_id", "basis", "source", "given_at", "at", "method", "form_sha")
    ]
    query = (
        select(*_COLUMNS, *columns)
        .outerjoin(last, last.c.subscriber_id == subscriber.c.id)
        .order_by(subscriber.c.id)
    )
    for row in tx.connection.execute(query):
        yield _subscriber(row), _event(row) if row.subscriber_id else None


def suppress(tx: Tx, email: str, reason: str, now: datetime) -> None:
    """Never write to this mailbox again; a repeat changes nothing."""
    key = key_of(email)
    if (
        tx.connection.execute(select(suppression.c.reason).where(suppression.c.email_key == key)).first()
        is None
    ):
        tx.connection.execute(insert(suppression), {"email_key": key, "reason": reason, "since": now})


def count(tx: Tx) -> Mapping[Consent, int]:
    """How many people stand where."""
    query = select(subscriber.c.consent, func.count()).group_by(subscriber.c.consent)
    found = {Consent(name): number for name, number in tx.connection.execute(query)}
    return {consent: found.get(consent, 0) for consent in Consent}


def _subscriber(row: Row[*tuple[Any, ...]]) -> Subscriber:
    return Subscriber(row.id, row.email, row.name, Consent(row.consent))


def _event(row: Row[*tuple[Any, ...]]) -> ConsentEvent:
    return ConsentEvent(
        row.subscriber_id,
        Consent(row.consent),
        row.basis,
        row.source,
        row.given_at,
        row.at,
        row.method,
        row.form_sha or "",
    )


def _digest(previous: str, event: ConsentEvent) -> str:
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    link = [previous, event.subscriber_id, event.consent, event.basis, event.source, event.given_at, at]
    if event.method or event.form_sha:  # the first schema knew neither, and its chains stay whole
        link += [event.method, event.form_sha]
    return sha256(json.dumps(link, ensure_ascii=False).encode()).hexdigest()
