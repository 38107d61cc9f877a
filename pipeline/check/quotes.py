"""Rules on quotation marks and apostrophes, as they are written and as they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import Place
from ..model import Node
from .galley import Galley, Rule, Spot
from .languages import Language
from .slips import any_of, show, slip


def _set_primes(found: re.Match[str], _: Language) -> str:
    return f"{found[1]}′{found[2]}{found[3]}″"


def _clipped(language: Language) -> str:
    words = any_of(language.clipped)
    return rf"(?<!\w)['‘](?=(?:\d\ds?|{words})\b)" if words else ""


def _find_foreign_quotes(language: Language) -> str:
    others = "".join(sorted(set("“”„‚«»‹›") - set(language.quotes))) if language.quotes else ""
    return rf"[{others}]" if others else ""


_PAIRS = {"“": "”", "„": "“", "«": "»"}


def _list_printed(galley: Galley) -> Iterator[tuple[str, Place, str, str]]:
    """The printed text of each paragraph, its place, its language, and the beginning of the next one."""
    for chapter in galley.chapters:
        blocks = [node for node in chapter.walk() if node.kind == "paragraph"]
        texts = ["".join(_say(node)) for node in blocks]
        for node, text, after in zip(blocks, texts, [*texts[1:], ""], strict=False):
            yield text, Place(chapter.source, node.line), chapter.lang or galley.book.language, after


def _say(node: Node) -> Iterator[str]:
    """The words of a paragraph without its code, in which signs mean themselves, and without its notes."""
    for child in node.children:
        if child.kind == "text":
            yield child.text
        elif child.kind in {"softbreak", "break"}:
            yield " "
        elif child.kind not in {"code", "note", "citation"}:
            yield from _say(child)


def find_straight_quotes(galley: Galley) -> Iterator[Spot]:
    for text, place, _, _ in _list_printed(galley):
        if '"' in text:
            where = text.index('"')
            around = show(text[max(where - 15, 0) : where + 15])
            yield Spot(
                place, f"the quotation mark in '{around}' has no partner and is printed straight; close it"
            )


def find_open_quotes(galley: Galley) -> Iterator[Spot]:
    """A speech that runs on into the next paragraph is opened again there, and closed at its end alone."""
    for text, place, code, after in _list_printed(galley):
        opening, closing = _choose_pair(galley.language(code), text)
        if not opening:
            continue
        depth = 0
        for sign in text:
            depth += (sign == opening) - (sign == closing)
            if depth < 0:
                yield Spot(place, f"a closing {closing} without an opening one; look for what it closes")
                break
        if depth > 0 and not after.lstrip("‘’ ").startswith(opening):
            yield Spot(place, f"an opening {opening} that is never closed; close it where the speech ends")


def _choose_pair(language: Language, text: str) -> tuple[str, str]:
    if not language.quotes or ("”" in text and language.quotes[0] == "„"):
        return "", ""
    opening = next((sign for sign in language.quotes if sign in _PAIRS and sign in text), "")
    opening = opening or next((sign for sign in language.quotes if sign in _PAIRS), "")
    return opening, _PAIRS.get(opening, "")


#: T001 to T009; see `galley.Rule`.
QUOTES: Mapping[str, Rule] = {
    "T001": Rule(
        "warning",
        "a straight quotation mark that found no partner",
        "write the other one",
        find_straight_quotes,
    ),
    "T002": Rule(
        "warning",
        "quotation marks that are not closed, or closed without being opened",
        "write the other one",
        find_open_quotes,
    ),
    "T003": Rule(
        "warning",
        "an apostrophe that is printed as an opening quotation mark: *’90s*, *’tis*",
        "write ’ itself",
        slip(_clipped, "the apostrophe here is printed as an opening quotation mark; write ’", "’"),
        "text",
        fixes=True,
    ),
    "T004": Rule(
        "warning",
        "quotation marks of another language",
        'write `"`; the press prints what the language wants',
        slip(_find_foreign_quotes, "{} is no quotation mark of this language; write a straight one"),
        "text",
    ),
    "T005": Rule(
        "warning",
        "an accent in place of an apostrophe: *don´t*",
        "write `'`",
        slip(r"(?<=[^\W\d_])[´`ʹ](?=[^\W\d_])", "{} is an accent, not an apostrophe; write ’", "’"),
        "text",
        fixes=True,
    ),
    "T006": Rule(
        "warning",
        "feet and inches with quotation marks: *6'2\"*",
        "write ′ and ″",
        slip(r"(?<![\w'])(\d{1,2})['’](\s?)(\d{1,2})[\"”]", "{} takes primes; write {}", _set_primes),
        "text",
        fixes=True,
    ),
}
