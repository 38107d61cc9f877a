"""Numbers, links and contents are settled over the whole manuscript and cut to one edition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.build import open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.errors import PipelineError
from pipeline.model import Book, Entry, plain
from pipeline.resolve import find_newest_date, slugify

Writer = Callable[..., Path]


def resolve(folder: Path, edition: EditionTable | None = None) -> Book:
    return resolve_edition(open_manuscript(folder), edition or EditionTable(name="full"))[0]


def fault(folder: Path, edition: EditionTable | None = None) -> str:
    with pytest.raises(PipelineError) as raised:
        resolve(folder, edition)
    return str(raised.value)


def links(book: Book) -> list[tuple[str, str]]:
    """Words and target of every link and reference; no target where it leads nowhere."""
    return [
        (plain((node,)), node.attrs.get("href", ""))
        for chapter in book.chapters
        for node in chapter.walk()
        if node.kind in {"link", "reference"}
    ]


def outline(entries: tuple[Entry, ...]) -> list[object]:
    return [
        (f"{entry.number} {entry.title}".strip(), outline(entry.children)) if entry.children
        else f"{entry.number} {entry.title}".strip()
        for entry in entries
    ]  # fmt: skip


PARTS = {
    "00-dedication.md": "---\nkind: dedication\n---\nTo you.",
    "01-preface.md": "---\nkind: preface\n---\n# Before\n\nWords.",
    "10-part.md": "---\nkind: part\n---\n# Early\n\n## Hours\n",
    "11-one.md": "# One\n\n## First\n\n### Deeper\n\n## Second\n\n## Quiet {.unnumbered}\n",
    "12-two.md": "# Two\n\nWords.",
    "20-part.md": "---\nkind: part\nslug: late\n---\n# Late\n",
    "21-three.md": "# Three\n\nSee @ch:one, @ch:more and @ch:before.",
    "90-more.md": "---\nkind: appendix\n---\n# More\n\nWords.",
    "91-most.md": "---\nkind: appendix\n---\n# Most\n\nWords.",
    "99-colophon.md": "---\nkind: colophon\n---\n# Colophon\n\nWords.",
}


@pytest.fixture
def parts(manuscript: Writer) -> Path:
    """A book in parts."""
    return manuscript(
        {**PARTS, "01-preface.md": PARTS["01-preface.md"].replace("preface\n", "preface\nslug: before\n")}
    )


def test_contents_are_a_tree_of_parts_chapters_and_sections(parts: Path) -> None:
    """Parts hold chapters and chapters sections; what closes a book stands outside the parts."""
    from pipeline.resolve import list_contents

    assert [
        "Before",
        ("Early", ["Hours", ("1 One", ["First", "Second"]), "2 Two"]),
        ("Late", ["3 Three"]),
        "A More",
        "B Most",
        "Colophon",
    ] == outline(list_contents(resolve(parts)))


def test_a_chapter_keeps_its_number_in_every_edition(parts: Path) -> None:
    """Chapter 3 is Chapter 3 in the sample too; a part that lost its chapters goes."""
    sample = resolve(parts, EditionTable(name="sample", chapters=("three", "99-colophon")))

    assert [("late", ""), ("three", "3"), ("colophon", "")] == [(c.slug, c.number) for c in sample.chapters]


def test_a_reference_out_of_the_edition_says_so(parts: Path) -> None:
    """In the full book it is a link, in a cut of it the words alone."""
    sample = resolve(parts, EditionTable(name="sample", chapters=("three",)))

    assert [("Chapter 1", "#one"), ("Appendix A", "#more"), ("Before", "#before")] == links(resolve(parts))
    assert [
        ("Chapter 1 of the full book", ""), ("Appendix A of the full book", ""), ("Before of the full book", ""),
    ] == links(sample)  # fmt: skip


def test_editions_are_other_books(parts: Path) -> None:
    """A cut has its own identifier, which no rebuild changes."""
    full, sample = resolve(parts), resolve(parts, EditionTable(name="sample", chapters=("one",), title="Cut"))

    assert full.identifier != sample.identifier
    assert sample.identifier == resolve(parts, EditionTable(name="sample", chapters=("two",))).identifier
    assert ("Small", "Cut") == (full.meta.title, sample.meta.title)


def test_a_header_may_keep_a_chapter_out_of_an_edition(manuscript: Writer) -> None:
    """`editions` in a header names those the chapter is in; without it, all."""
    toml = '[book]\ntitle = "T"\nauthors = ["A"]\n[[edition]]\nname = "full"\n[[edition]]\nname = "sample"\n'
    folder = manuscript({"1-a.md": "# A\n\nx", "2-b.md": "---\neditions: [full]\n---\n# B\n\nx"}, toml=toml)

    assert ["a", "b"] == [c.slug for c in resolve(folder).chapters]
    assert ["a"] == [c.slug for c in resolve(folder, EditionTable(name="sample")).chapters]


@pytest.mark.parametrize(
    ("edition", "message"),
    [
        (EditionTable(name="sample", chapters=("tree",)), "book.toml: edition 'sample' has no chapter 'tree' to take"),
        (EditionTable(name="sample", chapters=("early",)), "book.toml: edition 'sample' has no chapter"),
    ],
)  # fmt: skip
def test_an_edition_without_its_chapters_is_refused(parts: Path, edition: EditionTable, message: str) -> None:
    """A name that is not there is a typing error, not an empty book."""
    assert fault(parts, edition).startswith(message)


def test_figures_and_tables_are_counted_where_they_have_a_caption(manuscript: Writer) -> None:
    """One count each through the whole book, ornaments left out."""
    picture = '![A.](a.png "C."){#fig:%s}\n\n![B.](a.png)\n\n'
    table = "Table: T. {#tbl:%s}\n\n| a |\n|---|\n| b |\n\n"
    folder = manuscript(
        {
            "1-a.md": f"# A\n\n{picture % 'x'}{table % 't'}",
            "2-b.md": f"# B\n\n{picture % 'y'}{table % 'u'}@fig:y @tbl:u @fig:x @sec:cd @sec:a-last\n\n"
            "## C *d* {#cd}\n",
            "3-c.md": "# C\n\n## A last\n\nx",
        }
    )  # fmt: skip

    assert [
        ("Figure 2", "#y"), ("Table 2", "#u"), ("Figure 1", "#x"), ("C d", "#cd"), ("A last", "#c-a-last"),
    ] == links(resolve(folder))  # fmt: skip


def test_links_between_chapters_lead_to_ids(manuscript: Writer) -> None:
    """By file name, with an id or a section's title; names with spaces and accents too."""
    folder = manuscript(
        {
            "1-a.md": "# A\n\n[a](2-b.md) [b](2-b.md#c) [c](2-b.md#the-end) [d](<3 é.md>) [e](2-b.md#p) [f](#here)\n\n"
            "## Here\n\n[g](https://x.org/2-b.md) [h](mailto:a@b.org) [i](TEL:+1)",
            "2-b.md": "# B\n\n## C {#c}\n\n## The end\n\n{#p}\nHere.",
            "3 é.md": "# D\n\nx",
        }
    )

    assert [
        ("a", "#b"), ("b", "#c"), ("c", "#b-the-end"), ("d", "#e"), ("e", "#p"), ("f", "#a-here"),
        ("g", "https://x.org/2-b.md"), ("h", "mailto:a@b.org"), ("i", "TEL:+1"),
    ] == links(resolve(folder))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@fig:cel", "chapters/1-a.md:5: nothing is called '@fig:cel'; did you mean 'fig:cell'?"),
        ("@ch:b", "chapters/1-a.md:5: nothing is called '@ch:b'"),
        ("[a](2-c.md)", "chapters/1-a.md:5: there is no chapter '2-c.md'; did you mean '1-a.md'?"),
        ("[a](#cel)", "chapters/1-a.md:5: nothing in 'a' has the id 'cel'; did you mean 'cell'?"),
        ("[a](1-a.md#b)", "chapters/1-a.md:5: nothing in 'a' has the id 'b'"),
        ("[a](b.pdf)", "chapters/1-a.md:5: 'b.pdf' is no place to lead to"),
        ("[a](/b)", "chapters/1-a.md:5: '/b' is no place to lead to"),
        ("[a]()", "chapters/1-a.md:5: '' is no place to lead to"),
        ("[a](javascript:b)", "chapters/1-a.md:5: 'javascript:b' is no place to lead to"),
        ("<file:///b>", "chapters/1-a.md:5: 'file:///b' is no place to lead to"),
        ("^[a [b](data:c)]", "chapters/1-a.md:5: 'data:c' is no place to lead to"),
        ("[a](ftp://b.org)", "chapters/1-a.md:5: 'ftp://b.org' is no place to lead to"),
        ("## B {#cell}", "chapters/1-a.md:5: the id 'cell' is used twice (also chapters/1-a.md:3)"),
        ("## B {#a}", "chapters/1-a.md:5: the id 'a' is used twice (also chapters/1-a.md)"),
        ("## B {#title-page}", "chapters/1-a.md:5: the id 'title-page' belongs to a page of the press"),
        ("[@x]", "chapters/1-a.md:5: a work is cited but book.toml has no [bibliography]"),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_an_error(manuscript: Writer, text: str, message: str) -> None:
    """Told with its place and, where there is one, with what was meant."""
    folder = manuscript({"1-a.md": f'# A\n\n![B.](b.png "C."){{#fig:cell}}\n\n{text}'})

    assert fault(folder).startswith(message)


@pytest.mark.parametrize("name", ["title", "copyright", "nav", "cover", "contents", "references"])
def test_a_chapter_cannot_take_the_place_of_a_page_of_the_press(manuscript: Writer, name: str) -> None:
    """It would overwrite the file of that name in the EPUB."""
    message = f"chapters/1-{name}.md: the press has a page of its own called '{name}'; write another slug"

    assert fault(manuscript({f"1-{name}.md": "# A\n\nx"})).startswith(message)


def test_names_given_by_the_press_never_meet(manuscript: Writer) -> None:
    """Headings of the same words, and words that look like our own ids, get ids of their own."""
    text = "# A\n\n## B\n\n## B\n\n## Title\n\n## P1\n\n## Note 1\n\nx[^1]\n\n[^1]: y"
    book = resolve(manuscript({"1-a.md": text}))
    ids = [node.id for node in book.chapters[0].walk() if node.id]

    assert len(ids) == len(set(ids))
    assert {"a-title", "a-note-1", "a"}.isdisjoint(ids)


def test_one_run_tells_all_that_leads_nowhere(manuscript: Writer) -> None:
    """All chapters, in the order of the files."""
    told = fault(manuscript({"1-a.md": "# A\n\n@fig:x", "2-b.md": "# B\n\n[a](#y)\n\n@ch:z"})).splitlines()

    assert ["chapters/1-a.md:3", "chapters/2-b.md:3", "chapters/2-b.md:5"] == [t.split(": ")[0] for t in told]


def test_the_newest_date_is_that_of_the_sources(manuscript: Writer) -> None:
    """A build without a clock takes its time from the book."""
    folder = manuscript({"1-a.md": "---\nreviewed: 2026-05-02\ndate: 2026-01-01\n---\n# A\n\nx"})
    opened = open_manuscript(folder)

    assert datetime(2026, 5, 2, 12, tzinfo=UTC) == find_newest_date(opened.chapters, opened.config)
    assert datetime(2000, 1, 1, 12, tzinfo=UTC) == find_newest_date((), opened.config)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Größe & Maß", "grosse-mass"), ("  L'été  ", "l-ete"), ("Война", "section"), ("A--B", "a-b")],
)
def test_slugs_are_ascii(text: str, expected: str) -> None:
    """Ids and file names travel through old software."""
    assert expected == slugify(text)
