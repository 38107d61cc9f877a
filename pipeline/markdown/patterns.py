"""Inline rules that are one pattern: what it finds becomes a token of a kind."""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline


def push_match(state: StateInline, pattern: re.Pattern[str], kind: str, *, silent: bool) -> bool:
    """Push what `pattern` finds here as a token of `kind` that holds its first group; whether it found any."""
    found = pattern.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push(kind, "", 0).content = found[1]
    state.pos = found.end()
    return True
