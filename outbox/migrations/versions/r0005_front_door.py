"""What people ask for at the front door: pauses, fewer letters, tracking; and how often they were written to for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Add two tables; nobody has asked for anything yet."""
    op.create_table(
        "preference",
        sa.Column("subscriber_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("paused_until", INSTANT),
        sa.Column("every_days", sa.Integer, nullable=False),
        sa.Column("next_at", INSTANT),
        sa.Column("tracking", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_preference"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name="fk_preference_subscriber_id"),
        sa.CheckConstraint("tracking IN (0, 1)", name="ck_preference_tracking"),
        sa.CheckConstraint("every_days >= 0", name="ck_preference_every_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asked",
        sa.Column("subscriber_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("what", sa.String(8), primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "what", name="pk_asked"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name="fk_asked_subscriber_id"),
        sa.CheckConstraint("what IN ('confirm', 'link')", name="ck_asked_what"),
        sqlite_with_rowid=False,
    )
