"""Series by the command line and by the daemon, with a clock that runs ahead and with real kills."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from threading import Event

import pytest

from outbox.cli.daemon import look_again
from outbox.config import Settings
from outbox.config import read as read_settings
from outbox.consent import enlist, unsubscribe
from outbox.letters import queue_letter
from outbox.model import Claim, Consent
from outbox.series.files import read, read_all
from outbox.store import open_store, subscribers, verify
from tests.outbox.conftest import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]
IssueMaker = Callable[..., Path]
PATIENCE = 60  # seconds until a child that does nothing is taken for stuck

WEEKLY = """\
title = "Weekly"
stop = '"enough" in tags'
[start]
on = "confirmed"
[window]
hours = "9-12"
[[step]]
id = "one"
letter = "tip-one"
after = "1 day"
[[step]]
id = "two"
letter = "tip-two"
after = "1 week"
"""
TAGGED = """\
title = "Three at once"
[start]
on = "tag"
tag = "reader"
[[step]]
id = "one"
letter = "tip-one"
after = "at once"
[[step]]
id = "two"
letter = "tip-two"
after = "at once"
[[step]]
id = "three"
letter = "tip-three"
after = "at once"
"""


@pytest.fixture
def series(book: Path, make_issue: IssueMaker) -> Callable[[str, str], Path]:
    """Write a series, and the letters that its steps name."""

    def write(name: str, text: str) -> Path:
        for letter in re.findall(r'letter = "([a-z-]+)"', text):
            make_issue(slug=letter, kind="letter", subject=f"{letter} for @@first_name@@")
        path = book / "series" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


def mails(book: Path) -> list[tuple[str, str]]:
    """To whom each mail went, and the first word of its subject."""
    read = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (book / "build" / "mail").rglob("*.eml")
    ]
    return sorted(
        (mail["To"].addresses[0].addr_spec, str(mail["Subject"]).split()[0])  # type: ignore[union-attr]
        for mail in read
    )


def examples() -> list[tuple[str, str]]:
    """The series of docs/automation.md."""
    page = (ROOT / "docs" / "automation.md").read_text("utf-8")
    return re.findall(r"```toml series/([a-z-]+)\.toml\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize(("name", "text"), examples())
def test_the_page_shows_series_that_can_be_read(tmp_path: Path, name: str, text: str) -> None:
    """What is shown can be copied."""
    path = tmp_path / f"{name}.toml"
    path.write_text(text, "utf-8")

    assert read(path).steps


def test_the_sample_book_has_its_series_whole() -> None:
    """Every step of the sample has a letter that was written, and ten weeks are ten."""
    every, errors = read_all(ROOT / "series")
    steps = {one.name: [step.letter for step in one.steps] for one in every}

    assert [] == errors
    assert len(steps["ten-weeks"]) == 10
    for letter in (letter for letters in steps.values() for letter in letters):
        assert (ROOT / "chapters" / "letters" / f"{letter}.md").is_file(), letter


def test_a_series_is_told_before_anything_is_sent(
    book: Path, series: Callable[[str, str], Path], outbox: Run
) -> None:
    """List and simulate say what would be, by a clock that is made up, and write nothing."""
    series("weekly", WEEKLY)
    outbox("init", "--sample")
    listed = outbox("series", "list").stdout
    told = outbox("series", "simulate", "--subscriber", "ana@example.org", "--from", "2026-12-01").stdout
    as_json = json.loads(outbox("series", "simulate", "weekly", "--from", "2026-12-01", "--json").stdout)
    series("spring", WEEKLY.replace('on = "confirmed"', 'on = "date"\ndate = 2027-03-20'))
    series("absent", WEEKLY.replace('on = "confirmed"', 'on = "not downloaded"\nwithin = "5 days"'))
    dated = outbox("series", "simulate", "spring", "--from", "2026-12-01").stdout
    absent = outbox("series", "simulate", "absent", "--from", "2026-12-01").stdout
    unknown = outbox("series", "simulate", "monthly", code=1).stderr
    nobody = outbox("series", "simulate", "--subscriber", "nobody@example.org", code=1).stderr

    assert "weekly: Weekly\n  new, begins by: confirmed; nobody yet" in listed
    assert "ana@example.org: would begin" in told
    assert "Wed 02 Dec 2026 09:00  one               tip-one for @@first_name@@" in told
    assert "Wed 09 Dec 2026 09:00  two" in told
    assert ["2026-12-02T09:00:00+00:00", "2026-12-09T09:00:00+00:00"] == [
        step["at"] for step in as_json["series"][0]["steps"]
    ]
    assert "Sun 21 Mar 2027 09:00  one" in dated
    assert "Mon 07 Dec 2026 09:00  one" in absent
    assert "there is no series 'monthly'" in unknown
    assert "nobody@example.org is not on the list" in nobody
    assert "weekly" not in outbox("status").stdout


def test_a_series_is_taken_in_hand(book: Path, series: Callable[[str, str], Path], outbox: Run) -> None:
    """It is paused, resumed, and stopped for one and for all; a broken file is told and breaks nothing else."""
    series("weekly", WEEKLY)
    outbox("init", "--sample")
    early = outbox("series", "pause", "weekly", code=1).stderr
    outbox("work", "--once")
    outbox("subscribers", "add", "zoe@example.org", "--basis", "asked")
    outbox("subscribers", "add", "yan@example.org", "--basis", "asked")
    series("broken", "title = 3")
    broken = outbox("work", "--once", code=1).stderr
    shown = outbox("show", "zoe@example.org").stdout
    paused, again = outbox("series", "pause", "weekly").stdout, outbox("series", "pause", "weekly").stdout
    status = outbox("status").stdout
    resumed = outbox("series", "resume", "weekly").stdout
    one = outbox("series", "stop", "weekly", "--subscriber", "zoe@example.org").stdout
    stopped = outbox("series", "stop", "weekly").stdout
    simulated = outbox("series", "simulate", "weekly", "--subscriber", "zoe@example.org", code=1).stdout

    assert "the next pass of outbox work takes it up" in early
    assert "series/broken.toml: needs a key" in broken or "series/broken.toml:1: title" in broken
    assert "series weekly: step 1 on " in shown
    assert (paused, again) == ("weekly: paused\n", "weekly: was paused before\n")
    assert "series weekly: 2 active; paused" in status
    assert resumed == "weekly: goes on with the next pass\n"
    assert (one, stopped) == ("weekly: stopped for 1 people\n", "weekly: stopped for 1 people\n")
    assert "nothing more comes" in simulated
    assert "was stopped for good" in outbox("series", "resume", "weekly", code=1).stderr


# -- the daemon, by a clock that runs ahead


class Days:
    """Runs the daemon in this process while a clock runs ahead; each look takes as long as it is told to."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.settings, self.time = settings, now

    def now(self) -> datetime:
        """The time of this clock."""
        return self.time

    def pass_by(self, length: timedelta, *, look: timedelta = timedelta(hours=1)) -> None:
        """Let the daemon run for so long, with a look every so often; then it is told to stop."""
        stop, end = Event(), self.time + length

        def wait(_: float) -> None:
            self.time += look
            if self.time >= end:
                stop.set()

        look_again(self.settings, stop, now=self.now, wait=wait)

    def change(self, what: Callable[..., None]) -> None:
        """Change something in the database meanwhile."""
        store = open_store(self.settings.database, self.time)
        with store.begin() as tx:
            what(tx)
        store.close()

    def join(self, email: str) -> None:
        """Somebody confirms, and the welcome letter is queued with it."""

        def confirm(tx) -> None:  # type: ignore[no-untyped-def]
            claim = Claim(email, "", Consent.CONFIRMED, "pressed the button", "test")
            enlist(tx, claim, self.time, method="link")
            person = subscribers.find(tx, email)
            assert person
            queue_letter(
                tx, "welcome", person.id, key=f"welcome:{person.id}", due_at=self.time, now=self.time
            )

        self.change(confirm)


@pytest.fixture
def days(book: Path, make_issue: IssueMaker, outbox: Run, now: datetime) -> Days:
    """A book with a welcome letter and an empty list."""
    make_issue(slug="welcome", kind="letter", subject="welcome")
    settings = read_settings(book / "book.toml", {})
    open_store(settings.database, now).close()
    return Days(settings, now)


def test_the_daemon_does_what_is_due(
    book: Path, days: Days, series: Callable[[str, str], Path], make_issue: IssueMaker
) -> None:
    """Welcome at once, steps on their days, an issue on its day, also after a restart; who leaves gets no more."""
    series("weekly", WEEKLY)
    make_issue(send_at="2026-03-04T12:00:00+00:00", subject="issue")
    days.pass_by(timedelta(minutes=1))
    days.join("zoe@example.org")
    days.pass_by(timedelta(hours=1))
    first = mails(book)
    days.pass_by(timedelta(days=2))
    second = mails(book)
    days.time += timedelta(days=2)  # the daemon was down when the issue's time came, less than a day ago
    days.pass_by(timedelta(days=2))
    third = mails(book)
    days.change(
        lambda tx: unsubscribe(tx, subscribers.find(tx, "zoe@example.org"), source="test", now=days.time)
    )
    days.pass_by(timedelta(days=20), look=timedelta(hours=12))
    zoe = "zoe@example.org"

    assert [(zoe, "welcome")] == first
    assert [(zoe, "tip-one"), (zoe, "welcome")] == second
    assert [(zoe, "issue"), (zoe, "tip-one"), (zoe, "welcome")] == third == mails(book)


def test_a_letter_for_somebody_who_waits_goes_within_seconds(book: Path, days: Days) -> None:
    """Not with the next look at everything, but with the next glance."""
    days.pass_by(timedelta(seconds=4), look=timedelta(seconds=2))
    days.join("zoe@example.org")
    days.pass_by(timedelta(seconds=4), look=timedelta(seconds=2))

    assert [("zoe@example.org", "welcome")] == mails(book)


def test_what_cannot_go_does_not_keep_the_daemon_busy(
    book: Path, days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    """A letter that is missing is told every half minute, not at every glance."""
    shutil.rmtree(book / "build" / "letters" / "welcome")
    days.join("zoe@example.org")
    days.pass_by(timedelta(minutes=2), look=timedelta(seconds=2))
    told = capsys.readouterr().err.count("there is no such letter")

    assert 4 <= told <= 7
    assert [] == mails(book)


# -- real kills

SUICIDE = """
import os, signal, sys
from outbox.store import letters, series
from outbox.cli import main
place = sys.argv.pop(1)
owner, name = {
    "before enrolling": (series, "enrol"),
    "after enrolling": (series, "find_due"),
    "before queueing": (letters, "queue"),
    "between letter and place": (series, "move"),
    "before the freeze": (letters, "put_in"),
}[place]
setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
main()
"""


def fill(book: Path, number: int, *, tag: str = "") -> None:
    """Put people on the list, and give them a tag."""
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{book / 'outbox.db'}", now)
    with store.begin() as tx:
        for each in range(number):
            tags = (tag,) if tag else ()
            claim = Claim(f"p{each}@example.org", "", Consent.CONFIRMED, "said yes", "test", tags=tags)
            enlist(tx, claim, now)
    store.close()


def judge(book: Path, number: int) -> None:
    """Everybody has each of the three letters once, and the ledger is whole."""
    want = [
        (f"p{each}@example.org", f"tip-{step}") for each in range(number) for step in ("one", "two", "three")
    ]
    assert Counter(want) == Counter(mails(book))
    store = open_store(f"sqlite:///{book / 'outbox.db'}", datetime.now(UTC))
    with store.read() as tx:
        assert [] == verify.find_faults(tx)
    store.close()


@pytest.mark.parametrize(
    "place",
    [
        "before enrolling",
        "after enrolling",
        "before queueing",
        "between letter and place",
        "before the freeze",
    ],
)
def test_a_kill_at_each_step_of_a_series_loses_and_doubles_nothing(
    book: Path,
    series: Callable[[str, str], Path],
    outbox: Run,
    outbox_environment: dict[str, str],
    place: str,
) -> None:
    """Enrolled or not, queued or not: the next run goes on where the dead one was."""
    series("tagged", TAGGED)
    fill(book, 20)
    outbox("work", "--once")
    fill(book, 20, tag="reader")
    command = [sys.executable, "-c", SUICIDE, place, "work", "--once"]
    died = subprocess.run(command, cwd=book, env=outbox_environment, capture_output=True, check=False)
    outbox("work", "--once")

    assert died.returncode == -signal.SIGKILL, died.stderr
    judge(book, 20)


def test_a_daemon_killed_at_random_sends_each_step_once(
    book: Path, series: Callable[[str, str], Path], outbox: Run, outbox_environment: dict[str, str]
) -> None:
    """Kill -9 in the middle of three letters for each of forty people, again and again."""
    series("tagged", TAGGED)
    fill(book, 40)
    outbox("work", "--once")
    fill(book, 40, tag="reader")
    chance, killed = random.Random(7), 0
    for goal in sorted(chance.randrange(120) for _ in range(4)):
        child = subprocess.Popen(
            [sys.executable, "-m", "outbox", "work"],
            cwd=book,
            env=outbox_environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while len(list(written(book))) < goal and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
    outbox("work", "--once")

    assert killed > 0
    judge(book, 40)


def written(book: Path) -> Iterator[Path]:
    """The files of mails."""
    return (book / "build" / "mail").rglob("*.eml")
