"""Book -> PDF/UA-1: one tagged file, laid out by WeasyPrint and finished by `tagging`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from ..endnotes import write_chapter_notes, write_endnote, write_mark
from ..errors import ManuscriptError, Place
from ..formulas import Drawing, FormulaError, draw_formula
from ..layouts import Layout
from ..locators import Pages, write_places
from ..markup import RULES, Rule, Writer, write_listing
from ..model import Book, Chapter, Edition, Node
from ..press import Press, fit, lay_out_whole
from ..resolve import EARLY, FRONT, list_contents, list_objects
from ..sections import Section, Words, write_chapter, write_matter
from ..settings import Settings
from ..tagging import Labels, finish
from ..typeset import Sheet, join, lay_out, write_pdf

if TYPE_CHECKING:
    from weasyprint import Document

_BODY_START = "body-start"


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """The book's pages, and for each page label the first anchor on it."""
    document, labels = lay_out_book(book, layout, settings)
    written = write_pdf(document)
    settings.say("pages written and tagged")
    data = finish(written, book=book, labels=labels)
    return Edition(
        book.edition, "pdf", {f"{settings.file_name}.pdf": data},
        pages=find_anchors(document, book, labels), places=find_places(document),
        labels=tuple(map(labels.name, range(labels.total))),
    )  # fmt: skip


def _add_index(document: Document, book: Book, layout: Layout, settings: Settings, css: str) -> Document:
    """The index, now that the pages are known: its pages take the place of the stub, which is last of all."""
    index = next((chapter for chapter in book.chapters if chapter.kind == "index"), None)
    if not index:
        return document
    labels = label_pages(document, cover=settings.cover is not None)
    places = find_places(document)
    start = places[index.slug]
    pages = Pages(tuple(map(labels.name, range(labels.total))), places)
    (section,) = _write_chapters(replace(book, chapters=(index,)), layout, settings, pages=pages)
    alone = _set_alone(index, start - labels.body + 1, front=False, direction=book.direction)
    sheet = compose(book, layout, replace(settings, cover=None), (_BEFORE, section))
    laid_out = lay_out(replace(sheet, css=f"{sheet.css}\n{css}\n{alone}"), settings.type, alone=True)
    settings.say("index laid out")
    return join(document, laid_out, at=start)


def find_places(document: Document) -> dict[str, int]:
    """On which page, counted from 0, each id stands first."""
    found: dict[str, int] = {}
    for number, page in enumerate(document.pages):
        for name in page.anchors:
            found.setdefault(name, number)
    return found


def lay_out_book(book: Book, layout: Layout, settings: Settings, *, css: str = "") -> tuple[Document, Labels]:
    """The whole book on its pages, none of its notes lost; `css` comes after the layout's own."""
    sections = write_sections(book, layout, settings)

    def make_sheet(some: Sequence[Section]) -> Sheet:
        sheet = compose(book, layout, settings, some)
        return replace(sheet, css=f"{sheet.css}\n{css}")

    press = Press(make_sheet, settings.type)
    document, sections = lay_out_whole(press, sections)
    settings.say(f"{len(document.pages)} pages laid out")
    fitted = fit(press, document, sections)
    if fitted != sections:
        document, sections = lay_out_whole(press, fitted)
        settings.say("last pages of chapters filled")
    document = _add_index(document, book, layout, settings, css)
    return document, label_pages(document, cover=settings.cover is not None)


def lay_out_chapter(
    book: Book,
    layout: Layout,
    settings: Settings,
    *,
    number: int = 0,
    at_page: Callable[[], None] = lambda: None,
) -> Iterator[Document]:
    """The one chapter of `book` on its pages, the first of which has the number `number`.

    0: the text begins with it, on page 1. Where the chapter ends in a scrap of a page, it comes a
    second time, set as the book will have it. `at_page` is called before each page and may raise
    to call the layout off. References to other chapters do without the page's number.
    """
    (section,) = _write_chapters(book, layout, settings)
    ahead = () if section.front or not number else (_BEFORE,)  # layouts open the first chapter otherwise
    css = _set_alone(book.chapters[0], number, front=section.front, direction=book.direction)

    def make_sheet(sections: Sequence[Section]) -> Sheet:
        sheet = compose(book, layout, settings, (*ahead, *sections))
        return replace(sheet, css=f"{sheet.css}\n{css}")

    press = Press(make_sheet, settings.type, alone=True, at_page=at_page)
    document, sections = lay_out_whole(press, (section,))
    yield document
    fitted = fit(press, document, sections)
    if fitted != sections:
        yield lay_out_whole(press, fitted)[0]


#: Stands for the chapters that come before, and prints nothing.
_BEFORE = Section("before", "chapter", "", '<section style="display: none"></section>')


def _set_alone(chapter: Chapter, number: int, *, front: bool, direction: str) -> str:
    """CSS for a chapter without the book around it: on which side it begins, and what it cannot know."""
    side = "left" if (number > 0 and number % 2 == 0) != (direction == "rtl") else "right"
    rules = [f"html {{ break-before: {side} }} .{'body' if front else 'front'} {{ display: none }}"]
    if number:
        rules.append(f"@page :first {{ counter-reset: page {number} !important }}")
    references = (node.attrs for node in chapter.walk() if node.kind == "reference")
    away = [attrs["href"] for attrs in references if attrs.get("chapter", chapter.slug) != chapter.slug]
    rules += [f'a.ref[href="{href}"]::after {{ content: none }}' for href in away]
    return "\n".join(rules)


def write_sections(book: Book, layout: Layout, settings: Settings) -> tuple[Section, ...]:
    """Every section of the printed book in its order, each written on its own."""
    words = Words(layout.read_words(book.language))
    chapters = _write_chapters(book, layout, settings)
    ahead = [section for section in chapters if section.kind in EARLY]
    rest = [section for section in chapters if section.kind not in EARLY]
    contents = layout.fill(
        "book/contents.html.j2", words=words, entries=list_contents(book), roman=_find_roman(book)
    )
    return (
        write_matter(book, layout, words, "half-title"),
        write_matter(book, layout, words, "title"),
        write_matter(book, layout, words, "copyright"),
        *ahead,
        Section("contents", "contents", words["contents"], contents, front=True),
        *_write_lists(book, layout, words),
        *rest,
    )


def _write_lists(book: Book, layout: Layout, words: Words) -> Iterator[Section]:
    """The lists of figures and tables that book.toml asks for; none that would be empty."""
    roman = _find_roman(book)
    for kind in book.lists:
        if entries := list_objects(book, kind):
            markup = layout.fill("book/list.html.j2", words=words, kind=kind, entries=entries, roman=roman)
            title = words[f"list_of_{kind}"]
            yield Section(f"list-of-{kind}", "contents", title, markup, front=True)


def _write_chapters(
    book: Book, layout: Layout, settings: Settings, *, pages: Pages | None = None
) -> list[Section]:
    """Each chapter; the index without its lines as long as nobody knows the `pages`."""
    words = Words(layout.read_words(book.language))
    ratios = {picture.source: picture.ratio for picture in settings.pictures}
    roman = _find_roman(book)
    rules = {
        **PRINT_RULES,
        "image": lambda _, node: _write_image(node, ratios[node.attrs["src"]]),
        "reference": lambda writer, node: _write_reference(writer, node, roman),
        "places": write_places(pages or Pages(), lambda node: node.attrs["href"]),
    }

    if book.notes != "foot":
        rules["note"] = write_mark

    def write(chapter: Chapter) -> Section:
        said = layout.read_words(chapter.lang or book.language)  # on boxes and over notes
        writer = Writer(rules, said, slug=chapter.slug, direction=book.direction)
        rules["math"] = lambda _, node: _write_formula(node, _draw(node, chapter, layout))
        if chapter.kind == "index" and not pages:
            chapter = replace(chapter, body=())
        return write_chapter(chapter, layout, words, writer, notes=write_chapter_notes)

    return [write(chapter) for chapter in book.chapters]


def _find_roman(book: Book) -> frozenset[str]:
    """Slugs of the chapters before page 1, whose pages have roman numbers."""
    return frozenset(chapter.slug for chapter in book.chapters if chapter.kind in FRONT)


def compose(book: Book, layout: Layout, settings: Settings, sections: Sequence[Section]) -> Sheet:
    """One sheet of HTML for the whole book."""
    first_body = next((i for i, section in enumerate(sections) if not section.front), len(sections))
    html = layout.fill(
        "book/book.html.j2",
        book=book,
        keywords=", ".join(book.meta.keywords or book.meta.subjects),
        cover_alt=settings.cover.alt if settings.cover else "",
        front=sections[:first_body],
        body=sections[first_body:],
    )
    pictures = {picture.source: picture.data for picture in settings.pictures}
    for chapter in book.chapters:
        formulas = (node for node in chapter.nodes if node.kind == "math")
        pictures |= {_name_formula(node): _draw(node, chapter, layout).svg for node in formulas}
    if settings.cover:
        pictures["cover"] = settings.cover.vector or settings.cover.jpeg
    css = layout.read_css("book/print.css", direction=book.direction)
    if settings.page:
        css += f"\n@page {{ size: {settings.page} }}"
    return Sheet(html, css, pictures)


# -- pages


def label_pages(document: Document, *, cover: bool) -> Labels:
    """Where the cover, the roman and the arabic pages begin (0-based)."""
    body = next(
        (i for i, page in enumerate(document.pages) if _BODY_START in page.anchors), len(document.pages)
    )
    front = (
        next((i for i, page in enumerate(document.pages) if cover and "title-page" in page.anchors), 2) - 2
    )
    return Labels(cover=cover, front=max(front, 0), body=body, total=len(document.pages))


def find_anchors(document: Document, book: Book, labels: Labels) -> Mapping[str, str]:
    """Page label -> the first block that begins on the page, for the EPUB's page list."""
    known = {chapter.slug for chapter in book.chapters} | {
        node.id for chapter in book.chapters for node in chapter.walk() if node.id and node.kind in _BLOCKS
    }
    seen: set[str] = set()
    pages: dict[str, str] = {}
    for number, page in enumerate(document.pages):
        fresh = [name for name in page.anchors if name in known and name not in seen]
        seen.update(fresh)
        if fresh:
            pages[labels.name(number)] = min(fresh, key=lambda name: page.anchors[name][1])
    return pages


_BLOCKS = {"endnote", "paragraph", "heading", "figure", "table", "code_block", "div", "quote", "lines"}


# -- what print says differently


def _write_note(writer: Writer, node: Node) -> str:
    """A note is set at the foot of the page where its mark stands; WeasyPrint wants it inline."""
    if "again" in node.attrs:
        return f'<sup class="note-mark">{node.attrs["number"]}</sup>'
    inner = "<br />".join(writer.write(paragraph.children) for paragraph in node.children)
    return f'<span class="footnote" id="{writer.slug}-note-{node.attrs["number"]}">{inner}</span>'


def _write_image(node: Node, ratio: float) -> str:
    """A picture; an ornament is drawn as a background, which a PDF reader does not announce."""
    source = escape(f"picture:{node.attrs['src']}")
    if "decorative" not in node.attrs.get("class", ""):
        return f'<img src="{source}" alt="{escape(node.attrs["alt"])}" />'
    style = f"background-image: url('{source}'); padding-bottom: {ratio:.2%}"
    return f'<span class="ornament"><span style="{style}"></span></span>'


def _name_formula(node: Node) -> str:
    return f"formula-{sha256(repr((node.attrs['tex'], 'display' in node.attrs)).encode()).hexdigest()[:16]}"


def _draw(node: Node, chapter: Chapter, layout: Layout) -> Drawing:
    """A formula as a drawing; the same one is drawn once. Raises ManuscriptError where that cannot be done."""
    try:
        return draw_formula(node.attrs["tex"], display="display" in node.attrs, color=layout.tokens["ink"])
    except FormulaError as error:
        message = f"the formula '{node.attrs['tex']}' cannot be printed: {error}; write it in a simpler way"
        raise ManuscriptError(message, Place(chapter.source, node.line), rule="M020") from error


def _write_formula(node: Node, drawing: Drawing) -> str:
    """A picture that stands on the line, with its words for listeners."""
    size = f"width: {drawing.width:.3f}em; height: {drawing.height:.3f}em; vertical-align: {-drawing.depth:.3f}em"
    return (
        f'<img class="math" src="picture:{_name_formula(node)}" alt="{escape(node.text)}" style="{size}" />'
    )


def _write_link(writer: Writer, node: Node) -> str:
    href = node.attrs["href"]
    role = node.attrs.get("role", "") or ("" if href.startswith("#") else "outward")
    name = f' class="{role}"' if role else ""
    return f'<a{writer.id(node)}{name} href="{escape(href)}">{writer.write(node.children)}</a>'


def _write_reference(writer: Writer, node: Node, roman: Collection[str]) -> str:
    """The style sheet adds the page, as it is numbered there."""
    name = "roman " if node.attrs.get("chapter") in roman else ""
    written = RULES["reference"](writer, node.with_attrs(type=name + node.attrs.get("type", "")))
    return written.replace("<a ", f'<a data-page="{escape(writer.words["page_short"])}" ', 1)


def _write_list(writer: Writer, node: Node) -> str:
    """A list that does not begin with 1 says so in CSS; WeasyPrint does not read the attribute `start`."""
    start = int(node.attrs.get("start", "1"))
    if start == 1:
        return RULES["list"](writer, node)
    opened = writer.open("ol", node)[:-1]
    return f'{opened} style="counter-reset: list-item {start - 1}">\n{writer.write(node.children)}</ol>\n'


PRINT_RULES: Mapping[str, Rule] = {
    **RULES,
    "list": _write_list,
    "note": _write_note,
    "endnote": write_endnote,
    "code_block": write_listing,
    "link": _write_link,
}
