"""Read the expression of a segment: who of the list it means, or where it goes wrong.

The grammar is a small part of Python's own, read by Python's own parser and never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, NoReturn

from .errors import OutboxError
from .model import Attribute, EventType

Sign = Literal["==", "!=", "<", "<=", ">", ">="]
MAX_LENGTH = 4_000  # characters
SIGNS: Mapping[type[ast.cmpop], Sign] = MappingProxyType(
    {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
)
MIRROR: Mapping[Sign, Sign] = MappingProxyType(
    {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
)
#: What is known of everybody; `attribute.NAME` is whatever else a list brought along.
TEXTS = ("language", "time_zone", "name", "domain")
HAPPENED: Mapping[str, EventType] = MappingProxyType(
    {
        "opened": EventType.OPENED,
        "clicked": EventType.CLICKED,
        "delivered": EventType.DELIVERED,
        "bounced": EventType.BOUNCED,
        "complained": EventType.COMPLAINED,
    }
)
MAX_DAYS = 36_500


class SegmentError(OutboxError):
    """The expression of a segment cannot be understood."""


@dataclass(frozen=True, slots=True)
class DaysAgo:
    """A date that moves along: so many days before today."""

    days: int


@dataclass(frozen=True, slots=True)
class Both:
    """All of these."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any of these."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """Not this."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has this tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of a person, beside a value."""

    field: str
    attribute: str  # where `field` is "attribute"
    sign: Sign
    value: Attribute | DaysAgo


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened in the last days; 0: ever."""

    type: EventType
    days: int


Condition = Both | Either | Neither | Tagged | Compared | Happened


def parse(expression: str) -> Condition:
    """Read an expression; raises SegmentError with the column, and the line where there are several."""
    if len(expression) > MAX_LENGTH:
        raise SegmentError(f"is longer than {MAX_LENGTH:,} characters")
    flat = re.sub(r"[\r\n\t]", " ", expression)  # it may run over several lines
    indent = len(flat) - len(flat.lstrip())
    try:
        body = ast.parse(flat[indent:], mode="eval").body
        rest = flat[indent:].encode()[body.end_col_offset :].decode()
        if "#" in rest:
            _fail(expression, len(flat) - len(rest) + rest.index("#"), "a comment cannot stand here")
        return _Reader(expression, indent).read(body)
    except SyntaxError as error:
        at = indent + error.offset - 1 if error.offset else len(flat)  # 0: it ends too early
        _fail(expression, at, f"cannot be read: {error.msg}")
    except (RecursionError, MemoryError, ValueError):
        raise SegmentError(
            "cannot be read: it is nested too deeply, or holds a character it must not"
        ) from None


def _fail(expression: str, at: int, message: str) -> NoReturn:
    before, lines = expression[:at], expression.splitlines()
    column = at - before.rfind("\n")
    where = f"line {before.count(chr(10)) + 1}, column {column}" if len(lines) > 1 else f"column {column}"
    raise SegmentError(f"{where}: {message}") from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the nodes that may stand in an expression into conditions."""

    expression: str
    indent: int

    def read(self, node: ast.expr) -> Condition:
        reader = READERS.get(type(node))
        if reader is None:
            self.fail(node, 'expected a condition such as "carer" in tags, or opened(90)')
        return reader(self, node)

    def logic(self, node: Any) -> Condition:
        parts = tuple(self.read(part) for part in node.values)
        return Both(parts) if isinstance(node.op, ast.And) else Either(parts)

    def deny(self, node: Any) -> Condition:
        if not isinstance(node.op, ast.Not):
            self.fail(node, "expected a condition")
        return Neither(self.read(node.operand))

    def call(self, node: Any) -> Condition:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in HAPPENED:
            self.unknown(node, name or "that", [*HAPPENED])
        return Happened(HAPPENED[name], self.days(node) if node.args or node.keywords else 0)

    def compare(self, node: Any) -> Condition:
        if len(node.ops) != 1:
            self.fail(node, 'compare two at a time: joined >= "2026-01-01" and joined < "2026-02-01"')
        left, sign, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(sign, ast.In | ast.NotIn):
            found = self.member(left, right)
            return Neither(found) if isinstance(sign, ast.NotIn) else found
        if type(sign) not in SIGNS:
            self.fail(node, f"compare with one of {', '.join(MIRROR)}, in, not in")
        if isinstance(left, ast.Constant):
            return self.compared(right, MIRROR[SIGNS[type(sign)]], left)
        return self.compared(left, SIGNS[type(sign)], right)

    def member(self, left: ast.expr, right: ast.expr) -> Condition:
        if isinstance(right, ast.Name) and right.id == "tags":
            tag = self.value(left)
            if not isinstance(tag, str):
                self.fail(left, 'a tag is a text: "carer" in tags')
            return Tagged(" ".join(tag.split()).lower())
        if not isinstance(right, ast.Tuple | ast.List):
            self.fail(right, 'expected tags, or a list of values: language in ("de", "en")')
        return Either(tuple(self.compared(left, "==", value) for value in right.elts))

    def compared(self, left: ast.expr, sign: Sign, right: ast.expr) -> Condition:
        field, attribute = self.field(left)
        value = self.value(right)
        if field in TEXTS and not (isinstance(value, str) and sign in {"==", "!="}):
            self.fail(right, f"{field} is a text: compare it with == or != or in")
        if field == "joined" and not isinstance(value, DaysAgo):
            self.date(right, value)
        return Compared(field, attribute, sign, value)

    def field(self, node: ast.expr) -> tuple[str, str]:
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "attribute"
        ):
            return "attribute", node.attr
        name = node.id if isinstance(node, ast.Name) else ""
        if name not in {*TEXTS, "joined"}:
            self.unknown(node, name or "that", [*TEXTS, "joined", "tags", "attribute.NAME"])
        return name, ""

    def value(self, node: ast.expr) -> Attribute | DaysAgo:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "days_ago":
            return DaysAgo(self.days(node))
        sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
        inner = node.operand if isinstance(node, ast.UnaryOp) and sign < 0 else node
        value = inner.value if isinstance(inner, ast.Constant) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            return sign * value
        if not isinstance(value, str) or sign < 0:
            self.fail(node, "expected a text in quotes, a number, or days_ago(30)")
        return value

    def days(self, node: Any) -> int:
        number = (
            node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
        )
        if node.keywords or type(number) is not int or not 0 < number <= MAX_DAYS:
            self.fail(node, f"expected a number of days, from 1 to {MAX_DAYS:,}")
        return int(number)

    def date(self, node: ast.expr, value: Attribute) -> None:
        try:
            if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            self.fail(node, 'expected a date: "2026-03-01", or days_ago(30)')

    def unknown(self, node: ast.expr, name: str, known: list[str]) -> NoReturn:
        close = get_close_matches(name, known, 1)
        self.fail(
            node,
            f"{name} is not known; "
            + (f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"),
        )

    def fail(self, node: ast.expr, message: str) -> NoReturn:
        at = len(self.expression[self.indent :].encode()[: node.col_offset].decode())  # it counts bytes
        _fail(self.expression, self.indent + at, message)


READERS: Mapping[type[ast.expr], Callable[[_Reader, Any], Condition]] = MappingProxyType(
    {
        ast.BoolOp: _Reader.logic,
        ast.UnaryOp: _Reader.deny,
        ast.Compare: _Reader.compare,
        ast.Call: _Reader.call,
    }
)
