"""Read the parser's block tokens: one function a construct."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from markdown_it.token import Token

from ..hints import suggest
from ..model import Node
from .directives import read_embedding, read_only
from .shapes import (
    ALERTS,
    MARKS,
    POINTERS,
    cut_alert,
    drop_comments,
    find_alert,
    find_attribution,
    find_figure,
    make_stanzas,
)

if TYPE_CHECKING:
    from .tree import TreeBuilder

Read = Callable[["TreeBuilder", Token, Iterator[Token]], Iterable[Node]]


#: Fenced divs an author may open; the words on the page come from the language table.
DIVS = (
    "note",
    "tip",
    "warning",
    "important",
    "disclaimer",
    "safety",
    "ask",
    "aside",
    "pullquote",
    "epigraph",
    "verse",
)
#: Fenced divs that are no boxes.
DIRECTIVES: Mapping[str, Read] = {"only": read_only, "except": read_only, "chapter": read_embedding}
_MORE = re.compile(r"<!--\s*more\s*-->\s*")


def _read_heading(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    children = builder.read_words(next(tokens))
    next(tokens)
    level = token.tag[1]
    barred = (*POINTERS, *MARKS, "link") if level == "1" else POINTERS
    builder.bar(children, barred, "a heading holds words alone", line=line)
    yield Node(
        "heading",
        children,
        attrs={"level": level, **builder.check(token.meta["attrs"], line=line)},
        line=line,
    )


def _read_code(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    words = builder.parser.utils.unescapeAll(token.info).split() if token.info else []
    attrs = {"code": words[0]} if words else {}
    yield Node("code_block", text=token.content, attrs=attrs, line=builder.line)


def _read_rule(builder: TreeBuilder, _: Token, __: Iterator[Token]) -> Iterable[Node]:
    yield Node("rule", line=builder.line)


def _read_attributes(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    builder.pending = builder.check(token.meta["attrs"])
    return ()


def _read_table(builder: TreeBuilder, _: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    yield Node("table", builder.read_blocks(tokens), line=line)


def _read_rows(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    rows = builder.read_blocks(tokens)
    return (row.with_attrs(head="1") for row in rows) if token.type == "thead_open" else rows


def _read_div(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line, name = builder.line, token.meta["name"]
    if not token.meta["closed"]:
        message = f"'::: {name}' is never closed; write ':::' on a line of its own after it"
        builder.report(message, rule="M004")
    if name in DIRECTIVES:
        yield from DIRECTIVES[name](builder, token, tokens)
        return
    if name not in DIVS:
        builder.report(f"there is no '::: {name}'; {suggest(name, (*DIVS, *DIRECTIVES))}", rule="M003")
    attrs = {"name": name, **builder.check(token.meta["attrs"])}
    words = builder.build_inline(token.meta["title"]) if token.meta["title"] else ()
    children = builder.read_blocks(tokens)
    if name == "verse":
        children = make_stanzas(children)
    elif name in {"pullquote", "epigraph"}:
        children = find_attribution(children)
    title = (Node("title", words, line=line),) if words else ()
    yield Node("div", (*title, *children), attrs=attrs, line=line)


def _read_stray(builder: TreeBuilder, _: Token, __: Iterator[Token]) -> Iterable[Node]:
    builder.report(
        "':::' neither opens nor closes a box here; write '::: note' and the like to open one",
        rule="M004",
    )
    return ()


def _read_verse(builder: TreeBuilder, _: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    lines: list[list[Node]] = [[]]
    for token in tokens:
        if token.nesting < 0:
            break
        builder.line = builder.first + (token.map or [0])[0]
        if token.content:
            lines[-1].append(Node("line", builder.read_words(token), line=builder.line))
        elif lines[-1]:
            lines.append([])
    stanzas = tuple(Node("lines", tuple(stanza), line=stanza[0].line) for stanza in lines if stanza)
    yield Node("div", stanzas, attrs={"name": "verse"}, line=line)


def _read_html_block(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    """Comments are left out, but for `<!-- more -->`: where the opening of a chapter ends."""
    if not _MORE.fullmatch(token.content):
        return read_html(builder, token, tokens)
    if token.level:
        builder.report("<!-- more --> stands between paragraphs; take it out of the list or box", rule="M003")
    return (Node("more", line=builder.line),)


def read_html(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    if drop_comments(token.content):
        message = "raw HTML is not part of the dialect; say it in Markdown (docs/chapters.md)"
        builder.report(message, rule="M001")
    return ()


def _finish_paragraph(builder: TreeBuilder, node: Node) -> Node:
    image = find_figure(node)
    return _make_figure(builder, image, node.line) if image else node


def _make_figure(builder: TreeBuilder, image: Node, line: int) -> Node:
    caption = image.attrs.get("title", "")
    builder.line = line
    parts = (Node("caption", builder.build_inline(caption), line=line),) if caption else ()
    kept = {key: value for key, value in image.attrs.items() if key in {"src", "alt", "class"}}
    moved = {key: value for key, value in image.attrs.items() if key in {"id", "width", "lang"}}
    return Node("figure", (Node("image", attrs=kept, line=line), *parts), attrs=moved, line=line)


def _finish_quote(builder: TreeBuilder, node: Node) -> Node:
    word = find_alert(node)
    if not word:
        return Node("quote", find_attribution(node.children), line=node.line)
    if word not in ALERTS:
        message = f"there is no '[!{word}]'; {suggest(word, ALERTS)}"
        builder.report(message, line=node.line, rule="M003")
    return Node("div", cut_alert(node), attrs={"name": ALERTS.get(word, "note")}, line=node.line)


#: The parser's token -> who reads it.
BLOCKS: Mapping[str, Read] = {
    "inline": lambda builder, token, _: builder.read_words(token),
    "heading_open": _read_heading,
    "fence": _read_code,
    "code_block": _read_code,
    "hr": _read_rule,
    "attributes": _read_attributes,
    "table_open": _read_table,
    "thead_open": _read_rows,
    "tbody_open": _read_rows,
    "div_open": _read_div,
    "div_stray": _read_stray,
    "verse_open": _read_verse,
    "html_block": _read_html_block,
}

#: What a container becomes once it is read.
FINISH: Mapping[str, Callable[[TreeBuilder, Node], Node]] = {
    "paragraph_open": _finish_paragraph,
    "blockquote_open": _finish_quote,
}
