"""Variables: `{{title}}` stands for what book.toml says; whatever else is in such braces is text."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from .patterns import push_match

_VARIABLE = re.compile(r"\{\{[ ]?([A-Za-z][A-Za-z0-9_.-]*)[ ]?\}\}")


def variables_plugin(parser: MarkdownIt) -> None:
    """Teach the parser variables."""
    parser.inline.ruler.before("link", "variable", _variable_rule)


def _variable_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    return state.src[state.pos] == "{" and push_match(state, _VARIABLE, "variable", silent=silent)
