"""Work out how each element of a letter is drawn: shown or not, in which colours, how large."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .colours import BLACK, WHITE, Colour, mix
from .page import Element, list_elements
from .styles import HeadRule, cascade, read_colour

_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|em|%|pt|)")
_DEFAULT_SIZE = 16.0  # pixels, of every mail program
_DEFAULT_LINE = 1.2  # times the size
_LINK: Colour = (0.0, 0.0, 0.933)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One element in one light. Lengths are in CSS pixels.

    `inked` and `grounded` are the elements that its colours come from, None for the mail program;
    `height` is that of one line with the padding above and below it.
    """

    shown: bool = True
    ink: Colour = BLACK
    ground: Colour = WHITE
    inked: Element | None = None
    grounded: Element | None = None
    size: float = _DEFAULT_SIZE
    factor: float = _DEFAULT_LINE  # of the size; 0 where the line has a height of its own
    line: float = _DEFAULT_SIZE * _DEFAULT_LINE
    height: float = 0.0


def draw(page: Element, rules: Sequence[HeadRule]) -> Mapping[Element, Drawn]:
    """Every element of a page, as `rules` and the style attributes have it."""
    styles = cascade(page, rules)
    drawn: dict[Element, Drawn] = {}
    for node in list_elements(page):
        drawn[node] = _draw_one(node, drawn.get(node.getparent(), Drawn()), styles[node])
    return drawn


def _draw_one(node: Element, above: Drawn, style: Mapping[str, str]) -> Drawn:
    shown = above.shown and node.tag != "head" and style.get("display", "") != "none"
    look = replace(above, shown=shown)
    look = _set_colours(node, look, style)
    size = _measure(style.get("font-size", ""), above.size, above.size)
    look = _set_line(replace(look, size=size), style.get("line-height", ""))
    padding = sum(_measure(style.get(f"padding-{side}", "0"), size, 0.0) for side in ("top", "bottom"))
    return replace(look, height=look.line + padding)


def _set_colours(node: Element, look: Drawn, style: Mapping[str, str]) -> Drawn:
    ground = read_colour(style.get("background-color", ""))
    if ground is not None and ground.alpha > 0:
        look = replace(look, ground=mix(ground[:3], ground.alpha, look.ground), grounded=node)
    ink = read_colour(style.get("color", ""))
    if ink is not None:
        return replace(look, ink=mix(ink[:3], ink.alpha, look.ground), inked=node)
    own = node.tag == "a" and node.get("href") and "color" not in style
    return replace(look, ink=_LINK, inked=node) if own else look


def _set_line(look: Drawn, value: str) -> Drawn:
    """A bare number grows with the size below it, a length does not."""
    found = _LENGTH.fullmatch(value)
    factor = look.factor
    if found:
        factor = float(found[1]) if not found[2] else 0.0
        look = replace(look, line=_measure(value, look.size, look.line))
    elif value == "normal":
        factor = _DEFAULT_LINE
    return replace(look, factor=factor, line=look.size * factor if factor else look.line)


#: Unit -> pixels, of a number and the size it counts from.
_UNITS: Mapping[str, Callable[[float, float], float]] = {
    "px": lambda number, _: number,
    "pt": lambda number, _: number * 4 / 3,
    "em": lambda number, size: number * size,
    "%": lambda number, size: number * size / 100,
    "": lambda number, size: number * size,
}


def _measure(value: str, size: float, otherwise: float) -> float:
    found = _LENGTH.fullmatch(value)
    return _UNITS[found[2]](float(found[1]), size) if found else otherwise
