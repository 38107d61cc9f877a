"""A letter to one person: once under its key, to whom it is for, through the same ledger as an issue."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from outbox import issue as issues
from outbox import letterbox, mailing, worker
from outbox.consent import enlist, unsubscribe
from outbox.desk import Desk
from outbox.letterbox import Letterbox
from outbox.letters import queue_letter
from outbox.model import Account, Claim, Consent, Envelope, Gift, State
from outbox.providers.file import File
from outbox.rates import Pace
from outbox.store import Store, claims, instance_secret, ledger, letters, open_store, subscribers, verify
from outbox.tokens import Signer
from tests.outbox.test_worker import Died, journal

Run = Callable[..., "subprocess.CompletedProcess[str]"]
IssueMaker = Callable[..., Path]

GIFT = Gift("A Book", (), timedelta(days=30), 10, stamp=False, attach=False)
LINKS = {"confirm": "confirm_url", "reminder": "confirm_url", "welcome": "gift_url"}


class Post:
    """A book with letters, a list, a `file` provider, and a clock that can be moved."""

    def __init__(self, store: Store, make: IssueMaker, envelope: Envelope, book: Path, now: datetime) -> None:
        self.store, self.make, self.envelope, self.book, self.time = store, make, envelope, book, now

    def write(self, name: str, *, more: str = "", **changes: Any) -> Path:
        """Make a letter as the pipeline does."""
        fields = ["postal_address", "unsubscribe_url", *filter(None, [LINKS.get(name)])]
        words = " ".join(f"@@{field}@@" for field in fields)
        kinds = {one: {"type": "url" if one.endswith("_url") else "text", "default": ""} for one in fields}
        words += f" {more}"
        made = {"slug": name, "kind": "letter", "subject": f"A {name}", "fields": kinds, **changes}
        return self.make(html=f"<p>Hello {words}</p>", text=f"Hello {words}\n", **made)

    def queue(self, name: str, email: str, key: str, *, after: timedelta = timedelta()) -> bool:
        """Have a letter go to somebody on the list."""
        with self.store.begin() as tx:
            person = subscribers.find(tx, email)
            assert person
            return queue_letter(tx, name, person.id, key=key, due_at=self.time + after, now=self.time)

    def work(self) -> list[str]:
        """One pass; returns what was wrong."""
        desk = Desk(self.store, File(Account(self.book / "mail", {})))
        box = Letterbox(self.book / "build" / "letters", self.envelope, gift=GIFT)
        faults = [str(error) for error in letterbox.empty(desk, box, self.time)]
        worker.run(desk, lambda: self.time)
        return faults

    def mails(self) -> list[tuple[str, str]]:
        """Every message that was carried: to whom, and its subject."""
        read = [read_mail(path) for path in (self.book / "mail").rglob("*.eml")]
        return sorted((mail["To"].addresses[0].addr_spec, str(mail["Subject"])) for mail in read)

    def body(self, subject: str) -> str:
        """What the one mail with this subject says."""
        (found,) = [
            mail
            for mail in map(read_mail, (self.book / "mail").rglob("*.eml"))
            if str(mail["Subject"]) == subject
        ]
        part = found.get_body(("plain",))
        assert part
        return str(part.get_content())

    def faults(self) -> list[str]:
        """What `outbox verify` would say."""
        with self.store.read() as tx:
            return verify.find_faults(tx)


def read_mail(path: Path) -> EmailMessage:
    """Read a message as a mail program does."""
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
def post(any_store: Store, make_issue: IssueMaker, envelope: Envelope, book: Path, now: datetime) -> Post:
    """On both databases."""
    return Post(any_store, make_issue, envelope, book, now)


def test_a_letter_goes_out_once_under_its_key(post: Post) -> None:
    """However often it is asked for, before or after it went."""
    post.write("welcome")

    assert post.queue("welcome", "ana@example.org", "welcome:1")
    assert not post.queue("welcome", "ana@example.org", "welcome:1")
    assert [] == post.work()
    assert not post.queue("welcome", "ana@example.org", "welcome:1")
    assert [] == post.work()
    assert [("ana@example.org", "A welcome")] == post.mails()
    assert [] == post.faults()


def test_another_key_is_another_letter(post: Post) -> None:
    """Who signs up again is asked again, even when both are due in one pass; the ledger keeps both apart."""
    post.write("confirm")
    post.queue("confirm", "pia@example.org", "confirm:4:1")
    post.queue("confirm", "pia@example.org", "confirm:4:2")
    post.work()
    post.queue("confirm", "pia@example.org", "confirm:4:3")
    post.work()

    assert [("pia@example.org", "A confirm")] * 3 == post.mails()
    assert [] == post.faults()


def test_a_letter_waits_for_its_moment(post: Post) -> None:
    """Not before it is due, and then at once."""
    post.write("first-week")
    post.queue("first-week", "ana@example.org", "week:1", after=timedelta(days=7))
    post.work()
    before = post.mails()
    with post.store.read() as tx:
        first = letters.find_first(tx, post.time)
    post.time += timedelta(days=7)
    post.work()

    assert [] == before
    assert first == post.time
    assert [("ana@example.org", "A first-week")] == post.mails()


@pytest.mark.parametrize(
    ("name", "to", "goes"),
    [
        ("confirm", "pia@example.org", True),
        ("confirm", "ana@example.org", False),
        ("reminder", "pia@example.org", True),
        ("reminder", "ana@example.org", False),
        ("welcome", "ana@example.org", True),
        ("welcome", "pia@example.org", False),
        ("first-week", "pia@example.org", False),
        ("goodbye", "ana@example.org", False),
        ("goodbye", "dora@example.com", True),
        ("welcome", "dora@example.com", False),
    ],
)
def test_each_letter_goes_to_those_it_is_for(post: Post, name: str, to: str, goes: int) -> None:
    """Who is asked, who has agreed, who has left: each gets their own letters, and no other."""
    leave(post, "dora@example.com")
    post.write(name)
    post.queue(name, to, "once")
    post.work()

    assert goes == bool(post.mails())
    with post.store.read() as tx:
        person = subscribers.find(tx, to)
        assert person
        dropped = [one.dropped for one in letters.find_unsent(tx, person.id)]
    assert goes or dropped[0].startswith("was for somebody ")


def leave(post: Post, email: str) -> None:
    """Let somebody go."""
    with post.store.begin() as tx:
        person = subscribers.find(tx, email)
        assert person
        unsubscribe(tx, person, source="test", now=post.time)


def test_consent_is_read_again_when_the_call_begins(post: Post) -> None:
    """Who leaves after the freeze gets no welcome; who confirms after the freeze gets no reminder."""
    post.write("welcome")
    post.write("reminder")
    post.queue("welcome", "ana@example.org", "welcome:1")
    post.queue("welcome", "dora@example.com", "welcome:3")
    post.queue("reminder", "pia@example.org", "reminder:4")
    desk = Desk(post.store, File(Account(post.book / "mail", {})))
    box = Letterbox(post.book / "build" / "letters", post.envelope, gift=GIFT)
    assert [] == list(letterbox.empty(desk, box, post.time))
    leave(post, "ana@example.org")
    with post.store.begin() as tx:
        enlist(tx, Claim("pia@example.org", "", Consent.CONFIRMED, "pressed the button", "test"), post.time)
    tally = worker.run(desk, lambda: post.time)

    assert {State.ACCEPTED: 1, State.SUPPRESSED: 2} == tally
    assert [("dora@example.com", "A welcome")] == post.mails()
    assert [] == post.faults()


def test_links_are_their_readers_own(post: Post) -> None:
    """The confirm link has the person's token, as the one to leave has; that of the gift is signed for it alone."""
    post.write("confirm")
    post.write("welcome")
    post.queue("confirm", "pia@example.org", "confirm:4:1")
    post.queue("welcome", "ana@example.org", "welcome:1")
    post.work()
    asked, welcomed = post.body("A confirm"), post.body("A welcome")
    with post.store.read() as tx:
        signer = Signer((instance_secret(tx),), post.envelope.list_id)
        pia = subscribers.find_by_token(tx, asked.partition("/mail/confirm/")[2].split()[0])
        ana = subscribers.find_by_token(tx, welcomed.partition("/mail/unsubscribe/")[2].split()[0])

    assert pia
    assert pia.email == "pia@example.org"
    assert ana
    until = signer.sign("gift", ana.id, expires=post.time + GIFT.life)
    assert f"https://example.org/mail/gift/{until}" in welcomed


def test_a_letter_with_the_book_waits_until_there_is_one(post: Post) -> None:
    """Nobody gets a button that leads nowhere: without [gift] the letter stays, and the reason is told."""
    post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    desk = Desk(post.store, File(Account(post.book / "mail", {})))
    (fault,) = letterbox.empty(desk, Letterbox(post.book / "build" / "letters", post.envelope), post.time)

    assert "book.toml has no [gift]" in str(fault)
    assert [] == post.work()
    assert [("ana@example.org", "A welcome")] == post.mails()


def test_the_book_travels_inside_the_welcome(post: Post) -> None:
    """Where [gift] says so; a file that is not there keeps the letter back."""
    post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    desk = Desk(post.store, File(Account(post.book / "mail", {})))
    gift = replace(GIFT, files=(post.book / "Büch.epub",), attach=True)
    box = Letterbox(post.book / "build" / "letters", post.envelope, gift=gift)
    (missing,) = letterbox.empty(desk, box, post.time)
    gift.files[0].write_bytes(b"the book")
    assert [] == list(letterbox.empty(desk, box, post.time))
    worker.run(desk, lambda: post.time)
    (mail,) = map(read_mail, (post.book / "mail").rglob("*.eml"))
    inside = [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]

    assert "Büch.epub: No such file" in str(missing)
    assert ("Buch.epub", b"the book") in inside
    assert [] == post.faults()


def test_letters_travel_by_the_stream_for_letters(post: Post) -> None:
    """Providers that part single letters from mailings are told which this is."""
    post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    desk = Desk(post.store, File(Account(post.book / "mail", {})))
    box = Letterbox(post.book / "build" / "letters", post.envelope, gift=GIFT)
    list(letterbox.empty(desk, box, post.time))
    with post.store.read() as tx:
        (one,) = ledger.progress(tx)
        frozen = desk.frozen(tx, one.send_id)

    assert ("transactional", "welcome") == (frozen.letter.stream, frozen.letter.tag)
    assert "resend" == frozen.send.on_unknown


@pytest.mark.parametrize(("name", "after"), [("welcome", State.ACCEPTED), ("tip", State.HELD)])
def test_a_letter_in_doubt_goes_again_or_is_held(
    store: Store,
    make_issue: IssueMaker,
    envelope: Envelope,
    book: Path,
    now: datetime,
    name: str,
    after: State,
) -> None:
    """Nobody can tell whether it went: a second welcome does no harm, a second tip waits for a person."""
    post = Post(store, make_issue, envelope, book, now)
    post.write(name)
    post.queue(name, "ana@example.org", "once")
    box = Letterbox(book / "build" / "letters", envelope, gift=GIFT)
    dying = Desk(store, journal("die after"), Pace(connections=1))
    list(letterbox.empty(dying, box, now))
    with pytest.raises(Died):
        worker.run(dying, lambda: now)
    tally = worker.run(Desk(store, journal()), lambda: now)
    with store.read() as tx:
        held = [(one.slug, one.person.email) for one in ledger.find_held(tx)]

    assert {after: 1} == tally
    assert held == ([("tip", "ana@example.org")] if after == State.HELD else [])


def test_letters_go_before_issues(post: Post, now: datetime) -> None:
    """Who waits for a confirmation does not wait for a mailing that began before."""
    desk = Desk(post.store, File(Account(post.book / "mail", {})))
    with post.store.begin() as tx:
        mailing.freeze(
            tx,
            issues.read(post.make()),
            post.envelope,
            provider="file",
            max_batch=1,
            on_unknown="hold",
            send_id="issue",
            now=now - timedelta(hours=1),
        )
    post.write("confirm")
    post.queue("confirm", "pia@example.org", "confirm:4:1")
    box = Letterbox(post.book / "build" / "letters", post.envelope)
    list(letterbox.empty(desk, box, now))
    with post.store.read() as tx:
        first, second = claims.find_ready(tx, now)

    assert second == "issue" != first


def test_a_letter_that_is_not_there_waits(post: Post) -> None:
    """It is said which one and what to do; the other letters go, and this one as soon as it is written."""
    post.write("welcome")
    post.queue("first-week", "ana@example.org", "week:1")
    post.queue("welcome", "ana@example.org", "welcome:1")
    (said,) = post.work()
    without = post.mails()
    post.write("first-week")
    post.work()

    assert "letters/first-week: there is no such letter, and somebody is to get it" in said
    assert [("ana@example.org", "A welcome")] == without
    assert ("ana@example.org", "A first-week") in post.mails()


def test_a_letter_that_was_changed_by_hand_waits(post: Post) -> None:
    """What is not as the pipeline wrote it goes to nobody."""
    folder = post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    (folder / "body.txt").write_text("Buy now", "utf-8")
    (said,) = post.work()
    without = post.mails()
    post.write("welcome")

    assert "was changed after the build" in said
    assert [] == without
    assert [] == post.work()
    assert [("ana@example.org", "A welcome")] == post.mails()


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("confirm", {"fields": {}, "html": "<p>x</p>", "text": "x"}, "needs @@confirm_url@@ in both"),
        ("welcome", {"kind": "issue"}, "there is no such letter"),
        ("tip", {"more": "@@browser_url@@", "also": ["browser_url"]}, "a letter to one person has no page"),
    ],
)
def test_the_gate_looks_at_letters_too(post: Post, name: str, changes: dict[str, Any], said: str) -> None:
    """A letter that nobody could use goes to nobody."""
    if changes.get("html"):
        post.make(slug=name, kind="letter", subject="x", **changes)
    elif changes.get("also"):
        fields = {"postal_address": {"type": "text", "default": ""}} | {
            one: {"type": "url", "default": ""} for one in ("unsubscribe_url", "browser_url")
        }
        post.write(name, more=changes["more"], fields=fields)
    else:
        post.write(name, **changes)
    post.queue(name, "pia@example.org", "once")

    assert said in post.work()[0]
    assert [] == post.mails()


def test_a_letter_made_anew_reaches_those_after(post: Post) -> None:
    """Who was frozen keeps the old words; both contents stay in the ledger."""
    post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    post.work()
    post.write("welcome", subject="A better welcome")
    post.queue("welcome", "dora@example.com", "welcome:3")
    post.work()

    assert [("ana@example.org", "A welcome"), ("dora@example.com", "A better welcome")] == post.mails()
    assert [] == post.faults()


def test_a_send_takes_letters_for_a_while(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """One copy of a letter serves many people; then another send is opened, so that none grows for ever."""
    post.write("welcome")
    monkeypatch.setattr(letterbox, "FULL", 2)
    for number, email in enumerate(("ana@example.org", "bjork@example.com", "dora@example.com")):
        post.queue("welcome", email, f"welcome:{number}")
        post.work()
    with post.store.read() as tx:
        audiences = sorted(one.audience for one in ledger.progress(tx))

    assert [1, 2] == audiences
    assert len(post.mails()) == 3
    assert [] == post.faults()


def test_verify_sees_a_letter_without_a_key(store: Store, make_issue: IssueMaker, envelope: Envelope, book: Path,
                                            now: datetime) -> None:  # fmt: skip
    """Keys and messages are held against each other."""
    post = Post(store, make_issue, envelope, book, now)
    post.write("welcome")
    post.queue("welcome", "ana@example.org", "welcome:1")
    post.work()
    with sqlite3.connect(book / "outbox.db") as connection:
        connection.execute("DELETE FROM letter")
    connection.close()

    assert ["welcome: 1 people have a letter without a key, or a key without a letter"] == post.faults()


# -- by the command line, with real kills


def put_in(book: Path, now: datetime, names: Iterable[str], number: int) -> None:
    """Put people on the list and letters into the box."""
    store = open_store(f"sqlite:///{book / 'outbox.db'}", now)
    with store.begin() as tx:
        for each in range(number):
            enlist(tx, Claim(f"p{each}@example.org", "", Consent.CONFIRMED, "said yes", "test"), now)
            person = subscribers.find(tx, f"p{each}@example.org")
            assert person
            for name in names:
                queue_letter(tx, name, person.id, key=f"{name}:{each}", due_at=now, now=now)
    store.close()


SUICIDE = """
import os, signal, sys
from outbox.store import letters, together
from outbox.providers import file
from outbox.cli import main
place = sys.argv.pop(1)
owner, name = {
    "before the freeze": (letters, "put_in"),
    "in the freeze": (letters, "_mark"),
    "before the intent": (together, "intend_all"),
    "in the call": (file, "_write"),
    "before the settlement": (together, "settle_accepted"),
}[place]
setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL) if _[1:] and _[1] else [])
main()
"""


@pytest.mark.parametrize(
    "place",
    ["before the freeze", "in the freeze", "before the intent", "in the call", "before the settlement"],
)
def test_a_kill_between_queue_and_send_loses_and_doubles_nothing(
    book: Path,
    make_issue: IssueMaker,
    outbox: Run,
    outbox_environment: dict[str, str],
    now: datetime,
    place: str,
) -> None:
    """Each letter of each person comes once, whatever step was the last of the dead sender."""
    for name in ("welcome", "tip"):
        make_issue(slug=name, kind="letter", subject=f"A {name} for @@first_name@@")
    put_in(book, now, ("welcome", "tip"), 10)
    command = [sys.executable, "-c", SUICIDE, place, "work", "--once"]
    died = subprocess.run(command, cwd=book, env=outbox_environment, capture_output=True, check=False)
    outbox("work", "--once")
    outbox("work", "--once")

    assert died.returncode == -signal.SIGKILL, died.stderr
    mails = [read_mail(path) for path in (book / "build" / "mail").rglob("*.eml")]
    got = sorted((str(mail["To"]), str(mail["Subject"]).split()[1]) for mail in mails)
    assert [(f"p{each}@example.org", name) for each in range(10) for name in ("tip", "welcome")] == got
    assert "20 messages, all accounted for" in outbox("verify").stdout


def test_letters_are_told_by_the_commands(
    book: Path, make_issue: IssueMaker, outbox: Run, now: datetime
) -> None:
    """The status counts them, show names them, work says what is missing, cancel lets none go."""
    make_issue(slug="welcome", kind="letter")
    put_in(book, now, ("welcome", "later"), 2)
    missing = outbox("work", "--once", code=1)
    status, shown = outbox("status").stdout, outbox("show", "p0@example.org").stdout
    told = json.loads(outbox("status", "--json").stdout)
    cancelled = outbox("cancel", "later").stdout

    assert "2 accepted" in missing.stdout
    assert "letters/later: there is no such letter" in missing.stderr
    assert "letter welcome: 2 accepted" in status
    assert "letter later: 2 to come, the first 2026-03-01 09:00 UTC" in status
    assert "welcome: accepted" in shown
    assert "later: to come" in shown
    assert [{"name": "welcome", "states": {"accepted": 2}}] == told["letters"]
    assert [("later", 2)] == [(one["name"], one["number"]) for one in told["queued"]]
    assert cancelled == "later: cancelled\n"
    assert "later: not sent: cancelled by hand" in outbox("show", "p0@example.org").stdout
    assert "nothing was due" in outbox("work", "--once").stdout


def test_a_paused_letter_waits(book: Path, make_issue: IssueMaker, outbox: Run, now: datetime) -> None:
    """By its name, like an issue; what comes meanwhile waits in the box."""
    make_issue(slug="welcome", kind="letter")
    put_in(book, now, ("welcome",), 1)
    outbox("work", "--once")
    paused = outbox("pause", "welcome").stdout
    put_in(book, now, ("welcome",), 3)
    outbox("work", "--once")
    before = len(list((book / "build" / "mail").rglob("*.eml")))
    outbox("resume", "welcome")
    outbox("work", "--once")

    assert paused == "welcome: paused\n"
    assert before == 1
    assert len(list((book / "build" / "mail").rglob("*.eml"))) == 3


def test_a_restored_database_repeats_no_letter_but_those_that_must_arrive(
    book: Path, make_issue: IssueMaker, outbox: Run, now: datetime
) -> None:
    """What was due may have gone out since the backup: a second welcome does no harm, a second tip would."""
    for name in ("welcome", "tip"):
        make_issue(slug=name, kind="letter", subject=f"A {name} for @@first_name@@")
    put_in(book, now, ("welcome", "tip"), 2)
    said = outbox("adopt", "--restored").stdout
    outbox("work", "--once")
    shown = outbox("show", "p0@example.org").stdout

    assert "2 letters that were due are not sent, since they may have gone out before" in said
    assert "welcome: accepted" in shown
    assert "tip: not sent: may have gone out before the database was restored" in shown
