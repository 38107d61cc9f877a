"""The order of a book and the contents that page, navigation and bookmarks share."""

from __future__ import annotations

import re
from dataclasses import replace

from ..config import Objects
from ..model import Book, Chapter, Entry, plain

#: Kinds that stand before the contents, before page 1, and after the last chapter.
EARLY = ("dedication", "epigraph")
FRONT = (*EARLY, "foreword", "preface")
BACK = (
    "appendix",
    "rest",
    "glossary",
    "notes",
    "references",
    "index",
    "acknowledgements",
    "about",
    "also-by",
    "colophon",
)

_SENTENCE = re.compile(r".{12,}?[.!?\u2026](?=\s+[^a-z\s]|$)", re.DOTALL)


def list_contents(book: Book) -> tuple[Entry, ...]:
    """Parts hold their chapters, chapters their sections."""
    entries: list[Entry] = []
    in_part = False
    for chapter in book.chapters:
        if chapter.kind in EARLY:
            continue
        entry = Entry(
            chapter.title, chapter.slug, chapter.slug, chapter.kind, chapter.number, _list_sections(chapter)
        )
        in_part = chapter.kind == "part" or (in_part and chapter.kind not in BACK)
        if in_part and chapter.kind != "part":
            entries[-1] = replace(entries[-1], children=(*entries[-1].children, entry))
        else:
            entries.append(entry)
    return tuple(entries)


def list_objects(book: Book, kind: Objects) -> tuple[Entry, ...]:
    """All figures, or all tables, that are counted, with the first sentence of their captions."""
    return tuple(
        Entry(_cut_sentence(plain(child.children)), node.id, chapter.slug, node.kind, node.attrs["label"])
        for chapter in book.chapters
        for node in chapter.nodes
        if f"{node.kind}s" == kind and "label" in node.attrs
        for child in node.children
        if child.kind == "caption"
    )


def _cut_sentence(text: str) -> str:
    found = _SENTENCE.match(text)
    return (found[0] if found else text).strip().rstrip(".")


def _list_sections(chapter: Chapter) -> tuple[Entry, ...]:
    return tuple(
        Entry(plain(node.children), node.id, chapter.slug, "section")
        for node in chapter.body
        if node.kind == "heading"
        and node.attrs["level"] == "2"
        and "unnumbered" not in node.attrs.get("class", "")
    )
