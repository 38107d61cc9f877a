"""Figures and tables have the same numbers wherever they are named, and lists of their own."""

from __future__ import annotations

import pypdfium2
import pytest

from tests.conftest import BOOK_TOML, MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "lists" / "golden"
FIGURES = [
    "Figure 1 Before anything is counted by chapter", "Figure 1.1 A round cell",
    "Figure 1.2 The same cell, from e.g. the other side", "Figure 2.1 A bed", "Figure B.1 The year",
]  # fmt: skip
TABLES = ["Table 1.1 When to sow", "Table B.1 What to sow, and when", "Table B.2 What to harvest"]


def test_the_navigation_is_the_golden_one(build, golden) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / "nav.xhtml", build("lists").members["nav.xhtml"].decode())


@pytest.mark.parametrize(("kind", "expected"), [("loi", FIGURES), ("lot", TABLES)])
def test_the_ebook_lists_them(build, kind: str, expected: list[str]) -> None:
    """In the navigation, each leading to the thing itself, and among the landmarks."""
    built = build("lists")
    lines = built.find("nav.xhtml", f"//h:nav[@epub:type='{kind}']//h:a")
    things = [line.get("href").partition("#") for line in lines]
    (landmark,) = built.find("nav.xhtml", f"//h:nav[@epub:type='landmarks']//h:a[@epub:type='{kind}']/@href")

    assert expected == ["".join(line.itertext()) for line in lines]
    assert all(built.find(page, f"//*[@id='{name}']") for page, _, name in things)
    assert built.find("nav.xhtml", f"//*[@id='{landmark.partition('#')[2]}']")


def test_print_lists_them_with_their_pages(build) -> None:
    """After the contents, roman pages by their roman numbers."""
    built = build("lists")
    with pypdfium2.PdfDocument(built.pdf_bytes) as document:
        pages = [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    figures = next(page for page in pages if page.startswith("Figures"))
    tables = next(page for page in pages if page.startswith("Tables"))
    for text, page in zip(FIGURES, ["ix", "1", "1", "3", "7"], strict=True):
        assert f"{text} {page}" in figures
    for text, page in zip(TABLES, ["1", "7", "7"], strict=True):
        assert f"{text} {page}" in tables
    assert "Preface ix" in next(page for page in pages if page.startswith("Contents"))


def test_a_thing_is_called_the_same_everywhere(build) -> None:
    """By its caption, and by all that refer to it."""
    built = build("lists")
    for page in ("preface.xhtml", "cells.xhtml", "beds.xhtml", "sowing.xhtml"):
        for reference in built.find(page, "//h:a[contains(@class, 'fig') or contains(@class, 'tbl')]"):
            home, _, name = reference.get("href").rpartition("#")
            (label,) = built.find(home or page, f"//*[@id='{name}']//h:span[@class='label']/text()")
            assert label == "".join(reference.itertext())


def test_appendices_count_for_themselves(build, manuscript) -> None:
    """With the letter of the appendix, also where the book is counted through."""
    table = "Table: Rows.\n\n| A |\n|---|\n| b |\n"
    folder = manuscript(
        {
            "01-one.md": f"# One\n\n{table}", "02-two.md": f"# Two\n\n{table}",
            "80-more.md": f"---\nkind: appendix\n---\n\n# More\n\n{table}",
        },
        toml=BOOK_TOML,
    )  # fmt: skip
    built = build(folder, formats=("epub",))
    labels = [
        label for page in ("one", "two", "more")
        for label in built.find(f"{page}.xhtml", "//h:span[@class='label']/text()")
    ]  # fmt: skip

    assert ["Table 1", "Table 2", "Table A.1"] == labels
    assert [] == built.find("nav.xhtml", "//h:nav[@epub:type='lot']")
