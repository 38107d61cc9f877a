"""The database keeps its promises by itself, whatever the code above it does."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from outbox import mailing
from outbox.consent import enlist
from outbox.errors import OutboxError, Temporary
from outbox.issue import read
from outbox.model import Claim, Consent, Envelope
from outbox.store import Store, evidence, freeze, ledger, open_store, schema, subscribers, suppressions
from outbox.store.lock import sole_sender
from outbox.store.upgrade import HEAD


def clauses(sql: str) -> list[str]:
    """What a CREATE statement says, in an order that does not depend on who wrote it."""
    flat = re.sub(r"\s*\)\s*(WITHOUT ROWID)?$", r" \1", " ".join(sql.split()))
    flat = re.sub(r"DEFAULT '(\d+)'", r"DEFAULT \1", flat)
    # A rule that came with a column by ALTER TABLE stands behind it, without a comma.
    parts = re.split(r",\s(?![^(]*\))|(?=WITHOUT ROWID)|\s(?=CONSTRAINT)", flat)
    return sorted(part.strip() for part in parts if part.strip())


def test_the_migrations_make_the_schema(store: Store) -> None:
    """Table by table, a migrated database is what schema.py says."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        meant = {name: clauses(sql) for name, sql in connection.execute(text(query))}
    engine.dispose()
    with store.read() as tx:
        made = {name: clauses(sql) for name, sql in tx.connection.execute(text(query))}

    assert meant == made


def test_the_newest_migration_is_the_one_expected() -> None:
    """The quick check on opening knows the last step."""
    config = Config()
    config.set_main_option("script_location", "outbox:migrations")

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_opens_twice_and_keeps_its_people(store: Store, tmp_path: Path, now: datetime) -> None:
    """Opening is bringing up to date, never starting anew."""
    again = open_store(f"sqlite:///{tmp_path / 'outbox.db'}", now)
    with again.read() as tx:
        found = subscribers.find(tx, "ana@example.org")
    again.close()

    assert found is not None


def test_a_database_of_a_newer_outbox_is_left_alone(store: Store, tmp_path: Path, now: datetime) -> None:
    """An older program must not write into a schema it does not know."""
    with store.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(OutboxError, match="has schema 9999, this outbox knows"):
        open_store(f"sqlite:///{tmp_path / 'outbox.db'}", now)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, now: datetime) -> None:
    """A sentence, and the file untouched."""
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 100)

    with pytest.raises(OutboxError, match="file is not a database"):
        open_store(f"sqlite:///{path}", now)
    assert path.read_text() == "Dear reader, " * 100


def test_the_database_is_set_for_safety(store: Store) -> None:
    """WAL, full synchronisation and foreign keys, on every connection."""
    with store.read() as tx:
        found = [
            tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert ["wal", 2, 1, 10_000] == found


def test_a_transaction_is_all_or_nothing(any_store: Store, now: datetime) -> None:
    """An error in the middle leaves nothing behind."""
    with pytest.raises(ZeroDivisionError), any_store.begin() as tx:
        enlist(tx, Claim("eve@example.org", "Eve", Consent.PENDING, "asked", "test"), now)
        raise ZeroDivisionError

    with any_store.read() as tx:
        assert subscribers.find(tx, "eve@example.org") is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE subscriber SET consent = 'maybe' WHERE id = 1",
        "INSERT INTO subscriber SELECT 99, '', email_key, '', '', '', 'x', '{}', consent, created_at FROM subscriber",
        "UPDATE consent_event SET basis = 'forged' WHERE id = 1",
        "DELETE FROM consent_event WHERE id = 1",
        "DELETE FROM subscriber WHERE id = 1",
        "INSERT INTO delivery VALUES ('s', 1, 1, 'sent', '', '', '', '2026-03-01')",
        "INSERT INTO delivery VALUES ('s', 1, 99, 'refused', '', '', '', '2026-03-01')",
        "INSERT INTO delivery VALUES ('s', 99, 1, 'refused', '', '', '', '2026-03-01')",
        "INSERT INTO roster SELECT * FROM roster",
        "UPDATE chunk SET follow = 9",
        "UPDATE chunk SET lease_owner = 'me'",
        "UPDATE chunk SET state = 'in_doubt'",
        "UPDATE send SET state = 'lost'",
        "UPDATE chunk SET state = 'lost'",
        "UPDATE chunk SET attempt = 1",
        "INSERT INTO suppression VALUES (1, 'x', NULL, 'whim', '2026-03-01')",
        "INSERT INTO suppression VALUES (1, 'x', 'hash', 'bounce', '2026-03-01')",
        "INSERT INTO suppression VALUES (1, NULL, NULL, 'bounce', '2026-03-01')",
        "INSERT INTO tag VALUES (99, 'nobody')",
        "INSERT INTO form VALUES ('x', '1', 'I agree', '2026-03-01'); DELETE FROM form",
        "INSERT INTO instance VALUES (2, 'a', 'b', '', '2026-03-01')",
    ],
)
def test_what_must_never_happen_is_refused(
    any_store: Store, make_issue: Callable[..., Path], envelope: Envelope, now: datetime, statement: str
) -> None:
    """Wrong words, second deliveries, forged evidence: both databases themselves say no."""
    with any_store.begin() as tx:
        mailing.freeze(
            tx,
            read(make_issue()),
            envelope,
            provider="file",
            max_batch=1,
            on_unknown="hold",
            send_id="s",
            now=now,
        )

    with pytest.raises(IntegrityError), any_store.begin() as tx:
        for one in statement.split("; "):
            tx.connection.execute(text(one))


def test_nobody_gets_an_issue_in_a_second_send(
    any_store: Store, make_issue: Callable[..., Path], envelope: Envelope, now: datetime
) -> None:
    """Uniqueness is (issue, subscriber), not (send, subscriber)."""
    with any_store.begin() as tx:
        mailing.freeze(
            tx,
            read(make_issue()),
            envelope,
            provider="file",
            max_batch=1,
            on_unknown="hold",
            send_id="s",
            now=now,
        )
        order = ledger.find_send(tx, "s")

    with pytest.raises(IntegrityError), any_store.begin() as tx:
        freeze.freeze(tx, order, issue_id=1, max_batch=1, now=now)


FORGERIES = {
    "another basis": ("UPDATE consent_event SET basis = 'x' WHERE id = 2", 2),
    "another moment": ("UPDATE consent_event SET at = '2020-01-01T00:00:00.000000Z' WHERE id = 3", 3),
    "an event less": ("DELETE FROM consent_event WHERE id = 2", 2),
    "an event more": (
        (
            "INSERT INTO consent_event SELECT 99, 4, 'confirmed', basis, source, method, form_sha, given_at, at "
            "FROM consent_event WHERE id = 1"
        ),
        99,
    ),
    "a seal less": ("DELETE FROM seal WHERE id = 2", 3),
    "the last seal less": ("DELETE FROM seal WHERE id = 4", 4),
    "another seal": ("UPDATE seal SET digest = 'x' WHERE id = 1", 1),
}


@pytest.mark.parametrize(("statement", "number"), FORGERIES.values(), ids=FORGERIES)
def test_the_chain_of_evidence_shows_a_forgery(
    store: Store, tmp_path: Path, statement: str, number: int
) -> None:
    """Whoever gets past the guards still breaks the chain, and it is seen where."""
    with store.read() as tx:
        assert evidence.find_broken_link(tx) is None
    guards = [
        f"DROP TRIGGER {table}_no_{verb}"
        for table in ("consent_event", "seal")
        for verb in ("update", "delete")
    ]
    forger = sqlite3.connect(tmp_path / "outbox.db")
    forger.executescript("; ".join([*guards, statement]))
    forger.close()

    with store.read() as tx:
        assert number == evidence.find_broken_link(tx)


def test_moments_sort_and_come_back_in_utc(any_store: Store) -> None:
    """Whatever the zone, the moment is the same."""
    early = datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=5)))
    with any_store.begin() as tx:
        suppressions.suppress(tx, "x@example.org", "request", early)
        found = tx.connection.execute(schema.suppression.select()).one().since

    assert early == found
    assert found.tzinfo == UTC


def test_waiting_chunks_are_found_by_their_index(store: Store, now: datetime) -> None:
    """The claim must not read a ledger of millions."""
    with store.read() as tx:
        plan = tx.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT no FROM chunk WHERE send_id = 's' AND chunk.state IN ('planned', 'retry') "
            "AND not_before <= ? AND lease_owner = '' ORDER BY not_before, no LIMIT 20",
            (now.isoformat(),),
        ).all()

    assert ["SEARCH chunk USING INDEX chunk_waiting (send_id=? AND not_before<?)"] == [
        row.detail for row in plan
    ]


def test_a_locked_database_is_for_later(store: Store, tmp_path: Path) -> None:
    """Somebody else writes for too long: nothing is wrong for good."""
    holder = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with store.read() as tx:
            tx.connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(Temporary, match="locked"), store.begin():
            pass
    finally:
        holder.close()


def test_only_one_sender_works(store: Store) -> None:
    """The second one is sent away at once, and let in when the first has gone."""
    with sole_sender(store), pytest.raises(Temporary, match="another sender is at work"), sole_sender(store):
        pass
    with sole_sender(store):
        pass
