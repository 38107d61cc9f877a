"""Spell a letter for a wire once, so that each message is one join of ready pieces.

A value is escaped for the place it stands in first (`fields`), then for the wire: JSON, quoted-printable, ...
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from html import escape
from itertools import chain, groupby, repeat
from operator import itemgetter
from types import MappingProxyType

import msgspec

from .headers import encode_address, show_address, show_addresses
from .many import Addressees
from .model import Address, Addressee, Escape, Template

Spell = Callable[[str], bytes]  # a text as a wire wants it; must not depend on what stands around it

#: What an addressee has beside the values of the fields. No field has such a name: see `own`.
OWN: Mapping[str, Callable[[Addressee], str]] = MappingProxyType(
    {
        "own-id": lambda person: person.outbox_id,
        "own-message-id": lambda person: person.message_id,
        "own-email": lambda person: person.to.email,
        "own-name": lambda person: person.to.name,
        "own-mailbox": lambda person: encode_address(person.to),
        "own-shown": lambda person: show_address(person.to),
    }
)
#: The same of many at once.
OWN_OF_ALL: Mapping[str, Callable[[Addressees], Sequence[str]]] = MappingProxyType(
    {
        "own-id": lambda people: people.outbox_ids,
        "own-message-id": lambda people: people.message_ids,
        "own-email": lambda people: people.emails,
        "own-name": lambda people: people.names,
        "own-mailbox": lambda people: [
            encode_address(Address(*one)) for one in zip(people.names, people.emails, strict=True)
        ],
        "own-shown": lambda people: show_addresses(people.names, people.emails),
    }
)
#: A letter that no value holds (`headers.UNSAFE`), and that these ways of writing leave as it is.
MARK = "\x7f"


@dataclass(frozen=True, slots=True)
class Hole:
    """A place where a person's own text goes, and how it is spelled there."""

    text: Template
    spell: Spell

    def opened(self) -> Callable[[Addressee], bytes]:
        """Return the function that makes the bytes for one person."""
        text, spell = self.text, self.spell
        if text.literals == ("", ""):
            ((name, put),) = text.slots
            read = OWN.get(name)
            if read:
                return lambda person: spell(put(read(person)))
            return lambda person: spell(put(person.values[name]))
        return lambda person: spell(text.fill(values_of(person, text.names)))

    def spell_all(self, people: Addressees) -> Sequence[bytes]:
        """The bytes for each of many people."""
        text = self.text
        if text.literals == ("", ""):
            ((name, put),) = text.slots
            return spell_column(column_of(people, name), put, self.spell)
        if not text.slots:
            return [self.spell(text.literals[0])] * len(people)
        values = [map(put, column_of(people, name)) for name, put in text.slots]
        shape = "%s".join(literal.replace("%", "%%") for literal in text.literals)
        return [self.spell(shape % row) for row in zip(*values, strict=True)]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A JSON value that travels as a text inside another."""

    value: object


class Form:
    """Bytes split at their holes. A hole that occurs twice is filled once for each person."""

    def __init__(self, parts: Iterable[bytes | Hole]) -> None:
        merged = tuple(_merge(parts))
        self._holes = tuple(dict.fromkeys(part for part in merged if isinstance(part, Hole)))
        self._fixed = tuple(part for part in merged if isinstance(part, bytes))
        self._fills = tuple(hole.opened() for hole in self._holes)
        fixed = iter(range(len(self._fixed)))
        order = [
            len(self._fixed) + self._holes.index(part) if isinstance(part, Hole) else next(fixed)
            for part in merged
        ]
        self._order = order
        self._times = [merged.count(hole) for hole in self._holes]
        self._pick = itemgetter(*order, *order[:1])  # one more than needed: a single index gives no tuple

    def fill(self, person: Addressee) -> bytes:
        """One message."""
        return b"".join(self.pieces(person))

    def pieces(self, person: Addressee) -> tuple[bytes, ...]:
        """The pieces of one message, ready to be joined."""
        picked: tuple[bytes, ...] = self._pick((*self._fixed, *[fill(person) for fill in self._fills]))
        return picked[:-1]

    def fill_all(self, people: Sequence[Addressee], *, head: bytes, between: bytes, tail: bytes) -> bytes:
        """One call with a message for each person, made by a single join."""
        return bytes(self.gather(people, head=head, between=between, tail=tail))

    def gather(self, people: Sequence[Addressee], *, head: bytes, between: bytes, tail: bytes) -> Call:
        """As `fill_all`, not joined yet: a hundred letters take hardly more room than one."""
        return Call(self, len(people), self.own_columns(people), head, between, tail)

    def arrange(self, own: Sequence[Sequence[bytes]]) -> Sequence[Iterable[bytes]]:
        """A column for each part in its order; those of fixed parts have no end."""
        picked: tuple[Iterable[bytes], ...] = self._pick((*map(repeat, self._fixed), *own))
        return picked[:-1]

    def measure(self, number: int, own: Sequence[Sequence[bytes]]) -> int:
        """How many bytes so many messages have."""
        return number * sum(map(len, self._fixed)) + sum(
            times * sum(map(len, column)) for times, column in zip(self._times, own, strict=True)
        )

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the fixed parts, and of where the holes are."""
        return sha256(msgspec.msgpack.encode((self._fixed, self._order))).digest()

    def own_columns(self, people: Sequence[Addressee]) -> list[Sequence[bytes]]:
        """What goes into the holes, each once, for each person."""
        columns = Addressees.of(people)
        return [hole.spell_all(columns) for hole in self._holes]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The bytes of a call (`model.Pieces`): what is the same in each message is there once."""

    form: Form
    number: int  # of messages
    own: Sequence[Sequence[bytes]]  # for each hole, a column
    head: bytes
    between: bytes
    tail: bytes

    def __bytes__(self) -> bytes:
        columns = self.form.arrange(self.own)
        pieces = list(
            chain.from_iterable(zip(repeat(self.between, self.number), *columns, strict=False))
        )  # some have no end
        pieces[0] = self.head
        return b"".join([*pieces, self.tail])

    def __len__(self) -> int:
        around = len(self.head) + len(self.between) * (self.number - 1) + len(self.tail)
        return around + self.form.measure(self.number, self.own)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]

    def digest(self) -> str:
        """SHA-256 of the form's own digest and of all that is put into it, each piece with its length."""
        pieces = msgspec.msgpack.encode((self.head, self.between, self.tail, self.number, self.own))
        return sha256(self.form.digest + pieces).hexdigest()


class Merge:
    """One body for all recipients in which a provider's own fields stand, and what goes into them.

    A value is escaped by us, for the place it stands in, so one field in two places may be two of theirs.
    """

    def __init__(self, shape: str) -> None:
        self._shape = shape  # how the provider spells a field; {} is its name
        self._names: dict[tuple[str, Escape], str] = {}

    def put(self, text: Template) -> str:
        """Return a text with the provider's fields in it."""
        parts = [text.literals[0]]
        for slot, literal in zip(text.slots, text.literals[1:], strict=True):
            name = self._names.setdefault(slot, f"f{len(self._names)}")
            parts += (self._shape.replace("{}", name), literal)
        return "".join(parts)

    def values(self) -> Mapping[str, Template]:
        """What stands for each of the provider's fields met so far."""
        return {name: Template(("", ""), (slot,)) for slot, name in self._names.items()}


def own(name: str, put: Escape = str) -> Template:
    """What an addressee has of its own (`OWN`), as a text to put into a form."""
    return Template(("", ""), ((f"own-{name}", put),))


def values_of(person: Addressee, names: Iterable[str]) -> Mapping[str, str]:
    """The values a text needs, the addressee's own among them."""
    mine = {name: OWN[name](person) for name in names if name in OWN}
    return {**person.values, **mine} if mine else person.values


def column_of(people: Addressees, name: str) -> Sequence[str]:
    """The values of one field, the addressees' own among them."""
    read = OWN_OF_ALL.get(name)
    return read(people) if read else people.values[name]


def spell_column(texts: Sequence[str], put: Escape, spell: Spell) -> Sequence[bytes]:
    """Each text escaped and spelled; all in one go where a letter becomes the same whatever stands around it."""
    if put in LETTERWISE and spell in LETTERWISE:
        spelled = spell(put(MARK.join(texts))).split(MARK.encode())
        if len(spelled) == len(texts):  # else a text holds the mark
            return spelled
    return [spell(put(text)) for text in texts]


def spell_out(text: Template, spell: Spell, *, apart: bytes = b"") -> Iterator[bytes | Hole]:
    """A text piece by piece, each spelled on its own, with `apart` between two of them."""
    yield spell(text.literals[0])
    for slot, literal in zip(text.slots, text.literals[1:], strict=True):
        yield apart
        yield Hole(Template(("", ""), (slot,)), spell)
        yield apart
        yield spell(literal)


def spell_json(value: object) -> Iterator[bytes | Hole]:
    """A JSON value in which a Template may stand wherever a text may, and a Hole for a value; keys are sorted."""
    match value:
        case Hole():
            yield value
        case Quoted():
            yield b'"'
            yield from (_quoted(part) for part in spell_json(value.value))
            yield b'"'
        case Template():
            yield b'"'
            yield from spell_out(value, json_text)
            yield b'"'
        case Mapping():
            yield from _listed(b"{", (_member(key, item) for key, item in sorted(value.items())), b"}")
        case list() | tuple():
            yield from _listed(b"[", map(spell_json, value), b"]")
        case _:
            yield json.dumps(value, ensure_ascii=False).encode()


def json_text(text: str) -> bytes:
    """What stands between the quotation marks of a JSON text."""
    return _quote(text)[1:-1].encode()


def base64_text(content: bytes) -> str:
    """A file as JSON carries it."""
    return b64encode(content).decode()


#: Ways to write a text that look at one letter at a time, and leave the mark as it is.
LETTERWISE: frozenset[object] = frozenset({str, escape, str.encode, json_text})

# The function json.dumps itself calls for a text: a fifth of the time.
_quote: Callable[[str], str] = json.encoder.encode_basestring


def _quoted(part: bytes | Hole) -> bytes | Hole:
    if isinstance(part, bytes):
        return json_text(part.decode())
    spell = part.spell
    return Hole(part.text, lambda text: json_text(spell(text).decode()))


def _member(key: str, item: object) -> Iterator[bytes | Hole]:
    yield b'"' + json_text(key) + b'":'
    yield from spell_json(item)


def _listed(start: bytes, items: Iterable[Iterable[bytes | Hole]], end: bytes) -> Iterator[bytes | Hole]:
    yield start
    for number, item in enumerate(items):
        if number:
            yield b","
        yield from item
    yield end


def _merge(parts: Iterable[bytes | Hole]) -> Iterator[bytes | Hole]:
    for is_hole, group in groupby(parts, key=lambda part: isinstance(part, Hole)):
        if is_hole:
            yield from group
        else:
            yield b"".join(group)  # type: ignore[arg-type]
