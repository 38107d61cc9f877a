"""The people on the list, with what is known of them."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update

from outbox.addresses import key_of
from outbox.model import Consent, ConsentEvent, Subscriber, write_attributes

from . import Tx, bulk, evidence
from .schema import consent_event, subscriber, suppression, tag

_COLUMNS = tuple(
    subscriber.c[name]
    for name in ("id", "email", "name", "consent", "language", "time_zone", "attributes", "created_at")
)
TOKEN = re.compile(r"[0-7][0-9a-f]{7}[A-Za-z0-9_-]{24}")  # incoming.make_tokens
AT_ONCE, READ = 500, 2_000  # keys in one question, rows in one answer


def find(tx: Tx, email: str) -> Subscriber | None:
    """The person behind a mailbox, whatever its spelling."""
    return find_many(tx, [key_of(email)]).get(key_of(email))


def find_by_id(tx: Tx, subscriber_id: int) -> Subscriber | None:
    """The person a signed link names."""
    row = tx.connection.execute(select(*_COLUMNS).where(subscriber.c.id == subscriber_id)).first()
    return _subscriber(row) if row else None


def find_by_token(tx: Tx, token: str) -> Subscriber | None:
    """The person a link names by their token; None for a token that nobody has. It begins with their number."""
    number = int(token[:8], 16) if TOKEN.fullmatch(token) else 0
    query = select(subscriber.c.token, *_COLUMNS).where(subscriber.c.id == number)
    row = tx.connection.execute(query).first()
    return _subscriber(row) if row and hmac.compare_digest(row.token, token) else None


def find_by_tokens(tx: Tx, tokens: Sequence[str]) -> dict[str, Subscriber]:
    """As `find_by_token` for many; tokens that nobody has are left out."""
    wanted = {token: int(token[:8], 16) for token in tokens if TOKEN.fullmatch(token)}
    rows, numbers = {}, sorted(set(wanted.values()))
    for start in range(0, len(numbers), AT_ONCE):
        some = subscriber.c.id.in_(numbers[start : start + AT_ONCE])
        found = tx.connection.execute(select(subscriber.c.token, *_COLUMNS).where(some))
        rows.update({row.id: row for row in found})
    return {
        token: _subscriber(rows[number])
        for token, number in wanted.items()
        if number in rows and hmac.compare_digest(rows[number].token, token)
    }


def find_many(tx: Tx, keys: Sequence[str]) -> dict[str, Subscriber]:
    """The people behind these keys (addresses.key_of), as far as there are any."""
    found = {}
    for start in range(0, len(keys), AT_ONCE):
        wanted = subscriber.c.email_key.in_(keys[start : start + AT_ONCE])
        rows = tx.connection.execute(select(subscriber.c.email_key, *_COLUMNS).where(wanted))
        found.update({row.email_key: _subscriber(row) for row in rows})
    return found


def change(tx: Tx, people: Sequence[Subscriber]) -> None:
    """Write what is known of people anew; sends that are frozen keep what they had."""
    columns = ("name", "language", "time_zone", "attributes")
    rows = [
        {
            "_id": person.id,
            "_name": person.name,
            "_language": person.language,
            "_time_zone": person.time_zone,
            "_attributes": write_attributes(person.attributes),
        }
        for person in people
    ]
    one = update(subscriber).where(subscriber.c.id == bindparam("_id"))
    if rows:
        tx.connection.execute(one.values({name: bindparam(f"_{name}") for name in columns}), rows)


def record(tx: Tx, event: ConsentEvent) -> None:
    """Append the evidence to the chain and let the person's consent follow it."""
    evidence.append(tx, [event])
    follow(tx, [event])


def follow(tx: Tx, events: Sequence[ConsentEvent]) -> None:
    """Let people's consent be what evidence says that is in the chain."""
    one = update(subscriber).where(subscriber.c.id == bindparam("_id")).values(consent=bindparam("_consent"))
    if events:
        rows = [{"_id": event.subscriber_id, "_consent": event.consent} for event in events]
        tx.connection.execute(one, rows)


def next_id(tx: Tx) -> int:
    """The least number that the next new person can have."""
    return (tx.connection.execute(select(func.max(subscriber.c.id))).scalar_one() or 0) + 1


def tags_of(tx: Tx, subscriber_id: int) -> Sequence[str]:
    """A person's tags, sorted."""
    return tags_of_all(tx, [subscriber_id]).get(subscriber_id, ())


def tags_of_all(tx: Tx, ids: Sequence[int]) -> dict[int, list[str]]:
    """The tags of those people who have any, sorted."""
    found: dict[int, list[str]] = {}
    for start in range(0, len(ids), AT_ONCE):
        query = select(tag).where(tag.c.subscriber_id.in_(ids[start : start + AT_ONCE]))
        for number, word in tx.connection.execute(query):
            found.setdefault(number, []).append(word)
    return {number: sorted(words) for number, words in found.items()}


def add_tags(tx: Tx, pairs: Sequence[tuple[int, str]]) -> None:
    """Give people tags they do not have, as (subscriber id, tag)."""
    bulk.append(tx, tag, ("subscriber_id", "tag"), pairs)


def remove_tag(tx: Tx, subscriber_id: int, word: str) -> bool:
    """Take a tag away; False when the person did not have it."""
    one = delete(tag).where(tag.c.subscriber_id == subscriber_id, tag.c.tag == word)
    return tx.connection.execute(one).rowcount > 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list: a person, the last evidence, and why and since when they are suppressed."""

    person: Subscriber
    event: ConsentEvent | None
    tags: Sequence[str]
    reason: str
    since: datetime | None


def everyone(tx: Tx) -> Iterator[Entry]:
    """Every person who was not erased, in the order of their mailboxes."""
    newest = select(func.max(consent_event.c.id)).where(consent_event.c.subscriber_id == subscriber.c.id)
    event = [column.label(f"event_{column.name}") for column in consent_event.c]
    query = (
        select(*_COLUMNS, *event, suppression.c.reason, suppression.c.since)
        .outerjoin(consent_event, consent_event.c.id == newest.correlate(subscriber).scalar_subquery())
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(subscriber.c.consent != Consent.ERASED)
        .order_by(bulk.by_letters(tx, subscriber.c.email_key))
    )
    rows = tx.connection.execution_options(yield_per=READ).execute(query)
    for part in rows.partitions():
        tags = tags_of_all(tx, [row.id for row in part])
        for row in part:
            last = evidence.read_event(row, "event_") if row.event_id else None
            yield Entry(_subscriber(row), last, tags.get(row.id, ()), row.reason or "", row.since)


def count(tx: Tx) -> Mapping[Consent, int]:
    """How many people stand where."""
    query = select(subscriber.c.consent, func.count()).group_by(subscriber.c.consent)
    found = {Consent(name): number for name, number in tx.connection.execute(query)}
    return {consent: found.get(consent, 0) for consent in Consent}


def _subscriber(row: Row[*tuple[Any, ...]]) -> Subscriber:
    return Subscriber(
        row.id,
        row.email,
        row.name,
        Consent(row.consent),
        row.language,
        row.time_zone,
        json.loads(row.attributes) if row.attributes != "{}" else {},
        row.created_at,
    )
