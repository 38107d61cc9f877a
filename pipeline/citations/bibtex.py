"""Read BibTeX into CSL-JSON records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..errors import ManuscriptError, Place
from .latex import LatexError, read_latex, read_verbatim

#: BibTeX and biblatex entry type -> CSL type.
TYPES = {
    "article": "article-journal", "periodical": "article-journal", "book": "book", "mvbook": "book",
    "collection": "book", "proceedings": "book", "manual": "book", "reference": "book", "booklet": "pamphlet",
    "inbook": "chapter", "incollection": "chapter", "inreference": "entry-encyclopedia",
    "inproceedings": "paper-conference", "conference": "paper-conference", "thesis": "thesis",
    "phdthesis": "thesis", "mastersthesis": "thesis", "report": "report", "techreport": "report",
    "unpublished": "manuscript", "online": "webpage", "electronic": "webpage", "www": "webpage",
    "misc": "document", "dataset": "dataset", "software": "software", "video": "motion_picture",
    "audio": "song", "patent": "patent", "legislation": "legislation",
}  # fmt: skip

#: CSL variable -> the fields that may hold it, the first one found wins.
WORDS = {
    "container-title": ("journal", "journaltitle", "booktitle"),
    "collection-title": ("series",),
    "publisher": ("publisher", "institution", "school", "organization", "howpublished"),
    "publisher-place": ("address", "location"),
    "volume": ("volume",),
    "page": ("pages", "eid"),
    "genre": ("type",),
    "version": ("version",),
    "chapter-number": ("chapter",),
    "title-short": ("shorttitle",),
    "note": ("note",),
    "PMID": ("pmid",),
    "PMCID": ("pmcid",),
    "ISBN": ("isbn",),
    "ISSN": ("issn",),
}
NAMES = ("author", "editor", "translator")
CASED = {"container-title", "title-short"}

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
UNDATED = {"n.d.", "n.d", "nd", "no date", "s.d.", "undated"}

LONGEST_VALUE = 20_000  # characters

#: The name that stands for those an entry leaves out.
OTHERS = "others"

# An entry begins a line; so a broken one spoils only itself.
_ENTRY = re.compile(r"^[ \t]*@[ \t]*(\w+)\s*[{(]", re.MULTILINE)
_KEY = re.compile(r"\s*([^\s,{}()=\"#%\\]+)\s*(?:,|(?=[})]))")
_FIELD = re.compile(r"[\s,]*([A-Za-z][\w:+.-]*)\s*=\s*")
_BARE = re.compile(r"[\w:+.-]+")
_BRACE = re.compile(r'[{}"]')
_UNUSED = {"abstract", "file", "keywords", "annote", "annotation", "references"}
_DEEPER = {"{": 1, "}": -1, '"': 0}
_END = re.compile(r"[\s,]*[})]")
_HASH = re.compile(r"\s*#\s*")
_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?")
_YEARS = re.compile(r"(\d{4})\s*(?:-+|–|/)\s*(\d{4})")


@dataclass(frozen=True, slots=True)
class Record:
    """One reference as CSL-JSON, the line its entry begins on, and its keywords."""

    key: str
    fields: Mapping[str, Any]
    line: int
    keywords: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One BibTeX entry as it stands in the file: values without their outer braces."""

    type: str
    key: str
    fields: Mapping[str, str]


class EntryError(ValueError):
    """An entry that cannot be used."""


def read_bibtex(text: str, path: str) -> tuple[list[Record], list[ManuscriptError]]:
    """All entries of `text` that can be read, and what is wrong with the others."""
    records, errors = [], []
    macros = {name: str(number) for number, name in enumerate(MONTHS, 1)}
    for kind, body, line in _cut(text):
        try:
            if kind == "string":
                macros |= _Scanner(body, macros).fields()
            elif kind not in {"comment", "preamble"}:
                entry = _read_entry(kind, body, macros)
                records.append(
                    Record(entry.key, _convert(entry), line, split_keywords(entry.fields.get("keywords", "")))
                )
        except EntryError as error:
            errors.append(ManuscriptError(str(error), Place(path, line)))
    return records, errors


def split_keywords(text: str) -> frozenset[str]:
    """The keywords of a work, which stand between commas or semicolons."""
    return frozenset(word.strip() for word in re.split("[,;]", text)) - {""}


def _cut(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, body and line of each entry; the body runs to where the next one begins."""
    starts = list(_ENTRY.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    line, counted = 1, 0
    for start, end in zip(starts, ends, strict=True):
        line += text.count("\n", counted, start.start(1))
        counted = start.start(1)
        yield start[1].lower(), text[start.end() : end], line


def _read_entry(kind: str, body: str, macros: Mapping[str, str]) -> Entry:
    if kind not in TYPES:
        near = get_close_matches(kind, TYPES, 1)
        raise EntryError(f"unknown entry type @{kind}" + (f"; did you mean @{near[0]}?" if near else ""))
    key = _KEY.match(body)
    if not key:
        raise EntryError(f"this @{kind} has no key; write @{kind}{{key, ...}}")
    try:
        return Entry(kind, key[1], _Scanner(body, macros, key.end()).fields())
    except EntryError as error:
        raise EntryError(f'entry "{key[1]}": {error}') from None


class _Scanner:
    """Reads `name = value, ...` up to the bracket that closes the entry."""

    def __init__(self, text: str, macros: Mapping[str, str], at: int = 0) -> None:
        self.text = text
        self.macros = macros
        self.at = at

    def fields(self) -> dict[str, str]:
        """Values by lower-case name; raises EntryError where the text is no list of fields."""
        found: dict[str, str] = {}
        while match := _FIELD.match(self.text, self.at):
            self.at = match.end()
            name = match[1].lower()
            if name in found:
                raise EntryError(f'the field "{name}" stands twice')
            found[name] = self.value(name)
            if self.here() != ",":
                break
        if not _END.match(self.text, self.at):
            raise EntryError(self.diagnose())
        return found

    def value(self, name: str) -> str:
        parts = [self.piece(name)]
        while match := _HASH.match(self.text, self.at):
            self.at = match.end()
            parts.append(self.piece(name))
        while self.here().isspace():
            self.at += 1
        text = " ".join("".join(parts).split())
        if len(text) > LONGEST_VALUE and name not in _UNUSED:
            raise EntryError(f'the value of "{name}" is longer than {LONGEST_VALUE} characters')
        return text

    def piece(self, name: str) -> str:
        if self.here() in {"{", '"'}:
            return self.enclosed(name)
        match = _BARE.match(self.text, self.at)
        if not match:
            raise EntryError(self.diagnose())
        self.at = match.end()
        if not match[0].isdigit() and match[0].lower() not in self.macros:
            raise EntryError(f'{name} = {match[0]}: no @string defines "{match[0]}"; put it in braces')
        return self.macros.get(match[0].lower(), match[0])

    def enclosed(self, name: str) -> str:
        """What stands between braces, or between quotes that stand outside of braces."""
        closing = "}" if self.here() == "{" else '"'
        depth, begin = 0, self.at + 1
        for match in _BRACE.finditer(self.text, begin):
            if depth == 0 and match[0] == closing:
                self.at = match.end()
                return self.text[begin : match.start()]
            depth += _DEEPER[match[0]]
        raise EntryError(f'the value of "{name}" is opened and never closed')

    def here(self) -> str:
        return self.text[self.at : self.at + 1]

    def diagnose(self) -> str:
        rest = self.text[self.at :].split(maxsplit=1)
        if not rest:
            return "the closing brace is missing"
        return f'cannot be read at "{rest[0][:30]}"; a comma or a brace before it may be missing'


def _convert(entry: Entry) -> dict[str, Any]:
    """The CSL-JSON record of `entry`; raises EntryError naming the field that cannot be used."""
    record: dict[str, Any] = {"type": TYPES[entry.type]}
    for variables in (_words, _names, _dates, _addresses):
        record |= {name: value for name, value in variables(entry) if value}
    if record["type"] == "document" and "URL" in record:
        record["type"] = "webpage"
    return record


def _words(entry: Entry) -> Iterator[tuple[str, str]]:
    titles = [_read(entry, name, protect=True) for name in ("title", "subtitle")]
    yield "title", ": ".join(title for title in titles if title)
    for variable, names in WORDS.items():
        name = next((name for name in names if entry.fields.get(name) and not _is_address(entry, name)), "")
        yield variable, _read(entry, name, protect=variable in CASED)
    yield "edition", _read_edition(entry)
    is_article = TYPES[entry.type].startswith("article")
    yield "issue" if is_article else "number", _read(entry, "issue") or _read(entry, "number")


def _read(entry: Entry, name: str, *, protect: bool = False) -> str:
    return _decode(entry, name, entry.fields.get(name, ""), protect=protect)


def _decode(entry: Entry, name: str, source: str, *, protect: bool = False) -> str:
    try:
        return read_latex(source, protect=protect)
    except LatexError as error:
        raise EntryError(f'entry "{entry.key}", {name}: {error}') from None


def _is_address(entry: Entry, name: str) -> bool:
    return name in {"url", "howpublished"} and "://" in entry.fields.get(name, "")


def _read_edition(entry: Entry) -> str:
    """`3`, `3rd` and `Third` are all the third."""
    text = _read(entry, "edition")
    if text.lower() in ORDINALS:
        return str(ORDINALS.index(text.lower()) + 1)
    return re.sub(r"^(\d+)(st|nd|rd|th)?( ed(ition|\.)?)?$", r"\1", text)


def _dates(entry: Entry) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "issued", _read_issued(entry)
    yield "accessed", _read_accessed(entry)


def _read_issued(entry: Entry) -> dict[str, Any]:
    text = _read(entry, "date") or _read(entry, "year")
    if not text or text.lower() in UNDATED:
        return {}
    if years := _YEARS.fullmatch(text):
        return {"date-parts": [[int(years[1])], [int(years[2])]]}
    if date := _DATE.fullmatch(text):
        parts = [int(part) for part in date.groups() if part]
        month = _read(entry, "month")[:3].lower()
        if len(parts) == 1 and month in MONTHS:
            parts.append(MONTHS.index(month) + 1)
        elif len(parts) == 1 and month.isdecimal():
            parts.append(int(month))
        return {"date-parts": [parts]}
    return {"literal": text}


def _read_accessed(entry: Entry) -> dict[str, Any]:
    text = _read(entry, "urldate")
    date = _DATE.fullmatch(text)
    if text and not date:
        raise EntryError(f'entry "{entry.key}", urldate: cannot read "{text}"; write it as YYYY-MM-DD')
    return {"date-parts": [[int(part) for part in date.groups() if part]]} if date else {}


def _addresses(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "DOI", read_verbatim(entry.fields.get("doi", ""))
    names = ("url", "howpublished")
    name = next((name for name in names if _is_address(entry, name)), "url")
    yield "URL", read_verbatim(entry.fields.get(name, ""))


def _names(entry: Entry) -> Iterator[tuple[str, list[dict[str, str]]]]:
    for role in NAMES:
        names = _split(entry.fields.get(role, ""), r"\s+and\s+")
        yield role, [_read_name(entry, role, name.strip()) for name in names if name.strip()]


def _read_name(entry: Entry, role: str, name: str) -> dict[str, str]:
    """`First von Last`, `von Last, First`, `von Last, Jr, First`, `{A Body}` or `others`."""
    if name == OTHERS:
        return {"literal": OTHERS}
    parts = [_split(part.strip(), r"\s+|(?<!\\)~") for part in _split(name, ",")]
    words = [[_decode(entry, role, word) for word in part if word] for part in parts]
    if len(parts) == 1 and len(parts[0]) == 1:
        return {"literal": words[0][0]}
    if len(words) > 3 or not words[0]:
        raise EntryError(f'entry "{entry.key}", {role}: cannot read "{name}"; separate names by "and"')
    given = words[-1] if len(words) > 1 else _given(words[0])
    last = words[0] if len(words) > 1 else words[0][len(given) :]
    von = max((n + 1 for n, word in enumerate(last[:-1]) if word[:1].islower()), default=0)
    suffix = words[1] if len(words) == 3 else []
    found = {
        "family": last[von:], "given": given, "non-dropping-particle": last[:von], "suffix": suffix,
    }  # fmt: skip
    return {part: " ".join(words) for part, words in found.items() if words}


def _given(words: list[str]) -> list[str]:
    """The words before the particle, or before the last word where there is none."""
    return words[: next((n for n, word in enumerate(words[:-1]) if word[:1].islower()), len(words) - 1)]


def _split(text: str, separator: str) -> list[str]:
    """The parts of `text` between separators that stand outside of braces."""
    parts, depth, begin = [], 0, 0
    for match in re.finditer(rf"[{{}}]|{separator}", text):
        if match[0] in _DEEPER:
            depth += _DEEPER[match[0]]
        elif depth == 0:
            parts.append(text[begin : match.start()])
            begin = match.end()
    return [*parts, text[begin:]]
