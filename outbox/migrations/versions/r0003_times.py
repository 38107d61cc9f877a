"""Plans keep their time, subjects are compared, issues go on occasions, domains have rates of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.add_column("plan", sa.Column("at", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "ALTER TABLE chunk ADD COLUMN variant INTEGER DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_chunk_variant CHECK (variant >= 0 OR attempt = 0)"
    )
    op.add_column("chunk", sa.Column("domain", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "trial",
        sa.Column("send_id", sa.String(length=32), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=8), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
        sa.Column("winner", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_trial_send_id")),
        sa.PrimaryKeyConstraint("send_id", name=op.f("pk_trial")),
    )
    op.create_table(
        "occasion",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "at", name=op.f("pk_occasion")),
    )
