"""The cover of a printed book in one piece: back, spine and front, with the bar code of its ISBN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .barcode import draw_barcode
from .cover import WIDTH, draw_cover, set_lines
from .inks import Ink
from .layouts import Layout
from .model import Book
from .pictures import draw_picture
from .prepress import Job, prepare
from .printers import BLEED, INCH, Printer, measure_leaf
from .sections import Words
from .settings import Settings
from .typeset import Sheet, lay_out, write_pdf

#: Pixels across of the front: 600 to the inch of a six inch page.
_FRONT = 3600


@dataclass(frozen=True, slots=True)
class Wrap:
    """Where things are on the flat cover, in points from the trim's left and upper edge."""

    width: float  # of one side
    height: float
    spine: float
    margin: float  # between words on the spine and its folds
    bleed: float = BLEED

    @property
    def whole(self) -> float:
        """From edge to edge when it is cut."""
        return 2 * self.width + self.spine


def measure_wrap(printer: Printer, *, trim: tuple[float, float], pages: int, leaf: float) -> Wrap:
    """A cover round so many pages, each `leaf` points thick."""
    return Wrap(*trim, spine=round(pages * leaf, 3), margin=printer.spine_margin)


def make_wrap(
    book: Book, layout: Layout, settings: Settings, printer: Printer, *, trim: tuple[float, float], pages: int
) -> bytes:
    """The cover as PDF/X; words are on the spine only when it is wide enough for this printer."""
    chosen = settings.print
    leaf = measure_leaf(printer, paper=chosen.paper, ink=chosen.ink, leaf=chosen.leaf)
    wrap = measure_wrap(printer, trim=trim, pages=pages, leaf=leaf)
    sheet = _compose(book, layout, settings, wrap, with_spine=pages >= printer.spine_text)
    written = write_pdf(lay_out(sheet, settings.type), variant=None)
    ink: Ink = "screen" if printer.standard.startswith("PDF/X-3") else "four"
    return prepare(written, Job(printer.standard, ink, (wrap.whole, wrap.height)), book)


def _compose(book: Book, layout: Layout, settings: Settings, wrap: Wrap, *, with_spine: bool) -> Sheet:
    words = Words(layout.read_words(book.language))
    furniture = layout.tokens["font-furniture"].split(",")[0].strip("\"' ")
    isbn = book.meta.isbn.print
    html = layout.fill(
        "book/wrap.html.j2",
        book=book, meta=book.meta, words=words, wrap=wrap, with_spine=with_spine,
        byline=words.say_names([author.name for author in book.meta.authors if author.role == "aut"]),
        blurb=(settings.print.blurb or book.meta.description).strip(),
        barcode=draw_barcode(isbn, family=furniture) if isbn else "",
        set_lines=partial(set_lines, settings.type.faces),
    )  # fmt: skip
    return Sheet(html, layout.read_css("book/wrap.css"), {"front": _draw_front(book, layout, settings, wrap)})


def _draw_front(book: Book, layout: Layout, settings: Settings, wrap: Wrap) -> bytes:
    """The front and the strips that are cut off, as one picture: drawings may let things show through."""
    if settings.cover and not settings.cover.vector:
        return settings.cover.jpeg
    ratio = (wrap.height + 2 * wrap.bleed) / (wrap.width + wrap.bleed)
    art = draw_cover(book, layout, settings.type, height=round(WIDTH * ratio)).encode()
    width = round(max(_FRONT, (wrap.width + wrap.bleed) / INCH * 600))
    return draw_picture(art, settings.type, width=width, height=round(width * ratio))
