"""Make a rule of a pattern: what it finds in the prose as it was written, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from ..errors import Place
from ..markdown import MASK, Passage
from .galley import Find, Fix, Galley, Spot
from .languages import Language, read_language

NO_BREAK = "\N{NO-BREAK SPACE}"
_SHOWN = 40  # characters of a text in a message

#: A pattern, or what makes one for a language; nothing where the language has no such rule.
Pattern = str | Callable[[Language], str]
Change = str | Callable[[re.Match[str], Language], str] | None


def slip(pattern: Pattern, message: str, change: Change = None, *, kinds: tuple[str, ...] = ()) -> Find:
    """A rule that looks for a pattern in the prose of all files; `{}` in its message is what it found."""

    @cache
    def compile_for(code: str) -> re.Pattern[str]:
        text = pattern if isinstance(pattern, str) else pattern(read_language(code))
        return re.compile(text or r"(?!)")

    def find(galley: Galley) -> Iterator[Spot]:
        for passage in galley.passages:
            if not kinds or passage.kind in kinds:
                for found in compile_for(passage.language).finditer(passage.text):
                    fix = _fix(passage, found, change)
                    yield spot(
                        passage, found.start(), message.format(show(found[0]), fix.text if fix else ""), fix
                    )

    return find


def spot(passage: Passage, index: int, message: str, fix: Fix | None = None) -> Spot:
    return Spot(Place(passage.path, *passage.locate(index)), message, fix)


def show(text: str) -> str:
    """A text as a message quotes it: in one line, what is masked as dots."""
    words = re.sub(f"{MASK}+", "…", text.strip("\n"))
    words = re.sub(r"\s+", " ", words)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}…"


def _fix(passage: Passage, found: re.Match[str], change: Change) -> Fix | None:
    """No fix touches what is masked: code, addresses, the names of notes."""
    if change is None or MASK in found[0]:
        return None
    text = found.expand(change) if isinstance(change, str) else change(found, read_language(passage.language))
    start, end = passage.offset(found.start()), passage.offset(found.end() - 1) + 1
    return Fix(start, end, text) if found[0] else None


def any_of(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
