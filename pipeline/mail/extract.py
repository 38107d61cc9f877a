"""Take a chapter out of its book: what pointed into the book becomes words, its notes and sources come along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..model import Book, Chapter, Node, plain

_WEB = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s*$")
_SOURCE = "#ref-"

#: Type of a cross-reference, and whether it stays in the chapter -> the words that say it; none: its label.
_SAYINGS: Mapping[str, str] = {
    "ch here": "named_chapter",
    "ch there": "named_chapter",
    "sec here": "named_section",
    "sec there": "named_section_of",
    "fig there": "elsewhere",
    "tbl there": "elsewhere",
}


@dataclass(frozen=True, slots=True)
class Extract:
    """A chapter that can be read alone: every link in it leads to the web, every note has its number.

    `notes` are the `note` nodes in the order of their numbers; `sources` the paragraphs of the works cited.
    `words` counts the running text, without notes and sources.
    """

    title: tuple[Node, ...]
    body: tuple[Node, ...]
    notes: tuple[Node, ...]
    sources: tuple[Node, ...]
    words: int


def extract(book: Book, chapter: Chapter, words: Mapping[str, str]) -> Extract:
    """`chapter` with its cross-references in words; `words` are the language's."""
    titles = {other.slug: other.title for other in book.chapters}
    freer = _Freer(chapter.slug, titles, words)
    notes = tuple(node for node in chapter.walk() if node.kind == "note" and "again" not in node.attrs)
    return Extract(
        title=chapter.heading or (Node("text", text=chapter.title),),
        body=freer.free_all(chapter.body),
        notes=tuple(replace(note, children=freer.free_all(note.children)) for note in notes),
        sources=freer.free_all(tuple(_find_sources(book, chapter))),
        words=sum(len(text.split()) for text in _list_texts(chapter.body)),
    )


def _find_sources(book: Book, chapter: Chapter) -> Iterator[Node]:
    """The works that `chapter` cites, in the order of the book's list."""
    links = (node.attrs["href"] for node in chapter.walk() if node.kind == "link")
    cited = {href.removeprefix(_SOURCE) for href in links if href.startswith(_SOURCE)}
    for listed in book.chapters:
        if listed.kind == "references":
            yield from (node for node in listed.body if node.id.removeprefix("ref-") in cited)


def _list_texts(nodes: tuple[Node, ...]) -> Iterator[str]:
    for node in nodes:
        if node.kind not in {"note", "citation"}:
            yield node.text
            yield from _list_texts(node.children)


@dataclass(frozen=True, slots=True)
class _Freer:
    """Rewrites the nodes of the chapter `slug`; `titles` are those of all chapters."""

    slug: str
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
        if node.kind == "citation":
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
        place = "here" if home == self.slug else "there"
        saying = _SAYINGS.get(f"{node.attrs['type']} {place}", "")
        title = self.titles.get(home, label)
        return self.words[saying].format(label=label, title=title) if saying else label
