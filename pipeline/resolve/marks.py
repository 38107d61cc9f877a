"""Give marked words names to lead to, and terms the way to what the glossary says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, groupby

from ..errors import ManuscriptError, Place
from ..model import Chapter, Node, plain
from .collation import collate
from .numbers import label_chapter

_MARKS = frozenset({"mention", "mark"})


def name_marks(chapter: Chapter) -> Chapter:
    """Every term and every mark of the index with an id of its own."""
    if not any(node.kind in _MARKS for node in chapter.nodes):
        return chapter
    taken, numbers = chapter.ids, count(1)

    def visit(node: Node) -> Node:
        node = node.rebuild(visit)
        if node.kind not in _MARKS:
            return node
        name = next(name for n in numbers if (name := f"{chapter.slug}-m{n}") not in taken)
        return node.with_attrs(id=name, auto="1")

    return replace(chapter, body=tuple(map(visit, chapter.body)))


def fold_term(words: str) -> str:
    """A term however it is written: capitals and spaces do not matter."""
    return " ".join(words.split()).casefold()


def collect_terms(chapters: Iterable[Chapter]) -> Iterator[tuple[str, Chapter, Node]]:
    """Every term that a glossary defines, folded."""
    for chapter in chapters:
        if chapter.kind == "glossary":
            for node in chapter.nodes:
                if node.kind == "term":
                    yield fold_term(plain(node.children)), chapter, node


def find_double_terms(chapters: Iterable[Chapter]) -> Iterator[ManuscriptError]:
    """Terms that are defined twice: a reader who looks one up finds one place."""
    first: dict[str, Place] = {}
    for term, chapter, node in collect_terms(chapters):
        place = Place(chapter.source, node.line)
        if term in first:
            message = f"'{plain(node.children)}' is defined twice (also {first[term]}); keep one"
            yield ManuscriptError(message, place, rule="M018")
        first.setdefault(term, place)


def finish_glossaries(
    chapters: Sequence[Chapter], words: Mapping[str, str], language: str
) -> tuple[Chapter, ...]:
    """Glossaries in the order of the alphabet, each entry with the ways back to where its term is used."""
    uses: dict[str, dict[str, Node]] = {}  # of each term's id: the first in each chapter
    for chapter in chapters:
        for node in chapter.nodes if chapter.kind != "glossary" else ():
            if node.attrs.get("role") == "term":
                uses.setdefault(node.attrs["href"][1:], {}).setdefault(chapter.slug, node)
    labels = {chapter.slug: label_chapter(chapter, words) for chapter in chapters}

    def sort_entries(node: Node) -> Node:
        if node.kind != "definitions":
            return node.rebuild(sort_entries)
        entries = [_finish_entry(entry, uses, labels, words) for entry in split_entries(node.children)]
        entries.sort(key=lambda entry: collate(plain(entry[0].children), language))
        return node.with_children(tuple(piece for entry in entries for piece in entry))

    return tuple(
        replace(chapter, body=tuple(map(sort_entries, chapter.body)))
        if chapter.kind == "glossary"
        else chapter
        for chapter in chapters
    )


def split_entries(nodes: Iterable[Node]) -> Iterator[tuple[Node, ...]]:
    """Terms and what is said of them: each entry ends before the next term."""
    runs = [tuple(run) for _, run in groupby(nodes, key=lambda node: node.kind)]
    return (terms + said for terms, said in zip(runs[::2], runs[1::2], strict=True))


def _finish_entry(
    entry: tuple[Node, ...],
    uses: Mapping[str, Mapping[str, Node]],
    labels: Mapping[str, str],
    words: Mapping[str, str],
) -> tuple[Node, ...]:
    marked = tuple(node.with_attrs(entry="1") for node in entry)
    terms = [node.id for node in entry if node.kind == "term"]
    found = [pair for name in terms for pair in uses.get(name, {}).items()]
    if not found:
        return marked
    *rest, last = marked
    return (*rest, last.with_children((*_loosen(last.children), _lead_back(dict(found), labels, words))))


def _loosen(blocks: tuple[Node, ...]) -> tuple[Node, ...]:
    """A definition's only paragraph as a paragraph, for another comes after it."""
    return tuple(
        Node(block.kind, block.children, attrs={k: v for k, v in block.attrs.items() if k != "tight"}, line=block.line)
        if block.kind == "paragraph" else block
        for block in blocks
    )  # fmt: skip


def _lead_back(found: Mapping[str, Node], labels: Mapping[str, str], words: Mapping[str, str]) -> Node:
    """A line such as "In Chapter 1, Chapter 4", each of them a way back."""
    before, after = words["used_in"].split("{places}")
    parts = [Node("text", text=before)]
    for slug, node in found.items():
        attrs = {"href": f"#{node.id}", "chapter": slug, "type": "ch", "role": "doc-backlink"}
        parts += [Node("reference", (Node("text", text=labels[slug]),), attrs=attrs), Node("text", text=", ")]
    parts[-1] = Node("text", text=after)
    return Node(
        "paragraph", tuple(part for part in parts if part.children or part.text), attrs={"class": "uses"}
    )
