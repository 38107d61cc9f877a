"""Tokens, tags, forms, events, rates, and a ledger by chunks; the databases of the first schema move in."""

from __future__ import annotations

import json
from array import array
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from outbox.errors import OutboxError

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")

#: Tables of the first schema, whoever refers to another before it.
OLD = (
    "call",
    "delivery",
    "chunk",
    "send",
    "issue_file",
    "consent_event",
    "suppression",
    "subscriber",
    "issue",
    "instance",
)
RANDOM = {
    "sqlite": "printf('%08x', id) || lower(hex(randomblob(12)))",
    "postgresql": "lpad(to_hex(id), 8, '0') || substr(replace(gen_random_uuid()::text, '-', ''), 9)",
}
#: Rows of the first schema as rows of this one.
MOVE = {
    "instance": "SELECT one, id, secret, '', created_at FROM old_instance",
    "issue": "SELECT id, slug, digest, document, frozen_at FROM old_issue",
    "issue_file": "SELECT issue_id, path, content FROM old_issue_file",
    "subscriber": "SELECT id, email, email_key, name, '', '', {random}, '{{}}', consent, created_at "
    "FROM old_subscriber",
    "consent_event": "SELECT id, subscriber_id, consent, basis, source, '', NULL, given_at, at "
    "FROM old_consent_event ORDER BY id",
    "suppression": "SELECT row_number() OVER (ORDER BY since, email_key), email_key, NULL, reason, since "
    "FROM old_suppression",
    "send": "SELECT id, issue_id, provider, on_unknown, 'active', '', due_at, due_at, envelope, audience, "
    "0, created_at FROM old_send",
    "chunk": "SELECT send_id, no, parent_no, state, attempt, epoch, not_before, first_try_at, body_sha, "
    "0, 0, 0, 0, '', NULL FROM old_chunk",
    "call": "SELECT send_id, chunk_no, attempt, key, body_sha, started_at, ended_at, answer, NULL FROM old_call",
    # Rows of chunks that say the same as the chunk are not needed any more.
    "delivery": "SELECT d.send_id, d.subscriber_id, d.chunk_no, d.state, d.provider_id, d.code, d.detail, d.changed_at "
    "FROM old_delivery AS d JOIN chunk AS c ON c.send_id = d.send_id AND c.no = d.chunk_no "
    "WHERE NOT (c.state = d.state OR c.state = 'done' AND d.state = 'accepted')",
}
SQLITE_GUARD = (
    "CREATE TRIGGER {table}_no_{name} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
POSTGRESQL_GUARD = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse();
"""


INSTANT_OF = {
    "sqlite": "at",
    "postgresql": "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
}


def upgrade() -> None:
    """Put the old rows aside, make the tables anew, and move the rows in."""
    dialect = op.get_bind().dialect.name
    for table in OLD:
        op.execute(f"CREATE TEMPORARY TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608  (our own names)
    for table in OLD:
        op.drop_table(table)
    _make_tables()
    for table, rows in MOVE.items():
        op.execute(f"INSERT INTO {table} {rows.format(random=RANDOM[dialect])}")
    _call_the_roll()
    _seal_evidence()
    for table in OLD:
        op.execute(f"DROP TABLE old_{table}")
    for table in ("consent_event", "form", "seal"):
        _guard(table, dialect)


PEOPLE = sa.text(
    "SELECT d.send_id, d.chunk_no, d.subscriber_id, d.email, d.name, s.token, d.state, d.provider_id "
    "FROM old_delivery AS d JOIN subscriber AS s ON s.id = d.subscriber_id "
    "ORDER BY d.send_id, d.chunk_no, d.subscriber_id",
)
ROSTER = sa.text("INSERT INTO roster VALUES (:send_id, :no, :ids, :people)")
COUNTS = sa.text(
    "UPDATE chunk SET first_id = :first, last_id = :last, size = :size, follow = :size - "
    "(SELECT count(*) FROM delivery WHERE send_id = :send_id AND chunk_no = :no) WHERE send_id = :send_id AND no = :no",
)
NAMES = sa.text(
    "UPDATE call SET provider_ids = :names WHERE send_id = :send_id AND chunk_no = :no "
    "AND attempt = (SELECT attempt FROM chunk WHERE send_id = :send_id AND no = :no)",
)


def _call_the_roll() -> None:
    """Write down for each chunk who is in it; until now that stood in one row for each message."""
    connection = op.get_bind()
    rows = connection.execute(PEOPLE).all()
    for (send_id, no), group in groupby(rows, key=lambda row: (row.send_id, row.chunk_no)):
        found = _roll(list(group))
        for statement in (ROSTER, COUNTS, NAMES):
            connection.execute(statement, {"send_id": send_id, "no": no, **found})


def _roll(rows: list[Any]) -> dict[str, Any]:
    ids = array("q", [row.subscriber_id for row in rows])
    people = [[row.email, row.name, row.token] for row in rows]
    names = [row.provider_id if row.state == "accepted" else "" for row in rows]
    return {
        "ids": ids.tobytes(),
        "people": json.dumps(people, ensure_ascii=False).encode(),
        "names": json.dumps(names).encode() if any(names) else None,
        "first": ids[0],
        "last": ids[-1],
        "size": len(ids),
    }


def _seal_evidence() -> None:
    """Prove the old chain, a digest in each row, and seal what happened at one moment together."""
    connection = op.get_bind()
    moment = INSTANT_OF[connection.dialect.name]
    query = f"SELECT id, subscriber_id, consent, basis, source, given_at, {moment}, previous, digest "
    previous, rows = "", list[Any]()
    for row in connection.execute(sa.text(f"{query} FROM old_consent_event ORDER BY id")):
        at = row[6].removesuffix("Z")
        link = [previous, *row[1:6], f"{at}+00:00"]
        digest = sha256(json.dumps(link, ensure_ascii=False).encode()).hexdigest()
        if (row.previous, row.digest) != (previous, digest):
            raise OutboxError(
                f"the chain of consent is broken at event {row.id}; bring a backup back that is whole"
            )
        previous = digest
        rows.append((row.id, f"{at}Z", (*row[1:5], "", None, row[5])))
    previous = ""
    for moment, group in groupby(rows, key=lambda row: row[1]):
        same = list(group)
        content = msgspec.json.encode([row[2] for row in same])
        previous = sha256(f"{previous}\n{moment}\n".encode() + content).hexdigest()
        made = sa.text("INSERT INTO seal (first_id, last_id, digest) VALUES (:first, :last, :digest)")
        connection.execute(made, {"first": same[0][0], "last": same[-1][0], "digest": previous})


def _guard(table: str, dialect: str) -> None:
    """Evidence is never rewritten."""
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(SQLITE_GUARD.format(table=table, verb=verb, name=verb.lower()))
        return
    op.execute(POSTGRESQL_GUARD.format(table=table))


def _make_tables() -> None:
    op.create_table(
        "bucket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("blocked_until", INSTANT, nullable=True),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bucket")),
    )
    op.create_table(
        "form",
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sha", name=op.f("pk_form")),
    )
    op.create_table(
        "intake",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
    )
    op.create_table(
        "instance",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.String(length=32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_instance_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_instance")),
    )
    op.create_table(
        "issue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("frozen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("slug", name=op.f("uq_issue_slug")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("newest_consent", sa.Integer(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("consent", sa.String(length=12), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "consent IN ('pending', 'confirmed', 'unsubscribed', 'suppressed', 'erased')",
            name=op.f("ck_subscriber_consent"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("email_key", name=op.f("uq_subscriber_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "subscriber_gone",
        "subscriber",
        ["id"],
        unique=False,
        sqlite_where=sa.text("consent <> 'confirmed'"),
        postgresql_where=sa.text("consent <> 'confirmed'"),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint(
            "reason IN ('bounce', 'complaint', 'request', 'erased')", name=op.f("ck_suppression_reason")
        ),
        sa.CheckConstraint("(email_key IS NULL) <> (key_hash IS NULL)", name=op.f("ck_suppression_one_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint("email_key", name=op.f("uq_suppression_email_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_suppression_key_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("consent", sa.String(length=12), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("form_sha", sa.String(length=64), nullable=True),
        sa.Column("given_at", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "consent IN ('pending', 'confirmed', 'unsubscribed', 'suppressed', 'erased')",
            name=op.f("ck_consent_event_consent"),
        ),
        sa.ForeignKeyConstraint(["form_sha"], ["form.sha"], name=op.f("fk_consent_event_form_sha")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_consent_event_subscriber_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("consent_event_subscriber", "consent_event", ["subscriber_id"], unique=False)
    op.create_table(
        "issue_file",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_file_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "path", name=op.f("pk_issue_file")),
    )
    op.create_table(
        "seal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "send",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("on_unknown", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("active_at", INSTANT, nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("newest_suppression", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "on_unknown IN ('hold', 'resend', 'assume-sent')", name=op.f("ck_send_on_unknown")
        ),
        sa.CheckConstraint("state IN ('active', 'paused', 'cancelled')", name=op.f("ck_send_state")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_send_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_send_issue_id")),
    )
    op.create_table(
        "tag",
        sa.Column("subscriber_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_tag_subscriber_id")),
        sa.PrimaryKeyConstraint("subscriber_id", "tag", name=op.f("pk_tag")),
        sqlite_with_rowid=False,
    )
    op.create_index("tag_tag", "tag", ["tag", "subscriber_id"], unique=False)
    op.create_table(
        "chunk",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent_no", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("first_try_at", INSTANT, nullable=True),
        sa.Column("body_sha", sa.String(length=64), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("follow", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("(lease_owner = '') = (lease_until IS NULL)", name=op.f("ck_chunk_lease")),
        sa.CheckConstraint("state <> 'in_doubt' OR attempt > 0", name=op.f("ck_chunk_tried")),
        sa.CheckConstraint(
            "state IN ('planned', 'in_doubt', 'retry', 'held', 'done', 'cancelled')",
            name=op.f("ck_chunk_state"),
        ),
        sa.CheckConstraint("(attempt = 0) = (first_try_at IS NULL)", name=op.f("ck_chunk_first_try")),
        sa.CheckConstraint("size >= 0 AND follow BETWEEN 0 AND size", name=op.f("ck_chunk_counts")),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_chunk_send_id")),
        sa.PrimaryKeyConstraint("send_id", "no", name=op.f("pk_chunk")),
    )
    op.create_index(
        "chunk_in_doubt",
        "chunk",
        ["send_id", "no"],
        unique=False,
        sqlite_where=sa.text("state = 'in_doubt'"),
        postgresql_where=sa.text("state = 'in_doubt'"),
    )
    op.create_index("chunk_range", "chunk", ["send_id", "first_id", "last_id"], unique=False)
    op.create_index(
        "chunk_waiting",
        "chunk",
        ["send_id", "not_before", "no"],
        unique=False,
        sqlite_where=sa.text("state IN ('planned', 'retry')"),
        postgresql_where=sa.text("state IN ('planned', 'retry')"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("send_id", sa.String(length=32), nullable=True),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "type IN ('accepted', 'delivered', 'deferred', 'bounced', 'complained', "
            "'refused', 'unsubscribed', 'opened', 'clicked', 'other')",
            name=op.f("ck_event_type"),
        ),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_event_send_id")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_event_subscriber_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_event_provider_event_id")),
    )
    op.create_index("event_send", "event", ["send_id", "type"], unique=False)
    op.create_index("event_subscriber", "event", ["subscriber_id"], unique=False)
    op.create_table(
        "call",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("chunk_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_sha", sa.String(length=64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("provider_ids", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"], name=op.f("fk_call_send_id_chunk_no")
        ),
        sa.PrimaryKeyConstraint("send_id", "chunk_no", "attempt", name=op.f("pk_call")),
    )
    op.create_table(
        "delivery",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'in_doubt', 'accepted', 'refused', 'retry', 'held', "
            "'suppressed', 'cancelled', 'delivered', 'bounced', 'complained')",
            name=op.f("ck_delivery_state"),
        ),
        sa.ForeignKeyConstraint(
            ["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"], name=op.f("fk_delivery_send_id_chunk_no")
        ),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id")),
        sa.PrimaryKeyConstraint("send_id", "subscriber_id", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    op.create_index("delivery_chunk", "delivery", ["send_id", "chunk_no"], unique=False)
    op.create_index("delivery_subscriber", "delivery", ["subscriber_id"], unique=False)
    op.create_table(
        "roster",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["send_id", "no"], ["chunk.send_id", "chunk.no"], name=op.f("fk_roster_send_id_no")
        ),
        sa.PrimaryKeyConstraint("send_id", "no", name=op.f("pk_roster")),
    )
