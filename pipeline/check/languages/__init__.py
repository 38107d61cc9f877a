"""The words and habits of each language that rules look for: a new language is a new file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

_HOME = Path(__file__).parent
_NONE: Mapping[str, str] = MappingProxyType({})


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the health profile looks for; patterns may use ` * ` for a few words in between."""

    claims: tuple[str, ...] = ()  # verbs that promise an effect
    promises: dict[str, str] = {}  # what is never printed = what to write instead
    careful: tuple[str, ...] = ()  # what shows that a sentence warns, asks or advises
    causes: tuple[str, ...] = ()  # what says cause, where a study saw a link
    blame: dict[str, str] = {}  # what blames a patient = what to write instead
    herbs: tuple[str, ...] = ()
    interactions: tuple[str, ...] = ()  # what names a table on interactions
    measures: tuple[str, ...] = ()  # what makes a number a finding


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language as the rules know it; what a file leaves out, no rule looks for."""

    code: str = ""
    units: tuple[str, ...] = ()  # a number and one of these stay together
    percent: str = ""  # between a number and its %
    dash: str = ""  # what parts a sentence
    decimal: str = ""  # the sign before tenths
    thousands: str = ""  # the sign between thousands
    quotes: str = ""  # all quotation marks in use
    marks_after: bool = True  # a note's mark stands after punctuation
    spaced: str = ""  # marks that have a space before them
    may_repeat: tuple[str, ...] = ()  # words that may stand twice in a row
    never_repeat: tuple[str, ...] = ()  # words that surely may not
    titles: tuple[str, ...] = ()  # what stays with the name after it, without its point
    counted: tuple[str, ...] = ()  # and with the number after it
    abbreviations: tuple[str, ...] = ()  # whose full stop ends no sentence
    abbreviated: dict[str, str] = {}  # a wrong form = the right one
    clipped: tuple[str, ...] = ()  # words that begin with an apostrophe
    picture_words: tuple[str, ...] = ()  # what no alternative text begins with
    by_hand: str = ""  # what is numbered by the press: chapter, figure, table
    vague_places: tuple[str, ...] = ()  # see above
    page_words: tuple[str, ...] = ()  # on page
    wordy: dict[str, str] = {}  # long = short
    confused: dict[str, str] = {}  # wrong = right
    variants: tuple[tuple[str, ...], ...] = ()  # ways to write one word
    small_words: tuple[str, ...] = ()  # small in a heading that has capitals
    vowel_sound: str = ""  # pattern of words that take the longer article
    consonant_sound: str = ""  # and of those that do not, though they look it
    reading: str = ""  # the formula for how hard a text is to read
    health: Health = Health()


@cache
def read_language(code: str) -> Language:
    """That of `en-GB`, else of `en`; one that knows no words where there is no file."""
    for name in (code, code.partition("-")[0]):
        path = _HOME / f"{name.lower()}.toml"
        if re.fullmatch(r"[A-Za-z]+(?:-\w+)*", name) and path.is_file():
            return msgspec.structs.replace(msgspec.toml.decode(path.read_bytes(), type=Language), code=code)
    return Language(code=code)


@cache
def compile_any(words: tuple[str, ...]) -> re.Pattern[str]:
    """What finds any of these words or patterns, whole; ` * ` stands for up to four words in between."""
    if not words:
        return re.compile(r"(?!)")
    pattern = "|".join(words).replace(" * ", r"\s(?:[^\s.!?;:]+\s){0,4}").replace(" ", r"\s+")
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
