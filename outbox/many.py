"""People, messages and answers as columns, one for each thing known of them; a single one is made when it is asked for.

What happens to a million people happens to columns: neither an object nor a call of a function for each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeVar, overload

from .model import Address, Addressee, ItemResult, Outcome, Recipient, State

One = TypeVar("One")


class Many(Sequence[One]):
    """A sequence whose members are made from columns."""

    __slots__ = ()

    def at(self, place: int) -> One:
        """The one in this place."""
        raise NotImplementedError

    @overload
    def __getitem__(self, place: int) -> One: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[One]: ...
    def __getitem__(self, place: int | slice) -> One | Sequence[One]:
        if isinstance(place, slice):
            return [self.at(one) for one in range(*place.indices(len(self)))]
        return self.at(place)


@dataclass(frozen=True, slots=True)
class Roster(Many[Recipient]):
    """The people of a chunk as they were at the freeze."""

    send_id: str
    numbers: Sequence[int]  # their own, ascending
    emails: Sequence[str]
    names: Sequence[str]
    tokens: Sequence[str]
    values: Sequence[Mapping[str, str]]
    states: Sequence[State]

    @classmethod
    def of(cls, people: Sequence[Recipient]) -> Roster:
        """These people, of one send."""
        rows = [(one.subscriber_id, one.email, one.name, one.token, one.values, one.state) for one in people]
        return cls(people[0].send_id, *map(list, zip(*rows, strict=True)))

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, place: int) -> Recipient:
        return Recipient(
            self.send_id,
            self.numbers[place],
            self.emails[place],
            self.names[place],
            self.states[place],
            self.tokens[place],
            self.values[place],
        )

    def only(self, wanted: Collection[int]) -> Roster:
        """Those with the wanted numbers."""
        keep = [number in wanted for number in self.numbers]
        columns = (self.numbers, self.emails, self.names, self.tokens, self.values, self.states)
        return Roster(self.send_id, *(list(compress(column, keep)) for column in columns))  # type: ignore[arg-type]

    def ids(self) -> list[str]:
        """The ids of their messages, as `Recipient.outbox_id`."""
        start = f"{self.send_id}."
        return [f"{start}{number}" for number in self.numbers]


@dataclass(frozen=True, slots=True)
class Addressees(Many[Addressee]):
    """What the messages of a call have of their own."""

    outbox_ids: Sequence[str]
    emails: Sequence[str]
    names: Sequence[str]
    message_ids: Sequence[str]
    values: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, people: Sequence[Addressee]) -> Addressees:
        """These people; themselves, when they are columns already."""
        if isinstance(people, Addressees):
            return people
        return cls(
            [one.outbox_id for one in people],
            [one.to.email for one in people],
            [one.to.name for one in people],
            [one.message_id for one in people],
            {name: [one.values[name] for one in people] for name in _known_of_all(people)},
        )

    def __len__(self) -> int:
        return len(self.outbox_ids)

    def at(self, place: int) -> Addressee:
        return Addressee(
            self.outbox_ids[place],
            Address(self.names[place], self.emails[place]),
            self.message_ids[place],
            {name: column[place] for name, column in self.values.items()},
        )


@dataclass(frozen=True, slots=True)
class Accepted(Many[ItemResult]):
    """Everybody of a call was accepted, as nearly always."""

    outbox_ids: Sequence[str]
    provider_ids: Sequence[str] | str  # a text: the provider gave one for the whole call

    def __len__(self) -> int:
        return len(self.outbox_ids)

    def at(self, place: int) -> ItemResult:
        given = self.provider_ids if isinstance(self.provider_ids, str) else self.provider_ids[place]
        return ItemResult(self.outbox_ids[place], Outcome.ACCEPTED, given)


def sum_up(results: Sequence[ItemResult]) -> Accepted | None:
    """Answers as one, when everybody was accepted."""
    if isinstance(results, Accepted):
        return results
    if any(one.outcome is not Outcome.ACCEPTED for one in results):
        return None
    return Accepted([one.outbox_id for one in results], [one.provider_id for one in results])


def _known_of_all(people: Iterable[Addressee]) -> set[str]:
    return set.intersection(*(set(one.values) for one in people))
