"""The commands that take things in hand: pause, resume, cancel, held, adopt, backup."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from outbox.addresses import key_of, read_mailbox
from outbox.config import Settings
from outbox.errors import IssueError, OutboxError
from outbox.letters import MANNERS
from outbox.model import Chunk, Send, State
from outbox.series.files import read_all
from outbox.series.run import run
from outbox.store import Store, Tx, guard, ledger, letters, trials
from outbox.store import backup as copies
from outbox.store.ledger import Held
from outbox.store.lock import sole_sender
from outbox.trial import letter_of

from .opening import clock, opened, print_json, settings_of

Slug = Annotated[str, typer.Argument(metavar="ISSUE|LETTER", help="An issue that was frozen, or a letter.")]
Who = Annotated[list[str] | None, typer.Argument(metavar="ADDRESS...", help="Whose messages.")]
All = Annotated[bool, typer.Option("--all", help="Every message that is held.")]

held = typer.Typer(no_args_is_help=True, help="Messages nobody can tell about: list, retry, drop.")


def pause(ctx: typer.Context, issue: Slug) -> None:
    """Let no further call of an issue or a letter begin, at once. What is with the provider already stays there.

    \b
    outbox pause 2026-03-01-the-immune-system
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        done = [ledger.pause(tx, one.id, "by hand") for one in _find(tx, issue)]
    print(f"{issue}: paused" if any(done) else f"{issue}: was not active")


def resume(ctx: typer.Context, issue: Slug) -> None:
    """Let a paused issue go on; the next pass sends what is left of it.

    \b
    outbox resume 2026-03-01-the-immune-system
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        done = [ledger.resume(tx, one.id, clock()) for one in _find(tx, issue)]
    print(f"{issue}: goes on with the next pass" if any(done) else f"{issue}: was not paused")


def cancel(ctx: typer.Context, issue: Slug) -> None:
    """Let nothing more of an issue go out, for good; of a letter, nothing to anybody for whom it waits now.

    \b
    outbox cancel 2026-03-01-the-immune-system
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        done = [ledger.cancel(tx, one.id, "by hand") for one in _find(tx, issue)]
        dropped = letters.drop_all(tx, issue, "cancelled by hand")
    print(f"{issue}: cancelled" if any(done) or dropped else f"{issue}: was cancelled before")


def winner(
    ctx: typer.Context,
    issue: Slug,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="A, B and so on, as outbox status says.")],
) -> None:
    """Choose which of several subjects everybody gets who waits for it; the next pass sends it.

    \b
    outbox winner 2026-03-01-the-immune-system B
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        (found, *_) = _find(tx, issue)
        trial = trials.find(tx, found.id)
        if trial is None:
            raise IssueError(f"{issue} has one subject")
        names = [letter_of(number) for number in range(trial.subjects)]
        if subject.upper() not in names:
            raise typer.BadParameter(f"{issue} has the subjects {', '.join(names)}, not {subject!r}")
        if not trials.decide(tx, found.id, names.index(subject.upper()), "by hand", clock()):
            raise IssueError(f"{issue}: {letter_of(trial.winner or 0)} was chosen before ({trial.why})")
    print(f"{issue}: {subject.upper()} goes to the {trial.waiting} people who wait, with the next pass")


@held.command("list")
def held_list(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Name everyone who may have got a letter, or may not.

    \b
    outbox held list
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        found = ledger.find_held(tx)
    if as_json:
        print_json([{"slug": one.slug, **asdict(one.person)} for one in found])
        return
    for one in found:
        print(f"{one.slug}: {one.person.address}")
    print(f"{len(found)} held")


@held.command("retry")
def held_retry(ctx: typer.Context, address: Who = None, everyone: All = False) -> None:
    """Send again. Who had got the letter after all gets a second one.

    \b
    outbox held retry ana@example.org
    outbox held retry --all
    """  # noqa: D301
    _decide(ctx, address, everyone, State.RETRY, "sent again by hand")


@held.command("drop")
def held_drop(ctx: typer.Context, address: Who = None, everyone: All = False) -> None:
    """Leave it at that. Who had not got the letter does not get it.

    \b
    outbox held drop ana@example.org
    outbox held drop --all
    """  # noqa: D301
    _decide(ctx, address, everyone, State.REFUSED, "dropped by hand, after nobody could tell")


def adopt(
    ctx: typer.Context,
    restored: Annotated[
        bool, typer.Option("--restored", help="It is a backup: what waits may have gone out since.")
    ] = False,
) -> None:
    """Make this database the one that sends, after it was moved or restored. No other copy may send any more.

    \b
    outbox adopt
    outbox adopt --restored
    """  # noqa: D301
    settings = settings_of(ctx)
    with opened(settings) as store, sole_sender(store):
        dropped = _give_up_due(settings, store) if restored else 0
        number = guard.adopt(store, restored=restored, now=clock())
    print("this database sends from now on" + (f"; {number} messages are in doubt" if restored else ""))
    if dropped:
        print(f"{dropped} letters that were due are not sent, since they may have gone out before")


def backup(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]
) -> None:
    """Copy the database while it is at work.

    \b
    outbox backup outbox-2026-03-01.db
    """  # noqa: D301
    with opened(settings_of(ctx)) as store:
        copies.back_up(store, file)
    print(f"wrote {file}")


def _give_up_due(settings: Settings, store: Store) -> int:
    """Drop letters that the lost database may have sent, and for which a second time is worse than never."""
    now = clock()
    run(store, read_all(settings.series)[0], settings.time_zone, now)
    again = [name for name, manner in MANNERS.items() if manner.on_unknown == "resend"]
    with store.begin() as tx:
        return letters.drop_due(tx, now, "may have gone out before the database was restored", besides=again)


def _find(tx: Tx, name: str) -> list[Send]:
    found = ledger.find_sends_of(tx, name)
    if not found and name not in {one.name for one in letters.find_waiting(tx)}:
        raise IssueError(f"no issue {name!r} was frozen, and no letter; outbox status lists them")
    return found


def _decide(ctx: typer.Context, addresses: list[str] | None, everyone: bool, state: State, why: str) -> None:
    if bool(addresses) == everyone:
        raise typer.BadParameter("name addresses, or give --all")
    wanted = {key_of(read_mailbox(one)) for one in addresses or ()}
    with opened(settings_of(ctx)) as store, sole_sender(store), store.begin() as tx:
        found = [one for one in ledger.find_held(tx) if everyone or key_of(one.person.email) in wanted]
        if not found and wanted:
            raise OutboxError("nothing is held for " + ", ".join(addresses or ()))
        for part, numbers in _by_chunk(found).items():
            ledger.decide(tx, part, numbers, state, why, now=clock())
    print(f"{len(found)} " + ("go again with the next pass" if state == State.RETRY else "dropped"))


def _by_chunk(found: list[Held]) -> dict[Chunk, list[int]]:
    parts: dict[Chunk, list[int]] = {}
    for one in found:
        parts.setdefault(one.chunk, []).append(one.person.subscriber_id)
    return parts


COMMANDS = (pause, resume, cancel, winner, adopt, backup)
