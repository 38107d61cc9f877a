"""The EPUB keeps the rules that no validator knows, each computed from the file itself."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from posixpath import dirname, normpath
from urllib.parse import unquote, urlsplit

import pytest
from lxml import etree

EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
OPF, NAV, NCX = "content.opf", "nav.xhtml", "toc.ncx"
GOLDEN = Path(__file__).parents[1] / "manuscripts" / "everything" / "golden"

#: EPUB's words for things and the ARIA roles that say the same (EPUB Accessibility, DPUB-ARIA 1.1).
ROLES = {
    "acknowledgments": "doc-acknowledgments", "appendix": "doc-appendix", "bibliography": "doc-bibliography",
    "chapter": "doc-chapter", "colophon": "doc-colophon", "dedication": "doc-dedication", "epigraph": "doc-epigraph",
    "footnote": "doc-footnote", "foreword": "doc-foreword", "glossary": "doc-glossary", "glossref": "doc-glossref",
    "index": "doc-index", "introduction": "doc-introduction",
    "noteref": "doc-noteref", "page-list": "doc-pagelist", "pagebreak": "doc-pagebreak", "part": "doc-part",
    "preface": "doc-preface", "toc": "doc-toc",
}  # fmt: skip
#: Words that have no role of their own.
ROLELESS = {"cover", "titlepage", "copyright-page", "landmarks", "bodymatter", "glossterm", "glossdef"}


@pytest.fixture(params=["everything", "german", "plain", "bare", "glossary", "index"])
def book(request: pytest.FixtureRequest, build):
    """The books of tests/manuscripts that differ most in what they say."""
    return build(request.param)


def hrefs(book, name: str) -> list[str]:
    return [str(href) for href in book.find(name, "//@href | //@src | //@srcset")]


def spine(book) -> list[str]:
    names = {item.get("id"): item.get("href") for item in book.find(OPF, "//opf:item")}
    return [names[ref] for ref in book.find(OPF, "//opf:itemref/@idref")]


def meta(book, name: str) -> list[str]:
    return book.find(OPF, f"//opf:meta[@property='{name}']/text()")


def test_e02_the_media_type_is_first_and_bare(book) -> None:
    """Stored, without an extra field."""
    first = zipfile.ZipFile(io.BytesIO(book.epub_bytes)).infolist()[0]

    assert ("mimetype", zipfile.ZIP_STORED, b"") == (first.filename, first.compress_type, first.extra)


def test_e03_one_time_of_change(book) -> None:
    """That of the book, in UTC."""
    assert [book.book.made_at.strftime("%Y-%m-%dT%H:%M:%SZ")] == meta(book, "dcterms:modified")


def test_e04_the_identifier_is_the_same_in_package_and_ncx(book) -> None:
    """An ISBN where the book has one, else a name made of its data."""
    (identifier,) = book.find(OPF, "//dc:identifier/text()")

    assert re.fullmatch(r"urn:(isbn:\d{13}|uuid:[0-9a-f-]{36})", identifier)
    assert [identifier] == book.find(NCX, "//ncx:meta[@name='dtb:uid']/@content")


def test_e05_every_page_says_its_language(book) -> None:
    """Twice on every root, and as the package says it."""
    language = book.book.language

    assert [language] == book.find(OPF, "//dc:language/text()")
    assert language == book.parse(OPF).get(XML_LANG)
    assert {(language, language)} == {
        (book.parse(n).get("lang"), book.parse(n).get(XML_LANG)) for n in book.pages
    }


def test_e06_metadata_are_there_and_none_is_empty(everything, book) -> None:
    """Everything book.toml said is said, with roles and names to file under."""
    root = book.parse(OPF)

    assert [] == [
        e.tag for e in root.iter("{http://purl.org/dc/elements/1.1/}*") if not (e.text or "").strip()
    ]
    assert [] == [e.attrib for e in book.find(OPF, "//opf:meta[@property]") if not (e.text or "").strip()]
    assert ["Everything"] == everything.find(OPF, "//dc:title/text()")
    assert ["Ruiz, Ana", "Jónsdóttir, Björk"] == meta(everything, "file-as")
    assert ["aut", "ill"] == meta(everything, "role")
    for name in ("publisher", "date", "description", "rights", "subject", "creator", "contributor"):
        assert everything.find(OPF, f"//dc:{name}")
    assert ["Little books"] == meta(everything, "belongs-to-collection")


def test_e07_navigation_is_whole_and_in_reading_order(book) -> None:
    """Contents, landmarks, pages; contents in the order of the spine, nothing remote."""
    types = book.find(NAV, "//h:nav/@epub:type")
    files = [href.split("#")[0] for href in book.find(NAV, "//h:nav[@epub:type='toc']//h:a/@href")]
    order = spine(book)

    assert ["toc", "landmarks", "page-list"] == types
    assert [order.index(name) for name in files] == sorted(order.index(name) for name in files)
    assert {"toc", "bodymatter"} <= set(book.find(NAV, "//h:nav[@epub:type='landmarks']//h:a/@epub:type"))
    assert not any(urlsplit(href).scheme for href in hrefs(book, NAV))
    assert [] == [a for a in book.find(NAV, "//h:a") if not "".join(a.itertext()).strip()]
    assert ("cover.xhtml" in book.members) == ("cover" in book.find(NAV, "//h:a/@epub:type"))


def test_e08_old_readers_find_the_same_contents(book) -> None:
    """The NCX has the same lines; what it points at is in the manifest."""
    manifest = set(book.find(OPF, "//opf:item/@href"))

    assert "toc.ncx" in manifest
    assert {src.split("#")[0] for src in book.find(NCX, "//ncx:content/@src")} <= manifest
    assert book.find(NAV, "//h:nav[@epub:type='toc']//h:a/@href") == book.find(
        NCX, "//ncx:navPoint/ncx:content/@src"
    )


def test_e09_one_first_heading_and_no_level_skipped(book) -> None:
    """A page has one h1, unless it is a cover, a dedication or an epigraph."""
    for name in book.pages:
        levels = [
            int(etree.QName(e).localname[1])
            for e in book.parse(name).iter("{*}h1", "{*}h2", "{*}h3", "{*}h4")
        ]

        assert (0 if name in {"cover.xhtml", "dedication.xhtml", "epigraph.xhtml"} else 1) == levels.count(1)
        assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))


def test_e10_every_type_has_its_role(book) -> None:
    """What EPUB says to a reading system, ARIA says to a screen reader."""
    for name in book.pages:
        for element in book.find(name, "//*[@epub:type][not(ancestor::*[@epub:type='landmarks'])]"):
            kind = element.get(EPUB_TYPE)

            assert kind in ROLES.keys() | ROLELESS
            assert ROLES.get(kind) == element.get("role")


def test_e11_one_section_a_chapter_without_style_or_idle_ids(book) -> None:
    """Its id is the file's stem, and every other id is pointed at."""
    chapters = {chapter.slug for chapter in book.book.chapters}
    wanted = {href.partition("#")[2] for name in [*book.pages, NCX] for href in hrefs(book, name)}
    for name in (f"{slug}.xhtml" for slug in chapters):
        labelled = set(book.find(name, "//@aria-labelledby"))

        assert [name.removesuffix(".xhtml")] == book.find(name, "/h:html/h:body/h:section/@id")
        assert set(book.find(name, "//@id")) <= wanted | labelled | chapters
        assert [] == book.find(name, "//@style | //h:style")


def test_e12_ids_are_unique_and_every_link_arrives(book) -> None:
    """No way up, none to the disk, none into the void."""
    manifest = dict.fromkeys(book.find(OPF, "//opf:item/@href"))
    for name in book.pages:
        ids = book.find(name, "//@id")

        assert len(ids) == len(set(ids))
        for href in hrefs(book, name):
            parts = urlsplit(href)
            assert not re.search(r"\.\.|^/|^file:", href)
            if parts.scheme:
                assert parts.scheme in {"https", "http", "mailto", "tel"}
                continue
            target = normpath(f"{dirname(name)}/{unquote(parts.path)}".lstrip("/")) if parts.path else name
            assert target in manifest
            assert not parts.fragment or parts.fragment in book.find(target, "//@id")


def test_e13_names_are_plain(book) -> None:
    """Small ASCII letters, safe in addresses, and the manifest spells them so."""
    names = set(book.members) - {"mimetype", "META-INF/container.xml"}

    assert {"fonts/LICENSE.txt"} >= {name for name in names if not re.fullmatch(r"[a-z0-9./-]+", name)}
    assert names - {OPF} == set(book.find(OPF, "//opf:item/@href"))


def test_e14_nothing_a_reader_chokes_on(book) -> None:
    """No scripts and frames in the pages, nothing fixed, remote or variable in the CSS."""
    refused = "h:script | h:form | h:iframe | h:object | h:canvas | h:embed"
    css = book.members["style.css"].decode()

    assert [] == [e for name in book.pages for e in book.find(name, refused.replace("h:", "//h:"))]
    assert not re.search(r"position:\s*(fixed|absolute)|var\(|@import|https?:|margin[^;:{}]*:[^;{}]*-\d", css)


def test_e15_pages_are_strict_xml(book) -> None:
    """UTF-8, the doctype of HTML, no entities with names; every page was parsed without recovery."""
    for name in book.pages:
        data = book.members[name]

        assert data.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>')
        assert not re.search(rb"&(?!amp;|lt;|gt;|quot;|apos;|#)", data)
        assert "html" == etree.QName(book.parse(name)).localname


def test_i01_readers_old_and_new_find_the_cover(everything, build) -> None:
    """By its property and by its name; a book without one claims none."""
    (item,) = everything.find(OPF, "//opf:item[@properties='cover-image']")

    assert item.get("href") in everything.members
    assert [item.get("id")] == everything.find(OPF, "//opf:meta[@name='cover']/@content")
    assert [] == build("german").find(
        OPF, "//opf:item[@properties='cover-image'] | //opf:meta[@name='cover']"
    )


def test_i06_every_picture_speaks_or_is_an_ornament(everything) -> None:
    """A sentence with an end and real quotation marks, not the file's name and not the caption."""
    pictures = [img for name in everything.pages for img in everything.find(name, "//h:img")]
    ornaments = [img for img in pictures if img.get("role") == "presentation"]

    assert len(pictures) == 5
    assert [""] == [img.get("alt") for img in ornaments]
    for img in (img for img in pictures if img not in ornaments):
        assert re.fullmatch(r"[A-Z][^\"']+[.!?]", img.get("alt"))
        assert img.get("alt") not in {"".join(c.itertext()) for c in img.getparent().iter("{*}figcaption")}


def test_a_drawing_comes_with_a_picture_for_readers_that_cannot_draw(everything) -> None:
    """The SVG first, a JPEG in its place."""
    (source,) = everything.find("pictures.xhtml", "//h:figure[@id='cell']//h:source")
    (img,) = everything.find("pictures.xhtml", "//h:figure[@id='cell']//h:img")

    assert ("image/svg+xml", True) == (source.get("type"), source.get("srcset") in everything.members)
    assert img.get("src") == source.get("srcset").removesuffix("svg") + "jpg"


def test_a03_claims_are_true(book) -> None:
    """What the package says of pictures and pages is so."""
    features = set(meta(book, "schema:accessibilityFeature"))
    pages = [e for name in book.pages for e in book.find(name, "//*[@epub:type='pagebreak']")]
    telling = [
        img for name in book.pages if name != "cover.xhtml"
        for img in book.find(name, "//h:img[not(@role='presentation')]")
    ]  # fmt: skip

    assert bool(telling) == ("visual" in meta(book, "schema:accessMode"))
    assert bool(telling) == ("alternativeText" in features)
    assert bool(pages) == ({"pageNavigation", "pageBreakMarkers"} <= features)
    assert "textual" in meta(book, "schema:accessMode")


def test_a04_page_breaks_and_page_list_agree(book) -> None:
    """Every break is listed, in order, under its own label, and the package names what is counted."""
    rows = [(a.get("href"), a.text) for a in book.find(NAV, "//h:nav[@epub:type='page-list']//h:a")]
    breaks = [
        (f"{name}#{e.get('id')}", e.get("aria-label"))
        for name in spine(book)
        for e in book.find(name, "//*[@epub:type='pagebreak']")
    ]

    assert breaks
    assert breaks == rows
    assert 1 == len(meta(book, "pageBreakSource"))


def test_a_book_without_pdf_pages_claims_no_pages(build) -> None:
    """Made alone, the EPUB has neither breaks nor list nor source."""
    alone = build("everything", formats=("epub",))

    assert ["toc", "landmarks"] == alone.find(NAV, "//h:nav/@epub:type")
    assert [] == meta(alone, "pageBreakSource")
    assert [] == [e for name in alone.pages for e in alone.find(name, "//*[@epub:type='pagebreak']")]


def test_a08_notes_lead_there_and_back(build) -> None:
    """Each mark to its note, each note to its first mark; marks follow the stop and hold no <sup>."""
    notes = build("notes", formats=("epub",))
    for name in ("first.xhtml", "second.xhtml"):
        marks = notes.find(name, "//h:a[@role='doc-noteref']")
        texts = notes.find(name, "//h:aside[@role='doc-footnote']")

        assert [f"#{text.get('id')}" for text in texts] == list(
            dict.fromkeys(mark.get("href") for mark in marks)
        )
        assert (12, 13) == (len(texts), len(marks))
        assert {a.get("href")[1:] for a in notes.find(name, "//h:a[@role='doc-backlink']")} == {
            mark.get("id") for mark in marks if mark.get("id")
        }
        assert {"."} == {_text_before(mark)[-1:] for mark in marks}
        assert [] == notes.find(name, "//h:a[@role='doc-noteref']//h:sup | //h:sup//h:a")


def _text_before(element: etree._Element) -> str:
    before = element.getprevious()
    return (element.getparent().text if before is None else before.tail) or ""


def test_fonts_are_subsets_with_their_licence(everything) -> None:
    """Only what the book needs travels, with the words the licence asks for."""
    fonts = {name for name in everything.members if name.endswith(".ttf")}

    assert fonts
    assert "SIL OPEN FONT LICENSE" in everything.members["fonts/LICENSE.txt"].decode().upper()
    assert max(len(everything.members[name]) for name in fonts) < 150_000
    assert {
        f"fonts/{name}"
        for name in re.findall(r'url\("?fonts/([^")]+)', everything.members["style.css"].decode())
    } == fonts


def test_editions_are_cut_and_say_so(build) -> None:
    """The sample has its own title and identifier, its chapters alone, and names what it leaves out."""
    sample = build("everything", edition="sample", formats=("epub",))

    assert ["Everything: A Sample"] == sample.find(OPF, "//dc:title/text()")
    assert sample.find(OPF, "//dc:identifier/text()")[0].startswith("urn:uuid:")
    assert [
        "cover.xhtml", "title.xhtml", "copyright.xhtml", "nav.xhtml", "preface.xhtml", "part-one.xhtml", "words.xhtml",
        "references.xhtml", "colophon.xhtml",
    ] == spine(sample)  # fmt: skip
    assert "Chapter 2 of the full book" in "".join(sample.parse("preface.xhtml").itertext())
    assert "Half of it." in "".join(sample.parse("copyright.xhtml").itertext())


GOLDEN_PAGES = ["dedication", "epigraph", "preface", "part-one", "words", "blocks", "pictures", "references"]


@pytest.mark.parametrize("name", GOLDEN_PAGES)
def test_chapters_are_written_as_they_were(build, golden: Callable[[Path, str], None], name: str) -> None:
    """The markup of each construct is kept in a file; a change of it is seen and meant."""
    alone = build("everything", formats=("epub",))

    golden(GOLDEN / f"{name}.xhtml", alone.members[f"{name}.xhtml"].decode())
