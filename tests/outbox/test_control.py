"""Plans, pauses, doubt, copies and the daemon, by the command line."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SLUG = "2026-03-01-first-light"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
IssueMaker = Callable[..., Path]
PATIENCE = 60  # seconds until a child that does nothing is taken for stuck


def mails(book: Path) -> int:
    """How many letters were written."""
    return sum(1 for _ in (book / "build" / "mail").rglob("*.eml"))


@pytest.fixture
def frozen(book: Path, make_issue: IssueMaker, outbox: Run) -> Path:
    """A book with its sample people and an issue that is frozen and paused after one letter."""
    make_issue()
    outbox("init", "--sample")
    outbox("send", SLUG, "--limit", "1")
    return book


def test_a_plan_is_sent_as_it_was_shown(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """DL-11: by its id; not when the issue or too many people changed since."""
    make_issue()
    outbox("init", "--sample")
    plan = json.loads(outbox("plan", SLUG, "--json").stdout)["id"]
    assert json.loads(outbox("plan", SLUG, "--json").stdout)["id"] == plan
    outbox("subscribers", "unsubscribe", "ana@example.org")
    refused = outbox("send", plan, code=1).stderr
    again = json.loads(outbox("plan", SLUG, "--json").stdout)["id"]
    make_issue(words=10)
    changed = outbox("send", again, code=1).stderr
    make_issue()

    assert f"1 people came, went or changed since plan {plan} was made for 4" in refused
    assert f"{SLUG} was changed since plan {again} was made" in changed
    assert mails(book) == 0
    assert "3 accepted" in outbox("send", again).stdout


def test_a_test_goes_to_one_address_and_leaves_no_trace(
    book: Path, make_issue: IssueMaker, outbox: Run
) -> None:
    """The author reads it first; the issue can be sent afterwards."""
    make_issue()
    outbox("init", "--sample")
    told = outbox("send", SLUG, "--test", "me@example.org").stdout

    assert f"{SLUG}: test to me@example.org: accepted" in told
    assert mails(book) == 1
    assert "no issue was sent yet" in outbox("status").stdout
    assert "4 accepted" in outbox("work", "--once").stdout


def test_a_limit_sends_some_and_pauses(frozen: Path, outbox: Run) -> None:
    """The rest goes when the author says so."""
    assert mails(frozen) == 1
    assert "paused: after 1 messages, as asked" in outbox("status").stdout
    outbox("work", "--once")
    assert mails(frozen) == 1
    outbox("resume", SLUG)
    outbox("work", "--once")
    assert mails(frozen) == 4
    assert "4 messages, all accounted for" in outbox("verify").stdout


def test_a_cancelled_issue_stays_where_it_is(frozen: Path, outbox: Run) -> None:
    """Nothing more goes out, and everybody's state says so."""
    outbox("cancel", SLUG)
    outbox("work", "--once")
    status = json.loads(outbox("status", "--json").stdout)["issues"][0]

    assert mails(frozen) == 1
    assert status["states"] == {"accepted": 1, "cancelled": 3}
    assert "was not paused" in outbox("resume", SLUG).stdout


def hold(book: Path) -> None:
    """Put what waits into the state of messages nobody can tell about."""
    with sqlite3.connect(book / "outbox.db") as connection:
        connection.execute(
            "UPDATE chunk SET state = 'held', attempt = 1, first_try_at = not_before WHERE state = 'planned'"
        )
    connection.close()


def test_held_messages_are_named_and_decided_one_by_one(frozen: Path, outbox: Run) -> None:
    """List, drop one, send the others again."""
    hold(frozen)
    listed = json.loads(outbox("held", "list", "--json").stdout)
    first, *others = [one["email"] for one in listed]
    outbox("held", "drop", first)
    outbox("resume", SLUG)
    outbox("held", "retry", "--all")
    outbox("work", "--once")

    assert len(listed) == 3
    assert "dropped by hand" in outbox("show", first).stdout
    assert all(f"{SLUG}: accepted" in outbox("show", one).stdout for one in others)
    assert outbox("held", "list").stdout == "0 held\n"
    assert "nothing is held for" in outbox("held", "retry", first, code=1).stderr
    outbox("held", "retry", code=2)


def test_a_copied_database_does_not_send(frozen: Path, outbox: Run, tmp_path: Path) -> None:
    """LF-7: the copy asks first; a restored one asks the provider about everything that waits."""
    outbox("backup", "copy.db")
    outbox("resume", SLUG)
    outbox("work", "--once")
    assert mails(frozen) == 4
    for end in ("", "-wal", "-shm"):
        (frozen / f"outbox.db{end}").unlink(missing_ok=True)
    shutil.copy(frozen / "copy.db", frozen / "outbox.db")
    outbox("resume", SLUG)

    assert "was copied, moved or restored" in outbox("work", "--once", code=1).stderr
    assert "3 messages are in doubt" in outbox("adopt", "--restored").stdout
    outbox("work", "--once")
    assert mails(frozen) == 4
    assert json.loads(outbox("status", "--json").stdout)["issues"][0]["states"] == {"accepted": 4}
    assert "is there already" in outbox("backup", "copy.db", code=1).stderr


def test_what_is_long_overdue_asks_first(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """P25: a schedule that fires after an outage does not surprise anybody."""
    make_issue(send_at="2026-03-01T09:00:00+00:00")
    outbox("init", "--sample")
    outbox("send", SLUG, "--at", "2026-03-01T09:00+00:00")

    assert mails(book) == 0
    assert "paused: was due 2026-03-01 09:00 UTC; to send it all the same: outbox resume" in (
        outbox("status").stdout
    )
    outbox("resume", SLUG)
    assert "4 accepted" in outbox("work", "--once").stdout


def test_the_daemon_sends_what_comes_and_ends_when_told(
    book: Path, make_issue: IssueMaker, outbox: Run, outbox_environment: dict[str, str]
) -> None:
    """`outbox work` sees an issue that is due, sends it, and ends with SIGTERM."""
    outbox("init", "--sample")
    make_issue()
    child = subprocess.Popen(
        [sys.executable, "-m", "outbox", "work"],
        cwd=book, env=outbox_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE
    while mails(book) < 4 and child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    said = child.communicate(timeout=PATIENCE)[0]

    assert child.returncode == 0, said
    assert "4 accepted" in said
    assert "4 accepted of 4" in outbox("status").stdout
