"""Chapters of which an edition shows the beginning, and the page that says where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..config import EditionTable
from ..errors import ManuscriptError, Place
from ..model import Chapter, Node
from .contents import BACK

SLUG = "the-rest"


def cut_excerpts(
    chapters: Sequence[Chapter],
    edition: EditionTable,
    names: Mapping[str, set[str]],
    words: Mapping[str, str],
) -> tuple[Chapter, ...]:
    """The chapters of an edition, its excerpts cut at `<!-- more -->`, and the page where to get the rest.

    `names` are those that each chapter goes by. Raises ManuscriptError where nothing ends an excerpt.
    """
    if not edition.excerpts:
        return tuple(chapters)
    written = next((chapter.slug for chapter in chapters if chapter.kind == "rest"), "")
    cut = [
        _cut(chapter, edition, words, written or SLUG)
        if names[chapter.slug].intersection(edition.excerpts)
        else chapter
        for chapter in chapters
    ]
    if written:
        return tuple(cut)
    place = next((i for i, chapter in enumerate(cut) if chapter.kind in BACK), len(cut))
    return (*cut[:place], _make_page(edition, words), *cut[place:])


def _cut(chapter: Chapter, edition: EditionTable, words: Mapping[str, str], slug: str) -> Chapter:
    end = next((at for at, node in enumerate(chapter.body) if node.kind == "more"), 0)
    if not end:
        message = (
            f"is an excerpt in edition '{edition.name}', and nothing ends it; "
            "write <!-- more --> on a line of its own where it does"
        )
        raise ManuscriptError(message, Place(chapter.source, chapter.title_line), rule="M021")
    before, after = words["excerpt_ends"].split("{link}")
    link = Node(
        "link", (Node("text", text=words["where_rest"]),), attrs={"href": f"#{slug}", "chapter": slug}
    )
    parts = (Node("text", text=before), link, Node("text", text=after))
    closing = Node("paragraph", parts, attrs={"class": "excerpt-end"})
    return replace(chapter, body=(*chapter.body[:end], closing))


def _make_page(edition: EditionTable, words: Mapping[str, str]) -> Chapter:
    body = tuple(_write_page(edition, words))
    heading = (Node("text", text=words["where_rest"]),)
    return Chapter(SLUG, "rest", words["where_rest"], body, "book.toml", heading=heading)


def _write_page(edition: EditionTable, words: Mapping[str, str]) -> Iterator[Node]:
    yield Node("paragraph", (Node("text", text=words["part_of_book"]),))
    if edition.rest:
        link = Node("link", (Node("text", text=edition.rest),), attrs={"href": edition.rest})
        yield Node("paragraph", (Node("text", text=words["whole_book_at"] + " "), link))
