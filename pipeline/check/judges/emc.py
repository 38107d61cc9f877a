"""Check a letter for the eleven failures that the Email Markup Consortium counts in its accessibility reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lxml import etree, html
from PIL import ImageColor

from ..words import VAGUE_LINKS
from .letter import read_letter
from .programs import Command, Findings

Element = Any  # of lxml, which carries no types
Colour = tuple[int, ...]

INK, GROUND, LINK = (0, 0, 0), (255, 255, 255), (0, 0, 238)  # where a letter names none
LOWEST_CONTRAST = 4.5  # of text on its ground (WCAG 2.2, 1.4.3; mail rule M23)
SHOWN_LETTERS = 40
#: Words of a link that say nothing of where it leads, in the languages that the press speaks.
VAGUE = frozenset[str]().union(*VAGUE_LINKS.values())

_HIDDEN = "contains(translate(@style, ' ', ''), 'display:none')"
_SHOWN = f"/html/body/*[not({_HIDDEN})]"
_TEXTS = etree.XPath(f"/html/body//text()[normalize-space()][not(ancestor::*[@hidden or {_HIDDEN}])]")
_LINKS = etree.XPath("//a[@href][normalize-space()]")
_TABLES = etree.XPath("//table[not(@role='presentation' or @role='none' or .//th[@scope])]")
_TABLE_TAG = re.compile(r"<table\b[^>]*>")
_ROLE = re.compile(r"\brole=.?(?:presentation|none)\b")


def find_emc() -> Command:
    """Nothing: this judge is written below, after the report."""
    return ()


def ask_emc(_: Command, paths: Sequence[Path]) -> Findings:
    """Each failure with its line in body.html."""
    return {path: tuple(list_failures(read_letter(path).html)) for path in paths}


def list_failures(markup: str) -> Iterator[str]:
    """What is wrong, check by check: the line, the failure, the element."""
    page = html.document_fromstring(markup)
    for failure, find in CHECKS.items():
        for element in find(page):
            yield f"body.html:{element.sourceline}: {failure}: {_describe(element)}"


def _describe(element: Element) -> str:
    if element.tag is etree.Comment:
        return "a comment for Outlook"
    words = " ".join(element.text_content().split())[:SHOWN_LETTERS]
    return f"<{element.tag}> {words}".rstrip()


def find_layout_tables(page: Element) -> Iterator[Element]:
    """Tables without a role that have no header cells either, also those that only Outlook sees."""
    yield from _TABLES(page)
    for comment in page.iter(etree.Comment):
        if not all(map(_ROLE.search, _TABLE_TAG.findall(comment.text))):
            yield comment


def find_vague_links(page: Element) -> Iterator[Element]:
    return (link for link in _LINKS(page) if _read_words(link) in VAGUE)


def _read_words(link: Element) -> str:
    return " ".join(link.text_content().split()).lower().strip(" .…!:>›»→")


def find_unmarked_links(page: Element) -> Iterator[Element]:
    """Links that are not underlined; a button has a ground of its own."""
    for link in _LINKS(page):
        style = _read_style(link)
        if "none" in style.get("text-decoration", "") and _read_ground(link) is None:
            yield link


def find_pale_text(page: Element) -> Iterator[Element]:
    """Elements whose own words have too little contrast, as their style attributes alone say."""
    for element in dict.fromkeys(map(_find_holder, _TEXTS(page))):
        ink = _inherit(element, _read_ink) or INK
        ground = _inherit(element, _read_ground) or GROUND
        if measure_contrast(ink, ground) < LOWEST_CONTRAST:
            yield element


def _find_holder(text: Element) -> Element:
    neighbour = text.getparent()  # which the words stand in, or behind
    return neighbour.getparent() if text.is_tail else neighbour


def _inherit(element: Element, read: Callable[[Element], Colour | None]) -> Colour | None:
    return next(filter(None, map(read, (element, *element.iterancestors()))), None)


def _read_ink(element: Element) -> Colour | None:
    own = _read_colour(_read_style(element).get("color", ""))
    return LINK if own is None and element.tag == "a" else own


def _read_ground(element: Element) -> Colour | None:
    style = _read_style(element)
    values = (style.get("background-color"), style.get("background"), element.get("bgcolor"))
    return _read_colour(next(filter(None, values), ""))


def _read_colour(value: str) -> Colour | None:
    """None for what is no colour of its own, such as `inherit`."""
    try:
        return ImageColor.getrgb(value)[:3]
    except ValueError:
        return None


def _read_style(element: Element) -> dict[str, str]:
    pairs = (part.partition(":") for part in element.get("style", "").lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def measure_contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21 (WCAG 2.2, contrast ratio)."""
    low, high = sorted(map(_measure_light, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _measure_light(colour: Colour) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


#: What may be wrong -> the elements in which it is.
CHECKS: Mapping[str, Callable[[Element], Iterable[Element]]] = {
    "the document names no language": etree.XPath("/html[not(normalize-space(@lang))]"),
    "a part of the body names no language": etree.XPath(f"{_SHOWN}[not(normalize-space(@lang))]"),
    "a part of the body names no direction": etree.XPath(f"{_SHOWN}[not(normalize-space(@dir))]"),
    "the document has no title": etree.XPath("/html[not(normalize-space(head/title))]"),
    "the letter has no main heading": etree.XPath("/html[not(//h1[normalize-space()])]"),
    "a table for layout is read out as one of data": find_layout_tables,
    "a picture has no alt": etree.XPath("//img[not(@alt)]"),
    "a link has no words": etree.XPath(
        "//a[@href][not(normalize-space(concat(., @aria-label)) or .//img[normalize-space(@alt)])]"
    ),
    "a link does not say where it leads": find_vague_links,
    "a link shows by its colour alone": find_unmarked_links,
    "words are too pale on their ground": find_pale_text,
}
