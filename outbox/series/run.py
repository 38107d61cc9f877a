"""Move series on: enrol those to whom something happened, queue the steps that are due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outbox.store import Store, Tx
from outbox.store import letters as queue
from outbox.store import series as ledger
from outbox.store.series import Begun, Enrolment, Kept

from . import On, Series, Step
from .engine import Standing, advance, look_ahead

#: People in one transaction.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """One series that is looked at: as its file says, as it was last seen, and the clock of the list."""

    series: Series
    kept: Kept
    zone: str  # of those of whom none is known
    now: datetime

    def zone_of(self, time_zone: str) -> ZoneInfo:
        """The clock by which somebody's letters go."""
        return read_zone(time_zone if self.series.by_reader else "", self.zone)


def run(store: Store, every: Iterable[Series], zone: str, now: datetime) -> None:
    """Bring each series up to now. Killed at any moment, the next run does what is left, and nothing twice."""
    for series in every:
        case = Case(series, take_up(store, series, zone, now), zone, now)
        for work in (_enrol_some, _move_some):
            while case.kept.state == "active" and _do_some(store, work, case):
                pass


def take_up(store: Store, series: Series, zone: str, now: datetime) -> Kept:
    """See what is new in a file: the series itself, steps, delays."""
    with store.begin() as tx:
        ledger.lock(tx, series.name)
        kept = ledger.find(tx, series.name)
        if kept is None:
            kept = ledger.take_up(tx, series.name, also_before=series.start.also_before, now=now)
            if series.start.on == "tag" and not series.start.also_before:
                ledger.pass_over_tagged(tx, series.name, series.start.tag, now)
        fresh = [step.id for step in series.steps if step.id not in kept.steps]
        ledger.add_steps(tx, series.name, fresh, now)
        kept = replace(kept, steps={**kept.steps, **dict.fromkeys(fresh, now)})
    if kept.digest != series.digest:
        _plan_anew(store, Case(series, kept, zone, now))
    return kept


def begin(case: Case, begun: Begun) -> Enrolment:
    """Somebody's place at the beginning of a series."""
    next_at = look_ahead(case.series, case.kept.steps, Standing((), begun.at), case.zone_of(begun.time_zone))
    state = "active" if next_at else "finished"
    return Enrolment(case.series.name, begun.subscriber_id, state, (), begun.at, begun.at, next_at)


@cache
def read_zone(*names: str) -> ZoneInfo:
    """The first of these that is a time zone; else UTC."""
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _do_some(store: Store, work: Callable[[Tx, Case], bool], case: Case) -> bool:
    with store.begin() as tx:
        return work(tx, case)


def _plan_anew(store: Store, case: Case) -> None:
    """The file was changed: see of everybody again when their next step is due."""
    catch_up = any(step.catch_up for step in case.series.steps)
    states, after, more = ("active", "finished") if catch_up else ("active",), 0, True
    while more:
        with store.begin() as tx:
            some = ledger.find_some(tx, case.series.name, states, after, AT_ONCE)
            ledger.move(tx, [_see_again(case, one) for one in some])
        after, more = max((one.subscriber_id for one in some), default=0), bool(some)
    with store.begin() as tx:
        ledger.change(tx, case.series.name, digest=case.series.digest)


def _see_again(case: Case, one: Enrolment) -> Enrolment:
    zone = case.zone_of(one.time_zone)
    next_at = look_ahead(case.series, case.kept.steps, Standing(one.passed, one.last_at), zone)
    return replace(one, state="active" if next_at else "finished", next_at=next_at)


def _enrol_some(tx: Tx, case: Case) -> bool:
    """Enrol as many as one transaction should; False when nobody was left."""
    ledger.lock(tx, case.series.name)
    mark = ledger.read_mark(tx, case.series.name)
    fresh = replace(case, kept=replace(case.kept, mark=mark))
    begun, more = STARTS[case.series.start.on](tx, fresh)
    ledger.enrol(tx, [begin(case, one) for one in begun])
    return more


def _move_some(tx: Tx, case: Case) -> bool:
    """Queue the letters of as many people as one transaction should; False when nobody was left."""
    due = ledger.find_due(tx, case.series.name, case.now, AT_ONCE)
    enough = ledger.find_matching(tx, case.series.stop, [one.subscriber_id for one in due], case.now)
    letters, places = [], []
    for one in due:
        if one.subscriber_id in enough or not one.welcome:
            places.append(replace(one, state="stopped", next_at=None))
            continue
        place, step = _step(case, one)
        places.append(place)
        if step:
            key = f"series:{case.series.name}:{step.id}:{one.subscriber_id}"
            letters.append((key, step.letter, one.subscriber_id, case.now))
    queue.queue(tx, letters, case.now)
    ledger.move(tx, places)
    return bool(due)


def _step(case: Case, one: Enrolment) -> tuple[Enrolment, Step | None]:
    """Where somebody stands after this moment, and what goes to them now; nothing while they rest."""
    zone, due = case.zone_of(one.time_zone), one.next_at or case.now
    if one.rests_until and one.rests_until > case.now:
        return replace(one, next_at=case.series.window.next(one.rests_until, zone)), None
    standing = Standing(one.passed, one.last_at)
    move = advance(case.series, case.kept.steps, standing, zone, due=due, now=case.now)
    state = "active" if move.next_at else "finished"
    passed, last_at = move.standing.passed, move.standing.last_at
    return replace(one, state=state, passed=passed, last_at=last_at, next_at=move.next_at), move.step


# -- what begins a series


def _by_confirmation(tx: Tx, case: Case) -> tuple[Sequence[Begun], bool]:
    found, mark = ledger.find_confirmed(tx, case.kept, case.series.only, until=case.now, now=case.now)
    return found, ledger.change(tx, case.series.name, mark=mark)


def _by_tag(tx: Tx, case: Case) -> tuple[Sequence[Begun], bool]:
    start = case.series.start
    found = ledger.find_tagged(tx, case.series.name, start.tag, case.series.only, limit=AT_ONCE, now=case.now)
    return found, len(found) == AT_ONCE


def _by_date(tx: Tx, case: Case) -> tuple[Sequence[Begun], bool]:
    """Everybody who is on the list when the day begins, by the list's clock."""
    start, zone = case.series.start, read_zone(case.zone)
    at = datetime.combine(start.day or date.max, time(), zone).astimezone(UTC)
    if case.now < at or case.kept.mark < 0:  # not yet, or done
        return [], False
    missed = at.astimezone(zone).date() < case.kept.since.astimezone(zone).date() and not start.also_before
    only, most = case.series.only, AT_ONCE if not missed else 0
    found = ledger.find_everyone(tx, case.series.name, only, at=at, limit=most, now=case.now)
    if len(found) < AT_ONCE:
        ledger.change(tx, case.series.name, mark=-1)
    return found, len(found) == AT_ONCE


def _by_download(tx: Tx, case: Case) -> tuple[Sequence[Begun], bool]:
    since = None if case.series.start.also_before else case.kept.since
    found = ledger.find_fetched(
        tx, case.series.name, case.series.only, since=since, limit=AT_ONCE, now=case.now
    )
    return found, len(found) == AT_ONCE


def _by_absence(tx: Tx, case: Case) -> tuple[Sequence[Begun], bool]:
    """Who had so long since they confirmed, and did not fetch the book."""
    within = case.series.start.within
    length = timedelta(days=within.days, seconds=within.seconds)
    found, mark = ledger.find_confirmed(
        tx, case.kept, case.series.only, until=case.now - length, now=case.now, without=True
    )
    late = [replace(one, at=one.at + length) for one in found]
    return late, ledger.change(tx, case.series.name, mark=mark)


Finder = Callable[[Tx, Case], tuple[Sequence[Begun], bool]]
#: For each trigger who was met by it and is not enrolled yet, and whether there may be more.
STARTS: Mapping[On, Finder] = MappingProxyType(
    {
        "confirmed": _by_confirmation,
        "tag": _by_tag,
        "date": _by_date,
        "downloaded": _by_download,
        "not downloaded": _by_absence,
    }
)
