"""Put what book.toml says in place of `{{title}}` and the like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..config import Metadata
from ..config.variables import VARIABLES
from ..errors import ManuscriptError, Place
from ..model import Chapter, Node, plain


def fill_variables(chapter: Chapter, book: Metadata) -> Chapter:
    """`chapter` with every variable said, in its title too."""
    if not any(node.kind == "variable" for node in _walk(chapter)):
        return chapter

    def fill(node: Node) -> Node:
        if node.kind == "variable":
            return Node("text", text=VARIABLES[node.attrs["name"]](book), line=node.line)
        return node.rebuild(fill)

    heading = tuple(map(fill, chapter.heading))
    title = " ".join(plain(heading).split()) if heading else chapter.title
    return replace(chapter, body=tuple(map(fill, chapter.body)), heading=heading, title=title)


def find_unsaid(chapter: Chapter, book: Metadata) -> Iterator[ManuscriptError]:
    """Variables that book.toml has nothing for."""
    for node in _walk(chapter):
        if node.kind == "variable" and not VARIABLES[node.attrs["name"]](book):
            name = node.attrs["name"]
            message = (
                f"{{{{{name}}}}} stands for nothing: book.toml does not say it; write it there, in [book]"
            )
            yield ManuscriptError(message, Place(chapter.source, node.line), rule="M022")


def _walk(chapter: Chapter) -> Iterator[Node]:
    yield from chapter.nodes
    for node in chapter.heading:
        yield from node.walk()
