"""Read the parser's inline tokens: one function a construct."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from markdown_it.token import Token

from ..config.variables import VARIABLES
from ..formulas import FormulaError, read_formula
from ..hints import suggest
from ..model import Node, plain
from .blocks import Read, read_html
from .marks import make_span
from .shapes import MARKS, POINTERS, find_kinds

if TYPE_CHECKING:
    from .tree import TreeBuilder


def _read_text(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    if token.content:
        yield Node("text", text=token.content, line=builder.line)


def _read_break(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    node = Node("softbreak" if token.type == "softbreak" else "break", line=builder.line)
    builder.line += 1
    return (node,)


def _read_code_span(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    attrs = builder.check(token.meta.get("attrs", {}))
    yield Node("code", text=token.content, attrs=attrs, line=builder.line)


def _read_link(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    attrs: dict[str, str] = {key: str(token.attrs[key]) for key in ("href", "title") if key in token.attrs}
    attrs |= builder.check(token.meta.get("attrs", {}))
    children = builder.read_run(tokens)
    if kinds := find_kinds(children, (*POINTERS, "mention", "link")):
        builder.report(f"a link cannot hold a {kinds.pop()}; put it beside the link", line=line, rule="M015")
    yield Node("link", children, attrs=attrs, line=line)


def _read_image(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    words = builder.read_words(token)
    builder.bar(words, (*POINTERS, *MARKS, "variable"), "an alternative text holds words alone", line=line)
    attrs = {"src": str(token.attrs["src"]), "alt": plain(words)}
    if "title" in token.attrs:
        attrs["title"] = str(token.attrs["title"])
    attrs |= builder.check(token.meta.get("attrs", {}), line=line)
    yield Node("image", attrs=attrs, line=line)


def _read_span(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    line = builder.line
    attrs = builder.check({key: str(value) for key, value in token.attrs.items()}, of_words=True)
    yield make_span(builder, builder.read_run(tokens), attrs, line)


def _read_citation(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    yield Node("citation", text=token.content, line=builder.line)


def _read_reference(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    yield Node("reference", attrs={"to": token.content}, line=builder.line)


def _read_note(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    number, line = int(token.meta["id"]), builder.line
    if builder.barred:
        builder.report(f"a note cannot stand in {builder.barred}; put it into the text", rule="M006")
        return
    if token.meta.get("subId"):
        yield Node("note", attrs={"number": str(number + 1), "again": "1"}, line=line)
        return
    builder.barred, pending, builder.pending = "a note", builder.pending, {}
    children = builder.read_blocks(iter(builder.notes.get(number, ())))
    builder.barred, builder.pending, builder.line = "", pending, line
    builder.report_unfit(children)
    yield Node("note", children, attrs={"number": str(number + 1)}, line=line)


def _read_missing(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    message = f"no note [^{token.content}] is written; add '[^{token.content}]: ...' to this chapter"
    if builder.barred:
        message = f"a note cannot stand in {builder.barred}; put it into the text"
    builder.report(message, rule="M006")
    return ()


def _read_variable(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    name = token.content
    if name not in VARIABLES:
        builder.report(f"there is no {{{{{name}}}}}; {suggest(name, VARIABLES)}", rule="M022")
        return
    yield Node("variable", attrs={"name": name}, line=builder.line)


def read_math(builder: TreeBuilder, token: Token, _: Iterator[Token]) -> Iterable[Node]:
    """A formula with all that outputs need: what it says as text, as MathML, as it was written."""
    line, tex = builder.line, token.content
    builder.line += 0 if token.block else tex.count("\n")
    try:
        formula = read_formula(tex, display=token.block)
    except FormulaError as error:
        message = f"the formula {_shorten(tex)} cannot be read: {error}; a dollar sign alone is written \\$"
        builder.report(message, line=line, rule="M020")
        return
    shown = {"display": "1"} if token.block else {}
    yield Node("math", text=formula.said, attrs={"tex": tex, "mathml": formula.mathml, **shown}, line=line)


def _shorten(tex: str) -> str:
    text = " ".join(tex.split())
    return f"'{text}'" if len(text) <= _LONGEST_SHOWN else f"'{text[:_LONGEST_SHOWN]}…'"


_LONGEST_SHOWN = 40  # characters of a formula in a message


#: The parser's token -> who reads it.
INLINES: Mapping[str, Read] = {
    "text": _read_text,
    "softbreak": _read_break,
    "hardbreak": _read_break,
    "code_inline": _read_code_span,
    "link_open": _read_link,
    "image": _read_image,
    "span_open": _read_span,
    "citation": _read_citation,
    "reference": _read_reference,
    "footnote_ref": _read_note,
    "note_missing": _read_missing,
    "formula": read_math,
    "variable": _read_variable,
    "html_inline": read_html,
}
