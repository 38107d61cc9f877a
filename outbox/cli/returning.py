"""The command that reads mail that came back: bounces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outbox.errors import ConfigError
from outbox.events.applying import apply_new
from outbox.events.collecting import collect
from outbox.model import EventType

from .opening import clock, opened, settings_of

if TYPE_CHECKING:  # mailboxes take a while to load, and every command begins here
    from outbox.bounces.boxes import Box, Imap


def bounces(
    ctx: typer.Context,
    maildir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A Maildir that failed mail comes back to.")
    ] = None,
    imap: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="Or a mailbox on an IMAP server.")] = "",
    folder: Annotated[str, typer.Option(help="The folder on the IMAP server.")] = "INBOX",
) -> None:
    """Read mail that came back, and complaints, and apply what they say; ordinary mail stays as it is.

    For IMAP the user and the password stand in the environment: OUTBOX_IMAP_USER, OUTBOX_IMAP_PASSWORD.

    \b
    outbox bounces --maildir ~/Maildir
    outbox bounces --imap mail.example.org --folder Bounces
    """  # noqa: D301
    from outbox.bounces.boxes import Maildir

    if bool(maildir) == bool(imap):
        raise ConfigError("say where the mail lies: --maildir FOLDER or --imap HOST")
    with opened(settings_of(ctx)) as store:
        box: Box = Maildir(maildir) if maildir else _open_imap(imap, folder)
        try:
            found = collect(box, store, clock())
        finally:
            box.close()
        tally = apply_new(store, clock())
    told = ", ".join(f"{tally[kind]} {kind.replace('_', ' ')}" for kind in EventType if tally[kind])
    print(f"{found.seen} unread mails, {found.kept} came back: {told or 'nothing new'}")


def _open_imap(address: str, folder: str) -> Imap:
    from outbox.bounces.boxes import Imap

    host, _, port = address.partition(":")
    user, password = (os.environ.get(f"OUTBOX_IMAP_{name}", "") for name in ("USER", "PASSWORD"))
    if not user or not password:
        raise ConfigError("IMAP needs OUTBOX_IMAP_USER and OUTBOX_IMAP_PASSWORD in the environment")
    if port and not port.isdigit():
        raise ConfigError(f"--imap {address}: {port!r} is no port")
    return Imap(host, user, password, folder=folder, port=int(port or 993))


COMMANDS = (bounces,)
