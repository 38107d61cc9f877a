"""New people with their evidence: put aside first, then moved into place by one statement for each table."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count

from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from outbox.model import Claims

from . import Tx, bulk, evidence
from .columns import Instant
from .schema import subscriber

NAMES = (
    "id", "email", "email_key", "name", "language", "time_zone", "token", "attributes", "consent",
    "basis", "source", "given_at",
)  # fmt: skip
#: Where people wait; each connection has its own, and it is empty before and after.
incoming = Table(
    "incoming",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False) for name in NAMES[1:]),
    prefixes=["TEMPORARY"],
)


def admit(
    tx: Tx,
    people: Claims,
    now: datetime,
    *,
    method: str,
    barred: Collection[str] = (),
    form_sha: str = "",
) -> list[int]:
    """Write those people whose mailbox is not on the list yet, each with the evidence of their consent.

    `form_sha` names the words that all of them agreed to (evidence.keep_form).
    Returns the id of each; 0 for one who is on the list, and for one whose key is `barred`.
    """
    ids = list(bulk.reserve(tx, subscriber, len(people)))
    who = (people.email, people.key, people.name, people.language, people.time_zone)
    what = (people.attributes, people.consent, people.basis, people.source, people.given_at)
    rows = list(zip(ids, *who, make_tokens(ids), *what, strict=True))
    if barred:
        rows = [row for row in rows if row[2] not in barred]
    if not rows:
        return [0] * len(people)
    incoming.create(tx.connection, checkfirst=True)
    bulk.append(tx, incoming, NAMES, rows)
    known = _move_people(tx, len(rows), now)
    if known:
        rows = [row for row in rows if row[0] not in known]
    told = [(row[0], *row[8:11], method, form_sha or None, row[11]) for row in rows]
    evidence.append_from(tx, incoming, told, method, now, form_sha=form_sha)
    tx.connection.execute(delete(incoming))
    if len(rows) == len(people):
        return ids
    added = {row[0] for row in rows}
    return [number if number in added else 0 for number in ids]


def make_tokens(ids: Sequence[int]) -> list[str]:
    """Return a secret word of 32 characters for each person: their number, by which it is found, and 144 bits."""
    chance = urlsafe_b64encode(secrets.token_bytes(18 * len(ids))).decode()
    return [
        f"{number:08x}{chance[place : place + 24]}" for number, place in zip(ids, count(0, 24), strict=False)
    ]


def _move_people(tx: Tx, number: int, now: datetime) -> set[int]:
    """Move people onto the list; whoever was on it waits no longer, and is returned."""
    names = (*NAMES[:9], "created_at")
    waiting = select(*(incoming.c[name] for name in NAMES[:9]), literal(now, Instant)).order_by(incoming.c.id)
    kind = postgresql if tx.many else sqlite
    # SQLite takes the ON of a conflict for that of a join, unless there is a WHERE.
    moved = kind.insert(subscriber).from_select(names, waiting.where(incoming.c.id > 0))
    if tx.connection.execute(moved.on_conflict_do_nothing(index_elements=["email_key"])).rowcount == number:
        return set()
    here = select(subscriber.c.id).where(subscriber.c.id == incoming.c.id).exists()
    known = set(tx.connection.execute(select(incoming.c.id).where(~here)).scalars())
    tx.connection.execute(delete(incoming).where(~here))
    return known
