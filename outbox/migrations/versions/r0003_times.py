"""A plan keeps the time it was made for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("plan", sa.Column("at", sa.Text(), nullable=False, server_default=""))
