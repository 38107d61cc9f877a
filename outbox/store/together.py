"""Intents and answers of many chunks in a few statements: what happens to nearly every call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BindParameter, bindparam, select, tuple_, update

from outbox.many import Accepted
from outbox.model import Chunk, ChunkState, Outcome

from . import Tx
from .claims import BEGIN_CALL, END_CALL, IN_DOUBT, INTEND, begun, call_row, fence_of
from .schema import chunk

_KEYS: BindParameter[Any] = bindparam("the_keys", expanding=True)
SETTLE_ACCEPTED = (
    update(chunk)
    .where(tuple_(chunk.c.send_id, chunk.c.no, chunk.c.epoch).in_(_KEYS), IN_DOUBT)
    .values(state=ChunkState.DONE, not_before=bindparam("the_time"), lease_owner="", lease_until=None)
    .returning(chunk.c.send_id, chunk.c.no)
)


def intend_all(tx: Tx, calls: Sequence[tuple[Chunk, str, str]], now: datetime) -> list[Chunk | None]:
    """As `claims.intend` for many chunks, each with its key and the digest of its bytes."""
    if not calls:
        return []
    values = [
        fence_of(part)
        | {"the_attempt": part.attempt + 1, "the_first": part.first_try_at or now, "the_sha": sha}
        for part, _, sha in calls
    ]
    whole = tx.connection.execute(INTEND, values).rowcount == len(calls)
    good = [whole or _is_intended(tx, part) for part, _, _ in calls]
    rows = [call_row(*one, now) for one, is_good in zip(calls, good, strict=True) if is_good]
    if rows:
        tx.connection.execute(BEGIN_CALL, rows)
    return [
        begun(part, sha, part.first_try_at or now) if is_good else None
        for (part, _, sha), is_good in zip(calls, good, strict=True)
    ]


def settle_accepted(
    tx: Tx, answered: Sequence[tuple[Chunk, Accepted]], now: datetime
) -> set[tuple[str, int]]:
    """As `claims.settle` for calls of which everybody was accepted; returns the chunks that were still ours."""
    if not answered:
        return set()
    keys = [(part.send_id, part.no, part.epoch) for part, _ in answered]
    rows = tx.connection.execute(SETTLE_ACCEPTED, {"the_keys": keys, "the_time": now}).all()
    settled = {(row[0], row[1]) for row in rows}
    ended = [
        fence_of(part)
        | {
            "the_attempt": part.attempt,
            "the_time": now,
            "the_answer": f"{Outcome.ACCEPTED} {len(results)}",
            "the_ids": msgspec.json.encode(results.provider_ids),
        }
        for part, results in answered
        if (part.send_id, part.no) in settled
    ]
    if ended:
        tx.connection.execute(END_CALL, ended)
    return settled


def _is_intended(tx: Tx, part: Chunk) -> bool:
    mine = select(chunk.c.no).where(
        chunk.c.send_id == part.send_id, chunk.c.no == part.no, chunk.c.epoch == part.epoch, IN_DOUBT
    )
    return tx.connection.execute(mine).first() is not None
