"""`pipeline newsletter` makes the site of what it sends, and takes away what is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner

from pipeline.build import open_manuscript
from pipeline.cli import app
from pipeline.newsletter import make_issues, make_pages, resolve_mail

BOOK_TOML = """\
[book]
title = "Small"
authors = ["Ana Ruiz"]
cover = "none"

[newsletter]
site = "https://letters.example.org/"
"""
WINTER = "---\ntitle: Winter\n---\n\nSnow, @@first_name@@.^[On snow.]\n\n<!-- more -->\n\nIce.^[On ice.]\n"
SPRING = "# Spring\n\nFrom @@list_name@@.\n\n::: chapter winter show=opening\n:::\n"
SPRING_FILE = "issues/2026-03-01-spring.md"
Writer = Callable[..., Path]


def make(folder: Path) -> Mapping[str, bytes]:
    manuscript = open_manuscript(folder)
    book = resolve_mail(manuscript)
    return make_pages(manuscript, book, make_issues(manuscript, book=book))


def read(site: Mapping[str, bytes], name: str) -> str:
    """The words of a page's text."""
    return " ".join("".join(etree.fromstring(site[name]).find("body/main").itertext()).split())


def run(folder: Path, *options: str) -> set[str]:
    """The files in build/site after the command."""
    result = CliRunner().invoke(app, ["newsletter", "--book", str(folder), *options], catch_exceptions=False)
    site = folder / "build" / "site"

    assert 0 == result.exit_code
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def test_a_chapter_shown_in_part_is_there_in_full(manuscript: Writer) -> None:
    """At the place where "read on" leads, with all its notes."""
    site = make(manuscript({"01-winter.md": WINTER, SPRING_FILE: SPRING}, toml=BOOK_TOML))

    assert "Ice" not in read(site, "2026-03-01-spring/index.html")
    assert "Ice.2" in read(site, "read/winter/index.html")
    assert b'href="../read/winter/index.html"' in site["2026-03-01-spring/index.html"]


def test_fields_say_what_is_true_for_everybody(manuscript: Writer) -> None:
    """The name of book.toml for the list, and a friend for whoever reads."""
    toml = f'{BOOK_TOML}title = "Small Letters"\n'
    site = make(manuscript({"01-winter.md": WINTER, SPRING_FILE: SPRING}, toml=toml))

    assert "From Small Letters. Winter" in read(site, "2026-03-01-spring/index.html")
    assert "Snow, friend." in read(site, "read/winter/index.html")


def test_fields_of_every_type_have_their_words(manuscript: Writer) -> None:
    """Text is text, markup its words, an address a link."""
    fields = (
        '[newsletter.fields]\ncity = { default = "<town>" }\n'
        'sign = { type = "html", default = "<b>A &amp; B</b>" }\n'
        'shop_url = { type = "url", default = "https://example.org/shop" }\n'
    )
    issue = (
        "# Spring\n\nIn @@city@@ with @@sign@@ at [the shop](@@shop_url@@). [Leave](@@unsubscribe_url@@).\n"
    )
    site = make(manuscript({"01-winter.md": WINTER, SPRING_FILE: issue}, toml=BOOK_TOML + fields))
    page = etree.fromstring(site["2026-03-01-spring/index.html"])

    assert "In <town> with A & B at the shop. Leave." in read(site, "2026-03-01-spring/index.html")
    assert ["https://example.org/shop"] == page.xpath("//article/p/a/@href")


def test_letters_have_no_page_but_may_lead_to_one(manuscript: Writer) -> None:
    """A welcome is between two people; the chapter it leads to is for all."""
    letter = "# Welcome\n\n::: chapter winter show=opening\n:::\n"
    site = make(manuscript({"01-winter.md": WINTER, "letters/welcome.md": letter}, toml=BOOK_TOML))

    assert {"site.css", "404.html", "index.html", "read/winter/index.html"} == set(site)


def test_an_issue_for_some_is_not_in_the_archive(manuscript: Writer) -> None:
    """Its page is there, for its letter names it."""
    some = "---\ntitle: For carers\nissue: { date: 2026-03-02, segment: carers }\n---\n\nYou too.\n"
    site = make(
        manuscript({"01-winter.md": WINTER, SPRING_FILE: SPRING, "issues/carers.md": some}, toml=BOOK_TOML)
    )

    assert "You too." in read(site, "2026-03-02-carers/index.html")
    assert "carers" not in site["index.html"].decode() + site["feed.xml"].decode()


def test_an_issue_that_is_gone_leaves_the_site(manuscript: Writer) -> None:
    """With the chapter that only it led to; what somebody else put there stays."""
    folder = manuscript({"01-winter.md": WINTER, SPRING_FILE: SPRING}, toml=BOOK_TOML)
    before = run(folder)
    (folder / "build" / "site" / "CNAME").write_text("letters.example.org")
    (folder / "chapters" / SPRING_FILE).unlink()
    after = run(folder)

    assert {"2026-03-01-spring/index.html", "read/winter/index.html", "feed.xml"} <= before
    assert {"CNAME", "404.html", "index.html", "site.css"} == after


def test_making_one_issue_leaves_the_site_alone(manuscript: Writer) -> None:
    """It holds them all, and one alone would push the others out."""
    folder = manuscript({"01-winter.md": WINTER, SPRING_FILE: SPRING}, toml=BOOK_TOML)

    assert set() == run(folder, "--issue", "2026-03-01-spring")


def test_without_an_address_the_author_is_told(manuscript: Writer) -> None:
    """The site is made all the same, without feeds."""
    sent = WINTER.replace("title", "issue: 2026-02-01\ntitle")
    folder = manuscript({"01-winter.md": sent}, toml=BOOK_TOML.partition("[newsletter]")[0])
    result = CliRunner().invoke(app, ["newsletter", "--book", str(folder)], catch_exceptions=False)

    assert "no feeds; write [newsletter] site" in result.stderr
    assert "build/site/index.html" in result.stdout
    assert not (folder / "build" / "site" / "feed.xml").exists()


@pytest.mark.parametrize("key", ["title", "description"])
def test_the_archive_says_what_book_toml_says(manuscript: Writer, key: str) -> None:
    """The list's name, and a sentence about it."""
    sent = WINTER.replace("title", "issue: 2026-02-01\ntitle")
    site = make(manuscript({"01-winter.md": sent}, toml=f'{BOOK_TOML}{key} = "Quiet words"\n'))

    assert "Quiet words" in read(site, "index.html")
