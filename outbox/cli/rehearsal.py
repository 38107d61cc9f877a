"""The command that runs the provider for rehearsals: sandbox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from outbox.errors import ConfigError, OutboxError
from outbox.sandbox import Desk, Emitter, Fault, Faults, Journal, Manner, Rules, Server, read_fault


def sandbox(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8025,
    host: Annotated[
        str, typer.Option(help="Where it can be reached; keep it on this machine.")
    ] = "127.0.0.1",
    journal: Annotated[Path, typer.Option(help="The file of what was accepted.")] = Path("sandbox.db"),
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT=RATE", help="Goes wrong by chance: reset:after=0.05, slow:before:1.5=0.1."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same chances.")] = 0,
    search_delay: Annotated[float, typer.Option(help="Seconds until a search finds a message.")] = 0.0,
    key_window: Annotated[float, typer.Option(help="Seconds for which a key is remembered.")] = 86_400.0,
    rate: Annotated[float, typer.Option(help="Calls a second for each account; 0: any number.")] = 0.0,
    hook: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Report there what became of messages; OUTBOX_SANDBOX_HOOK signs it."
        ),
    ] = "",
    twice: Annotated[float, typer.Option(help="Share of reports that come twice.")] = 0.0,
    delay: Annotated[float, typer.Option(help="Seconds that a report may be late.")] = 0.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print every call.")] = False,
) -> None:
    """Run a provider on this machine that keeps what it gets, and goes wrong when you want it to.

    It answers as Resend, Postmark, Mailgun, Brevo and Amazon SES do, and to the provider `sandbox`.
    GET /__state counts what was accepted for each mailbox; GET /__messages?email=ADDRESS shows it.

    \b
    outbox sandbox
    outbox sandbox --fault reset:after=0.05 --fault 429:before=0.1 --seed 7
    outbox sandbox --hook http://127.0.0.1:8600/events/sandbox --twice 0.2 --delay 5
    """  # noqa: D301
    faults = Faults(dict(map(_rate, fault or [])), seed)
    rules = Rules(search_delay=search_delay, key_window=key_window, rate=rate)
    kept = Journal(journal)
    try:
        server = Server(Desk(kept, faults, rules), host, port, quiet=quiet)
    except OSError as error:
        raise OutboxError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    print(f"sandbox at {server.url}, journal in {journal}; Ctrl-C ends it", flush=True)
    emitter = Emitter(kept, hook, _secret(), Manner(twice, delay, seed)) if hook else None
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print(f"accepted {sum(kept.count().values())} messages")
    finally:
        if emitter:
            emitter.close()
        server.server_close()
        kept.close()


def _secret() -> str:
    secret = os.environ.get("OUTBOX_SANDBOX_HOOK", "")
    if not secret:
        raise ConfigError("--hook needs OUTBOX_SANDBOX_HOOK in the environment; docs/webhooks.md says more")
    return secret.split()[0]


def _rate(text: str) -> tuple[Fault, float]:
    name, _, rate = text.rpartition("=")
    try:
        return read_fault(name), float(rate)
    except ValueError:
        raise OutboxError(f"--fault {text}: {rate!r} is no number; write {name or text}=0.05") from None


COMMANDS = (sandbox,)
