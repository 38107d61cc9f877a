"""A database of every earlier schema comes up to date with everything that is in it."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from outbox.desk import new_lease
from outbox.model import Consent, EventType, Report, State
from outbox.store import claims, events, evidence, ledger, open_store, plans, subscribers, trials, verify
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


NOON = "2026-02-03T12:00:00.000000Z"
#: A send half done, at noon.
LEDGER = """
INSERT INTO issue VALUES (1, 'an-issue', 'digest', x'7b7d', 'NOON');
INSERT INTO send VALUES ('s', 1, 'file', 'hold', 'NOON',
  '{"sender": {"name": "", "email": "a@b.c"},
  "reply_to": {"name": "", "email": "a@b.c"}, "list_name": "", "list_id": "", "postal_address": "", "base_url": "",
  "images": "link"}', 4, 'NOON');
INSERT INTO chunk VALUES ('s', 1, NULL, 'done', 1, 1, 'NOON', 'NOON', 'x');
INSERT INTO chunk VALUES ('s', 2, NULL, 'planned', 0, 0, 'NOON', NULL, '');
INSERT INTO delivery VALUES ('s', 1, 1, 1, 'accepted', 'Ana@example.org', 'Ana', 'given', '', '', 'NOON');
INSERT INTO delivery VALUES ('s', 3, 1, 1, 'refused', 'bo@example.org', 'Bo', '', '550', 'no', 'NOON');
INSERT INTO delivery VALUES ('s', 4, 1, 2, 'planned', 'cy@example.org', 'Cy', '', '', '', 'NOON');
INSERT INTO delivery VALUES ('s', 5, 1, 2, 'suppressed', 'di@example.org', 'Di', '', '', 'left', 'NOON');
INSERT INTO call VALUES ('s', 1, 1, 'key', 'x', 'NOON', 'NOON', 'accepted 1');
INSERT INTO subscriber VALUES (4, 'cy@example.org', 'cy@example.org', 'Cy', 'confirmed', 'NOON');
INSERT INTO subscriber VALUES (5, 'di@example.org', 'di@example.org', 'Di', 'confirmed', 'NOON');
"""


def test_the_ledger_moves_from_the_first_schema(first: Path, now: datetime) -> None:
    """Every message keeps its state, its people and the provider's id; the whole is sound."""
    with sqlite3.connect(first) as connection:
        connection.executescript(LEDGER.replace("NOON", "2026-02-03T12:00:00.000000Z"))
    connection.close()
    store = open_store(f"sqlite:///{first}", now)
    with store.read() as tx:
        told = [ledger.history(tx, number)[0] for number in (1, 3, 4, 5)]
        faults = verify.find_faults(tx)
    store.close()

    assert [
        (State.ACCEPTED, "Ana@example.org", "given", ""),
        (State.REFUSED, "bo@example.org", "", "no"),
        (State.PLANNED, "cy@example.org", "", ""),
        (State.SUPPRESSED, "di@example.org", "", "left"),
    ] == [(one.state, one.email, one.provider_id, one.detail) for one in told]
    assert [] == faults


def test_events_of_the_second_schema_stay(tmp_path: Path, now: datetime) -> None:
    """What was reported is still known, and not taken a second time."""
    path = tmp_path / "outbox.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine.execution_options(write=True), "0002")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO event VALUES (7, 'postmark', 'x', 'bounced', NULL, NULL, '2026-02-03T12:00:00.000000Z', "
            "'2026-02-03T12:00:00.000000Z', 'no such user', '{}')"
        )
    connection.close()
    store = open_store(f"sqlite:///{path}", now)
    with store.begin() as tx:
        again = events.record(tx, Report("postmark", "x", EventType.BOUNCED, now), now)
        counted = events.count(tx)
    store.close()

    assert not again
    assert [("postmark", EventType.BOUNCED, 1)] == [row[:3] for row in counted]


#: A send of the second schema: two calls, of which somebody in the second was erased.
ROWS = """
INSERT INTO chunk SELECT 's', 3, NULL, 'planned', 0, 0, 'NOON', NULL, '', 6, 7, 2, 2, '', NULL;
INSERT INTO roster VALUES ('s', 3, x'06000000000000000700000000000000',
  CAST('[["ed@example.org", "Ed", "t6", {"town": "Ulm"}], ["", "", ""]]' AS BLOB));
"""


def test_rosters_of_rows_become_columns(first: Path, now: datetime) -> None:
    """Everybody keeps what fills their letter, and whoever was erased stays erased."""
    with sqlite3.connect(first) as connection:
        connection.executescript(LEDGER.replace("NOON", "2026-02-03T12:00:00.000000Z"))
    connection.close()
    engine = connect(f"sqlite:///{first}")
    upgrade(engine.execution_options(write=True), "0002")
    engine.dispose()
    with sqlite3.connect(first) as connection:
        connection.executescript(ROWS.replace("NOON", "2026-02-03T12:00:00.000000Z"))
    connection.close()
    store = open_store(f"sqlite:///{first}", now)
    with store.begin() as tx:
        taken = claims.take(tx, "s", new_lease(), now, 9)
    store.close()

    assert [
        ("cy@example.org", "Cy", {}),
        ("ed@example.org", "Ed", {"town": "Ulm"}),
        ("", "", {}),
    ] == [(one.email, one.name, one.values) for part in taken for one in part.people]


def test_what_waits_in_the_second_schema_still_goes(first: Path, now: datetime) -> None:
    """A chunk that is planned has the only subject there was, and a plan the time of its issue."""
    with sqlite3.connect(first) as connection:
        connection.executescript(LEDGER.replace("NOON", "2026-02-03T12:00:00.000000Z"))
    connection.close()
    engine = connect(f"sqlite:///{first}")
    upgrade(engine.execution_options(write=True), "0002")
    engine.dispose()
    with sqlite3.connect(first) as connection:
        connection.execute("INSERT INTO plan VALUES ('p', 'an-issue', 'digest', ?, 4, 1, ?)", (NOON, NOON))
    connection.close()
    store = open_store(f"sqlite:///{first}", now)
    with store.read() as tx:
        ready, waiting, plan = claims.find_ready(tx, now), ledger.find_waiting(tx), plans.find(tx, "p")
        trial = trials.find(tx, "s")
    store.close()

    assert (["s"], 1, None) == (ready, waiting[0], trial)
    assert plan
    assert plan.at is None
