"""The site of the manuscript that uses every construct, made once in every layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from pipeline.build import open_manuscript
from pipeline.formats.site import SiteSettings, make_site
from pipeline.layouts import Layout, list_layouts, read_layout
from pipeline.mail.compose import compose
from pipeline.mail.frame import make_frame
from pipeline.mail.markup import MailPicture
from pipeline.model import Book, Chapter
from pipeline.newsletter import resolve_mail
from pipeline.sections import Words
from pipeline.web.page import Page

CASE = Path(__file__).parents[1] / "manuscripts" / "letter"
ADDRESS = "https://letters.example.org"
SETTINGS = SiteSettings("Letters from the Garden", "en-GB", ADDRESS, "What grows, and what to do about it.")
PICTURES = (
    MailPicture("images/bed.svg", "bed-1.jpg", b"JPEG of a bed", 528, 211),
    MailPicture("images/bark.png", "bark-1.jpg", b"JPEG of bark", 211, 158),
    MailPicture("images/leaf.svg", "leaf-1.jpg", b"JPEG of a leaf", 528, 70),
)
FIELDS = {"first_name": "dear reader", "list_name": SETTINGS.name}

Maker = Callable[..., Page]


@pytest.fixture(scope="session")
def book() -> Book:
    """The manuscript that uses every construct."""
    return resolve_mail(open_manuscript(CASE))


@pytest.fixture(scope="session", params=list_layouts(CASE))
def layout(request: pytest.FixtureRequest) -> Layout:
    """Every layout there is."""
    return read_layout(request.param, CASE)


@pytest.fixture(scope="session")
def classic() -> Layout:
    """One layout, for what has nothing to do with looks."""
    return read_layout("classic", CASE)


@pytest.fixture(scope="session")
def make_page(book: Book, classic: Layout) -> Maker:
    """A page of the book's first chapter, or of the one with another `slug`; `changes` are the chapter's."""

    def make(
        slug: str = "every-construct", *, day: date = date(2026, 3, 2), path: str = "", **changes: object
    ) -> Page:
        found = next(chapter for chapter in book.chapters if chapter.slug == slug)
        chapter: Chapter = replace(found, **changes)  # type: ignore[arg-type]
        words = Words(classic.read_words(chapter.lang or book.language))
        text = compose(book, chapter, words.table, address=ADDRESS)
        frame = make_frame(book, chapter, text, words=words, day=None if path else day)
        shown = {node.attrs["src"] for node in chapter.walk() if node.kind == "image"}
        pictures = tuple(picture for picture in PICTURES if picture.source in shown)
        return Page(path or f"{day}-{slug}", day, text, frame, chapter.summary, pictures, FIELDS)

    return make


@pytest.fixture(scope="session")
def issues(make_page: Maker) -> tuple[Page, ...]:
    """An issue of every construct between an older and a newer one."""
    return (
        make_page("other", day=date(2026, 2, 23)),
        make_page(),
        make_page("other", day=date(2026, 3, 9), summary="Ripples & rings."),
    )


@pytest.fixture(scope="session")
def site(issues: tuple[Page, ...], make_page: Maker, layout: Layout) -> Mapping[str, bytes]:
    """The whole site: these issues, a chapter to read on in, and an issue for some, from right to left."""
    aside = [make_page("other", path="read/other"), make_page(day=date(2026, 3, 5), lang="he")]
    return make_site(issues, layout, SETTINGS, aside=aside)


@pytest.fixture(scope="session")
def parsed(site: Mapping[str, bytes]) -> Mapping[str, etree._Element]:
    """Every page, read as strictly as XML."""
    return {name: etree.fromstring(data) for name, data in site.items() if name.endswith(".html")}
