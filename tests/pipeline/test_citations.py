"""Citations in the text are printed, and the list of what they name becomes a chapter near the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.build import make_edition, open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.errors import PipelineError
from pipeline.model import Book, plain

Scribe = Callable[..., Path]
TOML = '[book]\ntitle = "T"\nauthors = ["A"]\ncover = "none"\n[bibliography]\nfile = "refs.bib"\n'
BIB = b"""
@book{carroll, author = {Carroll, Lewis}, title = {Alice}, publisher = {Macmillan}, year = {1865}}
@book{lear, author = {Lear, Edward}, title = {Nonsense}, publisher = {Routledge}, year = {1846}}
"""


def resolve(folder: Path) -> Book:
    return resolve_edition(open_manuscript(folder), EditionTable(name="full"))[0]


def fault(folder: Path) -> str:
    with pytest.raises(PipelineError) as raised:
        resolve(folder)
    return str(raised.value)


def said(book: Book, number: int) -> list[str]:
    """What each paragraph of a chapter says, citations included."""

    def words(node: object) -> str:
        return (
            plain(node.children)
            if node.kind == "citation"
            else node.text or "".join(map(words, node.children))
        )

    return [words(node) for node in book.chapters[number].body]


def test_works_are_printed_and_listed(manuscript: Scribe) -> None:
    """In the text, in a box and in a note; the list holds what is cited, before what closes the book."""
    text = "# One\n\nA [@lear, p. 3].\n\n::: note\nB [@lear].\n:::\n\nC^[D [@carroll]]."
    folder = manuscript(
        {"1.md": text, "2.md": "---\nkind: about\n---\n# Me\n\nx"}, toml=TOML, files={"refs.bib": BIB}
    )
    book = resolve(folder)

    assert ["1", "references", "2"] == [chapter.slug.removeprefix("chapter-") for chapter in book.chapters]
    assert ["A (Lear, 1846, p. 3).", "B (Lear, 1846).", "CD (Carroll, 1865)."] == said(book, 0)
    assert ["ref-carroll", "ref-lear"] == [node.id for node in book.chapters[1].body]
    assert "References" == book.chapters[1].title


def test_numbered_works_carry_their_number(manuscript: Scribe) -> None:
    """In the order of the text, and the list under a title of one's own."""
    toml = f'{TOML}style = "numeric"\ntitle = "Sources"\n'
    book = resolve(manuscript("# One\n\nA [@lear] and [@carroll].", toml=toml, files={"refs.bib": BIB}))

    assert ["A [1] and [2]."] == said(book, 0)
    assert "Sources" == book.chapters[1].title
    assert ["1", "2"] == [line.split()[0].strip("[].") for line in said(book, 1)]


def test_a_citation_leads_to_the_list(manuscript: Scribe) -> None:
    """Its words are a link to the work's own line."""
    book = resolve(manuscript("# One\n\nA [@lear].", toml=TOML, files={"refs.bib": BIB}))
    links = [node for node in book.chapters[0].walk() if node.kind == "link"]

    assert [("#ref-lear", "references")] == [(link.attrs["href"], link.attrs["chapter"]) for link in links]


@pytest.mark.parametrize(
    ("text", "files", "message"),
    [
        ("[@leer]", {"refs.bib": BIB}, "chapters/01-one.md:3: unknown citation 'leer'; did you mean 'lear'?"),
        ("[@carrol; @lea]", {"refs.bib": BIB}, "chapters/01-one.md:3: unknown citation 'carrol'"),
        ("[@lear]", {}, "book.toml: [bibliography] file 'refs.bib' is not there"),
        ("[@lear]", {"refs.bib": b"@book{lear"}, "refs.bib:1"),
    ],
)
def test_what_cannot_be_cited_is_an_error(
    manuscript: Scribe, text: str, files: dict[str, bytes], message: str
) -> None:
    """With the line of the citation, or of the bibliography."""
    assert fault(manuscript(f"# One\n\n{text}", toml=TOML, files=files)).startswith(message)


def test_a_character_no_font_has_is_told(manuscript: Scribe) -> None:
    """Not an error, but never silent: file, line and rule."""
    heard: list[str] = []
    opened = open_manuscript(manuscript("# One\n\nx\n\nA \u2fd5 here."))
    make_edition(opened, EditionTable(name="full"), formats=("epub",), warn=heard.append)

    assert 1 == len(heard)
    assert heard[0].startswith("chapters/01-one.md:5: M050 warning: ")
