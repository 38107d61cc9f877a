"""Single letters: what is to be written to one person, once under its key, and the sends they go out in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"

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
