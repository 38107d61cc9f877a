"""A provider for tests with a clock: it notes who got which letter when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outbox import worker
from outbox.desk import Desk
from outbox.model import (
    Addressee,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    State,
)
from outbox.providers.file import File
from outbox.store import Store


@dataclass
class Diary:
    """Everybody is accepted, and nobody twice."""

    time: datetime
    name: str = "file"
    caps: Capabilities = File.caps
    got: dict[str, datetime] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list)

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """A line for each: what stands in their subject."""
        names, mailboxes = tuple(one.outbox_id for one in people), tuple(one.to.email for one in people)
        lines = [f"{letter.subject.fill(one.values)}" for one in people]
        body = "\n".join(lines).encode()
        return PreparedBatch(batch_id, batch_id, "POST", "/", {"date": str(date)}, body, names, mailboxes)

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """Note them."""
        assert self.got.keys().isdisjoint(batch.recipients)
        self.got |= dict.fromkeys(batch.recipients, self.time)
        self.subjects |= dict(zip(batch.recipients, batch.body.decode().split("\n"), strict=True))
        self.calls.append((self.time, batch.recipients))
        return [ItemResult(name, Outcome.ACCEPTED) for name in batch.outbox_ids]

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """What was accepted is found."""
        known = zip(batch.outbox_ids, batch.recipients, strict=True)
        return {name: ItemResult(name, Outcome.ACCEPTED) for name, email in known if email in self.got}

    def work(self, store: Store, now: datetime, **rules: Any) -> Counter[State]:
        """One pass at this moment, by a new process."""
        self.time = now
        return worker.run(Desk(store, self, **rules), lambda: now)
