"""Turn a segment into a condition over `subscriber`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, false, func, not_, or_, select, true
from sqlalchemy import exists as there_is
from sqlalchemy.dialects.postgresql import JSONB

from outbox import segments
from outbox.model import Consent
from outbox.segments import Both, Compared, Condition, DaysAgo, Either, Happened, Neither, Sign, Tagged

from . import Tx
from .schema import event, subscriber, suppression, tag

Test = ColumnElement[bool]
COMPARE: Mapping[Sign, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)


def choose(tx: Tx, expression: str, now: datetime) -> Test:
    """The condition for a segment's expression; an empty one means everybody. Raises SegmentError."""
    return _Compiler(tx.many, now).turn(segments.parse(expression)) if expression else true()


def count(tx: Tx, expression: str, now: datetime) -> int:
    """How many people of a segment may be written to."""
    barred = there_is().where(suppression.c.email_key == subscriber.c.email_key)
    people = select(func.count()).select_from(subscriber)
    people = people.where(subscriber.c.consent == Consent.CONFIRMED, ~barred, choose(tx, expression, now))
    return tx.connection.execute(people).scalar_one()


class _Compiler:
    """Turns conditions into SQL. What is not known of a person equals nothing, and differs from everything."""

    def __init__(self, many: bool, now: datetime) -> None:  # noqa: FBT001  (which of two databases)
        self.many, self.now = many, now

    def turn(self, condition: Condition) -> Test:
        match condition:
            case Both(parts):
                return and_(true(), *map(self.turn, parts))
            case Either(parts):
                return or_(false(), *map(self.turn, parts))
            case Neither(part):
                return not_(self.turn(part))
            case Tagged(word):
                return there_is().where(tag.c.subscriber_id == subscriber.c.id, tag.c.tag == word)
            case Happened(kind, days):
                since = [event.c.at >= self.now - timedelta(days=days)] if days else []
                return there_is().where(
                    event.c.subscriber_id == subscriber.c.id, event.c.type == kind, *since
                )
            case Compared("joined", _, sign, value):
                return self.joined(sign, value)
            case Compared("attribute", name, sign, value):
                return self.attribute(name, sign, value)
            case Compared("domain", _, sign, value):
                at = subscriber.c.email_key.endswith(f"@{str(value).lower()}", autoescape=True)
                return at if sign == "==" else not_(at)
            case Compared(field, _, sign, value):
                return COMPARE[sign](subscriber.c[field], value)  # type: ignore[no-any-return]

    def joined(self, sign: Sign, value: Any) -> Test:
        """Compare by whole days in UTC."""
        day = datetime.combine(self.day(value), time(), UTC)
        after = day + timedelta(days=1)
        at = subscriber.c.created_at
        return {
            "==": and_(at >= day, at < after),
            "!=": or_(at < day, at >= after),
            "<": at < day,
            "<=": at < after,
            ">": at >= after,
            ">=": at >= day,
        }[sign]

    def attribute(self, name: str, sign: Sign, value: Any) -> Test:
        """Compare numbers with numbers, and texts (and dates, which are texts) with texts."""
        is_number = isinstance(value, int | float)
        wanted = self.day(value).isoformat() if isinstance(value, DaysAgo) else value
        found, kind = self.json(name)
        if is_number:
            right_kind = kind.in_(("number", "integer", "real"))
            same = COMPARE[sign](case((right_kind, cast(found, Float)), else_=None), float(value))
        else:
            right_kind = kind.in_(("string", "text"))
            same = COMPARE[sign](case((right_kind, found), else_=None), wanted)
        return func.coalesce(same, true() if sign == "!=" else false())

    def json(self, name: str) -> tuple[Any, Any]:
        """An attribute's value, and its kind as the database calls it."""
        if self.many:
            whole = cast(subscriber.c.attributes, JSONB)
            return whole[name].astext, func.jsonb_typeof(whole[name])
        path = f'$."{name}"'
        return func.json_extract(subscriber.c.attributes, path), func.json_type(subscriber.c.attributes, path)

    def day(self, value: Any) -> date:
        if isinstance(value, DaysAgo):
            return self.now.astimezone(UTC).date() - timedelta(days=value.days)
        return date.fromisoformat(value)
