"""Print a book's citations and add its list of references as a chapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..config import Config
from ..errors import ConfigError, ManuscriptError, PipelineError, Place
from ..model import Chapter, Node
from .cite import CiteItem, Reference, cite, parse_citation
from .references import Library, keys, nearest, read_bibliography

#: Where the list stands: before these, which close a book.
_AFTER = ("acknowledgements", "about", "colophon")


def print_citations(
    chapters: Sequence[Chapter],
    config: Config,
    folder: Path,
    *,
    words: Mapping[str, str],
    errors: list[PipelineError],
) -> tuple[Chapter, ...]:
    """The chapters with every citation printed, and the references chapter among them.

    Unknown keys are put into `errors`; raises for a bibliography or a style that cannot be used.
    """
    library = _open_library(config, folder)
    clusters = {
        id(node): _read(node, chapter, library, errors) for chapter, node in _list_citations(chapters)
    }
    if errors:
        return tuple(chapters)
    style = config.bibliography.style
    printed, references = cite(
        library, folder / style if style.endswith(".csl") else style, list(clusters.values()),
        locale=config.book.language,
    )  # fmt: skip
    texts = dict(zip(clusters, printed, strict=True))
    done = [
        replace(chapter, body=tuple(_print(node, texts) for node in chapter.body)) for chapter in chapters
    ]
    title = config.bibliography.title or words["references"]
    index = next((i for i, chapter in enumerate(done) if chapter.kind in _AFTER), len(done))
    return (*done[:index], make_references(references, title, config.bibliography.file), *done[index:])


def make_references(references: Sequence[Reference], title: str, source: str) -> Chapter:
    """The list as a chapter: one paragraph a work, under the id its citations point to."""
    body = tuple(
        Node("paragraph", (*_label(reference), *reference.body), attrs={"id": f"ref-{reference.key}"})
        for reference in references
    )
    return Chapter(
        slug="references", kind="references", title=title, body=body, source=source,
        heading=(Node("text", text=title),),
    )  # fmt: skip


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


def _print(node: Node, texts: Mapping[int, tuple[Node, ...]]) -> Node:
    if node.kind == "citation":
        return node.with_children(tuple(_point(child) for child in texts[id(node)]))
    return node.rebuild(lambda child: _print(child, texts))


def _point(node: Node) -> Node:
    """Links to a reference lead into the references chapter."""
    if node.kind == "link" and node.attrs["href"].startswith("#ref-"):
        return node.with_attrs(chapter="references")
    return node
