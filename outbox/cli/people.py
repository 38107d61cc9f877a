"""The commands about people: subscribers add, import, export, show, tag, unsubscribe, suppress, erase."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from uuid import uuid4

import msgspec
import typer

from outbox.addresses import needs_smtputf8, read_mailbox, read_name, suggest
from outbox.consent import Change, enlist, erase, suppress, unsubscribe
from outbox.errors import DONE, MUST_ACT, PeopleError
from outbox.model import Claim, Consent, Subscriber
from outbox.people.claims import Reject, read_tags
from outbox.people.export import write_list
from outbox.people.importing import DOUBTFUL, REJECTED, Report, import_list, try_list
from outbox.people.sheet import Sheet, open_sheet, read_mapping
from outbox.store import Tx, evidence, subscribers, suppressions

from .opening import clock, opened, settings_of

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


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file whose first line names its columns.")],
    basis: Annotated[str, typer.Option(help="Basis of consent for rows without one.")] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=HEADING", help="Which column holds what; may be given several times."
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the file is written, where it is not UTF-8.")] = "utf-8",
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where rows go that are not taken.")
    ] = None,
    dry_run: DryRun = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin a stopped import anew.")] = False,
    as_json: Json = False,
) -> None:
    """Add people from a CSV file. A row without a basis of consent is not taken.

    An import that was stopped goes on where it was when the same command is given again.

    \b
    outbox subscribers import people.csv --dry-run
    outbox subscribers import people.csv --basis "signed up at the talk of 12 January"
    outbox subscribers import export.csv --map email="E-mail Address" --map city=Town --map visits:number=Visits
    """  # noqa: D301
    sheet = open_sheet(file, mapping=read_mapping(mapping or []), encoding=encoding, basis=read_name(basis))
    bad = rejects or file.with_name(f"{file.stem}.rejects.csv")
    settings = settings_of(ctx)
    if not as_json:
        _tell_columns(sheet)
    with opened(settings) as store, _progress(file) as tell:
        if dry_run:
            report = try_list(store, sheet, now=clock(), secrets=settings.secrets, tell=tell)
        else:
            report = import_list(
                store, sheet, clock=clock, rejects=bad, secrets=settings.secrets, restart=restart, tell=tell
            )
    if as_json:
        _print_json(
            {**msgspec.to_builtins(report), "rejects": str(bad) if report.rejects and not dry_run else ""}
        )
    else:
        _tell_report(report, sheet, bad, dry_run=dry_run)
    raise typer.Exit(MUST_ACT if report.counts[REJECTED] else DONE)


@app.command()
def export(
    ctx: typer.Context,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="A file, else it is printed.")] = None,
) -> None:
    """Print the list as CSV, complete enough to be imported again. Erased people are not on it.

    \b
    outbox subscribers export > people.csv
    outbox subscribers export --output people.csv
    """  # noqa: D301
    with opened(settings_of(ctx)) as store, store.read() as tx:
        if output is None:
            sys.stdout.writelines(write_list(tx))
            return
        part = output.with_name(f".{output.name}.{uuid4().hex[:8]}")
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                file.writelines(write_list(tx))
            part.replace(output)
        except OSError as error:
            raise PeopleError(f"{output} cannot be written: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)


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
        _print_json(known)
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


def _tell_columns(sheet: Sheet) -> None:
    taken = [f"{field} from {sheet.header[place]!r}" for field, place in sheet.columns.items()]
    taken += [
        f"{name} ({kind}) from {sheet.header[place]!r}" for name, (place, kind) in sheet.attributes.items()
    ]
    print(f"columns: {', '.join(taken)}")
    if sheet.ignored:
        print(
            f"not taken: {', '.join(map(repr, sheet.ignored))}; take one with --map, as an attribute: --map city=Town"
        )


def _tell_report(report: Report, sheet: Sheet, bad: Path, *, dry_run: bool) -> None:
    for line in report.differences:
        print(line)
    _tell_rows(report.rejects, report.counts[REJECTED], sheet)
    _tell_rows(report.doubts, report.counts[DOUBTFUL], sheet)
    if report.resumed_at:
        print(f"went on behind line {report.resumed_at:,}, where it was stopped")
    told = (
        ", ".join(f"{report.counts[change]:,} {change}" for change in Change if report.counts[change])
        or "nobody"
    )
    print(f"{'would be: ' if dry_run else ''}{told}; {report.counts[REJECTED]:,} rows not taken")
    if report.counts[REJECTED] and not dry_run:
        print(f"the rows not taken are in {bad}; mend them there and import that file")


def _tell_rows(rows: Sequence[Reject], number: int, sheet: Sheet) -> None:
    for row in rows:
        print(f"{sheet.name}:{row.line}: {row.reason}", file=sys.stderr)
    if number > len(rows):
        print(f"... and {number - len(rows):,} more", file=sys.stderr)


def _tell_person(known: dict[str, Any]) -> None:
    print(
        f"{known.get('name') or '(no name)'} <{known['email']}>: {known.get('consent') or 'not on the list'}"
    )
    for field in ("language", "time_zone", "attributes", "tags", "suppressed"):
        if known.get(field):
            value = known[field]
            print(f"  {field:<12}{', '.join(value) if field == 'tags' else value}")
    if known["smtputf8"]:
        print("  only providers that speak SMTPUTF8 can carry mail there")
    for event in known["evidence"]:
        when = f", given {event['given_at']}" if event["given_at"] else ""
        how = f"{event['method']}: " if event["method"] else ""
        print(f"  {_short(event['at'])}  {event['consent']}: {event['basis']} ({how}{event['source']}{when})")


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("importing", total=file.stat().st_size)
        yield lambda offset: bar.update(task, completed=offset)


def _short(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z")


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat()))
