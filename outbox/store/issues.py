"""Frozen issues: the folder, byte for byte."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select

from outbox.model import Issue

from . import Tx, schema


def put(tx: Tx, issue: Issue, now: datetime) -> int:
    """Copy an issue into the database and return its number."""
    row = {"slug": issue.slug, "digest": issue.digest, "document": issue.document, "frozen_at": now}
    result = tx.connection.execute(insert(schema.issue), row)
    number: int = result.inserted_primary_key[0]  # type: ignore[index]
    files = [{"issue_id": number, "path": path, "content": content} for path, content in issue.files.items()]
    tx.connection.execute(insert(schema.issue_file), files)
    return number


def digest_of(tx: Tx, slug: str) -> str | None:
    """The digest under which an issue was frozen; None when it was not."""
    query = select(schema.issue.c.digest).where(schema.issue.c.slug == slug)
    return tx.connection.execute(query).scalar_one_or_none()


def load(tx: Tx, slug: str) -> tuple[bytes, dict[str, bytes]]:
    """The frozen issue.json and the folder's other files."""
    query = select(schema.issue.c.id, schema.issue.c.document).where(schema.issue.c.slug == slug)
    number, document = tx.connection.execute(query).one()
    stored = select(schema.issue_file.c.path, schema.issue_file.c.content)
    files = tx.connection.execute(stored.where(schema.issue_file.c.issue_id == number))
    return document, {path: content for path, content in files}  # noqa: C416  (dict() of rows does not type)


def find_gone_out(tx: Tx) -> list[tuple[str, datetime]]:
    """The issues of which at least one message was tried, with the moment they were due; the newest first."""
    tried = select(schema.chunk.c.no).where(
        schema.chunk.c.send_id == schema.send.c.id, schema.chunk.c.attempt > 0
    )
    query = (
        select(schema.issue.c.slug, schema.send.c.due_at)
        .join(schema.send, schema.send.c.issue_id == schema.issue.c.id)
        .where(schema.send.c.letter == "", tried.exists())
        .order_by(schema.send.c.due_at.desc(), schema.issue.c.id.desc())
    )
    return [(slug, due_at) for slug, due_at in tx.connection.execute(query)]


def find_file(tx: Tx, slug: str, path: str) -> bytes | None:
    """One file of a frozen issue; None where it has none of this name."""
    query = select(schema.issue_file.c.content).join(
        schema.issue, schema.issue.c.id == schema.issue_file.c.issue_id
    )
    wanted = query.where(schema.issue.c.slug == slug, schema.issue_file.c.path == path)
    return tx.connection.execute(wanted).scalar_one_or_none()
