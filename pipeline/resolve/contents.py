"""The order of a book and the contents that page, navigation and bookmarks share."""

from __future__ import annotations

from dataclasses import replace

from ..model import Book, Chapter, Entry, plain

#: Kinds that stand before the contents, before page 1, and after the last chapter.
EARLY = ("dedication", "epigraph")
FRONT = (*EARLY, "foreword", "preface")
BACK = ("appendix", "glossary", "references", "index", "acknowledgements", "about", "colophon")


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


def _list_sections(chapter: Chapter) -> tuple[Entry, ...]:
    return tuple(
        Entry(plain(node.children), node.id, chapter.slug, "section")
        for node in chapter.body
        if node.kind == "heading"
        and node.attrs["level"] == "2"
        and "unnumbered" not in node.attrs.get("class", "")
    )
