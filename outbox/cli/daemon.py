"""`outbox work` as it stays: wait until something is due, make a pass, wait again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from outbox.config import Settings
from outbox.errors import Temporary
from outbox.store import Store, Tx, arrivals, ledger, letters, trials
from outbox.store import series as enrolments

from .opening import clock, opened, sending, stopped_by_signal
from .passes import work_once

#: Until everything is looked at: new folders, changed files, what begins a series, what another sender left.
LOOK = timedelta(seconds=30)
#: Seconds between two looks at what is due: a letter that somebody waits for is on its way so soon.
GLANCE_S = 2.0
#: What was written down while the last pass was at work may have been due before that began.
OVERLAP = timedelta(seconds=5)


def look_again(
    settings: Settings,
    stop: Event,
    *,
    now: Callable[[], datetime] = clock,
    wait: Callable[[float], object] | None = None,
) -> None:
    """Work for as long as nobody says stop; what is only in the way for now is told and tried again."""
    looked_at, pause = datetime.min.replace(tzinfo=UTC), wait or stop.wait
    with stopped_by_signal(stop):
        while not stop.is_set():
            try:
                with opened(settings) as store:
                    while not stop.is_set():
                        if now() >= looked_at + LOOK or _is_due(store, looked_at, now()):
                            looked_at = now()
                            with sending(settings, stop) as desk:
                                work_once(settings, desk, stop, now=now)
                        sys.stdout.flush()
                        pause(GLANCE_S)
            except Temporary as error:
                print(f"outbox: {error}", file=sys.stderr)
                pause(GLANCE_S)


def _is_due(store: Store, looked_at: datetime, now: datetime) -> bool:
    """Whether anything came due since the last pass; what that one could not do has time until the next look."""
    with store.read() as tx:
        if arrivals.is_waiting(tx):
            return True
        first = find_first(tx, looked_at - OVERLAP)
    return first is not None and first <= now


def find_first(tx: Tx, since: datetime) -> datetime | None:
    """When the next message, letter or step after a moment is due, or the next winner of a trial to be found."""
    moments = (find(tx, since) for find in (ledger.find_first, letters.find_first, enrolments.find_first))
    return min(filter(None, (*moments, trials.find_next(tx))), default=None)
