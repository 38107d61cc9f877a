"""The tables and their constraints; `chunk`, `roster` and `delivery` together are the ledger of every message."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from outbox.model import ChunkState, Consent, EventType, State

from .columns import Instant, append_only, metadata, one_of

#: One row: which database this is, and the secret that signs links while OUTBOX_SECRET is not set.
instance = Table(
    "instance",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False),
    Column("secret", String(64), nullable=False),
    Column(
        "generation", String(32), nullable=False
    ),  # another one each time a sender starts (store/guard.py)
    Column("created_at", Instant, nullable=False),
    CheckConstraint("one = 1", name="one"),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),  # as it was written; empty once erased
    Column("email_key", Text, nullable=False, unique=True),  # addresses.key_of; `erased:<id>` once erased
    Column("name", Text, nullable=False),
    Column("language", String(35), nullable=False),  # BCP 47; empty: the list's
    Column("time_zone", String(64), nullable=False),  # IANA; empty: the list's
    Column("token", String(32), nullable=False),  # the id, and chance: whoever holds it may act for them
    Column("attributes", Text, nullable=False),  # JSON object of texts, numbers and dates
    Column("consent", String(12), nullable=False),
    Column("created_at", Instant, nullable=False),
    one_of("consent", Consent),
    sqlite_autoincrement=True,  # an id is never given to a second person: old links carry it
)
#: Who may not be written to, found at every intent without reading those who may.
Index(
    "subscriber_gone",
    subscriber.c.id,
    sqlite_where=text("consent <> 'confirmed'"),
    postgresql_where=text("consent <> 'confirmed'"),
)

#: What a person is interested in, or came from: words that segments ask for.
tag = Table(
    "tag",
    metadata,
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("tag", String(64), primary_key=True),
    Index("tag_tag", "tag", "subscriber_id"),
    sqlite_with_rowid=False,
)

#: What a person chose about their letters; whoever chose nothing has no row, and gets every letter.
preference = Table(
    "preference",
    metadata,
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("paused_until", Instant),
    Column("every_days", Integer, nullable=False),  # an issue in so many days at most; 0: every one
    Column("next_at", Instant),  # the next issue not before this
    Column("tracking", Integer, nullable=False),  # 1: may be told who opened and clicked
    CheckConstraint("tracking IN (0, 1)", name="tracking"),
    CheckConstraint("every_days >= 0", name="every_days"),
    sqlite_with_rowid=False,
)

#: How often a person was written to because somebody asked for it at the front door, and when last.
asked = Table(
    "asked",
    metadata,
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("what", String(8), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    one_of("what", ("confirm", "link")),
    sqlite_with_rowid=False,
)

#: The words of a sign-up form, kept for as long as somebody's consent rests on them.
form = Table(
    "form",
    metadata,
    Column("sha", String(64), primary_key=True),  # SHA-256 of the text
    Column("version", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

#: One act that gave or ended permission. Sealed below.
consent_event = Table(
    "consent_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("consent", String(12), nullable=False),
    Column("basis", Text, nullable=False),  # what was agreed to, or why it ended
    Column("source", Text, nullable=False),  # where from: a file and line, a command, the address of a page
    Column("method", String(16), nullable=False),  # how: import, command, form, link, one-click, event
    Column("form_sha", String(64), ForeignKey("form.sha")),  # the words that were agreed to
    Column("given_at", Text, nullable=False),  # when the person acted, as far as the source says
    Column("at", Instant, nullable=False),
    one_of("consent", Consent),
    Index("consent_event_subscriber", "subscriber_id"),
    sqlite_autoincrement=True,
)

#: Closes the events of one transaction: each seal is a digest of them and of the seal before.
seal = Table(
    "seal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("first_id", Integer, nullable=False),  # consent_event.id
    Column("last_id", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    sqlite_autoincrement=True,
)
for only_grows in (consent_event, form, seal):
    append_only(only_grows)

#: Never to be written to again: a mailbox by its key, or a keyed hash of it when the person was erased.
suppression = Table(
    "suppression",
    metadata,
    Column("id", Integer, primary_key=True),  # grows: a send asks for what is newer than its freeze
    Column("email_key", Text, unique=True),
    Column("key_hash", String(64), unique=True),
    Column("reason", String(12), nullable=False),
    Column("since", Instant, nullable=False),
    one_of("reason", ("bounce", "complaint", "request", "erased")),
    CheckConstraint("(email_key IS NULL) <> (key_hash IS NULL)", name="one_key"),
    sqlite_autoincrement=True,
)

#: A list that is being imported, one row each until it is done: where to go on.
intake = Table(
    "intake",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the file's name and of how it is to be read
    Column("offset", BigInteger, nullable=False),  # bytes that are in
    Column("line", Integer, nullable=False),  # the line they end on
    Column("digest", String(64), nullable=False),  # SHA-256 of these bytes
    Column("rejected", BigInteger, nullable=False),  # bytes of the file of rejects
    Column("first_id", Integer, nullable=False),  # subscribers from here on came out of this file
    Column("counts", Text, nullable=False),  # JSON
    Column("at", Instant, nullable=False),
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
    Column(
        "issue_id", Integer, ForeignKey("issue.id"), nullable=False, unique=True
    ),  # an issue goes out once
    Column("provider", Text, nullable=False),
    Column("on_unknown", String(12), nullable=False),
    Column("state", String(9), nullable=False),
    Column("reason", Text, nullable=False),  # why it is not active
    Column("due_at", Instant, nullable=False),
    Column("active_at", Instant, nullable=False),  # last sign of life: what waits long after it is late
    Column("envelope", Text, nullable=False),  # JSON
    Column("audience", Integer, nullable=False),
    Column(
        "newest_suppression", Integer, nullable=False
    ),  # at the freeze; later ones are read at every intent
    Column("created_at", Instant, nullable=False),
    Column("letter", Text, nullable=False, server_default=""),  # name of the letter; empty: an issue
    one_of("on_unknown", ("hold", "resend", "assume-sent")),
    one_of("state", ("active", "paused", "cancelled")),
)

#: One provider call. Its people are in `roster`, which is written once.
chunk = Table(
    "chunk",
    metadata,
    Column("send_id", String(32), ForeignKey("send.id"), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("parent_no", Integer),
    Column("state", String(9), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("first_try_at", Instant),
    Column("body_sha", String(64), nullable=False),
    Column("first_id", Integer, nullable=False),
    Column("last_id", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # how many people are in its roster
    Column(
        "follow", Integer, nullable=False
    ),  # of how many its state says all: no row in `delivery`, not moved
    Column("lease_owner", String(64), nullable=False),
    Column("lease_until", Instant),
    Column("variant", Integer, nullable=False, server_default="0"),  # which subject; -1: waits for the winner
    Column(
        "domain", Text, nullable=False, server_default=""
    ),  # of all its mailboxes, where it was cut by domain
    one_of("state", ChunkState),
    CheckConstraint("variant >= 0 OR attempt = 0", name="variant"),
    CheckConstraint("(attempt = 0) = (first_try_at IS NULL)", name="first_try"),
    CheckConstraint("state <> 'in_doubt' OR attempt > 0", name="tried"),
    CheckConstraint("size >= 0 AND follow BETWEEN 0 AND size", name="counts"),
    CheckConstraint("(lease_owner = '') = (lease_until IS NULL)", name="lease"),
    Index("chunk_range", "send_id", "first_id", "last_id"),
)
_WAITING, _DOUBT = "state IN ('planned', 'retry')", "state = 'in_doubt'"
Index(
    "chunk_waiting",
    chunk.c.send_id,
    chunk.c.not_before,
    chunk.c.no,
    sqlite_where=text(_WAITING),
    postgresql_where=text(_WAITING),
)
Index("chunk_in_doubt", chunk.c.send_id, chunk.c.no, sqlite_where=text(_DOUBT), postgresql_where=text(_DOUBT))

#: Occasions of a recurrence that were used; the first row of a rule says since when there is one.
occasion = Table(
    "occasion",
    metadata,
    Column("rule", Text, primary_key=True),  # cron text and time zone
    Column("at", Instant, primary_key=True),
    Column("slug", Text, nullable=False),  # of the issue that went; empty: none was ready
)

#: Subjects that are compared on a part of a send's people.
trial = Table(
    "trial",
    metadata,
    Column("send_id", String(32), ForeignKey("send.id"), primary_key=True),
    Column("subjects", Integer, nullable=False),
    Column("measure", String(8), nullable=False),
    Column("hours", Float, nullable=False),  # from the first call to the choice
    Column("winner", Integer),  # NULL: not found yet
    Column("why", Text, nullable=False),
    Column("decided_at", Instant),
)

#: The people of a chunk as they were at the freeze: numbers in order, and what fills their messages.
roster = Table(
    "roster",
    metadata,
    Column("send_id", String(32), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("ids", LargeBinary, nullable=False),  # 64-bit little-endian, ascending
    Column("people", LargeBinary, nullable=False),  # JSON, in the same order
    ForeignKeyConstraint(["send_id", "no"], ["chunk.send_id", "chunk.no"]),
)

#: A message of which something else is to be said than its chunk says.
delivery = Table(
    "delivery",
    metadata,
    Column("send_id", String(32), primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("chunk_no", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    ForeignKeyConstraint(["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"]),
    one_of("state", State),
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
    Column("answer", Text, nullable=False),  # how many of each outcome
    Column("provider_ids", LargeBinary),  # JSON, in the order of the roster; for those accepted by this call
    ForeignKeyConstraint(["send_id", "chunk_no"], ["chunk.send_id", "chunk.no"]),
)

#: The book went to a reader: a button was pressed, so no scanner that follows links stands here.
download = Table(
    "download",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("file", Text, nullable=False),  # its name as the reader got it
    Column("link", String(32), nullable=False),  # a digest of the link it was fetched by; empty once erased
    Column("at", Instant, nullable=False),
    Index("download_subscriber", "subscriber_id", "link"),
)

#: A letter to one person that is due once; its row stays, so that nothing is written twice under a key.
letter = Table(
    "letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # what it is once of, as `confirm:7:1`
    Column("name", Text, nullable=False),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("send_id", String(32), ForeignKey("send.id")),  # the send it was frozen into
    Column("dropped", Text, nullable=False),  # why it will not be sent
    CheckConstraint("send_id IS NULL OR dropped = ''", name="one_end"),
    Index("letter_subscriber", "subscriber_id", "send_id", unique=True),  # once in each send
)
_QUEUED = "send_id IS NULL AND dropped = ''"
Index(
    "letter_waiting",
    letter.c.due_at,
    letter.c.id,
    sqlite_where=text(_QUEUED),
    postgresql_where=text(_QUEUED),
)

#: A series as it was last seen: its file by digest, and up to where it was asked what happened.
series = Table(
    "series",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("state", String(7), nullable=False),
    Column("since", Instant, nullable=False),
    Column("mark", Integer, nullable=False),  # consent_event.id: those after it may begin the series
    one_of("state", ("active", "paused", "stopped")),
)

#: When each step of a series was first seen: one that came in behind somebody is not for them.
step = Table(
    "step",
    metadata,
    Column("series", String(64), ForeignKey("series.name"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("since", Instant, nullable=False),
)

#: Where a person stands in a series. Nobody is enrolled twice.
enrolment = Table(
    "enrolment",
    metadata,
    Column("series", String(64), ForeignKey("series.name"), primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),
    Column("passed", Text, nullable=False),  # ids of the steps behind them, spaces between
    Column("began_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),  # when the last step was due, or the series began
    Column("next_at", Instant),  # when to look again
    one_of("state", ("active", "finished", "stopped", "before")),
    CheckConstraint("(state = 'active') = (next_at IS NOT NULL)", name="next"),
    Index("enrolment_subscriber", "subscriber_id"),
    sqlite_with_rowid=False,
)
_UNDER_WAY = "next_at IS NOT NULL"
Index(
    "enrolment_next",
    enrolment.c.series,
    enrolment.c.next_at,
    enrolment.c.subscriber_id,
    sqlite_where=text(_UNDER_WAY),
    postgresql_where=text(_UNDER_WAY),
)

#: What `outbox plan` showed, so that `outbox send PLAN` can tell what has changed since.
plan = Table(
    "plan",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("slug", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("audience", Integer, nullable=False),
    Column("newest_consent", Integer, nullable=False),  # consent_event.id
    Column("made_at", Instant, nullable=False),
    Column(
        "at", Text, nullable=False, server_default=""
    ),  # given by hand; without offset: everybody's own clock
)

#: What came in from outside about messages, as it came; read in batches, and kept for a month.
arrival = Table(
    "arrival",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("read_at", Instant),  # null: waits
    Column("trouble", Text, nullable=False),  # why it could not be read
    Index("arrival_at", "at"),
    sqlite_autoincrement=True,
)
_UNREAD = "read_at IS NULL"
Index("arrival_unread", arrival.c.id, sqlite_where=text(_UNREAD), postgresql_where=text(_UNREAD))

#: What is reported of messages afterwards, each thing once however often it is told.
event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("event_id", Text, nullable=False),  # the provider's own, or the SHA-256 of what it said
    Column("type", String(12), nullable=False),
    Column("firmness", String(4), nullable=False),  # of a bounce
    Column("cause", String(12), nullable=False),  # why it bounced or was refused
    Column("send_id", String(32), ForeignKey("send.id")),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id")),
    Column("at", Instant, nullable=False),  # when it happened, as the provider says
    Column("seen_at", Instant, nullable=False),  # when we were told
    Column("detail", Text, nullable=False),
    Column("arrival_id", Integer),  # what it was read from, as long as that is kept
    UniqueConstraint("provider", "event_id"),
    one_of("type", EventType),
    one_of("firmness", ("", "hard", "soft")),
    Index("event_send", "send_id", "type"),
    Index("event_subscriber", "subscriber_id"),
)

#: Rates that outlive a process: how much may still go by an account, or to a domain.
bucket = Table(
    "bucket",
    metadata,
    Column("name", Text, primary_key=True),  # account:<provider>, domain:<domain>, warmup:<provider>
    Column("tokens", Float, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("blocked_until", Instant),  # the provider said: not before
    Column("since", Instant, nullable=False),  # day 0 of a warm-up
)
