"""The commands that tell how things stand: status, show, verify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
import typer

from outbox.addresses import read_mailbox
from outbox.errors import MUST_ACT, PeopleError
from outbox.model import Progress, State
from outbox.store import Tx, arrivals, downloads, evidence, ledger, letters, subscribers, trials
from outbox.store import events as reported
from outbox.store import series as places
from outbox.store import verify as proof
from outbox.trial import MEANS, Trial, letter_of

from .opening import in_words, opened, print_json, settings_of, short

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
#: One character for each state in the chart of `outbox status`, and how wide that is.
MARKS = {
    State.COMPLAINED: "!",
    State.BOUNCED: "x",
    State.DELIVERED: "#",
    State.ACCEPTED: "=",
    State.REFUSED: "x",
    State.SUPPRESSED: "-",
    State.CANCELLED: "-",
    State.HELD: "?",
    State.IN_DOUBT: "?",
    State.RETRY: "~",
    State.PLANNED: ".",
}
WIDTH = 40


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show how far each issue and each letter has come, and how many people are on the list.

    In the chart = is accepted, # delivered, x refused or bounced, ? held or in doubt, ~ to be tried again,
    - left out, ! a complaint, . planned.

    \b
    outbox status
    outbox status --json
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        progress, people = ledger.progress(tx), subscribers.count(tx)
        waiting, (calls, _) = letters.find_waiting(tx), arrivals.count(tx)
        compared = {one.send_id: trials.find(tx, one.send_id) for one in progress}
        series = _tell_series(tx)
    sends = [one for one in progress if not one.letter]
    sent = _by_name(one for one in progress if one.letter)
    if as_json:
        print_json(
            {
                "issues": [{**asdict(one), "trial": _describe(compared[one.send_id])} for one in sends],
                "letters": [{"name": name, "states": states} for name, states in sent.items()],
                "queued": [asdict(one) for one in waiting],
                "series": series,
                "subscribers": people,
                "events_waiting": calls,
            }
        )
        return
    print("people: " + ", ".join(f"{number} {consent}" for consent, number in people.items() if number))
    for one in sends:
        told = f"{in_words(one.states)} of {one.audience}, by {one.provider}, {short(one.due_at)}"
        print(f"{one.slug}: {told}")
        print(f"  [{_chart(one)}]" + (f" {one.state}: {one.reason}" if one.state != "active" else ""))
        for line in _tell_trial(compared[one.send_id]):
            print(f"  {line}")
    if not sends:
        print("no issue was sent yet")
    for name, states in sent.items():
        print(f"letter {name}: {in_words(states)}")
    for each in series:
        who = ", ".join(f"{number} {state}" for state, number in each["people"].items()) or "nobody yet"
        print(f"series {each['name']}: {who}" + (f"; {each['state']}" if each["state"] != "active" else ""))
    for queued in waiting:
        print(f"letter {queued.name}: {queued.number} to come, the first {short(queued.first)}")
    if calls:
        print(f"{calls} calls of providers wait to be read; outbox work reads them")


def events(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what providers reported of messages, how often and when last, and what could not be read.

    \b
    outbox events
    outbox events --json
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        counted = reported.count(tx)
        waiting, odd = arrivals.count(tx)
    if as_json:
        names = ("provider", "type", "number", "last")
        told = [dict(zip(names, one, strict=True)) for one in counted]
        print_json({"events": told, "waiting": waiting, "unreadable": odd})
        return
    for provider, kind, number, last in counted:
        print(f"{provider}: {number} {kind.replace('_', ' ')}, the last {short(last)}")
    if not counted:
        print("nothing was reported yet; docs/webhooks.md says how to ask for it")
    print(f"{waiting} calls wait to be read, {odd} could not be read")


def show(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="A subscriber's mail address.")],
    as_json: Json = False,
) -> None:
    """Show everything that ever happened to one person: consent, every message, and what was reported of it.

    \b
    outbox show ana@example.org
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        person = subscribers.find(tx, read_mailbox(address))
        if person is None:
            raise PeopleError(f"{address} is not on the list")
        events, messages = evidence.events_of(tx, person.id), ledger.history(tx, person.id)
        reports = reported.find_of(tx, person.id)
        unsent, standing = letters.find_unsent(tx, person.id), places.find_all_of(tx, person.id)
        fetched = downloads.find_downloads(tx, person.id)
    if as_json:
        told = {
            "events": [msgspec.structs.asdict(e) for e in events],
            "messages": [asdict(m) for m in messages],
            "reports": reports,
            "letters": [asdict(one) for one in unsent],
            "downloads": [asdict(one) for one in fetched],
            "series": [asdict(one) for one in standing],
        }
        print_json({**asdict(person), **told})
        return
    print(f"{person.name or '(no name)'} <{person.email}>: {person.consent}")
    for event in events:
        print(f"  {short(event.at)}  {event.consent}: {event.basis} ({event.source})")
    for message in messages:
        words = " ".join(filter(None, (message.provider_id, message.code, message.detail)))
        subject = f" (subject {message.subject})" if message.subject else ""
        print(f"  {short(message.changed_at)}  {message.slug}: {message.state}{subject}  {words}".rstrip())
    for said in reports:
        print(f"  {short(said['at'])}  {said['provider']} reports: {said['type']}  {said['detail']}".rstrip())
    for file in fetched:
        print(f"  {short(file.at)}  downloaded {file.file}")
    for place in standing:
        words = f"step {len(place.passed) + 1} on {short(place.next_at)}" if place.next_at else place.state
        print(f"  {short(place.began_at)}  series {place.series}: {words}")
    for one in unsent:
        print(
            f"  {short(one.due_at)}  {one.name}: "
            + (f"not sent: {one.dropped}" if one.dropped else "to come")
        )


def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Prove that the ledger is whole: every person in one place, counts that add up, evidence unchanged.

    \b
    outbox verify
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        faults = proof.find_faults(tx)
        number = sum(one.audience for one in ledger.progress(tx))
    if as_json:
        print_json({"messages": number, "faults": faults})
    else:
        for fault in faults:
            print(fault)
        print(
            f"{number} messages, {len(faults)} faults" if faults else f"{number} messages, all accounted for"
        )
    if faults:
        raise typer.Exit(MUST_ACT)


def _describe(trial: Trial | None) -> dict[str, Any] | None:
    """A trial as JSON: its subjects by their letters."""
    if trial is None:
        return None
    won = letter_of(trial.winner) if trial.winner is not None else None
    results = {letter_of(number): asdict(one) for number, one in enumerate(trial.results)}
    return {**asdict(trial), "winner": won, "results": results}


def _tell_trial(trial: Trial | None) -> Iterator[str]:
    if trial is None:
        return
    for number, one in enumerate(trial.results):
        more = f", {one.opened} opened and {one.clicked} clicked of {one.agreed} who agreed to be counted"
        lost = f"{one.reached} reached, {one.lost} lost{more if one.agreed else ''}"
        yield f"subject {letter_of(number)}: {lost}{', the winner' if number == trial.winner else ''}"
    if trial.winner is None:
        yield f"{trial.waiting} people wait, {trial.hours:g} hours after the first, for {MEANS[trial.measure]}"
    else:
        yield f"chosen: {trial.why}"


def _tell_series(tx: Tx) -> list[dict[str, Any]]:
    """Every series that was taken up, its state, and how many people stand where."""
    counts = places.count(tx)
    return [
        {
            "name": one.name,
            "state": one.state,
            "people": {state: n for state, n in counts.get(one.name, {}).items() if state != "before"},
        }
        for one in places.find_all(tx)
    ]


def _by_name(sends: Iterable[Progress]) -> dict[str, Counter[State]]:
    """How many messages of each letter are in each state, over all its sends."""
    found: dict[str, Counter[State]] = {}
    for one in sends:
        found.setdefault(one.slug, Counter()).update(one.states)
    return found


def _chart(one: Progress) -> str:
    """The states as a bar; one that a single person is in still has its mark."""
    return "".join(_bar(one)).ljust(WIDTH)[:WIDTH]


def _bar(one: Progress) -> Iterator[str]:
    audience = max(one.audience, 1)
    for state, mark in MARKS.items():
        number = one.states.get(state, 0)
        yield mark * max(round(number / audience * WIDTH), bool(number))


COMMANDS = (status, show, verify, events)
