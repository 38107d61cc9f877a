"""Keep every accepted message in a file that outlives a kill: the judge of who got what."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  no INTEGER PRIMARY KEY, call_no INTEGER NOT NULL, at REAL NOT NULL, dialect TEXT NOT NULL, id TEXT NOT NULL,
  email TEXT NOT NULL, outbox_id TEXT NOT NULL, batch TEXT NOT NULL, letter TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_email ON message (email);
CREATE INDEX IF NOT EXISTS message_batch ON message (batch);
CREATE TABLE IF NOT EXISTS call (
  no INTEGER PRIMARY KEY, at REAL NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL, fault TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answer (
  key TEXT PRIMARY KEY, at REAL NOT NULL, body_sha TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its reader would get it."""

    email: str
    shown: str  # the To header
    sender: str
    subject: str
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    outbox_id: str
    batch: str = ""
    files: tuple[str, ...] = ()


class Journal:
    """A SQLite file. It is safe against the death of the process, not of the machine."""

    def __init__(self, path: Path | str = ":memory:", *, keep_bodies: bool = True) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + SCHEMA)
        self._lock = threading.RLock()
        self._keep_bodies = keep_bodies

    def accept(
        self,
        messages: Sequence[tuple[str, Message]],
        *,
        dialect: str,
        path: str,
        body: bytes,
        at: float,
        fault: str = "",
        answer: tuple[str, str, int, bytes] | None = None,
    ) -> None:
        """Write down one call and its messages under their ids, and the answer its key will bring again."""
        with self._lock:
            self._database.execute("BEGIN")
            kept = body if self._keep_bodies else b""
            row = (at, path, kept, fault)
            no = self._database.execute(
                "INSERT INTO call (at, path, body, fault) VALUES (?, ?, ?, ?)", row
            ).lastrowid
            self._database.executemany(
                "INSERT INTO message (call_no, at, dialect, id, email, outbox_id, batch, letter)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (no, at, dialect, name, one.email, one.outbox_id, one.batch, self._letter(one))
                    for name, one in messages
                ],
            )
            if answer:
                key, sha, status, said = answer
                values = (key, at, sha, status, said)
                self._database.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", values)
            self._database.execute("COMMIT")

    def answer_for(self, key: str, since: float) -> tuple[str, int, bytes] | None:
        """The digest of the body, the status and the answer that were kept for a key; None when it is too old."""
        query = "SELECT body_sha, status, body FROM answer WHERE key = ? AND at >= ?"
        with self._lock:
            found: tuple[str, int, bytes] | None = self._database.execute(query, (key, since)).fetchone()
        return found

    def find(
        self, *, batch: str = "", emails: Sequence[str] = (), until: float | None = None
    ) -> list[dict[str, Any]]:
        """The messages of a batch or to some mailboxes, the oldest first; those after `until` are left out."""
        marks = ",".join("?" * len(emails))
        where = "batch = ?" if batch else f"lower(email) IN ({marks})" if emails else "1 = 1"
        values = [batch] if batch else [email.lower() for email in emails]
        columns = "SELECT dialect, id, email, outbox_id, batch, at, letter FROM message"
        query = f"{columns} WHERE {where} AND at <= ? ORDER BY no"
        with self._lock:
            rows = self._database.execute(query, (*values, 1e18 if until is None else until)).fetchall()
        names = ("dialect", "id", "email", "outbox_id", "batch", "at")
        return [{**dict(zip(names, row, strict=False)), **json.loads(row[-1])} for row in rows]

    def find_after(self, no: int, limit: int) -> list[dict[str, Any]]:
        """The next messages after a number, with their own."""
        query = "SELECT no, id, email, outbox_id FROM message WHERE no > ? ORDER BY no LIMIT ?"
        with self._lock:
            rows = self._database.execute(query, (no, limit)).fetchall()
        return [dict(zip(("no", "id", "email", "outbox_id"), row, strict=True)) for row in rows]

    def count(self) -> dict[str, int]:
        """How many messages were accepted for each mailbox."""
        with self._lock:
            rows = self._database.execute("SELECT email, count(*) FROM message GROUP BY email").fetchall()
        return dict(rows)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._database.executescript("DELETE FROM message; DELETE FROM call; DELETE FROM answer;")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _letter(self, message: Message) -> str:
        return json.dumps(asdict(message) if self._keep_bodies else {}, ensure_ascii=False)
