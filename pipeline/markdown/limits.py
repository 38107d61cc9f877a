"""Bounds on what a person would write, so that a hostile chapter costs an error and not an afternoon."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

#: Blocks in blocks; beyond it the parser drops what it reads, so nothing may stand that deep.
DEEPEST = 40
#: Marks in one paragraph; the time to read them grows with their square.
MOST_MARKS = {"[": 500, "$": 500, '"': 3000, "'": 3000}


def limits_plugin(parser: MarkdownIt) -> None:
    """Teach the parser to pass by paragraphs that nobody wrote; they are marked `crowded`."""
    parser.core.ruler.before("inline", "limits", _limits_rule)


def _limits_rule(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and _is_crowded(token.content):
            token.content, token.meta = "", {**token.meta, "crowded": True}


def _is_crowded(text: str) -> bool:
    return any(text.count(mark) > most for mark, most in MOST_MARKS.items())
