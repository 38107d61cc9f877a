"""Pin the faces of a layout out of installed font packages, and keep every other font away from the press."""

from __future__ import annotations

import json
import os
import re
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import uharfbuzz as hb

from ..errors import LayoutError, Place
from ..model import FaceSpec
from .sfnt import FS_SELECTION, MAC_STYLE, join_tables, name_table, set_bits, tag_number

_RECIPE = 1  # raised when a pinned face is written differently, so that old ones are not found in the cache
_REGULAR, _BOLD = 400, 700
_STYLES = {"normal": "", "italic": "Italic"}
_KEPT_NAMES = (0, 5, 7, 13, 14)  # copyright, version, trademark, licence, its address
# What a stylesheet may ask for, beside the features HarfBuzz keeps unasked (kern, liga, locl, mark ...).
_FEATURES = ("c2sc", "case", "dlig", "lnum", "onum", "ordn", "pnum", "smcp", "subs", "sups", "tnum", "zero")
_FROM_READERS = " -0123456789.\u2010\u2022"  # a reading system's own hyphens, list numbers and bullets
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # controls, joiners, soft hyphens, spaces: no font needs them
_VARIATION_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
_CONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><cachedir>{cache}</cachedir></fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Face:
    """A static TrueType file in the cache, and what must be said when it is passed on."""

    family: str
    weight: int
    style: str
    path: Path
    characters: frozenset[int] = field(repr=False)
    licence: str = field(repr=False)  # the full text
    notice: str  # the copyright, in one line


@dataclass(frozen=True, slots=True)
class _Source:
    data: bytes
    licence: str
    notice: str


def pin_face(spec: FaceSpec, cache: Path, *, place: Place | None = None) -> Face:
    """Make the static face that `spec` describes, or find it in `cache`.

    Raises LayoutError (with `place`) for a package that is not installed, and for a style, axis
    or value that its fonts do not have.
    """
    try:
        source = _open_package(spec)
        face = hb.Face(hb.Blob(source.data))
        axes = _locate(spec, face)
    except LayoutError as error:
        raise LayoutError(f'face "{spec.family}": {error.message}', place) from None
    recipe = json.dumps([_RECIPE, hb.__version__, spec.family, spec.weight, spec.style, sorted(axes.items())])
    path = cache.resolve() / f"{sha256(source.data + recipe.encode()).hexdigest()}.ttf"
    if not path.exists():
        _write(path, _pin(face, spec, axes))
    characters = frozenset(hb.Face(hb.Blob.from_file_path(str(path))).unicodes)
    return Face(spec.family, spec.weight, spec.style, path, characters, source.licence, source.notice)


def isolate(cache: Path) -> None:
    """Let fontconfig, and so WeasyPrint, know no font but those of `@font-face` rules.

    To be called before weasyprint is imported: it looks for fonts at once. A font configuration
    made later obeys in any case. The first `@font-face` stands in for families that are missing.
    """
    config = (cache / "fontconfig" / "fonts.conf").resolve()
    _write(config, _CONFIG.format(cache=escape(str(config.parent))).encode())
    os.environ["FONTCONFIG_FILE"] = str(config)
    # WeasyPrint warns of what is meant: every font comes from the layout.
    warnings.filterwarnings("ignore", "No fonts configured in FontConfig", UserWarning)


def font_css(faces: Sequence[Face], url: Callable[[Face], str]) -> str:
    """The `@font-face` rules for `faces`, in their order; the first is the fallback in the PDF."""
    return "".join(
        f"@font-face {{ font-family: {_quote(face.family)}; font-weight: {face.weight};"
        f" font-style: {face.style}; src: url({_quote(url(face))}); }}\n"
        for face in faces
    )


def subset(face: Face, text: Iterable[str]) -> bytes:
    """A TrueType font with the glyphs for `text` and those its layout features make of them.

    Hyphens, digits and bullets stay too: reading systems put them in by themselves.
    """
    wanted = hb.SubsetInput()
    wanted.unicode_set.update(map(ord, {*_FROM_READERS}.union(*text)))
    wanted.layout_feature_tag_set.update(map(tag_number, _FEATURES))
    wanted.name_id_set.update(_KEPT_NAMES)
    data: bytes = wanted.subset(hb.Face(hb.Blob.from_file_path(str(face.path)))).blob.data
    return data


def missing(faces: Iterable[Face], text: Iterable[str]) -> set[str]:
    """The visible characters of `text` that no face has."""
    covered = _VARIATION_SELECTORS.union(*(face.characters for face in faces))
    return {
        character
        for character in set().union(*text)
        if ord(character) not in covered and unicodedata.category(character) not in _UNSEEN
    }


def list_faces(package: str) -> tuple[FaceSpec, ...]:
    """A font package's upright face, regular and half bold, under its own name; raises LayoutError."""
    about = _read_about(package)
    weights = [row["weight"] for row in about["files"] if row["style"] == "normal"]
    bold = 600 if any(row["variable"] for row in about["files"]) else max(filter(None, weights), default=400)
    return tuple(FaceSpec(about["family"], package, weight) for weight in dict.fromkeys((400, bold)))


def _open_package(spec: FaceSpec) -> _Source:
    about = _read_about(spec.package)
    folder = files(spec.package.replace("-", "_"))
    return _Source(
        data=(folder / _choose_file(spec, about["files"])).read_bytes(),
        licence=(folder / "LICENSE").read_text("utf-8"),
        notice=" ".join(about["copyright"].split()),
    )


def _read_about(package: str) -> Any:
    """What a font package says of itself."""
    if not re.fullmatch(r"fontpkg-[a-z0-9]+(-[a-z0-9]+)*", package):
        raise LayoutError(f'"{package}" is no font package; use one such as fontpkg-source-serif-4')
    try:
        folder = files(package.replace("-", "_"))
    except ModuleNotFoundError:
        raise LayoutError(f"{package} is not installed; run: pip install {package}") from None
    return json.loads((folder / "metadata.json").read_text("utf-8"))


def _choose_file(spec: FaceSpec, rows: Iterable[Mapping[str, Any]]) -> str:
    """The path of the font of the right style: the variable one, or the static one of that weight."""
    styled = [row for row in rows if row["style"] == spec.style and spec.style in _STYLES]
    if not styled:
        message = f'{spec.package} has no style "{spec.style}"; use normal or italic'
        raise LayoutError(message)
    for row in styled:
        if row["variable"] or row["weight"] == spec.weight:
            return str(row["path"])
    weights = ", ".join(str(row["weight"]) for row in styled)
    message = f"{spec.package} has no weight {spec.weight}; it has {weights}"
    raise LayoutError(message)


def _locate(spec: FaceSpec, face: Any) -> dict[str, float]:
    """Where on each axis of the font the face stands."""
    if spec.weight not in range(100, 1000, 100) or "wght" in spec.axes:
        message = "give the weight as `weight`, one of 100, 200 ... 900, as CSS does"
        raise LayoutError(message)
    axes = {axis.tag: axis for axis in face.axis_infos}
    asked = dict(spec.axes) | ({"wght": spec.weight} if "wght" in axes else {})
    for tag, value in asked.items():
        if tag not in axes:
            message = f'{spec.package} has no axis "{tag}"; it has {", ".join(sorted(axes)) or "none"}'
            raise LayoutError(message)
        low, high = axes[tag].min_value, axes[tag].max_value
        if not (isinstance(value, int | float) and low <= value <= high):  # type: ignore[redundant-expr]
            message = f"{spec.package} has no {_axis_name(tag)} {value!r}; choose {low:g} to {high:g}"
            raise LayoutError(message)
    return {tag: float(asked.get(tag, axis.default_value)) for tag, axis in axes.items()}


def _axis_name(tag: str) -> str:
    return "weight" if tag == "wght" else f'"{tag}"'


def _pin(face: Any, spec: FaceSpec, axes: Mapping[str, float]) -> bytes:
    """The bytes of the static font: axes fixed, and called what the layout calls it.

    The family is the layout's own, so that two cuts of one font under two names stay apart.
    """
    wanted = hb.SubsetInput()
    wanted.keep_everything()
    wanted.drop_table_tag_set.update(map(tag_number, ("DSIG", "STAT")))  # true of the variable font only
    for tag, value in axes.items():
        wanted.pin_axis_location(face, tag, value)
    pinned = wanted.subset(face)
    tables = {tag: pinned.reference_table(tag).data for tag in pinned.table_tags}
    bold, italic = spec.weight == _BOLD, spec.style == "italic"
    kept = {number: pinned.get_name(number) or "" for number in _KEPT_NAMES}
    tables["name"] = name_table(kept | _names(spec))
    tables["head"] = set_bits(tables["head"], MAC_STYLE, {0: bold, 1: italic})
    tables["OS/2"] = set_bits(tables["OS/2"], FS_SELECTION, {0: italic, 5: bold, 6: not (italic or bold)})
    return join_tables(pinned.blob.data[:4], tables)


def _names(spec: FaceSpec) -> dict[int, str]:
    weight = {_REGULAR: "", _BOLD: "Bold"}.get(spec.weight, str(spec.weight))
    style = f"{weight} {_STYLES[spec.style]}".strip() or "Regular"
    full = f"{spec.family} {style}"
    return {1: spec.family, 2: style, 3: full, 4: full, 6: re.sub(r"[^A-Za-z0-9]", "", full)}


def _quote(words: str) -> str:
    """A CSS string."""
    return '"' + re.sub(r'["\\\n]', lambda match: f"\\{ord(match[0]):x} ", words) + '"'


def _write(path: Path, data: bytes) -> None:
    """Write a whole file or none: builds may share a cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).replace(path)
