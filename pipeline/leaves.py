"""Read the lines of laid-out pages: where each stands, and which block of the book it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weasyprint import Document

#: Blocks of running text; lines of other blocks, such as cells, stand beside each other.
PROSE = frozenset({"p", "li", "dd", "dt", "blockquote"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page; lengths are in CSS pixels, from the page's left and upper edge.

    `left` and `right` are the edges of the block that holds it, `spread` is what was added to each of
    its spaces. Lines with one `block` are one paragraph, over pages too; `anchor` is the id of the
    nearest block that has one.
    """

    text: str
    x: float
    y: float
    width: float
    height: float
    left: float
    right: float
    spread: float
    block: int
    tag: str
    anchor: str
    gaps: tuple[tuple[float, float], ...] = ()  # its spaces, from where to where


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page: its lines in reading order, the edges of its text, and how far down it is filled."""

    number: int  # counted from 0
    label: str  # as printed: "iv", "41"
    width: float
    height: float
    top: float
    bottom: float
    filled: float
    lines: tuple[Line, ...]

    @property
    def prose(self) -> tuple[Line, ...]:
        """Lines of running text and headings."""
        return tuple(line for line in self.lines if line.tag in PROSE | HEADINGS)


def read_leaves(document: Document, labels: list[str]) -> tuple[Leaf, ...]:
    """Every page of `document`; notes at the foot and running heads are left out."""
    blocks: dict[int, int] = {}
    return tuple(
        _read_leaf(page._page_box, number, label, blocks)  # noqa: SLF001  (the public API tells no lines)
        for number, (page, label) in enumerate(zip(document.pages, labels, strict=True))
    )


def _read_leaf(box: Any, number: int, label: str, blocks: dict[int, int]) -> Leaf:
    root = box.children[0]
    lines = tuple(_walk(root, root, "", blocks))
    things = [
        child for child in root.descendants() if type(child).__name__.endswith(("ReplacedBox", "LineBox"))
    ]
    top = box.content_box_y()
    notes = [
        child.position_y
        for child in box.children
        if type(child).__name__ == "FootnoteAreaBox" and child.height
    ]
    filled = max((child.position_y + (child.height or 0) for child in things), default=top)
    bottom = min([top + box.height, *notes])
    return Leaf(number, label, box.margin_width(), box.margin_height(), top, bottom, filled, lines)


def _walk(box: Any, parent: Any, anchor: str, blocks: dict[int, int]) -> Iterator[Line]:
    """The lines of a box; `parent` holds it, `anchor` is the nearest id around it."""
    element = getattr(box, "element", None)
    anchor = (element.get("id") if element is not None else "") or anchor
    if type(box).__name__ == "LineBox":
        line = _read_line(box, parent, anchor, blocks)
        if line.text.strip():
            yield line
    else:
        for child in getattr(box, "children", ()):
            yield from _walk(child, box, anchor, blocks)


def _read_line(box: Any, parent: Any, anchor: str, blocks: dict[int, int]) -> Line:
    texts = [child for child in box.descendants() if type(child).__name__ == "TextBox" and child.text]
    left = parent.content_box_x()
    start = min((child.position_x for child in texts), default=box.position_x)
    end = max((child.position_x + child.width for child in texts), default=start)
    return Line(
        text="".join(child.text for child in texts),
        x=start,
        y=box.position_y,
        width=end - start,
        height=box.height,
        left=left,
        right=left + parent.width,
        spread=max((child.justification_spacing for child in texts), default=0.0),
        block=blocks.setdefault(id(box.element), len(blocks)),
        tag=box.element_tag.partition("::")[0],
        anchor=anchor,
    )
