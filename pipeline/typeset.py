"""Lay out HTML on pages with WeasyPrint, in the layout's own fonts and nobody else's."""

from __future__ import annotations

import gc
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .errors import LayoutError, PipelineError
from .model import FaceSpec

if TYPE_CHECKING:
    from weasyprint import Document

    from .fonts import Face


@dataclass(frozen=True, slots=True)
class Type:
    """The faces of a layout, pinned and ready, and the folder they are kept in."""

    faces: tuple[Face, ...]
    cache: Path


def prepare_type(specs: Sequence[FaceSpec], cache: Path) -> Type:
    """Pin every face into `cache` and keep system fonts out; call before the first layout."""
    from .fonts import isolate, pin_face

    if not specs:  # Pango without any font ends the whole program
        raise LayoutError("layout.toml names no [[face]]; name at least one")
    isolate(cache)
    return Type(tuple(pin_face(spec, cache) for spec in specs), cache)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Something to be laid out: HTML, its CSS, and the pictures it may show by `picture:<name>`."""

    html: str
    css: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def lay_out(
    sheet: Sheet,
    kind: Type,
    *,
    alone: bool = False,
    thorough: bool = False,
    at_page: Callable[[], None] = lambda: None,
) -> Document:
    """One document on pages; raises LayoutError for CSS or pictures WeasyPrint cannot use.

    A part laid out `alone`, to see how it falls, may point at what is not there. `thorough`
    makes every page anew in each round, which takes longer and loses fewer notes. `at_page` is
    called before each page, and calls the layout off when it raises. The cyclic collector is
    off meanwhile: long books spend a quarter of their time in it.
    """
    import weasyprint
    from weasyprint.css.counters import CounterStyle
    from weasyprint.text.fonts import FontConfiguration

    from .fonts import font_css

    fonts, counters = FontConfiguration(), CounterStyle()
    fetcher = _make_fetcher(sheet.pictures)
    fresh = _fresh_pages() if thorough else nullcontext()
    with _collector_off(), _complaints() as complaints, _progress(at_page), fresh:
        css = font_css(kind.faces, lambda face: face.path.as_uri()) + sheet.css
        style = weasyprint.CSS(string=css, font_config=fonts, counter_style=counters, url_fetcher=fetcher)
        html = weasyprint.HTML(string=sheet.html, base_url="picture:", url_fetcher=fetcher)
        document = html.render(stylesheets=[style], font_config=fonts, counter_style=counters)
    if complaints and not alone:
        raise LayoutError("; ".join(dict.fromkeys(complaints)))
    return document


def join(first: Document, second: Document, *, at: int) -> Document:
    """The pages of `first` before page `at`, counted from 0, and all of `second`; links lead from each to each."""
    joined = first.copy([*first.pages[:at], *second.pages])
    joined.parts = (first, second)  # fonts are there as long as the documents they were read for
    return joined


def write_pdf(document: Document, *, variant: str | None = "pdf/ua-1") -> bytes:
    """The document as bytes; the same document gives the same bytes."""
    with _collector_off(), _complaints() as complaints, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint 70 leaves its sRGB profile open
        data = document.write_pdf(pdf_variant=variant, pdf_identifier=b"chapterpost", custom_metadata=False)
    if complaints:
        raise LayoutError("; ".join(dict.fromkeys(complaints)))
    return bytes(data)


def count_last_lines(document: Document, names: Sequence[str]) -> Mapping[str, float]:
    """How many lines deep the last page of each part is that begins at the id `name` and has several pages."""
    found = ((name, i) for name in names for i, page in enumerate(document.pages) if name in page.anchors)
    starts = list(dict(reversed(list(found))).items())[::-1]  # a part's box is on all of its pages
    ends = [start for _, start in starts[1:]] + [len(document.pages)]
    depths = {}
    for (name, start), end in zip(starts, ends, strict=True):
        filled = [depth for page in document.pages[start:end] if (depth := _measure_depth(page))]
        if len(filled) > 1:
            depths[name] = filled[-1]
    return depths


def _measure_depth(page: Any) -> float:
    """How far down the page its text reaches, in lines; 0 when it is blank."""
    from weasyprint.formatting_structure.boxes import LineBox, ReplacedBox

    box = page._page_box  # noqa: SLF001  (the public API tells no positions of lines)
    found = [child for child in box.children[0].descendants() if isinstance(child, (LineBox, ReplacedBox))]
    lines = [child.height for child in found if isinstance(child, LineBox) and child.height]
    if not lines:
        return 0.0
    bottom: float = max(child.position_y + child.height for child in found)
    depth: float = (bottom - box.content_box_y()) / sorted(lines)[len(lines) // 2]
    return depth


@dataclass(frozen=True, slots=True)
class Margins:
    """The white around one page's text, in points; `page` counts from 1."""

    page: int
    inner: float
    outer: float
    top: float
    bottom: float
    filled: bool


def find_margins(document: Document) -> Iterator[Margins]:
    """The margins of every page; the first one is a right page, whose inner margin is on its left."""
    for number, page in enumerate(document.pages, start=1):
        box = page._page_box  # noqa: SLF001  (the public API tells no margins)
        sides = [box.margin_left, box.margin_right]
        inner, outer = sides if number % 2 else sides[::-1]
        yield Margins(
            number, inner * _POINT, outer * _POINT, box.margin_top * _POINT, box.margin_bottom * _POINT,
            filled=bool(_measure_depth(page)),
        )  # fmt: skip


#: Points in one of WeasyPrint's pixels.
_POINT = 0.75


def find_coarse_pictures(document: Document, *, least: float) -> Iterator[tuple[str, float]]:
    """Pictures with fewer dots to the inch than `least` as they are printed, each once."""
    from weasyprint.formatting_structure.boxes import ReplacedBox
    from weasyprint.images import RasterImage

    seen = set()
    for page in document.pages:
        for box in page._page_box.children[0].descendants():  # noqa: SLF001
            if isinstance(box, ReplacedBox) and isinstance(box.replacement, RasterImage) and box.width:
                name = unquote((box.element.get("src") or "").removeprefix("picture:"))
                dots = float(box.replacement.width) / (float(box.width) / 96)
                if dots < least and name not in seen:
                    seen.add(name)
                    yield name, dots


def draw(sheet: Sheet, kind: Type, *, width: int, height: int) -> bytes:
    """The first page as RGB pixels of `width` x `height`, for a cover or the fallback of a drawing."""
    import pypdfium2

    data = lay_out(sheet, kind).write_pdf()
    with pypdfium2.PdfDocument(data) as pdf:
        page = pdf[0]
        image = page.render(scale=max(width / page.get_width(), height / page.get_height())).to_pil()
    from .images import encode_jpeg

    return encode_jpeg(image.convert("RGB").crop((0, 0, width, height)))


def draw_page(document: Document, number: int, *, scale: float) -> bytes:
    """One page of a document, counted from 0, as a PNG with `scale` pixels to the point."""
    import pypdfium2

    out = io.BytesIO()
    with _collector_off(), _complaints():  # a page alone may point at what is not on it
        data = document.copy([document.pages[number]]).write_pdf()
    with pypdfium2.PdfDocument(data) as pdf:
        pdf[0].render(scale=scale).to_pil().save(out, "PNG", compress_level=1)
    return out.getvalue()


def _make_fetcher(pictures: Mapping[str, bytes]) -> Any:
    """Only the book's own pictures and the pinned fonts: no network, no other file."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            scheme, _, path, *_ = urlsplit(url)
            if scheme == "picture" and unquote(path) in pictures:
                return URLFetcherResponse(url, body=pictures[unquote(path)])
            if scheme == "file" and path.endswith(".ttf"):
                return super().fetch(url, headers)
            raise PipelineError(f"the layout asks for {url}; it may use the book's own pictures only")

    return Fetcher(allowed_protocols=["file", "picture"])


@contextmanager
def _fresh_pages() -> Iterator[None]:
    """Keep no page from one round of WeasyPrint's layout to the next.

    Version 70 forgets, with a page it keeps, the notes that page handed on to the next one.
    """
    from weasyprint import layout

    make_all_pages = layout.make_all_pages
    layout.make_all_pages = lambda context, root, html, _: make_all_pages(context, root, html, [])
    try:
        yield
    finally:
        layout.make_all_pages = make_all_pages


@contextmanager
def _collector_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _progress(at_page: Callable[[], None]) -> Iterator[None]:
    """Have `at_page` called at each step; its log is all that WeasyPrint tells of them."""
    logger = logging.getLogger("weasyprint.progress")
    handler = logging.Handler()
    handler.emit = lambda record: at_page()  # type: ignore[method-assign]  # noqa: ARG005
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What WeasyPrint would only log: for us it is a fault of the layout."""
    logger = logging.getLogger("weasyprint")
    complaints: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield complaints
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
