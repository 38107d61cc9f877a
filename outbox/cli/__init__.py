"""The command line: options before the command, and one way to end for every error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from outbox.errors import OutboxError

from . import (
    control,
    delivery,
    demo,
    door,
    gift,
    lists,
    operator,
    people,
    rehearsal,
    reports,
    returning,
    series,
)
from .opening import Options
from .segments import segments

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    *delivery.COMMANDS,
    *reports.COMMANDS,
    *returning.COMMANDS,
    *control.COMMANDS,
    *operator.COMMANDS,
    *rehearsal.COMMANDS,
    *gift.COMMANDS,
    *demo.COMMANDS,
    *door.COMMANDS,
):
    app.command()(command)
app.command()(segments)
people.app.command("import")(lists.import_)
people.app.command()(lists.export)
app.add_typer(people.app, name="subscribers")
app.add_typer(control.held, name="held")
app.add_typer(series.app, name="series")


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(help="The book's settings.")] = Path("book.toml"),
    database: Annotated[str, typer.Option(help="Goes before OUTBOX_DATABASE and book.toml.")] = "",
) -> None:
    """Deliver each issue to every confirmed subscriber exactly once.

    Exit codes: 0 done, 1 you must act, 2 wrong usage, 75 try again later.

    \b
    outbox init --sample          a new database with five invented people
    outbox work --once            one pass over everything due
    outbox status                 how far each issue has come
    """  # noqa: D301  (\b keeps the lines of the examples apart)
    ctx.obj = Options(config, database)


def main() -> None:
    """Run a command; every error the outbox knows ends as one sentence and an exit code."""
    try:
        app(prog_name="outbox")
    except OutboxError as error:
        print(f"outbox: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
