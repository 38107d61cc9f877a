"""Write header lines: names, addresses and texts in ASCII, folded where they are long (RFC 5322, RFC 2047)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterator, Sequence

from .errors import OutboxError
from .model import Address

WIDTH = 76  # longest line that can be folded
PIECE = 36  # bytes of UTF-8 in one encoded word
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN_TEXT = re.compile(
    r"(?:[!-~]{1,60}(?: +[!-~]{1,60})*)?"
)  # words that stay as they are, nothing at the ends
PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
SPECIAL = re.compile(r"""[][()<>@,:;.\\"]""")


def fold(name: str, value: str) -> str:
    """Return a header's lines with CRLF; raises OutboxError when the value holds a line break."""
    refuse_breaks(value)
    if len(name) + 2 + len(value) <= WIDTH:
        return f"{name}: {value}\r\n"
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        # A line must not start with nothing but space, so an empty word stays with the one before.
        if word and line.rstrip() and len(line) + 1 + len(word) > WIDTH and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def encode_words(text: str) -> str:
    """Return a header text in ASCII, encoded where needed (RFC 2047), with spaces where it may be folded."""
    if PLAIN_TEXT.fullmatch(text) and "=?" not in text:
        return text
    refuse_breaks(text)
    return " ".join([f"=?utf-8?b?{b2a_base64(piece, newline=False).decode()}?=" for piece in _pieces(text)])


def encode_phrase(name: str) -> str:
    """Return a display name: as it is, quoted, or encoded (RFC 5322 section 3.2.5, RFC 2047 section 5)."""
    encoded = encode_words(name)
    if encoded != name or PLAIN_PHRASE.fullmatch(name):
        return encoded
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"'


def encode_address(address: Address) -> str:
    """Return `Name <mailbox>` in ASCII; raises OutboxError for a mailbox that has none."""
    if not are_mailboxes([address.email]):
        raise OutboxError(f"{address.email!r} cannot stand in a header")
    return f"{encode_phrase(address.name)} <{address.email}>" if address.name else address.email


def show_address(address: Address) -> str:
    """Return `Name <mailbox>` in Unicode, quoted where needed, as JSON interfaces take it."""
    if not address.name:
        return address.email
    name = re.sub(r'(["\\])', r"\\\1", address.name)
    return f'"{name}" <{address.email}>' if SPECIAL.search(name) else f"{name} <{address.email}>"


def show_addresses(names: Sequence[str], emails: Sequence[str]) -> list[str]:
    """As `show_address` for many."""
    if SPECIAL.search("".join(names)):
        return [show_address(Address(*one)) for one in zip(names, emails, strict=True)]
    return [f"{name} <{email}>" if name else email for name, email in zip(names, emails, strict=True)]


def is_unsafe(text: str) -> bool:
    """Whether a text holds a line break or control character."""
    return not text.isprintable() and UNSAFE.search(text) is not None


def are_mailboxes(emails: Sequence[str]) -> bool:
    """Whether each of these can stand in a header."""
    joined = "".join(emails)
    return joined.isascii() and joined.isprintable() and not any(sign in joined for sign in " <>")


def refuse_breaks(value: str) -> None:
    """Raise OutboxError for a value that would begin another header."""
    if is_unsafe(value):
        raise OutboxError(f"a header must not hold a line break or control character: {value!r}")


def _pieces(text: str) -> Iterator[bytes]:
    whole = text.encode()
    if len(whole) <= PIECE:
        yield whole
        return
    piece = b""
    for letter in text:
        encoded = letter.encode()
        if len(piece) + len(encoded) > PIECE:
            yield piece
            piece = b""
        piece += encoded
    yield piece
