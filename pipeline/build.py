"""One build: read the manuscript, make every edition, write all of it or nothing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from .check import find_errors
from .config import Config, EditionTable, default_config, read_config
from .errors import ConfigError, LayoutError, Place, raise_all
from .files import write_atomically
from .hints import suggest
from .layouts import Layout, read_layout
from .locators import Pages
from .manuscript import read_manuscript
from .model import Book, Chapter, Edition
from .resolve import find_newest_date, resolve, slugify
from .settings import Attachment, Settings
from .stores import STORES
from .typeset import Type, prepare_type

Progress = Callable[[str], None]


def _be_quiet(_: str) -> None:
    """For callers who want to hear nothing."""


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A book's folder, read: what every edition is cut from. Its layouts are made ready once."""

    folder: Path
    config: Config
    chapters: tuple[Chapter, ...]
    made_at: datetime
    _layouts: dict[str, Layout] = field(default_factory=dict, init=False, repr=False, compare=False)
    _types: dict[str, Type] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def cache(self) -> Path:
        return self.folder / "build" / "cache"

    def read_layout(self, name: str) -> Layout:
        """The layout called `name`. Raises LayoutError."""
        if name not in self._layouts:
            found = read_layout(name, self.folder, cache=self.cache / "templates")
            self._layouts[name] = _add_fonts(found, self.config.ebook.fonts)
        return self._layouts[name]

    def prepare_type(self, layout: Layout) -> Type:
        """The faces of a layout, ready to be used; slow at first. Raises LayoutError."""
        if layout.name not in self._types:
            self._types[layout.name] = prepare_type(layout.faces, self.cache)
        return self._types[layout.name]


def _add_fonts(layout: Layout, packages: Sequence[str]) -> Layout:
    """`layout` with font packages of the book's own: they have what its own fonts lack."""
    if not packages:
        return layout
    from .fonts import list_faces

    try:
        added = [face for package in packages for face in list_faces(package)]
    except LayoutError as error:
        raise ConfigError(f"[ebook] fonts: {error.message}", Place("book.toml")) from None
    names = ", ".join(f'"{family}"' for family in dict.fromkeys(face.family for face in added))
    tokens = dict(layout.tokens)
    for use in ("text", "display", "furniture", "code"):
        own, _, generic = tokens[f"font-{use}"].rpartition(",")
        tokens[f"font-{use}"] = f"{own}, {names},{generic}"
    return replace(layout, tokens=tokens, faces=(*layout.faces, *added))


def open_manuscript(folder: Path, *, epoch: str | None = None) -> Manuscript:
    """Read book.toml and the chapters; a folder of plain Markdown needs no book.toml.

    `epoch` is SOURCE_DATE_EPOCH: seconds since 1970, or None.
    """
    folder = folder.resolve()
    config = read_config(folder) if (folder / "book.toml").exists() else default_config(folder)
    chapters = read_manuscript(folder, config)
    return Manuscript(folder, config, chapters, _read_epoch(epoch) or find_newest_date(chapters, config))


def _read_epoch(epoch: str | None) -> datetime | None:
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"SOURCE_DATE_EPOCH is '{epoch}'; it must be a number of seconds") from error


def choose_editions(config: Config, name: str = "") -> tuple[EditionTable, ...]:
    """The editions to make: those of book.toml, `full` when it names none, or the one called `name`."""
    tables = config.edition or (EditionTable(name="full"),)
    chosen = tuple(table for table in tables if not name or table.name == name)
    if not chosen:
        known = ", ".join(table.name for table in tables)
        raise ConfigError(f"there is no edition '{name}'; there are {known}", Place("book.toml"))
    return chosen


def resolve_edition(manuscript: Manuscript, edition: EditionTable) -> tuple[Book, Layout]:
    """One edition's book, and the layout it is made in."""
    layout = manuscript.read_layout(edition.layout or manuscript.config.ebook.layout)
    return _resolve(manuscript, edition, layout, OUTPUTS), layout


#: Each format -> what it is to `::: only output=...`; a book in general is both.
OUTPUTS = "book,pdf,epub"
_OUTPUTS = {"pdf": "book,pdf", "archive": "book,pdf", "print": "book,pdf", "epub": "book,epub"}


def _resolve(manuscript: Manuscript, edition: EditionTable, layout: Layout, output: str) -> Book:
    return resolve(
        manuscript.chapters, manuscript.config, edition, folder=manuscript.folder,
        words=layout.read_words(manuscript.config.book.language), made_at=manuscript.made_at,
        facts={"output": output, "edition": edition.name, "segment": ""},
    )  # fmt: skip


def _cut_to_format(
    manuscript: Manuscript, edition: EditionTable, layout: Layout, book: Book, name: str
) -> Book:
    """The book as one format has it; most say the same in all."""
    outputs = {
        output
        for chapter in manuscript.chapters if chapter.conditional
        for node in chapter.nodes if node.attrs.get("name") in {"only", "except"}
        for output in node.attrs.get("output", "").split(",")
    }  # fmt: skip
    if outputs.isdisjoint({"pdf", "epub"}) or name not in _OUTPUTS:
        return book
    return _resolve(manuscript, edition, layout, _OUTPUTS[name])


def make_edition(
    manuscript: Manuscript,
    edition: EditionTable,
    *,
    formats: Sequence[str] = (),
    stores: Sequence[str] = (),
    say: Progress = _be_quiet,
    warn: Progress = _be_quiet,
) -> tuple[Edition, ...]:
    """Every format of one edition; the EPUB takes its page numbers from the PDF.

    `say` hears of each stage as it begins, `warn` of what the author should know.
    """
    book, layout = resolve_edition(manuscript, edition)
    raise_all(find_errors(book))
    wanted = _choose_formats(formats or edition.formats or manuscript.config.ebook.formats)
    settings = prepare_settings(
        manuscript, book, layout, formats=wanted, name=name_file(manuscript.config, edition),
        stores=_choose_stores(stores or manuscript.config.ebook.stores), say=say,
    )  # fmt: skip
    for place, message in find_font_gaps(book, layout, settings.type):
        warn(f"{place}: M050 warning: {message}")
    attach = manuscript.config.archive.attach if "archive" in wanted else ()
    made: list[Edition] = []
    for format_name in _order({*wanted, "epub"} if "epub" in attach else wanted):
        say(f"{settings.file_name}.{format_name}")
        cut = _cut_to_format(manuscript, edition, layout, book, format_name)
        made.append(_load_format(format_name)(cut, layout, fit_settings(settings, cut)))
        for notice in made[-1].notices:
            warn(notice)
        settings = _hand_on(settings, book, made[-1], attach)
    return tuple(each for each in made if each.format in wanted)


def fit_settings(settings: Settings, book: Book) -> Settings:
    """`settings` with the pictures and the pages that `book` has; another format may have had more."""
    shown = set(book.images)
    known = {name for chapter in book.chapters for name in (chapter.slug, *chapter.ids)}
    return replace(
        settings,
        pictures=tuple(picture for picture in settings.pictures if picture.source in shown),
        pages={label: name for label, name in settings.pages.items() if name in known},
    )


def _hand_on(settings: Settings, book: Book, made: Edition, attach: Collection[str]) -> Settings:
    """What the next formats need of this one: the EPUB the PDF's pages, the archive the EPUB."""
    if made.format == "pdf":
        places = Pages(made.labels, made.places)
        return replace(settings, pages=made.pages, places=places, page_source=_name_source(book))
    if made.format == "epub" and "epub" in attach:
        data = next(iter(made.files.values()))
        copy = Attachment(
            f"{settings.file_name}.epub", "application/epub+zip", data, "The book as an EPUB", "Alternative"
        )
        return replace(settings, attachments=(*settings.attachments, copy))
    return settings


def find_font_gaps(book: Book, layout: Layout, kind: Type) -> Iterator[tuple[Place, str]]:
    """Where the book has a character that its fonts lack (rule M050); no fonts, no gaps."""
    if kind.faces:
        from .glyphs import find_missing_glyphs

        families = {
            use: [name.strip("\"' ") for name in layout.tokens[f"font-{use}"].split(",")]
            for use in ("text", "code")
        }
        yield from find_missing_glyphs(book, kind.faces, families=families)


#: Formats that are laid out on pages, and want fonts.
ON_PAPER = frozenset({"pdf", "archive", "print"})
#: Formats in the order in which they need each other.
ORDER = ("pdf", "epub", "archive", "print", "onix")


def _choose_formats(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in ORDER:
            raise ConfigError(f"there is no format '{name}'; {suggest(name, ORDER)}")
    return _order(names)


def _choose_stores(names: Sequence[str]) -> tuple[str, ...]:
    shops = [name for name in STORES if name != "generic"]
    for name in names:
        if name not in shops:
            raise ConfigError(f"there is no profile for the shop '{name}'; {suggest(name, shops)}")
    return tuple(dict.fromkeys(names))


def _order(names: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in ORDER if name in names)


def _load_format(name: str) -> Callable[[Book, Layout, Settings], Edition]:
    from .formats import FORMATS

    return FORMATS[name]()


def _name_source(book: Book) -> str:
    """What the page list counts: the PDF's ISBN, or its identifier."""
    isbn = book.meta.isbn.pdf if book.edition == "full" else ""
    return f"urn:isbn:{isbn.replace('-', '')}" if isbn else book.identifier


def name_file(config: Config, edition: EditionTable) -> str:
    """The file's name without suffix: the title, and the edition unless it is full or called like its format."""
    stem = slugify(config.book.title, "book")
    return stem if edition.name in {"full", *edition.formats} else f"{stem}-{edition.name}"


def prepare_settings(
    manuscript: Manuscript,
    book: Book,
    layout: Layout,
    *,
    formats: Sequence[str],
    name: str,
    stores: Sequence[str] = (),
    say: Progress = _be_quiet,
) -> Settings:
    """What the formats share. Fonts and pictures are slow to load: a book that needs none loads none."""
    ebook = manuscript.config.ebook
    page = ebook.page or layout.tokens["page-size"]
    settings = Settings(
        file_name=name, type=Type((), manuscript.cache), page=page, embed_fonts=ebook.embed_fonts, say=say,
        print=manuscript.config.print, stores=tuple(stores),
    )  # fmt: skip
    if "archive" in formats and "sources" in manuscript.config.archive.attach:
        settings = replace(settings, attachments=(pack_sources(manuscript.folder, ebook.chapters),))
    if set(formats) == {"onix"}:  # it shows nothing
        return settings
    if ON_PAPER.intersection(formats) or ebook.embed_fonts or book.meta.cover != "none" or book.images:
        settings = replace(settings, type=manuscript.prepare_type(layout))
    if book.images:
        from .pictures import prepare_pictures

        say("pictures")
        settings = replace(settings, pictures=prepare_pictures(book, ebook.chapters, settings.type))
    if book.meta.cover != "none":
        from .cover import make_cover

        say("cover")
        cover = make_cover(book, layout, settings.type, page_ratio=_measure_page(page))
        settings = replace(settings, cover=cover)
    return settings


_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(in|mm|cm|pt)")
_NAMED_PAGES = {"a4": 297 / 210, "a5": 210 / 148, "letter": 11 / 8.5}


def _measure_page(size: str) -> float:
    """Height over width of a page such as "6in 9in" or "A5"."""
    if size.lower() in _NAMED_PAGES:
        return _NAMED_PAGES[size.lower()]
    lengths = _LENGTH.findall(size)
    if len(lengths) != 2 or lengths[0][1] != lengths[1][1]:
        message = (
            f"page is '{size}'; write width and height in one unit, such as \"6in 9in\", or A4, A5, letter"
        )
        raise ConfigError(message, Place("book.toml"))
    return float(lengths[1][0]) / float(lengths[0][0])


def pack_sources(folder: Path, chapters: str) -> Attachment:
    """book.toml, the chapters and the book's own layouts as one zip; the same files, the same bytes."""
    paths = [folder / "book.toml", *(folder / chapters).rglob("*"), *(folder / "layouts").rglob("*")]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(path for path in paths if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.create_system = 0o644 << 16, 3
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return Attachment(
        "sources.zip", "application/zip", out.getvalue(), "The manuscript the book was made from", "Source"
    )


def write_editions(folder: Path, editions: Sequence[Edition]) -> tuple[Path, ...]:
    """Write all files of all editions into `folder`, each at once; nothing is written before all are made."""
    paths = []
    for edition in editions:
        for name, data in edition.files.items():
            write_atomically(folder / name, data)
            paths.append(folder / name)
    return tuple(paths)
