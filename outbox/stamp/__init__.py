"""Stamp a copy of a book for its reader, and find the stamps in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from outbox.errors import OutboxError

from . import epub, pdf
from .seal import Owner, Stamper

__all__ = ["KINDS", "Owner", "Stamper", "find_stamps", "stamp"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of book that can carry stamps: how one is put in, and how all are found."""

    media_type: str
    stamp: Callable[[bytes, str], bytes]
    find: Callable[[bytes], list[str]]


#: By what the file begins with, for a name says little.
KINDS: Mapping[bytes, Kind] = MappingProxyType(
    {
        b"%PDF-": Kind("application/pdf", pdf.stamp, pdf.find),
        b"PK\x03\x04": Kind("application/epub+zip", epub.stamp, epub.find),
    }
)


def stamp(book: bytes, stamper: Stamper, subscriber_id: int) -> bytes:
    """A copy of `book` with its reader's stamp; the same book, reader and secret give the same bytes.

    Raises OutboxError for a file that is no PDF and no EPUB, or is damaged.
    """
    return kind_of(book).stamp(book, stamper.make(subscriber_id, book))


def find_stamps(book: bytes) -> list[str]:
    """Every stamp in a file, as often as it stands there; raises OutboxError as `stamp` does."""
    return kind_of(book).find(book)


def kind_of(book: bytes) -> Kind:
    """The kind of book a file is; raises OutboxError for any other file."""
    for start, kind in KINDS.items():
        if book.startswith(start):
            return kind
    raise OutboxError("only a PDF or an EPUB can carry a stamp")
