"""Write many rows at once, each database in its own quickest way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, text

from . import Tx
from .columns import Instant

Rows = Sequence[tuple[Any, ...]]
CACHE_KIB = 65_536  # SQLite's page cache while indexes grow in no order; its own is 2 MiB


def prepare(tx: Tx) -> None:
    """Make ready for many rows; to be called once per connection."""
    if not tx.many:
        tx.connection.exec_driver_sql(f"PRAGMA main.cache_size = -{CACHE_KIB}")
        tx.connection.exec_driver_sql(f"PRAGMA temp.cache_size = -{CACHE_KIB // 2}")


def moment(tx: Tx, at: datetime) -> Any:
    """A moment as the driver takes it."""
    return Instant().process_bind_param(at, tx.connection.dialect)


def by_letters(tx: Tx, column: Any) -> Any:
    """A column to sort by, the same way on every database."""
    return column.collate("C") if tx.many else column


def reserve(tx: Tx, table: Table, number: int) -> Iterable[int]:
    """Numbers for new rows of `table`, ascending, given to nobody else."""
    if tx.many:
        numbers = "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :number)"
        return tx.connection.execute(text(numbers), {"table": table.name, "number": number}).scalars().all()
    used = "SELECT seq FROM sqlite_sequence WHERE name = ?"  # an id is not given again when its row is gone
    first: int = tx.connection.exec_driver_sql(used, (table.name,)).scalar_one_or_none() or 0
    return range(first + 1, first + 1 + number)


def append(tx: Tx, table: Table, names: Sequence[str], rows: Rows) -> None:
    """Add rows, in this order."""
    columns = ", ".join(f'"{name}"' for name in names)
    if tx.many:
        _copy(tx, f"{table.name} ({columns})", rows)
    elif rows:
        marks = ", ".join("?" * len(names))
        insert = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608  (our own names)
        tx.connection.exec_driver_sql(insert, list(rows))


def is_empty(tx: Tx, table: Table) -> bool:
    """Whether a table has no rows."""
    return tx.connection.execute(select(table).limit(1)).first() is None


def _copy(tx: Tx, target: str, rows: Rows) -> None:
    driver: Any = tx.connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
