"""One connection of the server, whose requests may begin neither slowly nor without end."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 16_384  # of a request's head
HEAD_S = 10.0  # seconds for a whole head, from when the line was opened or the head began


class Line(HttpToolsProtocol):
    """As uvicorn has it, which sets a limit to neither."""

    head_s = HEAD_S

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._size = 0  # bytes of a head that is not whole; -1 when it is
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._size >= 0:
            self._size += len(data)
            if self._end is None:
                self._begin()
        super().data_received(data)
        if self._size > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._size = -1
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._size = 0  # what comes next is the head of another request
        super().on_message_complete()

    def _begin(self) -> None:
        self._end = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_clock(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
