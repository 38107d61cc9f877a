"""The commands of the front door: serve, form."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from outbox.web.desk import open_web_desk
from outbox.web.pasted import write_form
from outbox.web.server import open_socket
from outbox.web.server import serve as serve_pages

from .opening import clock, opened, settings_of


def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(help="Where it can be reached; a proxy with a certificate stands before it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8600,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print every request.")] = False,
) -> None:
    """Serve the web pages: sign-up, confirm, unsubscribe, preferences.

    It sends nothing; letters go out by `outbox work`, which runs beside it.

    \b
    outbox serve
    outbox serve --port 8080 --quiet
    """  # noqa: D301
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    settings = settings_of(ctx)
    with opened(settings) as store, open_socket(host, port) as listener:
        desk = open_web_desk(store, settings, clock)
        address, port = listener.getsockname()[:2]
        at = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        try:
            serve_pages(
                desk, listener, quiet=quiet,
                ready=lambda: print(f"pages at http://{at}{desk.root}; Ctrl-C ends it", flush=True),
            )  # fmt: skip
        finally:
            desk.close()


def form(ctx: typer.Context) -> None:
    """Print a sign-up form as HTML, to be pasted into a page of your own.

    It has the words of [sign_up] as they are now, and goes on working when you change them; paste it anew then, so
    that people read the new ones.

    \b
    outbox form
    outbox form > form.html
    """  # noqa: D301
    settings = settings_of(ctx)
    with opened(settings) as store:
        desk = open_web_desk(store, settings, clock)
        try:
            print(write_form(desk))
        finally:
            desk.close()


COMMANDS = (serve, form)
