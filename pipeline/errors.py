"""What the pipeline says when an author must act.

PipelineError            something the author can mend
├── ConfigError          book.toml
├── ManuscriptError      a chapter, its header, an image, the bibliography
├── LayoutError          a layout's tokens, templates or CSS
├── JudgeError           a validator that should have run could not
└── ManyErrors           several of the above, so that one run shows them all
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

#: Exit codes of both commands; 2 (usage) is the command line parser's own.
DONE, MUST_ACT, TRY_LATER = 0, 1, 75


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place an author can open: a path relative to the book's folder, a line (0: the whole file), a column.

    Columns count from 1; 0 is the whole line.
    """

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(map(str, filter(None, (self.path, self.line, self.column))))


class PipelineError(Exception):
    """The book cannot be made."""

    exit_code: ClassVar[int] = MUST_ACT

    def __init__(self, message: str = "", place: Place | None = None, *, rule: str = "") -> None:
        self.message = message or (type(self).__doc__ or "")
        self.place = place
        self.rule = rule  # the id under which `pipeline check` reports it
        super().__init__(f"{place}: {self.message}" if place else self.message)


class ConfigError(PipelineError):
    """book.toml cannot be used."""


class ManuscriptError(PipelineError):
    """The manuscript cannot be read."""


class LayoutError(PipelineError):
    """The layout cannot be used."""


class JudgeError(PipelineError):
    """A judge could not be run."""


class ManyErrors(PipelineError):
    """Several things need mending."""

    def __init__(self, errors: Sequence[PipelineError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.place or Place("")))
        super().__init__("\n".join(str(error) for error in self.errors))


def raise_all(errors: Sequence[PipelineError]) -> None:
    """Raise what was collected: nothing, the one error, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ManyErrors(errors)
