"""Lay an edition out and read its pages: every line, the white between its words, a picture of each page."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from ..build import Manuscript, name_file, prepare_settings
from ..config import EditionTable
from ..formats import pdf
from ..layouts import Layout
from ..leaves import Leaf, Line, read_leaves
from ..model import Book
from ..typeset import write_pdf

_PIXEL = 0.75  # points


@dataclass(frozen=True, slots=True)
class Printed:
    """An edition's PDF, and its pages read."""

    data: bytes
    leaves: tuple[Leaf, ...]

    def draw(self, numbers: Iterable[int], *, width: int) -> Mapping[int, bytes]:
        """Pages, counted from 0, as PNG pictures of `width` pixels."""
        import pypdfium2

        with pypdfium2.PdfDocument(self.data) as document:
            return {number: _draw(document[number], width) for number in sorted(set(numbers))}


def _draw(page: Any, width: int) -> bytes:
    out = io.BytesIO()
    picture = page.render(scale=width / page.get_width()).to_pil().convert("P")
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def print_edition(manuscript: Manuscript, edition: EditionTable, book: Book, layout: Layout) -> Printed:
    """The pages of one edition; raises what must be mended before it can be laid out."""
    name = name_file(manuscript.config, edition)
    settings = prepare_settings(manuscript, book, layout, formats=("pdf",), name=name)
    document, labels = pdf.lay_out_book(book, layout, settings)
    data = write_pdf(document, variant=None)
    leaves = read_leaves(document, [labels.name(number) for number in range(len(document.pages))])
    return Printed(data, tuple(_find_gaps(data, leaves)))


def _find_gaps(data: bytes, leaves: Iterable[Leaf]) -> Iterator[Leaf]:
    """The leaves, their lines with the white between words as the PDF has it."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as document:
        for leaf in leaves:
            signs = list(_list_signs(document[leaf.number], leaf.height))
            yield replace(
                leaf, lines=tuple(replace(line, gaps=_list_gaps(line, signs)) for line in leaf.lines)
            )


def _list_signs(page: Any, height: float) -> Iterator[tuple[float, float, float]]:
    """Left, right and middle of every sign that is drawn, in pixels from the upper left."""
    text = page.get_textpage()
    written = text.get_text_range()
    for index in range(text.count_chars()):
        if index < len(written) and not written[index].isspace():
            left, bottom, right, top = text.get_charbox(index)
            yield left / _PIXEL, right / _PIXEL, height - (bottom + top) / 2 / _PIXEL


def _list_gaps(line: Line, signs: list[tuple[float, float, float]]) -> tuple[tuple[float, float], ...]:
    own = sorted((left, right) for left, right, middle in signs if line.y <= middle < line.y + line.height)
    inside = [(left, right) for left, right in own if line.left - 1 <= left <= line.right + 1]
    return tuple((right, left) for (_, right), (left, _) in pairwise(inside) if left - right > 1)
