"""The book as a gift: its link, its files, and each reader's copy of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from .errors import IssueError, Place, Temporary
from .model import Gift
from .tokens import Signer

#: What a token is for: the page of the gift, or one file of it, soon.
PAGE, TICKET = "gift", "download"
#: The kinds of file that e-readers know, and the word for each on the page.
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".pdf": "application/pdf",
        ".epub": "application/epub+zip",
        ".azw3": "application/vnd.amazon.mobi8-ebook",
        ".mobi": "application/x-mobipocket-ebook",
        ".mp3": "audio/mpeg",
        ".m4b": "audio/mp4",
        ".zip": "application/zip",
    }
)
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
KEPT = 8  # copies held in memory, for readers who fetch one in pieces


def link_to(signer: Signer, gift: Gift, base_url: str, subscriber_id: int, now: datetime) -> str:
    """The address of a person's own page with the book; it ends when the gift's time is over."""
    return f"{base_url}/gift/{signer.sign(PAGE, subscriber_id, expires=now + gift.life)}"


@dataclass(frozen=True)
class File:
    """A file that can be downloaded. Whoever asks for one names its id, never a path."""

    path: Path

    @cached_property
    def id(self) -> str:
        """Eight letters and digits that stay while the file has its name."""
        return sha256(self.path.name.encode()).hexdigest()[:8]

    @cached_property
    def name(self) -> str:
        """What the file is called on the reader's machine: plain letters, no way out of a folder."""
        plain = unicodedata.normalize("NFKD", self.path.name).encode("ascii", "ignore").decode()
        return UNSAFE.sub("-", plain).lstrip(".-") or f"book{self.path.suffix}"

    @cached_property
    def kind(self) -> str:
        """By which word the page tells of it: `pdf`, `epub` or `other`."""
        suffix = self.path.suffix.lower().removeprefix(".")
        return suffix if suffix in {"pdf", "epub"} else "other"

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.path.suffix.lower(), "application/octet-stream")

    @property
    def size(self) -> int:
        """Bytes; 0 where the file is not there just now."""
        return self.path.stat().st_size if self.path.is_file() else 0


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes that one reader gets of a file, and the name of exactly these bytes (RFC 9110, 8.8.3)."""

    data: bytes

    @property
    def etag(self) -> str:
        return f'"{sha256(self.data).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of a gift, with the copies that were made last."""

    gift: Gift
    files: Sequence[File]
    _made: dict[tuple[object, ...], Copy] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)  # several readers come at the same time

    def find(self, file_id: str) -> File | None:
        """The file of this id."""
        return next((file for file in self.files if file.id == file_id), None)

    def copy(self, file: File, subscriber_id: int, secrets: Sequence[str], list_id: str) -> Copy:
        """A reader's copy, the same whenever it is made; raises Temporary where the file is not there."""
        try:
            seen = file.path.stat()
            key = (file.path, seen.st_mtime_ns, seen.st_size, subscriber_id if self.gift.stamp else 0)
            if made := self._made.get(key):
                return made
            data = file.path.read_bytes()
        except OSError as error:
            raise Temporary(f"{file.path.name} cannot be given away: {error.strerror}") from None
        made = Copy(_stamp(data, subscriber_id, secrets, list_id) if self.gift.stamp else data)
        with self._lock:
            while len(self._made) >= KEPT:
                self._made.pop(next(iter(self._made)))
            self._made[key] = made
        return made


def open_shelf(gift: Gift) -> Shelf:
    """The shelf of a gift."""
    return Shelf(gift, [File(path) for path in gift.files])


def read_files(gift: Gift) -> dict[str, tuple[str, bytes]]:
    """The files as a letter carries them, by name: media type and content; raises IssueError for a missing one."""
    found = {}
    for file in map(File, gift.files):
        try:
            found[file.name] = (file.media_type, file.path.read_bytes())
        except OSError as error:
            raise IssueError(
                f"[gift] files: {file.path.name}: {error.strerror}", Place("book.toml")
            ) from None
    return found


def _stamp(book: bytes, subscriber_id: int, secrets: Sequence[str], list_id: str) -> bytes:
    from .stamp import Stamper, stamp  # pikepdf takes a tenth of a second to load

    return stamp(book, Stamper(secrets, list_id), subscriber_id)
