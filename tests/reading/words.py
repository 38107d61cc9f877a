"""Split what is read into words, and say where two readings differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

#: Signs that one output sets where another leaves space, draws a line or says nothing.
_PUNCTUATION = re.escape(".,;:!?…'\"‘’“”()[]-–—*|•·=")
_WORD = re.compile(rf"\w+|[^\w\s{_PUNCTUATION}]")
_INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")
_NOTE_MARK = re.compile(r"(?<=\S)\[(\d+)\]")


@dataclass(frozen=True)
class Ways:
    """A passage that may be set in one of several ways, each a row of words."""

    options: tuple[tuple[str, ...], ...]


Piece = str | Ways
Word = str | Ways


def split_words(text: str) -> list[str]:
    """Words in small letters, and signs that mean something; `CO₂` is `co2`, and a note's mark `[1]` is `1`."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    return _WORD.findall(_NOTE_MARK.sub(r"\1", text))


def list_words(pieces: Iterable[Piece]) -> list[Word]:
    """`pieces` joined and split, for a word may be made of several, as H, 2 and O are."""
    words: list[Word] = []
    run: list[str] = []
    for piece in chain(pieces, [Ways(())]):
        if isinstance(piece, str):
            run.append(piece)
            continue
        words += split_words("".join(run))
        words += [piece] if piece.options else []
        run = []
    return words


def find_difference(expected: Sequence[Word], actual: Sequence[Word]) -> str:
    """Where `actual` first says something else than `expected`, in its context; nothing where they agree."""
    wanted = _settle(expected, actual)
    for at in range(max(len(wanted), len(actual))):
        if wanted[at : at + 1] != list(actual[at : at + 1]):
            before = " ".join(map(str, wanted[max(0, at - 8) : at]))
            one, other = (" ".join(map(str, words[at : at + 8])) or "the end" for words in (wanted, actual))
            return f"after '{before}' should stand '{one}', but it is '{other}'"
    return ""


def _settle(expected: Sequence[Word], actual: Sequence[Word]) -> list[str]:
    """`expected`, each passage set in the way that `actual` has it, or else in the first."""
    words: list[str] = []
    for word in expected:
        if isinstance(word, str):
            words.append(word)
            continue
        fitting = (way for way in word.options if tuple(actual[len(words) : len(words) + len(way)]) == way)
        words += next(fitting, word.options[0])
    return words
