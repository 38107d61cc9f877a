"""Turn typewriter marks into print: quotes, dashes, dots, and the spaces that units and French want."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_core.smartquotes import process_inlines
from markdown_it.token import Token

#: Opening and closing double quotes, then single ones, by language.
QUOTES = {
    "en": "“”‘’",
    "da": "»«›‹",
    "de": "„“‚‘",
    "es": "«»“”",
    "fi": "””’’",
    "he": "””’’",
    "fr": ["«\u202f", "\u202f»", "“", "”"],
    "it": "«»“”",
    "nl": "“”‘’",
    "pl": "„”‚’",
    "pt": "“”‘’",
    "sv": "””’’",
}

_MARKS = re.compile(r"\.{3,4}|(?<!-)-{2,3}(?!-)")
_PRINTED = {"...": "…", "....": "….", "--": "–", "---": "—"}
#: A figure and its unit stay on one line (rule T03).
_UNIT = re.compile(r"(?<=\d) (?=(?:°[CF]|[kmµ]?g|[mcdµ]?l|[kcmµ]?m|kcal|kJ|%|[ap]\.m\.)(?!\w))")
_FRENCH = re.compile(r"[ \u00a0](?=[;!?])")
_FRENCH_COLON = re.compile(r" (?=:)")


def find_quotes(language: str) -> Sequence[str]:
    """The quotation marks of a language (BCP 47); English ones where we know none."""
    return QUOTES.get(_find_primary(language), QUOTES["en"])


def _find_primary(language: str) -> str:
    return language.split("-", maxsplit=1)[0].lower()


def typography_plugin(parser: MarkdownIt, *, language: str) -> None:
    """Switch on quotes and marks for `language` (BCP 47)."""
    parser.options["typographer"] = True
    parser.enable("smartquotes")
    french = _find_primary(language) == "fr"
    parser.core.ruler.before("smartquotes", "marks", lambda state: _set_marks(state, french=french))


def _set_marks(state: StateCore, *, french: bool) -> None:
    for block in state.tokens:
        for token in _list_texts(block.children or ()):
            token.content = _print_marks(token.content, french=french)
        for token in block.children or ():
            if token.type == "image" and token.children:
                process_inlines(token.children, state)  # the parser's own rule passes them by


def _list_texts(tokens: Iterable[Token]) -> Iterator[Token]:
    """The texts an author wrote as prose: those of alternative texts too, but no address in `<...>`."""
    address = False
    for token in tokens:
        if token.type in {"link_open", "link_close"}:
            address = token.type == "link_open" and token.info == "auto"
        elif token.type == "text" and not address:
            yield token
        elif token.type == "image":
            yield from _list_texts(token.children or ())


def _print_marks(text: str, *, french: bool) -> str:
    if "--" in text or "..." in text:
        text = _MARKS.sub(lambda mark: _PRINTED[mark[0]], text)
    if " " in text:
        text = _UNIT.sub("\u00a0", text)
    if french:
        text = _FRENCH_COLON.sub("\u00a0", _FRENCH.sub("\u202f", text))
    return text
