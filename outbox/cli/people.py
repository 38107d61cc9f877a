"""The commands about one person: subscribers add, show, tag, unsubscribe, suppress, erase."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args

import msgspec
import typer

from outbox.addresses import needs_smtputf8, read_mailbox, read_name, suggest
from outbox.consent import Change, enlist, erase, suppress, unsubscribe
from outbox.errors import PeopleError
from outbox.model import Claim, Consent, Subscriber
from outbox.people.cells import read_tags
from outbox.store import Tx, evidence, subscribers, suppressions

from .opening import clock, opened, print_json, settings_of, short

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The people on the list.")
Address = Annotated[str, typer.Argument(help="A mail address.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Why = Literal["bounce", "complaint", "request"]


@app.command()
def add(
    ctx: typer.Context,
    address: Address,
    basis: Annotated[str, typer.Option(help="What the person agreed to, how and when.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    tag: Annotated[str, typer.Option(help="Tags, with commas between.")] = "",
) -> None:
    """Add one person who has agreed. Someone who left is not brought back.

    \b
    outbox subscribers add ana@example.org --name "Ana Ruiz" --basis "asked for it by mail, 12 January"
    outbox subscribers add bo@example.org --basis "signed the list at the talk of 3 March" --tag carer
    """  # noqa: D301
    claim = Claim(
        read_mailbox(address),
        read_name(name),
        Consent.CONFIRMED,
        read_name(basis),
        "outbox subscribers add",
        tags=tuple(read_tags(tag)),
    )
    settings = settings_of(ctx)
    with opened(settings) as store, store.begin() as tx:
        change = enlist(tx, claim, clock(), method="command", secrets=settings.secrets)
    print(f"{claim.email}: {change}")
    if meant := suggest(claim.email):
        print(f"outbox: did they mean {meant}?", file=sys.stderr)
    if change is Change.KEPT:
        raise PeopleError(f"{claim.email} has left the list; only they can come back")


@app.command()
def show(ctx: typer.Context, address: Address, as_json: Json = False) -> None:
    """Show what is known of one person, and the evidence of their consent.

    \b
    outbox subscribers show ana@example.org
    outbox subscribers show ana@example.org --json
    """  # noqa: D301
    email = read_mailbox(address)
    with opened(settings_of(ctx)) as store, store.read() as tx:
        person, reason = subscribers.find(tx, email), suppressions.reason_of(tx, email)
        if person is None and not reason:
            raise PeopleError(f"{email} is not on the list")
        tags = subscribers.tags_of(tx, person.id) if person else ()
        events = evidence.events_of(tx, person.id) if person else []
        forms = evidence.forms_of(tx, events)
    known = {**(asdict(person) if person else {"email": email}), "tags": tags, "suppressed": reason}
    known["smtputf8"] = needs_smtputf8(email)
    known["evidence"] = [
        {
            **msgspec.structs.asdict(event),
            "form": dict(zip(("version", "text"), forms[event.form_sha], strict=True)),
        }
        if event.form_sha
        else msgspec.structs.asdict(event)
        for event in events
    ]
    if as_json:
        print_json(known)
    else:
        _tell_person(known)


@app.command()
def tag(
    ctx: typer.Context,
    address: Address,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Tags; -TAG after -- takes one away.")],
) -> None:
    """Give a person tags, or take tags away.

    \b
    outbox subscribers tag ana@example.org carer "spring 2026"
    outbox subscribers tag ana@example.org -- -carer
    """  # noqa: D301
    email = read_mailbox(address)
    given, taken = (read_tags(",".join(words)) for words in _split_tags(tags))
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        person = _find(tx, email)
        has = subscribers.tags_of(tx, person.id)
        subscribers.add_tags(tx, [(person.id, word) for word in given if word not in has])
        for word in taken:
            subscribers.remove_tag(tx, person.id, word)
        print(f"{email}: {', '.join(subscribers.tags_of(tx, person.id)) or 'no tags'}")


@app.command("unsubscribe")
def leave(ctx: typer.Context, address: Address) -> None:
    """Let a person go, at once: messages already frozen for them are not sent.

    \b
    outbox subscribers unsubscribe ana@example.org
    """  # noqa: D301
    email = read_mailbox(address)
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        gone = unsubscribe(
            tx, _find(tx, email), source="outbox subscribers unsubscribe", now=clock(), method="command"
        )
    print(f"{email}: unsubscribed" if gone else f"{email}: had left before")


@app.command("suppress")
def bar(
    ctx: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(Why))}.")] = "request",
    dry_run: DryRun = False,
) -> None:
    """Never write to an address again, whether it is on the list or not. This cannot be undone.

    \b
    outbox subscribers suppress ana@example.org --dry-run
    outbox subscribers suppress ana@example.org --reason complaint
    """  # noqa: D301
    email, why = read_mailbox(address), next((why for why in get_args(Why) if why == reason), None)
    if why is None:
        raise typer.BadParameter(f"the reason is one of {', '.join(get_args(Why))}, not {reason!r}")
    with opened(settings_of(ctx)) as store, store.begin() as tx:
        new = suppress(tx, email, why, source="outbox subscribers suppress", now=clock(), method="command")
        if dry_run:
            tx.undo()
    told = f"would be suppressed ({why})" if dry_run else f"suppressed ({why})"
    print(f"{email}: {told if new else 'was suppressed before'}")


@app.command("erase")
def forget(ctx: typer.Context, address: Address, dry_run: DryRun = False) -> None:
    """Forget a person: all that is known of them goes, except a keyed hash that keeps them from coming back by a list.

    This cannot be undone. docs/privacy.md says what stays.

    \b
    outbox subscribers erase ana@example.org --dry-run
    outbox subscribers erase ana@example.org
    """  # noqa: D301
    email, settings = read_mailbox(address), settings_of(ctx)
    with opened(settings) as store, store.begin() as tx:
        person = _find(tx, email)
        tags = subscribers.tags_of(tx, person.id)
        if not dry_run:
            erase(tx, person, settings.secrets, source="outbox subscribers erase", now=clock())
    what = f"name, address, {len(tags)} tags, {len(person.attributes)} attributes, and the address on every message"
    print(f"{email}: would be erased: {what}" if dry_run else f"{email}: erased: {what}")


def _find(tx: Tx, email: str) -> Subscriber:
    person = subscribers.find(tx, email)
    if person is None:
        raise PeopleError(f"{email} is not on the list")
    return person


def _split_tags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    given = [word for word in words if not word.startswith("-")]
    return given, [word[1:] for word in words if word.startswith("-")]


def _tell_person(known: dict[str, Any]) -> None:
    print(
        f"{known.get('name') or '(no name)'} <{known['email']}>: {known.get('consent') or 'not on the list'}"
    )
    for field in ("language", "time_zone", "attributes", "tags", "suppressed"):
        if known.get(field):
            print(f"  {field:<12}{_in_words(known[field])}")
    if known["smtputf8"]:
        print("  only providers that speak SMTPUTF8 can carry mail there")
    for event in known["evidence"]:
        when = f", given {event['given_at']}" if event["given_at"] else ""
        how = f"{event['method']}: " if event["method"] else ""
        print(f"  {short(event['at'])}  {event['consent']}: {event['basis']} ({how}{event['source']}{when})")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return value if isinstance(value, str) else ", ".join(value)
