"""What the outbox says when somebody must act.

OutboxError              something a person can mend
├── ConfigError          book.toml or the environment
├── IssueError           an issue folder
├── PeopleError          an address, or a list of people
├── BadSignature         a link that this outbox did not sign
├── MustSplit            messages that do not fit into one call
└── Temporary            nothing is wrong for good: run the command again later
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

#: Exit codes of both commands; 2 (usage) is the command line parser's own.
DONE, MUST_ACT, TRY_LATER = 0, 1, 75


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place a person can open: a path relative to the book's folder, and a line (0: the whole file)."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class OutboxError(Exception):
    """The outbox cannot go on."""

    exit_code: ClassVar[int] = MUST_ACT

    def __init__(self, message: str = "", place: Place | None = None) -> None:
        self.message = message or (type(self).__doc__ or "")
        self.place = place
        super().__init__(f"{place}: {self.message}" if place else self.message)


class ConfigError(OutboxError):
    """book.toml cannot be used."""


class IssueError(OutboxError):
    """The issue folder cannot be used."""


class PeopleError(OutboxError):
    """The address or the list of people cannot be used."""


class BadSignature(OutboxError):
    """The link was not signed by this outbox."""


class ExpiredLink(OutboxError):
    """The time of the link is over; `words` says for whom it was."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__()


class MustSplit(OutboxError):
    """These messages do not fit into one call.

    `parts` holds their outbox ids, those of each call together; a part of one that is too large by itself
    is an OutboxError, never this.
    """

    def __init__(self, message: str, parts: tuple[tuple[str, ...], ...]) -> None:
        self.parts = parts
        super().__init__(message)


class Temporary(OutboxError):
    """Something is in the way for now; run the command again later."""

    exit_code = TRY_LATER
