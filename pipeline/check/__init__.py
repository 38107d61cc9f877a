"""Read a book over: every rule is one function with a stable id, and every finding names a line to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ..errors import ConfigError, ManuscriptError, ManyErrors, PipelineError, Place
from ..model import Book
from . import book as rules

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something to mend: where, by which rule, how bad, and what to do."""

    place: Place
    rule: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.rule} {self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: an error stops a build, a warning does not."""

    severity: Severity
    about: str
    find: Callable[[Book, date], Iterator[rules.Spot]]


RULES: Mapping[str, Rule] = {
    "M040": Rule("error", "a picture has no alternative text", rules.find_missing_alt),
    "M041": Rule("warning", "an alternative text says nothing", rules.find_poor_alt),
    "M042": Rule("error", "a heading skips a level", rules.find_skipped_levels),
    "M043": Rule("error", "a heading has no words", rules.find_empty_headings),
    "M044": Rule("warning", "a note to oneself was left in the text", rules.find_leftovers),
    "M045": Rule("warning", "a link's words do not say where it leads", rules.find_vague_links),
    "M017": Rule("error", "a merge field stands in the book", rules.find_merge_fields),
    "M046": Rule("warning", "a chapter is still a draft", rules.find_drafts),
    "M047": Rule("warning", "a chapter was reviewed long ago", rules.find_stale_reviews),
    "M048": Rule("warning", "a chapter is empty", rules.find_empty_chapters),
    "M049": Rule("warning", "a picture's or table's caption is referred to by nobody", rules.find_orphans),
}

#: What reading the manuscript reports under an id of its own; these always stop a build.
READING: Mapping[str, str] = {
    "M001": "raw HTML is not part of the dialect",
    "M002": "a text nested or bracketed deeper than anybody reads",
    "M003": "a fenced div that is not in the list",
    "M004": "a fenced div that is never closed",
    "M005": "a class or attribute that is not in the list",
    "M006": "a note that is not written, or stands where none can",
    "M007": "a note that nothing refers to",
    "M010": "a cross-reference to something that is not there",
    "M011": "a link to a chapter or an id that is not there",
    "M012": "an id used twice",
    "M013": "a citation of a work that is not in the bibliography",
    "M014": "brackets that look like a citation and are none",
    "M015": "a link, a note or a reference inside a link",
    "M016": "a chapter is taken in where none can be, or one that is not there",
    "M018": "a term that the glossary does not define, or defines twice",
    "M019": "a mark of a term or of the index that cannot be read",
    "M020": "a formula that cannot be read",
    "M021": "an edition that names a chapter that is not there",
    "M030": "a cover too small to be sold",
    "M050": "a character that no font of the layout has",
}


def check_book(book: Book, *, today: date, off: Mapping[str, str]) -> list[Finding]:
    """Everything the rules find, in the order of the text.

    `off` holds rule ids switched off in book.toml with their reasons; ConfigError
    for an id that is not there or a reason that is missing.
    """
    refuse_unknown(off)
    return sorted(
        Finding(place, name, rule.severity, message)
        for name, rule in RULES.items()
        if name not in off
        for place, message in rule.find(book, today)
    )


def find_errors(book: Book) -> list[PipelineError]:
    """What a build cannot go on with: outputs would not be valid."""
    return [
        ManuscriptError(message, place, rule=name)
        for name, rule in RULES.items()
        if rule.severity == "error"
        for place, message in rule.find(book, date.min)
    ]


def list_findings(error: PipelineError) -> list[Finding]:
    """The findings that an error from reading the manuscript stands for."""
    errors: Iterable[PipelineError] = error.errors if isinstance(error, ManyErrors) else (error,)
    return [Finding(e.place or Place("book.toml"), e.rule or "M000", "error", e.message) for e in errors]


def refuse_unknown(off: Mapping[str, str]) -> None:
    """Raise ConfigError for a rule of [check.off] that is not there or has no reason."""
    place = Place("book.toml")
    for name, reason in off.items():
        if name not in RULES and not _is_letter_rule(name):
            raise ConfigError(f"[check.off] there is no rule {name} that can be switched off", place)
        if not reason.strip():
            raise ConfigError(f"[check.off] {name} is switched off without a reason; say why", place)


def _is_letter_rule(name: str) -> bool:
    from .mail import RULES as LETTER_RULES

    return name in LETTER_RULES
