"""Write nodes as the text part of a letter: one line a paragraph, pleasant to read in a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from ..formulas import LOWERED, RAISED
from ..model import Node
from .columns import set_table

Words = Mapping[str, str]
#: A block gives its lines; a paragraph is one of them.
BlockRule = Callable[[Node, Words], list[str]]
InlineRule = Callable[[Node, Words], str]

INDENT = "    "
_WIDEST = 72  # characters of an underline, and of a table set in columns
_FIELD = re.compile(r"(@@[a-z_]+@@)")


def write_text(nodes: Sequence[Node], words: Words) -> str:
    """Blocks with an empty line between them, without emphasis marks; addresses stand in brackets.

    `words` are the language's; pictures are named by their `picture`.
    """
    return tidy("\n".join(_write_blocks(nodes, words)))


def write_title(text: str) -> str:
    """A title in capitals, underlined; merge fields are left as they are."""
    parts = _FIELD.split(text)
    title = "".join(part if _FIELD.fullmatch(part) else part.upper() for part in parts)
    return _underline(title, "=")


def write_heading(text: str) -> str:
    return _underline(text, "-")


def write_notes(notes: Sequence[Node], words: Words) -> str:
    """Each note behind its number in brackets, further paragraphs under its first."""
    lines = []
    for note in notes:
        mark = f"[{note.attrs['number']}] "
        lines += _hang(mark, _write_blocks(note.children, words))
    return tidy("\n".join(lines))


def write_contents(titles: Sequence[str], words: Words) -> str:
    """What a digest holds."""
    return "\n".join([f"{words['in_this']}:", *(f"* {title}" for title in titles)])


def tidy(text: str) -> str:
    """Without space at line ends, which programs fold or take for a signature, and in Unicode's form C."""
    return unicodedata.normalize("NFC", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")


# -- blocks


def _write_blocks(nodes: Sequence[Node], words: Words) -> list[str]:
    """Lines of `nodes` with an empty one between blocks; inline nodes of a tight item are one block."""
    blocks: list[list[str]] = []
    run: list[Node] = []
    for node in nodes:
        if node.kind in BLOCKS:
            blocks += [_split(run, words)] if run else []
            blocks.append(BLOCKS[node.kind](node, words))
            run = []
        else:
            run.append(node)
    blocks += [_split(run, words)] if run else []
    return [line for block in blocks if block for line in ("", *block)][1:]


def _split(nodes: Sequence[Node], words: Words) -> list[str]:
    """Inline nodes as one line, or more where the author broke it."""
    return [line.strip() for line in _write_inlines(nodes, words).split("\n")]


def _indent(lines: Sequence[str]) -> list[str]:
    return [INDENT + line if line else "" for line in lines]


def _hang(mark: str, lines: Sequence[str]) -> list[str]:
    first, *rest = lines or [""]
    return [mark + first, *(" " * len(mark) + line if line else "" for line in rest)]


def _underline(text: str, rule: str) -> str:
    return f"{text}\n{rule * min(len(text), _WIDEST)}"


def _write_paragraph(node: Node, words: Words) -> list[str]:
    """One line, or more where the author broke it; the address of a link that stands alone has its own."""
    kinds = [child.kind for child in node.children]
    if kinds == ["link"] and not _is_button(node.children[0]):
        label, address = _name_link(node.children[0], words)
        return [label, address] if label else [address]
    return _split(node.children, words)


def _write_heading(node: Node, words: Words) -> list[str]:
    text = " ".join(_split(node.children, words))
    return ["", *write_heading(text).split("\n")] if node.attrs["level"] == "2" else [text]


def _write_list(node: Node, words: Words) -> list[str]:
    first = int(node.attrs.get("start", "1"))
    items = []
    for number, item in enumerate(node.children, first):
        lines = _write_blocks(item.children, words)
        items.append(_hang(f"{number}. " if "ordered" in node.attrs else "* ", _close_up(item, lines)))
    loose = any("" in lines for lines in items) or any(_is_loose(item) for item in node.children)
    return [line for lines in items for line in (*lines, *([""] if loose else []))][: -1 if loose else None]


def _is_loose(item: Node) -> bool:
    return any(child.kind == "paragraph" and "tight" not in child.attrs for child in item.children)


def _close_up(item: Node, lines: list[str]) -> list[str]:
    """A tight item has its own list right below its words."""
    return lines if _is_loose(item) else [line for line in lines if line]


def _write_quote(node: Node, words: Words) -> list[str]:
    return _indent(_write_blocks(node.children, words))


def _write_attribution(node: Node, words: Words) -> list[str]:
    return ["— " + " ".join(_split(node.children, words))]


def _write_div(node: Node, words: Words) -> list[str]:
    if node.attrs["name"] == "chapter":
        return _write_blocks(node.children, words)
    inside = [child for child in node.children if child.kind != "title"]
    lines = _indent(_write_blocks(inside, words))
    titles = [_write_inlines(child.children, words) for child in node.children if child.kind == "title"]
    if node.attrs["name"] in {"verse", "epigraph", "pullquote"}:
        return [*titles, *lines]
    title = titles[0] if titles else words.get(node.attrs["name"], "")
    return [f"{title}:" if title[-1:].isalnum() else title, *lines]


def _write_definitions(node: Node, words: Words) -> list[str]:
    lines: list[str] = []
    defined = False
    for child in node.children:
        if child.kind == "definition":
            lines += _indent(_write_blocks(child.children, words))
        else:
            lines += [*([""] if defined else []), " ".join(_split(child.children, words))]
        defined = child.kind == "definition"
    return lines


def _write_caption(node: Node, words: Words) -> list[str]:
    label = node.attrs.get("label", "")
    text = " ".join(_split(node.children, words))
    return [f"{label}. {text}" if label else text]


def _write_figure(node: Node, words: Words) -> list[str]:
    return [line for child in node.children for line in _write_blocks([child], words) if line]


def _write_code(node: Node, _: Words) -> list[str]:
    return _indent(node.text.rstrip().split("\n"))


def _write_table(node: Node, words: Words) -> list[str]:
    """In columns where they fit, else row under row."""
    captions = [
        line for child in node.children if child.kind == "caption" for line in _write_caption(child, words)
    ]
    rows = [child for child in node.children if child.kind == "row"]
    cells = [[" ".join(_split(cell.children, words)) for cell in row.children] for row in rows]
    heads = sum("head" in row.attrs for row in rows)
    right = [cell.attrs.get("align") == "right" for cell in rows[0].children]
    lines = set_table(cells, heads=heads, right=right, widest=_WIDEST)
    return [*captions, *([""] if captions else []), *lines]


# -- inlines


def _write_inlines(nodes: Sequence[Node], words: Words) -> str:
    return "".join([INLINES.get(node.kind, _write_inside)(node, words) for node in nodes])


def _write_inside(node: Node, words: Words) -> str:
    return _write_inlines(node.children, words)


def _write_link(node: Node, words: Words) -> str:
    """`label (address)`, `label: address` for a button; the address alone where it is its own label."""
    label, address = _name_link(node, words)
    if not label:
        return address
    return f"{label}: {address}" if _is_button(node) else f"{label} ({address})"


def _name_link(node: Node, words: Words) -> tuple[str, str]:
    """A link's words, none where they are the end of its address, and the address."""
    label, address = _write_inside(node, words), node.attrs["href"].removeprefix("mailto:")
    return "" if address.endswith(label) else label, address


def _is_button(link: Node) -> bool:
    return "button" in link.attrs.get("class", "").split()


def _write_image(node: Node, words: Words) -> str:
    alt = "" if "decorative" in node.attrs.get("class", "") else node.attrs["alt"]
    return words["picture"].format(alt=alt) if alt else ""


def _write_shifted(signs: Mapping[str, str], mark: str) -> InlineRule:
    """Raised or lowered signs where Unicode has them, letters as they are, else a mark: 10², CO₂, 4th, x^(i+1)."""

    def write(node: Node, words: Words) -> str:
        text = _write_inside(node, words)
        if all(sign in signs for sign in text):
            return "".join(signs[sign] for sign in text)
        if text.isalpha():
            return text
        return f"{mark}({text})" if len(text) > 1 else mark + text

    return write


BLOCKS: Mapping[str, BlockRule] = {
    "attribution": _write_attribution,
    "caption": _write_caption,
    "code_block": _write_code,
    "definitions": _write_definitions,
    "div": _write_div,
    "figure": _write_figure,
    "heading": _write_heading,
    "lines": lambda node, words: [_write_inlines(line.children, words) for line in node.children],
    "list": _write_list,
    "paragraph": _write_paragraph,
    "quote": _write_quote,
    "rule": lambda _, __: ["* * *"],
    "table": _write_table,
}
INLINES: Mapping[str, InlineRule] = {
    "text": lambda node, _: node.text,
    "code": lambda node, _: node.text,
    "math": lambda node, _: node.text,
    "softbreak": lambda _, __: " ",
    "break": lambda _, __: "\n",
    "note": lambda node, _: f"[{node.attrs['number']}]",
    "link": _write_link,
    "image": _write_image,
    "sub": _write_shifted(LOWERED, "_"),
    "sup": _write_shifted(RAISED, "^"),
}
