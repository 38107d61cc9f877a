"""The record for the book trade keeps ONIX 3, and says of a book what book.toml says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onixcheck
import pytest
from lxml import etree

from pipeline.build import make_edition, open_manuscript
from pipeline.config import EditionTable

NAMES = {"o": "http://ns.editeur.org/onix/3.0/reference"}
BARE = '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\nlanguage = "en"\n'
RICH = """[book]
title = "Small & <Sharp>"
subtitle = "A book"
authors = ["Ana Ruiz", { name = "Ben Stone", role = "ill" }, "Sea School"]
publisher = "Orchard House"
place = "Leeds"
language = "de-AT"
description = "What to sow & when."
subjects = ["GAR025000", "WMPC"]
keywords = ["seeds", "soil"]
date = 2026-08-31
edition_note = "Second edition"
series = { name = "Little Books", number = 2 }
[book.isbn]
print = "978-0-00-000000-2"
epub = "978-0-00-000001-9"
"""


@pytest.fixture
def onix(manuscript: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    """The record of a book with this book.toml, on the disk."""

    def make(toml: str) -> Path:
        opened = open_manuscript(manuscript("# One\n\nText.\n", toml=toml))
        (made,) = make_edition(opened, EditionTable(name="full", formats=("onix",)))
        for name, data in made.files.items():
            (tmp_path / name).write_bytes(data)
        return next(tmp_path / name for name in made.files if name.endswith(".onix.xml"))

    return make


@pytest.mark.parametrize("toml", [BARE, RICH])
def test_a_record_keeps_the_schema(onix: Callable[[str], Path], toml: str) -> None:
    """A bare book and one of which everything is known."""
    assert [] == [found.short for found in onixcheck.validate(str(onix(toml)))]


def test_the_judge_of_records_can_say_no(onix: Callable[[str], Path]) -> None:
    """A code that no list has is found."""
    path = onix(RICH)
    path.write_text(path.read_text("utf-8").replace("<ProductForm>BC", "<ProductForm>ZZZ"), "utf-8")

    assert onixcheck.validate(str(path))


def test_each_isbn_is_a_product_that_knows_the_others(onix: Callable[[str], Path]) -> None:
    """The paperback and the EPUB, each an alternative to the other."""
    record = etree.parse(onix(RICH))
    read = record.xpath

    assert ["BC", "ED"] == [form.text for form in read("//o:ProductForm", namespaces=NAMES)]
    numbers = read("//o:Product/o:ProductIdentifier/o:IDValue/text()", namespaces=NAMES)
    assert ["9780000000002", "9780000000019"] == numbers
    assert numbers[::-1] == read("//o:RelatedProduct//o:IDValue/text()", namespaces=NAMES)


def test_people_and_bodies_are_told_apart(onix: Callable[[str], Path]) -> None:
    """A body has no family name."""
    record = etree.parse(onix(RICH))

    inverted = record.xpath("//o:Product[1]//o:PersonNameInverted/text()", namespaces=NAMES)
    assert ["Ruiz, Ana", "Stone, Ben"] == inverted
    assert ["Sea School"] == record.xpath("//o:Product[1]//o:CorporateName/text()", namespaces=NAMES)
    assert ["A01", "A12", "A01"] == record.xpath("//o:Product[1]//o:ContributorRole/text()", namespaces=NAMES)


def test_the_sheet_for_forms_names_what_a_shop_refuses(onix: Callable[[str], Path]) -> None:
    """An eighth keyword is one too many."""
    words = ", ".join(f'"word {number}"' for number in range(8))
    path = onix(RICH.replace('"seeds", "soil"', words))
    sheet = next(path.parent.glob("*.metadata.txt")).read_text("utf-8")

    assert "word 6\n" in sheet
    assert "word 7  <- one too many" in sheet
