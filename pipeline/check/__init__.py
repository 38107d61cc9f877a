"""Read a book over: every rule is one function with a stable id, and every finding names a line to mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from ..errors import ConfigError, ManuscriptError, ManyErrors, PipelineError, Place
from ..model import Book
from .book import MANUSCRIPT
from .galley import Fix, Galley, Severity, ask


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something to mend: where, by which rule, how bad, and what to do; perhaps how, and on which page."""

    place: Place
    rule: str
    severity: Severity
    message: str
    fix: Fix | None = field(default=None, compare=False)
    leaf: int = field(default=-1, compare=False)

    def __str__(self) -> str:
        return f"{self.place}: {self.rule} {self.severity}: {self.message}"


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
    "M022": "a variable that is not there, or stands for nothing",
    "M021": "an edition that names a chapter that is not there",
    "M030": "a cover too small to be sold",
    "M050": "a character that no font of the layout has",
}


def check_galley(galley: Galley, *, off: Mapping[str, str], reads: Iterable[str]) -> list[Finding]:
    """Everything the rules find that read one of `reads`, each once, in the order of the text.

    `off` holds rule ids switched off in book.toml with their reasons; ConfigError
    for an id that is not there or a reason that is missing.
    """
    from .rules import RULES  # a build needs but a few of them

    refuse_unknown(off)
    wanted = {name: rule for name, rule in RULES.items() if name not in off}
    found = (
        Finding(spot.place, name, wanted[name].severity, spot.message, spot.fix, spot.leaf)
        for name, spot in ask(wanted, galley, tuple(reads))
    )
    return sorted(dict.fromkeys(found))


def find_errors(book: Book) -> list[PipelineError]:
    """What a build cannot go on with: outputs would not be valid."""
    errors = {name: rule for name, rule in MANUSCRIPT.items() if rule.severity == "error"}
    return [
        ManuscriptError(spot.message, spot.place, rule=name)
        for name, spot in ask(errors, Galley(book, date.min), ("book",))
    ]


def list_findings(error: PipelineError) -> list[Finding]:
    """The findings that an error from reading the manuscript stands for."""
    errors: Iterable[PipelineError] = error.errors if isinstance(error, ManyErrors) else (error,)
    return [Finding(e.place or Place("book.toml"), e.rule or "M000", "error", e.message) for e in errors]


def refuse_unknown(off: Mapping[str, str]) -> None:
    """Raise ConfigError for a rule of [check.off] that is not there or has no reason."""
    from .rules import RULES

    place = Place("book.toml")
    for name, reason in off.items():
        if name not in RULES and not _is_letter_rule(name):
            raise ConfigError(f"[check.off] there is no rule {name} that can be switched off", place)
        if not reason.strip():
            raise ConfigError(f"[check.off] {name} is switched off without a reason; say why", place)


def _is_letter_rule(name: str) -> bool:
    from .mail import RULES as LETTER_RULES

    return name in LETTER_RULES
