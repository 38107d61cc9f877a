"""What a sender has at hand: the ledger, the provider, the sends it has read, its lease and its limits."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from . import mailing
from .errors import OutboxError
from .letters import manner_of
from .many import Roster
from .model import Chunk, PreparedBatch
from .providers import Provider
from .rates import Pace
from .store import Store, Tx, claims
from .store.claims import Lease

#: Longer than any call may take: connection, answer and a margin.
LEASE = timedelta(minutes=5)


def new_lease() -> Lease:
    """A lease in the name of this process, and of no other before or after it."""
    return Lease(f"{os.getpid()}-{uuid4().hex}", LEASE)


@dataclass(frozen=True, slots=True)
class Desk:
    """One sender's desk. `chance` spreads retries in time."""

    store: Store
    provider: Provider
    pace: Pace = field(default_factory=Pace)
    lease: Lease = field(default_factory=new_lease)
    chance: random.Random = field(default_factory=random.Random)
    max_late: timedelta | None = None
    search_lag: timedelta = timedelta()  # how long a provider's search may not show what it took
    is_told: bool = False  # the provider reports by itself what it took, within that time
    sends: dict[str, mailing.FrozenSend] = field(default_factory=dict)

    @property
    def slots_path(self) -> Path | None:
        """The file of marks beside an SQLite database."""
        path = self.store.path
        return path.with_name(f"{path.name}.slots") if path else None

    def frozen(self, tx: Tx, send_id: str) -> mailing.FrozenSend:
        """Read a send from the ledger, once; raises OutboxError when another provider began it."""
        if send_id not in self.sends:
            found = mailing.load(tx, send_id)
            if found.send.provider != self.provider.name:
                raise OutboxError(
                    f"{found.send.name} was begun with provider {found.send.provider!r} and is not finished; "
                    f"set [provider] name = {found.send.provider!r} until it is"
                )
            self.sends[send_id] = found
        return self.sends[send_id]

    def find_gone(self, tx: Tx, send_id: str, numbers: Sequence[int]) -> set[int]:
        """Who of these may not have this any more, as of this transaction; the send was read before."""
        letter = self.sends[send_id].send.letter
        if letter:
            return claims.find_unlike(tx, numbers, manner_of(letter).consent)
        gone = claims.find_gone(tx, send_id, min(numbers), max(numbers))
        return gone.intersection(numbers) if gone else gone

    def prepare(
        self, frozen: mailing.FrozenSend, part: Chunk, people: Roster, now: datetime
    ) -> PreparedBatch:
        """Make the bytes of a call. Its date is that of the first try, so a later try has the same bytes.

        Raises MustSplit, or OutboxError for a message that cannot be made.
        """
        batch_id = f"{part.send_id}.{frozen.send.digest}.{part.no}"
        addressed = mailing.address(frozen, people)
        return self.provider.prepare(
            frozen.letter_of(part), addressed, batch_id, date=part.first_try_at or now
        )
