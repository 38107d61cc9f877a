"""The people of a chunk: their numbers and what fills their messages, packed into two fields."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from outbox.many import Roster
from outbox.model import State

PEOPLE = msgspec.json.Decoder(list[list[Any]])


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
    """[email, name, token] of each, and their own values as a fourth where a letter asks for any."""
    return msgspec.json.encode(list(rows))


def unpack(send_id: str, ids: bytes, people: bytes, state: State) -> Roster:
    """The people of a chunk as they were at the freeze, all in one state."""
    numbers, rows = unpack_ids(ids), PEOPLE.decode(people)
    emails, names, tokens = ([row[place] for row in rows] for place in range(3))
    own = [_own(row) for row in rows]
    return Roster(send_id, numbers, emails, names, tokens, own, [state] * len(numbers))


def pick(ids: bytes, people: bytes, wanted: Iterable[int]) -> tuple[Sequence[int], bytes, bytes]:
    """The part of a packed chunk that holds the `wanted` people, packed."""
    chosen = set(wanted)
    kept = [
        (number, person)
        for number, person in zip(unpack_ids(ids), PEOPLE.decode(people), strict=True)
        if number in chosen
    ]
    numbers = [number for number, _ in kept]
    return numbers, pack_ids(numbers), pack_people(person for _, person in kept)


def blank(ids: bytes, people: bytes, number: int) -> bytes:
    """A packed chunk's people without what is known of one of them."""
    if number not in unpack_ids(ids):
        return people
    both = zip(unpack_ids(ids), PEOPLE.decode(people), strict=True)
    return pack_people(["", "", ""] if own == number else person for own, person in both)


def _own(person: Sequence[Any]) -> Mapping[str, str]:
    return person[3] if len(person) > 3 else {}
