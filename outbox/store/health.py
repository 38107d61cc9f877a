"""Ask the database whether it is whole."""

from __future__ import annotations

from . import Store


def find_damage(store: Store) -> list[str]:
    """Return what is broken in the file, one sentence each; raises OutboxError when it cannot be read."""
    with store.read() as tx:
        if tx.connection.dialect.name != "sqlite":
            tx.connection.exec_driver_sql("SELECT 1")  # a server looks after its own files
            return []
        said = [str(row[0]) for row in tx.connection.exec_driver_sql("PRAGMA quick_check(10)")]
        lost = tx.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(10)
    found = [line for line in said if line != "ok"]
    return found + [
        f"a row of {table} belongs to a {parent} that is not there" for table, _, parent, _ in lost
    ]
