"""Mailboxes never to write to again: by their key, or by a keyed hash where the person was erased."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from outbox.addresses import key_of
from outbox.model import Reason

from . import Tx, bulk
from .schema import instance, subscriber, suppression

AT_ONCE = 500  # keys in one question


def suppress(tx: Tx, email: str, reason: Reason, now: datetime) -> bool:
    """Never write to this mailbox again; False, with nothing changed, when that was so before."""
    key = key_of(email)
    if reason_of(tx, key):
        return False
    tx.connection.execute(insert(suppression), {"email_key": key, "reason": reason, "since": now})
    return True


def reason_of(tx: Tx, key: str) -> str:
    """Why a mailbox is suppressed; empty when it is not."""
    query = select(suppression.c.reason).where(suppression.c.email_key == key)
    return tx.connection.execute(query).scalar_one_or_none() or ""


def forget(tx: Tx, key: str, secrets: Sequence[str], now: datetime) -> None:
    """Keep a keyed hash of a mailbox, and no longer the mailbox itself."""
    tx.connection.execute(delete(suppression).where(suppression.c.email_key == key))
    sealed = seal(key, secrets[0])
    if (
        tx.connection.execute(select(suppression.c.id).where(suppression.c.key_hash == sealed)).first()
        is None
    ):
        tx.connection.execute(insert(suppression), {"key_hash": sealed, "reason": "erased", "since": now})


def find_barred(tx: Tx, keys: Sequence[str], secrets: Sequence[str] = ()) -> set[str]:
    """Those of these mailboxes that are suppressed, or belonged to a person who was erased."""
    if bulk.is_empty(tx, suppression):
        return set()
    barred = set[str]()
    for start in range(0, len(keys), AT_ONCE):
        query = select(suppression.c.email_key).where(
            suppression.c.email_key.in_(keys[start : start + AT_ONCE])
        )
        barred.update(tx.connection.execute(query).scalars())
    query = select(suppression.c.key_hash).where(suppression.c.key_hash.is_not(None))
    erased = set(tx.connection.execute(query).scalars())
    if erased:
        used = all_secrets(tx, secrets)
        barred.update(key for key in keys if any(seal(key, secret) in erased for secret in used))
    return barred


def strangers(tx: Tx) -> Iterator[tuple[str, str, datetime]]:
    """Suppressed mailboxes of nobody on the list, by key: key, reason, since when."""
    known = select(subscriber.c.id).where(subscriber.c.email_key == suppression.c.email_key)
    query = select(suppression.c.email_key, suppression.c.reason, suppression.c.since)
    query = query.where(suppression.c.email_key.is_not(None), ~known.exists())
    query = query.order_by(bulk.by_letters(tx, suppression.c.email_key))
    for key, reason, since in tx.connection.execute(query):  # noqa: UP028  (not rows, but what they hold)
        yield key, reason, since


def all_secrets(tx: Tx, secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets of the environment and that of the database: a hash may have been made with any of them."""
    own: str = tx.connection.execute(select(instance.c.secret)).scalar_one()
    return (*secrets, own)


def seal(key: str, secret: str) -> str:
    """The keyed hash of a mailbox: without the secret nobody can try addresses against it."""
    return hmac.digest(secret.encode(), b"erased\0" + key.encode(), "sha256").hex()
