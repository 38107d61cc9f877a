"""Count chapters, figures and tables, and give every block a name to point at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from ..errors import ManuscriptError, Place
from ..model import Chapter, Node, plain

#: Pages the press itself adds, and ids it writes there.
RESERVED = {
    "body-start", "contents", "contents-title", "copyright", "copyright-page", "cover", "half-title", "index",
    "list-of-figures", "list-of-tables", "nav", "notes", "references", "the-rest", "title", "title-page",
}  # fmt: skip
#: Blocks a page number can be tied to.
_NAMED = {"paragraph", "item", "term", "figure", "table", "code_block", "div", "quote", "lines", "heading"}
#: What only says where its blocks belong.
_PASSAGES = {"only", "except"}
#: Blocks that hold words and no blocks; the notes among the words are counted elsewhere.
_OF_WORDS = {"paragraph", "heading", "term", "line", "caption", "title", "attribution", "cell"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def number_chapters(chapters: Sequence[Chapter]) -> tuple[Chapter, ...]:
    """Chapters counted 1, 2, ... and appendices A, B, ...; nothing else has a number."""
    counters = {"chapter": count(1), "appendix": count(1)}
    return tuple(
        replace(chapter, number=_write_number(chapter.kind, next(counters[chapter.kind])))
        if chapter.kind in counters
        else chapter
        for chapter in chapters
    )


def _write_number(kind: str, number: int) -> str:
    return str(number) if kind == "chapter" else _write_letters(number)


def _write_letters(number: int) -> str:
    """A ... Z, AA, AB, ..., for a book with more appendices than letters."""
    before, letter = divmod(number - 1, len(_LETTERS))
    return (_write_letters(before) if before else "") + _LETTERS[letter]


def label_chapter(chapter: Chapter, words: Mapping[str, str]) -> str:
    """How a chapter is called: "Chapter 3", "Appendix A", or its title where nothing is counted."""
    return f"{words[chapter.kind]} {chapter.number}" if chapter.number else chapter.title


def name_blocks(chapter: Chapter) -> Chapter:
    """Give every heading and block an id; the author's own stay, ours are marked `auto`."""
    notes = {f"{chapter.slug}-note-{node.attrs['number']}" for node in chapter.walk() if node.kind == "note"}
    used = {*chapter.ids, chapter.slug, f"{chapter.slug}-title", *notes}
    paragraphs = count(1)

    def visit(node: Node) -> Node:
        if node.kind not in _OF_WORDS:
            node = node.rebuild(visit)
        if node.id or node.kind not in _NAMED or "tight" in node.attrs or node.attrs.get("name") in _PASSAGES:
            return node
        if node.kind == "heading":
            return node.with_attrs(id=_make_unique(f"{chapter.slug}-{slugify(plain(node.children))}", used))
        return node.with_attrs(id=_make_unique(f"{chapter.slug}-p{next(paragraphs)}", used), auto="1")

    return replace(chapter, body=tuple(visit(node) for node in chapter.body))


def slugify(text: str, otherwise: str = "section") -> str:
    """Lower-case ASCII words joined by hyphens; `otherwise` for a text without a single one."""
    ascii_text = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or otherwise


def _make_unique(name: str, used: set[str]) -> str:
    candidate = next(c for n in count(1) if (c := name if n == 1 else f"{name}-{n}") not in used)
    used.add(candidate)
    return candidate


def find_doubles(chapters: Sequence[Chapter]) -> Iterator[ManuscriptError]:
    """Ids that stand for two things; chapters' slugs are ids too, and the press has its own."""
    seen = {chapter.slug: Place(chapter.source) for chapter in chapters}
    for chapter in chapters:
        if chapter.slug in RESERVED:
            message = (
                f"the press has a page of its own called '{chapter.slug}'; write another slug: in the header"
            )
            yield ManuscriptError(message, Place(chapter.source), rule="M012")
        for node in chapter.walk():
            if "id" in node.attrs and "auto" not in node.attrs:
                place = Place(chapter.source, node.line)
                if node.id in RESERVED:
                    message = f"the id '{node.id}' belongs to a page of the press; give it another name"
                    yield ManuscriptError(message, place, rule="M012")
                if node.id in seen:
                    message = (
                        f"the id '{node.id}' is used twice (also {seen[node.id]}); give one another name"
                    )
                    yield ManuscriptError(message, place, rule="M012")
                seen[node.id] = place


def number_objects(
    chapters: Sequence[Chapter], words: Mapping[str, str], *, by: str = "book"
) -> tuple[Chapter, ...]:
    """Figures and tables with a caption: "Figure 4", in an appendix "Figure A.1"; mail counts for itself.

    `by` "chapter" counts them anew in each numbered chapter: "Figure 3.1".
    """
    counters, before = _count_objects(), ""

    def visit(node: Node) -> Node:
        if node.kind in counters and any(child.kind == "caption" for child in node.children):
            label = f"{words[node.kind]} {before}{next(counters[node.kind])}"
            tag = "caption" if node.kind == "table" else "figcaption"
            node = node.rebuild(lambda c: c.with_attrs(label=label, tag=tag) if c.kind == "caption" else c)
            return node.with_attrs(label=label)
        return node if node.kind in _OF_WORDS else node.rebuild(visit)

    numbered = []
    through = counters
    for chapter in chapters:
        own = chapter.kind == "appendix" or (by == "chapter" and chapter.kind == "chapter")
        before = f"{chapter.number}." if own and chapter.number else ""
        counters = _count_objects() if before or chapter.kind in {"issue", "letter"} else through
        numbered.append(replace(chapter, body=tuple(visit(node) for node in chapter.body)))
    return tuple(numbered)


def _count_objects() -> dict[str, count[int]]:
    return {"figure": count(1), "table": count(1)}
