"""Rules on numbers: units, degrees, per cent, thousands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .galley import Fix, Galley, Rule, Spot
from .languages import Language
from .slips import NO_BREAK, any_of, slip, spot


def _unit_of(language: Language, before: str) -> str:
    units = any_of(tuple(unit for unit in language.units))
    return rf"(?<![\w.,/-])(\d[\d.,]*){before}({units})(?![\w/²³-])" if units else ""


def _glued(language: Language) -> str:
    return _unit_of(language, "")


def _apart(language: Language) -> str:
    return _unit_of(language, r"[ ]?\n")


def _join_unit(found: re.Match[str], _: Language) -> str:
    return f"{found[1]}{NO_BREAK}{found[2]}"


def _percent(language: Language) -> str:
    if not language.units:
        return ""
    return r"(?<=\d)[ \u00a0\u202f](?=%)" if not language.percent else r"(?<=\d)(?=%)"


def find_wrong_percent(galley: Galley) -> Iterator[Spot]:
    for passage in galley.passages:
        language = galley.language(passage.language)
        for found in re.finditer(r"(\d[\d.,]*)([ \u00a0\u202f]?)%", passage.text) if language.units else ():
            wanted = language.percent
            if bool(found[2]) != bool(wanted):
                fix = Fix(passage.offset(found.end(1) - 1) + 1, passage.offset(found.end() - 1), wanted)
                how = "a no-break space before it" if wanted else "no space before it"
                yield spot(passage, found.start(), f"'{found[0]}': this language writes % with {how}", fix)


def _decimal(language: Language) -> str:
    return r"(?<![\d.,])\d+,\d{1,2}(?![\d,])(?! ?\d)" if language.decimal == "." else ""


def find_bare_thousands(galley: Galley) -> Iterator[Spot]:
    for passage in galley.passages:
        sign = galley.language(passage.language).thousands
        for found in re.finditer(r"(?<![\w.,:/#-])\d{5,9}(?![\w/-]|[.,]\d)", passage.text) if sign else ():
            written = f"{int(found[0]):,}".replace(",", sign)
            yield spot(passage, found.start(), f"'{found[0]}' is hard to read; write {written}")


#: T040 to T049.
NUMBERS: Mapping[str, Rule] = {
    # -- numbers
    "T040": Rule(
        "warning",
        "a number glued to its unit: *5mg*",
        "write a no-break space between them",
        slip(_glued, "'{}': a unit stands apart from its number; write a space", _join_unit),
        "text",
        fixes=True,
    ),
    "T041": Rule(
        "warning",
        "a line of the file that ends between a number and its unit, and so may one of the book",
        "put both on one line",
        slip(_apart, "a line may break inside '{}'; put both on one line", _join_unit),
        "text",
        fixes=True,
    ),
    "T042": Rule(
        "warning",
        "a % with or without a space, against the language's habit",
        "change it",
        find_wrong_percent,
        "text",
        fixes=True,
    ),
    "T043": Rule(
        "warning",
        "a degree sign that is none: º, ˚, a raised o",
        "write °",
        slip(r"(?<=\d)([ \u00a0]?)[º˚](?=[CF]?\b)", "this is no degree sign; write °", r"\1°"),
        "text",
        fixes=True,
    ),
    "T044": Rule(
        "warning",
        "a decimal comma in a language that writes a point",
        "write a point",
        slip(_decimal, "'{}': this language writes a decimal point"),
        "text",
    ),
    "T045": Rule(
        "advice",
        "a number of five figures or more without separators",
        "write separators",
        find_bare_thousands,
        "text",
    ),
    "T046": Rule(
        "advice",
        "a fraction with a slash: *1/2*",
        "write ½",
        slip(r"(?<![\d/.,])(?:1/2|1/4|3/4|1/3|2/3)(?![\d/])", "'{}' can be one sign, such as ½"),
        "text",
    ),
}
