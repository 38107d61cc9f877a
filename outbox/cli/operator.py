"""The command for whoever runs the outbox: doctor."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.errors import DONE, MUST_ACT, TRY_LATER, OutboxError
from outbox.model import Consent
from outbox.store import subscribers

from .opening import clock, opened, print_json, settings_of

if TYPE_CHECKING:  # reading DNS takes a tenth of a second to load, and every command begins here
    from outbox.doctor import Case, Finding

COLUMN = 22  # characters before what was found
#: How a verdict is shown, and counted.
SHOWN: Mapping[str, tuple[str, str, str]] = {
    "passed": ("passed", "passed", "passed"),
    "warning": ("WARNING", "warning", "warnings"),
    "error": ("ERROR", "error", "errors"),
    "not run": ("not run", "not run", "not run"),
}


def doctor(
    ctx: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the provider and your own web pages.")
    ] = False,
    resolver: Annotated[
        str, typer.Option(metavar="ADDRESS[:PORT]", help="A name server to ask instead of the system's.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything that decides whether mail arrives: DNS, provider, web pages, this machine.

    Sends nothing. A check that could not run is told as "not run", never as passed.
    Exit codes: 0 no errors, 1 an error was found, 75 something gave no answer for now.

    \b
    outbox doctor
    outbox doctor --online
    outbox doctor --resolver 9.9.9.9 --json
    """  # noqa: D301
    from outbox.doctor import Case, examine
    from outbox.doctor.names import open_names

    settings = settings_of(ctx)
    try:
        names = open_names(resolver)
    except ValueError:
        raise typer.BadParameter(f"{resolver!r} is no address; write 9.9.9.9 or 9.9.9.9:53") from None
    with ExitStack() as stack:
        free = shutil.disk_usage(settings.folder).free
        case = _with_database(Case(settings, names, clock, free, online), stack)
        findings = list(examine(case) if as_json else _tell(examine(case)))
    counts = Counter(str(finding.verdict) for finding in findings)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "counts": counts})
    else:
        _print_counts(counts)
    late = any(finding.later for finding in findings)
    raise typer.Exit(MUST_ACT if counts["error"] else TRY_LATER if late else DONE)


def _with_database(case: Case, stack: ExitStack) -> Case:
    """Add what the database knows; one that cannot be opened is a finding, not an end."""
    try:
        store = stack.enter_context(opened(case.settings))
        with store.read() as tx:
            audience = subscribers.count(tx)[Consent.CONFIRMED]
        return replace(case, store=store, audience=audience)
    except OutboxError as error:
        return replace(case, trouble=str(error))


def _tell(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as soon as it is there."""
    width = max(60, shutil.get_terminal_size().columns)
    for finding in findings:
        lines = [f"{SHOWN[finding.verdict][0]:<9}{finding.check:<{COLUMN - 9}}{finding.found}"]
        lines += [f"{'':<{COLUMN}}-> {finding.mend}"] if finding.mend else []
        for line in lines:
            inner = " " * (COLUMN + 3 * line.startswith(" "))
            print(fill(line, width, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False))
        yield finding


def _print_counts(counts: Mapping[str, int]) -> None:
    said = [f"{counts[name]} {SHOWN[name][1 + (counts[name] != 1)]}" for name in SHOWN if counts[name]]
    print(", ".join(said))


COMMANDS = (doctor,)
