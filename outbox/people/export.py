"""Write the list as CSV, complete enough to be imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge

from outbox.addresses import key_of
from outbox.model import Consent, write_attributes
from outbox.store import Tx, subscribers, suppressions
from outbox.store.subscribers import Entry

from .cells import quote

COLUMNS = (
    "email", "name", "language", "time_zone", "consent", "basis", "source", "given_at", "tags", "attributes",
)  # fmt: skip
BARRED = "suppression list"


def write_list(tx: Tx) -> Iterator[str]:
    """Yield the list a line at a time, in the order of the addresses; erased people are not on it."""
    yield _line(COLUMNS)
    people = ((key_of(entry.person.email), _cells(entry)) for entry in subscribers.everyone(tx))
    strangers = ((key, _bare(key, reason, since)) for key, reason, since in suppressions.strangers(tx))
    for _, cells in merge(people, strangers):
        yield _line(tuple(map(quote, cells)))


def _cells(entry: Entry) -> tuple[str, ...]:
    person, event = entry.person, entry.event
    consent, evidence = person.consent, ("", "", "")
    if event:
        evidence = (event.basis, event.source, event.given_at or _day(event.at))
    if entry.reason and entry.since and consent is not Consent.SUPPRESSED:
        consent, evidence = Consent.SUPPRESSED, (entry.reason, BARRED, _day(entry.since))
    attributes = write_attributes(person.attributes) if person.attributes else ""
    about = (person.email, person.name, person.language, person.time_zone)
    return (*about, consent, *evidence, ", ".join(entry.tags), attributes)


def _bare(key: str, reason: str, since: datetime) -> tuple[str, ...]:
    return (key, "", "", "", Consent.SUPPRESSED, reason, BARRED, _day(since), "", "")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
