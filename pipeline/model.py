"""The book as every output sees it: chapters of nodes, frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as Date  # a field is called date
from datetime import datetime
from datetime import time as Time
from functools import cached_property
from operator import is_
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from .config import Metadata, Notes, Objects
from .directions import find_direction

EMPTY: Mapping[str, str] = MappingProxyType({})

Kind = Literal[
    "chapter",
    "preface",
    "foreword",
    "dedication",
    "epigraph",
    "introduction",
    "part",
    "appendix",
    "acknowledgements",
    "about",
    "glossary",
    "rest",
    "also-by",
    "colophon",
    "notes",
    "references",
    "index",
    "issue",
    "letter",
]
Show = Literal["full", "opening", "summary"]
#: Chapters that nobody writes: the press makes them of the others.
MADE: frozenset[Kind] = frozenset({"notes", "references", "index"})


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of text with a meaning; `kind` is a row in every writer's table.

    `attrs` holds what the author wrote in braces and what `resolve` found out
    (numbers, targets); `line` is the line of the chapter's file it stands on.

    Blocks: paragraph heading list item quote code_block rule table row cell
    figure caption attribution definitions term definition div lines line more
    columns entries entry endnote works.
    Inlines: text emphasis strong strike code link image span sub sup softbreak
    break note citation reference mention mark places place
    math variable.
    """

    kind: str
    children: tuple[Node, ...] = ()
    text: str = ""
    attrs: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    line: int = 0

    @property
    def id(self) -> str:
        return self.attrs.get("id", "")

    def with_attrs(self, **attrs: str) -> Node:
        return Node(self.kind, self.children, self.text, {**self.attrs, **attrs}, self.line)

    def with_children(self, children: tuple[Node, ...]) -> Node:
        return Node(self.kind, children, self.text, self.attrs, self.line)

    def rebuild(self, change: Callable[[Node], Node]) -> Node:
        """This node with each child changed; itself when no child did."""
        children = tuple([change(child) for child in self.children])
        if all(map(is_, children, self.children)):
            return self
        return self.with_children(children)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in reading order."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            if node.children:
                todo.extend(reversed(node.children))


def plain(nodes: tuple[Node, ...]) -> str:
    """The words of `nodes` alone: what a bookmark, a title or an alt attribute can hold."""
    parts = []
    for node in nodes:
        if node.kind in {"text", "code", "math"}:
            parts.append(node.text)
        elif node.kind in {"softbreak", "break"}:
            parts.append(" ")
        elif node.kind == "image":
            parts.append(node.attrs["alt"])
        elif node.kind not in {"note", "citation"}:
            parts.append(plain(node.children))
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Mailing:
    """When and how a chapter goes out by mail; what is empty is made from the chapter or book.toml."""

    date: Date | None = None  # a letter has none
    time: Time | None = None
    subject: str = ""
    subjects: tuple[str, ...] = ()  # several to compare, the first being `subject`; empty: there is one
    preheader: str = ""
    show: Show = "full"
    layout: str = ""
    segment: str = ""
    line: int = 0  # of `issue:` in the header


@dataclass(frozen=True)  # no slots: its nodes are listed once
class Chapter:
    """One Markdown file, read. `number` counts chapters (1, 2) or appendices (A, B); empty elsewhere.

    An issue's or a letter's own file is one too; only the newsletter reads it. `conditional`
    says that some of the text is for one output, edition or segment only (`::: only`).
    """

    slug: str
    kind: Kind
    title: str
    body: tuple[Node, ...]
    source: str  # path relative to the book's folder
    heading: tuple[Node, ...] = ()  # the title as inline nodes
    subtitle: str = ""
    number: str = ""
    lang: str = ""  # empty: the book's
    authors: tuple[str, ...] = ()
    summary: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    date: Date | None = None
    reviewed: Date | None = None
    editions: tuple[str, ...] = ()  # empty: every edition
    status: str = ""
    title_line: int = 0
    mailing: Mailing | None = None
    conditional: bool = False

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of the body, in reading order."""
        found, todo = [], list(reversed(self.body))
        while todo:
            node = todo.pop()
            found.append(node)
            if node.children:
                todo.extend(reversed(node.children))
        return tuple(found)

    @cached_property
    def ids(self) -> frozenset[str]:
        """What in the body can be pointed at."""
        return frozenset(node.attrs["id"] for node in self.nodes if "id" in node.attrs)

    def walk(self) -> Iterator[Node]:
        return iter(self.nodes)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the contents: what `nav`, NCX, bookmarks and the contents page share."""

    title: str
    target: str  # id of the heading
    slug: str  # chapter it stands in
    kind: str  # kind of the chapter, or "section"
    number: str = ""
    children: tuple[Entry, ...] = ()

    @property
    def spoken(self) -> str:
        """The line as navigation says it, with its number."""
        return f"{self.number}. {self.title}" if self.number else self.title


@dataclass(frozen=True, slots=True)
class Book:
    """A manuscript cut to one edition, numbered and linked; knows no format and no layout."""

    meta: Metadata
    edition: str
    folder: Path
    chapters: tuple[Chapter, ...]
    identifier: str
    made_at: datetime  # UTC; SOURCE_DATE_EPOCH or the newest date the sources name
    note: str = ""
    notes: Notes = "foot"
    lists: tuple[Objects, ...] = ()  # lists of figures and tables that are wanted

    @property
    def language(self) -> str:
        return self.meta.language

    @property
    def direction(self) -> str:
        return find_direction(self.meta.language)

    @property
    def images(self) -> tuple[str, ...]:
        """Paths of all pictures, relative to the book's folder, each once, in order."""
        found = (
            node.attrs["src"] for chapter in self.chapters for node in chapter.walk() if node.kind == "image"
        )
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Edition:
    """One rendered edition in one format: file names and bytes, and for the PDF the page of each anchor."""

    name: str
    format: str
    files: Mapping[str, bytes]
    pages: Mapping[str, str] = field(
        default_factory=lambda: EMPTY
    )  # page label -> first anchor on it, in page order
    places: Mapping[str, int] = field(default_factory=dict)  # id of an index mark -> its page, counted from 0
    labels: tuple[str, ...] = ()  # of all pages, as they are printed
    notices: tuple[str, ...] = ()  # what the author should know, e.g. a glyph no font has


@dataclass(frozen=True, slots=True)
class FaceSpec:
    """A `[[face]]` row of a layout; `axes` count in the font's own units, the rest stay at their defaults."""

    family: str  # as the layout's CSS calls it
    package: str  # "fontpkg-source-serif-4"
    weight: int = 400
    style: str = "normal"  # or "italic"
    axes: Mapping[str, float] = field(default_factory=dict)
