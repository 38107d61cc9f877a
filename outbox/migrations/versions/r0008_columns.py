"""Rosters keep a column for each thing known of people, instead of a row for each person."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEYS = sa.text("SELECT send_id, no FROM roster")
READ = sa.text("SELECT people FROM roster WHERE send_id = :send_id AND no = :no")
WRITE = sa.text("UPDATE roster SET people = :people WHERE send_id = :send_id AND no = :no")


def upgrade() -> None:
    """Turn every roster; one at a time, since they may be many."""
    connection = op.get_bind()
    for send_id, no in connection.execute(KEYS).all():
        key = {"send_id": send_id, "no": no}
        rows = json.loads(bytes(connection.execute(READ, key).scalar_one()))
        turned = json.dumps(turn(rows), ensure_ascii=False, separators=(",", ":"))
        connection.execute(WRITE, {**key, "people": turned.encode()})


def turn(rows: list[list[Any]]) -> list[list[Any]]:
    """Rows as columns; somebody who was erased has no values of their own, even where others have."""
    widest = max(map(len, rows), default=0)
    columns = [[row[place] if place < len(row) else {} for row in rows] for place in range(widest)]
    return columns or [[], [], []]
