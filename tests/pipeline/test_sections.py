"""A book becomes sections: pages made of metadata, and chapters with what stands above and below them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from lxml import etree

from pipeline.build import open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.layouts import Layout, read_layout
from pipeline.markup import RULES, Writer
from pipeline.model import MADE, Book, Kind
from pipeline.resolve import MAIL
from pipeline.sections import SEMANTICS, Section, Words, spoken_title, write_chapter, write_matter

Scribe = Callable[..., Path]
KINDS = [kind for kind in get_args(Kind) if kind not in {*MADE, *MAIL}]


@pytest.fixture(scope="module")
def layout() -> Layout:
    """The layout that comes first."""
    return read_layout("classic", Path())


@pytest.fixture(scope="module")
def words(layout: Layout) -> Words:
    """What the press says in English."""
    return Words(layout.read_words("en-GB"))


def resolve(folder: Path) -> Book:
    return resolve_edition(open_manuscript(folder), EditionTable(name="full"))[0]


def write(book: Book, layout: Layout, words: Words, number: int = 0) -> tuple[Section, etree._Element]:
    writer = Writer(RULES, words.table, slug=book.chapters[number].slug)
    section = write_chapter(book.chapters[number], layout, words, writer, notes=lambda _: "<i>notes</i>")
    namespace = 'xmlns:epub="http://www.idpf.org/2007/ops"'
    return section, etree.fromstring(f"<body {namespace}>{section.markup}</body>")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_chapter_has_its_meaning(
    kind: str, manuscript: Scribe, layout: Layout, words: Words
) -> None:
    """EPUB's and ARIA's words for it agree; preface and the like stand on roman pages."""
    text = f"---\nkind: {kind}\ntitle: T & U\nslug: t\n---\nx"
    section, root = write(resolve(manuscript({"1.md": text, "2.md": "# Next\n\nx"})), layout, words)
    epub_type, role = SEMANTICS[kind]

    assert ("t", kind) == (section.slug, section.kind)
    assert (kind in {"dedication", "epigraph", "foreword", "preface"}) == section.front
    assert ("t", role or None) == (root.get("id"), root.get("role"))
    assert (epub_type or None) == root.get("{http://www.idpf.org/2007/ops}type")
    assert role.removeprefix("doc-") == epub_type
    assert ([] if kind in {"dedication", "epigraph"} else ["T & U"]) == root.xpath("//h1/text()")


def test_a_chapter_says_what_its_header_says(manuscript: Scribe, layout: Layout, words: Words) -> None:
    """Subtitle, authors, language, number and the day somebody checked it."""
    header = "---\ntitle: Das *Eine*\nsubtitle: Über < alles\nauthors: [A, B, C]\nlang: de\nreviewed: 2026-03-02\n---\n"
    section, root = write(resolve(manuscript(f"{header}Text.")), layout, words)
    said = " ".join("".join(root.itertext()).split())

    assert "1. Das Eine" == section.title
    assert {"de"} == {root.get("lang"), root.get("{http://www.w3.org/XML/1998/namespace}lang")}
    assert ["Eine"] == root.xpath("//h1/em/text()")
    for words_said in ["Chapter 1", "Über < alles", "A, B and C", "Text.", "notes", "2 March 2026"]:
        assert words_said in said


def test_chapters_are_spoken_with_their_number(manuscript: Scribe) -> None:
    """Navigation says the number, and words alone."""
    book = resolve(manuscript({"1-a.md": "# A *b* `c`\n\nx", "2-b.md": "---\nkind: about\n---\n# Me\n\nx"}))

    assert ["1. A b c", "Me"] == [spoken_title(chapter) for chapter in book.chapters]


FULL = """
[book]
title = "A & B"
subtitle = "C"
publisher = "P & Q"
language = "en"
authors = [{ name = "Ana" }, { name = "Björk" }, { name = "Cay", role = "ill" }]
rights = "© <me>"
date = 2026-03-01
edition_note = "First edition"
disclaimer = "No advice."
series = { name = "S", number = 1.5 }
isbn = { pdf = "978-0-00-000001-9", epub = "978-0-00-000002-6" }
website = "https://example.org/"
"""


def test_matter_pages_say_what_book_toml_says(manuscript: Scribe, layout: Layout, words: Words) -> None:
    """Half title, title page and copyright page hold the book's own data, escaped."""
    book = resolve(manuscript("# One\n\nx", toml=FULL))
    said = {
        name: write_matter(book, layout, words, name).markup for name in ("half-title", "title", "copyright")
    }

    assert "A &amp; B" in said["half-title"]
    for expected in ["A &amp; B", "C", "Ana and Björk", "Cay", "P &amp; Q", "S, volume 1.5"]:
        assert expected in said["title"]
    for expected in [
        "© &lt;me&gt;", "P &amp; Q", "1 March 2026", "First edition", "No advice.", "978-0-00-000001-9",
        "978-0-00-000002-6", "https://example.org/", "EB Garamond",
    ]:  # fmt: skip
        assert expected in said["copyright"]


def test_a_book_that_says_little_has_pages_that_say_little(
    manuscript: Scribe, layout: Layout, words: Words
) -> None:
    """Without publisher, date and the rest no empty lines are left."""
    book = resolve(manuscript("# One\n\nx"))
    for name in ("half-title", "title", "copyright"):
        root = etree.fromstring(
            f'<body xmlns:epub="http://www.idpf.org/2007/ops">{write_matter(book, layout, words, name).markup}</body>'
        )

        assert [] == [element.tag for element in root.iter("p") if not "".join(element.itertext()).strip()]


def test_words_make_sentences(words: Words) -> None:
    """Names are joined and days written as the language does."""
    assert ["", "A", "A and B", "A, B and C"] == [words.say_names(list("ABC"[:n])) for n in range(4)]
    assert "9 December 2026" == words.say_date(date(2026, 12, 9))
