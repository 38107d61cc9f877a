"""Take a list in, slice by slice: an import that is stopped goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

from outbox.consent import Change, enlist_all
from outbox.store import Store, Tx, bulk, intake, subscribers
from outbox.store.intake import Stand

from .ahead import read_ahead
from .claims import Batch, Reject, read_batches
from .difference import tell_differences
from .rejects import Rejects
from .sheet import Sheet

SLICE = 5  # batches in one transaction
SMALL = 1_000_000  # bytes; another process is not worth its start
SHOWN = 20  # differences, doubts

REJECTED, DOUBTFUL = "rejected", "doubtful"


@dataclass(slots=True)
class Report:
    """What became of a list."""

    counts: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)  # the first
    doubts: list[Reject] = field(default_factory=list)  # the first
    differences: list[str] = field(default_factory=list)  # the first, of a dry run
    resumed_at: int = 0  # line

    def add(self, batch: Batch, changes: Iterable[Change]) -> None:
        """Count one batch."""
        self.counts.update({str(change): number for change, number in Counter(changes).items()})
        if batch.repeated:
            self.counts[str(Change.REPEATED)] += batch.repeated
        self.counts[REJECTED] += len(batch.rejects)
        self.counts[DOUBTFUL] += len(batch.doubts)
        self.rejects += batch.rejects[: SHOWN - len(self.rejects)]
        self.doubts += batch.doubts[: SHOWN - len(self.doubts)]


def import_list(
    store: Store,
    sheet: Sheet,
    *,
    clock: Callable[[], datetime],
    rejects: Path,
    secrets: Sequence[str] = (),
    restart: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Report:
    """Put the people of a list on our list; `tell` hears how many bytes of it are in.

    Each slice is one transaction, with the place in the file where it ends. Rows that are not
    taken go to the file `rejects`. Raises PeopleError for a file that changed since it was begun.
    """
    name = _name(sheet)
    with store.begin() as tx:
        stand = (None if restart else intake.find(tx, name)) or Stand(subscribers.next_id(tx))
    report = Report(Counter(stand.counts), resumed_at=stand.line)
    batches = _read(sheet, stand)
    with Rejects(rejects, sheet.header, stand.rejected) as bad:
        for first in batches:
            now = clock()
            with store.begin() as tx:
                bulk.prepare(tx)
                for batch in chain([first], islice(batches, SLICE - 1)):
                    report.add(batch, _take(tx, batch, now, secrets, stand.first_id))
                    bad.write(batch.rejects)
                    tell(batch.offset)
                counts = dict(report.counts)
                stand = Stand(stand.first_id, batch.offset, batch.line, batch.digest, bad.keep(), counts)
                intake.keep(tx, name, stand, now)
        with store.begin() as tx:
            intake.close(tx, name)
    return report


def try_list(
    store: Store,
    sheet: Sheet,
    *,
    now: datetime,
    secrets: Sequence[str] = (),
    tell: Callable[[int], None] = lambda _: None,
) -> Report:
    """Say what an import would do, and take all of it back."""
    report = Report()
    with store.begin() as tx:
        bulk.prepare(tx)
        first_id = subscribers.next_id(tx)
        for batch in _read(sheet, Stand(first_id)):
            before = subscribers.find_many(tx, batch.claims.key)
            changes = _take(tx, batch, now, secrets, first_id)
            report.add(batch, changes)
            told = tell_differences(batch.claims, changes, before)
            report.differences += islice(told, SHOWN - len(report.differences))
            tell(batch.offset)
        tx.undo()
    return report


def _read(sheet: Sheet, stand: Stand) -> Iterator[Batch]:
    read = read_batches if Path(sheet.path).stat().st_size < SMALL else read_ahead
    return read(sheet, offset=stand.offset, line=stand.line, digest=stand.digest)


def _take(tx: Tx, batch: Batch, now: datetime, secrets: Sequence[str], first_id: int) -> list[Change]:
    return enlist_all(tx, batch.claims, now, method="import", secrets=secrets, first_id=first_id)


def _name(sheet: Sheet) -> str:
    how = (sheet.name, sheet.encoding, sheet.delimiter, sheet.columns, sheet.attributes, sheet.basis)
    return sha256(repr(how).encode()).hexdigest()
