"""Book -> PDF/UA-1: one tagged file, laid out by WeasyPrint and finished by `tagging`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from ..errors import LayoutError
from ..highlight import highlight
from ..layouts import Layout
from ..markup import RULES, Rule, Writer
from ..model import Book, Chapter, Edition, Node
from ..resolve import EARLY, list_contents
from ..sections import Section, Words, write_chapter, write_matter
from ..settings import Settings
from ..tagging import Labels, finish
from ..typeset import Sheet, Type, count_last_lines, lay_out, write_pdf

if TYPE_CHECKING:
    from weasyprint import Document

_BODY_START = "body-start"


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """The book's pages, and for each page label the first anchor on it."""
    sections = write_sections(book, layout, settings)
    press = Press(lambda some: compose(book, layout, settings, some), settings.type)
    document, sections = lay_out_whole(press, sections)
    fitted = fit(press, document, sections)
    if fitted != sections:
        document, sections = lay_out_whole(press, fitted)
    labels = label_pages(document, cover=settings.cover is not None)
    data = finish(write_pdf(document), book=book, labels=labels)
    return Edition(
        book.edition, "pdf", {f"{settings.file_name}.pdf": data}, pages=find_anchors(document, book, labels)
    )


def write_sections(book: Book, layout: Layout, settings: Settings) -> tuple[Section, ...]:
    """Every section of the printed book in its order, each written on its own."""
    words = Words(layout.read_words(book.language))
    ratios = {picture.source: picture.ratio for picture in settings.pictures}
    rules = {**PRINT_RULES, "image": lambda _, node: _write_image(node, ratios[node.attrs["src"]])}
    chapters = [_write_chapter(chapter, layout, words, rules) for chapter in book.chapters]
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


def _write_chapter(chapter: Chapter, layout: Layout, words: Words, rules: Mapping[str, Rule]) -> Section:
    writer = Writer(rules, words.table, slug=chapter.slug)
    return write_chapter(chapter, layout, words, writer, notes=lambda _: "")


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


# -- nothing lost, no scraps


@dataclass(frozen=True, slots=True)
class Press:
    """Puts sections on pages."""

    make_sheet: Callable[[Sequence[Section]], Sheet]
    kind: Type

    def print(self, sections: Sequence[Section], *, alone: bool = False, thorough: bool = False) -> Document:
        return lay_out(self.make_sheet(sections), self.kind, alone=alone, thorough=thorough)


_NOTE = re.compile(r'<span class="footnote" id="([^"]+)"')
_TRIES = 5


def lay_out_whole(press: Press, sections: tuple[Section, ...]) -> tuple[Document, tuple[Section, ...]]:
    """Pages that hold every note, and the sections as they were set for it.

    WeasyPrint 70 can drop a note that it moves from one page to the next. Then every page is
    made anew in each round, and a paragraph that still loses its note is kept whole. Raises
    LayoutError when a note is lost all the same.
    """
    for attempt in range(_TRIES):
        document = press.print(sections, thorough=attempt > 0)
        lost = find_lost_notes(document, sections)
        if not lost:
            return document, sections
        if attempt == 0:
            continue
        sections = tuple(replace(section, markup=_keep_whole(section.markup, lost)) for section in sections)
    raise LayoutError(
        f"{len(lost)} notes find no place on the pages ({lost[0]}); change the page or the type size"
    )


def find_lost_notes(document: Document, sections: Sequence[Section]) -> list[str]:
    """Ids of notes that are in the text and on no page."""
    printed = {name for page in document.pages for name in page.anchors}
    return [name for section in sections for name in _NOTE.findall(section.markup) if name not in printed]


def _keep_whole(markup: str, notes: Sequence[str]) -> str:
    """The block around each note is not broken any more."""
    for name in notes:
        mark = markup.find(f'<span class="footnote" id="{name}"')
        start = max(
            markup.rfind(f"<{tag}", 0, max(mark, 0)) for tag in ("p>", "p ", "li>", "li ", "dd>", "tr>")
        )
        if mark >= 0 and start >= 0:
            end = start + len(re.match(r"<\w+", markup[start:])[0])  # type: ignore[index]
            markup = f'{markup[:end]} style="break-inside: avoid"{markup[end:]}'
    return markup


#: Classes tried in turn on a chapter whose last page would hold too few lines (rule P08).
FITS = ("tight", "tighter", "loose", "looser")
_FEWEST_LINES = 4


def fit(press: Press, document: Document, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections, those that end in a scrap of a page set a little closer or wider.

    Each is tried alone: a chapter begins on a new page, so no other one changes.
    """
    depths = count_last_lines(document, [section.slug for section in sections])
    fitted = []
    for section in sections:
        if depths.get(section.slug, _FEWEST_LINES) < _FEWEST_LINES and not section.front:
            tries = (replace(section, markup=_add_class(section.markup, name)) for name in FITS)
            section = next((some for some in tries if _ends_well(some, press)), section)  # noqa: PLW2901
        fitted.append(section)
    return tuple(fitted)


def _ends_well(section: Section, press: Press) -> bool:
    document = press.print([section], alone=True)
    return count_last_lines(document, [section.slug]).get(section.slug, _FEWEST_LINES) >= _FEWEST_LINES


def _add_class(markup: str, name: str) -> str:
    return markup.replace('<section class="', f'<section class="{name} ', 1)


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


def _write_code_block(writer: Writer, node: Node) -> str:
    return (
        f"{writer.open('pre', node)}<code>{highlight(node.text, node.attrs.get('code', ''))}</code></pre>\n"
    )


def _write_link(writer: Writer, node: Node) -> str:
    href = node.attrs["href"]
    role = node.attrs.get("role", "") or ("" if href.startswith("#") else "outward")
    name = f' class="{role}"' if role else ""
    return f'<a{name} href="{escape(href)}">{writer.write(node.children)}</a>'


PRINT_RULES: Mapping[str, Rule] = {
    **RULES,
    "note": _write_note,
    "code_block": _write_code_block,
    "link": _write_link,
}
