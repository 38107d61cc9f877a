"""Turn a book into its sections in reading order: what the PDF prints in a row and the EPUB keeps in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

from .directions import find_direction
from .layouts import Layout
from .markup import Writer
from .model import Book, Chapter, plain
from .resolve import EARLY, FRONT, label_chapter

#: What each kind is to EPUB (Structural Semantics Vocabulary 1.1) and to a screen reader (DPUB-ARIA 1.1).
SEMANTICS: Mapping[str, tuple[str, str]] = {
    "chapter": ("chapter", "doc-chapter"),
    "preface": ("preface", "doc-preface"),
    "foreword": ("foreword", "doc-foreword"),
    "dedication": ("dedication", "doc-dedication"),
    "epigraph": ("epigraph", "doc-epigraph"),
    "introduction": ("introduction", "doc-introduction"),
    "part": ("part", "doc-part"),
    "appendix": ("appendix", "doc-appendix"),
    "acknowledgements": ("acknowledgments", "doc-acknowledgments"),
    "about": ("", ""),
    "also-by": ("", ""),
    "rest": ("", ""),
    "colophon": ("colophon", "doc-colophon"),
    "glossary": ("glossary", "doc-glossary"),
    "index": ("index", "doc-index"),
    "notes": ("endnotes", "doc-endnotes"),
    "references": ("bibliography", "doc-bibliography"),
}
#: Kinds that readers' programs offer a way to at any time.
LOOKED_UP = frozenset({"glossary", "references", "index"})


@dataclass(frozen=True, slots=True)
class Section:
    """One piece of the finished book: `front` tells roman pages from arabic, `markup` is well-formed XHTML."""

    slug: str
    kind: str
    title: str
    markup: str
    front: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The language's words, and the few sentences made of them."""

    table: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.table[key]

    def say_date(self, day: date) -> str:
        month = self.table["months"].split()[day.month - 1]
        return self.table["date"].format(day=day.day, month=month, year=day.year)

    def say_names(self, names: list[str]) -> str:
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.table['and']} {names[-1]}"


def write_matter(book: Book, layout: Layout, words: Words, name: str) -> Section:
    """A page made from metadata: `half-title`, `title` or `copyright`."""
    authors = [author.name for author in book.meta.authors if author.role == "aut"]
    others = [author for author in book.meta.authors if author.role != "aut"]
    values = {
        "book": book, "meta": book.meta, "words": words, "others": others,
        "byline": words.say_names(authors),
        "date": words.say_date(book.meta.date) if book.meta.date else "",
        "families": list(dict.fromkeys(spec.family for spec in layout.faces)),
    }  # fmt: skip
    title = {"half-title": words["half_title"], "title": words["title_page"]}.get(name, words["copyright"])
    return Section(name, name, title, layout.fill(f"book/{name}.html.j2", **values), front=True)


def write_chapter(
    chapter: Chapter, layout: Layout, words: Words, writer: Writer, *, notes: Callable[[Writer], str]
) -> Section:
    """One chapter; `notes` prints the notes that the format sets at its end."""
    turn = writer.turn(chapter.lang) if chapter.lang else ""
    if chapter.lang:
        writer.direction = find_direction(chapter.lang)
    body = writer.write(chapter.body)
    epub_type, role = SEMANTICS[chapter.kind]
    values = {
        "chapter": chapter, "words": words, "turn": turn, "epub_type": epub_type, "role": role,
        "label": label_chapter(chapter, words.table) if chapter.number else "",
        "heading": writer.write(chapter.heading) or escape(chapter.title, quote=False),
        "quiet": chapter.kind in EARLY,
        "spoken": words.table.get(chapter.kind, chapter.title),
        "before": writer.before.get(chapter.slug, ""),
        "body": body, "notes": notes(writer),
    }  # fmt: skip
    markup = layout.fill("book/chapter.html.j2", **values)
    return Section(chapter.slug, chapter.kind, spoken_title(chapter), markup, front=chapter.kind in FRONT)


def spoken_title(chapter: Chapter) -> str:
    """The title as navigation says it: with its number, without markup."""
    title = plain(chapter.heading) or chapter.title
    return f"{chapter.number}. {title}" if chapter.number else title
