"""Rules on spelling: words that neither the language's dictionary nor the book's own list knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from ..errors import Place
from ..markdown import Passage
from .galley import Galley, Rule, Speller, Spot
from .slips import spot

_WORD = re.compile(r"(?<![\w’'\ufffc@&/-])[^\W\d_]+(?:['’][^\W\d_]+)*(?![\w\ufffc@&/])")
_STRESSED = re.compile(
    r"(?<![\w*])([*_])(?=[^\s*_])[^*_]{1,40}(?<=[^\s*_])\1(?![\w*])"
)  # a few words, often foreign
_LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèê"
_SHORTEST_PART = 3  # letters of half a word
_LONGEST_INITIALS = 6  # letters of an abbreviation in capitals
_FEWEST = 4  # times a name stands before another is taken for a slip of it
_SHORTEST_NAME = 5  # letters


class Words:
    """Every word of one language, where it stands, and whether it is known."""

    def __init__(self, galley: Galley, code: str, speller: Speller) -> None:
        self._speller = speller
        self._known = {word.casefold() for word in (*galley.known, *galley.language(code).abbreviations)}
        self.places: dict[str, list[tuple[Passage, int]]] = {}
        for passage in galley.passages:
            if passage.language == code:
                foreign = [found.span() for found in _STRESSED.finditer(passage.text)]
                for found in _WORD.finditer(passage.text):
                    if not any(start < found.start() < end for start, end in foreign):
                        self.places.setdefault(found[0].replace("’", "'"), []).append(
                            (passage, found.start())
                        )

    def is_known(self, word: str) -> bool:
        bare = word.removesuffix("'s").removesuffix("'")
        tries = dict.fromkeys((word, bare, bare.casefold()))
        return any(each.casefold() in self._known or self._speller.spell(each) for each in tries)

    @cached_property
    def unknown(self) -> dict[str, list[tuple[Passage, int]]]:
        """Words nobody knows, without abbreviations in capitals."""
        return {
            word: places
            for word, places in self.places.items()
            if len(word) > 1
            and not (word.isupper() and len(word) <= _LONGEST_INITIALS)
            and not self.is_known(word)
        }

    def part(self, word: str) -> str:
        """How a word that nobody knows is known: in two words, with a capital, in the singular; empty if it is not."""
        if self._speller.spell(word.capitalize()):
            return word.capitalize()
        if word.endswith("s") and len(word) > _SHORTEST_PART and self._speller.spell(word[:-1]):
            return word[:-1]
        cuts = ((word[:cut], word[cut:]) for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1))
        return next((f"{a}-{b}" for a, b in cuts if self._speller.spell(a) and self._speller.spell(b)), "")

    def suggest(self, word: str) -> str:
        """Known words one slip of the pen away, those of the book first."""
        near = [each for each in dict.fromkeys(_list_slips(word)) if self._speller.spell(each)]
        near.sort(key=lambda each: -len(self.places.get(each, ())))
        return f"write {' or '.join(near[:3])}" if near else "correct it"


def _list_slips(word: str) -> Iterator[str]:
    """Every text that is one letter away: swapped, too many, wrong, missing."""
    for cut in range(len(word) + 1):
        head, tail = word[:cut], word[cut:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        yield from (head + letter + tail for letter in _LETTERS)


def read_words(galley: Galley) -> Iterator[Words]:
    for code, speller in galley.spellers.items():
        if speller:
            yield Words(galley, code, speller)


def _list_unknown(
    galley: Galley, *, parted: bool
) -> Iterator[tuple[Words, str, list[tuple[Passage, int]], str]]:
    """Unknown words in small letters; those that are known in two words, or with a capital, or the others."""
    for words in read_words(galley):
        for word, places in words.unknown.items():
            other = words.part(word) if word[0].islower() else ""
            if word[0].islower() and bool(other) == parted:
                yield words, word, places, other


def _count(places: list[tuple[Passage, int]]) -> str:
    return f" ({len(places)} times)" if len(places) > 1 else ""


def find_misspelt(galley: Galley) -> Iterator[Spot]:
    """What has a capital is a name, and told only where it looks like another (W003)."""
    for words, word, places, _ in _list_unknown(galley, parted=False):
        message = (
            f"'{word}'{_count(places)} is in no dictionary; {words.suggest(word)}, or add it to words.txt"
        )
        yield spot(*places[0], message)


def find_joined_words(galley: Galley) -> Iterator[Spot]:
    for _, word, places, other in _list_unknown(galley, parted=True):
        message = (
            f"'{word}'{_count(places)} is in no dictionary, '{other}' is; write that, or add it to words.txt"
        )
        yield spot(*places[0], message)


def find_odd_names(galley: Galley) -> Iterator[Spot]:
    for words in read_words(galley):
        counts = Counter[str]()
        for word, places in words.places.items():
            if word[0].isupper() and len(word) >= _SHORTEST_NAME:
                counts[word.removesuffix("'s")] += len(places)
        usual = [name for name, count in counts.items() if count >= _FEWEST]
        for word, places in words.unknown.items():
            name = word.removesuffix("'s")
            near = next((other for other in usual if counts[name] == 1 and _are_near(name, other)), "")
            if near:
                yield spot(
                    *places[0], f"'{name}' stands here alone, '{near}' {counts[near]} times; is it the same?"
                )


def _are_near(one: str, other: str) -> bool:
    """Whether two names differ by one letter that is wrong, missing, too many, or in the wrong place."""
    if one == other or abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < _SHORTEST_NAME:
        return False
    head = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, others = one[head:], other[head:]
    swapped = rest[:2] == others[:2][::-1] and rest[2:] == others[2:]
    plural = {rest, others} == {"s", ""}
    return not plural and (swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:])


def find_no_dictionary(galley: Galley) -> Iterator[Spot]:
    """A check that was not made is told: it is not passed."""
    for code, speller in galley.spellers.items():
        if not speller:
            where = next(passage for passage in galley.passages if passage.language == code)
            message = f"spelling was not looked at: there is no dictionary for '{code}'"
            yield Spot(
                Place(where.path), f"{message}; install chapterpost[spelling], or Hunspell's for the language"
            )


def find_idle_words(galley: Galley) -> Iterator[Spot]:
    """A word of words.txt that the book does not use, or that the dictionary knows by now."""
    if not galley.known or not galley.passages:
        return
    said = {word.casefold() for passage in galley.passages for word in re.findall(r"[\w’'-]+", passage.text)}
    said |= {word.removesuffix("'s").removesuffix("’s") for word in said}
    folder = galley.config.ebook.chapters if galley.config else "chapters"
    for word, line in galley.known.items():
        if word.casefold() not in said:
            yield Spot(
                Place(f"{folder}/words.txt", line), f"'{word}' is not in the book; take it out of the list"
            )


#: W001 to W009; see `galley.Rule`.
SPELLING: Mapping[str, Rule] = {
    "W001": Rule("warning", "a word that is in no dictionary", "correct it, or add it to `chapters/words.txt`",
                 find_misspelt, "text"),
    "W005": Rule("advice", "a word that dictionaries have in two words, with a capital, or in the singular",
                 "write it so, or add it",
                 find_joined_words, "text"),
    "W002": Rule("warning", "a language without a dictionary: its spelling was not looked at",
                 "install `chapterpost[spelling]`, or Hunspell's dictionary", find_no_dictionary, "text"),
    "W003": Rule("warning", "a name that stands once and is one letter away from one that stands often", "correct it",
                 find_odd_names, "text"),
    "W004": Rule("advice", "a word of `chapters/words.txt` that is not in the book", "take it out", find_idle_words,
                 "text"),
}  # fmt: skip
