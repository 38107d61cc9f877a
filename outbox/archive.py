"""What the list has published: issues that anybody may read, and the search among them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .fields import KNOWN, Source, check_values, split
from .model import Envelope, Issue

MAX_QUERY, MAX_WORDS = 100, 8  # characters, words
AROUND = 90  # characters on either side of what was found
FOOT = "\n---\n"  # where a text part's foot begins: what it says is the same in all of them
#: What a text part has in place of looks: lines under headings, signs before items, marks of notes.
SIGNS = re.compile(r"^[=*_-]{3,}$|^\s*[*>-] |\[\d+\]", re.MULTILINE)
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Entry:
    """An issue as the archive lists and searches it."""

    slug: str
    day: datetime
    language: str
    minutes: int
    title: str
    summary: str
    text: str  # as plain text, without its foot


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that has every word, and a piece of its text in parts: every second one is a word of the search."""

    entry: Entry
    excerpt: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """An issue as one reads it who is nobody in particular: merge fields say their defaults."""

    subject: str
    preheader: str
    html: str
    text: str


def read_for_anybody(issue: Issue, envelope: Envelope) -> Reading:
    """Fill an issue for anybody; what would act for one person leads to where people ask for their own link.

    Raises IssueError for a default that cannot stand where its field does.
    """
    fields = {**KNOWN, **issue.fields}
    nobody = f"{envelope.base_url}/link"
    values = {
        name: field.default or (nobody if field.type == "url" else "") for name, field in fields.items()
    }
    values |= {
        "browser_url": f"{envelope.base_url}/issues/{issue.slug}/",
        "list_name": envelope.list_name,
        "postal_address": envelope.postal_address,
    }
    check_values(values, fields)

    def fill(text: str, source: Source) -> str:
        return split(text, source, issue.slug, fields).fill(values)

    return Reading(
        fill(issue.subject, "header"),
        fill(issue.preheader, "header"),
        fill(issue.html, "html"),
        fill(issue.text, "text"),
    )


def make_entry(issue: Issue, day: datetime, envelope: Envelope) -> Entry | None:
    """The line of an issue; None for what is not for everybody, which the site does not list either."""
    if issue.segment or issue.kind != "issue":
        return None
    read = read_for_anybody(issue, envelope)
    minutes: int = json.loads(issue.document)["minutes"]
    text = read.text.rpartition(FOOT)[0] or read.text
    return Entry(issue.slug, day, issue.language, minutes, read.subject, read.preheader, SIGNS.sub("", text))


def search(entries: Iterable[Entry], query: str) -> list[Found]:
    """The entries in which every word of `query` begins a word; those that have them in the title first."""
    words = WORD.findall(fold(query[:MAX_QUERY]))[:MAX_WORDS]
    if not words:
        return [Found(entry) for entry in entries]
    found = [(entry, fold(f"{entry.title} {entry.summary} {entry.text}")) for entry in entries]
    patterns = [re.compile(rf"\b{re.escape(word)}") for word in words]
    hits = [entry for entry, text in found if all(pattern.search(text) for pattern in patterns)]
    hits.sort(key=lambda entry: not all(pattern.search(fold(entry.title)) for pattern in patterns))
    return [Found(entry, _excerpt(entry.text, patterns)) for entry in hits]


def fold(text: str) -> str:
    """A text in which `Müdigkeit` and `mudigkeit` are the same; as long as before, so that places stay."""
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    folded = unicodedata.normalize("NFKD", letter)[:1].lower()
    return folded if len(folded) == 1 else letter


def _excerpt(text: str, patterns: Sequence[re.Pattern[str]]) -> tuple[str, ...]:
    """A piece of the text round the first word that was found, with all that were found there set apart."""
    plain = " ".join(text.split())
    folded = fold(plain)
    first = next((at for pattern in patterns if (at := pattern.search(folded))), None)
    if first is None:
        return ()
    start = plain.rfind(" ", 0, max(0, first.start() - AROUND)) + 1
    end = plain.find(" ", first.end() + AROUND)
    end = len(plain) if end < 0 else end
    parts, place = list[str](), start
    every = re.compile("|".join(rf"{pattern.pattern}\w*" for pattern in patterns))
    for hit in every.finditer(folded, start, end):
        parts += (plain[place : hit.start()], plain[hit.start() : hit.end()])
        place = hit.end()
    parts.append(plain[place:end])
    parts[0] = "… " * (start > 0) + parts[0]
    parts[-1] += " …" * (end < len(plain))
    return tuple(parts)
