"""The evidence of consent: a chain of events that only grows, each holding the digest of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring as quote
from typing import Any

from sqlalchemy import Row, insert, select

from outbox.model import Consent, ConsentEvent

from . import Tx, bulk, queue_for
from .schema import consent_event, form

NAMES = (
    "subscriber_id", "consent", "basis", "source", "method", "form_sha", "given_at", "at", "previous", "digest",
)  # fmt: skip


WORDS = {consent: consent.value for consent in Consent}


def append(tx: Tx, events: Sequence[ConsentEvent]) -> None:
    """Add events to the end of the chain, in this order. All of them happened at one moment."""
    if not events:
        return
    queue_for(tx, "consent_event")  # two writers at once would fork the chain
    last = select(consent_event.c.digest).order_by(consent_event.c.id.desc()).limit(1)
    previous = tx.connection.execute(last).scalar_one_or_none() or ""
    at, stamp = bulk.moment(tx, events[0].at), _stamp(events[0].at)
    rows = []
    for event in events:
        digest = _digest(previous, event, stamp)
        rows.append(
            (
                event.subscriber_id,
                WORDS[event.consent],
                event.basis,
                event.source,
                event.method,
                event.form_sha or None,
                event.given_at,
                at,
                previous,
                digest,
            )
        )
        previous = digest
    bulk.append(tx, consent_event, NAMES, rows)


def events_of(tx: Tx, subscriber_id: int) -> list[ConsentEvent]:
    """The evidence about one person, oldest first."""
    mine = select(consent_event).where(consent_event.c.subscriber_id == subscriber_id)
    return [read_event(row) for row in tx.connection.execute(mine.order_by(consent_event.c.id))]


def find_broken_link(tx: Tx) -> int | None:
    """The number of the first event that does not follow from the one before; None for a whole chain."""
    previous = ""
    for row in tx.connection.execution_options(yield_per=10_000).execute(
        select(consent_event).order_by(consent_event.c.id)
    ):
        event = read_event(row)
        if row.previous != previous or row.digest != _digest(previous, event, _stamp(event.at)):
            number: int = row.id
            return number
        previous = row.digest
    return None


def keep_form(tx: Tx, words: str, version: str, now: datetime) -> str:
    """Keep the words of a sign-up form for good; returns the digest by which events name them."""
    sha = sha256(words.encode()).hexdigest()
    if tx.connection.execute(select(form.c.sha).where(form.c.sha == sha)).first() is None:
        tx.connection.execute(insert(form), {"sha": sha, "version": version, "text": words, "since": now})
    return sha


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


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(previous: str, event: ConsentEvent, stamp: str) -> str:
    """SHA-256 of a JSON array, put together by hand: a list of a million is hashed link by link."""
    link = (
        f'["{previous}", {event.subscriber_id}, "{WORDS[event.consent]}", {quote(event.basis)}, '
        f'{quote(event.source)}, {quote(event.given_at)}, "{stamp}"'
    )
    if event.method or event.form_sha:  # the first schema knew neither, and its chains stay whole
        link += f", {quote(event.method)}, {quote(event.form_sha)}"
    return sha256(f"{link}]".encode()).hexdigest()
