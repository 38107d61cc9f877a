"""Rules on how hard a text is to read: long sentences, long words, roundabout and confused ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from ..errors import Place
from ..model import Chapter
from .galley import Find, Galley, Rule, Spot
from .languages import Language, compile_any, read_language
from .sentences import Sentence
from .slips import show, slip, spot

_LONG_SENTENCE = 40  # words
_HARD = 13.0  # years at school
_FEWEST_WORDS = 300  # to measure a text by
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöœùûü]+", re.IGNORECASE)


def find_long_sentences(galley: Galley) -> Iterator[Spot]:
    for sentence in galley.sentences:
        if (words := len(sentence.words)) > _LONG_SENTENCE and sentence.block.kind == "paragraph":
            yield Spot(
                sentence.place, f"the sentence '{show(sentence.text)}' has {words} words; make two of it"
            )


def find_hard_chapters(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        grade = measure(chapter, galley)
        if grade > _HARD:
            message = (
                f"the chapter asks for {grade:.0f} years at school; shorter sentences and words ask for fewer"
            )
            yield Spot(Place(chapter.source), message)


def measure(chapter: Chapter, galley: Galley) -> float:
    """Years at school that a chapter asks for; 0 when it is short, or nobody knows for its language."""
    sentences = [
        each for each in galley.sentences if each.chapter is chapter and each.block.kind == "paragraph"
    ]
    words = [word for sentence in sentences for word in sentence.words]
    formula = FORMULAS.get(galley.language(chapter.lang).reading)
    return formula(sentences, words) if formula and len(words) >= _FEWEST_WORDS else 0.0


def _count_syllables(word: str, *, silent_e: bool) -> int:
    count = len(_VOWELS.findall(word))
    if silent_e and count > 1 and re.search(r"[^aeiouyl]e(?:s|d)?$", word):
        count -= 1
    return max(count, 1)


def _flesch_kincaid(sentences: Sequence[Sentence], words: Sequence[str]) -> float:
    """Kincaid and others 1975, for English."""
    syllables = sum(_count_syllables(word, silent_e=True) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def _wiener(sentences: Sequence[Sentence], words: Sequence[str]) -> float:
    """The first Wiener Sachtextformel, Bamberger and Vanecek 1984, for German."""
    counts = [_count_syllables(word, silent_e=False) for word in words]
    share = 100 / len(words)
    many, long = sum(count > 2 for count in counts) * share, sum(len(word) > 6 for word in words) * share
    single = sum(count == 1 for count in counts) * share
    return 0.1935 * many + 0.1672 * len(words) / len(sentences) + 0.1297 * long - 0.0327 * single - 0.875


def _kandel_moles(sentences: Sequence[Sentence], words: Sequence[str]) -> float:
    """Kandel and Moles 1958 for French, its 0 to 100 laid over years at school as Flesch laid his."""
    syllables = sum(_count_syllables(word, silent_e=True) for word in words)
    ease = 207 - 1.015 * len(words) / len(sentences) - 73.6 * syllables / len(words)
    return max(0.0, (130 - ease) / 7.5)


FORMULAS: Mapping[str, Callable[[Sequence[Sentence], Sequence[str]], float]] = {
    "flesch-kincaid": _flesch_kincaid,
    "wiener": _wiener,
    "kandel-moles": _kandel_moles,
}


def _replaced(choose: Callable[[Language], Mapping[str, str]], message: str) -> Find:
    """A rule on phrases of the language's table; `{}` is what stands there, then what to write."""

    @cache
    def compile_table(code: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
        table = choose(read_language(code))
        return compile_any(tuple(table)), table

    def find(galley: Galley) -> Iterable[Spot]:
        for passage in galley.passages:
            pattern, table = compile_table(passage.language)
            for found in pattern.finditer(passage.text):
                wrong = next(key for key in table if compile_any((key,)).fullmatch(found[0]))
                yield spot(passage, found.start(), message.format(show(found[0]), table[wrong]))

    return find


def _wrong_an(language: Language) -> str:
    """A capital A counts where a sentence begins; elsewhere it is a letter."""
    vowel, consonant = language.vowel_sound, language.consonant_sound
    begin = r"(?<![\w.’'-])(?:{small}|(?:(?<=^)|(?<=[.!?“‘]\s)|(?<=[“‘])){large})[ \n](?={word}\b)\w+"
    short = begin.format(small="a", large="A", word=f"(?:{vowel})")
    return f"{short}|{begin.format(small='an', large='An', word=f'(?:{consonant})')}" if vowel else ""


def find_unexplained(galley: Galley) -> Iterator[Spot]:
    """Capitals that stand for words, and no bracket in the book says for which."""
    texts = [passage.text for passage in galley.passages]
    whole = "\n".join(texts)
    seen: set[str] = set()
    for passage in galley.passages:
        for found in re.finditer(r"(?<![\w.’'-])[A-Z]{3,5}(?![\w’'-])", passage.text):
            name = found[0]
            if name in seen or name in galley.known or passage.kind == "heading":
                continue
            seen.add(name)
            explained = re.search(
                rf"\({name}s?\b|(?<!\w){name} ?\(|\b{name},? (?:or|which|short for|that is)\b", whole
            )
            shouted = re.search(rf"[A-Z]{{2,}} {name}|{name} [A-Z]{{2,}}", passage.text)
            if whole.count(name) > 1 and not explained and not shouted:
                message = (
                    f"nobody says what {name} stands for; say so at its first place, or add it to words.txt"
                )
                yield spot(passage, found.start(), message)


#: W010 to W029; see `galley.Rule`.
READING_EASE: Mapping[str, Rule] = {
    "W010": Rule("advice", "a sentence of over 40 words", "make two of it", find_long_sentences),
    "W011": Rule("advice", "a chapter that asks for over 13 years at school", "write shorter sentences and words",
                 find_hard_chapters),
    "W012": Rule("advice", "an abbreviation that nobody explains", "say what it stands for", find_unexplained, "text"),
    "W013": Rule("advice", "a roundabout phrase: *in order to*", "say it shorter",
                 _replaced(lambda language: language.wordy, "'{}' says no more than '{}'"), "text"),
    "W014": Rule("warning", "a phrase that is often confused with another: *could of*", "write the other",
                 _replaced(lambda language: language.confused, "'{}' is a slip of the pen; '{}' is meant"), "text"),
    "W015": Rule("warning", "*a* before a vowel, *an* before a consonant", "change it",
                 slip(_wrong_an, "'{}': the article does not go with the word; change it"), "text"),
}  # fmt: skip
