"""Read, turn, flatten, shrink and write pictures made of pixels."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageCms, ImageFile, ImageOps

from ..errors import ManuscriptError

MAX_PIXELS = 100_000_000  # of an author's file
_MAGIC = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_QUALITIES = (90, 80, 70, 60)
_ORIENTATION, _UPRIGHT, _LYING = 0x0112, 1, range(5, 9)  # of EXIF
_PNG_KEPT = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT pHYs".split())
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
# Within a scan an FF is followed by 00, or by a restart's number; anything else is the next marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Comments and application segments, but not JFIF, colour profiles and Adobe's note on inverted CMYK.
_JPEG_PRIVATE = re.compile(
    rb"\xff(?:\xfe|\xe0(?!..JFIF)|\xe2(?!..ICC_PROFILE)|\xee(?!..Adobe)|[\xe1\xe3-\xed\xef])", re.DOTALL
)
# What Pillow's readers raise when a file is damaged.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, OverflowError, struct.error, zlib.error)


def sniff(data: bytes) -> str:
    """The format that the first 16 bytes tell: PNG, JPEG, GIF or WEBP; empty for anything else."""
    return next((name for name, magic in _MAGIC.items() if magic.match(data)), "")


def check_raster(path: Path, kind: str) -> None:
    """Read `path` to its end (a JPEG at an eighth of its size: quick). Raises ManuscriptError."""
    with open_raster(path, kind) as image:
        if kind == "PNG":
            image.verify()
        else:
            image.draft("RGB", (image.width // 8, image.height // 8))
            image.load()


def raster_size(path: Path, kind: str) -> tuple[int, int]:
    """Width and height as shown, in pixels. Raises ManuscriptError."""
    with open_raster(path, kind) as image:
        width, height = image.size
        lying = _orientation(image, path.read_bytes()) in _LYING
        return (height, width) if lying else (width, height)


def write_raster(path: Path, kind: str, *, pixels: int, size: int) -> tuple[str, bytes, tuple[int, int]]:
    """Format (PNG or JPEG), bytes and size of `path`: upright, RGB or grey, opaque, nothing private in it.

    At most `pixels` pixels and `size` bytes. A JPEG or PNG that is so already keeps its bytes.
    Raises ManuscriptError.
    """
    data = path.read_bytes()
    with open_raster(path, kind) as image:
        if kind in _BARE and _is_plain(image, data) and image.width * image.height <= pixels:
            bare = _BARE[kind](data)
            if len(bare) <= size:
                return kind, bare, image.size
        drawn = kind in {"PNG", "GIF"} or b"VP8L" in data  # lossless WebP
        return _encode(_flatten(image), drawn=drawn, pixels=pixels, size=size)


def encode_jpeg(image: Image.Image, quality: int = _QUALITIES[0]) -> bytes:
    return _save(image, "JPEG", quality=quality, optimize=True)


@contextmanager
def open_raster(path: Path, kind: str) -> Iterator[Image.Image]:
    """The image, only its header read; damage found while it is open becomes a ManuscriptError."""
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False  # WeasyPrint sets it
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=[kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            yield image
    except Image.DecompressionBombError as error:
        message = f"has more than {MAX_PIXELS / 1e6:.0f} million pixels; save it smaller"
        raise ManuscriptError(message) from error
    except _DAMAGE as error:
        message = f"is damaged or cut short ({error}); save it again"
        raise ManuscriptError(message) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and b"eXIf" not in data:
        return _UPRIGHT  # Pillow would decode the whole image to look for it
    return int(image.getexif().get(_ORIENTATION, _UPRIGHT))


def _is_plain(image: Image.Image, data: bytes) -> bool:
    opaque = image.mode in {"RGB", "L"} and "transparency" not in image.info
    return opaque and _orientation(image, data) == _UPRIGHT


def _flatten(image: Image.Image) -> Image.Image:
    """`image` upright, in sRGB or grey, on white, with nothing but its pixels."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    elif image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits; convert alone would clip
    elif image.mode not in {"RGB", "L", "CMYK"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    if profile and image.mode != "L":
        image = _to_srgb(image, profile)
    plain = image.convert("RGB") if image.mode == "CMYK" else image.copy()
    plain.info = {}
    return plain


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them; as they are when the profile is of no use."""
    try:
        source, target = ImageCms.getOpenProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image


def _encode(image: Image.Image, *, drawn: bool, pixels: int, size: int) -> tuple[str, bytes, tuple[int, int]]:
    """The first way of writing `image` that fits; a picture that never does is halved."""
    while True:
        image = _shrink(image, pixels)
        for kind, data in _encodings(image, drawn=drawn):
            if len(data) <= size:
                return kind, data, image.size
        drawn, pixels = False, image.width * image.height // 2


def _shrink(image: Image.Image, pixels: int) -> Image.Image:
    factor = (pixels / (image.width * image.height)) ** 0.5
    if factor >= 1:
        return image
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def _encodings(image: Image.Image, *, drawn: bool) -> Iterator[tuple[str, bytes]]:
    """PNG for what was drawn, JPEG for what was photographed, and for drawings that grow too big."""
    if drawn:
        yield "PNG", _save(image, "PNG")
    for quality in _QUALITIES:
        yield "JPEG", encode_jpeg(image, quality)


def _save(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _bare_png(data: bytes) -> bytes:
    """`data` with the chunks that make the picture, without words, times and places (PNG 3, section 11)."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _PNG_KEPT:
            parts.append(data[at : at + length + 12])
        at += length + 12
    return b"".join(parts)


def _bare_jpeg(data: bytes) -> bytes:
    """`data` without its comments and application segments, and without what follows its end."""
    parts, at = [data[:2]], 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _JPEG_END:
            break
        length = struct.unpack_from(">H", data, at + 2)[0] + 2
        end = at + length
        if marker == _JPEG_SCAN:
            coded = _JPEG_MARKER.search(data, end)
            end = coded.start() if coded else len(data)
        if not _JPEG_PRIVATE.match(data, at):
            parts.append(data[at:end])
        at = end
    return b"".join([*parts, b"\xff\xd9"])


_BARE: Mapping[str, Callable[[bytes], bytes]] = {"PNG": _bare_png, "JPEG": _bare_jpeg}
