"""A chapter has the same words, in the same order, in the PDF, the EPUB, a letter and the letter's text part.

The EPUB says what is expected of the others. All that they may say otherwise:

PDF     a number follows a reference, the page's; the spaces in "Chapter 1" are set by eye;
        a table that goes on on the next page has its heads again; the words drawn in a picture belong to the
        picture, and its description is compared; running heads and page numbers are furniture, and looked at alone.
letter  it is headed by its title alone, which a dedication has too, and signed as the issue says (by-line, foot);
        references name their target in full, for there is no page to turn to; figures are counted from 1;
        a bare address goes without its scheme; on a phone each cell of a wide table has its column's head.
text    as the letter, and addresses are read out, pictures announced; each cell of a wide table has its head.
neither what `::: only output=email` and `output=book` set apart: the letter is made of what a book has.

Small and capital letters and punctuation are not compared. The works cited stand at the end of the letter, and
only those; notes are compared with their marks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from lxml import etree
from lxml import html as lxml_html

from pipeline.formats.issue import Issue
from pipeline.layouts import list_layouts
from pipeline.model import Mailing
from pipeline.newsletter import render_issue
from tests.reading.markup import Element, Markup
from tests.reading.pages import Page, read_pages
from tests.reading.words import Piece, Ways, Word, find_difference, list_words, split_words

ROOT = Path(__file__).parents[2]
MANUSCRIPTS = ROOT / "tests" / "manuscripts"
HOMES = {"sample": ROOT, "everything": MANUSCRIPTS / "everything", "letter": MANUSCRIPTS / "letter"}
LAYOUTS = list_layouts(ROOT)
#: What another edition has, and what the press makes.
AWAY = {("sample", "44-where-to-get-the-rest.md")}
MADE = [*((case, "references") for case in HOMES), ("sample", "index")]
FILES = [
    (case, path.name) for case, home in HOMES.items() for path in sorted(home.glob("chapters/*.md"))
    if (case, path.name) not in AWAY
]  # fmt: skip
NAMES = {"h": "http://www.w3.org/1999/xhtml"}

# -- what a letter says otherwise than a book

#: A letter has no page to turn to: what a reference points at is named in full. Its figures are counted from 1.
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
        stacked += [first, *chain(*zip(heads[1:], others, strict=True))]
    return [*_read_caption(reader, table), _set_in_one_of([*heads, *chain(*rows)], stacked)]


def _say_table_in_text(reader: Markup, table: Element) -> list[Piece]:
    """In a terminal, rows too long for a line are stacked, and each cell stands behind the head of its column."""
    heads, rows = _read_cells(reader, table)
    stacked = [word for row in rows for word in chain(*zip(heads, row, strict=True))]
    return [*_read_caption(reader, table), _set_in_one_of([*heads, *chain(*rows)], stacked)]


def _say_table_in_print(reader: Markup, table: Element) -> list[Piece]:
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
PRINT = Markup({"table": _say_table_in_print})
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

    def read_print(self, slug: str) -> tuple[list[Word], list[Word]]:
        """The running text of a chapter's pages, and the notes at their feet."""
        pages = self.list_pages(slug)
        return tuple(
            list_words(chain(*side)) for side in zip(*((p.text, p.notes) for p in pages), strict=True)
        )

    def make_letter(self, slug: str) -> Issue:
        """The whole chapter as a letter, with the passages of `::: only` that a book has."""
        chapter = next(chapter for chapter in self.built.book.chapters if chapter.slug == slug)
        sent = replace(chapter, mailing=Mailing(layout=self.layout))
        return render_issue(self.built.manuscript, self.built.book, sent)

    def name_in_full(self, section: Element) -> None:
        """Count the figures and tables of `section` from 1, and put what a letter says in place of each reference."""
        labels: dict[str, str] = {}
        for label in section.xpath(".//h:span[@class='label']", namespaces=NAMES):
            kind = label.text.split()[0]
            number = 1 + sum(other.startswith(kind) for other in labels.values())
            label.text = labels[label.xpath("string(../../@id)")] = f"{kind} {number}"
        for link in section.xpath(".//h:a[contains(@class, 'ref ')]", namespaces=NAMES):
            home, _, target = link.get("href").partition("#")
            saying = REFERENCES.get((link.get("class").removeprefix("ref "), not home), "{label}")
            label = labels.get("" if home else target) or "".join(link.itertext())
            title = self.built.find(home or f"{section.get('id')}.xhtml", "string(//h:h1)")
            link.text, link[:] = saying.format(label=label, title=title), []

    def list_sources(self, section: Element) -> list[Element]:
        """The works that `section` cites, in the order of the book's list."""
        cited = set(section.xpath(".//h:a[contains(@class, 'biblioref')]/@href", namespaces=NAMES))
        if not cited:
            return []
        return [
            p
            for p in self.built.find("references.xhtml", "//h:p")
            if f"references.xhtml#{p.get('id')}" in cited
        ]


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
    """The chapter made of a file; what the press makes has no file of its own."""
    sources = {f"chapters/{name}", name}
    return next(c.slug for c in book.built.book.chapters if {c.source, c.slug} & sources)


# -- what each is expected to say


def take(section: Element, path: str) -> list[Element]:
    """Take what a path finds out of `section`."""
    found = section.xpath(path, namespaces=NAMES)
    for element in found:
        element.tail = None
        element.getparent().remove(element)
    return found


def expect_print(section: Element) -> tuple[list[Word], list[Word]]:
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


def expect_letter(book: Printed, slug: str, issue: Issue, manner: Markup) -> list[Word]:
    """Title, by-line, text, notes, sources and foot; the by-line and the foot are the issue's own."""
    section = book.take_section(slug)
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


def read_html(markup: str) -> list[Word]:
    """A letter from its title on: what stands above is the preheader and the name of the list."""
    page = lxml_html.document_fromstring(markup)
    for element in page.xpath("//h1/preceding::*[not(*)]"):
        element.text = None
    return list_words(PLAIN.read(page))


def read_text(text: str) -> list[Word]:
    return list_words([text])


# -- the same words


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("case", "name"), [*FILES, *MADE])
def test_a_chapter_has_the_same_words_in_pdf_and_epub(printed, case: str, name: str, layout: str) -> None:
    """Running text against running text, notes against notes; the works cited and the index have no file."""
    book = printed(case, layout)
    slug = find_slug(book, name)
    text, notes = expect_print(book.take_section(slug))
    said, said_notes = book.read_print(slug)

    assert text
    assert "" == find_difference(text, said)
    assert "" == find_difference(notes, said_notes)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("case", "name"), FILES)
def test_a_chapter_has_the_same_words_in_a_letter(printed, case: str, name: str, layout: str) -> None:
    """In both parts, from the title to the foot."""
    book = printed(case, layout)
    slug = find_slug(book, name)
    issue = book.make_letter(slug)
    html, text = expect_letter(book, slug, issue, LETTER), expect_letter(book, slug, issue, TEXT)

    assert "" == find_difference(html, read_html(issue.files["body.html"].decode()))
    assert "" == find_difference(text, read_text(issue.files["body.txt"].decode()))


@pytest.mark.parametrize("case", HOMES)
def test_every_chapter_is_compared(printed, case: str) -> None:
    """None has a file that was not found."""
    book = printed(case, "classic")
    found = {find_slug(book, name) for home, name in [*FILES, *MADE] if home == case}

    assert {chapter.slug for chapter in book.built.book.chapters} == found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", HOMES)
def test_what_a_screen_reader_passes_over_is_furniture(printed, case: str, layout: str) -> None:
    """The title of the book or of a chapter, and the page's number."""
    book = printed(case, layout)
    titles = ["", book.built.book.meta.title, *(chapter.title for chapter in book.built.book.chapters)]

    for page in book.pages:
        heads = [split_words(f"{title} {page.label}") for title in titles]
        assert sorted(split_words(page.furniture)) in [[], *map(sorted, heads)]


# -- no word can be lost or said twice

SLUG = "every-construct"  # the chapter with all there is
#: A word that is shown: it stands in no tag, and is no name of a sign.
SHOWN = r"(?<![&#\w])\w+\b(?![^<>]*>)(?!;)"


def spoil(text: str, words: str = r"\w+") -> Iterator[str]:
    """`text` without each of its words, and with each of them twice."""
    for word in re.finditer(words, text):
        yield text[: word.start()] + text[word.end() :]
        yield f"{text[: word.end()]} {text[word.start() :]}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_word_of_a_letter_can_change(printed, layout: str) -> None:
    """Left out or said twice, each word of both parts makes a difference."""
    book = printed("letter", layout)
    issue = book.make_letter(SLUG)
    html, text = (expect_letter(book, SLUG, issue, manner) for manner in (LETTER, TEXT))
    markup = re.sub("<!--.*?-->", "", issue.files["body.html"].decode(), flags=re.DOTALL)
    head, title, body = markup.partition("<h1")

    missed = [
        body for body in spoil(body, SHOWN) if not find_difference(html, read_html(head + title + body))
    ]
    assert [] == missed
    assert all(find_difference(text, read_text(said)) for said in spoil(issue.files["body.txt"].decode()))


def test_no_word_of_an_epub_can_change(printed) -> None:
    """Left out or said twice, each word of a chapter makes a difference to its pages."""
    book = printed("letter", "classic")
    text, notes = book.read_print(SLUG)
    markup = re.sub("<h2 class=.notes-title.*?/h2>", "", book.built.members[f"{SLUG}.xhtml"].decode())
    head, tag, body = markup.partition("<section")

    for spoiled in spoil(body, SHOWN):
        (section,) = etree.fromstring((head + tag + spoiled).encode()).findall("{*}body/{*}section")
        expected, expected_notes = expect_print(section)
        assert find_difference(expected, text) or find_difference(expected_notes, notes)


@pytest.mark.parametrize("number", range(4))
def test_no_line_of_a_pdf_can_change(printed, number: int) -> None:
    """Left out or drawn twice, a piece of a line on any page makes a difference."""
    book = printed("letter", "classic")
    text, notes = expect_print(book.take_section(SLUG))
    page = book.pages.index(book.list_pages(SLUG)[number])

    for spoiled in spoil_page(book.built.pdf_bytes, page, every=5):
        said, said_notes = replace(book, pages=read_pages(spoiled)).read_print(SLUG)
        assert find_difference(text, said) or find_difference(notes, said_notes)


def spoil_page(data: bytes, number: int, *, every: int) -> Iterator[bytes]:
    """A PDF without each of the pieces drawn on a page, and with each twice; the last is the running head."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        page = pdf.pages[number]
        drawn = list(pikepdf.parse_content_stream(page))
        for at in [at for at, step in enumerate(drawn) if is_text(step)][:-1:every]:
            for changed in (drawn[:at] + drawn[at + 1 :], drawn[: at + 1] + drawn[at:]):
                page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(changed))
                out = io.BytesIO()
                pdf.save(out)
                yield out.getvalue()


def is_text(step: pikepdf.ContentStreamInstruction) -> bool:
    """Whether it draws more signs, of two bytes each, than a bullet has or ` (p. 12)` behind a reference."""
    if str(step.operator) != "TJ":
        return False
    return sum(len(bytes(signs)) for signs in step.operands[0] if isinstance(signs, pikepdf.String)) > 2 * 8
