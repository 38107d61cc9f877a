"""Merge fields: split a text at `@@name@@` once, fill it for each person, escaped by type and place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from .errors import IssueError, Place
from .model import Escape, Field, FieldType, Template

#: Where a field stands: in HTML, in plain text, in a header, at the start of a link, further inside a link.
Spot = Literal["html", "text", "header", "target", "link"]
Source = Literal["html", "text", "header"]


#: The fields every issue may use; it brings the defaults of its own (`fields` of issue.json).
KNOWN: Mapping[str, Field] = MappingProxyType(
    {
        "first_name": Field("text", "friend"),
        "unsubscribe_url": Field("url"),
        "preferences_url": Field("url"),
        "browser_url": Field("url"),
        "confirm_url": Field("url"),
        "gift_url": Field("url"),
        "postal_address": Field("text"),
        "list_name": Field("text"),
    }
)

TOKEN = re.compile(r"@@([a-z_]+)@@")
TAG = re.compile(r"""<[a-zA-Z/!?](?:[^"'<>]|"[^"]*"|'[^']*')*>""")
ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
LINKS = frozenset({"href", "src", "action", "background", "poster", "cite"})
RAW_ELEMENT = re.compile(r"<(style|script)\b.*?</\1", re.IGNORECASE | re.DOTALL)
LINK_BEFORE = re.compile(r"https?://[^\s<>\"]*$", re.IGNORECASE)
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SAFE_URL = re.compile(r"(?:https?://|mailto:)[\x21\x23-\x3b\x3d\x3f-\x7e]+", re.IGNORECASE)


def _percent(value: str) -> str:
    return quote(value, safe="")


#: A pair that is missing here is refused: a name cannot be a link, HTML cannot go into plain text.
ESCAPES: Mapping[tuple[FieldType, Spot], Escape] = MappingProxyType(
    {
        ("text", "html"): escape,
        ("text", "text"): str,
        ("text", "header"): str,
        ("text", "link"): _percent,
        ("html", "html"): str,
        ("url", "html"): escape,
        ("url", "text"): str,
        ("url", "target"): escape,
        ("url", "link"): _percent,
    }
)


def split(text: str, source: Source, path: str, fields: Mapping[str, Field] = KNOWN) -> Template:
    """Split `text` at its `fields`, each with the escape of the spot it stands in.

    Raises IssueError naming `path` and line for an unknown field, a field where its type
    must not stand, and for any `@@` left over.
    """
    spot_of = _SPOTS[source](text)
    literals, slots, end = [], [], 0
    for token in TOKEN.finditer(text):
        literals.append(text[end : token.start()])
        slots.append((token[1], _escape_for(token, spot_of(token.start()), path, fields)))
        end = token.end()
    literals.append(text[end:])
    _refuse_leftovers(text, path)
    return Template(tuple(literals), tuple(slots))


def check_values(values: Mapping[str, str], fields: Mapping[str, Field] = KNOWN) -> None:
    """Refuse values that could forge a header or a link; raises IssueError."""
    for name, value in values.items():
        if UNSAFE.search(value):
            raise IssueError(f"the value of @@{name}@@ holds a line break or control character: {value!r}")
        if fields[name].type == "url" and not SAFE_URL.fullmatch(value):
            raise IssueError(f"the value of @@{name}@@ is not a link: {value!r}")


def _escape_for(token: re.Match[str], spot: Spot | None, path: str, fields: Mapping[str, Field]) -> Escape:
    name = token[1]
    place = _place(token.string, token.start(), path)
    if name not in fields:
        raise IssueError(f"unknown field @@{name}@@; known are {', '.join(sorted(fields))}", place)
    if spot is None:
        raise IssueError(f"@@{name}@@ stands in a style, a script or an attribute without quotes", place)
    put = ESCAPES.get((fields[name].type, spot))
    if put is None:
        raise IssueError(f"@@{name}@@ is of type {fields[name].type} and must not stand in a {spot}", place)
    return put


def _refuse_leftovers(text: str, path: str) -> None:
    blanked = TOKEN.sub(lambda token: "\0" * len(token[0]), text)
    left = blanked.find("@@")
    if left >= 0:
        shown = text[left : left + 24].split("\n", maxsplit=1)[0]
        raise IssueError(
            f"{shown!r} looks like a field but is none; fields are spelled @@first_name@@",
            _place(text, left, path),
        )


def _place(text: str, offset: int, path: str) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)


def _html_spots(text: str) -> Callable[[int], Spot | None]:
    raw = [match.span() for match in RAW_ELEMENT.finditer(text)]
    tags = [match.span() for match in TAG.finditer(text) if "@@" in match[0]]

    def spot(offset: int) -> Spot | None:
        if _around(raw, offset):
            return None
        tag = _around(tags, offset)
        return _attribute_spot(text, tag, offset) if tag else "html"

    return spot


def _around(spans: list[tuple[int, int]], offset: int) -> tuple[int, int] | None:
    return next((span for span in spans if span[0] <= offset < span[1]), None)


def _attribute_spot(text: str, tag: tuple[int, int], offset: int) -> Spot | None:
    for found in ATTRIBUTE.finditer(text, *tag):
        start, end = found.span(2) if found[2] is not None else found.span(3)
        if start <= offset < end:
            if found[1].lower() not in LINKS:
                return None if found[1].lower().startswith(("on", "style")) else "html"
            return "target" if not text[start:offset].strip() else "link"
    return None


def _text_spots(text: str) -> Callable[[int], Spot]:
    def spot(offset: int) -> Spot:
        line = text.rfind("\n", 0, offset) + 1
        return "link" if LINK_BEFORE.search(text, line, offset) else "text"

    return spot


def _header_spots(_: str) -> Callable[[int], Spot]:
    return lambda _offset: "header"


_SPOTS: Mapping[Source, Callable[[str], Callable[[int], Spot | None]]] = MappingProxyType(
    {"html": _html_spots, "text": _text_spots, "header": _header_spots}
)
