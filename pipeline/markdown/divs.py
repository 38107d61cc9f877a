"""Fenced divs (`::: note`) and verse lines (`| line`)."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock

from .attributes import cut_attributes

_OPEN = re.compile(r"(:{3,})\s*([A-Za-z][\w-]*)\s*(.*)$")
_CLOSE = re.compile(r":{3,}\s*$")
_STRAY = re.compile(r":{3,}")
_CODE = re.compile(r"(`{3,}|~{3,})")
_VERSE = re.compile(r"\|(?: ([^|]*))?$")
_ALT: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def divs_plugin(parser: MarkdownIt) -> None:
    """Teach the parser fenced divs and verse lines."""
    parser.block.ruler.before("table", "verse", _verse_rule)
    parser.block.ruler.before("fence", "div", _div_rule, _ALT)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _div_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """`::: name Title {attributes}` up to its `:::`; divs may stand in divs."""
    if state.is_code_block(start):
        return False
    line = _line(state, start)
    found = _OPEN.match(line)
    if not found and not _STRAY.match(line):
        return False
    if silent:
        return True
    if not found:
        state.push("div_stray", "", 0).map = [start, start + 1]
        state.line = start + 1
        return True
    close = _find_close(state, start, end)
    title, attrs = cut_attributes(found[3])
    token = state.push("div_open", "div", 1)
    token.map = [start, close]
    token.meta = {
        "name": found[2].lower(),
        "title": title.strip(" :"),
        "attrs": attrs,
        "closed": _is_close(state, close, end),
    }
    _parse_inside(state, start + 1, close)
    state.push("div_close", "div", -1)
    state.line = close + 1 if token.meta["closed"] else close
    return True


def _is_close(state: StateBlock, number: int, end: int) -> bool:
    return number < end and state.sCount[number] >= state.blkIndent


def _find_close(state: StateBlock, start: int, end: int) -> int:
    """The line of the matching `:::`; the line after the last when nobody wrote one."""
    depth, code = 0, ""
    for number in range(start, end):
        line = _line(state, number)
        if line and state.sCount[number] < state.blkIndent:
            return number  # what holds the div ends here
        if state.is_code_block(number):
            continue
        if fence := _CODE.match(line):
            code = "" if code and line.startswith(code) else code or fence[1]
        elif not code and _OPEN.match(line):
            depth += 1
        elif not code and _CLOSE.match(line):
            depth -= 1
            if depth == 0:
                return number
    return end


def _parse_inside(state: StateBlock, start: int, end: int) -> None:
    parent, last = state.parentType, state.lineMax
    state.parentType, state.lineMax = "div", end
    state.md.block.tokenize(state, start, end)
    state.parentType, state.lineMax = parent, last


def _verse_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """Lines that begin with a bar and hold no other: verse, kept line by line."""
    if state.is_code_block(start) or not _VERSE.match(_line(state, start)):
        return False
    if silent:
        return True
    stop = start
    while stop < end and state.sCount[stop] >= state.blkIndent and _VERSE.match(_line(state, stop)):
        stop += 1
    state.push("verse_open", "div", 1).map = [start, stop]
    for number in range(start, stop):
        text = _line(state, number)[1:].strip()
        token = state.push("inline", "", 0)
        token.content, token.map, token.children = text, [number, number + 1], []
    state.push("verse_close", "div", -1)
    state.line = stop
    return True
