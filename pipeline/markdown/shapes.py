"""See what blocks mean by how they are written: captions, attributions, alerts, stanzas, figures."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model import Node, plain
from .attributes import CAPTION

#: What only running text can hold.
POINTERS = ("note", "citation", "reference")
#: What words can be beside words: defined in the glossary, listed in the index.
MARKS = ("mention", "mark")
#: GitHub's alerts and what they are here.
ALERTS = {"NOTE": "note", "TIP": "tip", "IMPORTANT": "important", "WARNING": "warning", "CAUTION": "warning"}

_ALERT = re.compile(r"\[!(\w+)\]\s*$")
_DASHES = ("— ", "– ", "-- ")


def find_alert(quote: Node) -> str:
    """The word in `[!WORD]` that makes an alert of a quote; empty when it is a quote."""
    first = quote.children[0] if quote.children else None
    if not first or first.kind != "paragraph" or not first.children:
        return ""
    alone = len(first.children) == 1 or first.children[1].kind == "softbreak"
    found = _ALERT.match(first.children[0].text) if alone else None
    return found[1].upper() if found else ""


def cut_alert(quote: Node) -> tuple[Node, ...]:
    """What an alert says: a quote's blocks without `[!WORD]`."""
    first, *rest = quote.children
    words = first.children[2:]
    return (Node("paragraph", words, line=words[0].line), *rest) if words else tuple(rest)


def find_attribution(blocks: tuple[Node, ...]) -> tuple[Node, ...]:
    """The last paragraph of a quote that begins with a dash names its source."""
    last = blocks[-1] if len(blocks) > 1 else None
    if not last or last.kind != "paragraph" or not last.children:
        return blocks
    head, *rest = last.children
    if not head.text.startswith(_DASHES):
        return blocks
    words = Node("text", text=head.text.split(" ", 1)[1], line=head.line)
    return (*blocks[:-1], Node("attribution", (words, *rest), line=last.line))


def make_stanzas(blocks: Iterable[Node]) -> tuple[Node, ...]:
    """Verse from paragraphs, a line of a poem for each line of the text; other blocks stay as they are."""
    stanzas: list[Node] = []
    for block in blocks:
        if block.kind == "div" and block.attrs["name"] == "verse":  # lines with a bar inside `::: verse`
            stanzas += block.children
        else:
            stanzas.append(_make_stanza(block) if block.kind == "paragraph" else block)
    return tuple(stanzas)


def _make_stanza(paragraph: Node) -> Node:
    lines: list[list[Node]] = [[]]
    for child in paragraph.children:
        if child.kind in {"softbreak", "break"}:
            lines.append([])
        else:
            lines[-1].append(child)
    made = tuple(Node("line", tuple(line), line=line[0].line) for line in lines if line)
    return Node("lines", made, attrs=paragraph.attrs, line=paragraph.line)


def join_captions(blocks: Iterable[Node]) -> tuple[Node, ...]:
    """A paragraph `Table: ...` right before a table is its caption."""
    joined: list[Node] = []
    for block in blocks:
        if block.kind == "table" and joined and is_caption(joined[-1]):
            joined[-1] = _caption(block, joined[-1])
        else:
            joined.append(block)
    return tuple(joined)


def is_caption(block: Node) -> bool:
    return block.kind == "paragraph" and bool(block.children) and block.children[0].text.startswith(CAPTION)


def _caption(table: Node, paragraph: Node) -> Node:
    head, *rest = paragraph.children
    words = Node("text", text=head.text.removeprefix(CAPTION), line=head.line)
    caption = Node("caption", (words, *rest), line=paragraph.line)
    attrs = {key: value for key, value in paragraph.attrs.items() if key != "tight"}
    return Node("table", (caption, *table.children), attrs={**attrs, **table.attrs}, line=table.line)


def find_figure(paragraph: Node) -> Node | None:
    """The picture that stands alone in a paragraph, comments and spaces aside."""
    words = [child for child in paragraph.children if child.kind == "image" or plain((child,)).strip()]
    return words[0] if len(words) == 1 and words[0].kind == "image" else None


def find_kinds(nodes: Iterable[Node], kinds: Iterable[str]) -> set[str]:
    """Which of `kinds` occur in `nodes` or below."""
    return {node.kind for top in nodes for node in top.walk()} & set(kinds)


def drop_comments(html: str) -> str:
    """What is left of raw HTML without its comments."""
    kept, rest = "", html
    while (start := rest.find("<!--")) >= 0 and (end := rest.find("-->", start)) >= 0:
        kept, rest = kept + rest[:start], rest[end + 3 :]
    return (kept + rest).strip()
