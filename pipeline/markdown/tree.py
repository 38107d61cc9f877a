"""Turn the parser's flat tokens into nodes, and report what the dialect does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..errors import ManuscriptError, Place
from ..model import Node
from .attributes import drop_prefix, find_faults
from .blocks import BLOCKS, FINISH
from .inlines import INLINES
from .limits import DEEPEST
from .notes import is_unused, list_note_lines, split_notes
from .shapes import (
    MARKS,
    POINTERS,
    find_kinds,
    is_caption,
    join_captions,
)

_PAIRS = {
    "paragraph_open": "paragraph", "bullet_list_open": "list", "ordered_list_open": "list",
    "list_item_open": "item", "blockquote_open": "quote", "em_open": "emphasis", "strong_open": "strong",
    "s_open": "strike", "sub_open": "sub", "sup_open": "sup", "dl_open": "definitions", "dt_open": "term",
    "dd_open": "definition", "tr_open": "row", "th_open": "cell", "td_open": "cell",
}  # fmt: skip
#: Blocks that hold blocks, and so can be nested too deeply.
_HOLDERS = {"blockquote_open", "list_item_open", "dd_open", "div_open"}


class TreeBuilder:
    """Builds one chapter's nodes; remembers the line it is on, the notes and the errors."""

    def __init__(self, parser: MarkdownIt, *, source: str, first_line: int) -> None:
        self.errors: list[ManuscriptError] = []
        self.parser = parser
        self._source = source
        self.first = first_line
        self.line = first_line
        self.notes: Mapping[int, Sequence[Token]] = {}
        self.barred = ""  # where no note may stand
        self.pending: dict[str, str] = {}
        self.conditional = False

    def build(self, tokens: Sequence[Token], env: Mapping[str, Any]) -> tuple[Node, ...]:
        """All blocks of a body, notes put back where they are referred to."""
        text, self.notes = split_notes(tokens)
        self._report_notes(env)
        return self.read_blocks(iter(text))

    def build_inline(self, text: str) -> tuple[Node, ...]:
        """The inline nodes of one line of Markdown, such as a caption or a title."""
        barred, self.barred = self.barred, "a title or a caption"
        nodes = self.read_words(self.parser.parseInline(text, {})[0])
        self.barred = barred
        return nodes

    def build_title(self, text: str) -> tuple[Node, ...]:
        """As `build_inline` for a chapter's title, which the contents and the bookmarks repeat."""
        nodes = self.build_inline(text)
        self.bar(nodes, (*POINTERS, *MARKS, "link"), "a title holds words alone", line=self.line)
        return nodes

    def read_blocks(self, tokens: Iterator[Token]) -> tuple[Node, ...]:
        """Nodes up to the closing token that belongs to whoever called."""
        nodes: list[Node] = []
        for token in tokens:
            if token.nesting < 0:
                break
            if token.map:
                self.line = self.first + token.map[0]
            nodes += self._block(token, tokens)
        if self.pending:
            self._report_idle(self.line)
            self.pending = {}
        joined = join_captions(nodes)
        for node in joined:
            if is_caption(node) and node.attrs.keys() - {"tight"}:
                self._report_idle(node.line)
            if node.kind == "table" and find_kinds(node.children[:1], ("note",)):
                self.report("a note cannot stand in a title or a caption; put it into the text",
                            line=node.children[0].line, rule="M006")  # fmt: skip
        return joined

    def _block(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line, attrs = self.line, self.pending
        self.pending = {}
        if token.type == "formula_block":
            formula = tuple(INLINES["formula"](self, token, tokens))
            return (Node("paragraph", formula, attrs={**attrs, "class": "formula"}, line=line),)
        if token.type in _HOLDERS and token.level >= DEEPEST - 1:
            self.report(
                f"stands {token.level} levels deep in other blocks; the most is {DEEPEST - 2}", rule="M002"
            )
        read = BLOCKS.get(token.type)
        nodes = tuple(read(self, token, tokens)) if read else (self._container(token, tokens),)
        if self.pending:  # another line of braces
            self.pending = {**attrs, **self.pending}
        if not attrs or self.pending:
            return nodes
        return tuple(Node(n.kind, n.children, n.text, {**n.attrs, **attrs}, line) for n in nodes)

    def _container(self, token: Token, tokens: Iterator[Token]) -> Node:
        line = self.line
        make = FINISH.get(token.type)
        attrs = {**_own_attrs(token), **self.check(token.meta.get("attrs", {}))}
        node = Node(_PAIRS[token.type], self.read_blocks(tokens), attrs=attrs, line=line)
        return make(self, node) if make else node

    def read_words(self, token: Token, _: Iterator[Token] | None = None) -> tuple[Node, ...]:
        """What a paragraph, a heading or a cell says."""
        if token.meta.get("crowded"):
            self.report(
                "holds more brackets or quotation marks than anybody reads; split the paragraph", rule="M002"
            )
        return self.read_run(iter(token.children or ()))

    def read_run(self, tokens: Iterator[Token]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for token in tokens:
            if token.nesting < 0:
                break
            nodes += self._inline(token, tokens)
        return tuple(nodes)

    def _inline(self, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
        line = self.line
        if token.nesting > 0 and token.level >= DEEPEST:
            self.report(f"marks stand in marks {token.level} levels deep; write it plainly", rule="M002")
            _skip(tokens)
            return ()
        kind = _PAIRS.get(token.type)
        if kind:
            return (Node(kind, self.read_run(tokens), line=line),)
        return INLINES[token.type](self, token, tokens)

    def bar(self, nodes: Sequence[Node], kinds: Iterable[str], why: str, *, line: int) -> None:
        for kind in sorted(find_kinds(nodes, kinds)):
            self.report(f"{why}; move the {kind} into the text", line=line, rule="M006")

    def report_unfit(self, note: Sequence[Node]) -> None:
        odd = next((child for child in note if child.kind != "paragraph"), None)
        if odd:
            message = "a note holds paragraphs only; move the rest into the text"
            self.report(message, line=odd.line, rule="M006")
        elif not any(child.children for child in note):
            self.report("this note is empty; write it, or take its mark out", rule="M006")

    def _report_notes(self, env: Mapping[str, Any]) -> None:
        for label, (first, *more) in list_note_lines(env).items():
            if is_unused(label, env):
                message = f"nothing refers to the note [^{label}]; refer to it or take it out"
                self.report(message, line=self.first + first, rule="M007")
            for line in more:
                message = f"the note [^{label}] is written twice; give one another name"
                self.report(message, line=self.first + line, rule="M006")

    def _report_idle(self, line: int) -> None:
        message = (
            "these braces belong to nothing; put them on the line above a block, or a caption above its table"
        )
        self.report(message, line=line, rule="M005")

    def check(self, attrs: Mapping[str, str], line: int = 0, *, of_words: bool = False) -> dict[str, str]:
        """Attributes of the closed list; others are reported."""
        if not attrs:
            return {}
        attrs = drop_prefix(attrs)
        for message in find_faults(attrs, of_words=of_words):
            self.report(message, line=line, rule="M005")
        return dict(attrs)

    def report(self, message: str, *, line: int = 0, rule: str) -> None:
        self.errors.append(ManuscriptError(message, Place(self._source, line or self.line), rule=rule))


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
