"""Left to right, or right to left: which way a language is written, and a style sheet for the other way."""

from __future__ import annotations

import re

#: Languages (BCP 47) that are written from right to left.
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi"})
_SIDE = re.compile(r"\b(left|right)\b")
_VALUE = r"(?:calc\([^()]*\)|[^\s;}()]+)"
_FOUR_SIDES = re.compile(rf"((?:margin|padding):\s*{_VALUE}) ({_VALUE}) ({_VALUE}) ({_VALUE})")
_SLANT = re.compile(r"(font-style:\s*)?\bitalic\b ?")
_OTHER_SIDE = {"left": "right", "right": "left"}


def find_direction(language: str) -> str:
    """`rtl` for languages (BCP 47) that are written from right to left, else `ltr`."""
    return "rtl" if language.split("-", maxsplit=1)[0].lower() in _RIGHT_TO_LEFT else "ltr"


def mirror(css: str) -> str:
    """`css` for a language that is written from right to left: sides change over, and letters do not slant."""
    css = _SIDE.sub(lambda side: _OTHER_SIDE[side[1]], css)
    css = _SLANT.sub(lambda slant: f"{slant[1]}normal" if slant[1] else "", css)
    return _FOUR_SIDES.sub(r"\1 \4 \3 \2", css)
