"""Make the bytes of a call, and find whom no message can be made for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from . import mailing
from .desk import Desk
from .errors import MustSplit, OutboxError
from .many import Roster
from .model import PreparedBatch, Recipient
from .store.claims import Taken


class Rendered(NamedTuple):
    """The bytes of a call, and whom no message can be made for."""

    taken: Taken
    people: Roster
    batch: PreparedBatch | None
    unwritable: Sequence[tuple[Recipient, str]] = ()
    parts: Sequence[Sequence[int]] = ()  # does not fit into one call
    sha: str = ""  # of the batch


def render(desk: Desk, frozen: mailing.FrozenSend, taken: Taken, now: datetime) -> Rendered:
    """Make the bytes of a call; whom no message can be made for does not stop the others."""
    people = taken.people
    try:
        batch = desk.prepare(frozen, taken.chunk, people, now)
        return Rendered(taken, people, batch, sha=batch.sha)
    except MustSplit as error:
        parts = [[int(name.rpartition(".")[2]) for name in part] for part in error.parts]
        return Rendered(taken, people, None, parts=parts)
    except OutboxError as error:
        if len(people) == 1:
            return Rendered(taken, people.only(()), None, unwritable=[(people[0], str(error))])
    bad = _find_unwritable(desk, frozen, taken, now)
    good = set(people.numbers).difference(one.subscriber_id for one, _ in bad)
    return Rendered(taken, people.only(good), None, unwritable=bad)


def _find_unwritable(
    desk: Desk, frozen: mailing.FrozenSend, taken: Taken, now: datetime
) -> list[tuple[Recipient, str]]:
    found = []
    for one in taken.people:
        try:
            desk.prepare(frozen, taken.chunk, Roster.of([one]), now)
        except OutboxError as error:
            found.append((one, str(error)))
    return found
