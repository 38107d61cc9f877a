"""Read a PDF as its tags tell it: the text of each page, its notes, and what is furniture."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

#: A word broken at the end of a line: the press sets this hyphen where nobody wrote one.
_BROKEN = re.compile("\N{HYPHEN}\\s+")
_PAGE_NUMBER = re.compile(r"\s*\(p\.\s[\divxlc]+\)\s*")
_ADDRESS = re.compile(r"\s*https?://")
_DRAWN = -1  # the number of what is drawn inside a picture
#: Tags inside a line.
_INLINE = frozenset(["Span", "Link", "NonStruct"])


@dataclass(frozen=True)
class Page:
    """One page; `furniture` is what no tag holds: the running head and the page's number."""

    label: str
    text: list[str]
    notes: list[str]
    furniture: str


def read_pages(data: bytes) -> list[Page]:
    """Every page of a PDF."""
    with pypdfium2.PdfDocument(data) as document:
        return [_read_page(page, document.get_page_label(number)) for number, page in enumerate(document)]


def _read_page(page: pypdfium2.PdfPage, label: str) -> Page:
    """Text stands in sections (Sect); the contents and the foot with its notes have no tag of their own."""
    marked = _read_marked(page.get_textpage())
    text: list[str] = []
    notes: list[str] = []
    contents: list[str] = []
    tree = pdfium.FPDF_StructTree_GetForPage(page)
    for at in range(pdfium.FPDF_StructTree_CountChildren(tree)):
        for _, branch in _list_kids(pdfium.FPDF_StructTree_GetChildAtIndex(tree, at)):
            parts = [part for _, part in _list_kids(branch)] if _get_tag(branch) == "Div" else [branch]
            for part in parts:
                side = {"Sect": text, "NonStruct": notes if part is branch else contents}[_get_tag(part)]
                side += _read_tag(part, marked)
    pdfium.FPDF_StructTree_Close(tree)
    marked.pop(_DRAWN, None)
    return Page(label, text, notes, furniture=" ".join(marked.values()))


def _read_marked(page: Any) -> dict[int, str]:
    """The marked pieces of a page by their numbers; the space after a piece belongs to it."""
    marked: dict[int, str] = {}
    number = _DRAWN
    for at in range(page.count_chars()):
        if not pdfium.FPDFText_IsGenerated(page, at):
            number = pdfium.FPDFPageObj_GetMarkedContentID(pdfium.FPDFText_GetTextObject(page, at))
        sign = chr(pdfium.FPDFText_GetUnicode(page, at))
        marked[number] = marked.get(number, "") + ("-" if pdfium.FPDFText_IsHyphen(page, at) else sign)
    return marked


def _read_tag(tag: Any, marked: dict[int, str]) -> list[str]:
    """What a tag holds, taken out of `marked`."""
    pieces: list[str] = []
    for number, kid in _list_kids(tag):
        pieces += _read_tag(kid, marked) if kid else [marked.pop(number, "")]
        if kid and _get_tag(kid) == "H1":  # what stands above the title is spaced out
            pieces[:-3] = ["".join("".join(pieces[:-3]).split())]
    said = SAYINGS.get(_get_tag(tag), _say_all)(tag, "".join(pieces))
    return [said] if _get_tag(tag) in _INLINE else [" ", said, " "]


def _say_all(_: Any, text: str) -> str:
    return _BROKEN.sub("", text)


def _say_picture(tag: Any, _: str) -> str:
    """Its alternative text; the words that are drawn in it are part of the picture."""
    return _read_string(pdfium.FPDF_StructElement_GetAltText, tag)


def _say_label(_: Any, text: str) -> str:
    """The number of an item; any other sign before it is drawn."""
    return text if re.search(r"\w", text) else ""


def _say_link(tag: Any, text: str) -> str:
    """An address runs over the end of a line without a hyphen; of a reference, its page is left out."""
    inside = pdfium.FPDF_StructElement_GetParent(tag)
    if _get_tag(inside) == "Link" and _PAGE_NUMBER.fullmatch(text):
        return " "
    return "".join(text.split()) if _ADDRESS.match(text) else _say_all(tag, text)


SAYINGS: dict[str, Callable[[Any, str], str]] = {"Figure": _say_picture, "Lbl": _say_label, "Link": _say_link}


def _list_kids(tag: Any) -> Iterator[tuple[int, Any]]:
    """What a tag holds on this page: the number of a marked piece, or another tag."""
    for at in range(pdfium.FPDF_StructElement_CountChildren(tag)):
        kid = pdfium.FPDF_StructElement_GetChildAtIndex(tag, at)
        number = pdfium.FPDF_StructElement_GetChildMarkedContentID(tag, at)
        if kid or number >= 0:
            yield number, kid


def _get_tag(tag: Any) -> str:
    return _read_string(pdfium.FPDF_StructElement_GetType, tag)


def _read_string(ask: Callable[..., int], tag: Any) -> str:
    size = ask(tag, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    ask(tag, buffer, size)
    return buffer.raw[: max(size, 2) - 2].decode("utf-16-le")
