"""The command line, from an empty folder to a delivered issue."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outbox.cli import app
from outbox.people.export import COLUMNS
from outbox.store import open_store
from outbox.store.lock import sole_sender

Run = Callable[..., "subprocess.CompletedProcess[str]"]
IssueMaker = Callable[..., Path]


def mails(book: Path) -> list[Path]:
    """Every message written so far."""
    return sorted((book / "build" / "mail").rglob("*.eml"))


def test_a_fresh_clone_delivers_its_sample_once(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """init, work, work again: four letters, then none; status and show tell the story."""
    make_issue()
    made = outbox("init", "--sample").stdout
    first = outbox("work", "--once").stdout
    written = {path: path.read_bytes() for path in mails(book)}
    again = outbox("init", "--sample").stdout
    second = outbox("work", "--once").stdout

    assert made == "made outbox.db with 5 invented people\n"
    assert first == "2026-03-01-first-light: frozen for 4 people\n4 accepted\n"
    assert again == "outbox.db is there, with 5 people; nobody was added\n"
    assert second == "nothing was due\n"
    assert len(written) == 4
    assert written == {path: path.read_bytes() for path in mails(book)}
    sent_to = {
        message_from_bytes(content, policy=policy.default)["To"].addresses[0].addr_spec
        for content in written.values()
    }
    assert sent_to == {"ana@example.org", "bjork@example.com", "chidi@example.org", "dora@example.com"}

    status = json.loads(outbox("status", "--json").stdout)
    assert status["issues"][0]["states"] == {"accepted": 4}
    assert "4 accepted of 4" in outbox("status").stdout
    story = outbox("show", "ANA@example.org").stdout
    assert "2026-03-01-first-light: accepted  2026-03-01-first-light/" in story
    assert "confirmed: sample: signed up on paper at a talk" in story
    assert (
        json.loads(outbox("show", "ana@example.org", "--json").stdout)["messages"][0]["state"] == "accepted"
    )


def test_an_authors_database_never_gets_invented_people(outbox: Run) -> None:
    """Even an empty one."""
    outbox("init")

    assert "with 0 people; nobody was added" in outbox("init", "--sample").stdout
    assert outbox("subscribers", "export").stdout == ",".join(COLUMNS) + "\n"


def test_a_plan_and_a_dry_run_send_nothing(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """What would be is shown, with a name for it; nothing is sent."""
    folder = make_issue()
    outbox("init", "--sample")
    plan = outbox("plan", str(folder)).stdout
    dry = outbox("send", "--dry-run", "2026-03-01-first-light").stdout

    assert "people      4 (ana@example.org, bjork@example.com, chidi@example.org, ...)" in plan
    assert [line for line in plan.splitlines() if " due " not in line and " plan " not in line] == [
        line for line in dry.splitlines() if " due " not in line
    ]
    assert json.loads(outbox("plan", str(folder), "--json").stdout)["audience"] == 4
    assert mails(book) == []
    assert "no issue was sent yet" in outbox("status").stdout


def test_a_plan_knows_what_the_provider_cannot(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """Whom it will not reach is told beforehand; without its secrets it cannot be asked."""
    folder = str(make_issue())
    outbox("init")
    outbox("subscribers", "add", "zoë@example.org", "--basis", "asked by letter")

    assert "note        1 people have letters beyond ASCII" in outbox("plan", folder).stdout
    assert "note        1 people have" in outbox("send", "--dry-run", folder).stdout

    with (book / "book.toml").open("a", encoding="utf-8") as file:
        file.write('[provider]\nname = "resend"\n')

    assert "OUTBOX_TOKEN" in outbox("plan", folder, code=1).stderr


def test_an_issue_waits_for_its_time(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """By its own send_at or by --at: due in the far future means not now."""
    make_issue(send_at="2999-01-01T09:00:00+00:00")
    outbox("init", "--sample")

    told = outbox("work", "--once").stdout
    assert told == "nothing was due\nnext: 2999-01-01 09:00 UTC  2026-03-01-first-light\n"
    sent = outbox("send", "2026-03-01-first-light", "--at", "2998-01-01T09:00+01:00").stdout
    assert "frozen for 4 people, due 2998-01-01" in sent
    assert "4 messages wait until 2998-01-01 08:00 UTC" in sent
    assert mails(book) == []
    assert (
        outbox("send", "2026-03-01-first-light", "--at", "tomorrow", code=2).stderr.count("is not a time")
        == 1
    )
    assert "has no offset" in outbox("send", "x", "--at", "2998-01-01", code=2).stderr


def test_a_rebuilt_issue_is_left_alone_and_a_broken_one_named(
    book: Path, make_issue: IssueMaker, outbox: Run
) -> None:
    """A second build of a sent issue goes to nobody; a broken folder does not keep back a good one."""
    make_issue()
    outbox("init", "--sample")
    outbox("work", "--once")
    make_issue(words=10)
    make_issue(slug="2026-03-02-good")
    (make_issue(slug="2026-03-03-broken") / "body.txt").write_text("changed")
    done = outbox("work", "--once", code=1)

    assert "2026-03-01-first-light: was sent before with other content" in done.stdout
    assert "2026-03-02-good: frozen for 4 people" in done.stdout
    assert "outbox: 2026-03-03-broken/body.txt: was changed after the build" in done.stderr
    assert len(mails(book)) == 8
    assert "a changed issue needs a new slug" in outbox("send", "2026-03-01-first-light", code=1).stderr


def test_people_come_go_and_stay_away(book: Path, make_issue: IssueMaker, outbox: Run) -> None:
    """add, import, unsubscribe, export; who left is not brought back."""
    make_issue()
    outbox("init")
    (book / "people.csv").write_text("email,name\nbo@example.org,Bo\nbroken,\n")
    outbox("subscribers", "add", "eve@example.org", "--name", "Eve", "--basis", "asked by mail")
    trial = outbox("subscribers", "import", "people.csv", "--basis", "talk", "--dry-run", code=1)
    after_trial = outbox("subscribers", "export").stdout
    outbox("subscribers", "import", "people.csv", "--basis", "talk", code=1)
    outbox("subscribers", "unsubscribe", "eve@example.org")

    assert "columns: email from 'email', name from 'name'\n" in trial.stdout
    assert "+ bo@example.org: confirmed, talk\nwould be: 1 added; 1 rows not taken\n" in trial.stdout
    assert "people.csv:3: 'broken' is not a mail address" in trial.stderr
    assert "bo@example.org" not in after_trial
    assert "had left before" in outbox("subscribers", "unsubscribe", "eve@example.org").stdout
    assert (
        "only they can come back"
        in outbox("subscribers", "add", "eve@example.org", "--basis", "again", code=1).stderr
    )
    outbox("work", "--once")
    assert len(mails(book)) == 1
    assert (
        "eve@example.org,Eve,,,unsubscribed,asked to be left out," in outbox("subscribers", "export").stdout
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["status"], 1, "there is no outbox.db yet; run: outbox init"),
        (["--config", "other.toml", "init"], 1, "other.toml not found"),
        (["--database", "mysql://x/y", "init"], 1, "must be sqlite:///FILE"),
        (["--database", "sqlite:///no/such/folder/x.db", "init"], 75, "unable to open"),
        (["subscribers", "add", "eve@example.org"], 2, "--basis"),
    ],
)
def test_a_mistake_ends_as_a_sentence_and_a_code(outbox: Run, words: list[str], code: int, says: str) -> None:
    """1 you must act, 2 usage, 75 later; never a traceback."""
    done = outbox(*words, code=code)

    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_names_that_are_not_there(outbox: Run) -> None:
    """An unknown issue or person is named."""
    outbox("init")

    assert "there is no issue 'x'" in outbox("plan", "x", code=1).stderr
    assert "eve@example.org is not on the list" in outbox("show", "eve@example.org", code=1).stderr
    assert "people.csv cannot be read" in outbox("subscribers", "import", "people.csv", code=1).stderr


def test_a_second_sender_is_sent_away(book: Path, make_issue: IssueMaker, outbox: Run, now: object) -> None:
    """Exit code 75, and nothing is sent twice or at all."""
    make_issue()
    outbox("init", "--sample")
    store = open_store(f"sqlite:///{book / 'outbox.db'}", now)  # type: ignore[arg-type]
    with sole_sender(store):
        done = outbox("work", "--once", code=75)
    store.close()

    assert "another sender is at work on outbox.db" in done.stderr
    assert mails(book) == []


def test_a_mail_folder_that_cannot_be_written_is_for_later(
    book: Path, make_issue: IssueMaker, outbox: Run
) -> None:
    """The provider is down: everything waits, nothing is lost, the code says try again."""
    make_issue()
    outbox("init", "--sample")
    (book / "build" / "mail").write_text("in the way")
    done = outbox("work", "--once", code=75)

    assert "4 retry" in done.stdout
    assert "4 messages wait until" in done.stdout
    (book / "build" / "mail").unlink()
    with sqlite3.connect(book / "outbox.db") as connection:
        connection.execute("UPDATE chunk SET not_before = '2000-01-01T00:00:00.000000Z'")
    connection.close()
    outbox("work", "--once")
    assert len(mails(book)) == 4


@pytest.mark.parametrize(
    "words",
    [
        [],
        *([name] for name in ("init", "plan", "send", "work", "status", "show", "segments", "doctor")),
        *(
            ["subscribers", name]
            for name in ("add", "import", "export", "show", "tag", "unsubscribe", "suppress", "erase")
        ),
    ],
    ids=" ".join,
)
def test_every_command_helps_with_an_example(words: list[str]) -> None:
    """The help of each command shows how to call it."""
    shown = CliRunner().invoke(app, [*words, "--help"]).stdout

    assert f"\n  {' '.join(['outbox', *words])} " in shown or f"\n  {' '.join(['outbox', *words])}\n" in shown
