"""Change the colours of a PDF's drawings and pictures into those of a press: black alone, or four inks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops

from .errors import LayoutError

Ink = Literal["black", "four", "screen"]  # screen: as they are, red, green and blue
_QUALITY = 92


def to_black(red: float, green: float, blue: float) -> tuple[float, ...]:
    """How light a colour is, from 0 to 1 (weights of ITU-R BT.709)."""
    return (round(0.2126 * red + 0.7152 * green + 0.0722 * blue, 4),)


def to_four(red: float, green: float, blue: float) -> tuple[float, ...]:
    """Cyan, magenta, yellow and black, the grey in them all black: never more than twice a full ink."""
    inks = 1 - red, 1 - green, 1 - blue
    black = min(inks)
    return tuple(round(value, 4) for value in (*(ink - black for ink in inks), black))


#: What becomes of the operators that name a colour (ISO 32000-1, 8.6.8), for fills and for lines.
_OPERATORS: Mapping[str, tuple[str, str, Callable[..., tuple[float, ...]]]] = {
    "black": ("g", "G", to_black),
    "four": ("k", "K", to_four),
}


def change_inks(pdf: pikepdf.Pdf, ink: Ink) -> None:
    """Every colour of every page becomes one of `ink`. Raises LayoutError for a shading, which has too many."""
    for thing in pdf.objects:
        if isinstance(thing, Dictionary | pikepdf.Stream) and "/ShadingType" in thing:
            raise LayoutError(
                "the layout draws a gradient, which no press ink can be named for; use a plain colour"
            )
    for page in pdf.pages:
        page.Contents = pdf.make_stream(_change(page, ink))
    for thing in list(pdf.objects):
        if isinstance(thing, pikepdf.Stream):
            if thing.get("/Subtype") == Name.Image:
                _change_picture(thing, ink)
            elif thing.get("/Subtype") == Name.Form or "/PatternType" in thing:
                thing.write(_change(thing, ink))


def _change(content: Any, ink: Ink) -> bytes:
    fill, line, convert = _OPERATORS[ink]
    names = {"rg": fill, "RG": line}
    out: list[Any] = []
    for step in pikepdf.parse_content_stream(content):
        name = str(step.operator)
        if name in names:
            out.append((convert(*map(float, step.operands)), pikepdf.Operator(names[name])))
        else:
            out.append(step)
    return pikepdf.unparse_content_stream(out)


def _change_picture(stream: pikepdf.Stream, ink: Ink) -> None:
    if "/ImageMask" in stream or stream.get("/ColorSpace") not in (Name.DeviceRGB, Name.DeviceGray):
        return
    if stream.get("/ColorSpace") == Name.DeviceGray:
        return
    picture = pikepdf.PdfImage(stream).as_pil_image().convert("RGB")
    changed = picture.convert("L") if ink == "black" else separate(picture)
    out = io.BytesIO()
    changed.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    stream.write(out.getvalue(), filter=Name.DCTDecode)
    stream.ColorSpace = Name.DeviceGray if ink == "black" else Name.DeviceCMYK
    if "/DecodeParms" in stream:
        del stream["/DecodeParms"]
    if ink == "four":  # Pillow writes such a JPEG the way Photoshop does: ink is 0, paper 255
        stream.Decode = Array([1, 0] * 4)


def separate(picture: Image.Image) -> Image.Image:
    """A picture in four inks, as `to_four` makes them."""
    inks = [ImageChops.invert(band) for band in picture.split()]
    black = ImageChops.darker(ImageChops.darker(inks[0], inks[1]), inks[2])
    return Image.merge("CMYK", [*(ImageChops.subtract(band, black) for band in inks), black])


def list_spaces(pdf: pikepdf.Pdf) -> frozenset[str]:
    """The colour spaces in use that say nothing of a press: "DeviceRGB", "DeviceGray", "DeviceCMYK"."""
    found: set[str] = set()
    for content in list_contents(pdf):
        found.update(_SPACES.get(str(step.operator), "") for step in pikepdf.parse_content_stream(content))
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == Name.Image:
            space = thing.get("/ColorSpace")
            found.add(str(space).removeprefix("/") if isinstance(space, Name) else "")
    return frozenset(found & {"DeviceRGB", "DeviceGray", "DeviceCMYK"})


_SPACES: Mapping[str, str] = {
    "rg": "DeviceRGB", "RG": "DeviceRGB", "g": "DeviceGray", "G": "DeviceGray", "k": "DeviceCMYK", "K": "DeviceCMYK",
}  # fmt: skip


def lets_through(pdf: pikepdf.Pdf) -> bool:
    """Whether anything lets show what lies below it, which PDF/X-1a and X-3 forbid."""
    for content in list_contents(pdf):
        states = content.get("/Resources", {}).get("/ExtGState", {})
        steps = pikepdf.parse_content_stream(content)
        names = {str(step.operands[0]) for step in steps if str(step.operator) == "gs"}
        if any(_shows_through(states[name]) for name in names if name in states):
            return True
    return any(isinstance(thing, pikepdf.Stream) and "/SMask" in thing for thing in pdf.objects)


def _shows_through(state: Any) -> bool:
    mask = state.get("/SMask", Name("/None"))
    return float(state.get("/ca", 1)) < 1 or float(state.get("/CA", 1)) < 1 or mask != Name("/None")


def list_contents(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Everything that draws: the pages, and the forms they draw again."""
    for page in pdf.pages:
        yield page.obj
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == Name.Form:
            yield thing
