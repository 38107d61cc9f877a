"""Notes stand where book.toml wants them, and lead back to their marks."""

from __future__ import annotations

import re

import pypdfium2
import pytest

from pipeline.build import open_manuscript
from pipeline.newsletter import resolve_mail
from tests.conftest import MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "endnotes" / "golden"
TOML = '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\ncover = "none"\n[ebook]\nnotes = "{place}"\n'
CHAPTERS = {
    "01-one.md": "# One\n\nWords.^[The first note.]\n",
    "02-two.md": "# Two\n\nMore.^[The second note.]\n",
}


@pytest.mark.parametrize("page", ["water.xhtml", "notes.xhtml"])
def test_the_pages_are_the_golden_ones(build, golden, page: str) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / page, build("endnotes").members[page].decode())


def test_every_mark_leads_to_its_note_and_back(build) -> None:
    """Across files; a note that is referred to twice leads back to where it was first."""
    built = build("endnotes")
    marks = [
        (page, mark) for page in ("water.xhtml", "soil.xhtml")
        for mark in built.find(page, "//h:a[@role='doc-noteref']")
    ]  # fmt: skip
    for page, mark in marks:
        home, _, name = mark.get("href").partition("#")
        (note,) = built.find(home, f"//h:aside[@id='{name}']")
        (back,) = note.iterfind(".//{*}a[@role='doc-backlink']")
        assert back.get("href") == f"{page}#{name}-mark"
        assert mark.get("id") in {f"{name}-mark", None}

    assert ["1", "2", "1", "1", "2"] == [mark.text for _, mark in marks]


def test_the_notes_stand_under_their_chapters(build) -> None:
    """Each chapter that has some, under its number and title."""
    titles = build("endnotes").find("notes.xhtml", "//h:section[@id='notes']/h:h2")

    assert ["1. Water", "2. Good Soil"] == ["".join(title.itertext()) for title in titles]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("foot", ["One first", "Two second"]),
        ("chapter", ["One Notes first", "Two Notes second"]),
        ("book", ["One", "Two", "Notes first second"]),
    ],
)
def test_print_has_them_where_they_are_wanted(build, manuscript, place: str, expected: list[str]) -> None:
    """On the pages of the chapter, or on pages of their own behind it; none is lost."""
    folder = manuscript(CHAPTERS, toml=TOML.format(place=place))
    with pypdfium2.PdfDocument(build(folder).pdf_bytes) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    words = [
        re.findall(r"^(?:One|Two|Notes)(?=\s*$)|first(?= note)|second(?= note)", text, re.MULTILINE)
        for text in texts
    ]

    assert expected == [" ".join(found) for found in words[6:] if found]


def test_a_chapter_lists_its_own_works(build) -> None:
    """With ids that no other chapter has, and every citation leads there."""
    built = build("endnotes")
    for page, count in (("water.xhtml", 2), ("notes.xhtml", 1)):
        links = built.find(page, "//h:a[@class='biblioref']/@href")
        works = built.find(page, "//h:section[@role='doc-bibliography']/h:p/@id")
        assert count == len(works) == len(links)
        assert set(links) == {f"#{name}" for name in works}

    assert "references.xhtml" not in built.members


def test_letters_keep_their_own(copied) -> None:
    """A letter has its notes and sources at its end, whatever the book does."""
    from pipeline.mail.compose import compose

    manuscript = open_manuscript(copied("endnotes"))
    book = resolve_mail(manuscript)
    words = manuscript.read_layout("classic").read_words("en")
    letter = compose(book, book.chapters[0], words)

    assert (2, 2) == (len(letter.notes), len(letter.sources))
    assert all(note.children for note in letter.notes)
