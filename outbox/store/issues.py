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
