"""Apply what came in: each report once, to the message it is about and to the person's consent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from outbox import consent
from outbox.errors import OutboxError
from outbox.model import Cause, EventType, Reason, Report, Subscriber
from outbox.store import Store, Tx, arrivals, events, ledger, subscribers
from outbox.store.arrivals import Kept
from outbox.store.events import Placed

from . import read
from .policy import MEMORY, is_worn_out

#: How many arrivals are read in one transaction.
BATCH = 2_000
#: How long an arrival is kept as it came.
KEEP = timedelta(days=30)


def apply_new(store: Store, now: datetime, *, batch: int = BATCH) -> Counter[EventType]:
    """Apply all that waits, and remove what is a month old; returns how much of each kind was new.

    Raises Temporary when the database cannot be written; nothing is then lost, and nothing half applied.
    """
    tally = Counter[EventType]()
    while True:
        with store.begin() as tx:
            found = arrivals.find_unread(tx, batch)
            tally += apply(tx, found, now)
            if len(found) < batch:
                arrivals.purge(tx, now - KEEP)
                return tally


def apply(tx: Tx, found: Sequence[Kept], now: datetime) -> Counter[EventType]:
    """Apply these arrivals; what cannot be read is kept with the reason."""
    reports, trouble = list[tuple[Report, int | None]](), dict[int, str]()
    for one in found:
        try:
            reports += [(report, one.id) for report in read(one.arrival)]
        except OutboxError as error:
            trouble[one.id] = str(error)
    fresh = events.record_all(tx, events.place(tx, reports), now)
    _act(tx, fresh, now)
    arrivals.mark_read(tx, [one.id for one in found], trouble, now)
    if any(one.report.type in {EventType.BOUNCED, EventType.COMPLAINED} for one in fresh):
        ledger.pause_unwelcome(tx)
    return Counter(one.report.type for one in fresh)


def _act(tx: Tx, fresh: Iterable[Placed], now: datetime) -> None:
    """Let people's consent follow what is reported of them."""
    soft = set[int]()
    for one in fresh:
        report = one.report
        if one.subscriber_id is None:
            continue
        if report.type is EventType.COMPLAINED:
            _suppress(tx, one, "complaint", now)
        elif report.firmness == "hard":
            _suppress(tx, one, "bounce", now)
        elif report.type is EventType.UNSUBSCRIBED:
            person = subscribers.find_by_id(tx, one.subscriber_id)
            if person:
                consent.unsubscribe(tx, person, source=_source(report), now=now, method="event")
        elif report.type is EventType.BOUNCED:
            soft.add(one.subscriber_id)
    _give_up(tx, soft, now)


def _suppress(tx: Tx, one: Placed, reason: Reason, now: datetime) -> None:
    """Never write again to the mailbox that is meant: where the report is proven, the one it names."""
    person = subscribers.find_by_id(tx, one.subscriber_id or 0)
    email = (one.report.recipient if one.report.proven else "") or (person.email if person else "")
    if email:
        consent.suppress(tx, email, reason, source=_source(one.report), now=now, method="event")


def _give_up(tx: Tx, people: Iterable[int], now: datetime) -> None:
    for number, history in events.find_history(tx, people, now - MEMORY).items():
        if is_worn_out(history, now):
            person: Subscriber | None = subscribers.find_by_id(tx, number)
            if person and person.email:
                consent.suppress(
                    tx, person.email, "bounce", source="failed again and again", now=now, method="event"
                )


def _source(report: Report) -> str:
    """Where evidence comes from, without an address in it."""
    cause: Cause | None = report.cause
    return f"{report.provider}: {cause}" if cause else report.provider
