"""Rules on the manuscript: what a reader, or a reader's software, would stumble over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath

from ..errors import Place
from ..model import Book, Node, plain
from .words import list_vague_links

#: A place, and what to do there.
Spot = tuple[Place, str]

_LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|TBD|TK)\b|(?i:\blorem ipsum\b)")
_FIELD = re.compile(r"@@[a-z_]+@@")
_MONTHS_FRESH = 24


def _nodes(book: Book, *kinds: str) -> Iterator[tuple[Node, Place]]:
    for chapter in book.chapters:
        for node in chapter.walk():
            if node.kind in kinds:
                yield node, Place(chapter.source, node.line)


def _is_decorative(node: Node) -> bool:
    return "decorative" in node.attrs.get("class", "")


def find_missing_alt(book: Book, _: date) -> Iterator[Spot]:
    for node, place in _nodes(book, "image"):
        if not node.attrs["alt"].strip() and not _is_decorative(node):
            yield (
                place,
                "the picture has no alternative text; write ![What it shows.](...) or mark it {.decorative}",
            )


def find_poor_alt(book: Book, _: date) -> Iterator[Spot]:
    for node, place in _nodes(book, "figure", "image"):
        image = node if node.kind == "image" else next(c for c in node.children if c.kind == "image")
        alt = image.attrs["alt"].strip()
        caption = next((plain(c.children) for c in node.children if c.kind == "caption"), "")
        name = PurePosixPath(image.attrs["src"]).stem
        if alt and alt.lower() in {name.lower(), PurePosixPath(image.attrs["src"]).name.lower()}:
            yield place, "the alternative text is the file's name; say what the picture shows"
        elif alt and caption and alt.rstrip(".") == caption.strip().rstrip("."):
            yield place, "the alternative text repeats the caption; say what the picture shows"
        elif alt and node.kind == "image" and alt[-1] not in ".!?…":
            yield place, "the alternative text is no sentence; end it with a full stop"


def find_skipped_levels(book: Book, _: date) -> Iterator[Spot]:
    for chapter in book.chapters:
        level = 1
        for node in chapter.walk():
            if node.kind == "heading":
                found = int(node.attrs["level"])
                if found > level + 1:
                    yield (
                        Place(chapter.source, node.line),
                        f"a heading of level {found} follows level {level}; write {'#' * (level + 1)}",
                    )
                level = found


def find_empty_headings(book: Book, _: date) -> Iterator[Spot]:
    for node, place in _nodes(book, "heading"):
        if not plain(node.children).strip():
            yield place, "the heading has no words; write them or take it out"


def find_leftovers(book: Book, _: date) -> Iterator[Spot]:
    for node, place in _nodes(book, "text"):
        for found in _LEFTOVER.finditer(node.text):
            yield place, f"'{found[0]}' was left in the text; finish it or take it out"


def find_vague_links(book: Book, _: date) -> Iterator[Spot]:
    vague = list_vague_links(book.language)
    for node, place in _nodes(book, "link"):
        words = plain(node.children).strip(" .…›»→>")
        if words.casefold() in vague:
            yield place, f"the link says only '{words}'; let its words say where it leads"
        elif not words:
            yield place, "the link has no words; nobody can follow it"


def find_merge_fields(book: Book, _: date) -> Iterator[Spot]:
    """A book is printed for everybody, so nobody's name can be filled in."""
    for node, place in _nodes(book, "text", "code", "link"):
        for found in _FIELD.finditer(node.text or node.attrs.get("href", "")):
            yield (
                place,
                f"{found[0]} is filled in letters alone; put it between ::: only output=email and :::",
            )


def find_drafts(book: Book, _: date) -> Iterator[Spot]:
    for chapter in book.chapters:
        if chapter.status == "draft":
            yield (
                Place(chapter.source),
                "the chapter's status is 'draft'; make it 'final' before you hand the book out",
            )


def find_stale_reviews(book: Book, today: date) -> Iterator[Spot]:
    for chapter in book.chapters:
        if chapter.reviewed and _months_between(chapter.reviewed, today) > _MONTHS_FRESH:
            yield (
                Place(chapter.source),
                f"reviewed on {chapter.reviewed}, over {_MONTHS_FRESH} months ago; read it again",
            )


def _months_between(then: date, now: date) -> int:
    return (now.year - then.year) * 12 + now.month - then.month


def find_empty_chapters(book: Book, _: date) -> Iterator[Spot]:
    for chapter in book.chapters:
        if not chapter.body and chapter.kind != "part":
            yield Place(chapter.source), "the chapter is empty; write it or take the file out"


def find_orphans(book: Book, _: date) -> Iterator[Spot]:
    """A figure or table with an id of its own wants to be mentioned in the text."""
    named = {node.attrs["href"][1:] for node, _ in _nodes(book, "reference", "link") if _leads_inside(node)}
    for node, place in _nodes(book, "figure", "table"):
        if "auto" not in node.attrs and node.id not in named:
            prefix = "fig" if node.kind == "figure" else "tbl"
            yield place, f"nothing refers to @{prefix}:{node.id}; mention it in the text or drop the id"


def _leads_inside(node: Node) -> bool:
    return node.attrs.get("href", "").startswith("#")
