"""Make of each row of a list a claim: who, with what consent, on what basis; or say why not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import available_timezones

import msgspec

from outbox.addresses import MANY, key_of, read_mailbox, read_name, suggest
from outbox.errors import PeopleError, Place
from outbox.model import Attribute, Claims, Consent, write_attributes

from .rows import BadRow, Lines, read_rows
from .sheet import Kind, Sheet

BATCH = 40_000  # rows: sorted, so that the index of addresses is walked along and not jumped about in
CONSENTS: Mapping[str, str] = {
    "": Consent.CONFIRMED.value,
    "subscribed": Consent.CONFIRMED.value,
    **{consent.value: consent.value for consent in Consent if consent is not Consent.ERASED},
}
MAX_TAG = 64  # characters
#: A cell that begins so would be run by a spreadsheet; the export puts a quote before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Where consent has ended, this is said where a list says no more.
ENDED: Mapping[str, str] = {Consent.UNSUBSCRIBED.value: "left before", Consent.SUPPRESSED.value: "request"}
#: Name, language, time zone, tags, attributes of somebody of whom the list says none of them.
NOTHING = ("", "", "", "", "{}")
MORE = ("first_name", "last_name", "language", "time_zone", "tags", "attributes")
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
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
        state = CONSENTS.get(consent) or _read_consent(consent)
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


def unquote(cell: str) -> str:
    """Undo what `quote` did."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*FORMULA, "'")) else cell


def quote(cell: str) -> str:
    """Put a quote before what a spreadsheet would run as a formula; `unquote` takes it away."""
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


@lru_cache(MANY)
def read_cell(cell: str) -> str:
    """One line of text in NFC; raises PeopleError for a line break or control character."""
    return read_name(unquote(cell)) if cell else ""


def read_tags(text: str) -> list[str]:
    """Tags out of `carer, spring 2026`, in small letters; raises PeopleError for one that is too long."""
    tags = [" ".join(tag.split()).lower() for tag in re.split("[,;]", text)]
    for tag in tags:
        if len(tag) > MAX_TAG:
            raise PeopleError(f"the tag {tag[:20]!r}... has more than {MAX_TAG} characters")
    return sorted(set(filter(None, tags)))


def read_attributes(text: str) -> dict[str, Attribute]:
    """Attributes out of a JSON object of texts and numbers; raises PeopleError."""
    try:
        found = json.loads(text or "{}", parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise PeopleError(f"attributes: {text[:60]!r} is not JSON") from None
    if not isinstance(found, dict):
        raise PeopleError('attributes: write a JSON object such as {"city": "Kyiv"}')
    for name, value in found.items():
        if not PLAIN_NAME.fullmatch(name):
            raise PeopleError(f"attributes: {name[:60]!r} is no name; use small letters, digits and _")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PeopleError(f"attributes: {name} is neither a text nor a number")
        if isinstance(value, str):
            found[name] = read_name(value)
    return found


def read_number(text: str) -> int | float:
    """A number with a decimal point; raises PeopleError."""
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text, re.ASCII):
        raise PeopleError(f"{text[:60]!r} is not a number; write 12 or 12.5")
    return float(text) if "." in text else int(text)


def read_date(text: str) -> str:
    """A date as 2026-03-01; raises PeopleError."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise PeopleError(f"{text[:60]!r} is not a date; write 2026-03-01") from None


def read_language(text: str) -> str:
    """A language tag such as `en` or `pt-BR` (BCP 47); raises PeopleError."""
    if text and not (LANGUAGE.fullmatch(text) and len(text) <= 35):
        raise PeopleError(f"{text[:60]!r} is not a language; write en, or pt-BR")
    return text


def read_time_zone(text: str) -> str:
    """A time zone's name such as Europe/Berlin (IANA); raises PeopleError."""
    if text and text not in _time_zones():
        raise PeopleError(f"{text[:60]!r} is not a time zone; write Europe/Berlin")
    return text


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _read_consent(cell: str) -> str:
    state = CONSENTS.get(unquote(cell).strip().lower())
    if state is None:
        raise PeopleError(f"consent {cell[:60]!r} is none of confirmed, pending, unsubscribed, suppressed")
    return state


READ: Mapping[Kind, Callable[[str], Attribute]] = {"text": str, "number": read_number, "date": read_date}
