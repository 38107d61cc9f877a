"""What a letter says, standing alone: what pointed into the book becomes words, its notes and sources come along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..model import Book, Node, plain

_WEB = re.compile(r"(https?://|mailto:|@@)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s*$")
_SOURCE = "#ref-"

#: Type of a cross-reference, and whether its target is in the letter -> the words that say it; none: its label.
_SAYINGS: Mapping[str, str] = {
    "ch here": "named_chapter",
    "ch there": "named_chapter",
    "sec here": "named_section",
    "sec there": "named_section_of",
    "fig there": "elsewhere",
    "tbl there": "elsewhere",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A chapter inside a letter; `words` are those that the letter holds of it."""

    slug: str
    title: str
    words: int


@dataclass(frozen=True, slots=True)
class Extract:
    """A text that can be read alone: every link in it leads to the web, every note has its number.

    `notes` are the `note` nodes in the order of their numbers; `sources` the paragraphs of the works cited.
    `words` counts the running text, without notes and sources. `items` are the chapters that stand in it as
    such, `reads` the slugs of those that "read on" leads to.
    """

    title: tuple[Node, ...]
    body: tuple[Node, ...]
    notes: tuple[Node, ...]
    sources: tuple[Node, ...]
    words: int
    items: tuple[Item, ...] = ()
    reads: tuple[str, ...] = ()


def extract(book: Book, title: tuple[Node, ...], body: tuple[Node, ...], words: Mapping[str, str]) -> Extract:
    """`body` with its cross-references in words; `words` are the language's."""
    nodes = [node for block in body for node in block.walk()]
    freer = _Freer(
        labels={node.id: node.attrs.get("label", "") for node in nodes if node.id},
        titles={chapter.slug: chapter.title for chapter in book.chapters},
        words=words,
    )
    notes = (node for node in nodes if node.kind == "note" and "again" not in node.attrs)
    return Extract(
        title=title,
        body=freer.free_all(body),
        notes=tuple(replace(note, children=freer.free_all(note.children)) for note in notes),
        sources=freer.free_all(tuple(_find_sources(book, nodes))),
        words=count_words(body),
    )


def count_words(nodes: Iterable[Node]) -> int:
    """Words of the running text."""
    return sum(len(text.split()) for text in _list_texts(nodes))


def _list_texts(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.kind not in {"note", "citation"}:
            yield node.text
            yield from _list_texts(node.children)


def _find_sources(book: Book, nodes: Iterable[Node]) -> Iterator[Node]:
    """The works that `nodes` cite, in the order of the book's list."""
    links = (node.attrs["href"] for node in nodes if node.kind == "link")
    cited = {href.removeprefix(_SOURCE) for href in links if href.startswith(_SOURCE)}
    for listed in book.chapters:
        if listed.kind == "references":
            yield from (node for node in listed.body if node.id.removeprefix("ref-") in cited)


@dataclass(frozen=True, slots=True)
class _Freer:
    """Frees nodes from their book; `labels` are those of the letter, by id, `titles` those of all chapters."""

    labels: Mapping[str, str]
    titles: Mapping[str, str]
    words: Mapping[str, str]

    def free_all(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        freed = []
        starts = True  # a reference here would begin a sentence
        for node in nodes:
            freed.append(self._free(node, starts=starts))
            if node.kind == "text":
                starts = bool(_SENTENCE_END.search(node.text))
            elif node.kind not in {"softbreak", "break", "note"}:
                starts = False
        return tuple(freed)

    def _free(self, node: Node, *, starts: bool) -> Node:
        if node.kind == "reference":
            said = self._say(node)
            said = said[:1].upper() + said[1:] if starts else said
            return Node("span", (Node("text", text=said, line=node.line),), line=node.line)
        if node.kind == "note":
            return replace(node, children=())
        if not node.children:
            return node
        children = self.free_all(node.children)
        if node.kind in {"citation", "mark"}:
            return Node("span", children, line=node.line)
        if node.kind == "link":
            return self._keep_link(node, children)
        return replace(node, children=children)

    def _keep_link(self, node: Node, children: tuple[Node, ...]) -> Node:
        """A link to the web stays, a bare address without its scheme; any other is left as words."""
        if not _WEB.match(node.attrs["href"]):
            return Node("span", children, line=node.line)
        if plain(children) == node.attrs["href"]:
            children = (Node("text", text=_WEB.sub("", node.attrs["href"], count=1), line=node.line),)
        return replace(node, children=children)

    def _say(self, node: Node) -> str:
        """What a cross-reference is called where there is nothing to press."""
        label = plain(node.children)
        home = node.attrs.get("chapter", "")
        if not home:
            return label
        target = node.attrs["href"][1:]
        label = self.labels.get(target) or label
        place = "here" if target in self.labels else "there"
        saying = _SAYINGS.get(f"{node.attrs['type']} {place}", "")
        title = self.titles.get(home, label)
        return self.words[saying].format(label=label, title=title) if saying else label
