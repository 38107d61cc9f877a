"""The tables and their constraints; the ledger of every message is `delivery`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from outbox.model import ChunkState, Consent, State

metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: a timestamp where the database has one, on SQLite text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def _one_of(column: str, words: type[StrEnum] | tuple[str, ...], name: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


#: One row: which database this is, and the secret that signs links while OUTBOX_SECRET is not set.
instance = Table(
    "instance",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("one = 1", name="one"),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("consent", String(12), nullable=False),
    Column("created_at", Instant, nullable=False),
    _one_of("consent", Consent, "consent"),
    sqlite_autoincrement=True,  # an id is never given to a second person: old links carry it
)

#: Append-only; each row holds the digest of the one before.
consent_event = Table(
    "consent_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("consent", String(12), nullable=False),
    Column("basis", Text, nullable=False),  # what was agreed to, or why it ended
    Column("source", Text, nullable=False),  # where it came from: a file and line, a command, a link
    Column("given_at", Text, nullable=False),  # when the person acted, as far as the source says
    Column("at", Instant, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    _one_of("consent", Consent, "consent"),
    Index("consent_event_subscriber", "subscriber_id"),
    sqlite_autoincrement=True,
)

suppression = Table(
    "suppression",
    metadata,
    Column("email_key", Text, primary_key=True),
    Column("reason", String(12), nullable=False),
    Column("since", Instant, nullable=False),
    _one_of("reason", ("bounce", "complaint", "request"), "reason"),
)

issue = Table(
    "issue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("frozen_at", Instant, nullable=False),
)

issue_file = Table(
    "issue_file",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

send = Table(
    "send",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("on_unknown", String(6), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("envelope", Text, nullable=False),  # JSON
    Column("audience", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    _one_of("on_unknown", ("hold", "resend"), "on_unknown"),
)

chunk = Table(
    "chunk",
    metadata,
    Column("send_id", String(32), ForeignKey("send.id"), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("parent_no", Integer),
    Column("state", String(8), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("first_try_at", Instant),
    Column("body_sha", String(64), nullable=False),
    _one_of("state", ChunkState, "state"),
    CheckConstraint("(attempt = 0) = (first_try_at IS NULL)", name="first_try"),
)
_WAITING, _DOUBT = "state IN ('planned', 'retry')", "state = 'in_doubt'"
Index(
    "chunk_waiting",
    chunk.c.not_before,
    chunk.c.send_id,
    chunk.c.no,
    sqlite_where=text(_WAITING),
    postgresql_where=text(_WAITING),
)
Index("chunk_in_doubt", chunk.c.send_id, chunk.c.no, sqlite_where=text(_DOUBT), postgresql_where=text(_DOUBT))

#: One row per message: the proof.
delivery = Table(
    "delivery",
    metadata,
    Column("send_id", String(32), ForeignKey("send.id"), primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False),
    Column("chunk_no", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    ForeignKeyConstraint(["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"]),
    UniqueConstraint("issue_id", "subscriber_id"),  # nobody gets an issue twice, whatever the code does
    _one_of("state", State, "state"),
    Index("delivery_chunk", "send_id", "chunk_no"),
    Index("delivery_subscriber", "subscriber_id"),
    sqlite_with_rowid=False,
)

#: One row per provider call, written before it begins.
call = Table(
    "call",
    metadata,
    Column("send_id", String(32), primary_key=True),
    Column("chunk_no", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("body_sha", String(64), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("answer", Text, nullable=False),
    ForeignKeyConstraint(["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"]),
)

#: Evidence is never rewritten. (PostgreSQL gets its own spelling when it comes.)
for verb in ("UPDATE", "DELETE"):
    guard = DDL(  # type: ignore[no-untyped-call]
        f"CREATE TRIGGER consent_event_no_{verb.lower()} BEFORE {verb} ON consent_event "
        "BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END"
    )
    event.listen(consent_event, "after_create", guard.execute_if(dialect="sqlite"))
