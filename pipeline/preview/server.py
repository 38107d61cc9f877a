"""Serve the preview to this machine's browsers and to nobody else."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from threading import Thread
from types import FrameType

import uvicorn

from ..errors import ConfigError, Place
from .app import make_app
from .changes import Changes, watch_book

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 8400, 20


def serve(folder: Path, *, port: int | None, show: bool, say: Callable[[str], None], today: date) -> None:
    """Serve the preview of the book in `folder` until it is stopped; `show` opens a browser.

    Raises ConfigError for a folder that is not there and a `port` that is taken; without a
    `port` the first free one is used.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise ConfigError("there is no such folder; give the book's own with --book", Place(str(folder)))
    with open_socket(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/"
        say(f"the preview is at {address} and follows what you save; Ctrl-C ends it")
        if show:
            _show(address)
        try:
            asyncio.run(_run(folder, listener, today=today))
        except KeyboardInterrupt:
            say("the preview has ended")


def open_socket(port: int | None) -> socket.socket:
    """Listen at `port` (0: any that is free), or at the first free one from FIRST_PORT on; on this machine only."""
    ports = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,)
    for each in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, each))
            listener.listen()
        except OSError:
            listener.close()
        else:
            return listener
    taken = f"port {ports[0]}" if len(ports) == 1 else f"each port from {ports[0]} to {ports[-1]}"
    raise ConfigError(f"{taken} is taken by another program; choose another with --port")


def _show(address: str) -> None:
    """Open a browser where there is a screen; elsewhere it would be one of letters, over this terminal.

    In a process of its own, begun before the press hides the system's fonts from whatever it starts.
    """
    if sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        nowhere = subprocess.DEVNULL
        subprocess.Popen([sys.executable, "-m", "webbrowser", address], stdout=nowhere, stderr=nowhere)


class _Server(uvicorn.Server):
    """Ends at once and without a word: open pages would wait for news for ever."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.force_exit = True
        logging.getLogger("uvicorn.error").disabled = True


async def _run(folder: Path, listener: socket.socket, *, today: date) -> None:
    changes = Changes()
    note = partial(asyncio.get_running_loop().call_soon_threadsafe, changes.note)
    Thread(target=watch_book, args=(folder, note), daemon=True).start()
    app = make_app(folder, changes, today=today)
    await _Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none")).serve(sockets=[listener])
