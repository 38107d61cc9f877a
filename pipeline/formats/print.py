"""Book -> what a printing house wants: the pages as PDF/X, and a cover that wraps round them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import LayoutError
from ..inks import Ink
from ..layouts import Layout
from ..model import Book, Edition
from ..pictures import draw_picture
from ..prepress import Job, prepare
from ..printers import BLEED, INCH, PRINTERS, Printer, choose_gutter, measure_page
from ..settings import BookPicture, Settings
from ..typeset import find_coarse_pictures, find_margins, write_pdf
from ..wrap import make_wrap
from .pdf import lay_out_book

if TYPE_CHECKING:
    from weasyprint import Document

#: Pixels across of a drawing that a press cannot take as it is: 600 to the inch of a wide page.
_DRAWN = 3600
#: Rounds in which pages and their inner margin are made to agree.
_ROUNDS = 4
_LEAST_DPI = 300


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """Pages and cover for the printer of `[print]`; what it would object to is a notice or a LayoutError."""
    printer = PRINTERS[settings.print.printer]
    black = settings.print.ink == "black"
    trim = settings.print.trim or settings.page
    inside = replace(
        settings, cover=None, page=trim, pictures=tuple(map(_flatten(settings), settings.pictures))
    )
    document = _lay_out(book, layout.in_black() if black else layout, inside, printer)
    pages = _prepare_pages(document, book, settings, printer, trim)
    count = len(document.pages) + len(document.pages) % 2
    settings.say(f"cover for {count} pages")
    cover = make_wrap(book, layout, settings, printer, trim=measure_page(trim), pages=count)
    name = settings.file_name
    return Edition(
        book.edition, "print", {f"{name}.print.pdf": pages, f"{name}.cover.pdf": cover},
        notices=tuple(_find_objections(document, printer, settings, trim)),
    )  # fmt: skip


def _flatten(settings: Settings) -> Callable[[BookPicture], BookPicture]:
    """A drawing that lets things show through, or shades, becomes a picture; a press takes neither."""

    def flatten(picture: BookPicture) -> BookPicture:
        if not picture.path.endswith(".svg") or not _SHADES.search(picture.data):
            return picture
        height = round(_DRAWN * picture.ratio)
        return replace(picture, data=draw_picture(picture.data, settings.type, width=_DRAWN, height=height))

    return flatten


_SHADES = re.compile(rb"opacity|Gradient|<mask|<filter")


def _lay_out(book: Book, layout: Layout, settings: Settings, printer: Printer) -> Document:
    """The pages, their inner margin wide enough for how many they are: more margin can make more pages."""
    gutter = 0.0
    for _ in range(_ROUNDS):
        document, _ = lay_out_book(book, layout, settings, css=_write_css(layout, settings, gutter))
        wanted = choose_gutter(printer, len(document.pages))
        inner = min((margins.inner for margins in find_margins(document) if margins.filled), default=wanted)
        if inner + 0.01 >= wanted:
            return document
        gutter = wanted
    raise LayoutError(f"the inner margin stays below the {wanted / INCH:g}in that {printer.name} asks for")


def _write_css(layout: Layout, settings: Settings, gutter: float) -> str:
    rules = [layout.read_css("book/press.css"), "a, a.outward { color: inherit }"]
    if settings.print.bleed:
        rules.append(
            f"@page {{ bleed: {BLEED}pt }} @page :right {{ bleed-left: 0 }} @page :left {{ bleed-right: 0 }}"
        )
    if gutter:
        rules.append(
            f"@page :right {{ margin-left: {gutter}pt !important }}"
            f" @page :left {{ margin-right: {gutter}pt !important }}"
        )
    return "\n".join(rules)


def _prepare_pages(document: Document, book: Book, settings: Settings, printer: Printer, trim: str) -> bytes:
    four = printer.standard.startswith("PDF/X-1a")
    ink: Ink = "black" if settings.print.ink == "black" else "four" if four else "screen"
    job = Job(printer.standard, ink, measure_page(trim), even=True)
    return prepare(write_pdf(document, variant=None), job, book)


def _find_objections(document: Document, printer: Printer, settings: Settings, trim: str) -> Iterator[str]:
    """What the printing house would send back (rules I08, P09)."""
    pages = len(document.pages) + len(document.pages) % 2
    if trim not in printer.trims:
        yield f"{printer.name} may not cut pages to {trim}; it takes {', '.join(printer.trims)}"
    if not printer.fewest <= pages <= printer.most:
        yield f"the book has {pages} pages; {printer.name} takes {printer.fewest} to {printer.most}"
    least = printer.outside_bleed if settings.print.bleed else printer.outside
    narrow = [m for m in find_margins(document) if m.filled and min(m.outer, m.top, m.bottom) + 0.01 < least]
    if narrow:
        yield f"page {narrow[0].page} has a margin below the {least / INCH:g}in that {printer.name} asks for"
    for name, dots in find_coarse_pictures(document, least=_LEAST_DPI):
        yield f'image "{name}" has {dots:.0f} dots to the inch as printed; give {_LEAST_DPI} or show it smaller'
