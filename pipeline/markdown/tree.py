"""Turn the parser's flat tokens into nodes, and report what the dialect does not know."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..errors import ManuscriptError, Place
from ..model import Node, plain
from .attributes import CLASSES, KEYS, cut_attributes

#: Fenced divs an author may open; the words on the page come from the language table.
DIVS = (
    "note", "tip", "warning", "important", "disclaimer", "safety", "ask", "aside", "pullquote", "epigraph", "verse",
)
#: GitHub's alerts and what they are here.
ALERTS = {"NOTE": "note", "TIP": "tip", "IMPORTANT": "important", "WARNING": "warning", "CAUTION": "warning"}

_PAIRS = {
    "paragraph_open": "paragraph", "bullet_list_open": "list", "ordered_list_open": "list",
    "list_item_open": "item", "blockquote_open": "quote", "em_open": "emphasis", "strong_open": "strong",
    "s_open": "strike", "sub_open": "sub", "sup_open": "sup", "dl_open": "definitions", "dt_open": "term",
    "dd_open": "definition", "tr_open": "row", "th_open": "cell", "td_open": "cell",
}  # fmt: skip
_REFERENCE = re.compile(r"(?<![\w@.])@(ch|fig|tbl|sec):([A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?)")
_NO_NOTE = re.compile(r"\[\^([^\]\s]+)\]")
_ALERT = re.compile(r"\[!(\w+)\]\s*$")
_CAPTION = "Table: "
_WIDTH = re.compile(r"(100|[1-9]\d?)%$")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)


class TreeBuilder:
    """Builds one chapter's nodes; remembers the line it is on, the notes and the errors."""

    def __init__(self, parser: MarkdownIt, *, source: str, first_line: int) -> None:
        self.errors: list[ManuscriptError] = []
        self._parser = parser
        self._source = source
        self._first = first_line
        self._line = first_line
        self._notes: dict[int, tuple[Node, ...]] = {}
        self._pending: dict[str, str] = {}

    def build(self, tokens: Sequence[Token], env: Mapping[str, Any], text: str) -> tuple[Node, ...]:
        """All blocks of a body, notes put back where they are referred to."""
        cut = next((i for i, token in enumerate(tokens) if token.type == "footnote_block_open"), len(tokens))
        self._read_notes(iter(tokens[cut:]))
        self._report_unused_notes(env, text)
        return self._blocks(iter(tokens[:cut]))

    def build_inline(self, text: str) -> tuple[Node, ...]:
        """The inline nodes of one line of Markdown, such as a caption or a title."""
        if _NO_NOTE.search(text) or "^[" in text:
            self._error("a note cannot stand in a title or a caption; put it into the text", rule="M006")
        return tuple(
            node for token in self._parser.parseInline(text, {}) for node in self._inlines(token.children or ())
        )

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
            self._error("attributes in braces stand above nothing; put them on the line above a block", rule="M005")
            self._pending = {}
        return tuple(_join_captions(nodes))

    def _block(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line, attrs = self._line, self._pending
        self._pending = {}
        read = _BLOCKS.get(token.type)
        if read:
            nodes = tuple(read(self, token, tokens))
        elif token.type in _PAIRS:
            nodes = (self._container(token, tokens),)
        else:
            raise AssertionError(token.type)
        if not attrs or self._pending:
            return nodes
        return tuple(Node(n.kind, n.children, n.text, {**n.attrs, **attrs}, line) for n in nodes)

    def _container(self, token: Token, tokens: Iterator[Token]) -> Node:
        line = self._line
        make = _FINISH.get(token.type)
        node = Node(_PAIRS[token.type], self._blocks(tokens), attrs=_own_attrs(token), line=line)
        return make(self, node) if make else node

    def _read_inline_block(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        return self._inlines(token.children or ())

    def _read_heading(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        content = next(tokens)
        title, attrs = cut_attributes(content.content)
        children = self._inlines(content.children or ()) if not attrs else self.build_inline(title)
        next(tokens)
        yield Node("heading", children, attrs={"level": token.tag[1], **self._check(attrs)}, line=line)

    def _read_code(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        words = self._parser.utils.unescapeAll(token.info).split() if token.info else []
        yield Node("code_block", text=token.content, attrs={"code": words[0]} if words else {}, line=self._line)

    def _read_rule(self, _: Token, __: Iterator[Token]) -> Iterable[Node]:
        yield Node("rule", line=self._line)

    def _read_attributes(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        self._pending = {**self._check(token.meta["attrs"])}
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
            self._error(f"'::: {name}' is never closed; write ':::' on a line of its own after it", rule="M004")
        children = self._blocks(tokens)
        if name not in DIVS:
            self._error(f"there is no '::: {name}'{_hint(name, DIVS)}", line=line, rule="M003")
        attrs = {"name": name, **self._check(token.meta["attrs"], line=line)}
        if name == "verse":
            yield Node("div", tuple(_make_stanza(child) for child in children), attrs=attrs, line=line)
            return
        if token.meta["title"]:
            children = (Node("title", self.build_inline(token.meta["title"]), line=line), *children)
        if name in {"pullquote", "epigraph"}:
            children = _find_attribution(children)
        yield Node("div", children, attrs=attrs, line=line)

    def _read_verse(self, _: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        lines: list[list[Node]] = [[]]
        for token in tokens:
            if token.nesting < 0:
                break
            self._line = self._first + (token.map or [0])[0]
            if token.content:
                lines[-1].append(Node("line", self._inlines(token.children or ()), line=self._line))
            elif lines[-1]:
                lines.append([])
        stanzas = tuple(Node("lines", tuple(stanza), line=stanza[0].line) for stanza in lines if stanza)
        yield Node("div", stanzas, attrs={"name": "verse"}, line=line)

    def _read_html(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        if _COMMENT.sub("", token.content):
            self._error("raw HTML is not part of the dialect; say it in Markdown (docs/chapters.md)", rule="M001")
        return ()

    # -- finishing touches for containers

    def _finish_paragraph(self, node: Node) -> Node:
        images = [child for child in node.children if child.kind == "image"]
        if len(images) == len(node.children) == 1:
            return self._make_figure(images[0], node.line)
        return node

    def _make_figure(self, image: Node, line: int) -> Node:
        caption = image.attrs.get("title", "")
        self._line = line
        parts = (Node("caption", self.build_inline(caption), line=line),) if caption else ()
        kept = {key: value for key, value in image.attrs.items() if key in {"src", "alt", "class"}}
        moved = {key: value for key, value in image.attrs.items() if key in {"id", "width", "lang"}}
        return Node("figure", (Node("image", attrs=kept, line=line), *parts), attrs=moved, line=line)

    def _finish_quote(self, node: Node) -> Node:
        name = _find_alert(node)
        if not name:
            return Node("quote", _find_attribution(node.children), line=node.line)
        first, *rest = node.children
        words = first.children[2:]
        body = (Node("paragraph", words, line=first.line), *rest) if words else tuple(rest)
        return Node("div", body, attrs={"name": name}, line=node.line)

    # -- inlines

    def _inlines(self, tokens: Iterable[Token]) -> tuple[Node, ...]:
        return self._inline_run(iter(tokens))

    def _inline_run(self, tokens: Iterator[Token]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for token in tokens:
            if token.nesting < 0:
                break
            nodes += self._inline(token, tokens)
        return tuple(nodes)

    def _inline(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        kind = _PAIRS.get(token.type)
        if kind:
            return (Node(kind, self._inline_run(tokens), line=line),)
        return _INLINES[token.type](self, token, tokens)

    def _read_text(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        text = token.content
        if "[^" in text and (label := _NO_NOTE.search(text)):
            self._error(f"no note [^{label[1]}] is written; add '[^{label[1]}]: ...' to this chapter", rule="M006")
        start = 0
        if "@" in text:
            for found in _REFERENCE.finditer(text):
                if found.start() > start:
                    yield Node("text", text=text[start : found.start()], line=self._line)
                yield Node("reference", attrs={"to": f"{found[1]}:{found[2]}"}, line=self._line)
                start = found.end()
        if start < len(text):
            yield Node("text", text=text[start:], line=self._line)

    def _read_break(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        node = Node("softbreak" if token.type == "softbreak" else "break", line=self._line)
        self._line += 1
        return (node,)

    def _read_code_span(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        yield Node("code", text=token.content, attrs=self._check(token.meta.get("attrs", {})), line=self._line)

    def _read_link(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        attrs = {key: str(token.attrs[key]) for key in ("href", "title") if key in token.attrs}
        attrs |= self._check(token.meta.get("attrs", {}))
        yield Node("link", self._inline_run(tokens), attrs=attrs, line=line)

    def _read_image(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        attrs = {"src": str(token.attrs["src"]), "alt": plain(self._inlines(token.children or ()))}
        if "title" in token.attrs:
            attrs["title"] = str(token.attrs["title"])
        attrs |= self._check(token.meta.get("attrs", {}))
        yield Node("image", attrs=attrs, line=self._line)

    def _read_span(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self._line
        attrs = self._check({key: str(value) for key, value in token.attrs.items()})
        yield Node("span", self._inline_run(tokens), attrs=attrs, line=line)

    def _read_citation(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        yield Node("citation", text=token.content, line=self._line)

    def _read_note(self, token: Token, _: Iterator[Token]) -> Iterable[Node]:
        number = int(token.meta["id"])
        again = bool(token.meta.get("subId"))
        attrs = {"number": str(number + 1)} | ({"again": "1"} if again else {})
        yield Node("note", () if again else self._notes.get(number, ()), attrs=attrs, line=self._line)

    # -- notes and errors

    def _read_notes(self, tokens: Iterator[Token]) -> None:
        next(tokens, None)
        for token in tokens:
            if token.type == "footnote_open":
                children = self._blocks(tokens)
                if any(child.kind != "paragraph" for child in children):
                    self._error("a note holds paragraphs only; move the rest into the text", rule="M006")
                self._notes[int(token.meta["id"])] = children

    def _report_unused_notes(self, env: Mapping[str, Any], text: str) -> None:
        for label, number in env.get("footnotes", {}).get("refs", {}).items():
            if number < 0:
                found = re.search(rf"^ {{0,3}}\[\^{re.escape(label[1:])}\]:", text, re.MULTILINE)
                line = self._first + text.count("\n", 0, found.start()) if found else self._first
                message = f"nothing refers to the note [^{label[1:]}]; refer to it or take it out"
                self._error(message, line=line, rule="M007")

    def _check(self, attrs: Mapping[str, str], line: int = 0) -> dict[str, str]:
        """Attributes of the closed list; others are reported."""
        for name in attrs.get("class", "").split():
            if name not in CLASSES:
                self._error(f"there is no class '.{name}'{_hint(name, CLASSES)}", line=line, rule="M005")
        for key in attrs.keys() - {"id", "class"}:
            if key not in KEYS:
                self._error(f"there is no attribute '{key}='{_hint(key, KEYS)}", line=line, rule="M005")
        if "width" in attrs and not _WIDTH.match(attrs["width"]):
            self._error("width is a share of the text's width, such as width=60%", line=line, rule="M005")
        return _drop_prefix(attrs)

    def _error(self, message: str, *, line: int = 0, rule: str) -> None:
        self.errors.append(ManuscriptError(message, Place(self._source, line or self._line), rule=rule))


_Read = Callable[[TreeBuilder, Token, Iterator[Token]], Iterable[Node]]

_BLOCKS: dict[str, _Read] = {
    "inline": TreeBuilder._read_inline_block,
    "heading_open": TreeBuilder._read_heading,
    "fence": TreeBuilder._read_code,
    "code_block": TreeBuilder._read_code,
    "hr": TreeBuilder._read_rule,
    "attributes": TreeBuilder._read_attributes,
    "table_open": TreeBuilder._read_table,
    "thead_open": TreeBuilder._read_rows,
    "tbody_open": TreeBuilder._read_rows,
    "div_open": TreeBuilder._read_div,
    "verse_open": TreeBuilder._read_verse,
    "html_block": TreeBuilder._read_html,
    "footnote_anchor": lambda *_: (),
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
    "footnote_ref": TreeBuilder._read_note,
    "html_inline": TreeBuilder._read_html,
}


def _own_attrs(token: Token) -> dict[str, str]:
    """What the parser itself says of a container."""
    attrs: dict[str, str] = {}
    if token.type == "ordered_list_open":
        attrs = {"ordered": "1", "start": str(token.attrs.get("start", 1))}
    elif token.type == "paragraph_open" and token.hidden:
        attrs = {"tight": "1"}
    elif token.type in {"th_open", "td_open"} and "style" in token.attrs:
        attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}
    return attrs


def _drop_prefix(attrs: Mapping[str, str]) -> dict[str, str]:
    """`{#fig:cell}` and `{#cell}` name the same figure."""
    return {k: v.split(":", 1)[1] if k == "id" and v.startswith(("fig:", "tbl:", "sec:")) else v for k, v in attrs.items()}


def _find_alert(quote: Node) -> str:
    """The div that a GitHub alert stands for; empty when the quote is a quote."""
    first = quote.children[0] if quote.children else None
    if not first or first.kind != "paragraph" or first.children[:1] == ():
        return ""
    alone = len(first.children) == 1 or first.children[1].kind == "softbreak"
    found = _ALERT.match(first.children[0].text) if alone else None
    return ALERTS.get(found[1].upper(), "") if found else ""


def _find_attribution(blocks: tuple[Node, ...]) -> tuple[Node, ...]:
    """The last paragraph of a quote that begins with a dash names its source."""
    last = blocks[-1] if len(blocks) > 1 else None
    if not last or last.kind != "paragraph" or not last.children or not last.children[0].text.startswith(("— ", "– ", "-- ")):
        return blocks
    head, *rest = last.children
    words = Node("text", text=head.text.split(" ", 1)[1], line=head.line)
    return (*blocks[:-1], Node("attribution", (words, *rest), line=last.line))


def _make_stanza(paragraph: Node) -> Node:
    lines: list[list[Node]] = [[]]
    for child in paragraph.children:
        if child.kind in {"softbreak", "break"}:
            lines.append([])
        else:
            lines[-1].append(child)
    return Node("lines", tuple(Node("line", tuple(line), line=paragraph.line) for line in lines), line=paragraph.line)


def _join_captions(nodes: list[Node]) -> Iterator[Node]:
    """A paragraph `Table: ...` right before or after a table is its caption."""
    waiting: Node | None = None
    for index, node in enumerate(nodes):
        following = nodes[index + 1] if index + 1 < len(nodes) else None
        if _is_caption(node) and following and following.kind == "table":
            waiting = node
        elif _is_caption(node) and index and nodes[index - 1].kind == "table" and not _has_caption(nodes, index - 1):
            continue
        elif node.kind == "table":
            after = following if following and _is_caption(following) else None
            caption = waiting or after
            yield _caption_table(node, caption) if caption else node
            waiting = None
        else:
            yield node


def _has_caption(nodes: list[Node], table: int) -> bool:
    return table > 0 and _is_caption(nodes[table - 1])


def _is_caption(node: Node) -> bool:
    return node.kind == "paragraph" and bool(node.children) and node.children[0].text.startswith(_CAPTION)


def _caption_table(table: Node, paragraph: Node) -> Node:
    head, *rest = paragraph.children
    words: list[Node] = [Node("text", text=head.text.removeprefix(_CAPTION), line=head.line), *rest]
    text, attrs = cut_attributes(words[-1].text)
    words[-1] = Node(words[-1].kind, words[-1].children, text, words[-1].attrs, words[-1].line) if attrs else words[-1]
    caption = Node("caption", tuple(words), line=paragraph.line)
    return Node("table", (caption, *table.children), attrs={**table.attrs, **_drop_prefix(attrs)}, line=table.line)


def _hint(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(known)}"
