"""The gate before a send: what an issue and one sample of its messages must be before anybody gets it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from types import MappingProxyType
from typing import Literal

from .addresses import FREEMAIL
from .conformance import find_faults, read_raw
from .errors import OutboxError
from .fields import TOKEN
from .letters import LINKS, manner_of
from .likeness import share_words
from .model import Capabilities, Envelope, Issue

MAX_HTML, WARN_HTML = (
    102_000,
    80_000,
)  # bytes as they travel; Gmail cuts longer letters off, the link to leave too
MIN_SHARED = 0.6  # share of the HTML's words that the text part must have (L2)
#: What stands before the subject of an answer or of a letter passed on, in many languages.
ANSWER = re.compile(
    r"(?:re|fwd?|aw|wg|antw|sv|vs|vb|tr|rv|res|enc|ref|odp|ynt)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)

Severity = Literal["block", "warn"]
Verdict = tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at. `caps` is None where it is not known who carries the mail."""

    issue: Issue
    envelope: Envelope
    caps: Capabilities | None = None
    beyond_ascii: int = 0  # people whose mailbox needs SMTPUTF8 (RFC 6531)
    segments: Collection[str] = ()  # the names that book.toml defines
    letter: bool = False  # it is to go to single people, by what they do


@dataclass(frozen=True, slots=True)
class Sample:
    """One message as a reader would get it: its bytes, and what they say."""

    message: bytes
    subject: str
    html: str
    text: str
    html_size: int  # bytes as they travel
    unsubscribe: str  # the https link of the header


@dataclass(frozen=True, slots=True)
class Rule:
    """`find` returns a sentence about the issue, or nothing when all is well."""

    severity: Severity
    about: str
    find: Callable[[Case], str]


@dataclass(frozen=True, slots=True)
class SampleRule:
    """Likewise, with a look at one whole message."""

    severity: Severity
    about: str
    find: Callable[[Case, Sample], str]


def judge(case: Case, write: Callable[[], bytes]) -> Verdict:
    """Return what forbids the send, and what its author should know; `write` makes one sample message."""
    found = [(rule.severity, rule.find(case)) for rule in RULES.values()]
    if not _pick(found, "block"):  # what is no issue at all makes no message
        try:
            sample = read_sample(write())
            found += [(rule.severity, rule.find(case, sample)) for rule in SAMPLE_RULES.values()]
        except OutboxError as error:
            found.append(("block", str(error)))
    return _pick(found, "block"), _pick(found, "warn")


def _pick(found: Iterable[tuple[Severity, str]], wanted: Severity) -> list[str]:
    return [said for severity, said in found if said and severity == wanted]


def read_sample(message: bytes) -> Sample:
    """Read a message as a mail program does."""
    parsed = message_from_bytes(message, policy=policy.default)
    html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    links = " ".join(read_raw(message).values("list-unsubscribe"))
    found = re.search(r"<(https://[^<>\s]+)>", links)
    return Sample(
        message=message,
        subject=str(parsed["Subject"] or ""),
        html=_words_of(html),
        text=_words_of(text),
        html_size=len(html.get_payload()) if html else 0,
        unsubscribe=found[1] if found else "",
    )


def _words_of(part: object) -> str:
    return str(part.get_content()).replace("\r\n", "\n") if isinstance(part, EmailMessage) else ""


# -- rules over the issue


def _letter(case: Case) -> str:
    if case.letter:
        return (
            "" if case.issue.kind == "letter" else "is an issue, not a letter; write it into chapters/letters"
        )
    said = "is a letter; letters are sent by what a person does, not by hand"
    return said if case.issue.kind != "issue" else ""


def _other_list(case: Case) -> str:
    known = case.issue.list_name in {"", case.envelope.list_name}
    return "" if known else "is made for another list than [list] name in book.toml"


def _segment(case: Case) -> str:
    name = case.issue.segment
    known = not name or name in case.segments
    return "" if known else f"is for the segment {name!r}; write it into [segments] of book.toml"


def _personal(case: Case) -> str:
    used = not case.letter and any(name in case.issue.fields for name in LINKS)
    return f"uses a field of letters ({' or '.join(LINKS)}); nobody fills it in an issue" if used else ""


def _no_page(case: Case) -> str:
    used = case.letter and "browser_url" in case.issue.fields
    return "uses @@browser_url@@, and a letter to one person has no page; leave it out" if used else ""


def _confirms(case: Case) -> str:
    wanted = case.letter and manner_of(case.issue.slug).confirms
    missing = wanted and not all("@@confirm_url@@" in body for body in (case.issue.html, case.issue.text))
    return "needs @@confirm_url@@ in both body.html and body.txt" if missing else ""


def _sender(case: Case) -> str:
    email = case.envelope.sender.email
    free = email.partition("@")[2].lower() in FREEMAIL
    return f"comes from {email}, a free mailbox; use an address under your own domain" if free else ""


def _beyond_ascii(case: Case) -> str:
    if not case.beyond_ascii or case.caps is None or case.caps.smtputf8:
        return ""
    return (
        f"{case.beyond_ascii} people have letters beyond ASCII before @, which this provider does not carry; "
        "they get nothing"
    )


# -- rules over one message


def _unsubscribe(case: Case, sample: Sample) -> str:
    if case.letter and not manner_of(case.issue.slug).list_mail:
        return ""
    link = sample.unsubscribe
    there = link and escape(link) in sample.html and link in sample.text
    return (
        ""
        if there
        else "needs @@unsubscribe_url@@ in both body.html and body.txt, the same link as the header"
    )


def _postal_address(case: Case, sample: Sample) -> str:
    address = case.envelope.postal_address
    there = (address in sample.html or escape(address) in sample.html) and address in sample.text
    return "" if there else "needs @@postal_address@@ in both body.html and body.txt"


def _too_long(_: Case, sample: Sample) -> str:
    size = sample.html_size
    return (
        f"body.html travels as {size:,} bytes; Gmail cuts off after {MAX_HTML:,}" if size > MAX_HTML else ""
    )


def _long(_: Case, sample: Sample) -> str:
    size = sample.html_size
    near = WARN_HTML < size <= MAX_HTML
    return f"body.html travels as {size:,} bytes; keep it below {WARN_HTML:,}" if near else ""


def _unfilled(_: Case, sample: Sample) -> str:
    left = sorted(set(TOKEN.findall(f"{sample.subject}\n{sample.html}\n{sample.text}")))
    return f"a field stays unfilled: {', '.join(left)}" if left else ""


def _no_subject(_: Case, sample: Sample) -> str:
    return "" if sample.subject.strip() else "has no subject"


def _answer(_: Case, sample: Sample) -> str:
    found = ANSWER.match(sample.subject.strip())
    return f"the subject begins with {found[0]!r}, as if it were an answer" if found else ""


def _little_text(_: Case, sample: Sample) -> str:
    share = share_words(sample.html, sample.text)
    said = (
        f"the text part says {share:.0%} of what the HTML says; below {MIN_SHARED:.0%} looks like two letters"
    )
    return said if share < MIN_SHARED else ""


def _too_large(case: Case, sample: Sample) -> str:
    size, limit = len(sample.message), case.caps.max_message_bytes if case.caps else 0
    if not limit or size <= limit:
        return ""
    return f"a message has {size:,} bytes and the provider takes {limit:,}; link what is attached"


def _header(_: Case, sample: Sample) -> str:
    return "; ".join(find_faults(sample.message))


#: By name; the number is that of the mail rule behind it. docs/doctor.md is written from these two tables.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "letter": Rule("block", "a letter, such as a welcome, is sent by hand", _letter),
        "other-list": Rule("block", "the issue is made for a list of another name", _other_list),
        "segment": Rule("block", "the issue is for a segment that book.toml does not define", _segment),
        "personal": Rule("block", "the issue uses a field that only letters have", _personal),
        "no-page": Rule("block", "the letter leads to itself on the web, where it is not", _no_page),
        "confirms": Rule("block", "*confirm* or *reminder* lacks the link that confirms", _confirms),
        "sender": Rule("block", "the sender's mailbox is a free one (L13)", _sender),
        "beyond-ascii": Rule("warn", "people have mailboxes that the provider cannot carry (L27)", _beyond_ascii),
    }
)  # fmt: skip
SAMPLE_RULES: Mapping[str, SampleRule] = MappingProxyType(
    {
        "unsubscribe": SampleRule("block", "a part lacks the link to leave that the header has (L16)", _unsubscribe),
        "postal-address": SampleRule("block", "a part lacks the postal address (L15)", _postal_address),
        "too-long": SampleRule("block", "the HTML has over 102 kB as it travels (L25)", _too_long),
        "long": SampleRule("warn", "the HTML has over 80 kB as it travels (L25)", _long),
        "unfilled": SampleRule("block", "a merge field stays as it is", _unfilled),
        "no-subject": SampleRule("block", "the subject is empty", _no_subject),
        "answer": SampleRule("warn", "the subject begins like that of an answer (L14)", _answer),
        "little-text": SampleRule("warn", "the text part says less than 60 % of the HTML (L2)", _little_text),
        "too-large": SampleRule("block", "a message is larger than the provider takes (L25)", _too_large),
        "header": SampleRule("block", "a message breaks a rule of its form, see below (L1 to L5)", _header),
    }
)  # fmt: skip
