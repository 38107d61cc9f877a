"""The commands about people: subscribers add, import, export, unsubscribe."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from outbox.addresses import read_mailbox, read_name
from outbox.consent import Change, Claim, enlist, unsubscribe
from outbox.errors import DONE, MUST_ACT, PeopleError
from outbox.model import Consent
from outbox.people import enlist_all, read_people, write_people
from outbox.store import Tx, subscribers

from .opening import clock, opened, settings_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The people on the list.")
Address = Annotated[str, typer.Argument(help="A mail address.")]


@app.command()
def add(
    ctx: typer.Context,
    address: Address,
    basis: Annotated[str, typer.Option(help="What the person agreed to, how and when.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
) -> None:
    """Add one person who has agreed. Someone who left is not brought back.

    \b
    outbox subscribers add ana@example.org --name "Ana Ruiz" --basis "asked for it by mail, 12 January"
    """  # noqa: D301
    claim = Claim(
        read_mailbox(address), read_name(name), Consent.CONFIRMED, read_name(basis), "outbox subscribers add"
    )
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        change = enlist(tx, claim, clock())
    print(f"{claim.email}: {change}")
    if change is Change.KEPT:
        raise PeopleError(f"{claim.email} has left the list; only they can come back")


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file: email, name, consent, basis, given_at.")],
    basis: Annotated[str, typer.Option(help="Basis of consent for rows without one.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
) -> None:
    """Add people from a CSV file. A row without a basis of consent is not taken.

    \b
    outbox subscribers import people.csv --dry-run
    outbox subscribers import people.csv --basis "signed up at the talk of 12 January"
    """  # noqa: D301
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PeopleError(f"{file} cannot be read: {error.strerror}") from None
    claims, rejects = read_people(content, name=file.name, basis=read_name(basis))
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        changes = enlist_all(tx, claims, clock())
        if dry_run:
            tx.undo()
    for reject in rejects:
        print(f"{file.name}:{reject.line}: {reject.reason}", file=sys.stderr)
    told = ", ".join(f"{changes[change]} {change}" for change in Change if changes[change]) or "nobody"
    print(f"{'would be: ' if dry_run else ''}{told}; {len(rejects)} rows not taken")
    raise typer.Exit(MUST_ACT if rejects else DONE)


@app.command()
def export(ctx: typer.Context) -> None:
    """Print the list as CSV, complete enough to be imported again.

    \b
    outbox subscribers export > people.csv
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        sys.stdout.writelines(write_people(tx))


@app.command("unsubscribe")
def leave(ctx: typer.Context, address: Address) -> None:
    """Let a person go, at once: messages already frozen for them are not sent.

    \b
    outbox subscribers unsubscribe ana@example.org
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        print(_leave(tx, read_mailbox(address), clock()))


def _leave(tx: Tx, email: str, now: datetime) -> str:
    person = subscribers.find(tx, email)
    if person is None:
        raise PeopleError(f"{email} is not on the list")
    gone = unsubscribe(tx, person, source="outbox subscribers unsubscribe", now=now)
    return f"{email}: unsubscribed" if gone else f"{email}: had left before"
