"""Make of each row of a list a claim: who, with what consent, on what basis; or say why not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from outbox.addresses import key_of, read_mailbox, suggest
from outbox.errors import PeopleError, Place
from outbox.model import Claims, Consent, write_attributes

from .cells import (
    CONSENTS,
    READ,
    read_attributes,
    read_cell,
    read_consent,
    read_language,
    read_tags,
    read_time_zone,
    unquote,
)
from .rows import BadRow, Lines, read_rows
from .sheet import Sheet

BATCH = 40_000  # rows: sorted, so that the index of addresses is walked along and not jumped about in
#: Where consent has ended, this is said where a list says no more.
ENDED: Mapping[str, str] = {Consent.UNSUBSCRIBED.value: "left before", Consent.SUPPRESSED.value: "request"}
#: Name, language, time zone, tags, attributes of somebody of whom the list says none of them.
NOTHING = ("", "", "", "", "{}")
MORE = ("first_name", "last_name", "language", "time_zone", "tags", "attributes")
PIECE = 1 << 20  # bytes


class Reject(msgspec.Struct, frozen=True):
    """A row that was not taken, and why."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()


class Batch(msgspec.Struct, frozen=True):
    """Some rows of a list, and how far it was read with them."""

    claims: Claims  # in the order of their keys, each mailbox once
    repeated: int
    rejects: list[Reject]
    doubts: list[Reject]  # taken, and probably mistyped
    offset: int
    line: int
    digest: str  # of all bytes before `offset`


def read_batches(sheet: Sheet, *, offset: int = 0, line: int = 0, digest: str = "") -> Iterator[Batch]:
    """Read a list, a few thousand rows at a time; from `offset` on, if what stands before it has this digest.

    Raises PeopleError when it has not, or when the file changes while it is read.
    """
    try:
        with Path(sheet.path).open("rb") as file:
            size, begin = os.fstat(file.fileno()).st_size, offset or sheet.offset
            seal = sha256()
            _hash(seal, file, 0, begin)
            if digest and seal.hexdigest() != digest:
                raise PeopleError(
                    "has changed since its import was stopped behind this line; with --restart it begins anew",
                    Place(sheet.name, line),
                )
            lines = Lines(file, sheet.encoding, begin, line or sheet.line)
            yield from _read(sheet, lines, seal)
            if os.fstat(file.fileno()).st_size != size:
                raise PeopleError("changed while it was read; import it again", Place(sheet.name, lines.line))
    except OSError as error:
        raise PeopleError(f"cannot be read: {error.strerror}", Place(sheet.name)) from None


def _read(sheet: Sheet, lines: Lines, seal: Any) -> Iterator[Batch]:
    take, rows = _Taker(sheet), read_rows(lines, sheet.delimiter)
    while True:
        start, count = lines.offset, 0
        found, rejects, doubts = list[_Row](), list[Reject](), list[Reject]()
        for line, cells in islice(rows, BATCH):
            count += 1
            if isinstance(cells, BadRow):
                rejects.append(Reject(line, str(cells)))
                continue
            try:
                row = take(line, cells)
            except PeopleError as error:
                rejects.append(Reject(line, error.message, tuple(cells[: take.width])))
                continue
            if row is not None:
                found.append(row)
                if meant := suggest(row[0]):
                    doubts.append(Reject(line, f"{row[0]}: did they mean {meant}?"))
        if not count:
            return
        _hash(seal, lines.file, start, lines.offset)
        claims = _sort(found)
        repeated = len(found) - len(claims)
        yield Batch(claims, repeated, rejects, doubts, lines.offset, lines.line, seal.hexdigest())


def _sort(rows: list[_Row]) -> Claims:
    """Put the rows in the order of their keys, and leave out all but the first of each."""
    rows.sort(key=itemgetter(1))
    once = [row for before, row in zip([("", ""), *rows], rows, strict=False) if row[1] != before[1]]
    return Claims(*map(list, zip(*once, strict=True)))


def _hash(seal: Any, file: BinaryIO, start: int, end: int) -> None:
    while start < end:
        piece = os.pread(file.fileno(), min(end - start, PIECE), start)
        if not piece:
            return
        seal.update(piece)
        start += len(piece)


#: The parts of a claim in the order of `Claims`.
_Row = tuple[str, str, str, str, str, str, str, str, str, str, str]


class _Taker:
    """Reads the cells of one row after the other."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.name, self.width = sheet, sheet.name, len(sheet.header)
        fields = ("email", "name", "consent", "basis", "source", "given_at")
        # -1: an empty cell is put behind each row, for columns that are not there
        self.pick = itemgetter(*(sheet.columns.get(field, -1) for field in fields))
        self.more = bool(sheet.attributes or {*MORE} & sheet.columns.keys())

    def __call__(self, line: int, cells: list[str]) -> _Row | None:
        """Return the claim of a row, None for a blank row; raises PeopleError."""
        if len(cells) != self.width:
            if not any(cells):
                return None
            raise PeopleError(f"the row has {len(cells)} cells, the first line has {self.width}")
        cells.append("")
        email, name, consent, basis, source, given_at = self.pick(cells)
        if not email and not any(cells):
            return None
        email = read_mailbox(unquote(email))
        state = CONSENTS.get(consent) or read_consent(consent)
        basis = read_cell(basis) or ENDED.get(state, self.sheet.basis)
        if not basis:
            raise PeopleError("no basis of consent; fill the column basis, or give --basis")
        source = read_cell(source) or f"{self.name}:{line}"
        more = self._read_more(cells) if self.more else NOTHING
        own = read_cell(name) or more[0]
        return (email, key_of(email), own, state, basis, source, read_cell(given_at), *more[1:])

    def _read_more(self, cells: list[str]) -> tuple[str, str, str, str, str]:
        cell = {
            field: read_cell(cells[place]) for field, place in self.sheet.columns.items() if field in MORE
        }
        attributes = read_attributes(cell.get("attributes", ""))
        for name, (place, kind) in self.sheet.attributes.items():
            if text := read_cell(cells[place]):
                attributes[name] = READ[kind](text)
        return (
            f"{cell.get('first_name', '')} {cell.get('last_name', '')}".strip(),
            read_language(cell.get("language", "")),
            read_time_zone(cell.get("time_zone", "")),
            ",".join(read_tags(cell.get("tags", ""))),
            write_attributes(attributes) if attributes else "{}",
        )
