"""Listen, read a call whole, let go wrong what should, accept under one lock, answer."""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from re import fullmatch
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .dialects import DIALECTS, SEARCHES, Call, Dialect, Refusal, Search, verdict_of
from .faults import Fault, Faults
from .journal import Journal

MAX_BODY = 60_000_000  # bytes; more than any provider takes


@dataclass(frozen=True, slots=True)
class Rules:
    """How the sandbox behaves when nothing goes wrong."""

    search_delay: float = 0.0  # seconds until a search finds what was accepted
    key_window: float = 86_400.0  # seconds for which a key is remembered
    rate: float = 0.0  # calls a second for each account; 0: any number


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; None for the body cuts the connection."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk:
    """Takes calls: the part of the sandbox that knows no sockets."""

    def __init__(
        self, journal: Journal, faults: Faults, rules: Rules, clock: Callable[[], float] = time.time
    ) -> None:
        self.journal, self.faults, self.rules, self.clock = journal, faults, rules, clock
        self.lock = threading.Lock()
        self._numbers = count(1)
        self._busy: set[str] = set()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._run = sha256(str(clock()).encode()).hexdigest()[:8]

    def take(self, call: Call, fault: Fault | None) -> Reply:
        """Accept a call or refuse it, as the provider whose path it names."""
        dialect = next((one for one in DIALECTS if fullmatch(one.path, call.path)), None)
        if dialect is None:
            return _json_reply(404, {"message": "nobody here answers to this path"})
        try:
            return self._take(dialect, call, fault)
        except Refusal as refusal:
            return _json_reply(refusal.status, dialect.refuse(refusal.status, str(refusal)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _json_reply(422, dialect.refuse(422, f"cannot be read: {type(error).__name__} {error}"))

    def search(self, call: Call) -> Reply:
        """Answer a question, with what was accepted some time ago."""
        found: Search | None = next((one for one in SEARCHES if fullmatch(one.path, call.path)), None)
        if found is None:
            return _json_reply(404, {"message": "nobody here answers to this path"})
        if not found.token(call):
            return _json_reply(401, {"message": "unauthorized"})
        return _json_reply(200, found.find(self.journal, call, self.clock() - self.rules.search_delay))

    def _take(self, dialect: Dialect, call: Call, fault: Fault | None) -> Reply:
        token = dialect.token(call)
        if not token:
            raise Refusal(401, "unauthorized")
        limits = self._spend(token)
        key, sha = dialect.key(call), sha256(call.body).hexdigest()
        name = f"{dialect.name} {token} {key}" if key else ""
        if (known := self._known(name, sha)) is not None:
            return Reply(known.status, known.body, limits)
        try:
            messages = dialect.read(call)
            if len(messages) > dialect.limit:
                raise Refusal(413 if dialect.name == "postmark" else 422, f"at most {dialect.limit} messages")
            items = [(self._new_id(dialect), verdict_of(one), one) for one in messages]
            if dialect.atomic and any(verdict == "invalid" for _, verdict, _ in items):
                raise Refusal(422 if dialect.name == "resend" else 400, "an address is not valid")
            reply = Reply(200, json.dumps(dialect.answer(items), ensure_ascii=False).encode(), limits)
            good = [(given, one) for given, verdict, one in items if verdict == "accepted" or dialect.atomic]
            kept = (name, sha, reply.status, reply.body) if name else None
            label, now = fault.name if fault else "", self.clock()
            self.journal.accept(
                good, dialect=dialect.name, path=call.path, body=call.body, at=now, fault=label, answer=kept
            )
            return reply
        finally:
            self._busy.discard(name)

    def _known(self, name: str, sha: str) -> Reply | None:
        """What was answered under this key before (SB-3); raises Refusal for other bytes, or one still running."""
        with self.lock:
            if name in self._busy:
                raise Refusal(409, "a call with this key is still running")
            before = self.journal.answer_for(name, self.clock() - self.rules.key_window) if name else None
            if before is None:
                if name:
                    self._busy.add(name)
                return None
        if before[0] != sha:
            raise Refusal(409, "this key was used with another body")
        return Reply(before[1], before[2])

    def _spend(self, token: str) -> dict[str, str]:
        """Take one call from the account's bucket (SB-9)."""
        rate = self.rules.rate
        if not rate:
            return {}
        with self.lock:
            now = self.clock()
            left, since = self._buckets.get(token, (max(rate, 1.0), now))
            left = min(max(rate, 1.0), left + (now - since) * rate)
            if left < 1:
                self._buckets[token] = (left, now)
                raise Refusal(429, "Too many requests")
            self._buckets[token] = (left - 1, now)
        return {
            "ratelimit-limit": f"{rate:g}",
            "ratelimit-remaining": str(int(left - 1)),
            "ratelimit-reset": "1",
        }

    def _new_id(self, dialect: Dialect) -> str:
        number = f"{self._run}-{next(self._numbers)}"
        return f"<{number}@mailgun.test>" if dialect.name in {"mailgun", "brevo"} else number


class Handler(BaseHTTPRequestHandler):
    """HTTP around the desk, and the faults that need a socket."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for an answer
    disable_nagle_algorithm = True
    desk: Desk
    quiet: bool

    def do_POST(self) -> None:
        """Take messages, or an order for faults."""
        call = self._call()
        if call is None:
            return
        if call.path in CONTROLS:
            self._send(CONTROLS[call.path](self.desk, call))
            return
        with self.desk.lock:
            fault = self.desk.faults.next()
        if fault and fault.when == "before" and fault.kind != "slow":
            self._go_wrong(fault, None)
            return
        if fault and fault.when == "before":
            time.sleep(fault.seconds)
        reply = self.desk.take(call, fault)
        if fault and fault.when == "after":
            self._go_wrong(fault, reply)
        else:
            self._send(reply)

    def do_GET(self) -> None:
        """Answer a search, or show the journal."""
        call = self._call()
        if call is not None:
            self._send(
                CONTROLS[call.path](self.desk, call) if call.path in CONTROLS else self.desk.search(call)
            )

    def _call(self) -> Call | None:
        """Read the whole call first: else a fault would look like an error in writing."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self._send(_json_reply(413, {"message": f"at most {MAX_BODY} bytes"}))
            return None
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, self.rfile.read(length))

    def _go_wrong(self, fault: Fault, reply: Reply | None) -> None:
        if fault.kind in {"hang", "slow"}:
            time.sleep(fault.seconds)
        if fault.kind in {"reset", "hang"}:
            self._reset()
        elif fault.kind.isdigit():
            self._send(_json_reply(int(fault.kind), {"message": "something went wrong"}, _retry_after(fault)))
        elif fault.kind == "garbage":
            self._send(Reply(200, b"<html>not what you expected</html>"))
        elif fault.kind == "truncate":
            whole = reply.body if reply else b'{"message": "this is cut off here'
            self._send(Reply(200, whole), cut=True)
        elif reply:
            self._send(reply)

    def _send(self, reply: Reply, *, cut: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
        self.wfile.flush()
        if cut:
            self._reset()

    def _reset(self) -> None:
        # With no time to linger, closing sends RST instead of FIN.
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in http.server)
        """Say what came, unless told to be quiet."""
        if not self.quiet:
            super().log_message(format, *args)


class Server(ThreadingHTTPServer):
    """The sandbox on a port of this machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, desk: Desk, host: str = "127.0.0.1", port: int = 0, *, quiet: bool = True) -> None:
        self.desk = desk
        handler = type("Handler", (Handler,), {"desk": desk, "quiet": quiet})
        super().__init__((host, port), handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no error here."""


def _json_reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(document, ensure_ascii=False).encode(), headers or {})


def _retry_after(fault: Fault) -> dict[str, str]:
    if fault.kind not in {"429", "503"}:
        return {}
    if fault.as_date:
        return {"Retry-After": formatdate(time.time() + fault.seconds, usegmt=True)}
    return {"Retry-After": str(math.ceil(fault.seconds))}


def _order(desk: Desk, call: Call) -> Reply:
    desk.faults.order_json(json.loads(call.body))
    return _json_reply(200, {})


def _state(desk: Desk, _: Call) -> Reply:
    counts = desk.journal.count()
    twice = {email: number for email, number in counts.items() if number > 1}
    return _json_reply(200, {"accepted": sum(counts.values()), "twice": twice, "recipients": counts})


def _messages(desk: Desk, call: Call) -> Reply:
    email = call.query.get("email", "")
    return _json_reply(200, desk.journal.find(emails=[email] if email else []))


def _forget(desk: Desk, _: Call) -> Reply:
    desk.journal.clear()
    return _json_reply(200, {})


def _show(desk: Desk, _: Call) -> Reply:
    lines = [f"{o['email']}  {o['dialect']}  {o['id']}  {o.get('subject', '')}" for o in desk.journal.find()]
    return _json_reply(200, lines[-200:])


#: Paths of the sandbox's own, beside those of the providers.
CONTROLS: Mapping[str, Callable[[Desk, Call], Reply]] = {
    "/": _show,
    "/__faults": _order,
    "/__state": _state,
    "/__messages": _messages,
    "/__forget": _forget,
}
