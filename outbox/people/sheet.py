"""Find out how a CSV file is written, and which of its columns says what."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from outbox.errors import PeopleError, Place

#: What a column may say, and the headings by which it is known, small letters and plain spaces.
FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "email": (
            "email",
            "e mail",
            "email address",
            "e mail address",
            "mail",
            "subscriber",
            "correo",
            "adresse e mail",
        ),
        "name": ("name", "full name", "display name", "nombre", "nom"),
        "first_name": ("first name", "firstname", "given name", "vorname", "prénom"),
        "last_name": ("last name", "lastname", "surname", "family name", "nachname"),
        "language": ("language", "lang", "locale", "sprache", "idioma", "langue"),
        "time_zone": ("time zone", "timezone"),
        "consent": ("consent", "status"),
        "basis": ("basis", "consent basis", "legal basis"),
        "source": ("source", "signup source"),
        "given_at": ("given at", "confirm time", "optin time", "opted in at", "subscribed at"),
        "tags": ("tags", "tag"),
        "attributes": ("attributes",),
    }
)
Kind = Literal["text", "number", "date"]
KINDS: tuple[Kind, ...] = ("text", "number", "date")
ATTRIBUTE = re.compile(r"([a-z][a-z0-9_]{0,39})(?::(\w+))?")
DELIMITERS = ",;\t"
MAX_HEADER = 20_000  # bytes
FOREIGN = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file that was looked into: how to read it, and where its first row begins."""

    path: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: Mapping[str, int]  # field -> place in the row
    attributes: Mapping[str, tuple[int, Kind]]
    offset: int  # bytes
    line: int  # lines before the first row
    basis: str = ""  # where a row has none

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def ignored(self) -> list[str]:
        """The headings of columns that are not taken."""
        taken = {*self.columns.values(), *(place for place, _ in self.attributes.values())}
        return [heading for place, heading in enumerate(self.header) if place not in taken and heading]


def open_sheet(
    path: Path, *, mapping: Mapping[str, str] = MappingProxyType({}), encoding: str = "utf-8", basis: str = ""
) -> Sheet:
    """Look into a CSV file. `mapping` says which column a field or attribute is in: field -> heading.

    Raises PeopleError for a file that cannot be read as a list of people.
    """
    try:
        codecs.lookup(encoding)
        with path.open("rb") as file:
            raw = file.readline(MAX_HEADER)
    except LookupError:
        raise PeopleError(f"there is no encoding {encoding!r}; known are utf-8, windows-1252, ...") from None
    except OSError as error:
        raise PeopleError(f"{path.name} cannot be read: {error.strerror}") from None
    place = Place(path.name, 1)
    text = _decode(raw, encoding, place)
    delimiter = max(DELIMITERS, key=text.count)
    header = _split(text, delimiter, place)
    columns, attributes = _find_columns(header, mapping, place)
    return Sheet(str(path), encoding, delimiter, header, columns, attributes, len(raw), 1, basis)


def read_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Read `field=heading` pairs; raises PeopleError for a field that cannot be."""
    mapping = {}
    for pair in pairs:
        field, equals, heading = (part.strip() for part in pair.partition("="))
        named = ATTRIBUTE.fullmatch(field)
        if not (equals and heading and named):
            raise PeopleError(
                f'{pair!r} maps nothing; write: email="E-mail Address", or city=Town for an attribute'
            )
        if named[2] and (named[2] not in KINDS or named[1] in FIELDS):
            raise PeopleError(
                f"{field!r}: an attribute is one of {', '.join(KINDS)}, and email and the like have no kind"
            )
        mapping[field] = heading
    return mapping


def _decode(raw: bytes, encoding: str, place: Place) -> str:
    for mark, name in FOREIGN.items():
        if raw.startswith(mark):
            raise PeopleError(f"is {name}; save it as UTF-8", place)
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode(encoding)
    except UnicodeDecodeError:
        raise PeopleError(
            f"is not {encoding}; save it as UTF-8, or say --encoding windows-1252", place
        ) from None
    if not text.strip():
        raise PeopleError(
            "is empty; its first line names the columns: email, name, consent, basis, ...", place
        )
    if "\0" in text:
        raise PeopleError("holds a NUL character", place)
    if not text.endswith("\n") and len(raw) == MAX_HEADER:
        raise PeopleError(
            f"has a first line of more than {MAX_HEADER:,} bytes; it should name the columns", place
        )
    if "\r" in text.rstrip("\r\n"):
        raise PeopleError("ends its lines with CR alone; save it with LF or CRLF", place)
    return text


def _split(text: str, delimiter: str, place: Place) -> tuple[str, ...]:
    try:
        row = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise PeopleError(f"has a first line that cannot be read: {error}", place) from None
    header = tuple(" ".join(heading.split()) for heading in row)
    for heading in header:
        if heading and [other.casefold() for other in header].count(heading.casefold()) > 1:
            raise PeopleError(f"names the column {heading!r} twice", place)
    return header


def _find_columns(
    header: Sequence[str], mapping: Mapping[str, str], place: Place
) -> tuple[dict[str, int], dict[str, tuple[int, Kind]]]:
    columns, attributes = {}, dict[str, tuple[int, Kind]]()
    for field, heading in mapping.items():
        name, _, kind = field.partition(":")
        if name in FIELDS:
            columns[name] = _find(heading, header, place)
        else:
            attributes[name] = (
                _find(heading, header, place),
                next(k for k in KINDS if k in (kind or "text")),
            )
    taken = {*columns.values(), *(number for number, _ in attributes.values())}
    for field, known in FIELDS.items():
        found = [n for n, heading in enumerate(header) if _plain(heading) in known and n not in taken]
        if field not in columns and len(found) > 1:
            raise PeopleError(
                f"has several columns for {field}; say which: --map {field}={header[found[0]]!r}", place
            )
        if field not in columns and found:
            columns[field] = found[0]
    if "email" not in columns:
        headings = ", ".join(map(repr, filter(None, header[:20])))
        raise PeopleError(f'has no column for email among {headings}; say which: --map email="..."', place)
    return columns, attributes


def _find(heading: str, header: Sequence[str], place: Place) -> int:
    plain = [_plain(known) for known in header]
    if _plain(heading) in plain:
        return plain.index(_plain(heading))
    close = get_close_matches(heading, header, 1)
    hint = (
        f"did you mean {close[0]!r}?"
        if close
        else f"it has {', '.join(map(repr, filter(None, header[:20])))}"
    )
    raise PeopleError(f"has no column {heading!r}; {hint}", place)


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[^\w]+|_", " ", heading.casefold()).split())
