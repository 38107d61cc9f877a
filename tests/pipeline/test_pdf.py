"""The PDF says what the EPUB says, on pages that both name alike."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from copy import deepcopy

import pikepdf
import pypdfium2
import pytest
from lxml import etree
from pikepdf import Array, Dictionary, Name

from pipeline.layouts import read_layout
from pipeline.model import Entry
from pipeline.resolve import list_contents

BLOCKS = ("p", "h1", "h2", "h3", "dt", "td", "th", "figcaption", "caption", "li", "dd")


def letters(text: str) -> str:
    """What is left when hyphens, spaces, digits and capitals do not matter."""
    return "".join(letter for letter in text.casefold() if letter.isalpha())


@pytest.fixture(scope="module")
def pdf(everything) -> pikepdf.Pdf:
    """The PDF of the book that says everything."""
    return pikepdf.open(io.BytesIO(everything.pdf_bytes))


@pytest.fixture(scope="module")
def pages(everything) -> dict[str, str]:
    """The letters of each page, by its label."""
    labels = [page.label for page in pikepdf.open(io.BytesIO(everything.pdf_bytes)).pages]
    with pypdfium2.PdfDocument(everything.pdf_bytes) as document:
        texts = [letters(page.get_textpage().get_text_range()) for page in document]
    return dict(zip(labels, texts, strict=True))


def list_blocks(built, name: str) -> Iterator[tuple[str, list[str]]]:
    """The letters of each block of an EPUB page, and the pages that begin right before it."""
    begun: list[str] = []
    for element in built.parse(name).iter(etree.Element):
        if element.get("role") == "doc-pagebreak":
            begun.append(element.get("aria-label"))
        if etree.QName(element).localname in BLOCKS and not any(
            parent.get("class") == "notes" for parent in element.iterancestors()
        ):
            words = letters("".join(_own_text(element)))
            if words:
                yield words, begun
                begun = []


def _own_text(element: etree._Element) -> Iterator[str]:
    """The text of a block without its note marks, and without the blocks in it."""
    copy = deepcopy(element)
    for child in list(copy.iter("{*}a")):
        if child.get("role") == "doc-noteref":
            child.text = ""
    yield copy.text or ""
    for child in copy:
        if etree.QName(child).localname in {
            *BLOCKS,
            "ul",
            "ol",
            "table",
            "dl",
            "div",
            "blockquote",
            "section",
        }:
            return
        yield from child.itertext()
        if child.get("class", "").startswith("ref "):
            return  # print adds the page here
        yield child.tail or ""


def outline(items: list[pikepdf.OutlineItem]) -> list[object]:
    return [(item.title, str(item.destination), outline(item.children)) for item in items]


def contents(entries: tuple[Entry, ...]) -> list[object]:
    return [(entry.spoken, entry.target, contents(entry.children)) for entry in entries]


def test_bookmarks_are_the_contents(everything, pdf: pikepdf.Pdf) -> None:
    """The same lines, the same tree, the same places as in the EPUB's navigation."""
    with pdf.open_outline() as opened:
        marks = outline(opened.root)

    assert contents(list_contents(everything.book)) == marks
    assert "Left out of the contents" not in str(marks)


def test_pages_are_labelled_as_they_are_printed(pdf: pikepdf.Pdf, pages: dict[str, str]) -> None:
    """The cover by name, the front in roman, the body in arabic figures from 1."""
    labels = [page.label for page in pdf.pages]
    roman = [label for label in labels if re.fullmatch("[ivxl]+", label)]
    arabic = [label for label in labels if label.isdigit()]

    assert "Cover" == labels[0]
    assert labels == [label for label in labels if label.startswith("Cover")] + roman + arabic
    assert [str(number) for number in range(1, len(arabic) + 1)] == arabic
    assert "thefirstpart" in pages["1"]
    assert "contents" in "".join(pages[label] for label in roman)


def test_the_running_text_is_that_of_the_epub(everything, pages: dict[str, str]) -> None:
    """Block after block in the same order, none lost."""
    printed, place = "".join(pages.values()), 0
    for chapter in everything.book.chapters:
        for words, _ in list_blocks(everything, f"{chapter.slug}.xhtml"):
            found = printed.find(words[:24], place)

            assert found >= 0, f"{words!r} is not printed after {printed[max(place - 60, 0) : place]!r}"
            place = found + 1


def test_a_page_begins_where_the_epub_says(everything, pages: dict[str, str]) -> None:
    """The block after each page break stands on that page of the PDF; the block before it began earlier."""
    labels = list(pages)
    checked = 0
    for chapter in everything.book.chapters:
        before = ""
        for words, begun in list_blocks(everything, f"{chapter.slug}.xhtml"):
            for label in begun:
                assert words[:24] in pages[label]
                if len(before) > 12 and before not in words:
                    assert before[:24] in "".join(pages[earlier] for earlier in labels[: labels.index(label)])
                checked += 1
            before = words

    assert checked == len(everything.pdf.pages) > 15
    assert list(everything.pdf.pages) == [label for label in labels if label in everything.pdf.pages]


def test_notes_stand_at_the_foot_of_their_page(build) -> None:
    """Below the last line of the text that bears their mark, and small."""
    built = build("notes")
    checked = 0
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        for page in document:
            text = page.get_textpage()
            said = text.get_text_range()
            for found in re.finditer(r"Note \d+ of the (?:first|second) chapter, in", said):
                note = text.get_charbox(said.index(found[0]))
                lines = [text.get_charbox(body.start()) for body in re.finditer("quick brown fox", said)]

                assert lines
                assert note[3] < min(line[1] for line in lines)
                checked += 1

    assert checked == 16


def test_every_link_arrives(pdf: pikepdf.Pdf) -> None:
    """Inside at a place that has a name, outside at an address."""
    names = {str(name) for name in pdf.Root.Names.Dests.Names if isinstance(name, pikepdf.String)}
    links = [link for page in pdf.pages for link in page.get("/Annots", [])]
    inside = [str(link.Dest) for link in links if "/Dest" in link]
    outside = [str(link.A.URI) for link in links if "/A" in link]

    assert len(links) == len(inside) + len(outside) > 30
    assert set(inside) <= names
    assert all(re.match("https://|mailto:", address) for address in outside)


def test_fonts_are_ours_and_embedded(everything, pdf: pikepdf.Pdf) -> None:
    """No face of the system slips in, and no reader has to find one."""
    families = {
        face.family.replace(" ", "-") for face in read_layout("classic", everything.book.folder).faces
    }
    fonts = [font for page in pdf.pages for font in page.resources.get("/Font", {}).values()]
    plain = {str(font.BaseFont).split("+", 1)[1] for font in fonts}

    assert plain
    assert all(any(name.startswith(family) for family in families) for name in plain)
    for font in fonts:
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_info_and_xmp_say_the_same(pdf: pikepdf.Pdf) -> None:
    """Title, people, subject, keywords and times, from book.toml."""
    info = {str(key): str(value) for key, value in pdf.docinfo.items()}
    with pdf.open_metadata() as xmp:
        said = dict(xmp)
        said_times = {xmp["xmp:CreateDate"], xmp["xmp:ModifyDate"], xmp["xmp:MetadataDate"]}
        expected = {
            "/Title": xmp["dc:title"], "/Author": ", ".join(xmp["dc:creator"]), "/Subject": xmp["dc:description"],
            "/Keywords": xmp["pdf:Keywords"], "/Creator": xmp["xmp:CreatorTool"], "/Producer": xmp["pdf:Producer"],
        }  # fmt: skip

        assert "1" == xmp["pdfuaid:part"]
        assert {"en-GB"} == set(xmp["dc:language"])
    assert said
    assert "Everything" == info["/Title"]
    assert "Ana Ruiz, Björk Jónsdóttir" == info["/Author"]
    assert expected == {key: info[key] for key in expected}
    assert {"2026-03-01T12:00:00+00:00"} == said_times
    assert {"D:20260301120000+00'00'"} == {info["/CreationDate"], info["/ModDate"]}


def test_a_table_repeats_its_head_on_each_page(build) -> None:
    """The long one takes three pages or more, and on each its columns have their names."""
    with pypdfium2.PdfDocument(build("tables").pdf_bytes) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    with_rows = [text for text in texts if "so that the row has some height" in " ".join(text.split())]

    assert len(with_rows) >= 2
    assert all("Square" in text for text in with_rows)
    assert [str(n) for n in range(1, 61)] == re.findall(r"^Item (\d+)", "\n".join(texts), re.MULTILINE)


def test_chapters_begin_on_right_hand_pages(everything) -> None:
    """A chapter's first page has an odd number."""
    for label, anchor in everything.pdf.pages.items():
        if anchor in {
            chapter.slug for chapter in everything.book.chapters if chapter.kind in {"chapter", "part"}
        }:
            assert int(label) % 2 == 1


def test_code_is_printed_as_it_was_written(pages: dict[str, str]) -> None:
    """Letter by letter, colours or not."""
    assert "defsaywordstrstr" in "".join(pages.values())


def test_the_tree_knows_what_everything_is(pdf: pikepdf.Pdf) -> None:
    """A screen reader meets headings, lists, tables, pictures and links as such."""
    todo, kinds = [pdf.Root.StructTreeRoot], set()
    while todo:
        kids = todo.pop().get("/K", [])
        for kid in kids if isinstance(kids, Array) else [kids]:
            if isinstance(kid, Dictionary) and Name.S in kid:
                kinds.add(str(kid.S))
                todo.append(kid)

    assert {"/H1", "/H2", "/P", "/L", "/LI", "/Table", "/TH", "/TD", "/Figure", "/Link"} <= kinds
