"""Measure the front door: clicks to leave and sign-ups on loopback, and that none is lost when the server is killed.

Run by `make load`. A generator in a process of its own keeps the pace whatever the answers do: a request counts from
the moment it was due, so that a server that stands still is seen to.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from outbox.consent import enlist_all, gather
from outbox.model import Claim, Consent
from outbox.store import open_store

_ROOT = Path(__file__).parent.parent
NOW = datetime.now(UTC)
BOOK = """\
[book]
title = "A Book"
[list]
name = "Letters on Care"
address = "Example Press, 1 Sample Street, 12345 Sampletown"
id = "letters.example.org"
[outbox]
sender = "Example Press <hello@example.org>"
base_url = "https://example.org/mail"
[sign_up]
min_seconds = 0
per_network = 0
per_hour = 0
"""
CLICK = b"List-Unsubscribe=One-Click"
LINES = 64  # connections that are kept open, as those of a proxy


@dataclass(frozen=True, slots=True)
class Load:
    """What one load came to: seconds from when each request was due to its answer; the requests that got 200."""

    waits: list[float]
    good: list[int]
    seconds: float

    def tell(self, name: str, rate: int, cpu: float) -> str:
        """A line of the table."""
        cuts = statistics.quantiles(self.waits, n=100) if len(self.waits) > 1 else [0.0] * 99
        return (
            f"{name:24}{rate:>8,}{len(self.good) / self.seconds:>10,.0f}{1000 * cuts[49]:>9.1f}"
            f"{1000 * cuts[98]:>9.1f}{1000 * max(self.waits):>9.1f}{1e6 * cpu / max(1, len(self.good)):>9.0f}"
        )


def main() -> None:
    """Print both loads, each at its pace, and then what a server knows that was killed in between."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clicks", type=int, default=2_000, help="a second")
    parser.add_argument("--sign-ups", type=int, default=500, help="a second")
    parser.add_argument("--kills", type=int, default=3)
    choice = parser.parse_args()
    print(f"{'':24}{'asked/s':>8}{'done/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'CPU µs':>9}")
    _measure("clicks to leave", choice.clicks, choice.seconds)
    _measure("sign-ups", choice.sign_ups, choice.seconds)
    for number in range(choice.kills):
        _kill(number, choice.clicks, choice.sign_ups)


def _measure(name: str, rate: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_folder(Path(scratch), int(rate * seconds) + 100)
        with serving(folder) as (process, port):
            requests = make_requests(name, folder, port, int(rate * seconds))
            send(port, requests[-100:], rate=100)  # wakes everything up
            before = _cpu(process.pid)
            load = send(port, requests[: int(rate * seconds)], rate=rate)
            print(load.tell(name, rate, _cpu(process.pid) - before))
        missing = find_missing(name, folder, load.good)
        print(f"{'':24}{len(load.good):,} answered 200, {missing} of them not in the database", flush=True)


def _kill(number: int, clicks: int, sign_ups: int) -> None:
    """Kill the server at some moment under load; whatever was answered with 200 must be in its database."""
    for name, rate in (("clicks to leave", clicks), ("sign-ups", sign_ups)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = make_folder(Path(scratch), 3 * rate)
            with serving(folder) as (process, port):
                requests = make_requests(name, folder, port, 2 * rate)
                load = send(port, requests, rate=rate, kill=(process.pid, 0.7 + 0.3 * number))
                process.wait(10)
            missing = find_missing(name, folder, load.good)
        print(
            f"killed under {name:17} {len(load.good):>7,} answered 200, {missing} not in the database",
            flush=True,
        )


def make_folder(folder: Path, people: int) -> Path:
    """A book's folder with a list of so many people."""
    (folder / "book.toml").write_text(BOOK, "utf-8")
    store = open_store(f"sqlite:///{folder / 'outbox.db'}", NOW)
    with store.begin() as tx:
        claims = [
            Claim(f"p{number}@example.org", "", Consent.CONFIRMED, "said yes", "bench")
            for number in range(people)
        ]
        enlist_all(tx, gather(claims), NOW)
    store.close()
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`outbox serve` as it runs for people."""
    command = [sys.executable, "-m", "outbox", "serve", "--port", "0", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(re.findall(r":(\d+)/", process.stdout.readline())[0])
        try:
            yield process, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def make_requests(name: str, folder: Path, port: int, number: int) -> list[bytes]:
    """The bytes of so many requests, each of another person; the folder's server is at `port`."""
    if name == "sign-ups":
        token = _read_token(port)
        return [_sign_up(token, place) for place in range(number + 100)]
    with sqlite3.connect(folder / "outbox.db") as connection:
        tokens = [row[0] for row in connection.execute("SELECT token FROM subscriber ORDER BY id")]
    connection.close()
    return [_request(f"/mail/unsubscribe/{token}", CLICK) for token in tokens]


def _sign_up(token: str, place: int) -> bytes:
    return _request(
        "/mail/sign-up",
        urlencode({"token": token, "email": f"new{place}@example.org", "agree": "yes"}).encode(),
    )


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _read_token(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET /sign-up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        page = b"".join(iter(lambda: line.recv(65536), b"")).decode()
    return re.findall(r'name="token" value="([^"]+)"', page)[0]


def send(port: int, requests: Sequence[bytes], *, rate: int, kill: tuple[int, float] | None = None) -> Load:
    """Send at this pace from a process of its own; `kill` is whom, and after how many seconds."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(_generate, port, requests, rate, kill).result()


def _generate(port: int, requests: Sequence[bytes], rate: int, kill: tuple[int, float] | None) -> Load:
    return asyncio.run(_Generator(port, requests, rate, kill).run())


class _Generator:
    """An open loop: requests are due at fixed moments, and go out on the next line that is free."""

    def __init__(
        self, port: int, requests: Sequence[bytes], rate: int, kill: tuple[int, float] | None
    ) -> None:
        self.port, self.requests, self.rate, self.kill = port, requests, rate, kill
        self.waits, self.good = list[float](), list[int]()
        self.next, self.begun = 0, 0.0

    async def run(self) -> Load:
        lines = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(LINES)]
        self.begun = time.perf_counter()
        if self.kill:
            asyncio.get_running_loop().call_later(self.kill[1], os.kill, self.kill[0], signal.SIGKILL)
        await asyncio.gather(*(self._use(*line) for line in lines))
        return Load(self.waits, self.good, time.perf_counter() - self.begun)

    async def _use(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.next < len(self.requests):
                place, self.next = self.next, self.next + 1
                due = self.begun + place / self.rate
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                writer.write(self.requests[place])
                await self._read(reader, place)
                self.waits.append(time.perf_counter() - due)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the server was killed
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, place: int) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.findall(rb"content-length: (\d+)", head)[0])
        await reader.readexactly(size)
        if head.startswith(b"HTTP/1.1 200"):
            self.good.append(place)


def find_missing(name: str, folder: Path, good: Sequence[int]) -> int:
    """How many of those that were answered with 200 the database knows nothing of."""
    with sqlite3.connect(folder / "outbox.db") as connection:
        rows = connection.execute("SELECT email_key, consent, id FROM subscriber").fetchall()
    connection.close()
    if name == "sign-ups":
        waiting = {email for email, consent, _ in rows if consent == "pending"}
        return sum(f"new{place}@example.org" not in waiting for place in good)
    gone = {number for _, consent, number in rows if consent == "unsubscribed"}
    return sum(place + 1 not in gone for place in good)


def _cpu(pid: int) -> float:
    """Seconds that a process has used, its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
