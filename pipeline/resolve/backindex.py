"""Make the index at the back of the book from the marks in its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ManuscriptError, PipelineError, Place
from ..model import Chapter, Node
from .collation import collate, find_initial
from .marks import fold_term
from .numbers import label_chapter, slugify

Path = tuple[str, ...]
SLUG = "index"


@dataclass(slots=True)
class _Entry:
    """One line of the index: its words, where they stand, other entries it names, and the lines below it."""

    words: str
    id: str
    places: list[Node] = field(default_factory=list)
    see: dict[str, Place] = field(default_factory=dict)
    also: dict[str, Place] = field(default_factory=dict)
    below: dict[str, _Entry] = field(default_factory=dict)


def make_index(
    chapters: Sequence[Chapter], words: Mapping[str, str], language: str, errors: list[PipelineError]
) -> tuple[Chapter, ...]:
    """The index as a chapter; none where nothing is marked. What cannot be settled goes into `errors`.

    A range of which an edition lacks one end is a place.
    """
    labels = {chapter.slug: label_chapter(chapter, words) for chapter in chapters}
    gatherer = _Gatherer(errors, labels, ids={name for chapter in chapters for name in chapter.ids})
    for chapter in chapters:
        for node in chapter.nodes:
            if node.kind == "mark":
                gatherer.take(node, chapter)
    gatherer.finish()
    if not gatherer.entries:
        return ()
    writer = _IndexWriter(gatherer.find, words, language, errors)
    body = (Node("columns", tuple(writer.write_letters(list(gatherer.entries.values())))),)
    heading = (Node("text", text=words["index"]),)
    return (Chapter(SLUG, "index", words["index"], body, "the index", heading=heading),)


@dataclass(slots=True)
class _Gatherer:
    """Puts marks into entries; `open` holds the ranges that have begun, by entry."""

    errors: list[PipelineError]
    labels: Mapping[str, str]
    ids: set[str]
    entries: dict[str, _Entry] = field(default_factory=dict)
    open: dict[str, tuple[_Entry, Node, Place]] = field(default_factory=dict)

    def take(self, node: Node, chapter: Chapter) -> None:
        place = Place(chapter.source, node.line)
        for path in split_entries(node.attrs["entry"]):
            entry = self._reach(path)
            names = {"see": entry.see, "also": entry.also}
            for kind, told in names.items():
                told |= {name.strip(): place for name in node.attrs.get(kind, "").split(";") if name.strip()}
            if "see" in node.attrs or "also" in node.attrs:
                continue
            self._locate(entry, node, chapter, place=place)

    def _locate(self, entry: _Entry, node: Node, chapter: Chapter, *, place: Place) -> None:
        attrs = {"href": f"#{node.id}", "chapter": chapter.slug, "label": self.labels[chapter.slug]}
        spot = Node("place", attrs=attrs)
        end = node.attrs.get("range")
        begun = self.open.pop(entry.id, None) if end else None
        if end == "begin":
            self.open[entry.id] = (entry, spot, place)
            if begun:
                message = f"the range of '{entry.words}' has begun already ({begun[2]}); end that first"
                self._report(message, place)
        elif begun:
            entry.places.append(begun[1].with_attrs(until=node.id))
        else:
            entry.places.append(spot)
            if end:
                self._report(f"no range of '{entry.words}' has begun; write range=begin where it does", place)

    def _reach(self, path: Path) -> _Entry:
        entries, name = self.entries, SLUG
        for step in path:
            name = f"{name}-{slugify(step, 'entry')}"
            if fold_term(step) not in entries:
                entries[fold_term(step)] = _Entry(step, self._name(name))
            entry = entries[fold_term(step)]
            entries = entry.below
        return entry

    def _name(self, name: str) -> str:
        number = 1
        while (candidate := name if number == 1 else f"{name}-{number}") in self.ids:
            number += 1
        self.ids.add(candidate)
        return candidate

    def find(self, name: str) -> _Entry | None:
        """The entry that "see" names; none when the index has no such."""
        entries, entry = self.entries, None
        for step in split_entries(name)[0]:
            entry = entries.get(fold_term(step))
            if not entry:
                return None
            entries = entry.below
        return entry

    def finish(self) -> None:
        for entry, spot, place in self.open.values():
            entry.places.append(spot)
            self._report("the range that begins here has no end; write range=end where it does", place)

    def _report(self, message: str, place: Place) -> None:
        self.errors.append(ManuscriptError(message, place, rule="M019"))


def split_entries(text: str) -> list[Path]:
    """`cells > NK cells; immunity` names two entries, the first of them below another."""
    return [tuple(" ".join(step.split()) for step in path.split(">")) for path in text.split(";")]


@dataclass(frozen=True, slots=True)
class _IndexWriter:
    """Turns entries into nodes, sorted as a reader of the language looks them up."""

    find: Callable[[str], _Entry | None]
    words: Mapping[str, str]
    language: str
    errors: list[PipelineError]

    def write_letters(self, entries: Sequence[_Entry]) -> Iterator[Node]:
        """A heading for each letter, and its entries below it."""
        runs: dict[str, list[_Entry]] = {}
        for entry in self._sort(entries):
            runs.setdefault(find_initial(entry.words, self.language), []).append(entry)
        for letter, run in runs.items():
            if letter:
                attrs = {"level": "2", "class": "unnumbered", "id": f"{SLUG}-letter-{letter.casefold()}"}
                yield Node("heading", (Node("text", text=letter),), attrs=attrs)
            yield self._write_entries(run)

    def _sort(self, entries: Sequence[_Entry]) -> list[_Entry]:
        return sorted(entries, key=lambda entry: collate(entry.words, self.language))

    def _write_entries(self, entries: Sequence[_Entry]) -> Node:
        return Node("entries", tuple(map(self._write_entry, self._sort(entries))))

    def _write_entry(self, entry: _Entry) -> Node:
        parts = [Node("span", (Node("text", text=entry.words),), attrs={"class": "entry"})]
        if entry.places:
            parts.append(Node("places", tuple(entry.places)))
        parts += self._name_others("see", entry.see)
        parts += self._name_others("see_also", entry.also)
        if entry.below:
            parts.append(self._write_entries(list(entry.below.values())))
        return Node("entry", tuple(parts), attrs={"id": entry.id})

    def _name_others(self, word: str, names: Mapping[str, Place]) -> Iterator[Node]:
        """`see T cells`: the words, and a link to each entry named."""
        for number, (name, place) in enumerate(names.items()):
            other = self.find(name)
            if not other:
                message = f"the index has no entry '{name}' to see; mark it somewhere, or correct the name"
                self.errors.append(ManuscriptError(message, place, rule="M019"))
                continue
            lead = (Node("emphasis", (Node("text", text=self.words[word]),)), Node("text", text=" "))
            attrs = {"href": f"#{other.id}", "chapter": SLUG, "role": "see"}
            yield from (Node("text", text=", "), *(lead if not number else ()))
            yield Node("link", (Node("text", text=": ".join(split_entries(name)[0])),), attrs=attrs)
