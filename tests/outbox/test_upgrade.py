"""A database of every earlier schema comes up to date with everything that is in it."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from outbox.model import Consent
from outbox.store import evidence, open_store, subscribers
from outbox.store.engine import connect
from outbox.store.upgrade import upgrade

#: Three people as the first schema kept them; the digests are those it wrote.
FIRST = """
INSERT INTO instance VALUES (1, 'the-instance', 'the secret of this database', '2026-02-01T09:00:00.000000Z');
INSERT INTO subscriber VALUES (1, 'Ana@example.org', 'ana@example.org', 'Ana', 'confirmed',
  '2026-02-01T09:00:00.000000Z');
INSERT INTO subscriber VALUES (3, 'bo@example.org', 'bo@example.org', 'Bo', 'unsubscribed',
  '2026-02-02T09:00:00.000000Z');
INSERT INTO consent_event VALUES (1, 1, 'confirmed', 'said yes', 'list.csv:2', '', '2026-02-01T09:00:00.000000Z', '',
  '{first}');
INSERT INTO consent_event VALUES (2, 3, 'unsubscribed', 'left', 'link', '', '2026-02-02T09:00:00.000000Z',
  '{first}', '{second}');
INSERT INTO suppression VALUES ('bo@example.org', 'complaint', '2026-02-02T09:00:00.000000Z');
"""
DIGESTS = {
    "first": "34bc89c2dfca35ef6152a5fe09279c6f7774cfdd3df839a443f597039aeb4298",
    "second": "f3062e76dc5eb0b59b5ac42326bec4e60536db62fb6a449d205a21c090a28101",
}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database of the first schema."""
    path = tmp_path / "outbox.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine.execution_options(write=True), "0001")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST.format(**DIGESTS))
    connection.close()
    return path


def test_people_and_their_evidence_move_from_the_first_schema(first: Path, now: datetime) -> None:
    """Nobody is lost, everyone gets a token of their own, and the chain of evidence is still whole."""
    store = open_store(f"sqlite:///{first}", now)
    with store.read() as tx:
        people = [(entry.person, entry.event) for entry in subscribers.everyone(tx) if entry.event]
        tokens = tx.connection.exec_driver_sql("SELECT DISTINCT token FROM subscriber").all()
        suppressed = tx.connection.exec_driver_sql("SELECT email_key, reason FROM suppression").all()
        broken = evidence.find_broken_link(tx)
    store.close()

    assert [(1, Consent.CONFIRMED, "said yes"), (3, Consent.UNSUBSCRIBED, "left")] == [
        (person.id, person.consent, event.basis) for person, event in people
    ]
    assert len(tokens) == 2
    assert [("bo@example.org", "complaint")] == [tuple(row) for row in suppressed]
    assert broken is None


def test_what_was_moved_is_guarded(first: Path, now: datetime) -> None:
    """The new tables refuse what the old ones refused."""
    store = open_store(f"sqlite:///{first}", now)
    store.close()
    connection = sqlite3.connect(first)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("UPDATE consent_event SET basis = 'forged'")
    connection.close()
