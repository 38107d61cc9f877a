"""Read the CSS of a letter: what style attributes say, what style elements add, and what holds at last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cssselect2
import tinycss2
from tinycss2.color3 import RGBA, parse_color

from .page import Element

#: What tinycss2 gives: a name in lower case, tokens, whether it is important, a line.
Declaration = Any

DARK = "(prefers-color-scheme:dark)"
_MARK = re.compile(r"\[data-(ogs[cb])\]\s*")
_SIDES = ("top", "right", "bottom", "left")
_SPACES = ("whitespace", "comment")
_WHOLE = ("font-face", "page", "keyframes")  # what they hold are no rules of elements


@dataclass(frozen=True, slots=True)
class HeadRule:
    """One selector of a style element and what it says.

    `where` is the condition: empty, that of @media without spaces, or the mark that Outlook puts on
    what it repaints (`ogsc`, `ogsb`). `sheet` counts style elements; `line` is in body.html.
    """

    selector: str
    declarations: tuple[Declaration, ...]
    where: str
    sheet: int
    line: int


@dataclass(frozen=True, slots=True)
class Sheets:
    """All style elements: their rules, and what in them stops a mail program reading, by line."""

    rules: tuple[HeadRule, ...]
    faults: tuple[tuple[int, str], ...]


def read_sheets(nodes: Sequence[Element]) -> Sheets:
    """The style elements of a letter, in their order."""
    items = [item for number, node in enumerate(nodes) for item in _list_items(node, number)]
    rules = tuple(rule for item in items for rule in _read_rules(item))
    return Sheets(rules, tuple(fault for item in items for fault in _list_faults(item)))


@dataclass(frozen=True, slots=True)
class _Item:
    """What a style element holds: a rule, an @rule or an error, with its condition; see HeadRule."""

    token: Any
    where: str
    sheet: int
    line: int


def _list_items(node: Element, sheet: int) -> Iterator[_Item]:
    """Each rule of a style element; those inside @media and its like one by one."""
    above = max((node.sourceline or 1) - 1, 0)
    for outer in _read(tinycss2.parse_stylesheet, node.text or ""):
        where = _read_condition(outer)
        for token in _read(tinycss2.parse_rule_list, outer.content) if where else [outer]:
            yield _Item(token, where, sheet, above + token.source_line)


def _read_condition(token: Any) -> str:
    """That of an @rule that holds rules; empty for every other."""
    if token.type != "at-rule" or token.content is None or token.lower_at_keyword in _WHOLE:
        return ""
    asked = "".join(part.serialize() for part in token.prelude).replace(" ", "").lower()
    return asked if asked and token.lower_at_keyword == "media" else f"@{token.lower_at_keyword}{asked}"


def _read_rules(item: _Item) -> Iterator[HeadRule]:
    if item.token.type == "qualified-rule":
        inside = _read(tinycss2.parse_blocks_contents, item.token.content)
        said = tuple(token for token in inside if token.type == "declaration")
        for selector in tinycss2.serialize(item.token.prelude).split(","):
            mark = _MARK.search(selector)
            bare = _MARK.sub("", selector).strip()
            yield HeadRule(bare, said, mark[1] if mark else item.where, item.sheet, item.line)


def _list_faults(item: _Item) -> Iterator[tuple[int, str]]:
    token = item.token
    if token.type == "error":
        yield item.line, token.message
    elif token.type == "at-rule" and item.where:
        yield item.line, f"@{token.at_keyword} inside another rule"
    elif token.type == "qualified-rule":
        for inside in _read(tinycss2.parse_blocks_contents, token.content):
            if inside.type != "declaration":
                yield item.line, inside.message if inside.type == "error" else "a rule inside a rule"


@lru_cache(maxsize=1024)
def read_style(style: str) -> tuple[Declaration, ...]:
    """The declarations of a style attribute, in their order; what is none is left out."""
    found = _read(tinycss2.parse_blocks_contents, style)
    return tuple(item for item in found if item.type == "declaration")


def _read(parse: Any, css: Any) -> list[Any]:
    return list(parse(css, skip_comments=True, skip_whitespace=True))


def match(page: Element, rules: Sequence[HeadRule]) -> Mapping[Element, tuple[HeadRule, ...]]:
    """The rules that speak of each element, the strongest last; selectors nobody knows match nothing."""
    matcher = cssselect2.Matcher()
    for rule in rules:
        for selector in _compile(rule.selector):
            matcher.add_selector(selector, rule)
    found = {}
    for wrapper in cssselect2.ElementWrapper.from_html_root(page).iter_subtree():
        matched = [payload for _, _, pseudo, payload in matcher.match(wrapper) if pseudo is None]
        found[wrapper.etree_element] = tuple(matched)
    return found


@lru_cache(maxsize=1024)
def _compile(selector: str) -> tuple[Any, ...]:
    try:
        return tuple(cssselect2.compile_selector_list(selector))
    except cssselect2.SelectorError:
        return ()


def cascade(page: Element, rules: Sequence[HeadRule]) -> Mapping[Element, Mapping[str, str]]:
    """What holds for each element by itself: `rules` and its style attribute, in longhands."""
    return {node: expand(_order(node, matched)) for node, matched in match(page, rules).items()}


def _order(node: Element, matched: Sequence[HeadRule]) -> list[Declaration]:
    """What is said of an element, the strongest last: important before all, then the style attribute."""
    said = [*(one for rule in matched for one in rule.declarations), *read_style(node.get("style", ""))]
    return sorted(said, key=lambda declaration: bool(declaration.important))


def read_longhands(node: Element) -> Mapping[str, str]:
    """What an element's style attribute says, in longhands."""
    return _expand_style(node.get("style", ""))


@lru_cache(maxsize=1024)
def _expand_style(style: str) -> Mapping[str, str]:
    return expand(read_style(style))


def expand(declarations: Sequence[Declaration]) -> dict[str, str]:
    """Declarations as longhands, a later one over an earlier; a shorthand sets back what it does not name."""
    found: dict[str, str] = {}
    for said in declarations:
        found |= _LONGHANDS.get(said.lower_name, _keep)(said.lower_name, _list_values(said))
    return found


def _list_values(said: Declaration) -> list[Any]:
    return [token for token in said.value if token.type not in _SPACES]


def _keep(name: str, tokens: Sequence[Any]) -> dict[str, str]:
    return {name: " ".join(token.serialize() for token in tokens)}


def _take_ground(_: str, tokens: Sequence[Any]) -> dict[str, str]:
    return {"background-color": _find_colour(tokens) or "transparent"}


def _take_border(name: str, tokens: Sequence[Any]) -> dict[str, str]:
    sides = [side for side in _SIDES if side in name] or _SIDES
    return {f"border-{side}-color": _find_colour(tokens) for side in sides}


def _take_padding(_: str, tokens: Sequence[Any]) -> dict[str, str]:
    """One to four lengths, clockwise from the top."""
    lengths = [token.serialize() for token in tokens][:4] or ["0"]
    top, right, bottom, left = (lengths * 4)[:4] if len(lengths) != 3 else [*lengths, lengths[1]]
    return dict(zip((f"padding-{side}" for side in _SIDES), (top, right, bottom, left), strict=True))


def _take_font(_: str, tokens: Sequence[Any]) -> dict[str, str]:
    """Size and line; a family is what stands behind them."""
    words = " ".join(token.serialize() for token in tokens)
    found = re.search(r"([\d.]+(?:px|em|%|pt))(?:\s*/\s*([\d.]+(?:px|em|%)?))?\s*(.*)", words)
    if not found:
        return {}
    return {"font-size": found[1], "line-height": found[2] or "normal", "font-family": found[3]}


_LONGHANDS = {
    "background": _take_ground,
    "font": _take_font,
    "padding": _take_padding,
    **{
        name: _take_border
        for side in ("", *(f"-{side}" for side in _SIDES))
        for name in (f"border{side}", f"border{side}-color")
    },
}


def _find_colour(tokens: Sequence[Any]) -> str:
    words = (token.serialize() for token in tokens)
    return next((word for word in words if read_colour(word) is not None), "")


@lru_cache(maxsize=1024)
def read_colour(value: str) -> RGBA | None:
    """A colour as red, green, blue and opacity from 0 to 1; None for `inherit` and what is none."""
    found = parse_color(value)
    return found if isinstance(found, RGBA) else None
