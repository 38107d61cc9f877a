"""What every request passes: its path, its size, its time; and the headers that every answer gets."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("outbox.web")

#: Bytes that a request may carry: a form is small, a provider's report is not.
MAX_FORM = 32_768
MAX_BODY: Mapping[str, int] = MappingProxyType({"/events/": 16_777_216})
BODY_S = 10.0  # seconds for a whole body
#: Nothing may be loaded, framed or sent anywhere but what stands here (CSP level 3).
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SCRIPTED = f"{POLICY}; script-src 'self'"  # of a page that has a script of ours
#: What every answer says, unless it says something else itself.
HEADERS: Mapping[bytes, bytes] = MappingProxyType(
    {
        b"cache-control": b"no-store",
        b"content-security-policy": POLICY.encode(),
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), geolocation=(), microphone=(), browsing-topics=()",
        b"referrer-policy": b"no-referrer",  # an address of ours may hold a token
        b"strict-transport-security": b"max-age=31536000",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"x-robots-tag": b"noindex, nofollow",
    }
)
#: What follows these words in a path is a secret, and never logged.
SECRET = re.compile(r"^(/[a-z-]+/).+")


@dataclass(frozen=True, slots=True)
class Gate:
    """Stands before the pages (ASGI). `prefix` is the path of base_url; requests may come with it or without."""

    app: ASGIApp
    prefix: str
    max_body: Mapping[str, int] = field(default_factory=lambda: MAX_BODY)
    body_s: float = BODY_S
    numbers: Iterator[str] = field(default_factory=lambda: _number_requests(secrets.token_hex(4)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "path": self._shorten(scope["path"]), "request_id": next(self.numbers)}
        reply = _Reply(send, scope)
        try:
            body = await self._read_body(scope, receive)
        except _Refused as refused:
            await refused.answer(scope, receive, reply.send)
        else:
            await self._answer(scope, _Replay(body, receive), reply)
        log.info(
            "%s %s %s %s", scope["method"], hide_secret(scope["path"]), reply.status, scope["request_id"]
        )

    async def _answer(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        try:
            await self.app(scope, receive, reply.send)
        except Exception:
            log.exception("request %s", scope["request_id"])  # the page gives the number, app.py writes it
            if not reply.status:
                raise

    def _shorten(self, path: str) -> str:
        if self.prefix and path.startswith(f"{self.prefix}/"):
            return path.removeprefix(self.prefix)
        return path

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        """All of a body, before anybody acts on the first half; it may be neither large nor slow."""
        if scope["method"] in {"GET", "HEAD"}:
            return b""
        limit = next(
            (size for start, size in self.max_body.items() if scope["path"].startswith(start)), MAX_FORM
        )
        try:
            async with asyncio.timeout(self.body_s):
                return await _read(receive, limit)
        except TimeoutError:
            raise _Refused("The request took too long.", 408) from None


def _number_requests(start: str) -> Iterator[str]:
    """A number for each request: which process, and which of its requests."""
    return (f"{start}{number:08x}" for number in count(1))


def hide_secret(path: str) -> str:
    """A path as it may stand in a log: without what only the person may know."""
    return SECRET.sub(r"\1…", path)


class _Refused(Exception):
    def __init__(self, why: str, status: int) -> None:
        self.answer: Response = PlainTextResponse(why, status, headers={"connection": "close"})


async def _read(receive: Receive, limit: int) -> bytes:
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused("The request broke off.", 400)
        part, more = message.get("body", b""), message.get("more_body", False)
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _Refused("The request is too large.", 413)
    return b"".join(parts)


@dataclass(slots=True)
class _Replay:
    """Hands the body over that was read, in one piece; then whatever else the server tells."""

    body: bytes
    receive: Receive
    told: bool = False

    async def __call__(self) -> Message:
        if self.told:
            return await self.receive()
        self.told = True
        return {"type": "http.request", "body": self.body, "more_body": False}


@dataclass(slots=True)
class _Reply:
    """Adds the headers to an answer, and remembers its status."""

    out: Send
    scope: Scope
    status: int = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {name.lower() for name, _ in message.get("headers", ())}
            added = [pair for pair in HEADERS.items() if pair[0] not in own]
            number = (b"x-request-id", self.scope["request_id"].encode())
            message = {**message, "headers": [*message.get("headers", ()), *added, number]}
        await self.out(message)
