"""Footnotes: `[^id]` with its text anywhere in the chapter, or `^[...]` on the spot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from .patterns import push_match

_MARK = re.compile(r"\[\^([^\]\s]+)\]")
#: Where the parser's notes begin: at the end of all blocks.
_NOTES = "footnote_block_open"


def notes_plugin(parser: MarkdownIt) -> None:
    """Teach the parser footnotes, and to remember on which lines each is written."""
    parser.use(footnote_plugin)
    parser.core.ruler.after("block", "note_lines", _lines_rule)
    parser.inline.ruler.after("footnote_ref", "note_missing", _missing_rule)


def _missing_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    """`[^id]` without a note of that name: what the rule before this one left."""
    return push_match(state, _MARK, "note_missing", silent=silent)


def _lines_rule(state: StateCore) -> None:
    lines: dict[str, list[int]] = {}
    for token in state.tokens:
        if token.type == "footnote_reference_open" and token.map:
            lines.setdefault(token.meta["label"], []).append(token.map[0])
    state.env["note_lines"] = lines


def list_note_lines(env: Mapping[str, Any]) -> Mapping[str, Sequence[int]]:
    """The lines, counted from 0, on which the text of each note begins; two when it is written twice."""
    lines: Mapping[str, Sequence[int]] = env.get("note_lines", {})
    return lines


def is_unused(label: str, env: Mapping[str, Any]) -> bool:
    """Whether nothing refers to the note."""
    return bool(env["footnotes"]["refs"][f":{label}"] < 0)


def split_notes(tokens: Sequence[Token]) -> tuple[Sequence[Token], Mapping[int, Sequence[Token]]]:
    """The tokens of the text, and those of each note by its number, counted from 0."""
    cut = next((place for place, token in enumerate(tokens) if token.type == _NOTES), len(tokens))
    notes: dict[int, list[Token]] = {}
    current: list[Token] = []
    for token in tokens[cut:]:
        if token.type == "footnote_open":
            current = notes.setdefault(int(token.meta["id"]), [])
        elif not token.type.startswith("footnote_"):
            current.append(token)
    return tokens[:cut], notes
