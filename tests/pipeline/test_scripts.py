"""A book speaks several languages, each in its own script, its own direction and its own fonts."""

from __future__ import annotations

import pypdfium2
import pytest
from PIL import ImageChops

from pipeline.build import choose_editions, make_edition, open_manuscript
from pipeline.directions import find_direction, mirror
from pipeline.errors import PipelineError
from tests.conftest import BOOK_TOML, MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "scripts" / "golden"


@pytest.mark.parametrize("page", ["english.xhtml", "garden.xhtml"])
def test_the_pages_are_the_golden_ones(build, golden, page: str) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / page, build("scripts").members[page].decode())


def test_what_is_written_the_other_way_says_so(build) -> None:
    """Chapters, paragraphs and words; nothing else has to say it."""
    built = build("scripts")
    (section,) = built.find("garden.xhtml", "//h:section[@id='garden']")
    turned = [(e.get("lang"), e.get("dir")) for e in built.find("english.xhtml", "//*[@dir]")]
    back = [(e.get("lang"), e.get("dir")) for e in built.find("garden.xhtml", "//h:p[@dir]")]

    assert ("he", "rtl") == (section.get("lang"), section.get("dir"))
    assert [("he", "rtl"), ("ar", "rtl"), ("ar", "rtl")] == turned
    assert [("en", "ltr")] == back


def test_boxes_speak_the_language_of_their_chapter(build) -> None:
    """The title that the press prints over them is its word, not the book's."""
    (title,) = build("scripts").find("garden.xhtml", "//h:p[@class='box-title']/text()")

    assert "בטיחות" == title


def test_a_book_from_right_to_left_is_turned_the_other_way(build) -> None:
    """Pages of the e-book, and a chapter in English the way it is written."""
    built = build("hebrew-book")

    assert ["rtl"] == built.find("content.opf", "//opf:spine/@page-progression-direction")
    assert {"rtl"} == {built.parse(name).get("dir") for name in built.pages}
    assert ["ltr"] == built.find("english.xhtml", "//h:section/@dir")
    assert [] == build("scripts").find("content.opf", "//opf:spine/@page-progression-direction")


def test_print_begins_on_the_side_where_the_script_does(build) -> None:
    """The ink of the Hebrew chapter's list is at the right of the page, in either book."""
    for case, label in (("scripts", "3"), ("hebrew-book", "1")):
        built = build(case)
        with pypdfium2.PdfDocument(built.pdf_bytes) as document:
            page = document[built.pdf.labels.index(label)]
            image = page.render(scale=1).to_pil().convert("L")
        blank = image.copy()
        blank.paste(255, (0, 0, *image.size))
        left, top, right, bottom = 0, int(image.height * 0.47), image.width, int(image.height * 0.8)
        ink = ImageChops.difference(image, blank).crop((left, top, right, bottom)).getbbox()
        assert ink
        assert image.width - ink[2] < ink[0]


def test_the_index_of_such_a_book_goes_on_where_it_stopped(build) -> None:
    """Its first page has the number that the contents name, and stands on that side."""
    built = build("hebrew-book")

    assert built.pdf.labels[built.pdf.places["index"]] == built.pdf.labels[-1] == "4"


def test_fonts_of_the_book_s_own_are_used_and_passed_on(build) -> None:
    """No character is missing, and the e-book carries the faces."""
    built = build("scripts")
    fonts = {name for name in built.members if name.endswith(".ttf")}

    assert {"fonts/frank-ruhl-libre-400-normal.ttf", "fonts/noto-sans-arabic-600-normal.ttf"} <= fonts


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (
            "שלום",
            'write fonts = ["fontpkg-frank-ruhl-libre"] below [ebook] in book.toml, and run: pip install',
        ),
        (
            "ماء",
            'write fonts = ["fontpkg-noto-sans-arabic"] below [ebook] in book.toml, and run: pip install',
        ),
        ("水", 'name a font package that has it: fonts = ["fontpkg-..."] below [ebook] in book.toml'),
    ],
)
def test_a_script_that_no_font_has_is_told_with_its_cure(manuscript, text: str, cure: str) -> None:
    """Which package to install, and where to write it."""
    opened = open_manuscript(manuscript(f"# One\n\nA word: {text}.\n"))
    heard: list[str] = []
    make_edition(opened, choose_editions(opened.config)[0], formats=["epub"], warn=heard.append)

    assert heard
    assert all(line.startswith("chapters/01-one.md:3: M050 warning: ") and cure in line for line in heard)


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (
            "fontpkg-not-there",
            "[ebook] fonts: fontpkg-not-there is not installed; run: pip install fontpkg-not-there",
        ),
        ("Arial", '[ebook] fonts: "Arial" is no font package; use one such as fontpkg-source-serif-4'),
    ],
)
def test_a_font_package_that_is_not_there(manuscript, package: str, message: str) -> None:
    """Says what to install."""
    opened = open_manuscript(
        manuscript("# One\n\nText.\n", toml=f'{BOOK_TOML}[ebook]\nfonts = ["{package}"]\n')
    )

    with pytest.raises(PipelineError) as caught:
        make_edition(opened, choose_editions(opened.config)[0])
    assert f"book.toml: {message}" == str(caught.value)


def test_a_style_sheet_is_mirrored_with_its_sums() -> None:
    """Four sides change over, whatever they are made of."""
    assert "p { margin: calc(1rlh - 1pt) 3pt 0 calc(2pt + 1em); float: right }" == mirror(
        "p { margin: calc(1rlh - 1pt) calc(2pt + 1em) 0 3pt; float: left }"
    )
    assert ("rtl", "rtl", "ltr") == tuple(map(find_direction, ("he", "ar-EG", "en-GB")))
