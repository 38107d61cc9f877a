"""What comes in from outside is kept as it came, beside the events that were read from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
UNREAD = sa.text("read_at IS NULL")
TYPES = (
    "type IN ('accepted', 'delivered', 'deferred', 'bounced', 'complained', 'refused', 'unsubscribed', "
    "'subscribed', 'opened', 'clicked', 'auto_reply', 'other')"
)
#: An earlier event keeps what it says; none had a raw text worth keeping.
MOVE = (
    "INSERT INTO event SELECT id, provider, event_id, type, CASE type WHEN 'bounced' THEN 'soft' ELSE '' END, '', "
    "send_id, subscriber_id, at, seen_at, detail, NULL FROM old_event"
)


def upgrade() -> None:
    """Make the table of arrivals, and the table of events anew."""
    op.create_table(
        "arrival",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
        sqlite_autoincrement=True,
    )
    op.create_index("arrival_at", "arrival", ["at"])
    op.create_index("arrival_unread", "arrival", ["id"], sqlite_where=UNREAD, postgresql_where=UNREAD)
    op.execute("CREATE TEMPORARY TABLE old_event AS SELECT * FROM event")
    op.drop_table("event")
    _make_events()
    op.execute(MOVE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('event', 'id'), max(id)) FROM event HAVING max(id) > 0"
        )
    op.execute("DROP TABLE old_event")


def _make_events() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("firmness", sa.String(length=4), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("send_id", sa.String(length=32), nullable=True),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("arrival_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(TYPES, name=op.f("ck_event_type")),
        sa.CheckConstraint("firmness IN ('', 'hard', 'soft')", name=op.f("ck_event_firmness")),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_event_send_id")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_event_subscriber_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_event_provider_event_id")),
    )
    op.create_index("event_send", "event", ["send_id", "type"])
    op.create_index("event_subscriber", "event", ["subscriber_id"])
