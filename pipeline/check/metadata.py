"""Rules on what a book says of itself: to shops, to libraries, in the headers of its chapters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from ..errors import Place
from .galley import Galley, Rule, Spot

_PLACE = Place("book.toml")
_SHORT, _LONG = 50, 4000  # characters of a description that shops take
_LONG_TITLE = 200  # characters of title and subtitle together
_MOST_KEYWORDS = 12
_LONG_SUMMARY = 300


def _missing(key: str, why: str) -> Callable[[Galley], Iterator[Spot]]:
    def find(galley: Galley) -> Iterator[Spot]:
        if not getattr(galley.book.meta, key):
            yield Spot(_PLACE, f"[book] {key} is empty; {why}")

    return find


def find_poor_description(galley: Galley) -> Iterator[Spot]:
    text = galley.book.meta.description.strip()
    if text and not _SHORT <= len(text) <= _LONG:
        yield Spot(_PLACE, f"[book] description has {len(text)} characters; shops want {_SHORT} to {_LONG:,}")
    if text and text[-1] not in ".!?…”’":
        yield Spot(_PLACE, "[book] description breaks off; end it with a full stop")


def find_poor_title(galley: Galley) -> Iterator[Spot]:
    meta = galley.book.meta
    if len(meta.title) + len(meta.subtitle) > _LONG_TITLE:
        yield Spot(
            _PLACE, f"[book] title and subtitle have over {_LONG_TITLE} characters; shops cut them off"
        )
    if meta.title.isupper() and len(meta.title.split()) > 1:
        yield Spot(_PLACE, "[book] title stands in capitals; write small letters")
    if re.search(r"[^.][.:]$", meta.title):
        yield Spot(_PLACE, "[book] title ends with a full stop or a colon; take it out")


def find_many_keywords(galley: Galley) -> Iterator[Spot]:
    words = galley.book.meta.keywords
    if len(words) > _MOST_KEYWORDS:
        yield Spot(
            _PLACE, f"[book] keywords has {len(words)} of them; keep the {_MOST_KEYWORDS} that readers type"
        )
    for word in words:
        if words.count(word) > 1 or word.casefold() == galley.book.meta.title.casefold():
            yield Spot(_PLACE, f"[book] keywords says '{word}' again; give another word")


def find_no_isbn(galley: Galley) -> Iterator[Spot]:
    isbn = galley.book.meta.isbn
    if not (isbn.pdf or isbn.epub):
        yield Spot(_PLACE, "[book.isbn] is empty; shops and libraries ask for a number for each format")


def find_silent_cover(galley: Galley) -> Iterator[Spot]:
    meta = galley.book.meta
    if meta.cover not in {"", "none"} and not meta.cover_alt:
        yield Spot(_PLACE, "[book] cover_alt is empty; say what the cover shows, in a sentence")


def find_odd_rights(galley: Galley) -> Iterator[Spot]:
    """A year after © that is neither before nor in the year of publication."""
    meta = galley.book.meta
    years = [int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", meta.rights)]
    if "©" in meta.rights and not years:
        yield Spot(_PLACE, "[book] rights has no year; write © and the year of publication")
    elif (
        meta.date
        and years
        and "©" in meta.rights
        and meta.date.year not in years
        and max(years) < meta.date.year
    ):
        yield Spot(
            _PLACE, f"[book] rights ends with {max(years)}, and the book is of {meta.date.year}; add the year"
        )


def find_future_dates(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        if chapter.reviewed and chapter.reviewed > galley.today > date.min:
            yield Spot(
                Place(chapter.source), f"reviewed on {chapter.reviewed}, which is still to come; correct it"
            )


def find_long_summaries(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        if len(chapter.summary) > _LONG_SUMMARY:
            message = f"the summary has {len(chapter.summary)} characters; {_LONG_SUMMARY} are read"
            yield Spot(Place(chapter.source), message)


#: E001 to E029; see `galley.Rule`.
METADATA: Mapping[str, Rule] = {
    "E001": Rule("advice", "a book without a description", "write one for shops",
                 _missing("description", "shops show it, and libraries search in it")),
    "E002": Rule("warning", "a description too short, too long, or without an end", "write 50 to 4,000 characters",
                 find_poor_description),
    "E003": Rule("advice", "a book without a publisher", "name it, or yourself",
                 _missing("publisher", "name it, or yourself")),
    "E004": Rule("advice", "a book without a date", "give the day of publication",
                 _missing("date", "give the day of publication")),
    "E005": Rule("advice", "a book without a word on rights", "write © and the year",
                 _missing("rights", "write © with the year and the name")),
    "E006": Rule("advice", "a book without subject codes", "give one or two",
                 _missing("subjects", "shops shelve by BISAC or Thema codes")),
    "E007": Rule("advice", "a book without an ISBN", "give each format its own", find_no_isbn),
    "E008": Rule("warning", "a cover of your own without `cover_alt`", "say what it shows", find_silent_cover),
    "E009": Rule("warning", "a title in capitals, with a full stop, or over 200 characters", "write it plainly",
                 find_poor_title),
    "E010": Rule("warning", "keywords that repeat each other or the title, or over twelve", "give fewer, or others",
                 find_many_keywords),
    "E011": Rule("warning", "rights whose year is missing or before that of publication", "add the year",
                 find_odd_rights),
    "E012": Rule("warning", "a chapter reviewed on a day to come", "correct the date", find_future_dates),
    "E013": Rule("advice", "a summary of over 300 characters", "shorten it", find_long_summaries),
}  # fmt: skip
