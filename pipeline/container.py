"""Pack ready pages into an EPUB 3.3 container with EbookLib, round the defects of its version 0.20."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ebooklib import epub

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
#: The date every member of the zip carries: the real one stands in dcterms:modified.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the container; `title` marks a page, which stands in the spine unless `linear` is false."""

    name: str
    media_type: str
    data: bytes
    properties: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Meta:
    """One metadata line: a Dublin Core `name` or a `meta` property, with its refinements."""

    name: str
    value: str
    dublin_core: bool = False
    attrs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NavPoint:
    """One line of the NCX, for readers that know no EPUB 3 navigation."""

    title: str
    href: str
    children: tuple[NavPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """Everything the container holds, in order."""

    identifier: str
    title: str
    language: str
    modified: datetime  # UTC
    metadata: Sequence[Meta]
    members: Sequence[Member]
    spine: Sequence[str]  # names of pages
    contents: Sequence[NavPoint]
    guide: Sequence[tuple[str, str, str]] = ()  # type, title, href: what EPUB 2 calls landmarks
    cover: str = ""  # name of the cover picture
    direction: str = "ltr"  # in which the pages are turned


def pack(package: Package) -> bytes:
    """The container's bytes; the same package gives the same bytes."""
    book = _fill(package)
    out = io.BytesIO()
    writer = _Writer(out, book, {"mtime": package.modified, "raise_exceptions": True, "epub3_pages": False})
    writer.process()
    writer.write()
    return out.getvalue()


class _Ready(epub.EpubItem):  # type: ignore[misc]
    """A finished page. EpubHtml would parse it again and lose epub:type, MathML and SVG."""

    is_linear = True

    def __init__(self, member: Member, uid: str) -> None:
        super().__init__(uid=uid, file_name=member.name, media_type=member.media_type, content=member.data)
        self.properties = list(member.properties)
        self.title = member.title

    def get_type(self) -> int:
        return 9  # ebooklib.ITEM_DOCUMENT

    def get_body_content(self) -> bytes:
        return bytes(self.content)


class _Writer(epub.EpubWriter):  # type: ignore[misc]
    """Writes xml:lang on the package, and a zip whose bytes depend on nothing but the book."""

    def _write_opf_file(self, root: Any) -> None:
        root.set(_XML_LANG, self.book.language)
        super()._write_opf_file(root)

    def write(self) -> None:
        with zipfile.ZipFile(self.file_name, "w") as archive:
            self.out = _Still(archive)
            self.out.writestr("mimetype", "application/epub+zip")
            self._write_container()
            self._write_opf()
            self._write_items()


class _Still:
    """A zip that gives every member the same date and rights, and stores only `mimetype` unpacked."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def writestr(self, name: str, data: bytes | str, **_: object) -> None:
        entry = zipfile.ZipInfo(name, _ZIP_DATE)
        entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        entry.create_system = 3
        self._archive.writestr(entry, data, compresslevel=5)


def _fill(package: Package) -> Any:
    book = epub.EpubBook()
    book.set_identifier(package.identifier)
    book.set_title(package.title)
    book.set_language(package.language)
    if package.direction == "rtl":
        book.set_direction("rtl")
    for meta in package.metadata:
        if meta.dublin_core:
            book.add_metadata("DC", meta.name, meta.value, dict(meta.attrs))
        else:
            attrs = dict(meta.attrs) if "name" in meta.attrs else {"property": meta.name, **meta.attrs}
            book.add_metadata(None, "meta", meta.value, attrs)
    items = {member.name: _make_item(member, index) for index, member in enumerate(package.members)}
    for item in items.values():
        book.add_item(item)
    if package.cover:  # how readers of EPUB 2 find the cover
        book.add_metadata(None, "meta", "", {"name": "cover", "content": items[package.cover].id})
    book.add_item(epub.EpubNcx())
    book.toc = [_make_link(point) for point in package.contents]
    book.spine = [items[name] for name in package.spine]
    book.guide = [{"type": kind, "title": title, "href": href} for kind, title, href in package.guide]
    return book


def _make_item(member: Member, index: int) -> Any:
    uid = f"i{index:03d}"
    if member.title:
        return _Ready(member, uid)
    item = epub.EpubItem(uid=uid, file_name=member.name, media_type=member.media_type, content=member.data)
    item.properties = list(member.properties)
    return item


def _make_link(point: NavPoint) -> Any:
    uid = "n-" + "".join(letter if letter.isalnum() else "-" for letter in point.href)
    link = epub.Link(point.href, point.title, uid)
    return (link, [_make_link(child) for child in point.children]) if point.children else link
