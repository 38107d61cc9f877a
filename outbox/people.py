"""Read and write lists of people as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from .addresses import key_of, read_mailbox, read_name
from .consent import Change, Claim, enlist
from .errors import PeopleError, Place
from .model import Consent
from .store import Tx, subscribers

COLUMNS = ("email", "name", "consent", "basis", "given_at")
MAX_CELL = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken, and why."""

    line: int
    reason: str


def read_people(content: bytes, *, name: str, basis: str = "") -> tuple[list[Claim], list[Reject]]:
    """Read a CSV file with the column `email` and any of the other COLUMNS.

    `basis` stands in where a row has none. A bad row is rejected and the rest read on;
    a file that is not such a CSV raises PeopleError.
    """
    rows = csv.reader(io.StringIO(_decode(content, name), newline=""), strict=True)
    claims: dict[str, Claim] = {}
    rejects = []
    for line, cells in _numbered(rows, name):
        try:
            claim = _claim(cells, source=f"{name}:{line}", basis=basis)
        except PeopleError as error:
            rejects.append(Reject(line, error.message))
            continue
        if claims.setdefault(key_of(claim.email), claim) is not claim:
            rejects.append(Reject(line, f"{claim.email} stands in the file twice"))
    return list(claims.values()), rejects


def enlist_all(tx: Tx, claims: Iterable[Claim], now: datetime) -> Counter[Change]:
    """Put people on the list; returns how many were added, changed, and kept as they were."""
    return Counter(enlist(tx, claim, now) for claim in claims)


def write_people(tx: Tx) -> Iterator[str]:
    """Yield the list as CSV, a line at a time, complete enough to be read again by `read_people`."""
    yield _line(COLUMNS)
    for person, event in subscribers.everyone(tx):
        given_at = (event.given_at or event.at.date().isoformat()) if event else ""
        yield _line((person.email, person.name, person.consent, event.basis if event else "", given_at))


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PeopleError("is not UTF-8; save it as UTF-8 and import it again", Place(name, line)) from None
    if "\0" in text:
        raise PeopleError("holds a NUL character", Place(name, text.count("\n", 0, text.index("\0")) + 1))
    return text


def _numbered(rows: Iterator[list[str]], name: str) -> Iterator[tuple[int, dict[str, str]]]:
    line, header = 0, list[str]()
    try:
        for row in rows:
            line = rows.line_num  # type: ignore[attr-defined]
            if not header:
                header = _header(row, name)
            elif any(cell.strip() for cell in row):
                # A row of another length is rejected later, by the cell that is too many or missing.
                cells = dict(zip(header, row, strict=False))
                yield line, cells if len(row) == len(header) else {**cells, "": str(len(row))}
    except csv.Error as error:
        raise PeopleError(f"is not a good CSV file: {error}", Place(name, line + 1)) from None
    if not header:
        raise PeopleError("is empty; its first line names the columns: " + ",".join(COLUMNS), Place(name))


def _header(row: list[str], name: str) -> list[str]:
    header = [cell.strip().lower() for cell in row]
    for column in header:
        if column not in COLUMNS:
            close = get_close_matches(column, COLUMNS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(COLUMNS)}"
            raise PeopleError(f"has an unknown column {column!r}; {hint}", Place(name, 1))
    if len(set(header)) != len(header):
        raise PeopleError("names a column twice", Place(name, 1))
    if "email" not in header:
        raise PeopleError("has no column 'email'", Place(name, 1))
    return header


def _claim(cells: dict[str, str], *, source: str, basis: str) -> Claim:
    if "" in cells:
        raise PeopleError(f"the row has {cells['']} cells, not as many as the first line")
    if any(len(cell) > MAX_CELL for cell in cells.values()):
        raise PeopleError("a cell is too long")
    word = cells.get("consent", "").strip().lower() or Consent.CONFIRMED
    if word not in {Consent.CONFIRMED, Consent.PENDING, Consent.UNSUBSCRIBED}:
        raise PeopleError(f"consent {word!r} is none of confirmed, pending, unsubscribed")
    consent = Consent(word)
    found = read_name(cells.get("basis", "")) or (basis if consent != Consent.UNSUBSCRIBED else "left before")
    if not found:
        raise PeopleError("no basis of consent; fill the column 'basis' or give --basis")
    return Claim(
        read_mailbox(cells["email"]),
        read_name(cells.get("name", "")),
        consent,
        found,
        source,
        read_name(cells.get("given_at", "")),
    )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
