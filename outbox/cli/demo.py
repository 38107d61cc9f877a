"""The command that plays the whole story on this machine: demo."""

from __future__ import annotations

from typing import Annotated

import typer

from outbox.demo import playing, working
from outbox.web.desk import open_web_desk
from outbox.web.server import open_socket, serve

from .opening import settings_of


def demo(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Of the web pages; 0 takes a free one.")] = 0,
    pace: Annotated[float, typer.Option(help="Seconds until the day of the next issue comes.")] = 30.0,
) -> None:
    """Play the whole story on this machine: sign up, confirm, get the book, read, leave. Nothing is really sent.

    Everything is made anew in build/demo. The clock begins an hour before the first issue, and leaps to
    it once somebody has confirmed, then to the next. Letters are printed as links as they arrive.

    \b
    outbox demo
    outbox demo --pace 10
    """  # noqa: D301
    with playing(settings_of(ctx), pace) as story, open_socket("127.0.0.1", port) as listener:
        desk = open_web_desk(story.store, story.settings, story.clock)
        story.local = f"http://127.0.0.1:{listener.getsockname()[1]}{desk.root.rstrip('/')}"
        try:
            with working(story, _tell):
                serve(desk, listener, quiet=True, ready=lambda: _begin(story.local))
        finally:
            desk.close()


def _begin(local: str) -> None:
    _tell(f"sign up here: {local}/")
    _tell(f"what went out: {local}/archive")
    _tell("letters are shown below as they arrive; Ctrl-C ends it")


def _tell(words: str) -> None:
    print(words, flush=True)


COMMANDS = (demo,)
