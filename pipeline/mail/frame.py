"""Say what stands around a chapter in a letter: subject, preheader, by-line and foot, the same in both parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ..errors import Place
from ..model import Book, Chapter, plain
from ..sections import Words
from .extract import Extract

_LONGEST_SUBJECT, _LONGEST_PREHEADER, _SHORTEST_PREHEADER = 60, 130, 40  # characters (rules M37, M24)
_LONGEST_DISCLAIMER = 240
_WORDS_A_MINUTE = 200
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi"})
#: Lines of the foot that lead somewhere: word -> merge field.
_LINKS = {"browser": "browser_url", "preferences": "preferences_url", "unsubscribe": "unsubscribe_url"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the text; `words` are the language's, `notices` what the author should know."""

    subject: str
    preheader: str
    language: str  # BCP 47
    direction: str  # ltr or rtl
    date: str
    subtitle: str
    byline: str
    minutes: int
    reviewed: str
    footer: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # label, address
    words: Mapping[str, str]
    notices: tuple[str, ...]


def make_frame(book: Book, chapter: Chapter, taken: Extract, *, words: Words, day: date) -> Frame:
    """The frame of `chapter`, of which `taken` is the text, in a letter of `day`."""
    authors = [author.name for author in book.meta.authors if author.role == "aut"]
    names = words.say_names(list(chapter.authors) or authors)
    language = chapter.lang or book.language
    minutes = max(1, round(taken.words / _WORDS_A_MINUTE))
    reading = words["minutes"].format(minutes=minutes)
    return Frame(
        subject=cut(plain(taken.title), _LONGEST_SUBJECT),
        preheader=_make_preheader(chapter, taken),
        language=language,
        direction="rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr",
        date=words.say_date(day),
        subtitle=chapter.subtitle,
        byline=" · ".join(part for part in (names, reading) if part),
        minutes=minutes,
        reviewed=words["reviewed"].format(date=words.say_date(chapter.reviewed)) if chapter.reviewed else "",
        footer=_make_footer(book, authors, words),
        links=tuple((words[word], f"@@{field}@@") for word, field in _LINKS.items()),
        words=words.table,
        notices=tuple(_warn(chapter, plain(taken.title))),
    )


def _make_footer(book: Book, authors: list[str], words: Words) -> tuple[str, ...]:
    """Where the text is from, what it is not, why it came, and who sends it (rule M38)."""
    whole = (
        words["from_book"].format(title=book.meta.title, names=words.say_names(authors)) if authors else ""
    )
    disclaimer = cut_sentences(book.meta.disclaimer, _LONGEST_DISCLAIMER)
    why = words["why_you"].format(list="@@list_name@@")
    return tuple(line for line in (whole, disclaimer, why, "@@postal_address@@") if line)


def _make_preheader(chapter: Chapter, taken: Extract) -> str:
    """The summary; where it is short or missing, the opening words as well."""
    opening = next((plain(node.children) for node in taken.body if node.kind == "paragraph"), "")
    text = chapter.summary if len(chapter.summary) >= _SHORTEST_PREHEADER else f"{chapter.summary} {opening}"
    return cut(text, _LONGEST_PREHEADER)


def cut(text: str, longest: int) -> str:
    """`text` on one line, or as many whole words of it as fit before an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    return text[:longest].rpartition(" ")[0].rstrip(" ,;:.–—-") + "…"


def cut_sentences(text: str, longest: int) -> str:
    """As many of the first sentences as fit, or else the beginning of the first."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    ends = [found.end() for found in re.finditer(r"[.!?](?= )", text) if found.end() <= longest]
    return text[: ends[-1]] if ends else cut(text, longest)


def _warn(chapter: Chapter, title: str) -> list[str]:
    """What a reader would frown at in the list of letters (rule M37)."""
    found = {
        f"the title is longer than {_LONGEST_SUBJECT} characters, so the subject is cut": len(title)
        > _LONGEST_SUBJECT,
        "the title is in capitals, which looks like shouting": title.isupper(),
        "the title has several exclamation marks, which looks like advertising": "!!" in title,
    }
    place = Place(chapter.source, chapter.title_line)
    return [f"{place}: {message}" for message, holds in found.items() if holds]
