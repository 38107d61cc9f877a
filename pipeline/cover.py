"""Draw a cover from the title, or take the author's own, as a picture for the EPUB and art for the PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial

import uharfbuzz as hb

from .errors import LayoutError, ManuscriptError, Place
from .fonts import Face
from .images import find_image, for_print, size_of
from .layouts import Layout
from .model import Book
from .pictures import draw_picture
from .sections import Words
from .settings import Cover
from .typeset import Type

#: Pixels of the cover picture: what stores ask for (rule I02).
WIDTH, HEIGHT = 1600, 2560
_SMALLEST = 1400


def make_cover(book: Book, layout: Layout, kind: Type, *, page_ratio: float) -> Cover | None:
    """The cover of one edition; None when book.toml says `cover = "none"`.

    `page_ratio` is the PDF page's height over its width, which the art there follows.
    """
    if book.meta.cover == "none":
        return None
    alt = book.meta.cover_alt or describe_cover(book, layout)
    if book.meta.cover:
        return Cover(alt, jpeg=_read_cover(book))
    picture = draw_cover(book, layout, kind, height=HEIGHT).encode()
    art = draw_cover(book, layout, kind, height=round(WIDTH * page_ratio)).encode()
    return Cover(alt, jpeg=draw_picture(picture, kind, width=WIDTH, height=HEIGHT), vector=art)


def describe_cover(book: Book, layout: Layout) -> str:
    """What a listener hears of a cover drawn from the title."""
    words = Words(layout.read_words(book.language))
    names = words.say_names([author.name for author in book.meta.authors if author.role == "aut"])
    parts = [book.meta.title, book.meta.subtitle, names]
    return f"{words['cover']}: {'. '.join(part for part in parts if part)}."


def _read_cover(book: Book) -> bytes:
    place = Place("book.toml")
    path = find_image(book.folder, book.meta.cover, place)
    if min(size_of(path)) < _SMALLEST:
        message = (
            f"the cover's shorter side has {min(size_of(path))} pixels; stores ask for {_SMALLEST} or more"
        )
        raise ManuscriptError(message, place, rule="M030")
    picture = for_print(path, book.meta.cover_alt)
    if picture.media_type == "image/jpeg":
        return picture.data
    if picture.media_type == "image/svg+xml":
        raise ManuscriptError(
            "the cover is an SVG; give a JPEG or PNG, or leave `cover` out to have one drawn", place
        )
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(picture.data)).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def draw_cover(book: Book, layout: Layout, kind: Type, *, height: int) -> str:
    """The layout's cover as SVG; its template breaks lines with `set_lines`."""
    words = Words(layout.read_words(book.language))
    return layout.fill(
        "book/cover.svg.j2",
        book=book, meta=book.meta, words=words, width=WIDTH, height=height,
        byline=words.say_names([author.name for author in book.meta.authors if author.role == "aut"]),
        set_lines=partial(set_lines, kind.faces),
    )  # fmt: skip


def set_lines(
    faces: Sequence[Face],
    text: str,
    *,
    family: str,
    width: float,
    size: float,
    weight: int = 400,
    style: str = "normal",
    most: int = 5,
) -> tuple[float, list[str]]:
    """A size of at most `size`, and `text` in balanced lines of at most `width`, both in the drawing's units."""
    face = _find_face(faces, (family, weight, style))
    words = [(word, _measure(face, word + " ")) for word in text.split()]
    if not words:
        return size, []
    if not words:
        return size, []
    while size > 1:
        limit = width / size
        lines = _break(words, limit)
        if len(lines) <= most and all(length <= limit for _, length in lines):
            return size, _balance(words, limit, len(lines))
        size *= 0.94
    return size, [text]


def _find_face(faces: Sequence[Face], wanted: tuple[str, int, str]) -> Face:
    found = next((face for face in faces if (face.family, face.weight, face.style) == wanted), None)
    if not found:
        family, weight, style = wanted
        raise LayoutError(
            f"cover.svg.j2 asks for {family} {weight} {style}, which no [[face]] of the layout is"
        )
    return found


def _break(words: Sequence[tuple[str, float]], limit: float) -> list[tuple[str, float]]:
    lines: list[tuple[str, float]] = []
    for word, length in words:
        if lines and lines[-1][1] + length <= limit:
            lines[-1] = (f"{lines[-1][0]} {word}", lines[-1][1] + length)
        else:
            lines.append((word, length))
    return lines


def _balance(words: Sequence[tuple[str, float]], limit: float, count: int) -> list[str]:
    """The lines of the narrowest measure that takes no more of them."""
    widest = max(length for _, length in words)
    while limit * 0.97 > widest and len(_break(words, limit * 0.97)) <= count:
        limit *= 0.97
    return [line for line, _ in _break(words, limit)]


def _measure(face: Face, text: str) -> float:
    """Advance width in em."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(face.path))))
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer)
    advance: int = sum(position.x_advance for position in buffer.glyph_positions)
    return advance / int(font.face.upem)
