"""The evidence of consent: events that only grow, sealed by a chain of digests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Row, String, Table, cast, func, insert, literal, null, select

from outbox.model import Consent, ConsentEvent

from . import Tx, bulk, queue_for
from .columns import Instant
from .schema import consent_event, form, seal

NAMES = ("subscriber_id", "consent", "basis", "source", "method", "form_sha", "given_at", "at")
Rows = Sequence[tuple[Any, ...]]


def append(tx: Tx, events: Sequence[ConsentEvent]) -> None:
    """Add events in this order, and seal them. All of them happened at one moment."""
    if not events:
        return
    rows = [
        (e.subscriber_id, e.consent.value, e.basis, e.source, e.method, e.form_sha or None, e.given_at)
        for e in events
    ]
    queue_for(tx, "consent_event")  # two writers at once would fork the chain
    at = bulk.moment(tx, events[0].at)
    bulk.append(tx, consent_event, NAMES, [(*row, at) for row in rows])
    _seal(tx, rows, events[0].at)


def append_from(
    tx: Tx, waiting: Table, rows: Rows, method: str, now: datetime, *, form_sha: str = ""
) -> None:
    """Add an event for everyone who waits in a table, and seal them; `rows` says the same, without the moment."""
    if not rows:
        return
    queue_for(tx, "consent_event")
    told = (waiting.c.id, waiting.c.consent, waiting.c.basis, waiting.c.source)
    sha = cast(literal(form_sha) if form_sha else null(), String(64))
    same = (literal(method), sha, waiting.c.given_at, literal(now, Instant))
    chosen = select(*told, *same).order_by(waiting.c.id)
    tx.connection.execute(insert(consent_event).from_select(NAMES, chosen))
    _seal(tx, rows, now)


def events_of(tx: Tx, subscriber_id: int) -> list[ConsentEvent]:
    """The evidence about one person, oldest first."""
    mine = select(consent_event).where(consent_event.c.subscriber_id == subscriber_id)
    return [read_event(row) for row in tx.connection.execute(mine.order_by(consent_event.c.id))]


def find_broken_link(tx: Tx) -> int | None:
    """The number of the first event that is not as it was sealed, or not sealed; None for a whole chain."""
    previous, last = "", 0
    for one in tx.connection.execute(select(seal).order_by(seal.c.id)).all():
        first: int = one.first_id
        if first <= last or not _is_whole(tx, previous, last, one):
            return first
        previous, last = one.digest, one.last_id
    query = select(func.min(consent_event.c.id)).where(consent_event.c.id > last)
    number: int | None = tx.connection.execute(query).scalar_one()
    return number


def keep_form(tx: Tx, words: str, version: str, now: datetime) -> str:
    """Keep the words of a sign-up form for good; returns the digest by which events name them."""
    sha = sha256(words.encode()).hexdigest()
    if tx.connection.execute(select(form.c.sha).where(form.c.sha == sha)).first() is None:
        tx.connection.execute(insert(form), {"sha": sha, "version": version, "text": words, "since": now})
    return sha


def find_form(tx: Tx, start: str) -> str:
    """The digest of the form that begins like this; empty where none is kept."""
    query = select(form.c.sha).where(form.c.sha.startswith(start, autoescape=True)).limit(1)
    return tx.connection.execute(query).scalar_one_or_none() or ""


def forms_of(tx: Tx, events: Iterable[ConsentEvent]) -> dict[str, tuple[str, str]]:
    """Version and text of the forms that events name, by digest."""
    wanted = {event.form_sha for event in events if event.form_sha}
    rows = tx.connection.execute(select(form).where(form.c.sha.in_(wanted)))
    return {row.sha: (row.version, row.text) for row in rows}


def read_event(row: Row[*tuple[Any, ...]], prefix: str = "") -> ConsentEvent:
    """An event from its row, whose columns may stand beside others under a prefix."""
    cell = row._mapping  # noqa: SLF001  (the public name of a row's mapping)
    return ConsentEvent(
        cell[f"{prefix}subscriber_id"],
        Consent(cell[f"{prefix}consent"]),
        cell[f"{prefix}basis"],
        cell[f"{prefix}source"],
        cell[f"{prefix}given_at"],
        cell[f"{prefix}at"],
        cell[f"{prefix}method"],
        cell[f"{prefix}form_sha"] or "",
    )


def _seal(tx: Tx, rows: Rows, now: datetime) -> None:
    last = tx.connection.execute(select(seal).order_by(seal.c.id.desc()).limit(1)).first()
    ids = select(func.min(consent_event.c.id), func.max(consent_event.c.id))
    first_id, last_id = tx.connection.execute(
        ids.where(consent_event.c.id > (last.last_id if last else 0))
    ).one()
    digest = _digest(last.digest if last else "", rows, now)
    tx.connection.execute(insert(seal), {"first_id": first_id, "last_id": last_id, "digest": digest})


def _is_whole(tx: Tx, previous: str, after: int, one: Row[*tuple[Any, ...]]) -> bool:
    inside = consent_event.c.id > after, consent_event.c.id <= one.last_id
    query = select(*(consent_event.c[name] for name in NAMES)).where(*inside).order_by(consent_event.c.id)
    rows = tx.connection.execute(query).all()
    told = [tuple(row[:-1]) for row in rows]
    return len({row[-1] for row in rows}) == 1 and one.digest == _digest(previous, told, rows[0][-1])


def _digest(previous: str, rows: Rows, at: datetime) -> str:
    """SHA-256 over the seal before, the moment, and what happened at it, as JSON."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return sha256(f"{previous}\n{moment}\n".encode() + msgspec.json.encode(rows)).hexdigest()
