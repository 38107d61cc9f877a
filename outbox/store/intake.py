"""How far each list has come in that is being imported, so that an import which was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select

from . import Tx
from .schema import intake


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an import stands: what of the file is in, and what came of it."""

    first_id: int  # subscribers from here on came out of this file
    offset: int = 0  # bytes
    line: int = 0
    digest: str = ""  # SHA-256 of these bytes
    rejected: int = 0  # bytes of the file of rejects
    counts: Mapping[str, int] = field(default_factory=dict)


def find(tx: Tx, intake_id: str) -> Stand | None:
    """Where this import was stopped; None when it was never begun, or ended."""
    row = tx.connection.execute(select(intake).where(intake.c.id == intake_id)).first()
    if row is None:
        return None
    return Stand(row.first_id, row.offset, row.line, row.digest, row.rejected, json.loads(row.counts))


def keep(tx: Tx, intake_id: str, stand: Stand, now: datetime) -> None:
    """Write down where an import stands."""
    close(tx, intake_id)
    row = {
        "id": intake_id,
        "offset": stand.offset,
        "line": stand.line,
        "digest": stand.digest,
        "rejected": stand.rejected,
        "first_id": stand.first_id,
        "counts": json.dumps(dict(stand.counts)),
        "at": now,
    }
    tx.connection.execute(insert(intake), row)


def close(tx: Tx, intake_id: str) -> None:
    """The import has ended."""
    tx.connection.execute(delete(intake).where(intake.c.id == intake_id))
