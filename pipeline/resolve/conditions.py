"""Keep the passages that belong into an output (`::: only`, `::: except`), and count the notes that are left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from ..model import Chapter, Node


def choose_passages(chapter: Chapter, facts: Mapping[str, str]) -> Chapter:
    """`chapter` without what `facts` exclude, such as {"output": "book,pdf", "edition": "full"}.

    A condition that `facts` do not speak of stays, for somebody who knows more.
    """
    if not chapter.conditional:
        return chapter
    body = tuple(_choose(chapter.body, facts))
    return replace(chapter, body=number_notes(body, find_notes(chapter.nodes)))


def _choose(nodes: Sequence[Node], facts: Mapping[str, str]) -> Iterator[Node]:
    for node in nodes:
        children = tuple(_choose(node.children, facts)) if node.children else ()
        name = node.attrs.get("name")
        if name not in _DIRECTIVES:
            yield node if children == node.children else node.with_children(children)
            continue
        conditions = {key: value for key, value in node.attrs.items() if key != "name"}
        met = [_is_met(facts[key], value) for key, value in conditions.items() if key in facts]
        left = {key: value for key, value in conditions.items() if key not in facts}
        if not all(met):
            yield from children if name == "except" else ()
        elif left:
            yield replace(node, children=children, attrs={**left, "name": name})
        elif name == "only":
            yield from children


_DIRECTIVES = frozenset({"only", "except"})


def _is_met(fact: str, value: str) -> bool:
    """Whether one of the names in `value` is one of those that hold."""
    return not set(fact.split(",")).isdisjoint(value.split(","))


def find_notes(nodes: Sequence[Node]) -> dict[str, Node]:
    """Every note that is written, by its number."""
    return {node.attrs["number"]: node for node in nodes if node.kind == "note" and "again" not in node.attrs}


def number_notes(nodes: Sequence[Node], written: Mapping[str, Node]) -> tuple[Node, ...]:
    """`nodes` with their notes counted anew; one referred to again stands where it is met first."""
    numbers: dict[str, str] = {}
    counter = count(1)

    def visit(node: Node) -> Node:
        if node.kind != "note":
            return node.rebuild(visit) if node.children else node
        old = node.attrs["number"]
        if old in numbers:
            return replace(node, children=(), attrs={"number": numbers[old], "again": "1"})
        numbers[old] = str(next(counter))
        return replace(node, children=written[old].children, attrs={"number": numbers[old]})

    return tuple(map(visit, nodes))
