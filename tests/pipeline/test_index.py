"""The index names each page once, in its order, and leads there."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from pipeline.build import open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.errors import PipelineError
from pipeline.locators import Pages, list_locators
from pipeline.model import Node
from tests.conftest import BOOK_TOML, MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "index" / "golden"
LABELS = ["i", "ii", "iii", "iv", "1", "2", "3", "4", "5", "6", "7", "8"]


def places(*spans: str) -> list[Node]:
    """Places by the page they are on; `3-5` is a range."""
    found = []
    for span in spans:
        start, _, end = span.partition("-")
        until = {"until": end} if end else {}
        found.append(Node("place", attrs={"href": f"#{start}", "chapter": "a", "label": "A", **until}))
    return found


@pytest.mark.parametrize(
    ("marks", "printed"),
    [
        (["3"], "3"),
        (["3", "3"], "3"),
        (["5", "3"], "3, 5"),
        (["3", "4"], "3, 4"),
        (["1", "3", "4", "5"], "1, 3–5"),
        (["3-4"], "3–4"),
        (["3-4", "4", "5"], "3–5"),
        (["2-6", "3-4"], "2–6"),
        (["iii", "iv", "1", "2"], "iii, iv, 1, 2"),
        (["ii", "iii", "iv", "1"], "ii–iv, 1"),
        (["iv-2"], "iv–2"),
        (["4-4"], "4"),
    ],
)
def test_pages_are_merged(marks: list[str], printed: str) -> None:
    """Each once, three in a row as a range, and no range from one numbering into the other by chance."""
    pages = Pages(LABELS, {label: number for number, label in enumerate(LABELS)})

    assert printed == ", ".join(locator.text for locator in list_locators(places(*marks), pages))


def test_without_pages_the_chapters_are_named() -> None:
    """An e-book without a PDF beside it has no page to tell."""
    assert ["A"] == [locator.text for locator in list_locators(places("3", "5"), Pages())]


def test_the_index_is_the_golden_one(build, golden) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / "index.xhtml", build("index").members["index.xhtml"].decode())
    cells = build("index").members["cells.xhtml"].decode()
    golden(GOLDEN / "cells.xhtml", re.sub(r"[A-Z][a-z]+( [a-z]+){40,}", "…", cells))


def test_print_and_ebook_name_the_same_pages(build) -> None:
    """Word for word, for both are made of the pages of the PDF."""
    built = build("index")
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        printed = document[len(document) - 1].get_textpage().get_text_range()
    entries = ["".join(li.itertext()).split("\n")[0] for li in built.find("index.xhtml", "//h:li[not(h:ul)]")]

    assert 10 == len(entries)
    assert [] == [entry for entry in entries if entry not in " ".join(printed.split())]


def test_links_lead_to_the_page_they_name(build) -> None:
    """Each link of the printed index ends on the page whose number it bears."""
    with pikepdf.open(io.BytesIO(build("index").pdf_bytes)) as pdf:
        labels = [page.label for page in pdf.pages]
        homes = {page.objgen: label for page, label in zip(pdf.pages, labels, strict=True)}
        names = pdf.Root.Names.Dests.Names
        targets = {str(names[i]): homes[names[i + 1][0].objgen] for i in range(0, len(names), 2)}
        led = [str(link.Dest) for link in pdf.pages[-1].Annots]

    printed = [a.text for a in build("index").find("index.xhtml", "//h:a[@class='place']")]
    assert [text.split("–")[0] for text in printed] == [
        targets[name] for name in led if not name.startswith("index-")
    ]
    assert {"vii", "1", "2", "3", "5", "6"} == {targets[name] for name in led} - {"7"}


def test_a_mark_in_a_note_is_found(build) -> None:
    """It stands where the note is printed."""
    built = build("index")
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        page = built.pdf.places["cells-m9"]
        assert "in a note" in document[page].get_textpage().get_text_range()


def test_a_part_of_the_book_has_an_index_of_its_own(build) -> None:
    """Of what is in it; what an entry leads to in the full book is left out."""
    entries = build("index", edition="sample").find("index.xhtml", "//h:span[@class='entry']/text()")

    assert "immune system" in entries
    assert "rest" not in entries


def test_readers_programs_know_the_index(build) -> None:
    """It is among the landmarks."""
    found = build("index").find("nav.xhtml", "//h:nav[@epub:type='landmarks']//h:a[@epub:type='index']/@href")

    assert ["index.xhtml"] == found


def test_two_builds_give_the_same_bytes(build, copied) -> None:
    """The index is laid out by itself, and joined to the book, in the same way each time."""
    from pipeline.build import make_edition

    again = make_edition(open_manuscript(copied("index")), EditionTable(name="full"))

    assert build("index").pdf_bytes == next(iter(again[0].files.values()))
    assert build("index").epub_bytes == next(iter(again[1].files.values()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[]{index="sleep" range=begin}', "the range that begins here has no end; write range=end where it does"),
        ('[]{index="sleep" range=end}', "no range of 'sleep' has begun; write range=begin where it does"),
        ('[]{index="a" range=begin} [b]{index="a" range=begin}',
         "the range of 'a' has begun already (chapters/01-one.md:3); end that first"),
        ('[]{index="a" range=middle}', "range= is begin where the pages begin, and end where they end"),
        ('[]{index="a" see="b"}', "the index has no entry 'b' to see; mark it somewhere, or correct the name"),
        ("[]{.index}", 'this names no entry of the index; write index="the entry"'),
        ('[b]{see="a"}', 'see= belongs to a mark of the index; write index="the entry" before it'),
        ('[b]{index="a > "}',
         "'a > ' has an empty step; write index=\"cells > NK cells\", a semicolon between two entries"),
    ],
)  # fmt: skip
def test_faults_say_what_to_do(manuscript, text: str, message: str) -> None:
    """With the line to mend."""
    folder: Path = manuscript(f"# One\n\nText. {text}\n", toml=BOOK_TOML)

    with pytest.raises(PipelineError) as caught:
        resolve_edition(open_manuscript(folder), EditionTable(name="full"))

    assert f"chapters/01-one.md:3: {message}" in str(caught.value)


def test_a_title_holds_no_mark(manuscript) -> None:
    """The contents and the running heads would repeat it."""
    folder: Path = manuscript("# One [cell]{.index}\n\nText.\n", toml=BOOK_TOML)

    with pytest.raises(PipelineError, match="move the mark into the text"):
        open_manuscript(folder)
