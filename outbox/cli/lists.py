"""The commands about whole lists: subscribers import, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import msgspec
import typer

from outbox.addresses import read_name
from outbox.consent import Change
from outbox.errors import DONE, MUST_ACT, PeopleError
from outbox.people.claims import Reject
from outbox.people.export import write_list
from outbox.people.importing import DOUBTFUL, REJECTED, Report, import_list, try_list
from outbox.people.sheet import Sheet, open_sheet, read_mapping

from .opening import clock, opened, print_json, settings_of
from .people import DryRun, Json


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
        print_json(
            {**msgspec.to_builtins(report), "rejects": str(bad) if report.rejects and not dry_run else ""}
        )
    else:
        _tell_report(report, sheet, bad, dry_run=dry_run)
    raise typer.Exit(MUST_ACT if report.counts[REJECTED] else DONE)


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
