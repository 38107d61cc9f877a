"""Read `book.toml`: strict tables, plain errors, no surprises."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date as Date  # a field is called date
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import inspect, structs

from ..errors import ConfigError, Place, raise_all
from ..hints import suggest
from ..identifiers import compact_isbn, find_isbn_fault, find_language_fault, find_urn_fault
from ..sources import read_source
from . import values
from .tables import Fault, KeyPath, find_faults, name_key, parse_toml, place_faults

Format = Literal["pdf", "epub", "print", "archive", "onix"]
Store = Literal["kindle", "kobo", "apple"]
Notes = Literal["foot", "chapter", "book"]
Objects = Literal["figures", "tables"]
FieldType = Literal["text", "html", "url"]

FILE = "book.toml"
OUTBOX_TABLES = frozenset({"gift", "list", "outbox", "provider", "segments", "sign_up"})

_LIMIT = 100_000  # bytes; a book.toml has one or two thousand


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of book.toml; a key that is not listed is an error."""


class Author(_Table, frozen=True):
    """`[[book.authors]]`: a person or body named on the title page; a name in quotes is a whole author."""

    name: str  # as printed: "Jeannine Walston"
    role: str = "aut"  # MARC relator code: aut, edt, ill, trl, aui ...
    file_as: str = ""  # "Walston, Jeannine"; derived from the name when empty


class Series(_Table, frozen=True):
    """`[book.series]`: the series and this book's place in it."""

    name: str  # of the series
    number: float = 1  # may be 1.5


class Isbn(_Table, frozen=True):
    """`[book.isbn]`: one ISBN-13 per format, its check digit checked."""

    pdf: str = ""  # hyphens allowed
    epub: str = ""  # hyphens allowed
    print: str = ""  # hyphens allowed; the bar code on the cover


class Metadata(_Table, frozen=True):
    """`[book]`: what a catalogue wants to know."""

    title: str  # of the book
    authors: tuple[Author, ...]  # in the order of the title page
    subtitle: str = ""  # below the title
    publisher: str = ""  # as printed
    place: str = ""  # place of publication, for the copyright page
    language: str = "en"  # BCP 47
    description: str = ""  # a paragraph or two for shops and catalogues
    subjects: tuple[str, ...] = ()  # BISAC "HEA039030" or Thema "MKZ" codes
    keywords: tuple[str, ...] = ()  # words a reader would search for
    rights: str = ""  # "© 2026 Healing Now"
    date: Date | None = None  # of publication
    edition_note: str = ""  # "First edition"
    series: Series | None = None  # see [book.series]
    isbn: Isbn = Isbn()  # see [book.isbn]
    identifier: str = ""  # urn:...; derived from publisher and title when empty, so stable across builds
    cover: str = ""  # a picture in the book's folder; drawn from the title when empty; "none" for no cover
    cover_alt: str = ""  # what the cover shows, in a sentence
    disclaimer: str = ""  # printed on the copyright page
    dedication: str = ""  # printed on a page of its own
    website: str = ""  # https://..., printed on the copyright page


class Ebook(_Table, frozen=True):
    """`[ebook]`: how every edition is made unless it says otherwise."""

    layout: str = "classic"  # a folder of layouts/
    formats: tuple[Format, ...] = ("pdf", "epub")  # what is made
    chapters: str = "chapters"  # the folder
    order: tuple[str, ...] = ()  # file stems in reading order; by file name when empty
    page: str = ""  # "6in 9in"; the layout's own when empty
    embed_fonts: bool = True  # in the EPUB
    fonts: tuple[str, ...] = ()  # font packages for other scripts: ["fontpkg-noto-sans-arabic"]
    stores: tuple[Store, ...] = ()  # shops that get an EPUB of their own
    notes: Notes = "foot"  # at the foot of the page, at the end of the chapter, or at the end of the "book"
    lists: tuple[Objects, ...] = ()  # of what is counted, behind the contents: ["figures", "tables"]
    numbers: Literal["book", "chapter"] = "book"  # figures and tables are 1, 2, 3, or 3.1, 3.2 in chapter 3


class EditionTable(_Table, frozen=True):
    """`[[edition]]`: a named cut of the manuscript."""

    name: str  # small letters, digits, hyphens: it becomes part of the file name
    chapters: tuple[str, ...] = ()  # slugs or file stems; all that admit this edition when empty
    excerpts: tuple[str, ...] = ()  # chapters, by slug or file stem, shown up to <!-- more -->
    rest: str = ""  # https://..., where the whole book is; printed behind excerpts
    formats: tuple[Format, ...] = ()  # as [ebook] when empty
    layout: str = ""  # as [ebook] when empty
    title: str = ""  # another title for this edition
    note: str = ""  # a line for its copyright page


class Bibliography(_Table, frozen=True):
    """`[bibliography]`: where references come from and how they are printed."""

    file: str = ""  # .bib (BibTeX) or .json (CSL-JSON)
    style: str = "author-date"  # author-date | numeric | a .csl file in the book's folder
    place: Literal["book", "chapter"] = "book"  # one list for the book, or one at the end of each chapter
    title: str = ""  # heading of the list; localised "References" when empty


class FieldTable(_Table, frozen=True):
    """`[newsletter.fields.NAME]`: a merge field `@@name@@`; first_name is there without being listed."""

    type: FieldType = "text"  # text is escaped, html is not, a url can be a link
    default: str = ""  # for people of whom nothing else is known


class Newsletter(_Table, frozen=True):
    """`[newsletter]`: how issues are made."""

    layout: str = ""  # as [ebook] when empty
    site: str = ""  # https://..., where build/site is put online: pictures, the archive, the feeds
    title: str = ""  # of the archive and the feeds: the list's name; the book's title when empty
    description: str = ""  # a sentence below it
    sign_up: str = ""  # https://..., the page where people subscribe
    images: Literal["link", "embed"] = "link"  # pictures come from the site, or inside each letter
    time: str = "09:00"  # when an issue goes out on its day
    time_zone: str = "UTC"  # of that time, such as "Europe/Berlin"
    fields: dict[str, FieldTable] = {}  # see [newsletter.fields.NAME]


class Print(_Table, frozen=True):
    """`[print]`: what `--print` makes for a printing house."""

    printer: Literal["kdp", "ingramspark"] = "kdp"  # whose rules for paper, margins and colours hold
    trim: str = ""  # the page as it is cut: "5.5in 8.5in"; as [ebook] when empty
    paper: Literal["white", "cream"] = "cream"  # how thick a leaf is follows from it
    leaf: str = ""  # thickness of one page, "0.0025in"; the printer's own when empty
    ink: Literal["black", "colour"] = "black"  # of the pages; the cover is in colour
    bleed: bool = False  # pictures and grounds run over the edge of the page
    blurb: str = ""  # on the back cover; the description when empty


class Archive(_Table, frozen=True):
    """`[archive]`: what `--archive` puts into the file that is to last."""

    attach: tuple[Literal["epub", "sources"], ...] = ()  # the EPUB, and the manuscript as a zip


class Check(_Table, frozen=True):
    """`[check]`: how `pipeline check` reads the book over."""

    profile: Literal["general", "health"] = "general"  # "health" also asks for sources of claims
    reviewed_months: int = 24  # how long a chapter's `reviewed` stays fresh
    off: dict[str, str] = {}  # [check.off]: rule id = "the reason it does not apply here"


class Config(_Table, frozen=True):
    """The tables that the pipeline reads; [list], [outbox] and [provider] belong to the outbox."""

    book: Metadata  # what a catalogue wants to know
    ebook: Ebook = Ebook()  # how every edition is made
    edition: tuple[EditionTable, ...] = ()  # named cuts of the manuscript
    bibliography: Bibliography = Bibliography()  # where references come from
    newsletter: Newsletter = Newsletter()  # how issues are made
    print: Print = Print()  # for a printing house
    archive: Archive = Archive()  # for a library
    check: Check = Check()  # how it is read over


#: What each value must be besides its type; `*` stands for every item.
_CHECKS: Mapping[str, Callable[[str], str]] = {
    "book.title": values.find_blank,
    "book.authors.*.name": values.find_blank,
    "book.authors.*.role": values.find_role_fault,
    "book.language": find_language_fault,
    "book.subjects.*": values.find_subject_fault,
    "book.series.name": values.find_blank,
    "book.isbn.pdf": find_isbn_fault,
    "book.isbn.epub": find_isbn_fault,
    "book.isbn.print": find_isbn_fault,
    "book.identifier": find_urn_fault,
    "book.cover": values.find_path_fault,
    "book.website": values.find_website_fault,
    "ebook.layout": values.find_path_fault,
    "ebook.chapters": values.find_path_fault,
    "ebook.page": values.find_page_fault,
    "edition.*.name": values.find_name_fault,
    "edition.*.layout": values.find_path_fault,
    "edition.*.rest": values.find_website_fault,
    "bibliography.file": values.find_bibliography_fault,
    "bibliography.style": values.find_style_fault,
    "newsletter.layout": values.find_path_fault,
    "print.trim": values.find_page_fault,
    "print.leaf": values.find_length_fault,
    "newsletter.site": values.find_site_fault,
    "newsletter.sign_up": values.find_website_fault,
    "newsletter.time": values.find_time_fault,
    "newsletter.time_zone": values.find_zone_fault,
    "check.off.*": values.find_blank,
}
_NEVER_EMPTY = frozenset({values.find_blank, values.find_name_fault})


def read_config(folder: Path) -> Config:
    """Read `folder`/book.toml; raises ConfigError, or ManyErrors with all there is to mend."""
    if not (folder / FILE).exists():
        raise ConfigError(
            "is missing; run `pipeline new` to start a book, or change to the folder that holds one",
            Place(FILE),
        )
    text = read_source(folder / FILE, FILE, limit=_LIMIT, error=ConfigError)
    tables = _select_tables(parse_toml(text, source=FILE, error=ConfigError))
    raise_all(place_faults(_find_misfits(tables), text, source=FILE, error=ConfigError))
    config = msgspec.convert({name: tables[name] for name in tables if name not in OUTBOX_TABLES}, Config)
    raise_all(place_faults(_find_misuse(config), text, source=FILE, error=ConfigError))
    return config


def default_config(folder: Path) -> Config:
    """The book that a folder of plain Markdown makes without a book.toml.

    Its title is the first heading when there is one file, else the folder's
    name. Raises ConfigError when there is no Markdown.
    """
    for name in ("chapters", "."):
        files = [path for path in sorted((folder / name).glob("*.md")) if path.stem.lower() != "readme"]
        if files:
            heading = _find_heading(files[0]) if len(files) == 1 else ""
            title = heading or humanise(folder.resolve().name) or "Untitled"
            return Config(book=Metadata(title=title, authors=()), ebook=Ebook(chapters=name))
    raise ConfigError("is missing, and so is any Markdown; run `pipeline new` to start a book", Place(FILE))


def humanise(name: str) -> str:
    """A file's or folder's name as a title: "my-first_book" gives "My first book"."""
    words = re.sub(r"[-_\s]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def _find_heading(path: Path) -> str:
    found = re.search(r"^# +(.+?)[ #]*$", read_source(path, path.name), re.MULTILINE)
    return found[1] if found else ""


def _select_tables(tables: dict[str, Any]) -> dict[str, Any]:
    """`tables` with authors that are mere names spelt out."""
    book = tables.get("book")
    if not isinstance(book, dict) or not isinstance(book.get("authors"), list):
        return tables
    authors = [{"name": author} if isinstance(author, str) else author for author in book["authors"]]
    return {**tables, "book": {**book, "authors": authors}}


def _find_misfits(tables: dict[str, Any]) -> Iterator[Fault]:
    """Tables and keys that the types do not know, and values of the wrong type."""
    known = {field.encode_name: inspect.type_info(field.type) for field in structs.fields(Config)}
    if "book" not in tables:
        yield (), 'there is no table [book]; write [book], and below it title = "..." and authors = ["..."]'
    for name, value in tables.items():
        if name in known:
            yield from find_faults(value, known[name], (name,))
        elif not isinstance(value, dict | list):
            yield (name,), f"{name!r} stands outside every table; put it below one, such as [book]"
        elif name not in OUTBOX_TABLES:
            yield (name,), f"there is no table [{name}]; {suggest(name, {*known, *OUTBOX_TABLES})}"


def _find_misuse(config: Config) -> Iterator[Fault]:
    """Values of the right type that no book can use."""
    for keys, find_fault in _CHECKS.items():
        for path, value in _select_values(config, keys.split("."), ()):
            if (value or find_fault in _NEVER_EMPTY) and (fault := find_fault(value)):
                yield path, f"{name_key(path)} {fault}"
    if not config.book.authors:
        yield ("book", "authors"), '[book] authors is empty; name at least one, "Anonymous" if need be'
    for name, table in config.newsletter.fields.items():
        if fault := values.find_field_fault(name, table.type, table.default):
            yield ("newsletter", "fields", name), f"[newsletter.fields.{name}] {fault}"
    if not config.ebook.formats:
        yield ("ebook", "formats"), '[ebook] formats is empty; write ["pdf", "epub"], or leave the key out'
    if config.book.series and not math.isfinite(config.book.series.number):
        yield ("book", "series", "number"), "[book.series] number is not a number a reader can count to"
    yield from _find_shared_isbn(config.book.isbn)
    for name, count in Counter(edition.name for edition in config.edition).items():
        if count > 1:
            last = max(n for n, edition in enumerate(config.edition) if edition.name == name)
            yield (
                ("edition", last, "name"),
                f"[[edition]] name {name!r} is taken; each edition has its own name",
            )


def _find_shared_isbn(isbn: Isbn) -> Iterator[Fault]:
    """Each format has an ISBN of its own."""
    seen: dict[str, str] = {}
    for name in ("pdf", "epub", "print"):
        number = compact_isbn(getattr(isbn, name))
        if number and number in seen:
            fault = f"[book.isbn] {name} is the ISBN of {seen[number]}; each format has its own"
            yield ("book", "isbn", name), fault
        seen.setdefault(number, name)


def _select_values(value: Any, keys: list[str], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The values that a row of _CHECKS speaks of, each with its path."""
    if not keys:
        yield path, value
    elif keys[0] == "*":
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _select_values(item, keys[1:], (*path, key))
    elif value is not None:
        yield from _select_values(getattr(value, keys[0]), keys[1:], (*path, keys[0]))
