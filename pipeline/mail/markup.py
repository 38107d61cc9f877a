"""Write nodes as the markup of a letter: no landmarks, no anchors, tables that a phone can stack."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..markup import RULES, Rule, Writer, block
from ..model import Node, plain

#: Width of the text column on a wide screen, in CSS pixels: the sheet's 600 less 36 on either side.
COLUMN = 528

_PHONE, _LETTER, _PADDING = (
    300,
    8,
    14,
)  # pixels: a table on the narrowest phone, a letter in it, a cell's padding
_MOST_LINES = 3  # of a cell, on that phone
_FEW = 2  # columns: a reader knows which is which without being told in every row
#: Spaces that HTML would make one, or none.
_SPACES = re.compile(r"^ +| {2,}")
#: Fenced divs that are no boxes: their tag and class.
_PLAIN_DIVS: Mapping[str, tuple[str, str]] = {
    "chapter": ("div", "item"),
    "epigraph": ("blockquote", "epigraph"),
    "pullquote": ("div", "pullquote"),
    "verse": ("div", "verse"),
}
#: Fenced divs that say something grave.
_GRAVE = frozenset({"safety", "warning", "important"})


@dataclass(frozen=True, slots=True)
class MailPicture:
    """A picture of a chapter, ready for mail: `source` is how the chapter calls it, `name` its file in images/.

    `width` and `height` are in CSS pixels; the file has up to twice as many.
    """

    source: str
    name: str
    data: bytes
    width: int
    height: int


def write_mail(
    nodes: Sequence[Node], words: Mapping[str, str], *, picture: Callable[[Node], MailPicture], address: str
) -> str:
    """`nodes` as HTML whose pictures are found below `address`; `picture` gives the one an image node names."""

    def write_image(_: Writer, node: Node) -> str:
        found = picture(node)
        alt = "" if "decorative" in node.attrs.get("class", "") else escape(node.attrs["alt"])
        shown = f'src="{escape(address)}{found.name}" width="{found.width}" height="{found.height}"'
        narrow = f' style="max-width:{found.width}px"' if found.width < COLUMN else ""
        return f'<img {shown} alt="{alt}"{narrow}>'

    return Writer({**MAIL_RULES, "image": write_image}, words, wanted=frozenset()).write(nodes)


def write_notes(notes: Sequence[Node], words: Mapping[str, str]) -> str:
    """The notes as a numbered list; nothing to press, for anchors fail in too many programs."""
    if not notes:
        return ""
    writer = Writer(MAIL_RULES, words, wanted=frozenset())
    items = "".join(f"<li>{_write_note(writer, note)}</li>\n" for note in notes)
    return f'<ol class="numbers">\n{items}</ol>\n'


def _write_note(writer: Writer, note: Node) -> str:
    """Its first paragraph without a tag of its own, as in a tight list."""
    first, *rest = note.children
    return writer.write(first.children) + "".join(f"<p>{writer.write(p.children)}</p>" for p in rest)


def _write_caption(writer: Writer, node: Node) -> str:
    label = node.attrs.get("label", "")
    tag = "caption" if node.attrs.get("tag") == "caption" else "p"
    before = f"<strong>{escape(label)}</strong> " if label else ""
    return f'<{tag} class="cap">{before}{writer.write(node.children)}</{tag}>\n'


def _write_div(writer: Writer, node: Node) -> str:
    name = node.attrs["name"]
    if name in _PLAIN_DIVS:
        tag, shown = _PLAIN_DIVS[name]
        return f"{writer.open(tag, node, shown)}\n{writer.write(node.children)}</{tag}>\n"
    titled = any(child.kind == "title" for child in node.children)
    title = "" if titled else f'<p class="box-title">{escape(writer.words.get(name, ""))}</p>\n'
    opened = writer.open("div", node, "box", "grave" if name in _GRAVE else "")
    return f"{opened}\n{title}{writer.write(node.children)}</div>\n"


def _write_table(writer: Writer, node: Node) -> str:
    """A table with headers; one that a phone is too narrow for stands there as a stack of rows.

    In a stack of two columns their names stay on top; in one of more each cell is behind its column's.
    """
    rows = [child for child in node.children if child.kind == "row"]
    captions = [child for child in node.children if child.kind == "caption"]
    heads = [row for row in rows if "head" in row.attrs]
    names = [plain(cell.children) for cell in heads[-1].children] if heads else []
    stacked = not fits_phone(rows)
    many = stacked and len(names) > _FEW
    named = stacked or "rowheads" in node.attrs.get("class", "")
    head = "".join(_write_row(writer, row, labels=(), named=False) for row in heads)
    body = "".join(
        _write_row(writer, row, labels=names if many else (), named=named) for row in rows if row not in heads
    )
    opened = writer.open("table", node, "data", "stack" if stacked else "grid", "many" if many else "")
    opened = f'{opened[:-1]} cellpadding="{0 if stacked else 7}" cellspacing="0">'
    return f"{opened}\n{writer.write(captions)}<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def fits_phone(rows: Sequence[Node]) -> bool:
    """Whether every column finds room for its longest word, and its longest cell on three lines."""
    columns = zip(*([plain(cell.children) for cell in row.children] for row in rows), strict=True)
    letters = [max(map(_need_letters, column)) for column in columns]
    return sum(letters) * _LETTER + len(letters) * _PADDING <= _PHONE


def _need_letters(text: str) -> int:
    return max([math.ceil(len(text) / _MOST_LINES), *map(len, text.split())], default=0)


def _write_row(writer: Writer, row: Node, *, labels: Sequence[str], named: bool) -> str:
    cells = []
    for index, cell in enumerate(row.children):
        scope = "col" if "head" in row.attrs else "row" if named and index == 0 else ""
        align = cell.attrs.get("align", "left")
        tag = f'th scope="{scope}"' if scope else "td"
        side = f' align="{align}"' if align != "left" else ""
        before = f'<span class="label">{escape(labels[index])}: </span>' if labels and index else ""
        cells.append(f"<{tag}{side}>{before}{writer.write(cell.children)}</{tag[:2]}>")
    return f'<tr valign="top">{"".join(cells)}</tr>\n'


def _write_figure(writer: Writer, node: Node) -> str:
    return f'<div class="fig">{writer.write(node.children)}</div>\n'


def _write_code_block(_: Writer, node: Node) -> str:
    """Lines that a phone may break, as those of a `pre` could not be everywhere; copied, their spaces are spaces."""
    lines = escape(node.text.rstrip(), quote=False).expandtabs(4).split("\n")
    shown = "<br>\n".join(_SPACES.sub(lambda found: "&nbsp;" * len(found[0]), line) for line in lines)
    return f'<p class="listing" dir="ltr"><code>{shown}</code></p>\n'


def _write_link(writer: Writer, node: Node) -> str:
    href, label = escape(node.attrs["href"]), writer.write(node.children)
    if "button" in node.attrs.get("class", "").split():
        return f'<a class="button" href="{href}">{_WIDEN}{label}{_WIDEN_END}</a>'
    return f'<a href="{href}">{label}</a>'


#: Outlook's Word knows no padding of a link: raised spaces make its ground as high and wide (rule M29).
_WIDEN = (
    '<!--[if mso]><i style="mso-font-width:200%;mso-text-raise:32px" hidden>&emsp;</i>'
    '<span style="mso-text-raise:16px"><![endif]-->'
)
_WIDEN_END = '<!--[if mso]></span><i style="mso-font-width:200%" hidden>&emsp;&#8203;</i><![endif]-->'


def _write_span(writer: Writer, node: Node) -> str:
    """Words without a tag where it would say nothing."""
    inner = writer.write(node.children)
    return f"{writer.open('span', node)}{inner}</span>" if node.attrs else inner


def _write_note_mark(_: Writer, node: Node) -> str:
    """The number, which U+FEFF keeps on the line of the word before it."""
    return f"<sup>&#65279;[{node.attrs['number']}]</sup>"


def _write_lines(writer: Writer, node: Node) -> str:
    return f"<p>{'<br>'.join(writer.write(line.children) for line in node.children)}</p>\n"


MAIL_RULES: Mapping[str, Rule] = {
    **RULES,
    "attribution": block("p", "src"),
    "caption": _write_caption,
    "code_block": _write_code_block,
    "div": _write_div,
    "figure": _write_figure,
    "lines": _write_lines,
    "link": _write_link,
    "math": lambda _, node: escape(node.text, quote=False),
    "note": _write_note_mark,
    "rule": lambda _, __: "<hr>\n",
    "span": _write_span,
    "table": _write_table,
}
