"""Book -> EPUB 3.3: pages written in full here, packed by `container`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..accessibility import describe
from ..catalogue import list_metadata
from ..container import Member, NavPoint, Package, pack
from ..endnotes import write_chapter_notes, write_endnote, write_mark
from ..identifiers import compact_isbn
from ..layouts import Layout
from ..locators import list_locators, write_places
from ..markup import RULES, Rule, Writer, write_listing, write_mathml
from ..model import Book, Chapter, Edition, Entry, Node
from ..resolve import EARLY, FRONT, list_contents, list_objects
from ..sections import LOOKED_UP, SEMANTICS, Section, Words, write_chapter, write_matter
from ..settings import Settings
from ..stores import STORES, Store

if TYPE_CHECKING:
    from ..fonts import Face

_XHTML = "application/xhtml+xml"
#: What EPUB calls the lists of what is counted.
_LISTS = {"figures": "loi", "tables": "lot"}
_MATTER = ("title", "copyright")


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """One container, and one more for each shop of `settings`; with the PDF's pages they carry their numbers."""
    name = settings.file_name
    files = {f"{name}.epub": _pack_for(STORES["generic"], book, layout, settings)}
    files |= {
        f"{name}.{store}.epub": _pack_for(STORES[store], book, layout, settings) for store in settings.stores
    }
    return Edition(book.edition, "epub", files)


def _pack_for(store: Store, book: Book, layout: Layout, settings: Settings) -> bytes:
    words = Words(layout.read_words(book.language))
    with_cover = settings.cover is not None and store.cover_page
    sections = write_sections(book, layout, settings, words)
    sections = tuple(section for section in sections if with_cover or section.kind != "cover")
    pages = [_make_page(section, layout, book, words) for section in sections]
    entries = list_contents(book)
    nav = _write_nav(book, layout, words, entries, settings, has_cover=with_cover)
    package = Package(
        identifier=_urn(book),
        title=book.meta.title,
        language=book.language,
        direction=book.direction,
        modified=book.made_at,
        metadata=[*list_metadata(book, settings), *describe(book, words.table, pages=bool(settings.pages))],
        members=[*_list_resources(book, layout, settings, sections), nav, *pages],
        spine=_order_spine(pages, book),
        contents=[_make_point(entry, store.levels) for entry in entries],
        guide=_list_guide(book, words, cover=with_cover),
        cover="images/cover.jpg" if settings.cover else "",
    )
    return pack(package)


def render_page(
    book: Book, layout: Layout, settings: Settings, *, address: Callable[[Face], str]
) -> Mapping[str, bytes]:
    """The one chapter of `book` as a page of the e-book, by file name, with its style and its pictures.

    Its fonts are found at the `address` of each face.
    """
    words = Words(layout.read_words(book.language))
    page = _make_page(write_sections(book, layout, settings, words)[-1], layout, book, words)
    pictures = {name: data for picture in settings.pictures for name, _, data in picture.files}
    return {
        page.name: page.data,
        "style.css": _write_css(book, layout, settings, address).encode(),
        **pictures,
    }


def write_sections(book: Book, layout: Layout, settings: Settings, words: Words) -> tuple[Section, ...]:
    """Cover, title page, copyright page and chapters, each to become a file."""
    wanted = frozenset(_list_targets(book, settings))
    breaks = {anchor: _page_break(label) for label, anchor in settings.pages.items()}
    pictures = {picture.source: picture for picture in settings.pictures}
    rules = {**EPUB_RULES, "image": lambda _, node: _write_image(node, pictures[node.attrs["src"]].path)}

    def write(chapter: Chapter) -> Section:
        rules["places"] = write_places(settings.places, lambda node: _link(node, chapter.slug))
        said = layout.read_words(chapter.lang or book.language)  # on boxes and over notes
        writer = Writer(rules, said, link=lambda node: _link(node, chapter.slug), wanted=wanted,
                        before=breaks, slug=chapter.slug, direction=book.direction)  # fmt: skip
        return write_chapter(chapter, layout, words, writer, notes=write_chapter_notes)

    cover = [_write_cover(settings, layout, words)] if settings.cover else []
    return (
        *cover,
        *(write_matter(book, layout, words, name) for name in _MATTER),
        *map(write, book.chapters),
    )


def _list_targets(book: Book, settings: Settings) -> Iterable[str]:
    """Ids that something in the book points at; the others stay out of the files (rule E11)."""
    entries = list(list_contents(book))
    while entries:
        entry = entries.pop()
        entries += entry.children
        yield entry.target
    yield from (entry.target for kind in book.lists for entry in list_objects(book, kind))
    for chapter in book.chapters:
        for node in chapter.walk():
            if node.kind == "places":
                found = list_locators(node.children, settings.places)
                yield from (locator.place.attrs["href"][1:] for locator in found)
            if node.kind in {"link", "reference"} and node.attrs.get("href", "").startswith("#"):
                yield node.attrs["href"][1:]


# -- what an e-book says differently


def _link(node: Node, slug: str) -> str:
    """Where a target is: `#id` in its own file, `file.xhtml#id` in another."""
    href, chapter = node.attrs["href"], node.attrs.get("chapter", "")
    if not chapter:
        return href
    name = "" if chapter == slug else f"{chapter}.xhtml"
    return name or href if href == f"#{chapter}" else name + href


def _write_image(node: Node, path: str) -> str:
    decorative = "decorative" in node.attrs.get("class", "")
    role = ' role="presentation"' if decorative else ""
    alt = escape(node.attrs["alt"])
    if not path.endswith(".svg"):
        return f'<img src="{path}" alt="{alt}"{role} />'
    return (
        f'<picture><source srcset="{path}" type="image/svg+xml" />'
        f'<img src="{path.removesuffix(".svg")}.jpg" alt="{alt}"{role} /></picture>'
    )


def _write_link(writer: Writer, node: Node) -> str:
    """A link; one that leads to the glossary says so."""
    link = RULES["link"](writer, node)
    if node.attrs.get("role") != "term":
        return link
    return link.replace("<a ", '<a epub:type="glossref" role="doc-glossref" ', 1)


def _write_entry(tag: str, epub_type: str) -> Rule:
    """A piece of a definition list; in the glossary it says what it is."""

    def write(writer: Writer, node: Node) -> str:
        written = RULES[node.kind](writer, node)
        kind = f'<{tag} epub:type="{epub_type}"'
        return written.replace(f"<{tag}", kind, 1) if "entry" in node.attrs else written

    return write


EPUB_RULES: Mapping[str, Rule] = {
    **RULES,
    "note": write_mark,
    "endnote": write_endnote,
    "math": write_mathml,
    "code_block": write_listing,
    "link": _write_link,
    "term": _write_entry("dt", "glossterm"),
    "definition": _write_entry("dd", "glossdef"),
}


# -- pages and navigation


def _page_break(label: str) -> str:
    return f'<span epub:type="pagebreak" role="doc-pagebreak" id="{_page_id(label)}" aria-label="{label}"></span>'


def _page_id(label: str) -> str:
    return "page-" + re.sub(r"[^A-Za-z0-9]+", "-", label)


def _write_cover(settings: Settings, layout: Layout, words: Words) -> Section:
    alt = settings.cover.alt if settings.cover else ""
    markup = layout.fill("book/cover-page.html.j2", alt=alt, words=words)
    return Section("cover", "cover", words["cover"], markup, front=True)


def _make_page(section: Section, layout: Layout, book: Book, words: Words) -> Member:
    text = layout.fill("book/page.xhtml.j2", section=section, book=book, words=words)
    properties = ("mathml",) if "<math " in section.markup else ()
    return Member(f"{section.slug}.xhtml", _XHTML, text.encode(), properties, title=section.title)


def _write_nav(
    book: Book, layout: Layout, words: Words, entries: Sequence[Entry], settings: Settings, *, has_cover: bool
) -> Member:
    homes = {name: chapter.slug for chapter in book.chapters for name in chapter.ids}
    homes |= {chapter.slug: chapter.slug for chapter in book.chapters}
    pages = [(label, f"{homes[anchor]}.xhtml#{_page_id(label)}") for label, anchor in settings.pages.items()]
    text = layout.fill(
        "book/nav.xhtml.j2", book=book, words=words, entries=entries, pages=pages, has_cover=has_cover,
        start=f"{_first_body(book)}.xhtml", href=_href, marks=_list_landmarks(book),
        lists=[(kind, _LISTS[kind], objects) for kind in book.lists if (objects := list_objects(book, kind))],
    )  # fmt: skip
    return Member("nav.xhtml", _XHTML, text.encode(), ("nav",), title=words["contents"])


def _list_landmarks(book: Book) -> list[tuple[str, str, str]]:
    """What a reader looks things up in: its kind, its file and its title."""
    return [
        (SEMANTICS[chapter.kind][0], f"{chapter.slug}.xhtml", chapter.title)
        for chapter in book.chapters
        if chapter.kind in LOOKED_UP
    ]


def _first_body(book: Book) -> str:

    return next(
        (chapter.slug for chapter in book.chapters if chapter.kind not in FRONT), book.chapters[0].slug
    )


def _href(entry: Entry) -> str:
    return f"{entry.slug}.xhtml" if entry.target == entry.slug else f"{entry.slug}.xhtml#{entry.target}"


def _make_point(entry: Entry, levels: int) -> NavPoint:
    below = entry.children if levels > 1 else ()
    return NavPoint(entry.spoken, _href(entry), tuple(_make_point(child, levels - 1) for child in below))


def _order_spine(pages: Sequence[Member], book: Book) -> list[str]:
    """Navigation stands as the contents page after the dedication, as in print."""
    early = {"cover", *_MATTER, *(c.slug for c in book.chapters if c.kind in EARLY)}
    names = [page.name for page in pages]
    ahead = [name for name in names if name.removesuffix(".xhtml") in early]
    return [*ahead, "nav.xhtml", *(name for name in names if name not in ahead)]


def _list_guide(book: Book, words: Words, *, cover: bool) -> list[tuple[str, str, str]]:
    start = f"{_first_body(book)}.xhtml"
    guide = [("toc", words["contents"], "nav.xhtml"), ("text", words["start"], start)]
    return [("cover", words["cover"], "cover.xhtml"), *guide] if cover else guide


# -- resources and metadata


def _list_resources(
    book: Book, layout: Layout, settings: Settings, sections: Sequence[Section]
) -> list[Member]:
    css = _write_css(book, layout, settings, lambda face: f"fonts/{_font_name(face)}")
    members = [Member("style.css", "text/css", css.encode())]
    if settings.cover:
        members.append(Member("images/cover.jpg", "image/jpeg", settings.cover.jpeg, ("cover-image",)))
    for picture in settings.pictures:
        members += [Member(name, kind, data) for name, kind, data in picture.files]
    if settings.embed_fonts:
        members += _list_fonts(settings, [section.markup for section in sections])
    return members


def _write_css(book: Book, layout: Layout, settings: Settings, address: Callable[[Face], str]) -> str:
    css = layout.read_css("book/epub.css", direction=book.direction)
    if not settings.embed_fonts:
        return f"{css}\n"
    from ..fonts import font_css

    return font_css(settings.type.faces, address) + f"{css}\n"


def _font_name(face: Face) -> str:
    return f"{face.family.lower().replace(' ', '-')}-{face.weight}-{face.style}.ttf"


def _list_fonts(settings: Settings, texts: list[str]) -> list[Member]:
    from ..fonts import subset

    fonts = [
        Member(f"fonts/{_font_name(face)}", "font/ttf", subset(face, texts)) for face in settings.type.faces
    ]
    notices = dict.fromkeys(f"{face.family}: {face.notice}" for face in settings.type.faces)
    licences = dict.fromkeys(face.licence.strip() for face in settings.type.faces)
    text = "\n".join([*notices, "", *licences, ""])
    return [*fonts, Member("fonts/LICENSE.txt", "text/plain", text.encode())]


def _urn(book: Book) -> str:
    isbn = book.meta.isbn.epub if book.edition == "full" else ""
    return f"urn:isbn:{compact_isbn(isbn)}" if isbn else book.identifier
