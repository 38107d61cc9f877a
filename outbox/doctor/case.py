"""What a check looks at, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outbox.config import Settings
from outbox.store import Store

from .names import Names

BULK = 5_000  # messages a day, from which Gmail, Yahoo and Microsoft demand what they else only prefer (L9)


class Verdict(StrEnum):
    """How a check ended. One that could not run has not passed."""

    PASSED = "passed"
    WARNING = "warning"
    ERROR = "error"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found. `later` says that it could not run for now, and should be tried again."""

    verdict: Verdict
    found: str
    later: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is looked at. Without a `store` there is no database, and `trouble` says why."""

    settings: Settings
    names: Names
    now: Callable[[], datetime]
    free: int  # bytes on the disk
    online: bool = False
    store: Store | None = None
    audience: int = 0  # people who have confirmed
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at: what it is about, and what to do when it is not in order."""

    about: str
    mend: str
    look: Callable[[Case], Answer]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    verdict: Verdict
    found: str
    mend: str  # empty where nothing is to be done
    later: bool


def passed(found: str) -> Answer:
    return Answer(Verdict.PASSED, found)


def warning(found: str) -> Answer:
    return Answer(Verdict.WARNING, found)


def error(found: str) -> Answer:
    return Answer(Verdict.ERROR, found)


def not_run(why: str, *, later: bool = False) -> Answer:
    return Answer(Verdict.NOT_RUN, why, later)


def lacking(case: Case, found: str) -> Answer:
    """What bulk senders must have, and others should."""
    return error(found) if case.audience >= BULK else warning(found)
