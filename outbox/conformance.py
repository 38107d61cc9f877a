"""Hold the bytes of one message against RFC 5322 and what the law and mail programs ask of its header."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.utils import parsedate_to_datetime
from types import MappingProxyType

MAX_LINE = 998  # octets without the line's end (RFC 5322 section 2.1.1)
MAX_WORD = 75  # characters of an encoded word (RFC 2047 section 2)

#: Fields that may stand once (RFC 5322 section 3.6, RFC 2045, RFC 2369, RFC 2919, RFC 8058).
ONCE = frozenset(
    {
        "bcc", "cc", "content-transfer-encoding", "content-type", "date", "feedback-id", "from", "in-reply-to",
        "list-archive", "list-help", "list-id", "list-owner", "list-subscribe", "list-unsubscribe",
        "list-unsubscribe-post", "message-id", "mime-version", "references", "reply-to", "sender", "subject", "to",
    }
)  # fmt: skip
#: Fields that hold addresses of the web and of mailboxes in angle brackets (RFC 2369).
LINKED = ("list-archive", "list-help", "list-owner", "list-subscribe", "list-unsubscribe")

NAME = re.compile(rb"[!-9;-~]+")
ENCODED = re.compile(r"=\?[^\s?]*\?[^\s?]*\?[^\s?]*\?=")
ENCODED_WELL = re.compile(r"=\?[A-Za-z0-9_-]+\?(?:[bB]\?[A-Za-z0-9+/]*={0,2}|[qQ]\?[!->@-~]*)\?=")
ADDRESS = r"""[^\s<>"@,;:()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"""
MAILBOX = re.compile(rf"""(?:{ADDRESS}|(?:"(?:[^"\\]|\\.)*"|[^<>"@,;:()\[\]\\]*)\s*<{ADDRESS}>)""")
MESSAGE_ID = re.compile(rf"<{ADDRESS}>")
LIST_ID = re.compile(r"(?:[^<>]*\s)?<[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+>")
LINKS = re.compile(r"<[a-z][a-z0-9+.-]*:[^\s<>,]+>(?:,\s*<[a-z][a-z0-9+.-]*:[^\s<>,]+>)*")
DATE = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? [+-]\d{4}"
)


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as it travels: its lines, and the fields of its header with their values unfolded."""

    content: bytes
    head: tuple[bytes, ...]  # lines of the header, folded as they are
    fields: tuple[tuple[str, str], ...]  # names in lower case

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that every message keeps; `find` tells what is wrong with one, or nothing."""

    about: str
    find: Callable[[Raw], Iterator[str]]


def find_faults(message: bytes) -> list[str]:
    """Return what is wrong with a message, one sentence each; a pure function of its bytes."""
    raw = read_raw(message)
    return [found for rule in RULES.values() for found in rule.find(raw)]


def read_raw(message: bytes) -> Raw:
    """Cut a message into its parts. Whatever the bytes are, this does not fail."""
    head = tuple(re.split(rb"\r\n|\r|\n", re.split(rb"\r\n\r\n|\n\n|\r\r", message, maxsplit=1)[0]))
    fields: list[tuple[str, str]] = []
    for line in head:
        text = line.decode("utf-8", "replace")
        if text[:1] in {" ", "\t"} and fields:
            name, value = fields[-1]
            fields[-1] = (name, value + text)
        else:
            name, _, value = text.partition(":")
            fields.append((name.lower(), value))
    return Raw(message, head, tuple((name, value.strip()) for name, value in fields))


def _line_ends(raw: Raw) -> Iterator[str]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw.content):
        yield "a line does not end in CRLF"


def _line_lengths(raw: Raw) -> Iterator[str]:
    longest = max(map(len, re.split(rb"\r\n|\r|\n", raw.content)))
    if longest > MAX_LINE:
        yield f"a line has {longest:,} octets; {MAX_LINE} are allowed"


def _header_lines(raw: Raw) -> Iterator[str]:
    for number, line in enumerate(raw.head):
        name, colon, _ = line.partition(b":")
        if line[:1] in {b" ", b"\t"}:
            if not line.strip() or not number:
                yield "a line of the header is empty, or continues nothing"
        elif not colon or not NAME.fullmatch(name):
            yield f"a line of the header is no field: {line[:40].decode('ascii', 'replace')!r}"


def _ascii(raw: Raw) -> Iterator[str]:
    for line in raw.head:
        if re.search(rb"[^\t\x20-\x7e]", line):
            yield f"the header holds bytes that are not ASCII text: {line[:40].decode('ascii', 'replace')!r}"


def _encoded_words(raw: Raw) -> Iterator[str]:
    for name, value in raw.fields:
        for word in ENCODED.findall(value):
            if len(word) > MAX_WORD or not ENCODED_WELL.fullmatch(word) or not _reads(word):
                yield f"{name} holds an encoded word that cannot be read: {word[:40]}"


def _reads(word: str) -> bool:
    try:
        ((content, charset),) = decode_header(word)
        text = content.decode(charset or "ascii") if isinstance(content, bytes) else content
    except (ValueError, LookupError):
        return False
    return not re.search(r"[\r\n]", text)


def _single(raw: Raw) -> Iterator[str]:
    names = [name for name, _ in raw.fields]
    for name in sorted(ONCE & set(names)):
        if names.count(name) > 1:
            yield f"{name} stands {names.count(name)} times"


def _from(raw: Raw) -> Iterator[str]:
    yield from _exactly_one(raw, "from", MAILBOX, "one mailbox")


def _to(raw: Raw) -> Iterator[str]:
    yield from _exactly_one(raw, "to", MAILBOX, "one mailbox")
    if raw.values("cc") or raw.values("bcc"):
        yield "cc or bcc would show people to each other"


def _date(raw: Raw) -> Iterator[str]:
    yield from _exactly_one(raw, "date", DATE, "a date with time and offset")
    for value in raw.values("date"):
        try:
            parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            yield f"date is no day of the calendar: {value[:40]!r}"


def _message_id(raw: Raw) -> Iterator[str]:
    yield from _exactly_one(raw, "message-id", MESSAGE_ID, "<unique@domain>")


def _exactly_one(raw: Raw, name: str, shape: re.Pattern[str], called: str) -> Iterator[str]:
    values = raw.values(name)
    if len(values) != 1:
        yield f"{name} stands {len(values)} times, not once"
    elif not shape.fullmatch(values[0]):
        yield f"{name} is not {called}: {values[0][:40]!r}"


def _text_part(raw: Raw) -> Iterator[str]:
    kinds = [part.get_content_type() for part in message_from_bytes(raw.content).walk()]
    if "text/plain" not in kinds:
        yield "the text part is missing"
    elif "text/html" in kinds and kinds.index("text/html") < kinds.index("text/plain"):
        yield "the text part stands behind the HTML; programs show the last they can"


def _list_id(raw: Raw) -> Iterator[str]:
    yield from _exactly_one(raw, "list-id", LIST_ID, "Name <letters.example.org>")


def _list_links(raw: Raw) -> Iterator[str]:
    for name in LINKED:
        for value in raw.values(name):
            if not LINKS.fullmatch(value):
                yield f"{name} is not a list of whole links in angle brackets: {value[:60]!r}"


def _one_click(raw: Raw) -> Iterator[str]:
    ways = raw.values("list-unsubscribe")
    if len(ways) != 1:
        yield f"list-unsubscribe stands {len(ways)} times, not once"
    elif ways[0].count("<https://") != 1 or "<http://" in ways[0]:
        yield "list-unsubscribe must hold exactly one https link"
    if raw.values("list-unsubscribe-post") != ["List-Unsubscribe=One-Click"]:
        yield "list-unsubscribe-post must be List-Unsubscribe=One-Click, once"


#: By name; the number is that of the mail rule behind it. docs/doctor.md is written from this table.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "line-ends": Rule("every line ends in CRLF (L1)", _line_ends),
        "line-length": Rule(f"no line is longer than {MAX_LINE} octets (L1)", _line_lengths),
        "header-lines": Rule("the header consists of fields, none of them folded into nothing (L1)", _header_lines),
        "ascii": Rule("the header is ASCII (L1)", _ascii),
        "encoded-words": Rule("names and subjects beyond ASCII are encoded as RFC 2047 says (L1)", _encoded_words),
        "single": Rule("no field that may stand once stands twice (L1)", _single),
        "from": Rule("one From with one mailbox (L1)", _from),
        "to": Rule("one To with one mailbox, no Cc, no Bcc: nobody sees another's address", _to),
        "date": Rule("one Date, valid, with its offset (L1)", _date),
        "message-id": Rule("one Message-ID (L1)", _message_id),
        "text-part": Rule("a text part is there, before the HTML (L2)", _text_part),
        "list-id": Rule("one List-Id (L3)", _list_id),
        "list-links": Rule("the List- fields hold whole links in angle brackets (L4)", _list_links),
        "one-click": Rule("List-Unsubscribe with one https link, and List-Unsubscribe-Post (L5)", _one_click),
    }
)  # fmt: skip
