"""Listen for requests until the process is told to end."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from outbox.errors import OutboxError

from .app import make_app
from .desk import WebDesk
from .line import Line

OPEN = 1_024  # requests at a time; more are told to come back
ENDING_S = 10  # seconds for requests that run when the process is told to end
#: Seconds after which the writer's thread lets the one that answers go on; Python's own 5 ms are felt.
SWITCH_S = 0.000_5


def open_socket(host: str, port: int) -> socket.socket:
    """Listen there; raises OutboxError where somebody else does, or where it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        raise OutboxError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        ) from None
    return listener


def serve(
    desk: WebDesk, listener: socket.socket, *, ready: Callable[[], None] = lambda: None, quiet: bool = False
) -> None:
    """Answer requests until SIGTERM or Ctrl-C; those that run then are finished.

    uvicorn's own access log has whole paths and addresses in it, so it is off; gate.Gate writes another.
    """
    sys.setswitchinterval(SWITCH_S)
    logging.getLogger("outbox.web").setLevel(logging.WARNING if quiet else logging.INFO)
    config = uvicorn.Config(
        make_app(desk), log_config=None, log_level="warning", access_log=False, lifespan="off", ws="none",
        server_header=False, http=Line, loop="auto", limit_concurrency=OPEN,
        timeout_graceful_shutdown=ENDING_S, proxy_headers=True,
    )  # fmt: skip
    _Server(config, ready).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it is ready, and ends well: uvicorn would raise the signal once more."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
