"""A chapter has the same words, in the same order, in the PDF, the EPUB, a letter and the letter's text part.

The EPUB says what is expected. The PDF says just that. A letter says it as letters do: what it says otherwise,
in its HTML and in its text part, stands in this file and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html

from pipeline.formats.issue import Issue
from pipeline.layouts import list_layouts
from pipeline.model import Mailing
from pipeline.newsletter import render_issue
from tests.reading.markup import Element, Markup, has_class
from tests.reading.pages import Page, read_pages
from tests.reading.words import Piece, Ways, Word, find_difference, list_words, split_words

ROOT = Path(__file__).parents[2]
MANUSCRIPTS = ROOT / "tests" / "manuscripts"
HOMES = {"sample": ROOT, "everything": MANUSCRIPTS / "everything", "letter": MANUSCRIPTS / "letter"}
LAYOUTS = list_layouts(ROOT)
FILES = [(case, path.name) for case, home in HOMES.items() for path in sorted(home.glob("chapters/*.md"))]
NAMES = {"h": "http://www.w3.org/1999/xhtml"}

# -- what a letter says otherwise than a book

#: A letter has no page to turn to: what a reference points at is named in full.
#: Kind of reference, and whether its target is in the same chapter -> what stands for it.
REFERENCES = {
    ("ch", False): "the chapter “{title}”",
    ("sec", True): "“{label}”",
    ("sec", False): "“{label}” in the chapter “{title}”",
    ("fig", False): "{label} of the full book",
    ("tbl", False): "{label} of the full book",
}


def _say_link(reader: Markup, link: Element) -> list[Piece]:
    """A letter leaves off the scheme of an address that stands for itself."""
    label = "".join(link.itertext())
    return [re.sub("^https?://", "", label)] if label == link.get("href") else reader.read_inside(link)


def _say_link_in_text(reader: Markup, link: Element) -> list[Piece]:
    """Where nothing can be pressed the address is read, once."""
    label, href = "".join(link.itertext()), link.get("href")
    if not re.match("https?:|mailto:", href):
        return reader.read_inside(link)
    address = href.removeprefix("mailto:")
    return [address] if address.endswith(label) else [*reader.read_inside(link), f" ({address})"]


def _say_picture_in_text(_: Markup, picture: Element) -> list[Piece]:
    """The text part says that there is a picture."""
    alt = picture.get("alt", "")
    return [f"[Image: {alt}]"] if alt else []


def _say_table(reader: Markup, table: Element) -> list[Piece]:
    """On a phone, rows are stacked, and each cell but the first stands behind the head of its column."""
    heads, rows = _read_cells(reader, table)
    stacked = [*heads]
    for first, *others in rows:
        stacked += [first, *(word for pair in zip(heads[1:], others, strict=True) for word in pair)]
    return [*_read_caption(reader, table), _set_in_one_of(heads + sum(rows, []), stacked)]


def _say_table_in_text(reader: Markup, table: Element) -> list[Piece]:
    """In a terminal, rows too long for a line are stacked, and each cell stands behind the head of its column."""
    heads, rows = _read_cells(reader, table)
    stacked = [word for row in rows for pair in zip(heads, row, strict=True) for word in pair]
    return [*_read_caption(reader, table), _set_in_one_of(heads + sum(rows, []), stacked)]


def _say_table_on_pages(reader: Markup, table: Element) -> list[Piece]:
    """Where a table goes on on the next page, its heads are printed again."""
    heads, rows = _read_cells(reader, table)
    pieces = [*_read_caption(reader, table), " ".join(heads)]
    for row in rows:
        pieces += [_set_in_one_of(heads, []), " ".join(row)]
    return pieces


def _read_caption(reader: Markup, table: Element) -> list[Piece]:
    return [piece for caption in table.iter("{*}caption") for piece in reader.read(caption)]


def _read_cells(reader: Markup, table: Element) -> tuple[list[str], list[list[str]]]:
    """The heads of the columns, and the rows."""
    rows = [["".join(map(str, reader.read(cell))) for cell in row] for row in table.iter("{*}tr")]
    return (rows[0], rows[1:]) if table.find("{*}thead") is not None else ([""] * len(rows[0]), rows)


def _set_in_one_of(*ways: list[str]) -> Ways:
    return Ways(tuple(tuple(split_words(" ".join(cells))) for cells in ways))


PLAIN = Markup()
PRINT = Markup({"table": _say_table_on_pages})
LETTER = Markup({"a": _say_link, "table": _say_table})
TEXT = Markup({"a": _say_link_in_text, "img": _say_picture_in_text, "table": _say_table_in_text})



# -- the outputs


@dataclass(frozen=True)
class Printed:
    """One book in one layout: what was made of it, and its pages, read."""

    built: Any
    layout: str
    pages: Sequence[Page]

    def take_section(self, slug: str) -> Element:
        """A chapter of the EPUB, to take apart."""
        return deepcopy(self.built.find(f"{slug}.xhtml", "//h:body/h:section")[0])

    def list_pages(self, slug: str) -> list[Page]:
        """The pages of a chapter: from the one where the EPUB says it begins, to where another does."""
        owner = ""
        owners = []
        for page in self.pages:
            owner = self._openings.get(page.label, owner)
            owners.append(owner)
        return [page for page, owner in zip(self.pages, owners, strict=True) if owner == slug]

    @cached_property
    def _openings(self) -> dict[str, str]:
        labels = "//*[@role='doc-pagebreak']/@aria-label"
        slugs = [chapter.slug for chapter in self.built.book.chapters]
        return {self.built.find(f"{slug}.xhtml", labels)[0]: slug for slug in slugs}

    def make_letter(self, slug: str) -> Issue:
        """The whole chapter as a letter, with the passages of `::: only` that a book has."""
        chapter = next(chapter for chapter in self.built.book.chapters if chapter.slug == slug)
        sent = replace(chapter, mailing=Mailing(layout=self.layout))
        return render_issue(self.built.manuscript, self.built.book, sent)

    def name_in_full(self, section: Element) -> None:
        """Put what a letter says in place of each reference."""
        for link in section.xpath(".//h:a[contains(@class, 'ref ')]", namespaces=NAMES):
            home = link.get("href").partition("#")[0]
            kind = link.get("class").removeprefix("ref ")
            title = self.built.find(home or f"{section.get('id')}.xhtml", "string(//h:h1)")
            saying = REFERENCES.get((kind, not home), "{label}")
            link.text = saying.format(label="".join(link.itertext()), title=title)
            link[:] = []

    def list_sources(self, section: Element) -> list[Element]:
        """The works that `section` cites, in the order of the book's list."""
        cited = set(section.xpath(".//h:a[contains(@class, 'biblioref')]/@href", namespaces=NAMES))
        if not cited:
            return []
        return [p for p in self.built.find("references.xhtml", "//h:p") if f"references.xhtml#{p.get('id')}" in cited]


@pytest.fixture(scope="module")
def printed(build: Callable[..., Any]) -> Callable[[str, str], Printed]:
    """A book in a layout, made once."""
    made: dict[tuple[str, str], Printed] = {}

    def make(case: str, layout: str) -> Printed:
        if (case, layout) not in made:
            built = build(case, layout=layout)
            made[case, layout] = Printed(built, layout, read_pages(built.pdf_bytes))
        return made[case, layout]

    return make


def find_slug(book: Printed, name: str) -> str:
    return next(c.slug for c in book.built.book.chapters if c.source == f"chapters/{name}")


# -- what each is expected to say


def take(section: Element, path: str) -> list[Element]:
    """Take what a path finds out of `section`."""
    found = section.xpath(path, namespaces=NAMES)
    for element in found:
        element.tail = None
        element.getparent().remove(element)
    return found


def expect_page(section: Element) -> tuple[list[Word], list[Word]]:
    """The running text, in which nothing is said otherwise, and the notes, which stand at the foot of pages."""
    for label in section.xpath(".//h:p[@class='chapter-label']", namespaces=NAMES):
        label.text, label[:] = "".join("".join(label.itertext()).split()), []  # its spaces are the layout's
    notes = take_notes(section)
    for note in notes:
        take(note, "h:h2")
    return list_words(PRINT.read(section)), list_words(read_all(PRINT, notes))


def take_notes(section: Element) -> list[Element]:
    """The notes, without the arrows that lead back."""
    take(section, ".//h:a[@class='backlink']")
    return take(section, "h:section[@class='notes']")


def expect_letter(book: Printed, section: Element, issue: Issue, manner: Markup) -> list[Word]:
    """Title, by-line, text, notes, sources and foot; the by-line and the foot are the issue's own."""
    sources = book.list_sources(section)
    book.name_in_full(section)
    take(section, ".//h:header/h:p[@class='chapter-label' or @class='byline']")
    heading = take(section, ".//h:h1")
    subtitle = take(section, ".//h:p[@class='subtitle']")
    notes = take_notes(section)
    reviewed = take(section, "h:p[@class='reviewed']")
    frame = issue.frame
    parts = [
        *(read_all(manner, heading) or [section.get("aria-label")]),
        *read_all(manner, subtitle),
        f" {frame.date} {frame.byline} ",
        *read_all(manner, [section, *reviewed, *notes]),
        *([f" {frame.words['sources']} "] if sources else []),
        *read_all(manner, sources),
        *[f" {line} " for line in frame.footer],
        *[f" {label} {address if manner is TEXT else ''} " for label, address in frame.links],
    ]
    return list_words(parts)


def read_all(reader: Markup, elements: Sequence[Element]) -> list[Piece]:
    return [piece for element in elements for piece in reader.read(element)]


def read_html(data: bytes) -> list[Word]:
    """A letter from its title on: what stands above is the preheader and the name of the list."""
    page = lxml_html.document_fromstring(data)
    for element in page.xpath("//h1/preceding::*[not(*)]"):
        element.text = None
    return list_words(PLAIN.read(page))


def read_text(data: bytes) -> list[Word]:
    return list_words([re.sub("^=+$", "", data.decode(), flags=re.MULTILINE)])


# -- the same words


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("case", "name"), FILES)
def test_a_chapter_has_the_same_words_in_pdf_and_epub(printed, case: str, name: str, layout: str) -> None:
    """Running text against running text, notes against notes."""
    book = printed(case, layout)
    slug = find_slug(book, name)
    text, notes = expect_page(book.take_section(slug))
    pages = book.list_pages(slug)

    assert text
    assert "" == find_difference(text, list_words(piece for page in pages for piece in page.text))
    assert "" == find_difference(notes, list_words(piece for page in pages for piece in page.notes))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("case", "name"), FILES)
def test_a_chapter_has_the_same_words_in_a_letter(printed, case: str, name: str, layout: str) -> None:
    """In both parts, from the title to the foot."""
    book = printed(case, layout)
    slug = find_slug(book, name)
    issue = book.make_letter(slug)
    html, text = (expect_letter(book, book.take_section(slug), issue, manner) for manner in (LETTER, TEXT))

    assert "" == find_difference(html, read_html(issue.files["body.html"]))
    assert "" == find_difference(text, read_text(issue.files["body.txt"]))
