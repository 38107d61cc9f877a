"""Letters to one person, once under a key, with the sends they go out in; series, and who stands where in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
WAITING = "send_id IS NULL AND dropped = ''"


def upgrade() -> None:
    """Add the queue of letters; every send that is there is one of an issue."""
    op.add_column("send", sa.Column("letter", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("send_id", sa.String(length=32), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=False),
        sa.CheckConstraint("send_id IS NULL OR dropped = ''", name=op.f("ck_letter_one_end")),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_letter_send_id")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_letter_subscriber_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("key", name=op.f("uq_letter_key")),
    )
    op.create_index("letter_subscriber", "letter", ["subscriber_id", "send_id"], unique=True)
    op.create_index(
        "letter_waiting",
        "letter",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
    _make_series()


def _make_series() -> None:
    op.create_table(
        "series",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'stopped')", name=op.f("ck_series_state")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_series")),
    )
    op.create_table(
        "step",
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.name"], name=op.f("fk_step_series")),
        sa.PrimaryKeyConstraint("series", "id", name=op.f("pk_step")),
    )
    op.create_table(
        "enrolment",
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("passed", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('active', 'finished', 'stopped', 'before')", name=op.f("ck_enrolment_state")
        ),
        sa.CheckConstraint("(state = 'active') = (next_at IS NOT NULL)", name=op.f("ck_enrolment_next")),
        sa.ForeignKeyConstraint(["series"], ["series.name"], name=op.f("fk_enrolment_series")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_enrolment_subscriber_id")
        ),
        sa.PrimaryKeyConstraint("series", "subscriber_id", name=op.f("pk_enrolment")),
        sqlite_with_rowid=False,
    )
    op.create_index("enrolment_subscriber", "enrolment", ["subscriber_id"], unique=False)
    op.create_index(
        "enrolment_next",
        "enrolment",
        ["series", "next_at", "subscriber_id"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
