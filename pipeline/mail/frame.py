"""Say what stands around a letter's text: subject, preheader, by-line and foot, the same in both parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Date  # a field is called date

from ..directions import find_direction
from ..model import Book, Chapter, Mailing, plain
from ..resolve import EARLY
from ..sections import Words
from .compose import count_minutes
from .extract import Extract

LONGEST_SUBJECT = 60  # characters (rule M37)
_LONGEST_PREHEADER, _SHORTEST_PREHEADER = 130, 40  # characters (rule M24)
_LONGEST_DISCLAIMER = 240

#: Lines of the foot that lead somewhere: word -> merge field.
_LINKS = {"browser": "browser_url", "preferences": "preferences_url", "unsubscribe": "unsubscribe_url"}
#: Letters that are no part of a subscription: the word that says why they came; they have nothing to leave.
_NOTICES = {"confirm": "why_confirm", "reminder": "why_reminder", "goodbye": "why_goodbye"}
#: Kinds of texts that do not say when they were read over: in a book neither.
_UNDATED = frozenset({*EARLY, "part", "letter"})


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the text; `words` are the language's."""

    subject: str
    preheader: str
    language: str  # BCP 47
    direction: str  # ltr or rtl
    date: str  # as printed; a letter has none
    subtitle: str
    byline: str
    minutes: int
    reviewed: str
    footer: tuple[str, ...]
    links: tuple[tuple[str, str], ...]  # label, address
    contents: tuple[str, ...]  # the titles of its chapters, where there are several
    words: Mapping[str, str]


def make_frame(
    book: Book, chapter: Chapter, taken: Extract, *, words: Words, day: Date | None, browser: str = ""
) -> Frame:
    """The frame of the mail made of `chapter`, of which `taken` is the text.

    `day` is that of an issue; `browser` the address of its page on the web, if it has one.
    """
    authors = [author.name for author in book.meta.authors if author.role == "aut"]
    mailing = chapter.mailing or Mailing()
    language = chapter.lang or book.language
    minutes = count_minutes(taken.words)
    whole = chapter.kind not in _UNDATED and mailing.show == "full"
    return Frame(
        subject=mailing.subject or cut(plain(taken.title), LONGEST_SUBJECT),
        preheader=mailing.preheader or _make_preheader(chapter, taken),
        language=language,
        direction=find_direction(language),
        date=words.say_date(day) if day else "",
        subtitle=chapter.subtitle,
        byline=_make_byline(chapter, authors, minutes, words),
        minutes=minutes,
        reviewed=words["reviewed"].format(date=words.say_date(chapter.reviewed)) if whole and chapter.reviewed else "",
        footer=_make_footer(book, chapter, authors, words),
        links=_make_links(chapter, words, browser),
        contents=tuple(item.title for item in taken.items) if len(taken.items) > 1 else (),
        words=words.table,
    )  # fmt: skip


def _make_byline(chapter: Chapter, authors: list[str], minutes: int, words: Words) -> str:
    """Who wrote it, and for a text to sit down with how long it takes."""
    names = words.say_names(list(chapter.authors) or authors)
    reading = "" if chapter.kind == "letter" else words["minutes"].format(minutes=minutes)
    return " · ".join(part for part in (names, reading) if part)


def _make_footer(book: Book, chapter: Chapter, authors: list[str], words: Words) -> tuple[str, ...]:
    """Where the text is from, what it is not, why it came, and who sends it (rule M38)."""
    names = words.say_names(authors)
    from_book = words["from_book"].format(title=book.meta.title, names=names) if authors else ""
    why = words[_NOTICES.get(name_letter(chapter), "why_you")].format(list="@@list_name@@")
    lines = (
        "" if chapter.kind in {"issue", "letter"} else from_book,
        cut_sentences(book.meta.disclaimer, _LONGEST_DISCLAIMER),
        why,
        "@@postal_address@@",
    )
    return tuple(line for line in lines if line)


def _make_links(chapter: Chapter, words: Words, browser: str) -> tuple[tuple[str, str], ...]:
    if name_letter(chapter) in _NOTICES:
        return ()
    links = [(words[word], f"@@{field}@@") for word, field in _LINKS.items()]
    if chapter.kind == "letter":  # it is nobody else's, so it stands on no page
        return tuple(links[1:])
    return ((links[0][0], browser or links[0][1]), *links[1:])


def name_letter(chapter: Chapter) -> str:
    """`confirm` for the letter of that name; empty for what is no letter."""
    return chapter.slug.rpartition("/")[2] if chapter.kind == "letter" else ""


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
