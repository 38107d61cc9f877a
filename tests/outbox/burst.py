"""Send a burst of webhooks to `outbox serve`, kill it in between, and count what became of every event.

    python -m tests.outbox.burst --events 100000 --kills 10

Each event is told again until it is answered with 2xx, as a provider does. Afterwards every one must be
in the ledger, once, and none may wait.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from outbox.events.applying import apply_new
from outbox.events.proof import sign_standard
from outbox.store import arrivals, events, open_store
from tests.outbox.torture import BOOK, HOOK, ROOT

WORKERS, PATIENCE = 16, 120
PATH = "/mail/events/sandbox"


@dataclass
class Score:
    """What came of a burst."""

    events: int
    kills: int
    accept_s: float = 0.0
    repeated: int = 0
    known: int = 0  # in the ledger
    waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def row(self) -> str:
        rate = f"{self.events / self.accept_s:,.0f}/s"
        lost = self.events - self.known
        return f"| {self.events:,} | {self.kills} | {self.repeated} | {rate} | {lost} | {self.waiting} |"


HEADER = """\
| events | kills | told again | accepted and read | lost | unread |
|---|---|---|---|---|---|"""


def burst(number: int, kills: int, seed: int = 1) -> Score:
    """Tell so many events, killing the server so many times."""
    score, chance = Score(number, kills), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="burst-") as name:
        folder = Path(name)
        (folder / "book.toml").write_text(BOOK.format(url="http://127.0.0.1:1", promise="keys"), "utf-8")
        url = f"sqlite:///{folder / 'outbox.db'}"
        open_store(url, datetime.now(UTC)).close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        begin = time.monotonic()
        _tell_all(folder, port, score, chance)
        score.accept_s = time.monotonic() - begin
        store = open_store(url, datetime.now(UTC))
        apply_new(store, datetime.now(UTC))
        with store.read() as tx:
            score.known = sum(row[2] for row in events.count(tx))
            score.waiting, _ = arrivals.count(tx)
        store.close()
    return score


def _tell_all(folder: Path, port: int, score: Score, chance: random.Random) -> None:
    todo: SimpleQueue[int] = SimpleQueue()
    for each in range(score.events):
        todo.put(each)
    workers = [threading.Thread(target=_tell, args=(port, todo, score)) for _ in range(WORKERS)]
    with _serving(folder, port) as server:
        for worker in workers:
            worker.start()
        for turn in range(1, score.kills + 1):
            left = score.events * (score.kills + 1 - turn) // (score.kills + 1)
            while todo.qsize() > left:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.05)
            server.kill()
            server.start()
        for worker in workers:
            worker.join()


class Server:
    """`outbox serve` in a process that can be killed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "outbox", "serve", "--quiet", "--port", str(self.port)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OUTBOX_SANDBOX_HOOK": HOOK}
        self.process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def _serving(folder: Path, port: int) -> Iterator[Server]:
    server = Server(folder, port)
    try:
        yield server
    finally:
        server.kill()


def _tell(port: int, todo: SimpleQueue[int], score: Score) -> None:
    """Tell events until none is left; each until it is answered."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with suppress(Empty):
        while True:
            number, again = todo.get_nowait(), False
            while not _is_kept(line, number):
                line.close()  # it opens by itself with the next call
                again = True
                time.sleep(0.05)
            with score.lock:
                score.repeated += again
    line.close()


def _is_kept(line: http.client.HTTPConnection, number: int) -> bool:
    try:
        return _call(line, number) == 200
    except (OSError, http.client.HTTPException):
        return False


def _call(line: http.client.HTTPConnection, number: int) -> int:
    event = {"id": f"event-{number}", "type": "delivered", "outbox_id": "", "email": f"r{number}@example.org"}
    body, moment = json.dumps({"events": [event]}).encode(), str(int(time.time()))
    name = f"msg_{number}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{sign_standard(HOOK, name, moment, body)}",
    }
    line.request("POST", PATH, body, headers)
    answer = line.getresponse()
    answer.read()
    return answer.status


def main() -> None:
    """Print what came of it, and fail when an event was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    choice = parser.parse_args()
    score = burst(choice.events, choice.kills)
    print(f"{HEADER}\n{score.row()}")
    sys.exit(0 if score.known == score.events and not score.waiting else 1)


if __name__ == "__main__":
    main()
