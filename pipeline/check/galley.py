"""What a rule of the proofreader looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from ..citations.references import Library
from ..config import Check, Config
from ..errors import Place
from ..markdown import Passage
from ..model import MADE, Book, Chapter, Node
from .languages import Language, read_language
from .sentences import Sentence, cut_sentences

if TYPE_CHECKING:
    from ..leaves import Leaf

Severity = Literal["error", "warning", "advice"]
#: What a rule needs before it can look: the files, the book, its letters, its printed pages, the network.
Reads = Literal["text", "book", "letters", "pages", "online"]


@dataclass(frozen=True, slots=True)
class Fix:
    """What to write instead: the file's signs from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Spot(NamedTuple):
    """A place, and what to do there; perhaps how, and on which page of the PDF (0-based; -1: none)."""

    place: Place
    message: str
    fix: Fix | None = None
    leaf: int = -1


@dataclass(frozen=True, slots=True)
class File:
    """A picture's file as it lies in the book's folder: sizes in pixels and bytes."""

    path: str  # from the book's folder
    width: int
    height: int
    size: int

    @property
    def is_drawing(self) -> bool:
        return self.path.lower().endswith(".svg")


State = Literal["fine", "moved", "dead", "silent"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address on the web said: `detail` is where it moved to, or what is wrong."""

    state: State
    detail: str = ""


class Speller(Protocol):
    """A dictionary of one language."""

    def spell(self, word: str) -> bool: ...
    def suggest(self, word: str) -> Sequence[str]: ...


@dataclass(frozen=True)  # no slots: what several rules ask for is worked out once
class Galley:
    """One edition as it lies before the proofreader. A rule reads it and nothing else.

    What is empty was not asked for: `passages` are the prose of all files, `files` the pictures by
    their names in the text, `idle` those that nothing shows, `works` the bibliography, `known` the
    words of chapters/words.txt with their lines, `spellers` a dictionary for each language (None: there
    is none), `letters` the words of both parts of each letter by the file it was made from, `leaves` the pages of the
    PDF, `answers` what addresses on the web said.
    """

    book: Book
    today: date
    config: Config | None = None
    passages: tuple[Passage, ...] = ()
    files: Mapping[str, File] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    works: Library = field(default_factory=lambda: Library({}))
    known: Mapping[str, int] = field(default_factory=dict)
    spellers: Mapping[str, Speller | None] = field(default_factory=dict)
    letters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leaves: tuple[Leaf, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def check(self) -> Check:
        return self.config.check if self.config else Check()

    def language(self, code: str = "") -> Language:
        """The words of a language such as `en-GB`, of the book's when none is given."""
        return read_language(code or self.book.language)

    def find(self, *kinds: str) -> Iterator[tuple[Node, Place]]:
        """All nodes of these kinds, in reading order."""
        for chapter in self.book.chapters:
            for node in chapter.walk():
                if node.kind in kinds:
                    yield node, Place(chapter.source, node.line)

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """Those somebody wrote; the press makes notes, references and index itself."""
        return tuple(chapter for chapter in self.book.chapters if chapter.kind not in MADE)

    @cached_property
    def blocks(self) -> Mapping[str, tuple[str, Place]]:
        """The chapter and the place of every block that has an id, and of every chapter."""
        found: dict[str, tuple[str, Place]] = {}
        for chapter in self.book.chapters:
            start = Place(chapter.source, chapter.title_line)
            found[chapter.slug] = found[f"{chapter.slug}-title"] = (chapter.slug, start)
            found |= {
                node.id: (chapter.slug, Place(chapter.source, node.line))
                for node in chapter.walk()
                if node.id
            }
        return found

    def sentences_of(self, chapter: Chapter) -> Iterator[Sentence]:
        return (sentence for sentence in self.sentences if sentence.chapter is chapter)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences of running text, each with the notes and citations it carries."""
        return tuple(
            sentence
            for chapter in self.chapters
            for sentence in cut_sentences(chapter, self.language(chapter.lang))
        )


Find = Callable[[Galley], Iterable[Spot]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: how grave, what it finds, what to do, the function that looks."""

    severity: Severity
    about: str
    mend: str
    find: Find
    reads: Reads = "book"
    fixes: bool = False  # `--fix` can mend what it finds
    profile: str = ""  # asked only where book.toml has chosen it


def ask(rules: Mapping[str, Rule], galley: Galley, reads: Sequence[str]) -> Iterator[tuple[str, Spot]]:
    """Every spot that the rules find which look at what is there."""
    for name, rule in rules.items():
        if rule.reads in reads and rule.profile in {"", galley.check.profile}:
            for spot in rule.find(galley):
                yield name, spot
