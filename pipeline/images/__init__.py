"""Find the pictures an author names, refuse what is no picture, and make of each what a book may hold."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

from ..errors import ManuscriptError, Place
from .raster import MAX_PIXELS, check_raster, encode_jpeg, raster_size, sniff, write_raster
from .svg import read_svg, svg_size, write_svg

__all__ = [
    "Picture", "check_image", "encode_jpeg", "find_image", "for_epub", "for_print", "list_pictures",
    "locate_image", "name_by_content", "size_of",
]  # fmt: skip

MAX_BYTES = 30_000_000  # of an author's file
EPUB_BYTES, EPUB_PIXELS = 1_500_000, 4_000_000  # what the strictest of the stores takes
_LONGEST = 80  # characters of a file name in a message
_KEPT = 64  # pictures that one process does not make again
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".webp": "WEBP", ".svg": "SVG"}
_WRITTEN = {"PNG": (".png", "image/png"), "JPEG": (".jpg", "image/jpeg"), "SVG": (".svg", "image/svg+xml")}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready for a book: `name` is lower-case ASCII and unique by content; sizes are in pixels."""

    name: str
    media_type: str
    data: bytes
    width: int
    height: int


def find_image(folder: Path, src: str, place: Place) -> Path:
    """The file inside `folder` that `src`, written at `place`, names: a whole and harmless picture.

    Raises ManuscriptError at `place` that says what is wrong with the file and what to do.
    """
    path = locate_image(folder, src, place)
    check_image(path, src, place)
    return path


def locate_image(folder: Path, src: str, place: Place) -> Path:
    """As `find_image`, but what is in the file is not looked at."""
    with _blame(src, place):
        path = _follow(folder, src)
        _check_file(path, folder)
    return path


def check_image(path: Path, src: str, place: Place) -> None:
    """Read the file that `src` names to its end. Raises ManuscriptError when it is no whole, harmless picture."""
    with _blame(src, place):
        _check_content(path, _stamp(path))


def for_epub(path: Path, alt: str) -> Picture:
    """`path` as the stores take it: at most 4,000,000 pixels and 1.5 MB, upright, RGB or grey, opaque, bare.

    A JPEG or PNG that is so already keeps its bytes. Raises ManuscriptError.
    """
    return _prepare(path, alt, pixels=EPUB_PIXELS, size=EPUB_BYTES)


def for_print(path: Path, alt: str) -> Picture:
    """As `for_epub` at full size: a PDF writer copies a JPEG whole, with the place it was taken at."""
    return _prepare(path, alt, pixels=MAX_PIXELS, size=MAX_BYTES)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of `path` as shown, in pixels; of an SVG its viewBox. Raises ManuscriptError."""
    with _blame(path.name, Place(path.name)):
        if _format(path) == "SVG":
            return svg_size(read_svg(path.read_bytes()))
        return raster_size(path, _format(path))


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """All files of `folder` and below that are pictures by their names."""
    return tuple(sorted(path for path in folder.rglob("*") if path.suffix.lower() in _FORMATS))


@contextmanager
def _blame(name: str, place: Place) -> Iterator[None]:
    """Say of which picture, and at which place, an error speaks."""
    try:
        yield
    except ManuscriptError as error:
        short = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
        message = f'image "{short}" {error.message}'
        raise ManuscriptError(message, place) from error.__cause__


def _refuse(why: str) -> NoReturn:
    raise ManuscriptError(why)


def _follow(folder: Path, src: str) -> Path:
    """Follow `src` name by name, for a disk that ignores case must not hide a wrong one."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]", src):
        _refuse("is not in the book's folder; copy it there and name it relative to that folder")
    wanted = unquote(src)
    if "\\" in wanted:
        _refuse('has a backslash; write "/" between folders')
    steps: list[str] = []
    for name in wanted.split("/"):
        if name == ".." and not steps:
            _refuse("leads out of the book's folder; copy the file into it")
        elif name == "..":
            steps.pop()
        elif name not in {"", "."}:
            steps.append(_true_name(folder, "/".join([*steps, name]), wanted))
    return folder.joinpath(*steps)


def _true_name(folder: Path, step: str, wanted: str) -> str:
    """The last name of `step` as the disk has it; composed and decomposed accents are one (Unicode NFC)."""
    parent, _, name = step.rpartition("/")
    name = unicodedata.normalize("NFC", name)
    names = {unicodedata.normalize("NFC", found.name): found.name for found in _list(folder / parent)}
    if name in names:
        return names[name]
    for other in sorted(names):
        if other.casefold() == name.casefold():
            _refuse(f'is written "{other}" on disk; write it so: readers tell capitals apart')
    _refuse(f"is missing; put it into the book's folder under that name{_suggest(folder, wanted)}")


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _suggest(folder: Path, wanted: str) -> str:
    """Up to three pictures that the author may have meant."""
    paths = list_pictures(folder)
    pictures = [path.relative_to(folder).as_posix() for path in paths]
    name = wanted.rpartition("/")[2]
    near = [picture for picture in pictures if picture.rpartition("/")[2] == name]
    near += difflib.get_close_matches(wanted, pictures)
    found = " or ".join(f'"{picture}"' for picture in list(dict.fromkeys(near))[:3])
    return f" (did you mean {found}?)" if found else ""


def _check_file(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        _refuse("is a link out of the book's folder; copy the file itself into it")
    if not path.is_file():
        _refuse("is not a file; name a picture")
    size = path.stat().st_size
    if size > MAX_BYTES:
        _refuse(f"has {size / 1e6:.0f} MB, the most is {MAX_BYTES / 1e6:.0f} MB; save it smaller")


def _stamp(path: Path) -> tuple[int, int]:
    """When `path` was written and how long it is: the same stamp is the same picture."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(_KEPT)
def _check_content(path: Path, _: tuple[int, int]) -> None:
    """The extension must be true, and the file whole."""
    kind = _format(path)
    try:
        with path.open("rb") as file:
            true = sniff(file.read(16))
    except PermissionError:
        _refuse("cannot be read; allow yourself to read it (chmod u+r)")
    if kind == "SVG" and not true:
        read_svg(path.read_bytes())
    elif kind == true:
        check_raster(path, kind)
    else:
        cure = f"rename it to end in .{true.lower()}" if true else "save it again"
        _refuse(f"holds {true or 'something else'}, not {kind}; {cure}")


def _format(path: Path) -> str:
    kind = _FORMATS.get(path.suffix.lower())
    return kind or _refuse("is of no known kind; save it as PNG, JPEG, GIF, WebP or SVG")


def _prepare(path: Path, alt: str, *, pixels: int, size: int) -> Picture:
    with _blame(path.name, Place(path.name)):
        return _make_picture(path, _stamp(path), alt, pixels, size)


@lru_cache(_KEPT)
def _make_picture(path: Path, _: tuple[int, int], alt: str, pixels: int, size: int) -> Picture:
    kind = _format(path)
    if kind == "SVG":
        return _prepare_svg(path, alt, size)
    return _picture(path, *write_raster(path, kind, pixels=pixels, size=size))


def _prepare_svg(path: Path, alt: str, size: int) -> Picture:
    root = read_svg(path.read_bytes())
    data = write_svg(root, alt)
    if len(data) > size:
        _refuse(f"has {len(data)} bytes, the most is {size}; simplify it or save it as PNG")
    return _picture(path, "SVG", data, svg_size(root))


def _picture(path: Path, kind: str, data: bytes, size: tuple[int, int]) -> Picture:
    extension, media_type = _WRITTEN[kind]
    return Picture(name_by_content(path, data, extension), media_type, data, *size)


def name_by_content(path: Path, data: bytes, extension: str) -> str:
    """A name that reminds of `path`, lower-case ASCII, and is no other picture's."""
    ascii_stem = unicodedata.normalize("NFKD", path.stem.casefold()).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_stem).strip("-")[:40] or "image"
    return f"{stem}-{sha256(data).hexdigest()[:8]}{extension}"
