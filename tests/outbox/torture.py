"""Kill senders at random, let everything go wrong, and ask the provider's own journal who got what.

Run by `make torture`; SHORT=1 makes a short form. The table goes into docs/guarantees.md. The sandbox
provider keeps a journal that no sender writes to. For every case it must hold that nobody is lost
(no letter, and not named as held, refused or left out), nobody has a letter twice, and that
`outbox verify` finds no fault.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from outbox.consent import Claim, enlist
from outbox.issue import digest_of
from outbox.model import Consent, State
from outbox.sandbox import Desk, Emitter, Fault, Faults, Journal, Manner, Rules, Server
from outbox.store import Store, ledger, open_store, verify
from tests.outbox.cluster import find_programs, running_cluster

ROOT = Path(__file__).parents[2]
PATIENCE = 90  # seconds until a child that does not end is a failure
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BATCH = 20  # messages in a call: many calls, so that a kill hits one
#: The command line with its clock moved, small calls, and leases short enough to run out within a test.
CHILD = f"""
import sys
from datetime import timedelta
from dataclasses import replace
from outbox import desk
desk.LEASE = timedelta(seconds=3)
desk.new_lease.__globals__["LEASE"] = desk.LEASE
from outbox.cli import opening
moved, real = timedelta(minutes=float(sys.argv.pop(1))), opening.clock
opening.clock = lambda: real() + moved
from outbox.providers import sandbox
sandbox.PROMISES = {{name: replace(caps, max_batch={BATCH}) for name, caps in sandbox.PROMISES.items()}}
from outbox.cli import main
main()
"""
BOOK = """[list]
name = "Letters on Care"
address = "Example Press, 1 Sample Street, 12345 Sampletown"
id = "letters.example.org"
[outbox]
sender = "Example Press <hello@example.org>"
base_url = "https://example.org/mail"
max_late_hours = 9999
search_minutes = 0
[provider]
name = "sandbox"
url = "{url}"
promise = "{promise}"
"""
FAULTS = {
    Fault("reset", "before"): 0.04,
    Fault("reset", "after"): 0.04,
    Fault("slow", "after", 0.05): 0.2,
    Fault("429", "before", 0.0): 0.04,
    Fault("503", "before"): 0.04,
    Fault("503", "after"): 0.04,
    Fault("truncate", "after"): 0.04,
    Fault("garbage", "after"): 0.04,
}
SLOW = {Fault("slow", "after", 0.03): 0.5, Fault("slow", "before", 0.03): 0.5}


@dataclass(frozen=True)
class Case:
    """One kind of torment, and how often it is done."""

    name: str
    promise: str
    blow: str  # kill, term, power, locked, full, clock
    senders: int = 1
    server: bool = False  # PostgreSQL
    faults: dict[Fault, float] = field(default_factory=lambda: SLOW)
    share: float = 1.0  # of the number of blows asked for
    told: bool = (
        False  # the provider reports by webhooks, twice and in any order, to a server that is killed too
    )


CASES = (
    Case("kill -9, keys", "keys", "kill"),
    Case("kill -9, search", "search", "kill"),
    Case("kill -9, neither", "nothing", "kill"),
    Case("kill -9 and lost marks, keys", "keys", "power", share=0.5),
    Case("kill -9 and lost marks, neither", "nothing", "power", share=0.5),
    Case("two senders on SQLite, keys", "keys", "kill", senders=2, share=0.5),
    Case("three senders on PostgreSQL, keys", "keys", "kill", senders=3, server=True),
    Case("three senders on PostgreSQL, neither", "nothing", "kill", senders=3, server=True, share=0.5),
    Case("provider faults and kill -9, keys", "keys", "kill", faults=FAULTS, share=0.5),
    Case("provider faults and kill -9, neither", "nothing", "kill", faults=FAULTS, share=0.5),
    Case("SIGTERM, neither", "nothing", "term", share=0.5),
    Case("clock a day to and fro, keys", "keys", "clock", share=0.3),
    Case("kill -9, neither, webhooks doubled and reordered", "nothing", "kill", share=0.3, told=True),
    Case("database locked, neither", "nothing", "locked", share=0.1),
    Case("disk full, neither", "nothing", "full", share=0.1),
)


@dataclass
class Score:
    """What came of a case."""

    case: Case
    blows: int = 0
    hits: int = 0  # that met a sender while it had calls in hand
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    untrue: int = 0  # the ledger says accepted, and the journal does not
    held: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.untrue or self.faults)

    def row(self) -> str:
        told = f"{len(self.faults)}" if not self.faults else f"{len(self.faults)}: {self.faults[0]}"
        cells = (
            self.case.name, self.blows, self.hits, f"{self.messages:,}", self.lost, self.doubled, self.held, told,
        )  # fmt: skip
        return "| " + " | ".join(map(str, cells)) + " |"


HEADER = """\
| case | blows | in mid call | messages | lost | doubled | held | faults of the ledger |
|---|---|---|---|---|---|---|---|"""


@dataclass
class Scene:
    """A list of people, issues to send, a provider with a journal, and senders to torment."""

    case: Case
    folder: Path
    url: str
    journal: Path
    people: int
    chance: random.Random
    shift: float = 0.0  # minutes by which the clocks of senders are moved
    issues: int = 0
    door: subprocess.Popen[str] | None = None  # `outbox serve`
    port: int = 0
    emitter: Emitter | None = None

    @contextmanager
    def store(self) -> Iterator[Store]:
        opened = open_store(self.url, datetime.now(UTC))
        try:
            yield opened
        finally:
            opened.close()

    def open_store_first(self) -> None:
        """Make the database: a server starts only where there is one."""
        with self.store():
            pass

    def fill(self) -> None:
        """Put people on the list."""
        now = datetime.now(UTC)
        with self.store() as store, store.begin() as tx:
            for each in range(self.people):
                enlist(tx, Claim(f"p{each}@example.org", "", Consent.CONFIRMED, "said yes", "test"), now)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a sender."""
        command = [sys.executable, "-c", CHILD, str(self.shift), *(words or ("work", "--once"))]
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OUTBOX_DATABASE": self.url,
            "OUTBOX_SANDBOX_HOOK": HOOK,
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=self.folder, env=env, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def open_door(self) -> None:
        """Start the server that webhooks come to, or kill it and start it anew."""
        if self.door:
            self.door.kill()
            self.door.communicate(timeout=PATIENCE)
        shift, self.shift = self.shift, 0.0  # signatures have the real time
        self.door = self.start("serve", "--port", str(self.port), "--quiet")
        self.shift = shift

    def accepted(self) -> int:
        """How many messages the provider took."""
        with sqlite3.connect(self.journal) as connection:
            number: int = connection.execute("SELECT count(*) FROM message").fetchone()[0]
        connection.close()
        return number

    def waits(self) -> bool:
        """Whether anything is still to be sent or settled."""
        with self.store() as store, store.read() as tx:
            states = [one.states for one in ledger.progress(tx)]
        unsettled = (State.PLANNED, State.RETRY, State.IN_DOUBT)
        return len(states) < self.issues or any(one.get(state) for one in states for state in unsettled)

    def write_issue(self) -> None:
        """One more issue, due now."""
        self.issues += 1
        slug = f"2026-01-01-issue-{self.issues}"
        footer = "@@unsubscribe_url@@ @@postal_address@@"
        files = {
            "body.html": f'<html lang="en"><body><p>{slug}</p><p>{footer}</p></body></html>'.encode(),
            "body.txt": f"{slug}\n{footer}\n".encode(),
        }
        fields = {name: {"type": kind, "default": ""} for name, kind in
                  (("unsubscribe_url", "url"), ("postal_address", "text"))}  # fmt: skip
        document = {
            "format": 1, "kind": "issue", "slug": slug, "subject": slug, "preheader": "", "send_at": None,
            "language": "en", "fields": fields, "list": "", "segment": "", "layout": "classic", "words": 9,
            "minutes": 1, "attachments": [],
            "files": {name: sha256(content).hexdigest() for name, content in files.items()},
        }  # fmt: skip
        document["sha256"] = digest_of(document)
        target = self.folder / "build" / "issues" / slug
        hidden = self.folder / f"{slug}.part"
        hidden.mkdir(parents=True)
        for name, content in {**files, "issue.json": json.dumps(document).encode()}.items():
            (hidden / name).write_bytes(content)
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden.rename(target)


def main() -> None:
    """Run all cases, print the table, and fail when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blows", type=int, default=8 if os.environ.get("SHORT") else 70)
    parser.add_argument("--people", type=int, default=300 if os.environ.get("SHORT") else 1500)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    choice = parser.parse_args()
    print(HEADER, flush=True)
    scores = []
    for case in CASES:
        if choice.only in case.name:
            score = torment(case, max(1, round(choice.blows * case.share)), choice.people, choice.seed)
            print(score.row() if score else f"| {case.name} | not run |", flush=True)
            scores += [score] if score else []
    print(f"\n{sum(one.blows for one in scores)} blows, {sum(one.messages for one in scores):,} messages")
    sys.exit(0 if all(one.good for one in scores) else 1)


def torment(case: Case, blows: int, people: int, seed: int) -> Score | None:
    """Run one case; None when what it needs is not there."""
    if case.server and not find_programs():
        return None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        scene = _set(stack, case, folder, people, random.Random(f"{seed} {case.name}"))
        if case.blow == "full" and not _small_disk(stack, scene):
            return None
        scene.fill()
        score = Score(case)
        while score.blows < blows:
            if not scene.waits():
                scene.write_issue()
            BLOWS[case.blow](scene, score)
            if case.told and scene.chance.random() < 0.5:
                scene.open_door()
        _finish(scene)
        if scene.emitter:
            _hear_out(scene, score)
        return _judge(scene, score)


def _hear_out(scene: Scene, score: Score) -> None:
    """Wait until everything was reported and applied; then whatever was accepted must be known as delivered."""
    until = time.monotonic() + PATIENCE
    while not (scene.emitter and scene.emitter.is_done) and time.monotonic() < until:
        time.sleep(0.1)
    scene.start().communicate(timeout=PATIENCE)
    with sqlite3.connect(scene.journal) as connection:
        got = {row[0] for row in connection.execute("SELECT outbox_id FROM message")}
    connection.close()
    with scene.store() as store, store.read() as tx:
        known = {
            f"{send.send_id}.{number}"
            for send in ledger.progress(tx)
            for number, state in ledger.everybody(tx, send.send_id)
            if state == State.DELIVERED
        }
    if got != known:
        score.faults.append(f"{len(got ^ known)} messages are not known as what was reported of them")


def _set(stack: ExitStack, case: Case, folder: Path, people: int, chance: random.Random) -> Scene:
    journal = Journal(folder / "journal.db", keep_bodies=False)
    server = Server(
        Desk(journal, Faults(case.faults, chance.randrange(10**6)), Rules()), "127.0.0.1", 0, quiet=True
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(journal.close)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    (folder / "book.toml").write_text(BOOK.format(url=server.url, promise=case.promise), "utf-8")
    url = f"sqlite:///{folder / 'outbox.db'}"
    if case.told:
        return _set_door(stack, Scene(case, folder, url, folder / "journal.db", people, chance), journal)
    if case.server:
        cluster = stack.enter_context(running_cluster(options=""))
        url = cluster.make_database()
    return Scene(case, folder, url, folder / "journal.db", people, chance)


def _set_door(stack: ExitStack, scene: Scene, journal: Journal) -> Scene:
    """Have the provider report to `outbox serve`, as badly as providers do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        scene.port = free.getsockname()[1]
    scene.open_store_first()
    scene.open_door()
    manner = Manner(twice=0.5, delay=1.0, seed=scene.chance.randrange(10**6))
    scene.emitter = Emitter(journal, f"http://127.0.0.1:{scene.port}/mail/events/sandbox", HOOK, manner)
    stack.callback(lambda: scene.door and (scene.door.kill(), scene.door.communicate(timeout=PATIENCE)))
    stack.callback(scene.emitter.close)
    return scene


def _wait_for_calls(scene: Scene, children: list[subprocess.Popen[str]]) -> None:
    """Until one more call was made, or now and then not even so long: start, freeze and recovery count too."""
    before, until = scene.accepted(), time.monotonic() + PATIENCE
    early = scene.chance.random() < 0.2
    if early:
        time.sleep(scene.chance.random() * 1.0)
        return
    while scene.accepted() == before and any(one.poll() is None for one in children):
        time.sleep(0.002)
        if time.monotonic() > until:
            return
    time.sleep(scene.chance.random() * 0.4)


def _strike(scene: Scene, score: Score, number: int = signal.SIGKILL) -> None:
    children = [scene.start() for _ in range(scene.case.senders)]
    _wait_for_calls(scene, children)
    for child in children:
        score.hits += child.poll() is None
        child.send_signal(number)
        score.blows += 1
        if scene.chance.random() < 0.5:
            time.sleep(scene.chance.random() * 0.1)
    for child in children:
        child.communicate(timeout=PATIENCE)
    scene.shift += 1.0


def _strike_without_marks(scene: Scene, score: Score) -> None:
    """As after a power cut: nobody knows which of the calls on record were begun."""
    _strike(scene, score)
    (scene.folder / "outbox.db.slots").unlink(missing_ok=True)


def _stop_gently(scene: Scene, score: Score) -> None:
    _strike(scene, score, signal.SIGTERM)
    with scene.store() as store, store.read() as tx:
        doubtful = sum(one.states.get(State.IN_DOUBT, 0) for one in ledger.progress(tx))
    if doubtful:
        score.faults.append(f"{doubtful} in doubt after SIGTERM")


def _move_clock(scene: Scene, score: Score) -> None:
    _strike(scene, score)
    scene.shift = scene.chance.choice((-1440.0, 0.0, 1440.0)) + score.blows


def _lock_out(scene: Scene, score: Score) -> None:
    """Somebody else holds the database, sometimes for longer than a sender waits at once."""
    child = scene.start()
    _wait_for_calls(scene, [child])
    holder = sqlite3.connect(scene.folder / "outbox.db", timeout=30, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(scene.chance.choice((0.5, 2.0, 12.0)))
    score.hits += child.poll() is None
    score.blows += 1
    holder.execute("ROLLBACK")
    holder.close()
    child.communicate(timeout=PATIENCE)


def _fill_disk(scene: Scene, score: Score) -> None:
    """The disk of the database is full for a while; the sender says so and ends with 75."""
    filler, child = Path(scene.url.removeprefix("sqlite:///")).with_name("filler"), scene.start()
    _wait_for_calls(scene, [child])
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    score.hits += child.poll() is None
    time.sleep(scene.chance.choice((0.2, 3.0, 40.0)))
    if child.poll() not in {None, 0, 1, 75}:
        score.faults.append(f"a full disk ended with {child.returncode}")
    filler.unlink(missing_ok=True)
    said = child.communicate(timeout=PATIENCE)[0]
    if "Traceback" in said:
        score.faults.append(f"a full disk ended with a traceback: {said.splitlines()[-1]}")
    score.blows += 1


BLOWS: dict[str, Callable[[Scene, Score], None]] = {
    "kill": _strike,
    "term": _stop_gently,
    "power": _strike_without_marks,
    "clock": _move_clock,
    "locked": _lock_out,
    "full": _fill_disk,
}


def _small_disk(stack: ExitStack, scene: Scene) -> bool:
    """Put the database on a disk of a few megabytes; only root can."""
    disk = scene.folder / "disk"
    disk.mkdir()
    size = f"size={2 + scene.people // 200}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        return False
    stack.callback(subprocess.run, ["umount", "-l", str(disk)], check=False)
    scene.url = f"sqlite:///{disk / 'outbox.db'}"
    return True


def _finish(scene: Scene) -> None:
    """Passes without blows, each some hours later, until nothing waits."""
    scene.shift = max(scene.shift, 0.0)
    for _ in range(60):
        if not scene.waits():
            return
        if scene.case.server:
            time.sleep(3.5)  # until the leases of the dead have run out
        scene.start().communicate(timeout=PATIENCE)
        scene.shift += 20.0


def _judge(scene: Scene, score: Score) -> Score:
    """Compare the journal, message by message, with the list and with the ledger."""
    with sqlite3.connect(scene.journal) as connection:
        got = Counter(dict(connection.execute("SELECT outbox_id, count(*) FROM message GROUP BY outbox_id")))
    connection.close()
    with scene.store() as store, store.read() as tx:
        score.faults += verify.find_faults(tx)
        for send in ledger.progress(tx):
            states = {
                f"{send.send_id}.{number}": state for number, state in ledger.everybody(tx, send.send_id)
            }
            score.messages += scene.people
            score.lost += scene.people - len(states)
            score.lost += sum(state in LOSABLE and not got[name] for name, state in states.items())
            score.untrue += sum(state == State.ACCEPTED and not got[name] for name, state in states.items())
            score.held += sum(state == State.HELD for state in states.values())
    score.doubled += sum(number - 1 for number in got.values())
    return score


LOSABLE = frozenset(State) - {State.HELD, State.REFUSED, State.SUPPRESSED, State.CANCELLED}

if __name__ == "__main__":
    main()
