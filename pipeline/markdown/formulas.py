"""Formulas: `$x^2$` in a line, `$$` above and below one of its own; a price in dollars is none."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

#: A dollar sign close to what follows, up to one close to what is before it and to no figure.
_FORMULA = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])*?)(?<!\s)\$(?![\d$])", re.DOTALL)
_BEFORE = re.compile(r"[\w$]")
#: What words between two prices do not have.
_SIGNS = re.compile(r"[\\^_=+<>/|{}]")
_FENCE = "$$"


def formulas_plugin(parser: MarkdownIt) -> None:
    """Teach the parser formulas."""
    parser.inline.ruler.after("escape", "formula", _inline_rule)
    parser.block.ruler.before(
        "fence", "formula", _block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _inline_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    if state.src[state.pos] != "$" or (state.pos and _BEFORE.match(state.src, state.pos - 1)):
        return False
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if not found or (re.search(r"\s", found[1]) and not _SIGNS.search(found[1])):
        return False
    if not silent:
        state.push("formula", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """From `$$` to the line that ends with `$$`, which may be the same."""
    if state.is_code_block(start) or not _line(state, start).startswith(_FENCE):
        return False
    stop = start
    while stop < end and not _ends(_line(state, stop), first=stop == start):
        stop += 1
        if stop < end and state.sCount[stop] < state.blkIndent:
            stop = end
    if stop >= end or silent:
        return stop < end
    lines = [_line(state, number) for number in range(start, stop + 1)]
    token = state.push("formula_block", "", 0)
    token.map, token.block = [start, stop + 1], True
    token.content = "\n".join(lines).strip().removeprefix(_FENCE).removesuffix(_FENCE).strip()
    state.line = stop + 1
    return True


def _ends(line: str, *, first: bool) -> bool:
    line = line.rstrip()
    return line.endswith(_FENCE) and (not first or len(line) > 2 * len(_FENCE))


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
