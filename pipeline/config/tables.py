"""Fill Struct types from TOML text, strictly, and name the line of every key that does not fit."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import inspect

from ..errors import PipelineError, Place
from ..hints import suggest
from ..sources import FORBIDDEN

KeyPath = tuple[str | int, ...]  # ("edition", 0, "name"): a key as code walks to it
Fault = tuple[KeyPath, str]  # where, and what to say

#: What a value must be: its exact types (True is no number here), and the words for it.
_PLAIN: Mapping[type[inspect.Type], tuple[tuple[type, ...], str]] = {
    inspect.StrType: ((str,), "text in quotes"),
    inspect.BoolType: ((bool,), "true or false"),
    inspect.IntType: ((int,), "a whole number"),
    inspect.FloatType: ((int, float), "a number"),
    inspect.DateType: ((date,), "a date such as 2026-08-31, without quotes"),
}

_CLOSING = re.compile(r"""[]}]|\"{3}|'{3}""")  # how a statement of several lines can end
_LONGEST = 500


def parse_toml(text: str, *, source: str, error: type[PipelineError]) -> dict[str, Any]:
    """The tables of `text`; raises `error` with the line TOML stumbles on."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error("brackets are nested too deeply; TOML needs two or three levels", Place(source)) from None
    except ValueError as problem:
        message, _, position = str(problem).partition(" (at ")
        raise error(
            f"is not TOML: {message[:1].lower()}{message[1:]}; text stands in quotes, lists in [brackets]",
            Place(source, _read_line_number(position, text)),
        ) from None


def _read_line_number(position: str, text: str) -> int:
    """The line in tomllib's "line 3, column 5)" or "end of document)"; 0 when it names none."""
    word = position.removeprefix("line ").partition(",")[0]
    if word.isdigit():
        return int(word)
    return len(text.rstrip().split("\n")) if position.startswith("end") else 0


def find_faults(value: object, wanted: inspect.Type, path: KeyPath = ()) -> Iterator[Fault]:
    """Everything in `value` that a struct of type `wanted` would not take."""
    match wanted:
        case inspect.UnionType():  # "X or nothing": TOML has no nothing
            yield from find_faults(
                value, next(t for t in wanted.types if not isinstance(t, inspect.NoneType)), path
            )
        case inspect.StructType():
            yield from _find_table_faults(value, wanted, path)
        case inspect.VarTupleType():
            yield from _find_list_faults(value, wanted, path)
        case inspect.DictType() if isinstance(value, dict):
            for key, item in value.items():
                yield from find_faults(item, wanted.value_type, (*path, key))
        case inspect.LiteralType() if value in wanted.values and isinstance(value, str):
            return
        case inspect.LiteralType() if isinstance(value, str):
            yield path, f"{name_key(path)} knows no {value!r}; {suggest(value, map(str, wanted.values))}"
        case _ if type(value) not in _PLAIN.get(type(wanted), ((), ""))[0] or _is_huge(value):
            yield path, f"{name_key(path)} wants {describe_type(wanted)}, not {_show(value)}"
        case inspect.StrType() if FORBIDDEN.search(str(value)):
            yield path, f"{name_key(path)} holds a control character; delete it"


def _is_huge(value: object) -> bool:
    """TOML's whole numbers have 64 bits; Python's reader takes more."""
    return isinstance(value, int) and abs(value) >= 2**63


def _find_table_faults(value: object, wanted: inspect.StructType, path: KeyPath) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield (
            path,
            f"{name_key(path)} wants {describe_type(wanted)}, not {_show(value)}; write {_show_table(path)}",
        )
        return
    fields = {field.encode_name: field for field in wanted.fields}
    for key, item in value.items():
        if key in fields:
            yield from find_faults(item, fields[key].type, (*path, key))
        else:
            yield (*path, key), f"{_show_table(path)} has no key {key!r}; {suggest(key, fields)}"
    for key, field in fields.items():
        if field.required and key not in value:
            yield (
                path,
                f"{_show_table(path)} lacks the key {key!r}; write {key} = {describe_type(field.type)}",
            )


def _find_list_faults(value: object, wanted: inspect.VarTupleType, path: KeyPath) -> Iterator[Fault]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from find_faults(item, wanted.item_type, (*path, number))
    else:
        cure = f"; write {_show_table((*path, 0))}" if isinstance(value, dict) else ""
        yield path, f"{name_key(path)} wants {describe_type(wanted)}, not {_show(value)}{cure}"


def describe_type(wanted: inspect.Type) -> str:
    """What an author writes for a value of this type, in words."""
    match wanted:
        case inspect.UnionType():
            return describe_type(next(t for t in wanted.types if not isinstance(t, inspect.NoneType)))
        case inspect.VarTupleType():
            return f"a list in brackets, each item {describe_type(wanted.item_type)}"
        case inspect.LiteralType():
            return " or ".join(f'"{value}"' for value in wanted.values)
        case inspect.StructType() | inspect.DictType():
            return "a table"
        case _:
            return _PLAIN[type(wanted)][1]


def name_key(path: KeyPath) -> str:
    """A key as authors know it: "[book] title", "[[edition]] formats"."""
    if len(path) == 1:
        return f"[{path[0]}]"
    *parents, last = path
    if isinstance(last, int):
        return f"{name_key(tuple(parents))}, item {last + 1},"
    return f"{_show_table(tuple(parents))} {last}"


def _show_table(path: KeyPath) -> str:
    name = ".".join(str(key) for key in path if isinstance(key, str))
    return f"[[{name}]]" if path and isinstance(path[-1], int) else f"[{name}]"


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    words = (
        str(value).lower()
        if isinstance(value, bool)
        else repr(value)
        if isinstance(value, str)
        else str(value)
    )
    return words if len(words) <= 40 else f"{words[:37]}..."


def place_faults(
    faults: Iterable[Fault], text: str, *, source: str, error: type[PipelineError]
) -> list[PipelineError]:
    """Each fault as an `error` with the line of its key, or of the nearest table around it."""
    faults = list(faults)
    lines = find_lines(text) if faults else {}
    return [error(message, Place(source, _find_line(path, lines))) for path, message in faults]


def _find_line(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 0)


def find_lines(text: str) -> dict[KeyPath, int]:
    """The line of every table and key of a valid TOML text.

    tomllib tells no lines, so the text is read again statement by statement: a
    statement ends at the first line with which it parses. Nothing is told about
    what follows a statement of more than _LONGEST lines, lest the time grow with its square.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: Counter[KeyPath] = Counter()
    pending: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        pending.append(line)
        if len(pending) > _LONGEST:
            break
        if len(pending) > 1 and not _CLOSING.search(line):
            continue
        try:
            statement = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        start = number - len(pending) + 1
        if pending[0].lstrip().startswith("["):
            table = _enter_table(statement, counts)
            lines.setdefault(table, start)
            lines.setdefault(table[:-1] if isinstance(table[-1], int) else table, start)
        else:
            for path in _walk(statement, table):
                lines.setdefault(path, start)
        pending = []
    return lines


def _enter_table(header: dict[str, Any], counts: Counter[KeyPath]) -> KeyPath:
    """The path a [table] or [[table]] header leads to, counting the items of each list of tables."""
    path: KeyPath = ()
    value: Any = header
    while value:
        if isinstance(value, list):
            counts[path] += 1
            return (*path, counts[path] - 1)
        key, value = next(iter(value.items()))
        path = (*path, counts[path] - 1, key) if counts[path] else (*path, key)
    return path


def _walk(value: object, path: KeyPath) -> Iterator[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _walk(item, (*path, key))
