"""Words with a meaning beside their own: `[NK cell]{.term}` for the glossary, `[NK cell]{.index}` for the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..model import Node, plain
from .attributes import OF_WORDS
from .shapes import POINTERS, find_kinds

if TYPE_CHECKING:
    from .tree import TreeBuilder

#: What an index mark can say beside its entry.
_OF_INDEX = ("see", "also", "range")


def make_span(builder: TreeBuilder, children: tuple[Node, ...], attrs: Mapping[str, str], line: int) -> Node:
    """Words in brackets as what their braces make of them; an index mark is outermost."""
    classes = attrs.get("class", "").split()
    words = plain(children)
    term = attrs.get("term", words if "term" in classes else "")
    entry = attrs.get("index", words if "index" in classes else "")
    for fault in _find_faults(attrs, classes, children, (term, entry)):
        builder.report(fault, line=line, rule="M019")
    node = Node("span", children, attrs=_leave_out_marks(attrs, classes), line=line)
    if term:
        inside = (node,) if node.attrs else children
        node = Node("mention", inside, attrs={"to": " ".join(term.split())}, line=line)
    if entry:
        inside = (node,) if node.attrs else children
        told = {name: attrs[name] for name in _OF_INDEX if name in attrs}
        node = Node("mark", inside, attrs={"entry": entry, **told}, line=line)
    return node


def _leave_out_marks(attrs: Mapping[str, str], classes: list[str]) -> dict[str, str]:
    kept = " ".join(name for name in classes if name not in {"term", "index"})
    left = {key: kept if key == "class" else value for key, value in attrs.items() if key not in OF_WORDS}
    return {key: value for key, value in left.items() if value or key != "class"}


def _find_faults(
    attrs: Mapping[str, str], classes: list[str], children: tuple[Node, ...], names: tuple[str, str]
) -> Iterator[str]:
    term, entry = names
    if not term.strip() and ("term" in classes or "term" in attrs):
        yield "this names no term; write it between the brackets"
    if not entry.strip() and ("index" in classes or "index" in attrs):
        yield 'this names no entry of the index; write index="the entry"'
    if term and (kinds := find_kinds(children, (*POINTERS, "mention", "link"))):
        yield f"a term cannot hold a {kinds.pop()}; put it beside the term"
    for name in _OF_INDEX:
        if name in attrs and not entry:
            yield f'{name}= belongs to a mark of the index; write index="the entry" before it'
    if attrs.get("range", "begin") not in {"begin", "end"}:
        yield "range= is begin where the pages begin, and end where they end"
    if any(not step.strip() for path in entry.split(";") for step in path.split(">")) and entry.strip():
        yield f"'{entry}' has an empty step; write index=\"cells > NK cells\", a semicolon between two entries"
