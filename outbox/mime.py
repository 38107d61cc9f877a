"""Build the bytes of a message: one builder for every provider that takes raw mail."""

from __future__ import annotations

from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from hashlib import sha256

from .headers import WIDTH, encode_address, encode_words, fold, refuse_breaks
from .model import Addressee, Attachment, Letter, Template
from .wire import Form, Hole, own, spell_out

Parts = Iterator[bytes | Hole]


def build(letter: Letter, person: Addressee, *, date: datetime) -> bytes:
    """Return a message as RFC 5322 bytes with CRLF line ends: text first, then HTML, both quoted-printable.

    Pure: the same input gives the same bytes. Raises OutboxError when a header value holds a line break.
    """
    return b"".join((_dated(date), *form(letter).pieces(person)))


@lru_cache(maxsize=8)
def form(letter: Letter) -> Form:
    """A letter as MIME without its date, split where a person's own values go."""
    return Form([*_headers(letter), *_body(letter)])


@lru_cache(maxsize=8)
def _dated(date: datetime) -> bytes:
    return _line("Date", format_datetime(date.astimezone(UTC)))


def _headers(letter: Letter) -> Parts:
    yield _line("From", encode_address(letter.sender))
    yield Hole(own("mailbox"), partial(_line, "To"))
    if letter.reply_to:
        yield _line("Reply-To", ", ".join(map(encode_address, letter.reply_to)))
    yield Hole(letter.subject, _subject)
    yield Hole(own("message-id"), partial(_line, "Message-ID"))
    yield _line("MIME-Version", "1.0")
    for name, value in letter.headers:
        yield from _split_line(name, value) if value.slots else [_line(name, value.literals[0])]


def _line(name: str, value: str) -> bytes:
    return fold(name, value).encode("ascii")


def _split_line(name: str, value: Template) -> Parts:
    """A header with fields, folded at each space of its own, so that no line depends on a value."""
    yield f"{name}: ".encode("ascii")
    for part in spell_out(value, _header_text):
        yield part.replace(b" ", b"\r\n ") if isinstance(part, bytes) else part
    yield b"\r\n"


def _header_text(text: str) -> bytes:
    refuse_breaks(text)
    return text.encode("ascii")


@lru_cache(
    maxsize=4096
)  # what a subject says of people is their first name or their town, as others have too
def _subject(value: str) -> bytes:
    return _line("Subject", encode_words(value))


def _body(letter: Letter) -> Parts:
    mark = sha256(letter.tag.encode()).hexdigest()[:24]
    shown = [_file_part(file) for file in letter.attachments if file.content_id]
    added = [_file_part(file) for file in letter.attachments if not file.content_id]
    html = _text_part("html", letter.html)
    if shown:
        html = _multipart('related; type="text/html"', f"{mark}-r", [html, *shown])
    body = _multipart("alternative", f"{mark}-a", [_text_part("plain", letter.text), html])
    return _multipart("mixed", f"{mark}-m", [body, *added]) if added else body


def _multipart(kind: str, mark: str, parts: Iterable[Parts]) -> Parts:
    # "=_" cannot occur in quoted-printable or base64, so the boundary cannot occur in a part.
    boundary = f"=_{mark}"
    yield f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    for part in parts:
        yield f"--{boundary}\r\n".encode()
        yield from part
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _text_part(kind: str, text: Template) -> Parts:
    yield f"Content-Type: text/{kind}; charset=utf-8\r\n".encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    # A value stands on lines of its own, joined by soft breaks, so no line depends on its length.
    yield from spell_out(text, _quoted_printable, apart=b"=\r\n")


def _quoted_printable(text: str) -> bytes:
    if text.isascii() and text.isprintable() and len(text) < WIDTH and "=" not in text and " " not in text:
        return text.encode()  # as links and names are
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def _file_part(file: Attachment) -> Parts:
    refuse_breaks(file.name + file.media_type + file.content_id)
    place = "inline" if file.content_id else "attachment"
    yield f"Content-Type: {file.media_type}\r\n".encode("ascii")
    yield f'Content-Disposition: {place};\r\n filename="{file.name}"\r\n'.encode("ascii")
    yield b"Content-Transfer-Encoding: base64\r\n"
    if file.content_id:
        yield f"Content-ID: <{file.content_id}>\r\n".encode("ascii")
    data = b64encode(file.content)
    yield b"".join(b"\r\n" + data[at : at + WIDTH] for at in range(0, len(data), WIDTH))
