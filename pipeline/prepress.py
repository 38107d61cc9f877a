"""Finish a PDF for a press: PDF/X with its boxes, its inks and an output intent, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from .errors import LayoutError
from .inks import Ink, change_inks, lets_through, list_spaces
from .model import Book

#: What the sheet is printed by; the name is in the ICC's registry, so its profile need not be in the file.
_CONDITION, _REGISTRY = "CGATS TR 001", "http://www.color.org"
#: What belongs to a screen, and what only a screen reader can use.
_ON_SCREEN = (
    "/StructTreeRoot", "/MarkInfo", "/Outlines", "/Names", "/PageLabels", "/ViewerPreferences", "/OpenAction",
    "/Metadata", "/AF", "/Dests", "/PageMode",
)  # fmt: skip
_VERSIONS: Mapping[str, str] = {"PDF/X-1a:2001": "1.3", "PDF/X-3:2002": "1.3"}


@dataclass(frozen=True, slots=True)
class Job:
    """One file for the press: `trim` is width and height in points, `even` says that pages come in pairs."""

    standard: Literal["PDF/X-1a:2001", "PDF/X-3:2002"]
    ink: Ink
    trim: tuple[float, float]
    even: bool = False


def prepare(data: bytes, job: Job, book: Book) -> bytes:
    """The file as the printing house gets it. Raises LayoutError for what cannot be printed."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for key in _ON_SCREEN:
            if key in pdf.Root:
                del pdf.Root[key]
        _set_boxes(pdf)
        if job.ink != "screen":
            change_inks(pdf, job.ink)
        elif "DeviceRGB" in list_spaces(pdf):
            _calibrate(pdf)
        if lets_through(pdf):
            raise LayoutError("something lets show what lies below it (opacity); a press wants plain colours")
        if job.even and len(pdf.pages) % 2:
            _add_blank(pdf)
        _describe(pdf, job, book)
        return _save(pdf, _VERSIONS[job.standard])


def _set_boxes(pdf: pikepdf.Pdf) -> None:
    """Every page begins at 0, 0 and has no link on it: WeasyPrint puts the bleed below zero."""
    for page in pdf.pages:
        left, bottom, *_ = map(float, page.mediabox)
        for name in ("/Annots", "/Tabs", "/StructParents", "/Group"):
            if name in page:
                del page[name]
        if left or bottom:
            page.contents_add(f"q 1 0 0 1 {-left:g} {-bottom:g} cm".encode(), prepend=True)
            page.contents_add(b"Q")
        for name in ("/MediaBox", "/BleedBox", "/TrimBox"):
            box = [float(edge) for edge in page.get(name, page.mediabox)]
            shifted = [box[0] - left, box[1] - bottom, box[2] - left, box[3] - bottom]
            page[name] = Array([round(edge, 3) for edge in shifted])


def _calibrate(pdf: pikepdf.Pdf) -> None:
    """Say which red, green and blue are meant: those of sRGB (ISO 15930-3, 6.2.3)."""
    profile = files("weasyprint") / "pdf" / "sRGB2014.icc"
    space = Array([Name.ICCBased, pdf.make_stream(profile.read_bytes(), N=3)])
    shared = pdf.make_indirect(space)
    for thing in [*(page.obj for page in pdf.pages), *_list_forms(pdf)]:
        if "/Resources" in thing:
            spaces = thing.Resources.get("/ColorSpace", Dictionary())
            spaces["/DefaultRGB"] = shared
            thing.Resources["/ColorSpace"] = spaces


def _list_forms(pdf: pikepdf.Pdf) -> list[pikepdf.Stream]:
    return [
        thing
        for thing in pdf.objects
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == Name.Form
    ]


def _add_blank(pdf: pikepdf.Pdf) -> None:
    """A leaf has two sides; the last one may be white."""
    last = pdf.pages[-1]
    width, height = float(last.mediabox[2]), float(last.mediabox[3])
    blank = pdf.add_blank_page(page_size=(width, height))
    opposite = pdf.pages[-3] if len(pdf.pages) > 2 else last
    for name in ("/BleedBox", "/TrimBox"):
        blank[name] = Array([float(edge) for edge in opposite[name]])


def _describe(pdf: pikepdf.Pdf, job: Job, book: Book) -> None:
    """Who and what the file is, by which standard, and for which kind of printing it was made."""
    stamp = String(book.made_at.strftime("D:%Y%m%d%H%M%S+00'00'"))
    for key in list(pdf.docinfo.keys()):
        del pdf.docinfo[key]
    authors = ", ".join(author.name for author in book.meta.authors)
    pdf.docinfo["/Title"] = String(book.meta.title)
    pdf.docinfo["/Author"] = String(authors)
    pdf.docinfo["/Creator"] = String("Chapterpost")
    pdf.docinfo["/Producer"] = String("WeasyPrint and pikepdf")
    pdf.docinfo["/CreationDate"] = pdf.docinfo["/ModDate"] = stamp
    pdf.docinfo["/Trapped"] = Name("/False")
    version, _, _ = job.standard.partition(":")
    if version == "PDF/X-1a":
        pdf.docinfo["/GTS_PDFXVersion"] = String("PDF/X-1:2001")
        pdf.docinfo["/GTS_PDFXConformance"] = String(job.standard)
    else:
        pdf.docinfo["/GTS_PDFXVersion"] = String(job.standard)
    intent = Dictionary(
        Type=Name.OutputIntent, S=Name.GTS_PDFX, OutputConditionIdentifier=String(_CONDITION),
        RegistryName=String(_REGISTRY), Info=String("SWOP coated, offset"), OutputCondition=String("SWOP coated"),
    )  # fmt: skip
    pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])


def _save(pdf: pikepdf.Pdf, version: str) -> bytes:
    for page in pdf.pages:
        states: Any = page.get("/Resources", Dictionary()).get("/ExtGState", Dictionary())
        for state in states.values():
            for key in {"/ca", "/CA"} & set(state.keys()):  # words of PDF 1.4, that only say "opaque" here
                del state[key]
    out = io.BytesIO()
    pdf.save(
        out, deterministic_id=True, force_version=version, object_stream_mode=pikepdf.ObjectStreamMode.disable,
    )  # fmt: skip
    return out.getvalue()
