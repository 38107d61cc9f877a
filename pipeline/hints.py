"""Guess what an author meant to write."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 20  # words that anybody reads in a message


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: "did you mean ...?" when a known word is near, else what there is."""
    from difflib import get_close_matches  # only who errs waits for it

    words = sorted(known)
    near = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"use one of: {', '.join(words[:_MOST])}{more}"
