"""What passes between the parts of the outbox: frozen data, and the words for every state.

Four classes are made a million times in a send: Address, Recipient, Addressee, ItemResult. They are to be
treated as frozen, too; it is not enforced there, since making one would take three times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

import msgspec

Kind = Literal["issue", "letter"]
OnUnknown = Literal["hold", "resend", "assume-sent"]
SendState = Literal["active", "paused", "cancelled"]
Images = Literal["embed", "link"]
FieldType = Literal["text", "html", "url"]
Escape = Callable[[str], str]
Attribute = str | int | float
Reason = Literal["bounce", "complaint", "request", "erased"]


class Consent(StrEnum):
    """The permission a subscriber has given."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    ERASED = "erased"


class State(StrEnum):
    """Where one message stands."""

    PLANNED = "planned"
    IN_DOUBT = "in_doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETRY = "retry"
    HELD = "held"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class ChunkState(StrEnum):
    """Where the messages of one provider call stand together."""

    PLANNED = "planned"
    IN_DOUBT = "in_doubt"
    RETRY = "retry"
    HELD = "held"
    DONE = "done"
    CANCELLED = "cancelled"


#: Where a message stands of which nothing else is written than the state of its chunk.
STATE_IN: Mapping[ChunkState, State] = MappingProxyType(
    {
        ChunkState.PLANNED: State.PLANNED,
        ChunkState.IN_DOUBT: State.IN_DOUBT,
        ChunkState.RETRY: State.RETRY,
        ChunkState.HELD: State.HELD,
        ChunkState.DONE: State.ACCEPTED,
        ChunkState.CANCELLED: State.CANCELLED,
    }
)


class EventType(StrEnum):
    """What a provider may report about a message afterwards, whatever its own words are."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REFUSED = "refused"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


class Cause(StrEnum):
    """Why mail did not reach a mailbox, or why a provider would not try."""

    UNKNOWN_USER = "unknown_user"  # there is no such mailbox
    UNKNOWN_HOST = "unknown_host"  # or no such domain
    MOVED = "moved"
    INACTIVE = "inactive"  # closed, or switched off
    FULL = "full"
    TOO_LARGE = "too_large"
    CONTENT = "content"  # what the message holds, or how it is made
    SPAM = "spam"
    BLOCKED = "blocked"  # who sends it: address, domain, reputation
    POLICY = "policy"  # the receiver's rules; SPF, DKIM, DMARC
    RATE = "rate"  # too much at once
    NETWORK = "network"
    SYSTEM = "system"  # the receiving server is at fault
    EXPIRED = "expired"  # tried for days
    LOOP = "loop"
    RELAYING = "relaying"
    SUPPRESSED = "suppressed"  # the provider itself no longer writes there
    OTHER = "other"


#: Hard: this mailbox will never take mail. Soft: it may another time.
Firmness = Literal["", "hard", "soft"]


class Outcome(StrEnum):
    """The kind of a provider's answer for one message."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INVALID = "invalid"
    SUPPRESSED = "suppressed"
    THROTTLED = "throttled"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


#: What an answer makes of a message. An unknown outcome is settled by recovery, never here.
STATE_AFTER: Mapping[Outcome, State] = MappingProxyType(
    {
        Outcome.ACCEPTED: State.ACCEPTED,
        Outcome.REJECTED: State.REFUSED,
        Outcome.INVALID: State.REFUSED,
        Outcome.SUPPRESSED: State.REFUSED,
        Outcome.THROTTLED: State.RETRY,
        Outcome.NOT_SENT: State.RETRY,
        Outcome.UNKNOWN: State.IN_DOUBT,
    }
)


@dataclass(slots=True, unsafe_hash=True)
class Address:
    """A mailbox and the name shown for it."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person on the list."""

    id: int
    email: str
    name: str
    consent: Consent
    language: str = ""
    time_zone: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    joined_at: datetime | None = None


def write_attributes(attributes: Mapping[str, Attribute]) -> str:
    """Attributes as they are kept: JSON, sorted, so that the same ones are the same text."""
    return json.dumps(dict(attributes), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Claim(
    msgspec.Struct, frozen=True, array_like=True, gc=False
):  # made by the million: quicker than a dataclass
    """Somebody put forward for the list: who, with what consent, on what basis."""

    email: str
    name: str
    consent: Consent
    basis: str
    source: str
    given_at: str = ""
    language: str = ""
    time_zone: str = ""
    tags: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = {}


class Claims(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Many claims, a list for each of their parts: a million are passed on without being looked at one by one."""

    email: list[str] = []
    key: list[str] = []  # addresses.key_of the address
    name: list[str] = []
    consent: list[str] = []
    basis: list[str] = []
    source: list[str] = []
    given_at: list[str] = []
    language: list[str] = []
    time_zone: list[str] = []
    tags: list[str] = []  # with commas between
    attributes: list[str] = []  # JSON

    def __len__(self) -> int:
        return len(self.email)

    def pick(self, place: int) -> Claim:
        """One of them."""
        return Claim(
            self.email[place],
            self.name[place],
            Consent(self.consent[place]),
            self.basis[place],
            self.source[place],
            self.given_at[place],
            self.language[place],
            self.time_zone[place],
            tuple(filter(None, self.tags[place].split(","))),
            msgspec.json.decode(self.attributes[place]),
        )


class ConsentEvent(msgspec.Struct, frozen=True, gc=False):  # likewise
    """One act that gave or ended permission; `given_at` is when, as far as the source says.

    `source` says where from, `method` how (a form, a link, a list that was imported), and
    `form_sha` names the words that were agreed to.
    """

    subscriber_id: int
    consent: Consent
    basis: str
    source: str
    given_at: str
    at: datetime
    method: str = ""
    form_sha: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels inside a message; one with a content id is shown in the text."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A merge field: its type, and what stands in when a person has no value."""

    type: FieldType
    default: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue folder, read and proven whole. `files` holds everything beside issue.json."""

    kind: Kind
    slug: str
    digest: str
    subject: str
    preheader: str
    send_at: datetime | None
    language: str
    list_name: str
    segment: str
    fields: Mapping[str, Field]
    attachments: Mapping[str, str]  # file name -> media type
    files: Mapping[str, bytes]
    document: bytes  # issue.json, byte for byte
    subjects: tuple[str, ...] = ()  # several to compare, the first being `subject`; empty: there is one

    @property
    def html(self) -> str:
        return self.files["body.html"].decode()

    @property
    def text(self) -> str:
        return self.files["body.txt"].decode()


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message of a send shares; frozen with the issue, so that a replay has the same bytes."""

    sender: Address
    reply_to: Address
    list_name: str
    list_id: str
    postal_address: str
    base_url: str
    images: Images


@dataclass(frozen=True, slots=True)
class Send:
    """One issue on its way to one frozen audience; or a letter, to everyone it is due for meanwhile."""

    id: str
    slug: str
    digest: str
    provider: str
    on_unknown: OnUnknown
    due_at: datetime
    envelope: Envelope
    state: SendState = "active"
    reason: str = ""  # why it is not active
    letter: str = ""  # the letter's name; empty: an issue

    @property
    def name(self) -> str:
        """What people call it; `slug` is the name of the copy in the database."""
        return self.letter or self.slug


#: The variant of a chunk that waits for the winner of a trial.
UNDECIDED = -1


@dataclass(frozen=True, slots=True)
class Chunk:
    """The messages of one provider call; `epoch` fences: only who claimed it can settle it.

    `size` people were put into it at its making and stay there; for `follow` of them nothing
    else is written down than the chunk's own state.
    """

    send_id: str
    no: int
    state: ChunkState
    attempt: int
    epoch: int
    first_try_at: datetime | None
    body_sha: str
    size: int = 0
    follow: int = 0
    variant: int = 0  # which subject, counted from 0; UNDECIDED: these people wait for the winner
    domain: str = ""  # of all its mailboxes, where it was cut by domain


@dataclass(slots=True, unsafe_hash=True)
class Recipient:
    """One person of a frozen audience, as they were at the freeze."""

    send_id: str
    subscriber_id: int
    email: str
    name: str
    state: State
    token: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def outbox_id(self) -> str:
        """The delivery's own id: unique over all databases, without an address in it."""
        return f"{self.send_id}.{self.subscriber_id}"

    @property
    def address(self) -> Address:
        return Address(self.name, self.email)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the ledger says about one message."""

    slug: str
    outbox_id: str
    email: str
    state: State
    provider_id: str
    code: str
    detail: str
    changed_at: datetime
    subject: str = ""  # which of several, as A or B


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a send has come: how many of its messages stand in each state."""

    slug: str
    digest: str
    provider: str
    due_at: datetime
    audience: int
    states: Mapping[State, int]
    send_id: str = ""
    state: SendState = "active"
    reason: str = ""
    letter: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A text split at its fields: literal, field, literal, ...; one more literal than slots."""

    literals: tuple[str, ...]
    slots: tuple[tuple[str, Escape], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.slots)

    def fill(self, values: Mapping[str, str]) -> str:
        """Join the literals with `values`; these are escaped and never scanned for fields again."""
        parts = [self.literals[0]]
        for (name, put), literal in zip(self.slots, self.literals[1:], strict=True):
            parts += (put(values[name]), literal)
        return "".join(parts)

    def unfold(self, links: Mapping[str, tuple[str, str]]) -> Template:
        """Write each of these fields as what it begins with and a field that stands for the rest.

        What stands for the rest must be such that no escape changes it.
        """
        literals, slots = [self.literals[0]], []
        for (name, put), literal in zip(self.slots, self.literals[1:], strict=True):
            start, rest = links.get(name, ("", ""))
            literals[-1] += put(start)
            slots.append((rest, str) if rest else (name, put))
            literals.append(literal)
        return Template(tuple(literals), tuple(slots))

    def settle(self, values: Mapping[str, str]) -> Template:
        """Fill what is the same for everybody; the other fields stay open."""
        literals, slots = [self.literals[0]], []
        for (name, put), literal in zip(self.slots, self.literals[1:], strict=True):
            if name in values:
                literals[-1] += put(values[name]) + literal
            else:
                slots.append((name, put))
                literals.append(literal)
        return Template(tuple(literals), tuple(slots))


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """What every message of a send shares, split at its fields. Headers are ASCII.

    Compared by identity, so that what a provider makes of it once can be kept.
    """

    subject: Template
    html: Template
    text: Template
    sender: Address
    reply_to: tuple[Address, ...]
    headers: tuple[tuple[str, Template], ...]
    attachments: tuple[Attachment, ...]
    stream: Literal["transactional", "broadcast"]
    tag: str  # the issue's slug


@dataclass(slots=True, unsafe_hash=True)
class Addressee:
    """What one message has of its own. No value holds a line break or control character."""

    outbox_id: str
    to: Address
    message_id: str
    values: Mapping[str, str]


class Pieces(Protocol):
    """Bytes that are joined when they are asked for."""

    def __bytes__(self) -> bytes: ...
    def __len__(self) -> int: ...
    def digest(self) -> str:
        """A SHA-256 that no other bytes have: over everything they are joined from."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A chunk on the wire: frozen bytes without secrets."""

    batch_id: str
    key: str
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes | Pieces
    outbox_ids: tuple[str, ...]
    recipients: tuple[str, ...] = ()  # mailboxes, in the same order

    @property
    def body(self) -> bytes:
        """The bytes, made anew each time they are not there whole."""
        return bytes(self.content)

    @property
    def sha(self) -> str:
        """The digest by which two calls are known to be the same."""
        content = self.content
        return sha256(content).hexdigest() if isinstance(content, bytes) else content.digest()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in from outside about messages, as it came: the body, and the headers that belong to it."""

    provider: str
    headers: Mapping[str, str]  # by small letters
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that is reported of one message. Fields are empty where it does not say.

    `proven` is False where anybody might have written it; it then counts only when message and mailbox
    belong together, or the returned letter holds the person's own `token`.
    """

    provider: str
    event_id: str  # the provider's own, or the SHA-256 of what it said
    type: EventType
    at: datetime
    outbox_id: str = ""
    recipient: str = ""
    firmness: Firmness = ""
    cause: Cause | None = None
    detail: str = ""
    provider_id: str = ""
    proven: bool = True
    token: str = ""


@dataclass(slots=True, unsafe_hash=True)
class ItemResult:
    """The provider's answer for one message."""

    outbox_id: str
    outcome: Outcome
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float | None = None  # seconds


#: Codes of a call that was refused whole: what it carried may go in two halves.
REFUSED_WHOLE = frozenset({"http 400", "http 413", "http 422"})
#: Codes that every further call would meet too: a person must act first.
STOPS = frozenset(
    {"http 401", "http 402", "http 403", "http 404", "http 405", "http 3xx", "smtp auth", "smtp from"}
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do; figures in messages, bytes and seconds.

    `lookup` says how a provider can be asked what it holds: `exact` means that an absent
    message was surely not accepted; `none` that it cannot be asked. `merges` says that a batch
    has one body, which the provider fills for each recipient.
    """

    max_batch: int
    max_message_bytes: int
    max_request_bytes: int
    per_recipient_headers: bool
    attachments_in_batch: bool
    metadata_hidden: bool
    scheduling: bool
    replay_window_s: int | None
    lookup: Literal["exact", "metadata", "tag", "recipient", "none"]
    lookup_window_s: int
    atomic_batch: bool | None
    merges: bool = False
    smtputf8: bool = False

    def batch_of(self, *, attachments: bool) -> int:
        """How many messages one call takes, if they carry files or not."""
        return 1 if attachments and not self.attachments_in_batch else self.max_batch


@dataclass(frozen=True, slots=True)
class Gift:
    """The book that readers are given: [gift] of book.toml."""

    title: str
    files: tuple[Path, ...]
    life: timedelta  # of a link
    downloads: int  # by one link, of all files together
    stamp: bool
    attach: bool


Security = Literal["starttls", "tls", "none"]
Promise = Literal["keys", "search", "nothing"]


@dataclass(frozen=True, slots=True)
class Account:
    """What a provider is made from: [provider] of book.toml, and the environment for its secrets."""

    folder: Path  # of the provider `file`
    env: Mapping[str, str] = field(repr=False)
    url: str = ""  # of the provider's API; empty: its own
    host: str = ""
    port: int = 0  # 0: the usual one
    security: Security = "starttls"
    domain: str = ""
    region: str = ""
    stream: str = ""
    promise: Promise = "keys"
