"""Freeze an audience: who gets an issue, cut into calls, with all that fills their messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, Select, cast, func, insert, select, update

from outbox.model import ChunkState, Consent, Send

from . import Tx, segments, wishes
from .rolls import pack_ids, pack_people
from .schema import chunk, roster, send, subscriber, suppression

#: Rows read, and chunks written, at a time.
READ, WRITE = 20_000, 500


def freeze(
    tx: Tx,
    order: Send,
    *,
    issue_id: int,
    max_batch: int,
    now: datetime,
    fields: Sequence[str] = (),
    segment: str = "",
) -> int:
    """Write a send with everyone confirmed and not suppressed, cut into chunks; return how many they are.

    `fields` are the attributes that fill the letter, `segment` is the expression of the part of the
    list it is for. The audience is one ordered SELECT, so nobody can stand in it twice.
    """
    open_send(tx, order, issue_id=issue_id, now=now)
    total, chunks, rosters = 0, list[dict[str, Any]](), list[dict[str, Any]]()
    chosen = audience(tx, segment, now, order.due_at)
    people = tx.connection.execute(chosen, execution_options={"yield_per": READ})
    for no, rows in enumerate(people.partitions(max_batch), 1):
        ids = [row[0] for row in rows]
        total += len(ids)
        chunks.append(new_chunk(order.id, no, ids, not_before=order.due_at))
        packed = pack_people([_person(row, fields) for row in rows] if fields else [row[1:4] for row in rows])
        rosters.append({"send_id": order.id, "no": no, "ids": pack_ids(ids), "people": packed})
        if len(chunks) == WRITE:
            _write(tx, chunks, rosters)
    _write(tx, chunks, rosters)
    tx.connection.execute(update(send).where(send.c.id == order.id).values(audience=total))
    wishes.count_issue(tx, order, chosen.with_only_columns(subscriber.c.id).order_by(None))
    return total


def open_send(tx: Tx, order: Send, *, issue_id: int, now: datetime) -> None:
    """Write a send that nobody is in yet."""
    tx.connection.execute(insert(send), _order(tx, order, issue_id, now))


def audience(
    tx: Tx, segment: str, now: datetime, due_at: datetime | None = None
) -> Select[int, str, str, str, str]:
    """Everyone of a segment who may be written to: number, address, name, token and attributes.

    Whoever pauses when the issue is due, or wants fewer than there are, is left out.
    """
    barred = select(suppression.c.id).where(suppression.c.email_key == subscriber.c.email_key)
    columns = (
        subscriber.c.id,
        subscriber.c.email,
        subscriber.c.name,
        subscriber.c.token,
        subscriber.c.attributes,
    )
    chosen = select(*columns).where(subscriber.c.consent == Consent.CONFIRMED, ~barred.exists())
    chosen = chosen.where(~wishes.resting(due_at or now))
    return chosen.where(segments.choose(tx, segment, now)).order_by(subscriber.c.id)


def count_audience(
    tx: Tx, segment: str, now: datetime, due_at: datetime | None = None
) -> tuple[int, list[str]]:
    """How many people a send frozen now would reach, and the first few of them."""
    people = audience(tx, segment, now, due_at).order_by(None).subquery()
    number = tx.connection.execute(select(func.count()).select_from(people)).scalar_one()
    shown = tx.connection.execute(select(people.c.email).order_by(people.c.id).limit(3)).scalars()
    return number, list(shown)


def count_beyond_ascii(tx: Tx, segment: str, now: datetime) -> int:
    """How many of these people have a mailbox with more bytes than letters (addresses.needs_smtputf8)."""
    email = audience(tx, segment, now).order_by(None).subquery().c.email
    size = func.octet_length(email) if tx.many else func.length(cast(email, LargeBinary))
    return tx.connection.execute(select(func.count()).where(size > func.length(email))).scalar_one()


def new_chunk(
    send_id: str, no: int, ids: Sequence[int], *, not_before: datetime, parent_no: int | None = None
) -> dict[str, Any]:
    """The row of a chunk that nobody has tried yet."""
    return {
        "send_id": send_id,
        "no": no,
        "parent_no": parent_no,
        "state": ChunkState.PLANNED,
        "attempt": 0,
        "epoch": 0,
        "not_before": not_before,
        "first_try_at": None,
        "body_sha": "",
        "first_id": min(ids),
        "last_id": max(ids),
        "size": len(ids),
        "follow": len(ids),
        "lease_owner": "",
        "lease_until": None,
    }


def _order(tx: Tx, order: Send, issue_id: int, now: datetime) -> dict[str, Any]:
    newest = tx.connection.execute(select(func.max(suppression.c.id))).scalar_one()
    return {
        "id": order.id,
        "issue_id": issue_id,
        "provider": order.provider,
        "on_unknown": order.on_unknown,
        "state": order.state,
        "reason": order.reason,
        "due_at": order.due_at,
        "active_at": order.due_at,
        "envelope": msgspec.json.encode(order.envelope).decode(),
        "audience": 0,
        "newest_suppression": newest or 0,
        "created_at": now,
        "letter": order.letter,
    }


def _person(row: Any, fields: Sequence[str]) -> list[Any]:
    known = json.loads(row[4])
    return [*row[1:4], {name: str(known[name]) for name in fields if name in known}]


def _write(tx: Tx, chunks: list[dict[str, Any]], rosters: list[dict[str, Any]]) -> None:
    if chunks:
        tx.connection.execute(insert(chunk), chunks)
        tx.connection.execute(insert(roster), rosters)
        chunks.clear()
        rosters.clear()
