"""Which occasions of a recurrence were used, so that each is used once and none that lies behind comes back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, insert, select

from . import Tx, queue_for
from .schema import occasion


def read_used(tx: Tx, rules: Iterable[str], now: datetime) -> dict[str, datetime]:
    """The last occasion of each rule that was used; for one that is new here, now."""
    query = select(occasion.c.rule, func.max(occasion.c.at)).group_by(occasion.c.rule)
    known = {row[0]: row[1] for row in tx.connection.execute(query)}
    return {rule: known.get(rule, now) for rule in rules}


def begin(tx: Tx, rules: Iterable[str], now: datetime) -> None:
    """Let rules that are new here begin now: what lies behind them is nobody's occasion."""
    known = set(tx.connection.execute(select(occasion.c.rule)).scalars())
    for rule in set(rules) - known:
        use(tx, rule, now)


def use(tx: Tx, rule: str, at: datetime, slug: str = "") -> bool:
    """Use an occasion, for an issue or for none; False when it was used before."""
    queue_for(tx, "occasion")
    mine = (occasion.c.rule == rule, occasion.c.at >= at)
    if tx.connection.execute(select(occasion.c.at).where(*mine)).first():
        return False
    tx.connection.execute(insert(occasion), {"rule": rule, "at": at, "slug": slug})
    return True
