"""A real process is killed at random while it sends; in the end everybody has exactly one letter."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from outbox.consent import Claim, enlist
from outbox.model import Consent, State
from outbox.store import evidence, ledger, open_store

PEOPLE = 150
KILLS = 8
PATIENCE = 60  # seconds until a child that does nothing is taken for stuck
IssueMaker = Callable[..., Path]
Run = Callable[..., "subprocess.CompletedProcess[str]"]

#: Dies by its own hand, by SIGKILL, at the n-th time it comes to a place in the program.
SUICIDE = """
import os, signal, sys
from outbox.providers import file
from outbox.store import claims, freeze, together
from outbox.cli import main
place, count = sys.argv.pop(1), int(sys.argv.pop(1))

def deadly(function, before):
    def wrapped(*args, **words):
        global count
        if args[1:] and not args[1]:
            return function(*args, **words)  # nothing to be done
        count -= 1
        if before and not count:
            os.kill(os.getpid(), signal.SIGKILL)
        found = function(*args, **words)
        if not before and not count:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return wrapped

owner, name, before = {
    "after claim": (claims, "take", False),
    "before intent": (together, "intend_all", True),
    "after intent": (together, "intend_all", False),
    "before write": (file, "_write", True),
    "in mid write": (file.os, "fsync", True),
    "after write": (file, "_write", False),
    "before settle": (together, "settle_accepted", True),
    "after settle": (together, "settle_accepted", False),
    "in the freeze": (freeze, "freeze", False),
}[place]
setattr(owner, name, deadly(getattr(owner, name), before))
main()
"""


def fill(book: Path, now: object, number: int) -> None:
    """Put people on the list."""
    store = open_store(f"sqlite:///{book / 'outbox.db'}", now)  # type: ignore[arg-type]
    with store.begin() as tx:
        for each in range(number):
            claim = Claim(f"p{each}@example.org", f"Person {each}", Consent.CONFIRMED, "said yes", "test")
            enlist(tx, claim, now)  # type: ignore[arg-type]
    store.close()


def letters(book: Path) -> Counter[str]:
    """How many letters everybody has, by what stands in the files themselves."""
    files = (book / "build" / "mail").rglob("*.eml")
    return Counter(
        message_from_bytes(path.read_bytes(), policy=policy.default)["To"].addresses[0].addr_spec
        for path in files
    )


def judge(book: Path, now: object, number: int) -> None:
    """Everybody has one letter, and the ledger says so of everybody."""
    assert {f"p{each}@example.org": 1 for each in range(number)} == letters(book)
    store = open_store(f"sqlite:///{book / 'outbox.db'}", now)  # type: ignore[arg-type]
    with store.read() as tx:
        states = ledger.progress(tx)[0].states
        broken = evidence.find_broken_link(tx)
    store.close()
    assert {State.ACCEPTED: number} == states
    assert broken is None


def test_random_kills_lose_and_double_nothing(
    book: Path, make_issue: IssueMaker, outbox: Run, outbox_environment: dict[str, str], now: object
) -> None:
    """SIGKILL from outside, at random moments of the sending, again and again."""
    make_issue()
    fill(book, now, PEOPLE)
    chance, killed = random.Random(2026), 0
    for kill in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "outbox", "work", "--once"],
            cwd=book,
            env=outbox_environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        goal = chance.randrange(kill * PEOPLE // (KILLS + 1), (kill + 1) * PEOPLE // (KILLS + 1))
        deadline = time.monotonic() + PATIENCE
        while letters_written(book) < goal and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.01)
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
    outbox("work", "--once")

    assert killed > 0
    judge(book, now, PEOPLE)


def letters_written(book: Path) -> int:
    """A quick count of the files."""
    return sum(1 for _ in (book / "build" / "mail").rglob("*.eml"))


@pytest.mark.parametrize(
    "place",
    [
        "in the freeze",
        "after claim",
        "before intent",
        "after intent",
        "before write",
        "in mid write",
        "after write",
        "before settle",
        "after settle",
    ],
)
def test_a_kill_at_each_step_loses_and_doubles_nothing(
    book: Path,
    make_issue: IssueMaker,
    outbox: Run,
    outbox_environment: dict[str, str],
    now: object,
    place: str,
) -> None:
    """Each step of the protocol is a good place to die."""
    make_issue()
    fill(book, now, 25)
    count = "7" if "write" in place else "1"
    command = [sys.executable, "-c", SUICIDE, place, count, "work", "--once"]
    died = subprocess.run(command, cwd=book, env=outbox_environment, capture_output=True, check=False)
    outbox("work", "--once")

    assert died.returncode == -signal.SIGKILL, died.stderr
    judge(book, now, 25)


def test_who_leaves_while_the_sender_is_dead_gets_nothing(
    book: Path, make_issue: IssueMaker, outbox: Run, outbox_environment: dict[str, str], now: object
) -> None:
    """Frozen, not yet called, unsubscribed: suppressed, and the others get theirs."""
    make_issue()
    fill(book, now, 5)
    command = [sys.executable, "-c", SUICIDE, "before intent", "1", "work", "--once"]
    subprocess.run(command, cwd=book, env=outbox_environment, capture_output=True, check=False)
    outbox("subscribers", "unsubscribe", "p3@example.org")
    told = outbox("work", "--once").stdout

    assert "4 accepted, 1 suppressed" in told
    assert "p3@example.org" not in letters(book)
    assert "left the list between the freeze and the call" in outbox("show", "p3@example.org").stdout


def test_a_kill_in_init_leaves_no_half_database(
    book: Path, outbox: Run, outbox_environment: dict[str, str]
) -> None:
    """The database appears whole, with its sample, or not at all."""
    code = (
        "import os,signal\nfrom outbox.cli import delivery, main\n"
        "delivery.os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nmain()"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, "init", "--sample"], cwd=book, env=outbox_environment, check=False
    )

    assert died.returncode == -signal.SIGKILL
    assert not (book / "outbox.db").exists()
    assert outbox("init", "--sample").stdout == "made outbox.db with 5 invented people\n"
