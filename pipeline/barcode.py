"""Draw an ISBN as the bar code that shops read (EAN-13, ISO/IEC 15420), as SVG in millimetres."""

from __future__ import annotations

from barcode.ean import EAN13

from .identifiers import compact_isbn

#: Width of the thinnest bar, height of a bar, how far the guards reach below, and the quiet zones, in mm.
_BAR, _HEIGHT, _GUARD, _QUIET_LEFT, _QUIET_RIGHT = 0.33, 20.0, 1.65, 3.63, 2.31
_DIGITS = 3.2  # height of a digit
WIDTH = _QUIET_LEFT + 95 * _BAR + _QUIET_RIGHT
HEIGHT = _HEIGHT + _DIGITS + 5.2


def draw_barcode(isbn: str, *, family: str) -> str:
    """The bars, the ISBN above and the digits below, black on white, on a drawing of WIDTH by HEIGHT."""
    digits = compact_isbn(isbn)
    top = 4.4
    parts = [
        f'<rect width="{WIDTH:.2f}" height="{HEIGHT:.2f}" fill="#ffffff" />',
        _write(WIDTH / 2, 3.0, f"ISBN {isbn}", family, size=2.7, middle=True),
        *_draw_bars(EAN13(digits[:12]).build()[0], top),
    ]
    below = top + _HEIGHT + _DIGITS - 0.2
    parts.append(_write(0.2, below, digits[0], family))
    for start, group in ((3, digits[1:7]), (50, digits[7:])):  # each digit below the seven bars that are it
        parts += [
            _write(_QUIET_LEFT + (start + 7 * place + 3.5) * _BAR, below, digit, family, middle=True)
            for place, digit in enumerate(group)
        ]
    size = f'width="{WIDTH:.2f}mm" height="{HEIGHT:.2f}mm" viewBox="0 0 {WIDTH:.2f} {HEIGHT:.2f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def _draw_bars(modules: str, top: float) -> list[str]:
    bars, place = [], 0
    while place < len(modules):
        width = len(modules) - place - len(modules[place:].lstrip(modules[place]))
        if modules[place] == "1":
            guard = place < 3 or 45 <= place < 50 or place >= 92
            height = _HEIGHT + _GUARD * guard
            x = _QUIET_LEFT + place * _BAR
            bars.append(
                f'<rect x="{x:.3f}" y="{top}" width="{width * _BAR:.3f}" height="{height}" fill="#000000" />'
            )
        place += width
    return bars


def _write(x: float, y: float, text: str, family: str, *, size: float = _DIGITS, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    place = f'x="{x:.2f}" y="{y:.2f}"{anchor}'
    return f'<text {place} font-family="{family}" font-size="{size}" fill="#000000">{text}</text>'
