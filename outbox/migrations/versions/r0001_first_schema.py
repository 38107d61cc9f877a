"""The first schema: people with their consent, issues, and the ledger of messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make every table, its constraints and indexes."""
    op.create_table(
        "instance",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
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
        "subscriber",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("consent", sa.String(length=12), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "consent IN ('pending', 'confirmed', 'unsubscribed', 'suppressed')",
            name=op.f("ck_subscriber_consent"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("email_key", name=op.f("uq_subscriber_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppression",
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint(
            "reason IN ('bounce', 'complaint', 'request')",
            name=op.f("ck_suppression_reason"),
        ),
        sa.PrimaryKeyConstraint("email_key", name=op.f("pk_suppression")),
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("consent", sa.String(length=12), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("given_at", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "consent IN ('pending', 'confirmed', 'unsubscribed', 'suppressed')",
            name=op.f("ck_consent_event_consent"),
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_consent_event_subscriber_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint("digest", name=op.f("uq_consent_event_digest")),
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
        "send",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("on_unknown", sa.String(length=6), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("on_unknown IN ('hold', 'resend')", name=op.f("ck_send_on_unknown")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_send_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_send_issue_id")),
    )
    op.create_table(
        "chunk",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent_no", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("first_try_at", INSTANT, nullable=True),
        sa.Column("body_sha", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'in_doubt', 'retry', 'held', 'done')",
            name=op.f("ck_chunk_state"),
        ),
        sa.CheckConstraint("(attempt = 0) = (first_try_at IS NULL)", name=op.f("ck_chunk_first_try")),
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
    op.create_index(
        "chunk_waiting",
        "chunk",
        ["not_before", "send_id", "no"],
        unique=False,
        sqlite_where=sa.text("state IN ('planned', 'retry')"),
        postgresql_where=sa.text("state IN ('planned', 'retry')"),
    )
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
        sa.ForeignKeyConstraint(
            ["send_id", "chunk_no"],
            ["chunk.send_id", "chunk.no"],
            name=op.f("fk_call_send_id_chunk_no"),
        ),
        sa.PrimaryKeyConstraint("send_id", "chunk_no", "attempt", name=op.f("pk_call")),
    )
    op.create_table(
        "delivery",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("chunk_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'in_doubt', 'accepted', 'refused', 'retry', 'held', 'suppressed')",
            name=op.f("ck_delivery_state"),
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_delivery_issue_id")),
        sa.ForeignKeyConstraint(
            ["send_id", "chunk_no"],
            ["chunk.send_id", "chunk.no"],
            name=op.f("fk_delivery_send_id_chunk_no"),
        ),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_delivery_send_id")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id")),
        sa.PrimaryKeyConstraint("send_id", "subscriber_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("issue_id", "subscriber_id", name=op.f("uq_delivery_issue_id_subscriber_id")),
        sqlite_with_rowid=False,
    )
    op.create_index("delivery_chunk", "delivery", ["send_id", "chunk_no"], unique=False)
    op.create_index("delivery_subscriber", "delivery", ["subscriber_id"], unique=False)
    if op.get_bind().dialect.name != "sqlite":
        return  # the first schema was SQLite's alone; the next one guards both
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER consent_event_no_{verb.lower()} BEFORE {verb} ON consent_event "
            "BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END",
        )
