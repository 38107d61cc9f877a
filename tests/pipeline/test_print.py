"""What a printing house gets: pages it can cut, inks it has, and a cover that fits round them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from pipeline.build import make_edition, open_manuscript, prepare_settings, resolve_edition
from pipeline.config import EditionTable
from pipeline.errors import LayoutError
from pipeline.inks import lets_through, list_spaces, to_black, to_four
from pipeline.printers import PRINTERS, choose_gutter, measure_leaf
from pipeline.wrap import make_wrap

INCH = 72
TOML = (
    '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\nlanguage = "en"\ndescription = "A small book."\n'
    '[book.isbn]\nprint = "978-0-00-000000-2"\n'
)
CHAPTER = "# One\n\nSome [linked](https://example.org) words.\n"


@dataclass(frozen=True)
class Printed:
    """The two files for the press, opened, and what the author is told."""

    pages: pikepdf.Pdf
    cover: pikepdf.Pdf
    files: dict[str, bytes]
    warnings: list[str]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Printed]:
    """Print a little book; `more` is added to its book.toml. What was drawn once is kept for the next."""
    cache = tmp_path_factory.mktemp("cache")

    def print_book(
        chapters: str = CHAPTER, *, more: str = "", files: Mapping[str, bytes] = MappingProxyType({})
    ) -> Printed:
        folder = tmp_path_factory.mktemp("book")
        (folder / "build").mkdir()
        (folder / "build" / "cache").symlink_to(cache)
        texts = {"book.toml": f"{TOML}{more}".encode(), "chapters/01-one.md": chapters.encode()}
        for name, data in {**texts, **files}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        warnings: list[str] = []
        edition = EditionTable(name="full", formats=("print",))
        (made,) = make_edition(open_manuscript(folder), edition, warn=warnings.append)
        opened = [pikepdf.open(io.BytesIO(data)) for data in made.files.values()]
        return Printed(*opened, dict(made.files), warnings)

    return print_book


def box(page: pikepdf.Page, name: str) -> list[float]:
    """The edges of a box of a page, in inches."""
    return [round(float(edge) / INCH, 3) for edge in page[name]]


def test_a_page_is_as_large_as_it_is_cut(printed: Callable[..., Printed]) -> None:
    """Without bleed nothing is around it (rule P09)."""
    made = printed(more='[print]\ntrim = "5.5in 8.5in"\n')

    boxes = {tuple(box(page, name)) for page in made.pages.pages for name in ("/MediaBox", "/TrimBox")}
    assert {(0.0, 0.0, 5.5, 8.5)} == boxes


def test_bleed_is_on_every_edge_but_the_bound_one(printed: Callable[..., Printed]) -> None:
    """A right page is bound on its left, and the other way round; no page begins below zero."""
    made = printed(more="[print]\nbleed = true\n")
    right, left = list(made.pages.pages)[:2]

    assert [0.0, 0.0, 6.125, 9.25] == box(right, "/MediaBox") == box(left, "/MediaBox")
    assert [0.0, 0.125, 6.0, 9.125] == box(right, "/TrimBox")
    assert [0.125, 0.125, 6.125, 9.125] == box(left, "/TrimBox")


@pytest.mark.parametrize("chapters", ["# One\n\nText.\n", "# One\n\n" + "Words in a row. " * 400])
def test_pages_come_in_leaves(printed: Callable[..., Printed], chapters: str) -> None:
    """An odd number of pages gets a white one."""
    made = printed(chapters)

    assert 0 == len(made.pages.pages) % 2


def test_one_ink_prints_black_and_nothing_that_belongs_to_a_screen(printed: Callable[..., Printed]) -> None:
    """No colours, no links, no tags, nothing transparent; an output intent."""
    pdf = printed().pages

    assert frozenset({"DeviceGray"}) == list_spaces(pdf)
    assert not lets_through(pdf)
    assert not any("/Annots" in page for page in pdf.pages)
    assert not {"/StructTreeRoot", "/Outlines", "/Names"} & set(pdf.Root.keys())
    assert "/GTS_PDFX" == pdf.Root.OutputIntents[0].S
    assert "PDF/X-3:2002" == pdf.docinfo["/GTS_PDFXVersion"]


def test_ingramspark_gets_four_inks(printed: Callable[..., Printed]) -> None:
    """PDF/X-1a knows no red, green and blue, and neither does its cover (rule P10)."""
    made = printed(more='[print]\nprinter = "ingramspark"\nink = "colour"\n')

    for pdf in (made.pages, made.cover):
        assert frozenset({"DeviceCMYK"}) == list_spaces(pdf)
        assert not lets_through(pdf)
        assert "PDF/X-1a:2001" == pdf.docinfo["/GTS_PDFXConformance"]


def test_colours_for_kdp_are_those_of_a_named_screen(printed: Callable[..., Printed]) -> None:
    """Red, green and blue alone would mean nothing; the file says sRGB."""
    pdf = printed(more='[print]\nink = "colour"\n').cover

    assert "/ICCBased" == pdf.pages[0].Resources.ColorSpace.DefaultRGB[0]


def test_no_colour_takes_more_than_two_full_inks() -> None:
    """The grey in a colour is printed black: presses take no 300 %."""
    colours = [(r / 4, g / 4, b / 4) for r in range(5) for g in range(5) for b in range(5)]

    assert all(sum(to_four(*colour)) <= 2.0001 for colour in colours)
    assert (0, 0, 0, 1) == to_four(0, 0, 0)
    assert (0.0,) == to_black(0, 0, 0)


@pytest.mark.parametrize(
    ("pages", "inches"), [(24, 0.375), (150, 0.375), (151, 0.5), (301, 0.625), (501, 0.75)]
)
def test_the_gutter_follows_from_the_number_of_pages(pages: int, inches: float) -> None:
    """As KDP has it (rule P09)."""
    assert inches * INCH == choose_gutter(PRINTERS["kdp"], pages)


def test_an_inner_margin_that_is_too_small_is_made_wider(printed: Callable[..., Printed]) -> None:
    """A layout with next to no margins prints all the same: the text moves out of the fold."""
    slim = {
        "layouts/slim/layout.toml": b'[page]\nsize = "6in 9in"\n',
        "layouts/slim/book/print.css": b"@page { margin: 20pt }"
        b"@page :left { margin: 20pt } @page :right { margin: 20pt }",
    }
    made = printed("# One\n\n" + "Words in a row. " * 200, more='[ebook]\nlayout = "slim"\n', files=slim)
    with pypdfium2.PdfDocument(next(iter(made.files.values()))) as pdf:
        edges = [
            min(left for left, *_ in _find_letters(page)) for page in list(pdf)[::2] if _find_letters(page)
        ]

    assert min(edges) >= 0.375 * INCH - 1


def _find_letters(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, float]]:
    text = page.get_textpage()
    return [text.get_charbox(place) for place in range(text.count_chars())]


def test_a_picture_too_coarse_for_print_is_named(printed: Callable[..., Printed]) -> None:
    """300 dots to the inch at the size it is printed (rule I08)."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, "PNG")
    picture = {"chapters/images/small.png": out.getvalue()}
    made = printed("# One\n\n![A teal square.](images/small.png)\n", files=picture)

    (warning,) = [text for text in made.warnings if "dots" in text]
    assert warning.startswith('image "images/small.png" has ')


def test_what_the_printer_sends_back_is_said_before(printed: Callable[..., Printed]) -> None:
    """Too few pages, and a size nobody cuts."""
    made = printed(more='[print]\ntrim = "4in 4in"\n')

    assert any("takes 24 to 828" in text for text in made.warnings)
    assert any("may not cut pages to 4in 4in" in text for text in made.warnings)


def test_a_gradient_is_refused(printed: Callable[..., Printed]) -> None:
    """It has no colour that could be given to one ink."""
    shaded = {
        "layouts/shaded/layout.toml": b"",
        "layouts/shaded/book/print.css": b"h1 { background: linear-gradient(red, blue) }",
    }
    with pytest.raises(LayoutError, match="gradient"):
        printed(more='[ebook]\nlayout = "shaded"\n', files=shaded)


def test_the_cover_is_as_wide_as_both_sides_and_the_spine(printed: Callable[..., Printed]) -> None:
    """The spine is pages by the thickness of one; bleed is on all four edges."""
    made = printed(more='[print]\npaper = "white"\n')
    count = len(made.pages.pages)
    spine = count * 0.002252

    left, bottom, right, top = box(made.cover.pages[0], "/TrimBox")
    assert (0.125, 0.125) == (left, bottom)
    assert pytest.approx(2 * 6 + spine, abs=0.002) == right - left
    assert 9 == top - bottom
    assert pytest.approx(2 * 6 + spine + 0.25, abs=0.002) == box(made.cover.pages[0], "/MediaBox")[2]


def test_a_thicker_leaf_makes_a_thicker_spine() -> None:
    """What the author measured goes before what the printer says."""
    assert 0.0025 * INCH == measure_leaf(PRINTERS["kdp"], paper="cream", ink="black")
    assert 0.5 == measure_leaf(PRINTERS["kdp"], paper="cream", ink="black", leaf="0.5pt")


def test_a_scanner_reads_the_bar_code(printed: Callable[..., Printed]) -> None:
    """A reader of bar codes finds the ISBN on the back cover."""
    cover = list(printed().files.values())[1]
    with pypdfium2.PdfDocument(cover) as pdf:
        picture = pdf[0].render(scale=4).to_pil()

    (found,) = zxingcpp.read_barcodes(picture)
    assert ("EAN13", "9780000000002") == (found.format.name, found.text)


@pytest.mark.parametrize(("pages", "words"), [(24, False), (60, False), (300, True)])
def test_a_thin_book_has_no_words_on_its_spine(
    manuscript: Callable[..., Path], pages: int, *, words: bool
) -> None:
    """They would run over the folds; a thick one has title and author there."""
    opened = open_manuscript(manuscript(CHAPTER, toml=f'{TOML}[ebook]\npage = "6in 9in"\n'))
    book, layout = resolve_edition(opened, EditionTable(name="full"))
    settings = prepare_settings(opened, book, layout, formats=("print",), name="small")
    cover = make_wrap(book, layout, settings, PRINTERS["kdp"], trim=(432, 648), pages=pages)
    with pypdfium2.PdfDocument(cover) as pdf:
        found = pdf[0].get_textpage().get_text_range()

    assert words == ("Small · Ana Ruiz" in found)


def test_two_builds_are_the_same_bytes(printed: Callable[..., Printed]) -> None:
    """No clock, no chance."""
    assert printed().files == printed().files
