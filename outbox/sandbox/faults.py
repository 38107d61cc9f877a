"""Say what goes wrong with a call: from a script, or at random from a seed, so that a run can be repeated."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from outbox.errors import OutboxError

#: What can go wrong beside an answer of another status, for which a fault is named by its number.
KINDS: Mapping[str, str] = {
    "reset": "the connection is cut",
    "hang": "no answer comes, then the connection is cut",
    "slow": "the answer comes late",
    "truncate": "half of the answer comes",
    "garbage": "the answer is no JSON",
}
When = Literal["before", "after"]  # the messages are accepted


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, before the messages are accepted or after."""

    kind: str  # of KINDS, or a status: 429, 503
    when: When = "before"
    seconds: float = 0.2  # how long `hang` and `slow` take, and what Retry-After asks for
    as_date: bool = False  # Retry-After is a date

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.when}"


def read_fault(text: str) -> Fault:
    """Read `reset:after` or `slow:before:1.5`; raises OutboxError."""
    kind, _, rest = text.partition(":")
    when, _, seconds = (rest or "before").partition(":")
    if not (kind in KINDS or re.fullmatch(r"[3-5]\d\d", kind)) or when not in get_args(When):
        raise OutboxError(
            f"{text!r} is no fault; write {', '.join(KINDS)} or a status, then :before or :after"
        )
    try:
        return Fault(kind, cast("When", when), float(seconds or 0.2))
    except ValueError:
        raise OutboxError(f"{text!r}: {seconds!r} is no number of seconds") from None


class Faults:
    """A queue of faults that were ordered, one for each call (None: all goes well); chance when it is empty."""

    def __init__(self, rates: Mapping[Fault, float] | None = None, seed: int = 0) -> None:
        self._rates = dict(rates or {})
        self._chance = random.Random(seed)  # noqa: S311  (repeatable on purpose)
        self._script: deque[Fault | None] = deque()

    def order(self, *script: Fault | None) -> None:
        """Put faults at the end of the queue."""
        self._script.extend(script)

    def order_json(self, entries: list[Mapping[str, Any] | None]) -> None:
        """As `order`, from JSON objects with the fields of Fault; raises TypeError for another field."""
        self.order(*(Fault(**entry) if entry else None for entry in entries))

    def next(self) -> Fault | None:
        """What goes wrong with this call."""
        if self._script:
            return self._script.popleft()
        drawn = self._chance.random() if self._rates else 1.0
        for fault, rate in self._rates.items():
            if drawn < rate:
                return fault
            drawn -= rate
        return None
