"""Book -> PDF/UA-1: one tagged file, laid out by WeasyPrint and finished by `tagging`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from ..layouts import Layout
from ..markup import RULES, Rule, Writer, write_listing
from ..model import Book, Chapter, Edition, Node
from ..press import Press, fit, lay_out_whole
from ..resolve import EARLY, list_contents
from ..sections import Section, Words, write_chapter, write_matter
from ..settings import Settings
from ..tagging import Labels, finish
from ..typeset import Sheet, write_pdf

if TYPE_CHECKING:
    from weasyprint import Document

_BODY_START = "body-start"


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """The book's pages, and for each page label the first anchor on it."""
    document = lay_out_book(book, layout, settings)
    labels = label_pages(document, cover=settings.cover is not None)
    written = write_pdf(document)
    settings.say("pages written and tagged")
    data = finish(written, book=book, labels=labels)
    return Edition(
        book.edition, "pdf", {f"{settings.file_name}.pdf": data}, pages=find_anchors(document, book, labels)
    )


def lay_out_book(book: Book, layout: Layout, settings: Settings) -> Document:
    """The whole book on its pages."""
    sections = write_sections(book, layout, settings)
    press = Press(lambda some: compose(book, layout, settings, some), settings.type)
    document, sections = lay_out_whole(press, sections)
    settings.say(f"{len(document.pages)} pages laid out")
    fitted = fit(press, document, sections)
    if fitted != sections:
        document, _ = lay_out_whole(press, fitted)
        settings.say("last pages of chapters filled")
    return document


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
    css = _set_alone(book.chapters[0], number, front=section.front)

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


def _set_alone(chapter: Chapter, number: int, *, front: bool) -> str:
    """CSS for a chapter without the book around it: on which side it begins, and what it cannot know."""
    side = "left" if number and number % 2 == 0 else "right"
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
    contents = layout.fill("book/contents.html.j2", words=words, entries=list_contents(book))
    return (
        write_matter(book, layout, words, "half-title"),
        write_matter(book, layout, words, "title"),
        write_matter(book, layout, words, "copyright"),
        *ahead,
        Section("contents", "contents", words["contents"], contents, front=True),
        *rest,
    )


def _write_chapters(book: Book, layout: Layout, settings: Settings) -> list[Section]:
    words = Words(layout.read_words(book.language))
    ratios = {picture.source: picture.ratio for picture in settings.pictures}
    rules = {**PRINT_RULES, "image": lambda _, node: _write_image(node, ratios[node.attrs["src"]])}

    def write(chapter: Chapter) -> Section:
        writer = Writer(rules, words.table, slug=chapter.slug)
        return write_chapter(chapter, layout, words, writer, notes=lambda _: "")

    return [write(chapter) for chapter in book.chapters]


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
    if settings.cover:
        pictures["cover"] = settings.cover.vector or settings.cover.jpeg
    css = layout.read_css("book/print.css")
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


_BLOCKS = {"paragraph", "heading", "figure", "table", "code_block", "div", "quote", "lines"}


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


def _write_link(writer: Writer, node: Node) -> str:
    href = node.attrs["href"]
    role = node.attrs.get("role", "") or ("" if href.startswith("#") else "outward")
    name = f' class="{role}"' if role else ""
    return f'<a{name} href="{escape(href)}">{writer.write(node.children)}</a>'


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
    "code_block": write_listing,
    "link": _write_link,
}
