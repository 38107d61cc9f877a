"""Citations in brackets: `[@key]`, `[see @key, p. 3; @other]`."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

#: One cited work: words before it, its key, a locator after it.
_ITEM = r"(?:[^\[\]@;]*[\s])?-?@[\w][\w:.+/-]*(?:,?\s[^\[\]@;]*)?"
_CITATION = re.compile(rf"\[({_ITEM}(?:;{_ITEM})*)\](?![({{])")


def citation_plugin(parser: MarkdownIt) -> None:
    """Teach the parser citations; they come before links, which never hold an `@key`."""
    parser.inline.ruler.before("link", "citation", _citation_rule)


def _citation_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    if state.src[state.pos] != "[":
        return False
    found = _CITATION.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("citation", "", 0).content = found[1]
    state.pos = found.end()
    return True
