"""Turn the parser's flat tokens into nodes, and report what the dialect does not know."""

# ruff: noqa: SLF001  (the tables at the end name methods of the class above them)
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..errors import ManuscriptError, Place
from ..hints import suggest
from ..model import Node, plain
from .attributes import drop_prefix, find_faults
from .limits import DEEPEST
from .notes import is_unused, list_note_lines, split_notes
from .shapes import (
    ALERTS,
    cut_alert,
    drop_comments,
    find_alert,
    find_attribution,
    find_figure,
    find_kinds,
    is_caption,
    join_captions,
    make_stanzas,
)

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

_PAIRS = {
    "paragraph_open": "paragraph", "bullet_list_open": "list", "ordered_list_open": "list",
    "list_item_open": "item", "blockquote_open": "quote", "em_open": "emphasis", "strong_open": "strong",
    "s_open": "strike", "sub_open": "sub", "sup_open": "sup", "dl_open": "definitions", "dt_open": "term",
    "dd_open": "definition", "tr_open": "row", "th_open": "cell", "td_open": "cell",
}  # fmt: skip
#: Blocks that hold blocks, and so can be nested too deeply.
_HOLDERS = {"blockquote_open", "list_item_open", "dd_open", "div_open"}
#: What only running text can hold.
_POINTERS = ("note", "citation", "reference")


class TreeBuilder:
    """Builds one chapter's nodes; remembers the line it is on, the notes and the errors."""

    def __init__(self, parser: MarkdownIt, *, source: str, first_line: int) -> None:
        self.errors: list[ManuscriptError] = []
        self._parser = parser
        self._source = source
        self._first = first_line
        self._line = first_line
        self._notes: Mapping[int, Sequence[Token]] = {}
        self._barred = ""  # where no note may stand
        self._pending: dict[str, str] = {}

    def build(self, tokens: Sequence[Token], env: Mapping[str, Any]) -> tuple[Node, ...]:
        """All blocks of a body, notes put back where they are referred to."""
        text, self._notes = split_notes(tokens)
        self._report_notes(env)
        return self._blocks(iter(text))

    def build_inline(self, text: str) -> tuple[Node, ...]:
        """The inline nodes of one line of Markdown, such as a caption or a title."""
        barred, self._barred = self._barred, "a title or a caption"
        nodes = self._words(self._parser.parseInline(text, {})[0])
        self._barred = barred
        return nodes

    def build_title(self, text: str) -> tuple[Node, ...]:
        """As `build_inline` for a chapter's title, which the contents and the bookmarks repeat."""
        nodes = self.build_inline(text)
        self._bar(nodes, (*_POINTERS, "link"), "a title holds words alone", line=self._line)
        return nodes

    # -- blocks

    def _blocks(self, tokens: Iterator[Token]) -> tuple[Node, ...]:
        """Nodes up to the closing token that belongs to whoever called."""
        nodes: list[Node] = []
        for token in tokens:
            if token.nesting < 0:
                break
            if token.map:
                self._line = self._first + token.map[0]
            nodes += self._block(token, tokens)
        if self._pending:
            self._report_idle(self._line)
            self._pending = {}
        joined = join_captions(nodes)
        for node in joined:
            if is_caption(node) and node.attrs.keys() - {"tight"}:
                self._report_idle(node.line)
            if node.kind == "table" and find_kinds(node.children[:1], ("note",)):
                self._error("a note cannot stand in a title or a caption; put it into the text",
                            line=node.children[0].line, rule="M006")  # fmt: skip
        return joined

    def _block(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line, attrs = self._line, self._pending
        self._pending = {}
        if token.type in _HOLDERS and token.level >= DEEPEST - 1:
            self._error(
                f"stands {token.level} levels deep in other blocks; the most is {DEEPEST - 2}", rule="M002"
            )
        read = _BLOCKS.get(token.type)
        nodes = tuple(read(self, token, tokens)) if read else (self._container(token, tokens),)
        if self._pending:  # another line of braces
            self._pending = {**attrs, **self._pending}
        if not attrs or self._pending:
            return nodes
        return tuple(Node(n.kind, n.children, n.text, {**n.attrs, **attrs}, line) for n in nodes)

    def _container(self, token: Token, tokens: Iterator[Token]) -> Node:
        line = self._line
        make = _FINISH.get(token.type)
        attrs = {**_own_attrs(token), **self._check(token.meta.get("attrs", {}))}
        node = Node(_PAIRS[token.type], self._blocks(tokens), attrs=attrs, line=line)
        return make(self, node) if make else node

    def _words(self, token: Token, _: Iterator[Token] | None = None) -> tuple[Node, ...]:
        """What a paragraph, a heading or a cell says."""
        if token.meta.get("crowded"):
            self._error(
                "holds more brackets or quotation marks than anybody reads; split the paragraph", rule="M002"
            )
        return self._inline_run(iter(token.children or ()))

    def _read_heading(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        children = self._words(next(tokens))
        next(tokens)
        level = token.tag[1]
        barred = (*_POINTERS, "link") if level == "1" else _POINTERS
        self._bar(children, barred, "a heading holds words alone", line=line)
        yield Node(
            "heading",
            children,
            attrs={"level": level, **self._check(token.meta["attrs"], line=line)},
            line=line,
        )

    def _read_code(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        words = self._parser.utils.unescapeAll(token.info).split() if token.info else []
        attrs = {"code": words[0]} if words else {}
        yield Node("code_block", text=token.content, attrs=attrs, line=self._line)

    def _read_rule(self, _: Token, __: Iterator[Token]) -> Iterable[Node]:
        yield Node("rule", line=self._line)

    def _read_attributes(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        self._pending = self._check(token.meta["attrs"])
        return ()

    def _read_table(self, _: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        yield Node("table", self._blocks(tokens), line=line)

    def _read_rows(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        rows = self._blocks(tokens)
        return (row.with_attrs(head="1") for row in rows) if token.type == "thead_open" else rows

    def _read_div(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line, name = self._line, token.meta["name"]
        if not token.meta["closed"]:
            message = f"'::: {name}' is never closed; write ':::' on a line of its own after it"
            self._error(message, rule="M004")
        if name not in DIVS:
            self._error(f"there is no '::: {name}'; {suggest(name, DIVS)}", rule="M003")
        attrs = {"name": name, **self._check(token.meta["attrs"])}
        words = self.build_inline(token.meta["title"]) if token.meta["title"] else ()
        children = self._blocks(tokens)
        if name == "verse":
            children = make_stanzas(children)
        elif name in {"pullquote", "epigraph"}:
            children = find_attribution(children)
        title = (Node("title", words, line=line),) if words else ()
        yield Node("div", (*title, *children), attrs=attrs, line=line)

    def _read_stray(self, _: Token, __: Iterator[Token]) -> Iterable[Node]:
        self._error(
            "':::' neither opens nor closes a box here; write '::: note' and the like to open one",
            rule="M004",
        )
        return ()

    def _read_verse(self, _: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        lines: list[list[Node]] = [[]]
        for token in tokens:
            if token.nesting < 0:
                break
            self._line = self._first + (token.map or [0])[0]
            if token.content:
                lines[-1].append(Node("line", self._words(token), line=self._line))
            elif lines[-1]:
                lines.append([])
        stanzas = tuple(Node("lines", tuple(stanza), line=stanza[0].line) for stanza in lines if stanza)
        yield Node("div", stanzas, attrs={"name": "verse"}, line=line)

    def _read_html(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        if drop_comments(token.content):
            message = "raw HTML is not part of the dialect; say it in Markdown (docs/chapters.md)"
            self._error(message, rule="M001")
        return ()

    # -- finishing touches for containers

    def _finish_paragraph(self, node: Node) -> Node:
        image = find_figure(node)
        return self._make_figure(image, node.line) if image else node

    def _make_figure(self, image: Node, line: int) -> Node:
        caption = image.attrs.get("title", "")
        self._line = line
        parts = (Node("caption", self.build_inline(caption), line=line),) if caption else ()
        kept = {key: value for key, value in image.attrs.items() if key in {"src", "alt", "class"}}
        moved = {key: value for key, value in image.attrs.items() if key in {"id", "width", "lang"}}
        return Node("figure", (Node("image", attrs=kept, line=line), *parts), attrs=moved, line=line)

    def _finish_quote(self, node: Node) -> Node:
        word = find_alert(node)
        if not word:
            return Node("quote", find_attribution(node.children), line=node.line)
        if word not in ALERTS:
            message = f"there is no '[!{word}]'; {suggest(word, ALERTS)}"
            self._error(message, line=node.line, rule="M003")
        return Node("div", cut_alert(node), attrs={"name": ALERTS.get(word, "note")}, line=node.line)

    # -- inlines

    def _inline_run(self, tokens: Iterator[Token]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for token in tokens:
            if token.nesting < 0:
                break
            nodes += self._inline(token, tokens)
        return tuple(nodes)

    def _inline(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        if token.nesting > 0 and token.level >= DEEPEST:
            self._error(f"marks stand in marks {token.level} levels deep; write it plainly", rule="M002")
            _skip(tokens)
            return ()
        kind = _PAIRS.get(token.type)
        if kind:
            return (Node(kind, self._inline_run(tokens), line=line),)
        return _INLINES[token.type](self, token, tokens)

    def _read_text(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        if token.content:
            yield Node("text", text=token.content, line=self._line)

    def _read_break(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        node = Node("softbreak" if token.type == "softbreak" else "break", line=self._line)
        self._line += 1
        return (node,)

    def _read_code_span(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        attrs = self._check(token.meta.get("attrs", {}))
        yield Node("code", text=token.content, attrs=attrs, line=self._line)

    def _read_link(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        attrs: dict[str, str] = {
            key: str(token.attrs[key]) for key in ("href", "title") if key in token.attrs
        }
        attrs |= self._check(token.meta.get("attrs", {}))
        children = self._inline_run(tokens)
        if kinds := find_kinds(children, (*_POINTERS, "link")):
            self._error(f"a link cannot hold a {kinds.pop()}; put it beside the link", line=line, rule="M015")
        yield Node("link", children, attrs=attrs, line=line)

    def _read_image(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        words = self._words(token)
        self._bar(words, _POINTERS, "an alternative text holds words alone", line=line)
        attrs = {"src": str(token.attrs["src"]), "alt": plain(words)}
        if "title" in token.attrs:
            attrs["title"] = str(token.attrs["title"])
        attrs |= self._check(token.meta.get("attrs", {}), line=line)
        yield Node("image", attrs=attrs, line=line)

    def _read_span(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        attrs = self._check({key: str(value) for key, value in token.attrs.items()})
        yield Node("span", self._inline_run(tokens), attrs=attrs, line=line)

    def _read_citation(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        yield Node("citation", text=token.content, line=self._line)

    def _read_reference(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        yield Node("reference", attrs={"to": token.content}, line=self._line)

    def _read_note(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        number, line = int(token.meta["id"]), self._line
        if self._barred:
            self._error(f"a note cannot stand in {self._barred}; put it into the text", rule="M006")
            return
        if token.meta.get("subId"):
            yield Node("note", attrs={"number": str(number + 1), "again": "1"}, line=line)
            return
        self._barred, pending, self._pending = "a note", self._pending, {}
        children = self._blocks(iter(self._notes.get(number, ())))
        self._barred, self._pending, self._line = "", pending, line
        self._report_unfit(children)
        yield Node("note", children, attrs={"number": str(number + 1)}, line=line)

    def _read_missing(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        message = f"no note [^{token.content}] is written; add '[^{token.content}]: ...' to this chapter"
        if self._barred:
            message = f"a note cannot stand in {self._barred}; put it into the text"
        self._error(message, rule="M006")
        return ()

    # -- errors

    def _bar(self, nodes: Sequence[Node], kinds: Iterable[str], why: str, *, line: int) -> None:
        for kind in sorted(find_kinds(nodes, kinds)):
            self._error(f"{why}; move the {kind} into the text", line=line, rule="M006")

    def _report_unfit(self, note: Sequence[Node]) -> None:
        odd = next((child for child in note if child.kind != "paragraph"), None)
        if odd:
            message = "a note holds paragraphs only; move the rest into the text"
            self._error(message, line=odd.line, rule="M006")
        elif not any(child.children for child in note):
            self._error("this note is empty; write it, or take its mark out", rule="M006")

    def _report_notes(self, env: Mapping[str, Any]) -> None:
        for label, (first, *more) in list_note_lines(env).items():
            if is_unused(label, env):
                message = f"nothing refers to the note [^{label}]; refer to it or take it out"
                self._error(message, line=self._first + first, rule="M007")
            for line in more:
                message = f"the note [^{label}] is written twice; give one another name"
                self._error(message, line=self._first + line, rule="M006")

    def _report_idle(self, line: int) -> None:
        message = (
            "these braces belong to nothing; put them on the line above a block, or a caption above its table"
        )
        self._error(message, line=line, rule="M005")

    def _check(self, attrs: Mapping[str, str], line: int = 0) -> dict[str, str]:
        """Attributes of the closed list; others are reported."""
        attrs = drop_prefix(attrs)
        for message in find_faults(attrs):
            self._error(message, line=line, rule="M005")
        return dict(attrs)

    def _error(self, message: str, *, line: int = 0, rule: str) -> None:
        self.errors.append(ManuscriptError(message, Place(self._source, line or self._line), rule=rule))


_Read = Callable[[TreeBuilder, Token, Iterator[Token]], Iterable[Node]]

_BLOCKS: dict[str, _Read] = {
    "inline": TreeBuilder._words,
    "heading_open": TreeBuilder._read_heading,
    "fence": TreeBuilder._read_code,
    "code_block": TreeBuilder._read_code,
    "hr": TreeBuilder._read_rule,
    "attributes": TreeBuilder._read_attributes,
    "table_open": TreeBuilder._read_table,
    "thead_open": TreeBuilder._read_rows,
    "tbody_open": TreeBuilder._read_rows,
    "div_open": TreeBuilder._read_div,
    "div_stray": TreeBuilder._read_stray,
    "verse_open": TreeBuilder._read_verse,
    "html_block": TreeBuilder._read_html,
}
_FINISH: dict[str, Callable[[TreeBuilder, Node], Node]] = {
    "paragraph_open": TreeBuilder._finish_paragraph,
    "blockquote_open": TreeBuilder._finish_quote,
}
_INLINES: dict[str, _Read] = {
    "text": TreeBuilder._read_text,
    "softbreak": TreeBuilder._read_break,
    "hardbreak": TreeBuilder._read_break,
    "code_inline": TreeBuilder._read_code_span,
    "link_open": TreeBuilder._read_link,
    "image": TreeBuilder._read_image,
    "span_open": TreeBuilder._read_span,
    "citation": TreeBuilder._read_citation,
    "reference": TreeBuilder._read_reference,
    "footnote_ref": TreeBuilder._read_note,
    "note_missing": TreeBuilder._read_missing,
    "html_inline": TreeBuilder._read_html,
}


def _skip(tokens: Iterator[Token]) -> None:
    """Pass by what an opening token has just begun."""
    depth = 1
    while depth:
        depth += next(tokens).nesting


def _own_attrs(token: Token) -> dict[str, str]:
    """What the parser itself says of a container."""
    if token.type == "ordered_list_open":
        return {"ordered": "1", "start": str(token.attrs.get("start", 1))}
    if token.type == "paragraph_open" and token.hidden:
        return {"tight": "1"}
    if token.type in {"th_open", "td_open"} and "style" in token.attrs:
        return {"align": str(token.attrs["style"]).removeprefix("text-align:")}
    return {}
