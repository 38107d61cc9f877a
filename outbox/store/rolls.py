"""The people of a chunk: their numbers and what fills their messages, packed into two fields."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

import msgspec

from outbox.many import Roster
from outbox.model import State


class People(msgspec.Struct, array_like=True, gc=False):
    """What is known of people, a column for each thing."""

    emails: list[str]
    names: list[str]
    tokens: list[str]
    values: list[dict[str, str]] = []  # their own, where a letter asks for any

    def columns(self) -> Iterable[list[Any]]:
        """The columns that are there."""
        return filter(None, (self.emails, self.names, self.tokens, self.values))


PEOPLE = msgspec.json.Decoder(People)
NOTHING: Sequence[Any] = ("", "", "", {})


def pack_ids(ids: Iterable[int]) -> bytes:
    """Numbers as 64-bit little-endian integers."""
    packed = array("q", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(packed: bytes) -> Sequence[int]:
    """What `pack_ids` packed."""
    ids = array("q", packed)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids


def pack_people(rows: Iterable[Sequence[Any]]) -> bytes:
    """Email, name, token of each, and their own values as a fourth where a letter asks for any."""
    return msgspec.json.encode(list(zip(*rows, strict=True)))


def unpack(send_id: str, ids: bytes, people: bytes, state: State) -> Roster:
    """The people of a chunk as they were at the freeze, all in one state."""
    numbers, known = unpack_ids(ids), PEOPLE.decode(people)
    values: Sequence[Mapping[str, str]] = known.values or [{}] * len(numbers)
    return Roster(send_id, numbers, known.emails, known.names, known.tokens, values, [state] * len(numbers))


def pick(ids: bytes, people: bytes, wanted: Collection[int]) -> tuple[Sequence[int], bytes, bytes]:
    """The part of a packed chunk that holds the `wanted` people, packed."""
    chosen = set(wanted)
    keep = [number in chosen for number in unpack_ids(ids)]
    numbers = list(compress(unpack_ids(ids), keep))
    columns = [list(compress(column, keep)) for column in PEOPLE.decode(people).columns()]
    return numbers, pack_ids(numbers), msgspec.json.encode(columns)


def blank(ids: bytes, people: bytes, number: int) -> bytes:
    """A packed chunk's people without what is known of one of them."""
    numbers = unpack_ids(ids)
    if number not in numbers:
        return people
    columns = list(PEOPLE.decode(people).columns())
    for column, nothing in zip(columns, NOTHING, strict=False):
        column[numbers.index(number)] = nothing
    return msgspec.json.encode(columns)
