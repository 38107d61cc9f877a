"""Put a proof's chapter on pages, numbered as in the last whole build of the book."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..formats.pdf import lay_out_chapter
from ..resolve import FRONT
from ..tagging import roman
from ..typeset import draw_page
from .proofs import Print

if TYPE_CHECKING:
    from weasyprint import Document

_PIXELS_TO_THE_POINT = 2.0
_MOST_FRONT_PAGES = 500


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one chapter; `about` is told to the browser."""

    document: Document
    about: Mapping[str, Any]

    def draw(self, number: int) -> bytes:
        """The page `number`, counted from 0, as a PNG."""
        return draw_page(self.document, number, scale=_PIXELS_TO_THE_POINT)


def lay_out(job: Print, *, at_page: Callable[[], None]) -> Iterator[Pages]:
    """The chapter on its pages, a second time where its end was a scrap of a page and is none any more.

    `at_page` is called before each page and may raise to call the layout off.
    """
    (chapter,) = job.book.chapters
    known = find_page_number(job.whole, chapter.slug)
    first = known or 1
    number = 0 if job.opens else first
    name = roman if chapter.kind in FRONT else str
    rounds = lay_out_chapter(job.book, job.layout, job.settings, number=number, at_page=at_page)
    for turn, document in enumerate(rounds):
        labels = [name(first + index) for index in range(len(document.pages))]
        told = {"left": first % 2 == 0, "known": bool(known) or job.opens, "turn": turn}
        yield Pages(document, {"pages": labels, **told})


def find_page_number(whole: Path, slug: str) -> int:
    """On which page the chapter `slug` begins in the PDF `whole`; 0 when nobody knows."""
    import pypdfium2
    from pypdfium2 import raw

    if not whole.exists():
        return 0
    try:
        with pypdfium2.PdfDocument(whole) as pdf:
            target = raw.FPDF_GetNamedDestByName(pdf.raw, slug.encode())
            label = pdf.get_page_label(raw.FPDFDest_GetDestPageIndex(pdf.raw, target)) if target else ""
    except pypdfium2.PdfiumError:
        return 0
    return _read_number(label)


def _read_number(label: str) -> int:
    if label.isdigit():
        return int(label)
    return next((number for number in range(1, _MOST_FRONT_PAGES) if roman(number) == label), 0)
