"""What running text points at: works, as in `[see @key, p. 3; @other]`, and things in the book, as in `@fig:cell`."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from .patterns import push_match

#: One cited work: words before it, its key, a locator after it.
_ITEM = r"(?:[^\[\]@;]*[\s])?-?@[\w][\w:.+/-]*(?:,?\s[^\[\]@;]*)?"
_CITATION = re.compile(rf"\[({_ITEM}(?:;{_ITEM})*)\](?![({{])")
_REFERENCE = re.compile(r"@((?:ch|fig|tbl|sec):[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?)")
_NO_START = re.compile(r"[\w@.]")


def citation_plugin(parser: MarkdownIt) -> None:
    """Teach the parser citations and references; they come before links, which never begin so."""
    parser.inline.ruler.before("link", "citation", _citation_rule)
    parser.inline.ruler.before("link", "reference", _reference_rule)


def _citation_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    return state.src[state.pos] == "[" and push_match(state, _CITATION, "citation", silent=silent)


def _reference_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    if state.src[state.pos] != "@" or (state.pos and _NO_START.match(state.src, state.pos - 1)):
        return False
    return push_match(state, _REFERENCE, "reference", silent=silent)
