"""A PDF is finished: lists and links as PDF/UA wants them, labels, bookmarks and metadata."""

from __future__ import annotations

import io
from itertools import pairwise

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from pipeline.tagging import Labels, repair_lists, roman

VALUES = {"m": 1000, "d": 500, "c": 100, "l": 50, "x": 10, "v": 5, "i": 1}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "i"),
        (4, "iv"),
        (9, "ix"),
        (14, "xiv"),
        (40, "xl"),
        (90, "xc"),
        (400, "cd"),
        (1994, "mcmxciv"),
        (0, ""),
    ],
)
def test_roman_numerals(number: int, expected: str) -> None:
    """Front matter is numbered in small letters."""
    assert expected == roman(number)


@given(st.integers(1, 3999))
def test_roman_numerals_say_their_number(number: int) -> None:
    """Read back by the rule that a smaller sign before a larger one is taken away."""
    values = [VALUES[letter] for letter in roman(number)]
    signs = [-1 if a < max(values[i:]) else 1 for i, a in enumerate(values)]

    assert number == sum(a * sign for a, sign in zip(values, signs, strict=True))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (Labels(cover=True, front=2, body=5, total=7), ["Cover", "Cover 2", "i", "ii", "iii", "1", "2"]),
        (Labels(cover=False, front=0, body=2, total=3), ["i", "ii", "1"]),
        (Labels(cover=False, front=0, body=0, total=2), ["1", "2"]),
    ],
)
def test_labels_name_the_cover_the_front_and_the_body(labels: Labels, expected: list[str]) -> None:
    """What a reader sees beside the page."""
    assert expected == [labels.name(page) for page in range(labels.total)]


def make_item(pdf: pikepdf.Pdf, *kids: str) -> pikepdf.Object:
    """A document with one list item that holds `kids`, each an element with one piece of content."""
    item = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.LI, K=Array()))
    for number, kind in enumerate(kids):
        kid = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(kind), P=item, K=Array([number])))
        item.K.append(kid)
    pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=Array([item])))
    return item


@pytest.mark.parametrize(
    ("kids", "mended", "body"),
    [
        (["/Lbl", "/LBody"], 0, [1]),
        (["/Lbl", "/P"], 1, ["/P"]),
        (["/Lbl", "/P", "/P", "/L"], 1, ["/P", "/P", "/L"]),
        (["/Lbl", "/LBody", "/P"], 1, [1, "/P"]),
        (["/P"], 1, ["/P"]),
    ],
)
def test_an_item_holds_a_label_and_one_body(kids: list[str], mended: int, body: list[object]) -> None:
    """Whatever WeasyPrint put beside the label goes into the body (ISO 14289-1, 7.2)."""
    with pikepdf.new() as pdf:
        item = make_item(pdf, *kids)
        assert mended == repair_lists(pdf)
        *labels, last = item.K

        assert [kid for kid in kids if kid == "/Lbl"] == [str(label.S) for label in labels]
        assert "/LBody" == str(last.S)
        assert body == [str(kid.S) if isinstance(kid, Dictionary) else int(kid) for kid in last.K]
        assert {last.objgen} == {kid.P.objgen for kid in last.K if isinstance(kid, Dictionary)} or kids[
            -1
        ] == "/LBody"
        assert 0 == repair_lists(pdf)


@pytest.fixture(scope="module")
def pdf(everything) -> pikepdf.Pdf:
    """The finished PDF of the book that says everything."""
    return pikepdf.open(io.BytesIO(everything.pdf_bytes))


def elements(pdf: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    todo, found = [pdf.Root.StructTreeRoot], []
    while todo:
        kids = todo.pop().get("/K", [])
        kids = list(kids) if isinstance(kids, Array) else [kids]
        todo += (below := [kid for kid in kids if isinstance(kid, Dictionary) and Name.S in kid])
        found += below
    return found


def kinds(element: pikepdf.Dictionary) -> list[str]:
    kids = element.get("/K", [])
    return [
        str(kid.get("/S", kid.get("/Type", "?"))) if isinstance(kid, Dictionary) else "content"
        for kid in (kids if isinstance(kids, Array) else [kids])
    ]


def test_every_item_of_a_real_book_is_whole(pdf: pikepdf.Pdf) -> None:
    """Tight lists, loose ones, and lists in lists."""
    items = [kinds(element) for element in elements(pdf) if element.S == Name.LI]

    assert len(items) > 8
    assert {("/Lbl", "/LBody"), ("/LBody",)} >= {tuple(item) for item in items}


def test_a_link_has_one_annotation_and_says_where_it_leads(pdf: pikepdf.Pdf) -> None:
    """No link is announced twice; what leads to a chapter bears its title."""
    annotations = {link.objgen: link for page in pdf.pages for link in page.get("/Annots", [])}
    links = [kinds(element).count("/OBJR") for element in elements(pdf) if element.S == Name.Link]
    spans = [element for element in elements(pdf) if element.S != Name.Link and "/OBJR" in kinds(element)]
    told = {str(link.Dest): str(link.get("/Contents")) for link in annotations.values() if "/Dest" in link}

    assert [] == spans
    assert len(annotations) == sum(links)
    assert ("Blocks", "Blocks", "Preface") == (told["blocks"], told["lists"], told["preface"])


def test_the_headings_of_the_tree_do_not_skip(pdf: pikepdf.Pdf) -> None:
    """H1 first, then one level deeper at a time (ISO 14289-1, 7.4.2)."""

    def walk(element: pikepdf.Object) -> list[int]:
        kids = element.get("/K", [])
        kids = list(kids) if isinstance(kids, Array) else [kids]
        own = [int(str(element.S)[2:])] if str(element.get("/S", "")) in {"/H1", "/H2", "/H3", "/H4"} else []
        return own + [level for kid in kids if isinstance(kid, Dictionary) for level in walk(kid)]

    levels = walk(pdf.Root.StructTreeRoot)

    assert 1 == levels[0]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_have_their_alternative_text_and_ornaments_none(pdf: pikepdf.Pdf) -> None:
    """Three pictures and the cover speak; the ornament is no figure."""
    alts = [str(element.get("/Alt", "")) for element in elements(pdf) if element.S == Name.Figure]

    assert {"A round cell with a nucleus.", "A grey square.", "A small square."} < set(alts)
    assert 4 == len(alts)
    assert "" not in alts


def test_the_document_says_what_it_is(pdf: pikepdf.Pdf) -> None:
    """Tagged, in a language, showing its title."""
    assert "en-GB" == str(pdf.Root.Lang)
    assert pdf.Root.MarkInfo.Marked
    assert pdf.Root.ViewerPreferences.DisplayDocTitle
