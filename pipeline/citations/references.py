"""Read the bibliography file of a book."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from citeproc import DATES, NAMES, VARIABLES

from ..errors import ManuscriptError, Place, raise_all
from .bibtex import LONGEST_VALUE, Record, read_bibtex, split_keywords

#: What a key may be made of; the prefixes belong to cross-references.
KEY = r"(?!(?:ch|fig|tbl|sec):)\w(?:[\w:./+-]*\w)?"

#: The types of CSL 1.0.2, and those of 1.0.1 that it renamed.
_TYPES = """
    article article-journal article-magazine article-newspaper bill book broadcast chapter classic
    collection dataset document entry entry-dictionary entry-encyclopedia event figure graphic hearing
    interview legal_case legislation manuscript map motion_picture musical_score pamphlet paper-conference
    patent performance periodical personal_communication post post-weblog regulation report review
    review-book software song speech standard thesis treaty webpage
"""
TYPES = frozenset(_TYPES.split())

LARGEST_FILE = 4_000_000  # bytes
MOST_RECORDS = 5_000
MOST_NAMES = 500

_PRINTED_BY_STYLE = {"citation_number", "first_reference_note_number", "locator", "year_suffix"}
_NAME_PARTS = ("family", "given", "suffix", "dropping-particle", "non-dropping-particle")
# What no book can print: control characters, halves of characters, and the marks of `csl`.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ue000-\uf8ff]")
_ID = re.compile(r'"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d{1,18}\b)')
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Library:
    """The references of one file: clean CSL-JSON records by key, in the file's order, with lines and keywords."""

    records: Mapping[str, Mapping[str, Any]]
    lines: Mapping[str, int] = field(default_factory=dict)
    keywords: Mapping[str, frozenset[str]] = field(default_factory=dict)


class _RecordError(ValueError):
    """A record that cannot be used."""


def read_bibliography(path: Path, display: str) -> Library:
    """The references in `path` (.bib BibTeX or .json CSL-JSON); `display` is how messages name it.

    Raises ManuscriptError, or ManyErrors with one for each entry to mend.
    """
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise ManuscriptError("a bibliography is a .bib (BibTeX) or .json (CSL-JSON) file", Place(display))
    found, errors = reader(_read_text(path, display), display)
    if len(found) > MOST_RECORDS:
        raise ManuscriptError(f"more than {MOST_RECORDS} references; keep only what is cited", Place(display))
    records: dict[str, Mapping[str, Any]] = {}
    lines: dict[str, int] = {}
    for record in found:
        try:
            _check_key(record.key, lines)
            records[record.key] = _clean(record)
        except _RecordError as error:
            errors.append(ManuscriptError(str(error), Place(display, record.line)))
        lines.setdefault(record.key, record.line)
    raise_all(errors)
    return Library(records, lines, {record.key: record.keywords for record in found})


def keys(library: Library) -> tuple[str, ...]:
    """All keys that can be cited, in the file's order."""
    return tuple(library.records)


def nearest(key: str, known: Sequence[str]) -> str:
    """The known key that `key` may have been meant for; empty when none is near."""
    folded = {name.lower(): name for name in reversed(known)}
    return next((folded[name] for name in get_close_matches(key.lower(), folded, 1)), "")


def _read_text(path: Path, display: str) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            megabytes = LARGEST_FILE // 1_000_000
            raise ManuscriptError(f"larger than {megabytes} MB; keep only what is cited", Place(display))
        data = path.read_bytes()
    except OSError as error:
        raise ManuscriptError(f"cannot be read: {error.strerror}", Place(display)) from error
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManuscriptError("this is not UTF-8; save the file as UTF-8", Place(display, line)) from None


def _read_json(text: str, path: str) -> tuple[list[Record], list[ManuscriptError]]:
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        raise ManuscriptError(f"this is not JSON: {error.msg}", Place(path, error.lineno)) from None
    except (RecursionError, ValueError):
        raise ManuscriptError("nested too deeply, or a number too long", Place(path)) from None
    if not isinstance(items, list):
        raise ManuscriptError("CSL-JSON is a list of references: [{...}, ...]", Place(path))
    records: list[Record] = []
    errors: list[ManuscriptError] = []
    places = _locate_ids(text)
    for position, item in enumerate(items, 1):
        key = item.get("id") if isinstance(item, dict) else None
        if not isinstance(key, str | int):
            errors.append(ManuscriptError(f'reference {position} has no "id"', Place(path)))
            continue
        line = next((line for found, line in places if found == key), 0)
        records.append(Record(str(key), item, line, split_keywords(str(item.get("keyword", "")))))
    return records, errors


def _locate_ids(text: str) -> Iterator[tuple[object, int]]:
    """Each id of a CSL-JSON file with its line, in order; the parser does not tell lines."""
    line, counted = 1, 0
    for match in _ID.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield json.loads(match[1], strict=False), line


#: File name ending -> what reads it: the records, and what is wrong with the others.
READERS: Mapping[str, Callable[[str, str], tuple[list[Record], list[ManuscriptError]]]] = {
    ".bib": read_bibtex,
    ".json": _read_json,
}


def _check_key(key: str, lines: Mapping[str, int]) -> None:
    if key in lines:
        raise _RecordError(f'the key "{key}" stands twice, first in line {lines[key]}; rename one')
    if not re.fullmatch(KEY, key):
        allowed = "it has letters, digits and _-:./+, and begins with no ch: fig: tbl: sec:"
        raise _RecordError(f'the key "{key}" cannot be cited; {allowed}')


def _clean(record: Record) -> dict[str, Any]:
    """Only variables that citeproc knows, each of its one shape; raises _RecordError."""
    kind = str(record.fields.get("type", ""))
    if kind not in TYPES:
        near = nearest(kind, sorted(TYPES))
        hint = f'; did you mean "{near}"?' if near else ""
        raise _RecordError(f'entry "{record.key}": unknown type "{kind}"{hint}')
    clean: dict[str, Any] = {"type": kind}
    for name, value in record.fields.items():
        variable = name.replace("-", "_").replace("shortTitle", "title_short")
        shape = next((shape for group, shape in SHAPES if variable in group), None)
        if shape and (shaped := shape(value)):
            clean[variable.replace("_", "-")] = shaped
    if "title" not in clean:
        raise _RecordError(f'entry "{record.key}" has no title')
    _clean_addresses(record.key, clean)
    if [{"literal": clean.get("publisher")}] == clean.get("author"):
        del clean["publisher"]  # a body that publishes its own page is named once
    return clean


def _clean_addresses(key: str, clean: dict[str, Any]) -> None:
    """DOI without its resolver; URL only where it says more than the DOI."""
    if _DOI.match(clean.get("URL", "")):
        clean.setdefault("DOI", clean.pop("URL"))
    if "DOI" in clean:
        clean["DOI"] = _DOI.sub("", clean["DOI"])
        if not re.fullmatch(r"10\.\d{3,9}/\S+", clean["DOI"]):
            raise _RecordError(f'entry "{key}": "{clean["DOI"]}" is no DOI; it looks like 10.1000/182')
    if "URL" in clean and not re.fullmatch(r"(https?|ftp)://[^\s<>\"]+", clean["URL"]):
        raise _RecordError(f'entry "{key}": "{clean["URL"]}" is no URL; it begins with https://')


def _shape_text(value: object) -> str:
    if isinstance(value, list) and value:  # Crossref writes titles as lists
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = _UNPRINTABLE.sub("", str(value)).strip()
    if len(text) > LONGEST_VALUE:
        raise _RecordError(f'a value is longer than {LONGEST_VALUE} characters: "{text[:40]}…"')
    return text


def _shape_names(value: object) -> list[dict[str, str]]:
    names = [_shape_name(name) for name in value] if isinstance(value, list) else []
    if len(names) > MOST_NAMES:
        raise _RecordError(f"more than {MOST_NAMES} names; end the list with `and others`")
    return [name for name in names if name]


def _shape_name(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {"literal": text} if (text := _shape_text(value)) else {}
    parts = {part: text for part in _NAME_PARTS if (text := _shape_text(value.get(part)))}
    if "family" not in parts:
        literal = _shape_text(value.get("literal")) or " ".join(parts.values())
        return {"literal": literal} if literal else {}
    if "given" in parts:
        parts["given"] = " ".join(map(_part_initials, parts["given"].split()))
    return parts


def _part_initials(word: str) -> str:
    """`KL` is Kerri Lynn, not one name."""
    is_initials = len(word) in {2, 3} and word.isupper() and word.isalpha()
    return " ".join(f"{letter}." for letter in word) if is_initials else word


def _shape_date(value: object) -> dict[str, Any]:
    """CSL-JSON's date-parts or a literal; a range within one year is that year's first date."""
    if not isinstance(value, dict):
        return {}
    parts = value.get("date-parts")
    if isinstance(parts, list) and parts:
        dates = [date for part in parts[:2] if (date := _shape_day(part))]
        return {"date-parts": dates[:1] if len({date[0] for date in dates}) == 1 else dates} if dates else {}
    text = _shape_text(value.get("literal") or value.get("raw"))
    if day := _DAY.fullmatch(text):
        return {"date-parts": [_shape_day(day.groups())]}
    return {"literal": text} if text else {}


def _shape_day(parts: object) -> list[int]:
    """Year, month, day as far as they are given and possible."""
    try:
        numbers = [int(part) for part in parts if part is not None]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        return []
    limits = (range(-9999, 10000), range(1, 13), range(1, 32))
    possible = 0
    while possible < min(len(numbers), 3) and numbers[possible] in limits[possible]:
        possible += 1
    return numbers[:possible]


SHAPES: tuple[tuple[frozenset[str], Callable[[object], Any]], ...] = (
    (frozenset(NAMES), _shape_names),
    (frozenset(DATES), _shape_date),
    (frozenset(VARIABLES) - _PRINTED_BY_STYLE, _shape_text),
)
