"""Take a mail apart: who sent it, what it says, the fields of its report, the letter that it brings back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from html import unescape

from .signs import find_all

Fields = dict[str, str]  # by small letters
READ = 200_000  # characters of text that are looked at
TAGS = re.compile(
    r"<(?:style|script|head)\b.*?</(?:style|script|head)>|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
BREAKS = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6])\b[^>]*>", re.IGNORECASE)
MARKUP = re.compile(r"<(?![^<>\s]+@)[/!a-zA-Z][^<>]*>")
FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]*(.*)$")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, read once."""

    head: Message
    text: str  # what it says to people, without what it brings back
    groups: tuple[Fields, ...]  # the fields of a message/delivery-status, group by group
    feedback: Fields  # the fields of a message/feedback-report
    returned: Message | None  # the letter that it brings back, or its headers
    disposition: str  # what its reader, or a program of theirs, did with the letter

    def header(self, name: str) -> str:
        """A header's text, decoded."""
        return decode(self.head.get(name, ""))


def read_mail(raw: bytes) -> Mail:
    """Take apart whatever comes; a mail that breaks every rule is still read as far as it goes."""
    head = message_from_bytes(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip())
    texts, groups, feedback, returned = list[str](), list[Fields](), Fields(), None
    disposition = ""
    for part in _walk(head):
        kind = part.get_content_type()
        if kind in {"message/delivery-status", "message/global-delivery-status"}:
            groups += _groups(part)
        elif kind == "message/feedback-report":
            feedback |= {name: value for group in _groups(part) for name, value in group.items()}
        elif kind in {"message/disposition-notification", "message/global-disposition-notification"}:
            disposition = " ".join(group.get("disposition", "") for group in _groups(part)) or "unknown"
        elif kind in {
            "message/rfc822",
            "message/global",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/partial",
        }:
            returned = returned or _returned(part)
        elif part.get_content_maintype() == "text":
            texts.append(_text(part))
    text = "\n".join(texts)[:READ]
    before, after = _cut(text)
    if returned is None and after:
        returned = message_from_string(after.lstrip("\n"))
    return Mail(head, before, tuple(groups), feedback, returned, disposition)


def decode(value: object) -> str:
    """A header as people read it."""
    try:
        return " ".join(str(make_header(decode_header(str(value)))).split())
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return " ".join(str(value).split())


def fields_of(text: str) -> Fields:
    """Every `Name: value` of a text, folded lines joined; of a name that comes twice, the first."""
    found, last = Fields(), ""
    for line in text.splitlines():
        field = FIELD.match(line)
        if field:
            last = field[1].lower()
            if last in found:
                last = ""
            else:
                found[last] = field[2].strip()
        elif last and line[:1] in {" ", "\t"} and line.strip():
            found[last] += " " + line.strip()
        else:
            last = ""
    return found


def _walk(part: Message) -> Iterator[Message]:
    """The parts of a mail, but not those of a letter within it."""
    inner = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(inner, list):
        for one in inner:
            if isinstance(one, Message):
                yield from _walk(one)
    else:
        yield part


def _groups(part: Message) -> list[Fields]:
    inner = part.get_payload()
    if isinstance(inner, list):
        text = "\n\n".join(
            str(one) if one.keys() else str(one.get_payload()) for one in inner if isinstance(one, Message)
        )
    else:
        text = _text(part)
    groups = (fields_of(block) for block in re.split(r"\n[ \t]*\n", text.replace("\r", "")))
    return [group for group in groups if group]


def _returned(part: Message) -> Message | None:
    inner = part.get_payload()
    if isinstance(inner, list):
        first = inner[0] if inner else None
        return first if isinstance(first, Message) else None
    return message_from_string(_text(part).lstrip("\n"))


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return str(part.get_payload() or "")
    try:
        text = raw.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeError, ValueError):
        text = _guess(raw)
    return _strip(text) if part.get_content_subtype() == "html" else text


def _guess(raw: bytes) -> str:
    for charset in ("utf-8", "iso-2022-jp", "euc-jp"):
        try:
            return raw.decode(charset)
        except UnicodeError:
            continue
    return raw.decode("latin-1")


def _strip(html: str) -> str:
    return unescape(MARKUP.sub("", BREAKS.sub("\n", TAGS.sub("", html))))


def _cut(text: str) -> tuple[str, str]:
    """What a mail says itself, and what stands in it of the letter that it brings back."""
    begin = re.search(r"[^\s=*-]", text)
    found = next(
        (mark for mark in find_all("returned", text) if begin and mark.start() > begin.start()), None
    )
    if found is None:
        return text, ""
    rest = text[found.start() :]
    start = re.search(r"(?im)^[ >|]*(?:received|return-path|message-id|from|date|to|subject): ", rest)
    headers = re.sub(r"(?m)^[ >|]+(?=[A-Za-z-]+: )", "", rest[start.start() :]) if start else ""
    return text[: found.start()], headers or rest
