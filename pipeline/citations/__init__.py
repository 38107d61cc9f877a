"""Print a book's citations and add its list of references as a chapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import Config
from ..errors import ConfigError, ManuscriptError, PipelineError, Place
from ..model import Chapter, Node
from .cite import CiteItem, Reference, cite, parse_citation
from .references import Library, keys, nearest, read_bibliography

#: Where the list stands: before these, which close a book.
_AFTER = ("acknowledgements", "about", "also-by", "colophon")


def print_citations(
    chapters: Sequence[Chapter],
    config: Config,
    folder: Path,
    *,
    place: str = "book",
    words: Mapping[str, str],
    errors: list[PipelineError],
) -> tuple[Chapter, ...]:
    """The chapters with every citation printed; the works cited are a chapter among them.

    With `place` "chapter" each chapter ends with its own. Unknown keys are put into `errors`;
    raises for a bibliography or a style that cannot be used.
    """
    library = _open_library(config, folder)
    style = config.bibliography.style
    printer = _Printer(
        library, folder / style if style.endswith(".csl") else style, config.book.language,
        config.bibliography.title or words["references"], config.bibliography.file,
    )  # fmt: skip
    clusters = {
        id(node): _read(node, chapter, library, errors) for chapter, node in _list_citations(chapters)
    }
    if errors:
        return tuple(chapters)
    if place == "chapter":
        return tuple(printer.print_chapter(chapter, clusters) for chapter in chapters)
    return printer.print_book(chapters, clusters)


Clusters = Mapping[int, tuple[CiteItem, ...]]


@dataclass(frozen=True, slots=True)
class _Printer:
    """Prints citations in a style, and the list of works below its title; `file` is the bibliography's."""

    library: Library
    style: str | Path
    language: str
    title: str
    file: str

    def print_book(self, chapters: Sequence[Chapter], clusters: Clusters) -> tuple[Chapter, ...]:
        printed, references = cite(self.library, self.style, list(clusters.values()), locale=self.language)
        texts = dict(zip(clusters, printed, strict=True))
        done = [_print_all(chapter, texts, _Home("references", "ref-")) for chapter in chapters]
        index = next((i for i, chapter in enumerate(done) if chapter.kind in _AFTER), len(done))
        return (*done[:index], make_references(references, self.title, self.file), *done[index:])

    def print_chapter(self, chapter: Chapter, clusters: Clusters) -> Chapter:
        own = [id(node) for _, node in _list_citations([chapter])]
        if not own:
            return chapter
        printed, references = cite(
            self.library, self.style, [clusters[name] for name in own], locale=self.language
        )
        home = _Home(chapter.slug, f"{chapter.slug}-ref-")
        done = _print_all(chapter, dict(zip(own, printed, strict=True)), home)
        attrs = {"level": "2", "class": "unnumbered", "id": f"{chapter.slug}-works", "auto": "1"}
        heading = Node("heading", (Node("text", text=self.title),), attrs=attrs)
        works = Node("works", (heading, *_list_works(references, home)))
        return replace(done, body=(*done.body, works))


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a list of works stands: its chapter's slug, and how the ids in it begin."""

    slug: str
    prefix: str


def make_references(references: Sequence[Reference], title: str, source: str) -> Chapter:
    """The list as a chapter: one paragraph a work, under the id its citations point to."""
    return Chapter(
        slug="references", kind="references", title=title, source=source,
        body=_list_works(references, _Home("references", "ref-")), heading=(Node("text", text=title),),
    )  # fmt: skip


def _list_works(references: Sequence[Reference], home: _Home) -> tuple[Node, ...]:
    return tuple(
        Node(
            "paragraph", (*_label(reference), *reference.body), attrs={"id": f"{home.prefix}{reference.key}"}
        )
        for reference in references
    )


def _label(reference: Reference) -> tuple[Node, ...]:
    return (Node("text", text=f"{reference.label} "),) if reference.label else ()


def _open_library(config: Config, folder: Path) -> Library:
    name = config.bibliography.file
    path = folder / name
    if not path.is_file():
        raise ConfigError(
            f"[bibliography] file '{name}' is not there; put it into the book's folder", Place("book.toml")
        )
    return read_bibliography(path, name)


def _list_citations(chapters: Sequence[Chapter]) -> Iterator[tuple[Chapter, Node]]:
    return ((chapter, node) for chapter in chapters for node in chapter.walk() if node.kind == "citation")


def _read(
    node: Node, chapter: Chapter, library: Library, errors: list[PipelineError]
) -> tuple[CiteItem, ...]:
    place = Place(chapter.source, node.line)
    items = parse_citation(node.text)
    if items is None:
        errors.append(
            ManuscriptError(f"[{node.text}] is no citation; write [@key, p. 3]", place, rule="M014")
        )
        return ()
    for item in items:
        if item.key not in library.records:
            near = nearest(item.key, keys(library))
            hint = f"; did you mean '{near}'?" if near else ""
            errors.append(ManuscriptError(f"unknown citation '{item.key}'{hint}", place, rule="M013"))
    return items


def _print_all(chapter: Chapter, texts: Mapping[int, tuple[Node, ...]], home: _Home) -> Chapter:
    def visit(node: Node) -> Node:
        if node.kind == "citation":
            return node.with_children(tuple(_point(child, home) for child in texts[id(node)]))
        return node.rebuild(visit)

    return replace(chapter, body=tuple(map(visit, chapter.body)))


def _point(node: Node, home: _Home) -> Node:
    """Links to a reference lead to where the list is."""
    if node.kind == "link" and node.attrs["href"].startswith("#ref-"):
        href = f"#{home.prefix}{node.attrs['href'].removeprefix('#ref-')}"
        return node.with_attrs(href=href, chapter=home.slug)
    return node
