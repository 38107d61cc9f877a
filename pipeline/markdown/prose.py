"""A short way for plain paragraphs: where no rule could find anything, none is asked."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

#: What an inline rule may begin with; other characters are text to all of them.
_MARK = re.compile(r"[\n\\`*_~\[<&^{@$]")


def prose_plugin(parser: MarkdownIt) -> None:
    """Teach the parser the short way; comes after all other rules, for it goes before them.

    Nine in ten lines of a novel are such paragraphs, and they take half the time to read.
    """
    first = parser.block.ruler.get_all_rules()[0]
    parser.block.ruler.before(first, "prose", _paragraph_rule)
    parser.core.ruler.at("inline", _inline_rule)


def _paragraph_rule(state: StateBlock, start: int, _end: int, silent: bool) -> bool:  # noqa: FBT001
    """One line that begins with a letter, a blank line or the end below it, and no definition after that."""
    if silent or state.is_code_block(start) or not _begins_with_letter(state, start):
        return False
    if start + 1 < state.lineMax and not state.isEmpty(start + 1):
        return False
    if start + 2 < state.lineMax and state.src.startswith((":", "~"), _find_text(state, start + 2)):
        return False
    content = mdTrim(state.getLines(start, start + 1, state.blkIndent, False))  # noqa: FBT003
    state.line = start + 1
    state.push("paragraph_open", "p", 1).map = [start, start + 1]
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = content, [start, start + 1], []
    state.push("paragraph_close", "p", -1)
    return True


def _begins_with_letter(state: StateBlock, line: int) -> bool:
    place = _find_text(state, line)
    return place < state.eMarks[line] and (state.src[place].isalpha() or state.src[place] in "“‘")


def _find_text(state: StateBlock, line: int) -> int:
    return state.bMarks[line] + state.tShift[line]


def _inline_rule(state: StateCore) -> None:
    """Words without any mark are one text; the others are read as ever."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        if token.content and not _MARK.search(token.content):
            token.children = [Token("text", "", 0, content=token.content)]
        else:
            token.children = token.children or []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
