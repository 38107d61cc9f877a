"""Turn typewriter marks into print: quotes, dashes, dots and the spaces French wants."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

#: Opening and closing double quotes, then single ones, by language.
QUOTES = {
    "en": "“”‘’",
    "da": "»«›‹",
    "de": "„“‚‘",
    "es": "«»“”",
    "fi": "””’’",
    "fr": ["«\u202f", "\u202f»", "“", "”"],
    "it": "«»“”",
    "nl": "“”‘’",
    "pl": "„”‚’",
    "pt": "“”‘’",
    "sv": "””’’",
}

_MARKS = re.compile(r"\.{3,4}|(?<!-)-{2,3}(?!-)")
_PRINTED = {"...": "…", "....": "….", "--": "–", "---": "—"}
_FRENCH = re.compile(r"[ \u00a0](?=[;!?])")
_FRENCH_COLON = re.compile(r" (?=:)")


def typography_plugin(parser: MarkdownIt, *, language: str) -> None:
    """Switch on quotes and marks for `language` (BCP 47)."""
    parser.options["typographer"] = True
    parser.enable("smartquotes")
    french = language.split("-")[0] == "fr"
    parser.core.ruler.before("smartquotes", "marks", lambda state: _set_marks(state, french=french))


def _set_marks(state: StateCore, *, french: bool) -> None:
    for block in state.tokens:
        for token in block.children or ():
            if token.type == "text":
                token.content = _print_marks(token, french=french)


def _print_marks(token: Token, *, french: bool) -> str:
    text = token.content
    if "--" in text or "..." in text:
        text = _MARKS.sub(lambda mark: _PRINTED[mark[0]], text)
    if french:
        text = _FRENCH_COLON.sub("\u00a0", _FRENCH.sub("\u202f", text))
    return text
