"""Rules on wording: words that stand twice, are confused with others, or are written in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .galley import Fix, Galley, Rule, Spot
from .languages import Language, compile_any
from .slips import any_of, show, slip, spot


def _repeated(language: Language) -> str:
    return (
        rf"(?<![\w'’-])({any_of(language.never_repeat)})[ \n]+\1(?![\w'’-])" if language.never_repeat else ""
    )


def find_repeated(galley: Galley) -> Iterator[Spot]:
    """Any word twice in a row that is neither surely wrong (T017) nor usual in the language."""
    for passage in galley.passages:
        language = galley.language(passage.language)
        usual = {*language.may_repeat, *language.never_repeat}
        for found in _TWICE.finditer(passage.text):
            if found[1] not in usual and found[1].islower() and language.may_repeat:
                yield spot(passage, found.start(), f"'{show(found[0])}': the word stands twice; take one out")


_TWICE = re.compile(r"(?<![\w'’-])([^\W\d_]{2,})[ \n]+\1(?![\w'’-])")


def find_small_beginnings(galley: Galley) -> Iterator[Spot]:
    """A small letter after a full stop that belongs to no abbreviation."""
    for passage in galley.passages:
        short = galley.language(passage.language).abbreviations
        for found in _SMALL.finditer(passage.text) if short else ():
            if found[1] not in short:
                yield spot(passage, found.start(2), f"a sentence begins with '{found[2]}'; write a capital")


_SMALL = re.compile(r"(?<![\w.])([^\W\d_]{3,})\.[ \n]([a-zäöüßéèà]{2,})(?= )")


def find_wrong_abbreviations(galley: Galley) -> Iterator[Spot]:
    for passage in galley.passages:
        for pattern, right in galley.language(passage.language).abbreviated.items():
            for found in re.finditer(rf"(?<![\w.]){pattern}", passage.text):
                if found[0] != right:
                    fix = Fix(passage.offset(found.start()), passage.offset(found.end() - 1) + 1, right)
                    yield spot(passage, found.start(), f"write {right} in place of '{found[0]}'", fix)


def find_variants(galley: Galley) -> Iterator[Spot]:
    """Where a word is written in two ways, the rarer one is told."""
    for forms in galley.language().variants:
        pattern = compile_any(tuple(re.escape(form) for form in forms))
        found = [(passage, each) for passage in galley.passages for each in pattern.finditer(passage.text)]
        counts = {form: sum(each[0].casefold() == form.casefold() for _, each in found) for form in forms}
        usual = max(forms, key=lambda form: counts[form])
        for passage, each in found:
            if each[0].casefold() != usual.casefold():
                times = counts[usual]
                yield spot(
                    passage,
                    each.start(),
                    f"'{show(each[0])}' is '{usual}' elsewhere, {times} times; choose one",
                )


#: T050 to T059, W010 and so on.
WORDING: Mapping[str, Rule] = {
    # -- words
    "T017": Rule(
        "warning",
        "a word that stands twice: *the the*",
        "take one out",
        slip(_repeated, "'{}': the word stands twice; take one out", r"\1"),
        "text",
        fixes=True,
    ),
    "T050": Rule(
        "advice", "another word twice in a row", "take one out, unless it is meant", find_repeated, "text"
    ),
    "T051": Rule(
        "warning",
        "an abbreviation in a wrong form: *eg*, *etc*",
        "write it in full, or with its points",
        find_wrong_abbreviations,
        "text",
        fixes=True,
    ),
    "T052": Rule(
        "advice",
        "three words and more in capitals",
        "write small letters; `{.smallcaps}` is quieter",
        slip(
            r"(?<![\w’'-])(?:[A-ZÄÖÜ]{2,}[ \n,]+){3,}[A-ZÄÖÜ]{2,}(?![\w’'-])",
            "'{}' shouts; write small letters",
        ),
        "text",
    ),
    "T053": Rule(
        "advice", "a word written in two ways: *email*, *e-mail*", "choose one", find_variants, "text"
    ),
    "T054": Rule(
        "warning",
        "a sentence that begins with a small letter",
        "write a capital",
        find_small_beginnings,
        "text",
    ),
}
