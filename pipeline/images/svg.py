"""Read an SVG drawing safely, and write it as a book may hold it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from ..errors import ManuscriptError

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_HREFS = ("href", f"{_XLINK}href")
_REFUSED = {
    "script": "a script",
    "handler": "a script",
    "listener": "a script",
    "foreignObject": "a foreignObject",
    **dict.fromkeys(("iframe", "embed", "object", "audio", "video", "canvas"), "foreign media"),
    **dict.fromkeys(("set", "animate", "animateColor", "animateMotion", "animateTransform"), "an animation"),
}
_INSIDE = r"#|data:image/(?:png|jpeg|gif);base64,"
_OUTSIDE = re.compile(rf"url\(\s*+['\"]?+(?!{_INSIDE})|@import|\\|javascript:|expression\(", re.IGNORECASE)
_UNITS = {"": 1.0, "px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72, "pc": 16.0}
_MOST_ELEMENTS, _DEEPEST = 100_000, 200  # with what every `use` repeats


def read_svg(data: bytes) -> Any:
    """The root element, an lxml tree without doctype, comments, metadata and what editors add for themselves.

    Raises ManuscriptError ("has a script; remove it") for what could act, load or explode.
    """
    root = _parse(data)
    _drop_foreign(root)
    for element in root.iter():
        _check_element(element)
    _count(root, {element.get("id"): element for element in root.iter() if element.get("id")}, 0)
    root.set("viewBox", " ".join(f"{number:g}" for number in _view_box(root)))
    for length in ("width", "height"):
        root.attrib.pop(length, None)
    return root


def svg_size(root: Any) -> tuple[int, int]:
    """Width and height of what `read_svg` gave, in CSS pixels."""
    _left, _top, width, height = _view_box(root)
    return max(1, round(width)), max(1, round(height))


def write_svg(root: Any, alt: str) -> bytes:
    """`root` as UTF-8 XML with `alt` for its title (none when `alt` is empty: a decoration)."""
    for title in root.findall(f"{_SVG}title"):
        root.remove(title)
    if alt:
        title = etree.Element(f"{_SVG}title")
        title.text = alt
        root.insert(0, title)
    etree.cleanup_namespaces(root)
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data


def _parse(data: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        message = f"is not well-formed SVG ({error.msg}); save it again as plain SVG"
        raise ManuscriptError(message) from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and (list(dtd.iterentities()) or list(dtd.iterelements())):
        message = "declares entities; save it again as plain SVG"
        raise ManuscriptError(message)
    if root.tag != f"{_SVG}svg":
        message = f"is not SVG: its root is not <svg> of {_SVG[1:-1]}; save it again as plain SVG"
        raise ManuscriptError(message)
    return root


def _drop_foreign(root: Any) -> None:
    """Remove metadata and other vocabularies: they draw nothing and may tell an author's folders."""
    for element in list(root.iter()):
        if not element.tag.startswith(_SVG) or element.tag == f"{_SVG}metadata":
            element.getparent().remove(element)
        for name in list(element.attrib):
            if name.startswith("{") and not name.startswith((_XLINK, _XML)):
                del element.attrib[name]


def _check_element(element: Any) -> None:
    name = element.tag.removeprefix(_SVG)
    if name in _REFUSED:
        _refuse(element, _REFUSED[name])
    for attribute, value in element.attrib.items():
        if attribute.lower().startswith("on"):
            _refuse(element, f'the event attribute "{attribute}"')
        outside = _OUTSIDE.search(value) or attribute == f"{_XML}base"
        if outside or (attribute in _HREFS and not re.match(_INSIDE, value.strip())):
            _refuse(element, f'a link out of the file ("{value[:60]}")')
    if name == "style" and _OUTSIDE.search("".join(element.itertext())):
        _refuse(element, "a style that loads or hides something")


def _refuse(element: Any, what: str) -> None:
    message = f"has {what} at line {element.sourceline}; remove it or save the picture as PNG"
    raise ManuscriptError(message)


def _count(element: Any, named: Mapping[str, Any], depth: int) -> int:
    """How many elements are drawn below `element`; a `use` of a `use` of a `use` can be billions."""
    drawn, total = list(element), 1
    if element.tag == f"{_SVG}use":
        targets = (named.get(element.get(name, "").removeprefix("#")) for name in _HREFS)
        drawn += [target for target in targets if target is not None][:1]
    for child in drawn:
        if total > _MOST_ELEMENTS or depth > _DEEPEST:
            _refuse(element, "shapes within shapes without end")
        total += _count(child, named, depth + 1)
    return total


def _view_box(root: Any) -> tuple[float, float, float, float]:
    """`viewBox`, or what width and height make of it (SVG 2, sections 8.6 and 8.9)."""
    box = root.get("viewBox", "")
    try:
        left, top, width, height = (float(number) for number in re.split(r"[\s,]+", box.strip()))
    except ValueError:
        left = top = 0.0
        width, height = (_pixels(root.get(length, "")) for length in ("width", "height"))
    if not all(map(math.isfinite, (left, top, width, height))) or min(width, height) <= 0:
        message = 'has no size; give its <svg> a viewBox, such as viewBox="0 0 600 400"'
        raise ManuscriptError(message)
    return left, top, width, height


def _pixels(length: str) -> float:
    """A CSS length in pixels; NaN for none, for % and for em, which a book cannot know."""
    match = re.fullmatch(r"\s*([0-9.]+(?:e-?[0-9]+)?)\s*([a-z]*)\s*", length)
    if not match or match[2] not in _UNITS or match[1].count(".") > 1 or match[1] == ".":
        return math.nan
    return float(match[1]) * _UNITS[match[2]]
