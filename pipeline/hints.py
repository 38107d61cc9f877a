"""Guess what an author meant to write."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: "did you mean ...?" when a known word is near, else all of them."""
    from difflib import get_close_matches  # only who errs waits for it

    words = sorted(known)
    near = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(words)}"
