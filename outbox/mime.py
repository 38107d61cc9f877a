"""Build the bytes of a message: one builder for every provider that takes raw mail."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator, Sequence
from email.utils import format_datetime
from hashlib import sha256

from .errors import OutboxError
from .model import Address, Attachment, OutMessage

WIDTH = 76  # longest line of a body, and of a header that can be folded
WORD = 60  # longest word of a header that stays as it is
PIECE = 36  # bytes of UTF-8 in one encoded word
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def build(message: OutMessage) -> bytes:
    """Return the message as RFC 5322 bytes with CRLF line ends: text first, then HTML, both quoted-printable.

    Pure: the same message gives the same bytes. Raises OutboxError when a header value holds a line break.
    """
    head = [_fold(name, value) for name, value in _headers(message)]
    return "".join(head).encode("ascii") + _body(message)


def encode_words(text: str) -> str:
    """Return a header text in ASCII, encoded where needed (RFC 2047), with spaces where it may be folded."""
    _refuse_breaks(text)
    plain = text.isascii() and "=?" not in text and max(map(len, text.split(" "))) <= WORD
    if plain and text == text.strip():
        return text
    return " ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _pieces(text))


def encode_phrase(name: str) -> str:
    """Return a display name: as it is, quoted, or encoded (RFC 5322 section 3.2.5, RFC 2047 section 5)."""
    encoded = encode_words(name)
    if encoded != name or PLAIN_PHRASE.fullmatch(name):
        return encoded
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"'


def encode_address(address: Address) -> str:
    """Return `Name <mailbox>` in ASCII; raises OutboxError for a mailbox that has none."""
    if not address.email.isascii() or re.search(r"[\s<>]", address.email):
        raise OutboxError(f"{address.email!r} cannot stand in a header")
    return f"{encode_phrase(address.name)} <{address.email}>" if address.name else address.email


def _headers(message: OutMessage) -> Iterator[tuple[str, str]]:
    yield "From", encode_address(message.sender)
    yield "To", encode_address(message.to)
    if message.reply_to:
        yield "Reply-To", ", ".join(map(encode_address, message.reply_to))
    yield "Subject", encode_words(message.subject)
    yield "Date", format_datetime(message.date)
    yield "Message-ID", message.message_id
    yield "MIME-Version", "1.0"
    yield from message.headers


def _fold(name: str, value: str) -> str:
    _refuse_breaks(value)
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        # A line must not start with nothing but space, so an empty word stays with the one before.
        if word and line.rstrip() and len(line) + 1 + len(word) > WIDTH and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _refuse_breaks(value: str) -> None:
    if UNSAFE.search(value):
        raise OutboxError(f"a header must not hold a line break or control character: {value!r}")


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for letter in text:
        encoded = letter.encode()
        if len(piece) + len(encoded) > PIECE:
            yield piece
            piece = b""
        piece += encoded
    yield piece


def _body(message: OutMessage) -> bytes:
    mark = sha256(message.outbox_id.encode()).hexdigest()[:24]
    shown = [file for file in message.attachments if file.content_id]
    added = [file for file in message.attachments if not file.content_id]
    html = _text_part("html", message.html)
    if shown:
        html = _multipart('related; type="text/html"', f"{mark}-r", [html, *map(_file_part, shown)])
    body = _multipart("alternative", f"{mark}-a", [_text_part("plain", message.text), html])
    return _multipart("mixed", f"{mark}-m", [body, *map(_file_part, added)]) if added else body


def _multipart(kind: str, mark: str, parts: Sequence[bytes]) -> bytes:
    # "=_" cannot occur in quoted-printable or base64, so the boundary cannot occur in a part.
    boundary = f"=_{mark}"
    opening = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    line = f"--{boundary}".encode()
    return opening + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _text_part(kind: str, text: str) -> bytes:
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return head.encode() + b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def _file_part(file: Attachment) -> bytes:
    _refuse_breaks(file.name + file.media_type + file.content_id)
    place = "inline" if file.content_id else "attachment"
    head = (
        f"Content-Type: {file.media_type}\r\n"
        f'Content-Disposition: {place};\r\n filename="{file.name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
    )
    if file.content_id:
        head += f"Content-ID: <{file.content_id}>\r\n"
    data = b64encode(file.content)
    rows = (data[at : at + WIDTH] for at in range(0, len(data), WIDTH))
    return head.encode("ascii") + b"\r\n" + b"\r\n".join(rows)
