"""Each defect of EbookLib that is worked round stays worked round."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from pipeline.container import Member, Meta, NavPoint, Package, pack

PAGE = b"""<?xml version="1.0"?>
<html xmlns="http://www.w3.org/1999/xhtml" class="kept"><body id="b"><p>x</p></body></html>"""
NAMES = {
    "opf": "http://www.idpf.org/2007/opf", "dc": "http://purl.org/dc/elements/1.1/",
    "ncx": "http://www.daisy.org/z3986/2005/ncx/",
}  # fmt: skip
PACKAGE = Package(
    identifier="urn:uuid:3c1d5f0e-6c52-4c1e-9c5c-0a4a5a3f8f10",
    title="T & U",
    language="en-GB",
    modified=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    metadata=[
        Meta("creator", "Ana", dublin_core=True, attrs={"id": "creator-1"}),
        Meta("file-as", "A, na", attrs={"refines": "#creator-1"}),
        Meta("creator", "Björk", dublin_core=True, attrs={"id": "creator-2"}),
        Meta("schema:accessMode", "textual"),
    ],
    members=[
        Member("style.css", "text/css", b"p {}"),
        Member("images/cover.jpg", "image/jpeg", b"\xff\xd8", ("cover-image",)),
        Member("nav.xhtml", "application/xhtml+xml", PAGE, ("nav",), title="Contents"),
        Member("one.xhtml", "application/xhtml+xml", PAGE, title="One"),
        Member("two.xhtml", "application/xhtml+xml", PAGE, ("svg",), title="Two"),
    ],
    spine=["nav.xhtml", "two.xhtml", "one.xhtml"],
    contents=[NavPoint("One", "one.xhtml", (NavPoint("Deep", "one.xhtml#b"),)), NavPoint("Two", "two.xhtml")],
    guide=[("text", "Start", "one.xhtml")],
    cover="images/cover.jpg",
)


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    """The packed container, opened again."""
    return zipfile.ZipFile(io.BytesIO(pack(PACKAGE)))


@pytest.fixture(scope="module")
def opf(archive: zipfile.ZipFile) -> etree._Element:
    """The package document."""
    return etree.fromstring(archive.read("EPUB/content.opf"))


@pytest.fixture(scope="module")
def ncx(archive: zipfile.ZipFile) -> etree._Element:
    """Navigation for old readers."""
    return etree.fromstring(archive.read("EPUB/toc.ncx"))


def find(root: etree._Element, path: str) -> list:
    return root.xpath(path, namespaces=NAMES)


def test_the_media_type_comes_first_and_bare(archive: zipfile.ZipFile) -> None:
    """A reader sniffs it at a fixed place (OCF 3.3, 4.2.2); all else is packed."""
    first, *rest = archive.infolist()

    assert ("mimetype", zipfile.ZIP_STORED, b"") == (first.filename, first.compress_type, first.extra)
    assert b"application/epub+zip" == archive.read("mimetype")
    assert {zipfile.ZIP_DEFLATED} == {member.compress_type for member in rest}


def test_the_zip_knows_no_time_and_no_host(archive: zipfile.ZipFile) -> None:
    """The same book gives the same bytes, today and tomorrow."""
    assert {((1980, 1, 1, 0, 0, 0), 0o644 << 16, 3)} == {
        (member.date_time, member.external_attr, member.create_system) for member in archive.infolist()
    }
    assert pack(PACKAGE) == pack(PACKAGE)


def test_the_package_says_its_language(opf: etree._Element) -> None:
    """Ace asks for xml:lang on the package."""
    assert "en-GB" == opf.get("{http://www.w3.org/XML/1998/namespace}lang")
    assert ["en-GB"] == find(opf, "//dc:language/text()")


def test_the_time_is_the_books(opf: etree._Element) -> None:
    """One dcterms:modified, in UTC, that of the package and not of this moment."""
    assert ["2026-03-01T09:30:00Z"] == find(opf, "//opf:meta[@property='dcterms:modified']/text()")


def test_nothing_is_declared_that_is_reserved(opf: etree._Element) -> None:
    """`schema` and `a11y` need no prefix of ours."""
    assert not re.search(r"schema|a11y", opf.get("prefix", ""))


def test_people_keep_their_ids_and_refinements(opf: etree._Element) -> None:
    """Several authors share no id, and file-as is a plain refinement."""
    assert [("creator-1", "Ana"), ("creator-2", "Björk")] == [
        (e.get("id"), e.text) for e in find(opf, "//dc:creator")
    ]
    assert [({"property": "file-as", "refines": "#creator-1"}, "A, na")] == [
        (dict(e.attrib), e.text) for e in find(opf, "//opf:meta[@property='file-as']")
    ]


def test_pages_are_packed_as_they_are(archive: zipfile.ZipFile) -> None:
    """Nothing parses them again, so that attributes of body and head stay."""
    assert {PAGE} == {archive.read(f"EPUB/{name}.xhtml") for name in ("nav", "one", "two")}


def test_the_manifest_tells_what_each_file_is(opf: etree._Element) -> None:
    """Properties, types, and the cover for old readers and new."""
    rows = {e.get("href"): (e.get("media-type"), e.get("properties")) for e in find(opf, "//opf:item")}
    cover = find(opf, "//opf:item[@href='images/cover.jpg']/@id")

    assert {
        "style.css": ("text/css", None), "images/cover.jpg": ("image/jpeg", "cover-image"),
        "nav.xhtml": ("application/xhtml+xml", "nav"), "one.xhtml": ("application/xhtml+xml", None),
        "two.xhtml": ("application/xhtml+xml", "svg"), "toc.ncx": ("application/x-dtbncx+xml", None),
    } == rows  # fmt: skip
    assert cover == find(opf, "//opf:meta[@name='cover']/@content")


def test_the_spine_is_in_reading_order(opf: etree._Element) -> None:
    """All linear, and the NCX named."""
    names = {e.get("id"): e.get("href") for e in find(opf, "//opf:item")}

    assert ["nav.xhtml", "two.xhtml", "one.xhtml"] == [
        names[ref] for ref in find(opf, "//opf:itemref/@idref")
    ]
    assert {"no"}.isdisjoint(find(opf, "//opf:itemref/@linear"))
    assert "toc.ncx" == names[find(opf, "//opf:spine/@toc")[0]]


def test_the_ncx_names_the_same_book_and_the_same_contents(ncx: etree._Element) -> None:
    """Its uid is the package's, and its targets are the contents' own."""
    assert [PACKAGE.identifier] == find(ncx, "//ncx:meta[@name='dtb:uid']/@content")
    assert ["one.xhtml", "one.xhtml#b", "two.xhtml"] == find(ncx, "//ncx:content/@src")
    assert ["T & U", "One", "Deep", "Two"] == find(ncx, "//ncx:text/text()")


def test_ids_in_the_ncx_are_unique(ncx: etree._Element) -> None:
    """Two targets in one file are two points."""
    ids = find(ncx, "//ncx:navPoint/@id")

    assert len(ids) == len(set(ids))


def test_no_list_is_empty(archive: zipfile.ZipFile) -> None:
    """EbookLib would write an empty list for a chapter without sections, and a page list from any id."""
    names = [name for name in archive.namelist() if name.endswith((".xhtml", ".ncx", ".opf"))]

    assert not any(
        re.search(rb"<ol[^>]*/>|<ol[^>]*>\s*</ol>|page-list|pageList", archive.read(n)) for n in names
    )


def test_bad_metadata_is_an_error() -> None:
    """EbookLib would log it and write a broken book."""
    with pytest.raises((TypeError, ValueError)):
        pack(replace(PACKAGE, title="nul \x00"))


def test_a_package_without_cover_and_guide_says_nothing_of_them() -> None:
    """No empty lines that a validator would object to."""
    bare: Mapping[str, object] = {"guide": (), "cover": "", "metadata": ()}
    with zipfile.ZipFile(io.BytesIO(pack(replace(PACKAGE, **bare)))) as archive:
        opf = etree.fromstring(archive.read("EPUB/content.opf"))

    assert [] == find(opf, "//opf:guide") + find(opf, "//opf:meta[@name='cover']")
