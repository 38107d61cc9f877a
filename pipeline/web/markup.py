"""Write nodes for the web: pages, whose notes lead there and back, and feeds, which have no style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from ..mail.markup import COLUMN, MAIL_RULES, MailPicture, fits_phone
from ..markup import RULES, Rule, Writer, write_listing
from ..model import Node, plain

_FEW = 2  # columns: a reader knows which is which without being told in every row


def write_web(
    nodes: Sequence[Node],
    words: Mapping[str, str],
    *,
    rules: Mapping[str, Rule],
    pictures: Sequence[MailPicture],
    address: str,
    link: Callable[[Node], str] = lambda node: node.attrs["href"],
) -> str:
    """`nodes` as well-formed HTML by WEB_RULES or FEED_RULES; pictures are found below `address`."""
    found = {picture.source: picture for picture in pictures}

    def write_image(_: Writer, node: Node) -> str:
        return _write_image(node, found[node.attrs["src"]], address)

    writer = Writer({**rules, "image": write_image}, words, link, wanted=frozenset())
    return writer.write(nodes).strip()


def write_notes(
    notes: Sequence[Node], words: Mapping[str, str], *, rules: Mapping[str, Rule], back: bool = True
) -> str:
    """The notes as items of a list, each with its number and, if `back`, the way to its mark in the text."""
    writer = Writer(rules, words, wanted=frozenset())
    return "\n".join(_write_note(writer, note, back=back) for note in notes)


def _write_note(writer: Writer, note: Node, *, back: bool) -> str:
    number = note.attrs["number"]
    paragraphs = "</p>\n<p>".join(writer.write(paragraph.children) for paragraph in note.children)
    way = _write_way_back(number, writer.words) if back else ""
    return f'<li id="note-{number}" value="{number}"><p>{paragraphs}{way}</p></li>'


def _write_way_back(number: str, words: Mapping[str, str]) -> str:
    name = escape(f"{words['back']} ({number})")
    return f' <a class="back" href="#note-{number}-mark" role="doc-backlink" aria-label="{name}">↩\ufe0e</a>'


def _write_image(node: Node, picture: MailPicture, address: str) -> str:
    """The picture at its size; one that fills a letter's column fills the page's as well.

    A drawing that only decorates is an `ornament`: it stands on the page, whatever the page's colour.
    """
    decorative = "decorative" in node.attrs.get("class", "")
    drawn = picture.source.endswith(".svg")
    names = {"wide": picture.width >= COLUMN, "ornament": decorative and drawn}
    classes = " ".join(name for name, holds in names.items() if holds)
    shown = f' class="{classes}"' if classes else ""
    alt = "" if decorative else escape(node.attrs["alt"])
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<img{shown} src="{escape(address)}{picture.name}" {size} alt="{alt}" />'


def _write_note_mark(_: Writer, node: Node) -> str:
    """The number as a link; a note that is referred to again leads back to where it was first."""
    number = node.attrs["number"]
    own = "" if "again" in node.attrs else f' id="note-{number}-mark"'
    return f'<sup><a class="mark" href="#note-{number}" role="doc-noteref"{own}>{number}</a></sup>'


def _write_div(writer: Writer, node: Node) -> str:
    """A chapter inside an issue is a section that the list of contents can lead to."""
    if node.attrs["name"] != "chapter":
        return RULES["div"](writer, node)
    return f'<section class="item" id="{node.attrs["to"]}">\n{writer.write(node.children)}</section>\n'


def _write_caption(writer: Writer, node: Node) -> str:
    label = node.attrs.get("label", "")
    before = f"<strong>{escape(label)}</strong> " if label else ""
    tag = node.attrs.get("tag", "figcaption")
    return f"<{tag}>{before}{writer.write(node.children)}</{tag}>\n"


def _write_table(writer: Writer, node: Node) -> str:
    """A table; one that a phone is too narrow for stands there as a stack of rows.

    Where it has more than two columns, each cell of the stack says the name of its own.
    """
    rows = [child for child in node.children if child.kind == "row"]
    if fits_phone(rows):
        return RULES["table"](writer, node)
    names = [plain(cell.children) for row in rows if "head" in row.attrs for cell in row.children]
    labels = names if len(names) > _FEW else []
    stack = node.with_children(tuple(_label_cells(child, labels) for child in node.children))
    kinds = " ".join(["stack", "rowheads", *(["many"] if labels else [])])
    return RULES["table"](writer, stack.with_attrs(**{"class": kinds}))


def _label_cells(row: Node, names: Sequence[str]) -> Node:
    """`row` with the column's name before what its cells say, but for the first, which heads the others."""
    if row.kind != "row" or "head" in row.attrs or not names:
        return row
    first, *others = row.children
    labels = [Node("span", (Node("text", text=f"{name}: "),), attrs={"class": "label"}) for name in names[1:]]
    pairs = zip(labels, others, strict=True)
    return row.with_children((first, *(cell.with_children((label, *cell.children)) for label, cell in pairs)))


def _write_code_block(writer: Writer, node: Node) -> str:
    return write_listing(writer, node).replace("<pre", '<pre dir="ltr"', 1)


WEB_RULES: Mapping[str, Rule] = {
    **RULES,
    "caption": _write_caption,
    "code_block": _write_code_block,
    "div": _write_div,
    "figure": lambda writer, node: f"<figure>{writer.write(node.children)}</figure>\n",
    "note": _write_note_mark,
    "span": MAIL_RULES["span"],
    "table": _write_table,
}


# -- in a feed

#: Fenced divs that are no boxes.
_UNTITLED = frozenset({"epigraph", "pullquote", "verse"})


def _write_feed_div(writer: Writer, node: Node) -> str:
    """A box is set in like a quotation, below its title: no reader of feeds knows our style sheet."""
    if node.attrs["name"] == "chapter":
        return writer.write(node.children)
    titled = node.attrs["name"] in _UNTITLED or any(child.kind == "title" for child in node.children)
    title = "" if titled else writer.words[node.attrs["name"]]
    heading = f"<p><strong>{escape(title)}</strong></p>\n" if title else ""
    return f"<blockquote>\n{heading}{writer.write(node.children)}</blockquote>\n"


def _write_attribution(writer: Writer, node: Node) -> str:
    return f"<p>— {writer.write(node.children)}</p>\n"


FEED_RULES: Mapping[str, Rule] = {
    **WEB_RULES,
    "attribution": _write_attribution,
    "code_block": RULES["code_block"],
    "div": _write_feed_div,
    "lines": MAIL_RULES["lines"],
    "note": lambda _, node: f"<sup>[{node.attrs['number']}]</sup>",
    "table": RULES["table"],
    "title": lambda writer, node: f"<p><strong>{writer.write(node.children)}</strong></p>\n",
}
