"""Whatever an author writes in the dialect becomes a book that is whole: no crash, no loose end, no word lost."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.build import Manuscript, choose_editions, make_edition, open_manuscript
from pipeline.errors import PipelineError

CONFIG = """[book]
title = "Chance"
authors = ["Ana Ruiz"]
language = "{language}"
date = 2026-01-01
cover = "none"
[ebook]
notes = "{notes}"
lists = ["figures", "tables"]
numbers = "{numbers}"
embed_fonts = false
[[edition]]
name = "full"
[[edition]]
name = "sample"
chapters = ["one"]
"""
GLOSSARY = "---\nkind: glossary\n---\n# Glossary\n\nMulch\n:   Straw, or [humus]{.term}.\n\nHumus\n:   What is left.\n"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 6 4"><rect width="5" height="3"/></svg>'
WORDS = [
    "moss",
    "Rain",
    "bed",
    "élan",
    "Straße",
    "naïve",
    "can't",
    "5 kg",
    "a & b",
    "x < y",
    "£3",
    "100 %",
    "$5 or $6",
]

word = st.sampled_from(WORDS)
plain_words = st.lists(word, min_size=1, max_size=4).map(" ".join)
#: What stands in a line: the words of each are words of the book.
inline = st.one_of(
    plain_words,
    plain_words.map(lambda text: f"*{text}*"),
    plain_words.map(lambda text: f"**{text}**"),
    plain_words.map(lambda text: f"~~{text}~~"),
    plain_words.map(lambda text: f'"{text}"'),
    plain_words.map(lambda text: f"[{text}]{{.smallcaps}}"),
    plain_words.map(lambda text: f"[{text}]{{lang=fr}}"),
    plain_words.map(lambda text: f"[{text}](https://example.org/a?b=c&d)"),
    plain_words.map(lambda text: f"[{text}](02-two.md)"),
    plain_words.map(lambda text: f"^[{text}]"),
    plain_words.map(
        lambda text: f'[{text}]{{index="{text.replace("<", "").replace(">", "")} > moss; rain"}}'
    ),
    st.sampled_from(
        ["[mulch]{.term}", "[heaps]{term=humus}", "[Rain]{.index}", '[]{index="moss" also="rain"}']
    ),
    st.sampled_from(
        [
            "`a_b`",
            "H~2~O",
            "m^2^",
            "@ch:two",
            "@ch:glossary",
            "@tbl:rows",
            "{{title}}",
            "$x^2$",
            "it---was",
            "...",
        ]
    ),
)
line = st.lists(inline, min_size=1, max_size=5).map(lambda parts: "Moss " + " ".join(parts) + ".")
heading = st.tuples(st.sampled_from(["##", "###"]), plain_words).map(" ".join)
#: What stands on lines of its own.
block = st.recursive(
    st.one_of(
        line,
        line,
        heading,
        st.lists(line, min_size=1, max_size=3).map(lambda items: "\n".join(f"- {item}" for item in items)),
        st.lists(line, min_size=1, max_size=3).map(lambda items: "\n\n".join(f"3. {item}" for item in items)),
        line.map(lambda text: f"> {text}\n>\n> -- Somebody"),
        st.lists(plain_words, min_size=1, max_size=3).map(lambda lines: "::: verse\n" + "\n".join(lines) + "\n:::"),
        st.tuples(plain_words, line).map(lambda pair: f"{pair[0]}\n:   {pair[1]}"),
        st.tuples(word, word).map(lambda pair: f"| moss | rain |\n|---|--:|\n| {pair[0]} | {pair[1]} |"),
        st.just('![A bed of moss.](moss.svg "A *bed*.")'),
        st.sampled_from(["***", "```\nmoss = 1\n```", "$$\\frac{a}{b}$$", "::: only output=epub,pdf\nMoss.\n:::"]),
    ),
    lambda inner: st.tuples(st.sampled_from(["note", "tip", "safety Moss", "aside"]), inner)
    .map(lambda pair: f":::: {pair[0]}\n{pair[1]}\n::::" if "::::" not in pair[1] else pair[1]),
    max_leaves=2,
)  # fmt: skip
body = st.lists(block, min_size=1, max_size=5).map("\n\n".join)


kinds = st.sampled_from(["appendix", "about", "part", "introduction"])


@st.composite
def books(draw: st.DrawFn) -> dict[str, str]:
    """The files of a small book, by their paths."""
    languages, places = (
        st.sampled_from(["en-GB", "de", "fr", "pl"]),
        st.sampled_from(["foot", "chapter", "book"]),
    )
    config = CONFIG.format(
        language=draw(languages), notes=draw(places), numbers=draw(st.sampled_from(["book", "chapter"]))
    )
    table = "Table: Rows of moss. {#tbl:rows}\n\n| moss |\n|---|\n| rain |\n"
    return {
        "book.toml": config,
        "chapters/01-one.md": f"# One {draw(plain_words)}\n\n{_mend(draw(body))}\n",
        "chapters/02-two.md": f"# Two\n\n{_mend(draw(body))}\n\n{table}",
        "chapters/80-more.md": f"---\nkind: {draw(kinds)}\n---\n\n# More\n\n{_mend(draw(body))}\n",
        "chapters/90-glossary.md": GLOSSARY,
        "chapters/moss.svg": PICTURE,
    }


def _mend(text: str) -> str:
    """Headings that skip no level, and an entry of the index that every "see also" finds."""
    seen = False
    lines = []
    for each in text.split("\n"):
        seen = seen or each.startswith("## ")
        lines.append(each if seen or not each.startswith("### ") else each[1:])
    return "\n".join(lines) + "\n\nMoss in the [rain]{.index}."


def write(folder: Path, files: dict[str, str]) -> Manuscript:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return open_manuscript(folder)


def read_members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def find_loose_ends(members: dict[str, bytes]) -> Iterator[str]:
    """Links that lead nowhere, and names that stand twice; every page is parsed strictly."""
    pages = {name: etree.fromstring(data) for name, data in members.items() if name.endswith(".xhtml")}
    names = {page: root.xpath("//@id") for page, root in pages.items()}
    for page, root in pages.items():
        yield from (f"{page}: #{name} twice" for name in names[page] if names[page].count(name) > 1)
        for href in root.xpath("//@href | //@src | //@srcset"):
            path, _, name = href.partition("#")
            target = normpath(join(dirname(page), path)) if path else page
            if "://" not in href and (target not in members or (name and name not in names[target])):
                yield f"{page}: {href}"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=books())
def test_every_ebook_is_whole(files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Well-formed, and every link has its end, in the book and in a part of it."""
    manuscript = write(tmp_path_factory.mktemp("book"), files)
    for edition in choose_editions(manuscript.config):
        (epub,) = make_edition(manuscript, edition, formats=["epub"])

        assert [] == list(find_loose_ends(read_members(next(iter(epub.files.values())))))


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=books())
def test_print_says_what_the_ebook_says(
    files: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same words in the same order, and page numbers that lead somewhere."""
    manuscript = write(tmp_path_factory.mktemp("book"), files)
    pdf, epub = make_edition(manuscript, choose_editions(manuscript.config)[0])
    members = read_members(next(iter(epub.files.values())))
    with pypdfium2.PdfDocument(next(iter(pdf.files.values()))) as document:
        printed = _letters(" ".join(page.get_textpage().get_text_range() for page in document))
    place = 0
    for words in _list_blocks(members):
        found = printed.find(words, place)
        found = found if found >= 0 else printed.find(words[:20], place)  # a page ends in it

        assert found >= 0, f"{words} is not printed behind {printed[max(place - 80, 0) : place]}"
        place = found + 1
    assert [] == list(find_loose_ends(members))


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _list_blocks(members: dict[str, bytes]) -> Iterator[str]:
    """The letters of each paragraph of the chapters, in reading order; notes and the page of a reference aside."""
    package = etree.fromstring(members["EPUB/content.opf"])
    hrefs = {item.get("id"): item.get("href") for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        name = hrefs[reference.get("idref")]
        if name in {"nav.xhtml", "title.xhtml", "copyright.xhtml", "index.xhtml", "notes.xhtml"}:
            continue
        root = etree.fromstring(members[f"EPUB/{name}"])
        for block in root.iterfind(".//{*}section//{*}p"):
            if not any("note" in (parent.get("class") or "") for parent in block.iterancestors("{*}aside")):
                yield from filter(None, [_letters("".join(_say(block)))])


def _say(element: etree._Element) -> Iterator[str]:
    """The text of a paragraph up to its first reference, behind which print has a page."""
    yield element.text or ""
    for child in element:
        if child.tag.endswith("math"):
            yield child.tail or ""  # drawn in print
            continue
        if child.get("role") != "doc-noteref":
            yield from _say(child)
        if re.match("ref ", child.get("class") or ""):
            return
        yield child.tail or ""


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=st.text(alphabet="#*_~`[]{}()<>!:|-=.$@^&\\/\"' \n\tabcM1é水א", max_size=120))
def test_scribbles_are_a_book_or_a_fault(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Either it is made, and whole, or a message says where it fails."""
    folder = tmp_path_factory.mktemp("book")
    try:
        manuscript = write(folder, {"book.toml": CONFIG.format(language="en", notes="foot", numbers="book"),
                                    "chapters/01-one.md": f"# One\n\n{text}\n"})  # fmt: skip
        (epub,) = make_edition(manuscript, choose_editions(manuscript.config)[0], formats=["epub"])
    except PipelineError as error:
        assert "chapters/01-one.md" in str(error)
        return

    assert [] == list(find_loose_ends(read_members(next(iter(epub.files.values())))))
