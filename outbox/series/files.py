"""Read series/*.toml: one series each, strict, with an error that names file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from outbox import segments
from outbox.errors import ConfigError, OutboxError, Place

from . import Delay, On, Series, Start, Step
from .windows import DAY, Window, open_between

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
DELAY = re.compile(r"(\d{1,4}) (minute|hour|day|week)s?")
UNITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"minute": (0, 60), "hour": (0, 3600), "day": (1, 0), "week": (7, 0)}
)
HOURS = re.compile(r"([01]?\d|2[0-4])(?::([0-5]\d))? ?[-–] ?([01]?\d|2[0-4])(?::([0-5]\d))?")
#: What a trigger needs beside its name.
NEEDS: Mapping[On, str] = MappingProxyType({"tag": "tag", "date": "date", "not downloaded": "within"})


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the file; a key that is not listed is an error."""


class StartTable(_Table, frozen=True):
    """`[start]`: what has to happen."""

    on: On
    tag: str = ""
    date: date | None = None
    within: str = ""
    also_before: bool = False


class WindowTable(_Table, frozen=True):
    """`[window]`: when letters may go."""

    days: tuple[Day, ...] = DAYS
    hours: str = "0-24"
    quiet: str = ""
    clock: Literal["reader", "list"] = "reader"


class StepTable(_Table, frozen=True):
    """`[[step]]`: one letter."""

    id: str
    letter: str
    after: str
    catch_up: bool = False


class File(_Table, frozen=True):
    """The whole file."""

    title: str
    start: StartTable
    step: tuple[StepTable, ...]
    only: str = ""
    stop: str = ""
    window: WindowTable = WindowTable()


def read_all(folder: Path) -> tuple[list[Series], list[OutboxError]]:
    """Every series of a folder, and what is wrong with those that cannot be read."""
    found, errors = [], list[OutboxError]()
    for path in sorted(folder.glob("[!.]*.toml")):
        try:
            found.append(read(path))
        except OutboxError as error:
            errors.append(error)
    return found, errors


def read(path: Path) -> Series:
    """Read one series; raises ConfigError."""
    text = _Text(path)
    file = text.convert()
    if not NAME.fullmatch(path.stem):
        raise text.error(f"{path.stem!r}: name the file in small letters, digits and hyphens")
    steps = tuple(_steps(file.step, text))
    return Series(
        name=path.stem,
        title=file.title,
        start=_start(file.start, text),
        steps=steps,
        only=_segment(file.only, "only", text),
        stop=_segment(file.stop, "stop", text),
        window=_window(file.window, text),
        by_reader=file.window.clock == "reader",
        digest=sha256(text.content).hexdigest(),
    )


def read_delay(text: str) -> Delay | None:
    """`3 days`, `1 week`, `90 minutes`, `at once`; None for anything else."""
    found = DELAY.fullmatch(text.strip())
    if not found:
        return Delay() if text.strip() == "at once" else None
    days, seconds = UNITS[found[2]]
    return Delay(days * int(found[1]), seconds * int(found[1]))


class _Text:
    """The file's text, and the line of a key for an error."""

    def __init__(self, path: Path) -> None:
        self.name = f"{path.parent.name}/{path.name}"
        try:
            self.content = path.read_bytes()
            self.value = tomllib.loads(self.content.decode())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot be read: {error}", Place(self.name)) from None

    def convert(self) -> File:
        try:
            return msgspec.convert(self.value, File, strict=True)
        except msgspec.ValidationError as error:
            raise self._explain(error) from None

    def error(self, message: str, word: str = "", *, after: int = 0) -> ConfigError:
        """An error at the first line that holds a word, from a line on."""
        lines = self.content.decode().splitlines()
        numbers = (
            number for number, line in enumerate(lines, 1) if word and number >= after and word in line
        )
        return ConfigError(message, Place(self.name, next(numbers, 0)))

    def _explain(self, error: msgspec.ValidationError) -> ConfigError:
        what, _, where = str(error).partition(" - at `$")
        at = where.rstrip("`").lstrip(".")
        table, _, key = re.sub(r"\[.*?\]", "", at).partition(".")
        line = self._line_of_step(int(found[1])) if (found := re.match(r"step\[(\d+)\]", at)) else 0
        name = f"{table} " if table else ""
        if unknown := re.search(r"unknown field `(\w+)`", what):
            known = [name for kind in _Table.__subclasses__() for name in kind.__struct_fields__]
            close = get_close_matches(unknown[1], known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            return self.error(f"{name}has no key {unknown[1]!r}{hint}", unknown[1], after=line)
        if missing := re.search(r"missing required field `(\w+)`", what):
            return self.error(f"{name}needs a key {missing[1]!r}", f"[{table}]" if table else "", after=line)
        plain = what.replace("`str`", "text").replace("`bool`", "true or false").replace("`", "")
        said = f"{f'{table}.{key}' if key else table}: {plain[0].lower()}{plain[1:]}"
        return self.error(said, key or table, after=line)

    def _line_of_step(self, place: int) -> int:
        lines = self.content.decode().splitlines()
        heads = [
            number for number, line in enumerate(lines, 1) if line.replace(" ", "").startswith("[[step]]")
        ]
        return heads[place] if place < len(heads) else 0


def _start(table: StartTable, text: _Text) -> Start:
    for on, key in NEEDS.items():
        given = bool(getattr(table, key))
        if given and table.on != on:
            raise text.error(f"start.{key} is for on = {on!r} only", key)
        if table.on == on and not given:
            raise text.error(f"start: on = {on!r} needs a key {key!r}", "on")
    within = _delay(table.within, "start.within", text) if table.within else Delay()
    tag = " ".join(table.tag.split()).lower()
    return Start(table.on, tag, table.date, within, table.also_before)


def _steps(tables: tuple[StepTable, ...], text: _Text) -> Iterator[Step]:
    if not tables:
        raise text.error("has no [[step]]")
    seen = set[str]()
    for table in tables:
        for key, value in (("id", table.id), ("letter", table.letter)):
            if not NAME.fullmatch(value) or len(value) > 64:
                raise text.error(f"step.{key} {value!r}: write small letters, digits and hyphens", value)
        if table.id in seen:
            raise text.error(f"two steps have the id {table.id!r}; an id is one step's for ever", table.id)
        seen.add(table.id)
        yield Step(table.id, table.letter, _delay(table.after, "step.after", text), table.catch_up)


def _delay(words: str, key: str, text: _Text) -> Delay:
    found = read_delay(words)
    if found is None:
        raise text.error(
            f"{key} {words!r}: write for example '3 days', '1 week', '2 hours', 'at once'", words
        )
    return found


def _window(table: WindowTable, text: _Text) -> Window:
    hours = _hours(table.hours, "hours", text)
    quiet = _hours(table.quiet, "quiet", text) if table.quiet else (0, 0)
    openings = open_between(hours, quiet)
    if not openings or not table.days:
        raise text.error("window: never opens; leave it some hours of some day", "[window]")
    return Window(frozenset(DAYS.index(day) for day in table.days), openings)


def _hours(words: str, key: str, text: _Text) -> tuple[int, int]:
    found = HOURS.fullmatch(words.strip())
    first, last = (
        (int(found[1]) * 60 + int(found[2] or 0), int(found[3]) * 60 + int(found[4] or 0))
        if found
        else (-1, 0)
    )
    if not 0 <= first < DAY or last > DAY or first == last:
        raise text.error(f"window.{key} {words!r}: write for example '9-18' or '21:30-8:00'", words or key)
    return first, last


def _segment(expression: str, key: str, text: _Text) -> str:
    try:
        if expression:
            segments.parse(expression)
    except segments.SegmentError as error:
        raise text.error(f"{key}: {error.message}", key) from None
    return expression
