"""A layout chooses how its chapters begin, and the first word stays one word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pypdfium2
import pytest

from pipeline.build import open_manuscript
from pipeline.errors import LayoutError
from tests.conftest import ROOT

CHAPTERS = {
    "01-one.md": "# One\n\n“Nobody sleeps well,” she said.\n\nOr so they say.\n",
    "02-two.md": "---\nlang: fa\n---\n\n# Two\n\nNext.\n",
    "90-words.md": "---\nkind: glossary\n---\n\n# Words\n\nIn short.\n\nLamp\n:   It glows.\n",
}


@pytest.fixture
def book(manuscript, build):
    """A book in a layout of its own that opens chapters in a given way."""

    def make(style: str):
        folder: Path = manuscript(CHAPTERS)
        shutil.copytree(ROOT / "layouts" / "classic", folder / "layouts" / "mine", dirs_exist_ok=True)
        path = folder / "layouts" / "mine" / "layout.toml"
        path.write_text(
            path.read_text("utf-8").replace('style = "small-caps"', f'style = "{style}"', 1), "utf-8"
        )
        return build(folder, layout="mine")

    return make


@pytest.mark.parametrize("style", ["plain", "small-caps", "initial"])
def test_the_first_word_is_whole(book, style: str) -> None:
    """For whoever copies it out of the PDF, and in the e-book, where only the style sheet knows of it."""
    built = book(style)
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        page = document[built.pdf.labels.index("1")]
        said = " ".join(page.get_textpage().get_text_range().split())
    css = built.members["style.css"].decode()

    assert "“Nobody sleeps well,” she said." in said
    assert ["“Nobody sleeps well,” she said."] == built.find(
        "one.xhtml", "//h:header/following-sibling::h:p[1]/text()"
    )
    assert ("::first-letter" in css) == (style == "initial")
    assert ("::first-line" in css) == (style == "small-caps")


def test_an_initial_is_large(book) -> None:
    """More than twice as high as the letters that follow it."""
    built = book("initial")
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        text = document[built.pdf.labels.index("1")].get_textpage()
        start = text.get_text_range().index("Nobody")
        heights = [box[3] - box[1] for box in (text.get_charbox(i, loose=True) for i in (start, start + 1))]

    assert heights[0] > 2 * heights[1]


def test_a_style_that_is_not_there(book) -> None:
    """Is told with those that are."""
    with pytest.raises(LayoutError) as caught:
        book("initials")

    assert "layouts/mine/layout.toml: [opening] style is 'initials'; did you mean 'initial'?" == str(
        caught.value
    )


def test_the_layouts_that_come_with_the_project_open_as_they_did(copied) -> None:
    """Classic with small capitals, modern plainly."""
    manuscript = open_manuscript(copied("bare"))

    assert ["small-caps", "plain"] == [
        manuscript.read_layout(name).tokens["opening-style"] for name in ("classic", "modern")
    ]
