"""Read markup aloud: a chapter of the EPUB, a letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from .words import Piece

Element = etree._Element
Saying = Callable[["Markup", Element], list[Piece]]

#: Between any other elements there is space.
_INLINE = frozenset(["a", "code", "dfn", "em", "i", "math", "s", "span", "strong", "sub", "sup"])
_MUTE = frozenset(["head", "style", "script"])


@dataclass(frozen=True)
class Markup:
    """A reader; for some tags `sayings` tell it what to say."""

    sayings: Mapping[str, Saying] = field(default_factory=dict)

    def read(self, element: Element) -> list[Piece]:
        """The text of `element`, with the numbers of its lists and the alternative texts of its pictures."""
        if not isinstance(element.tag, str) or get_name(element) in _MUTE:  # a comment has no name
            return []
        say = self.sayings.get(get_name(element), Markup.read_inside)
        space = [] if get_name(element) in _INLINE and not has_class(element, "line") else [" "]
        return [*space, *_count(element), *say(self, element), *space]

    def read_inside(self, element: Element) -> list[Piece]:
        if get_name(element) == "img":
            return [element.get("alt", "")]
        if get_name(element) == "math":
            return [element.get("alttext", "")]
        pieces: list[Piece] = [element.text or ""]
        for child in element:
            pieces += [*self.read(child), child.tail or ""]
        return pieces


def get_name(element: Element) -> str:
    return etree.QName(element).localname


def has_class(element: Element, name: str) -> bool:
    return name in element.get("class", "").split()


def _count(item: Element) -> list[Piece]:
    """The number of an item, which is not written and yet read."""
    around = item.getparent()
    if get_name(item) != "li" or around is None or get_name(around) != "ol":
        return []
    before = sum(1 for _ in item.itersiblings(item.tag, preceding=True))
    return [f"{int(around.get('start', '1')) + before}. "]
