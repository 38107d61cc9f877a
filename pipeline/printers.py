"""What printing houses ask for: paper, margins, bleed and spine, in points of 1/72 inch, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

INCH = 72.0
#: What runs over the edge is cut off somewhere in this strip (rule P09).
BLEED = 0.125 * INCH
_UNITS: Mapping[str, float] = {"in": INCH, "pt": 1.0, "mm": INCH / 25.4, "cm": INCH / 2.54}
_PAGES: Mapping[str, tuple[float, float]] = {
    "A4": (595.28, 841.89), "A5": (419.53, 595.28), "A6": (297.64, 419.53), "B5": (498.9, 708.66),
    "letter": (612.0, 792.0), "legal": (612.0, 1008.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printer:
    """The rules of one printing house; lengths in points, `gutters` by the most pages they serve."""

    name: str
    standard: Literal["PDF/X-1a:2001", "PDF/X-3:2002"]
    fewest: int  # pages
    most: int
    gutters: tuple[tuple[int, float], ...]  # least inner margin (rule P09)
    outside: float  # least of the other margins, where nothing runs over the edge
    outside_bleed: float  # where something does
    leaves: Mapping[str, float]  # thickness of one page by paper, colours on white paper
    spine_text: int  # pages from which words on the spine are taken
    spine_margin: float  # between the words and the folds
    trims: tuple[str, ...]  # pages they cut, smallest first


_INCHES = (
    "5in 8in", "5.06in 7.81in", "5.25in 8in", "5.5in 8.5in", "6in 9in", "6.14in 9.21in", "6.69in 9.61in", "7in 10in",
    "7.44in 9.69in", "7.5in 9.25in", "8in 10in", "8.5in 11in",
)  # fmt: skip
PRINTERS: Mapping[str, Printer] = {
    "kdp": Printer(
        "KDP", "PDF/X-3:2002", 24, 828,
        gutters=((150, 27.0), (300, 36.0), (500, 45.0), (700, 54.0), (828, 63.0)),
        outside=18.0, outside_bleed=27.0,
        leaves={"white": 0.002252 * INCH, "cream": 0.0025 * INCH, "colour": 0.002347 * INCH},
        spine_text=79, spine_margin=0.0625 * INCH, trims=_INCHES,
    ),
    "ingramspark": Printer(
        "IngramSpark", "PDF/X-1a:2001", 18, 1200,
        gutters=((150, 36.0), (400, 45.0), (600, 54.0), (1200, 63.0)),
        outside=36.0, outside_bleed=36.0,
        leaves={"white": 0.002252 * INCH, "cream": 0.0025 * INCH, "colour": 0.002347 * INCH},
        spine_text=80, spine_margin=0.0625 * INCH, trims=(*_INCHES, "A5", "B5"),
    ),
}  # fmt: skip


def measure(length: str) -> float:
    """A length such as "6in" in points."""
    unit = length.lstrip("0123456789.")
    return float(length.removesuffix(unit)) * _UNITS[unit]


def measure_page(size: str) -> tuple[float, float]:
    """Width and height of a page such as "6in 9in" or "A5", in points."""
    if size in _PAGES:
        return _PAGES[size]
    width, height = size.split()
    return measure(width), measure(height)


def choose_gutter(printer: Printer, pages: int) -> float:
    """The least inner margin of a book of so many pages, in points."""
    return next((width for most, width in printer.gutters if pages <= most), printer.gutters[-1][1])


def measure_leaf(printer: Printer, *, paper: str, ink: str, leaf: str = "") -> float:
    """How thick a page is, in points; `leaf` is what the author measured."""
    if leaf:
        return measure(leaf)
    return printer.leaves["colour" if ink == "colour" else paper]
