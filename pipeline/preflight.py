"""Look an EPUB over as a shop will: what was checked, by whom, and what a person must still look at."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lxml import etree
from PIL import Image

from .check.outside import Verdict, judge
from .errors import PipelineError, Place
from .stores import STORES, Store

_OPF = {"opf": "http://www.idpf.org/2007/opf"}
_NCX = {"ncx": "http://www.daisy.org/z3986/2005/ncx/"}
_OPS = "{http://www.idpf.org/2007/ops}type"
_H = "{http://www.w3.org/1999/xhtml}"
#: What readers of e-books do not do (rule E14).
_FORBIDDEN = ("script", "form", "iframe", "object", "canvas", "embed", "applet")
_BAD_CSS = re.compile(r"position:\s*(fixed|absolute)|var\(--|margin[a-z-]*:[^;}]*-\d|@import|expression\(")


@dataclass(frozen=True)
class Container:
    """An EPUB, opened; parts are read when they are asked for."""

    path: Path

    @cached_property
    def members(self) -> Mapping[str, bytes]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile) as error:
            raise PipelineError(f"is no EPUB: {error}; make it anew", Place(str(self.path))) from None

    @cached_property
    def package(self) -> etree._Element:
        return next(self._parse(name) for name in self.members if name.endswith(".opf"))

    @cached_property
    def pages(self) -> Mapping[str, etree._Element]:
        return {name: self._parse(name) for name in self.members if name.endswith(".xhtml")}

    @cached_property
    def pictures(self) -> Mapping[str, bytes]:
        return {
            name: data
            for name, data in self.members.items()
            if name.endswith((".jpg", ".jpeg", ".png", ".gif"))
        }

    @cached_property
    def cover(self) -> bytes:
        names = self.package.xpath("//opf:item[contains(@properties, 'cover-image')]/@href", namespaces=_OPF)
        return next((self.members[f"EPUB/{name}"] for name in names), b"")

    @property
    def levels(self) -> int:
        """How deep the NCX is; 0: there is none."""
        ncx = next((self._parse(name) for name in self.members if name.endswith(".ncx")), None)
        if ncx is None:
            return 0
        return max((len(point.xpath("ancestor-or-self::ncx:navPoint", namespaces=_NCX))
                    for point in ncx.iter("{*}navPoint")), default=0)  # fmt: skip

    def _parse(self, name: str) -> etree._Element:
        return etree.fromstring(self.members[name], etree.XMLParser(resolve_entities=False, no_network=True))


def _check_cover(book: Container, store: Store) -> str:
    if not book.cover:
        return "there is no cover picture"
    with Image.open(io.BytesIO(book.cover)) as picture:
        kind, mode, size = picture.format, picture.mode, picture.size
    if kind != "JPEG" or mode != "RGB":
        return f"the cover is {kind}, {mode}; it must be a JPEG in RGB"
    if min(size) < store.cover_short:
        return f"the cover's shorter side has {min(size)} pixels, not {store.cover_short}"
    return f"the cover has {len(book.cover)} bytes" if len(book.cover) > store.cover_bytes else ""


def _check_cover_page(book: Container, store: Store) -> str:
    there = any(name.endswith("cover.xhtml") for name in book.pages)
    return "" if there == store.cover_page else f"the cover is {'a' if there else 'no'} page of the book"


def _check_pictures(book: Container, store: Store) -> str:
    for name, data in book.pictures.items():
        if data == book.cover:
            continue
        with Image.open(io.BytesIO(data)) as picture:
            pixels = picture.width * picture.height
        if pixels > store.picture_pixels or len(data) > store.picture_bytes:
            return f"{name} has {pixels} pixels and {len(data)} bytes"
    return ""


def _check_levels(book: Container, store: Store) -> str:
    return "" if 0 < book.levels <= store.levels else f"the NCX has {book.levels} levels"


def _check_size(book: Container, store: Store) -> str:
    size = book.path.stat().st_size
    return "" if size <= store.book_bytes else f"the file has {size / 1e6:.0f} MB"


def _check_content(book: Container, store: Store) -> str:  # noqa: ARG001  (every check takes the shop)
    for name, page in book.pages.items():
        found = next((tag for tag in _FORBIDDEN if page.find(f".//{_H}{tag}") is not None), "")
        if found:
            return f"{name} has a <{found}>"
    return ""


def _check_css(book: Container, store: Store) -> str:  # noqa: ARG001
    for name, data in book.members.items():
        if name.endswith(".css") and (bad := _BAD_CSS.search(data.decode())):
            return f"{name} says {bad[0]!r}"
    return ""


def _check_notes(book: Container, store: Store) -> str:  # noqa: ARG001
    """A mark leads to its note and the note back, and no <sup> stands in a link (rule A08)."""
    for name, page in book.pages.items():
        if page.find(f".//{_H}a//{_H}sup") is not None:
            return f"{name} has a <sup> inside a link"
        marks = [link for link in page.iter(f"{_H}a") if link.get(_OPS) == "noteref"]
        for mark in marks:
            note = page.xpath("//*[@id=$id]", id=mark.get("href", "#")[1:])
            if not note or note[0].find(f".//{_H}a[@role='doc-backlink']") is None:
                return f"{name}: the note of {mark.get('href')} has no way back"
    return ""


Check = Callable[[Container, Store], str]
#: What is looked at: the rule's id, the sentence on the sheet, and the function that says what is wrong.
CHECKS: Sequence[tuple[str, str, Check]] = (
    ("I02", "The cover is a JPEG in RGB, large enough and not too heavy.", _check_cover),
    ("I03", "The cover is a page of its own only where the shop wants one.", _check_cover_page),
    ("I04", "No picture is larger than the shop takes.", _check_pictures),
    ("E08", "The old table of contents (NCX) is there, and not deeper than the shop shows.", _check_levels),
    ("E14", "No scripts, forms or frames.", _check_content),
    ("E16", "The style sheet asks for nothing that readers do not know.", _check_css),
    ("E18", "The file is not larger than the shop takes.", _check_size),
    ("A08", "Notes open as popups and lead back.", _check_notes),
)


def write_sheet(path: Path) -> tuple[str, bool]:
    """The pre-flight sheet of one EPUB as Markdown, and whether nothing failed.

    The shop is the middle of the file's name, `book.kindle.epub`. Raises PipelineError for a broken file.
    """
    store = STORES.get(
        path.suffixes[-2].removeprefix(".") if len(path.suffixes) > 1 else "", STORES["generic"]
    )
    book = Container(path)
    own = [(rule, sentence, check(book, store)) for rule, sentence, check in CHECKS]
    verdicts = judge([path])
    lines = [f"# {path.name}: {store.title}", "", "| checked | by | verdict |", "|---|---|---|"]
    lines += [
        f"| {sentence} | rule {rule} | {f'FAILED: {fault}' if fault else 'passed'} |"
        for rule, sentence, fault in own
    ]
    lines += [f"| {_ASKED[verdict.judge]} | {verdict.judge} | {_say(verdict)} |" for verdict in verdicts]
    lines += ["", "A person must still look:", "", *(f"- [ ] {sentence}" for sentence in store.by_hand), ""]
    failed = any(fault for _, _, fault in own) or any(verdict.state == "failed" for verdict in verdicts)
    return "\n".join(lines), not failed


_ASKED = {"EPUBCheck": "The file keeps to EPUB 3.3.", "Ace": "It keeps to EPUB Accessibility 1.1."}


def _say(verdict: Verdict) -> str:
    if verdict.state == "passed":
        return "passed"
    first = verdict.findings[0] if verdict.findings else ""
    return f"{'FAILED' if verdict.state == 'failed' else 'not run'}: {first}"
