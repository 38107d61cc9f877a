"""Claim a chunk, commit the intent, call the provider, settle the answer; recover what a crash left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from . import mailing
from .errors import OutboxError
from .model import STATE_AFTER, Addressee, Chunk, ItemResult, Outcome, PreparedBatch, State
from .providers import Provider
from .store import Store, Tx, ledger
from .tokens import Signer

#: Chunks claimed in one commit when the provider can be asked afterwards; else one, to keep doubt small.
ROUND = 20
#: Seconds until the next try, by tries made; the last one repeats.
BACKOFF = (60, 300, 900, 3600, 14400)
#: What becomes of a message nobody can tell about.
POLICY = {"hold": State.HELD, "resend": State.RETRY}

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Sender:
    """What a worker needs at hand: the ledger, the provider, and the sends it has read."""

    store: Store
    provider: Provider
    signer: Signer
    sends: dict[str, mailing.FrozenSend] = field(default_factory=dict)

    def frozen(self, tx: Tx, send_id: str) -> mailing.FrozenSend:
        """Read a send from the ledger, once; raises OutboxError when another provider began it."""
        if send_id not in self.sends:
            found = mailing.load(tx, send_id, self.signer)
            if found.send.provider != self.provider.name:
                raise OutboxError(
                    f"{found.send.slug} was begun with provider {found.send.provider!r} and is not finished; "
                    f"set [provider] name = {found.send.provider!r} until it is"
                )
            self.sends[send_id] = found
        return self.sends[send_id]


@dataclass(frozen=True, slots=True)
class Call:
    """A chunk whose intent is committed, with the bytes of its call."""

    chunk: Chunk
    batch: PreparedBatch


def run(sender: Sender, clock: Clock, *, tell: Callable[[int], None] = lambda _: None) -> Counter[State]:
    """Recover, then send until nothing is due; returns how many messages came into each state.

    Stops early when a whole round failed: the provider is down, and more calls would not help.
    """
    tally = recover(sender, clock())
    while (found := run_once(sender, clock)) is not None:
        tally.update(found)
        tell(found.total())
        if set(found) == {State.RETRY}:
            break
    return tally


def run_once(sender: Sender, clock: Clock) -> Counter[State] | None:
    """One round: claim, call, settle. None when nothing is due."""
    limit = 1 if sender.provider.caps.lookup == "none" else ROUND
    tally = Counter[State]()
    now = clock()
    # Nothing is called before the intent is on the disk, so the calls come after this transaction.
    with sender.store.begin() as tx:
        due = ledger.find_due(tx, now, limit)
        claimed = [_claim(sender, tx, chunk, now, tally) for chunk in due]
    answers = [(call.chunk, sender.provider.send(call.batch)) for call in claimed if call]
    now = clock()
    with sender.store.begin() as tx:
        for chunk, results in answers:
            _settle(tx, chunk, results, now)
            tally.update(STATE_AFTER[result.outcome] for result in results)
    return +tally if due else None


def recover(sender: Sender, now: datetime) -> Counter[State]:
    """Settle what an earlier run left in doubt; the caller's lock means that no call is still running."""
    tally = Counter[State]()
    with sender.store.read() as tx:
        doubtful = ledger.find_in_doubt(tx)
    for chunk in doubtful:
        with sender.store.read() as tx:
            frozen = sender.frozen(tx, chunk.send_id)
            people = ledger.members(tx, chunk)
        batch = _prepare(sender, chunk, [mailing.personalise(frozen, person) for person in people], now)
        results = _ask(sender.provider, batch, chunk, now)
        policy = POLICY[frozen.send.on_unknown]
        with sender.store.begin() as tx:
            _settle(tx, chunk, results, now, retry_at=now)
            ledger.decide(
                tx, chunk, state=policy, detail="nobody could tell whether the provider took it", now=now
            )
        open_before = {person.outbox_id for person in people if person.state == State.IN_DOUBT}
        states = (STATE_AFTER[result.outcome] for result in results if result.outbox_id in open_before)
        tally.update(policy if state == State.IN_DOUBT else state for state in states)
    del tally[State.RETRY]  # these go again in the same pass
    return tally


def _claim(sender: Sender, tx: Tx, chunk: Chunk, now: datetime, tally: Counter[State]) -> Call | None:
    """Write down the intent of one call; None when nobody of its chunk is left."""
    gone = ledger.drop_gone(tx, chunk, now)
    tally[State.SUPPRESSED] += gone
    people = _personalise(sender, tx, chunk, now, tally)
    if not people:
        ledger.close(tx, chunk)
        return None
    batch = _prepare(sender, chunk, people, now)
    if chunk.attempt and (gone or _sha(batch) != chunk.body_sha):
        fresh = ledger.renumber(tx, chunk, not_before=now)
        ledger.close(tx, chunk)
        chunk, batch = fresh, _prepare(sender, fresh, people, now)
    return Call(ledger.intend(tx, chunk, key=batch.key, body_sha=_sha(batch), now=now), batch)


def _personalise(
    sender: Sender, tx: Tx, chunk: Chunk, now: datetime, tally: Counter[State]
) -> list[Addressee]:
    """Address a chunk; whom no message can be made for is refused, and does not stop the others."""
    frozen, people = sender.frozen(tx, chunk.send_id), []
    for person in ledger.members(tx, chunk):
        if person.state in ledger.OPEN:
            try:
                people.append(mailing.personalise(frozen, person))
            except OutboxError as error:
                ledger.refuse(tx, person, str(error), now)
                tally[State.REFUSED] += 1
    return people


def _prepare(sender: Sender, chunk: Chunk, people: Sequence[Addressee], now: datetime) -> PreparedBatch:
    """Make the bytes of a call. Its date is that of the first try, so a later try has the same bytes."""
    frozen = sender.sends[chunk.send_id]
    batch_id = f"{chunk.send_id}.{frozen.send.digest}.{chunk.no}"
    return sender.provider.prepare(frozen.letter, people, batch_id, date=chunk.first_try_at or now)


def _ask(provider: Provider, batch: PreparedBatch, chunk: Chunk, now: datetime) -> list[ItemResult]:
    """Find out what became of a call: by the same call again while its key lives, else by asking."""
    caps, first = provider.caps, chunk.first_try_at or now
    window = timedelta(seconds=caps.replay_window_s or 0)
    if now < first + window and _sha(batch) == chunk.body_sha:
        return provider.send(batch)
    found = {} if caps.lookup == "none" else provider.lookup(batch)
    absent = Outcome.NOT_SENT if caps.lookup == "exact" else Outcome.UNKNOWN
    return [
        found.get(name) or ItemResult(name, absent, detail="the provider does not have it")
        for name in batch.outbox_ids
    ]


def _settle(
    tx: Tx, chunk: Chunk, results: Sequence[ItemResult], now: datetime, *, retry_at: datetime | None = None
) -> None:
    asked = max((result.retry_after or 0 for result in results), default=0)
    wait = timedelta(seconds=max(asked, BACKOFF[min(chunk.attempt, len(BACKOFF)) - 1]))
    ledger.settle(tx, chunk, results, now=now, retry_at=retry_at or now + wait)


def _sha(batch: PreparedBatch) -> str:
    return sha256(batch.body).hexdigest()
