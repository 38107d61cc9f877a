"""Gather the notes of all chapters at the end of the book."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..model import Chapter, Node, plain

SLUG = "notes"
#: What stands behind the notes.
_BEHIND = ("references", "acknowledgements", "about", "also-by", "colophon")


def gather_notes(chapters: Sequence[Chapter], words: Mapping[str, str]) -> tuple[Chapter, ...]:
    """The chapters, their notes in a chapter of their own; as they are where nobody wrote a note."""
    body = tuple(block for chapter in chapters for block in _list_notes(chapter))
    if not body:
        return tuple(chapters)
    title = words["notes"]
    made = Chapter(SLUG, "notes", title, body, "the notes", heading=(Node("text", text=title),))
    left = [replace(chapter, body=tuple(map(_empty, chapter.body))) for chapter in chapters]
    place = next((i for i, chapter in enumerate(left) if chapter.kind in _BEHIND), len(left))
    return (*left[:place], made, *left[place:])


def _list_notes(chapter: Chapter) -> Iterator[Node]:
    """A heading, and the notes of one chapter; nothing where it has none."""
    notes = [node for node in chapter.nodes if node.kind == "note" and "again" not in node.attrs]
    if not notes:
        return
    words = (Node("text", text=f"{chapter.number}. "),) if chapter.number else ()
    title = chapter.heading or (Node("text", text=plain(chapter.heading) or chapter.title),)
    attrs = {"level": "2", "class": "unnumbered", "id": f"{SLUG}-{chapter.slug}", "auto": "1"}
    yield Node("heading", (*words, *title), attrs=attrs)
    for note in notes:
        number = note.attrs["number"]
        named = {
            "number": number,
            "id": f"{chapter.slug}-note-{number}",
            "chapter": chapter.slug,
            "auto": "1",
        }
        yield Node("endnote", note.children, attrs=named, line=note.line)


def _empty(node: Node) -> Node:
    """A note as its mark alone, which leads to where the note is."""
    if node.kind == "note":
        return replace(node, children=(), attrs={**node.attrs, "home": SLUG})
    return node.rebuild(_empty)
