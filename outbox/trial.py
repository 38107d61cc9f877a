"""Compare subjects of an issue on a part of its people: who gets which, and which has won."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from string import ascii_uppercase
from types import MappingProxyType
from typing import Literal

from .model import UNDECIDED

Measure = Literal["kept", "clicks", "opens", "by-hand"]
#: So few people behind a subject that the difference is chance.
FEW = 200


@dataclass(frozen=True, slots=True)
class Rules:
    """How subjects are compared. `hours` pass between the first call and the choice."""

    share: float = 0.2  # of the people, who get one of the subjects; the rest waits for the winner
    hours: float = 4.0
    measure: Measure = "kept"


AS_USUAL = Rules()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one subject, in people. Opened and clicked count those alone who agreed to be counted."""

    reached: int = 0
    lost: int = 0  # left, complained, or bounced
    agreed: int = 0
    opened: int = 0
    clicked: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """A comparison under way or over."""

    subjects: int
    measure: Measure
    hours: float
    winner: int | None = None
    why: str = ""
    results: tuple[Result, ...] = ()
    waiting: int = 0  # people


#: Of how many how many, by measure.
COUNTS: Mapping[Measure, Callable[[Result], tuple[int, int]]] = MappingProxyType(
    {
        "kept": lambda one: (one.reached - one.lost, one.reached),
        "clicks": lambda one: (one.clicked, one.agreed),
        "opens": lambda one: (one.opened, one.agreed),
    }
)


#: What makes a winner, in words.
MEANS: Mapping[Measure, str] = MappingProxyType(
    {
        "kept": "the one over which the fewest leave, complain or bounce",
        "clicks": "the one that more of those who agreed to be counted click in",
        "opens": "the one that more of those who agreed to be counted open",
        "by-hand": "the one you choose, else the first",
    }
)


def draw(rules: Rules, send_id: str, number: int, subjects: int) -> int:
    """Which subject a person gets: by a digest of the send and their number, so always the same."""
    digest = blake2b(f"{send_id}.{number}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    return int(place / rules.share * subjects) if place < rules.share else UNDECIDED


def choose(measure: Measure, results: Sequence[Result]) -> tuple[int, str]:
    """The winner, and why. The first subject wins a tie, and where nothing is known."""
    if measure not in COUNTS:
        return 0, "nobody chose in time, so the first"
    counted = [COUNTS[measure](one) for one in results]
    if not all(of for _, of in counted):
        return 0, f"too little is known by {measure}, so the first"
    shares = [number / of for number, of in counted]
    best = max(range(len(shares)), key=shares.__getitem__)  # of equals the first
    told = ", ".join(f"{letter_of(place)} {share:.2%}" for place, share in enumerate(shares))
    return best, f"{measure}: {told}"


def letter_of(variant: int) -> str:
    """A, B, C: what a subject is called."""
    return ascii_uppercase[variant]
