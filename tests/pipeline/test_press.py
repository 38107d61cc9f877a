"""Sections come to pages whole: no note is lost, no chapter ends in a scrap of a page."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.errors import LayoutError
from pipeline.model import FaceSpec
from pipeline.press import Press, find_lost_notes, fit, lay_out_whole
from pipeline.sections import Section
from pipeline.typeset import Sheet, count_last_lines, prepare_type

CSS = """
@page { size: 300px 400px; margin: 20px }
html { font: 14px/20px 'Source Serif 4' }
p { margin: 0; orphans: 1; widows: 1 }
.footnote { float: footnote }
.tight { word-spacing: -0.1em }
.loose { word-spacing: 0.3em }
"""
WORDS = "One quiet line of words after another until the page is full and the next one has begun. "


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Press:
    """A small page, so that few words fill it."""
    cache = tmp_path_factory.mktemp("cache")
    kind = prepare_type([FaceSpec("Source Serif 4", "fontpkg-source-serif-4")], cache)

    def make_sheet(sections: Sequence[Section]) -> Sheet:
        return Sheet('<html lang="en">' + "".join(section.markup for section in sections), CSS)

    return Press(make_sheet, kind)


def make_section(text: str, slug: str = "a") -> Section:
    return Section(slug, "chapter", "A", f'<section class="chapter" id="{slug}">{text}</section>')


def make_note(number: int) -> str:
    return f'<span class="footnote" id="a-note-{number}">Note {number}.</span>'


def test_every_note_of_a_long_chapter_is_printed(press: Press) -> None:
    """Thirty notes over many pages, each on one of them."""
    chapter = make_section("".join(f"<p>{WORDS}{make_note(n)}</p>" for n in range(30)))

    document, sections = lay_out_whole(press, (chapter,))

    assert [] == find_lost_notes(document, sections)


def test_a_note_that_is_on_no_page_is_found(press: Press) -> None:
    """What stands in the text and not on the pages is named."""
    document = press.print([make_section("<p>No note.</p>")])

    assert ["a-note-7"] == find_lost_notes(document, [make_section(f"<p>x{make_note(7)}</p>")])


def test_a_note_that_cannot_be_printed_stops_the_book(press: Press) -> None:
    """A note that is hidden is on no page, and no try helps."""
    chapter = make_section("<p>x" + make_note(1).replace('">Note', '" style="display: none">Note') + "</p>")

    with pytest.raises(LayoutError, match="a-note-1"):
        lay_out_whole(press, (chapter,))


def test_a_chapter_that_ends_in_a_scrap_is_set_closer_or_wider(press: Press) -> None:
    """One line on the last page becomes none, or enough."""
    for words in range(100, 240, 3):
        chapter = make_section("<p>" + " ".join((WORDS * 20).split()[:words]) + "</p>")
        document = press.print([chapter])
        if count_last_lines(document, ["a"]).get("a", 9) < 2:
            break

    (fitted,) = fit(press, document, (chapter,))

    assert fitted.markup != chapter.markup
    assert count_last_lines(press.print([fitted]), ["a"]).get("a", 4) >= 4


def test_a_chapter_that_ends_well_stays_as_it_is(press: Press) -> None:
    """Nothing is touched without need."""
    chapter = make_section(f"<p>{WORDS * 20}</p>")
    document = press.print([chapter])

    assert (chapter,) == fit(press, document, (chapter,)) or count_last_lines(document, ["a"])["a"] < 4
