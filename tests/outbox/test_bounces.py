"""Mail that came back is known, in whatever words; ordinary mail is left alone."""

from __future__ import annotations

import mailbox
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox import mailing, worker
from outbox.bounces import read
from outbox.bounces.boxes import Imap, Maildir
from outbox.bounces.causes import find_cause, find_firmness, find_status
from outbox.consent import Claim, enlist
from outbox.desk import Desk
from outbox.errors import BadSignature, ConfigError, Temporary
from outbox.events import admit
from outbox.events.applying import apply_new
from outbox.events.collecting import collect
from outbox.issue import read as read_issue
from outbox.model import Arrival, Cause, Consent, Envelope, EventType, Outcome, State
from outbox.rates import Pace
from outbox.store import Store, arrivals, ledger, subscribers
from tests.outbox.dialects import BOUNCES, DAEMON, MESSAGE_ID, ORDINARY, READER, SEND, TOKEN, Dialect, report
from tests.outbox.test_event_applying import Carrier

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("dialect", BOUNCES.values(), ids=BOUNCES.keys())
def test_a_failure_is_read_in_every_dialect(dialect: Dialect) -> None:
    """The mailbox, the cause, whether the mailbox is given up, and which letter it was."""
    first, *others = read(dialect.raw)

    assert (dialect.kind, dialect.recipient) == (first.kind, first.recipient)
    assert (dialect.cause, dialect.hard) == (first.cause, first.firmness == "hard")
    assert others == []
    if b"Message-ID" in dialect.raw.replace(b"\r", b"\n"):
        assert (f"{SEND}.42", TOKEN) == (first.outbox_id, first.token)


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_mail_is_no_failure(raw: bytes) -> None:
    """Neither answers by machines, nor letters that speak of failures."""
    assert [] == read(raw)


def test_there_are_enough_dialects() -> None:
    """At least forty servers and ten languages; a test of the tests."""
    assert len(BOUNCES) > 100
    assert len(ORDINARY) > 30


def test_several_mailboxes_of_one_report_are_told_apart() -> None:
    """Each with its own cause; what was delivered is no failure."""
    fields = "\n\n".join(
        f"Final-Recipient: rfc822; {name}@example.net\nAction: {action}\nStatus: {status}"
        for name, action, status in [
            ("a", "failed", "5.1.1"),
            ("b", "delivered", "2.0.0"),
            ("c", "failed", "5.2.2"),
        ]
    )
    found = read(report(DAEMON, "Undelivered Mail Returned to Sender", "", fields))

    assert [("a@example.net", Cause.UNKNOWN_USER), ("c@example.net", Cause.FULL)] == [
        (one.recipient, one.cause) for one in found
    ]


def test_feedback_that_is_no_complaint_harms_nobody() -> None:
    """A reader who says that it was no spam after all."""
    assert [] == read(BOUNCES["arf"].raw.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"))


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_accident(raw: bytes) -> None:
    """Whatever comes into a mailbox."""
    assert isinstance(read(b"From: MAILER-DAEMON@x\nSubject: failure notice\n" + raw), list)
    assert isinstance(read(raw), list)


@given(st.sampled_from(sorted(BOUNCES)), st.integers(0, 3000), st.integers(0, 400))
def test_a_mutilated_failure_is_read_without_an_accident(name: str, start: int, length: int) -> None:
    """Cut out what you like."""
    raw = BOUNCES[name].raw
    assert isinstance(read(raw[:start] + raw[start + length :]), list)


@pytest.mark.parametrize(
    ("text", "cause", "firmness"),
    [
        ("550 5.1.1 user unknown", Cause.UNKNOWN_USER, "hard"),
        ("550 5.1.1 blocked using spamhaus", Cause.BLOCKED, "soft"),
        ("450 4.1.1 user unknown for now", Cause.UNKNOWN_USER, "soft"),
        ("550 5.7.1 no such user", Cause.UNKNOWN_USER, "hard"),
        ("550 5.7.1 message looks like spam", Cause.SPAM, "soft"),
        ("552 5.2.2 over quota", Cause.FULL, "soft"),
        ("550 account disabled", Cause.INACTIVE, "hard"),
        ("421 4.7.0 too many connections", Cause.RATE, "soft"),
        ("554 5.6.0 corrupt message content", Cause.CONTENT, "soft"),
        ("550 SPF check failed", Cause.POLICY, "soft"),
        ("nothing to be seen", None, "soft"),
    ],
)
def test_words_and_codes_have_a_cause(text: str, cause: Cause | None, firmness: str) -> None:
    """A code that says little gives way to the words."""
    status = find_status(text)
    found = find_cause(status, text)

    assert (cause, firmness) == (found, find_firmness(status, found, text))


# --- out of the box, into the ledger -------------------------------------------------------------


@pytest.fixture
def sent(store: Store, make_issue: Callable[..., Path], envelope: Envelope) -> Store:
    """A letter that was sent to fifty people; Ana is number 42."""
    with store.begin() as tx:
        for number in range(5, 55):
            email = READER if number == 42 else f"r{number}@example.org"
            enlist(tx, Claim(email, "", Consent.CONFIRMED, "said yes", "test"), NOW)
        mailing.freeze(
            tx, read_issue(make_issue()), envelope, provider="file", max_batch=7, on_unknown="hold",
            send_id=SEND, now=NOW,
        )  # fmt: skip
    worker.run(Desk(store, Carrier(Outcome.ACCEPTED), Pace(connections=1)), lambda: NOW)
    return store


def box_of(folder: Path, *mails: bytes) -> Path:
    """A Maildir with these mails in it."""
    made = mailbox.Maildir(folder / "box", factory=None)
    for raw in mails:
        made.add(mailbox.MaildirMessage(message_from_bytes(raw)))
    return folder / "box"


def state_of(store: Store, number: int = 42) -> tuple[State, Consent]:
    with store.read() as tx:
        person = subscribers.find_by_id(tx, number)
        assert person
        return dict(ledger.everybody(tx, SEND))[number], person.consent


def test_a_maildir_is_read_once(sent: Store, tmp_path: Path) -> None:
    """The failure counts and is marked; ordinary mail stays new, and is not kept."""
    folder = box_of(tmp_path, BOUNCES["postfix"].raw, ORDINARY["out of office"], ORDINARY["answer"])
    assert (3, 1) == collect(Maildir(folder), sent, NOW)
    assert {EventType.BOUNCED: 1} == apply_new(sent, NOW)
    assert (2, 0) == collect(Maildir(folder), sent, NOW)

    assert (State.BOUNCED, Consent.SUPPRESSED) == state_of(sent)
    assert 2 == len(list((folder / "new").iterdir()))
    with sent.read() as tx:
        assert (0, 0) == arrivals.count(tx)


def test_a_complaint_comes_by_mail_too(sent: Store, tmp_path: Path) -> None:
    """As mailbox providers send it on (RFC 5965)."""
    collect(Maildir(box_of(tmp_path, BOUNCES["arf"].raw)), sent, NOW)
    apply_new(sent, NOW)

    assert (State.COMPLAINED, Consent.SUPPRESSED) == state_of(sent)


def keep(store: Store, raw: bytes) -> None:
    with store.begin() as tx:
        arrivals.keep(tx, [Arrival("mailbox", {}, raw, NOW)])
    apply_new(store, NOW)


def test_a_forged_failure_harms_nobody(sent: Store) -> None:
    """Somebody who knows a message's number still has to know the mailbox, or the person's own link."""
    raw = BOUNCES["postfix"].raw.replace(TOKEN.encode(), b"").replace(READER.encode(), b"eve@example.com")
    keep(sent, raw)
    assert (State.ACCEPTED, Consent.CONFIRMED) == state_of(sent)
    keep(sent, BOUNCES["postfix"].raw.replace(MESSAGE_ID.encode(), b"<other@example.org>"))

    assert (State.ACCEPTED, Consent.CONFIRMED) == state_of(sent)


def test_a_failure_of_a_mailbox_that_mail_was_sent_on_to_counts(sent: Store) -> None:
    """The link to leave in the returned letter says whose it was."""
    with sent.read() as tx:
        token: str = tx.connection.exec_driver_sql("SELECT token FROM subscriber WHERE id = 42").scalar_one()
    raw = BOUNCES["postfix"].raw.replace(READER.encode(), b"ana@elsewhere.example")
    keep(sent, raw.replace(TOKEN.encode(), token.encode()))

    assert (State.BOUNCED, Consent.SUPPRESSED) == state_of(sent)


def test_mail_does_not_come_over_the_web() -> None:
    """Nobody may post a failure."""
    with pytest.raises(BadSignature):
        admit(Arrival("mailbox", {}, BOUNCES["postfix"].raw, NOW), ["x"])


def test_the_command_reads_a_maildir(book: Path, outbox: Callable[..., Any], tmp_path: Path) -> None:
    """And says what it needs."""
    outbox("init")
    folder = box_of(tmp_path, BOUNCES["postfix"].raw, ORDINARY["newsletter"])

    assert "2 unread mails, 1 came back: 1 bounced" in outbox("bounces", "--maildir", str(folder)).stdout
    assert "mailbox: 1 bounced" in outbox("events").stdout
    assert "--maildir FOLDER or --imap HOST" in outbox("bounces", code=1).stderr
    assert "is no Maildir" in outbox("bounces", "--maildir", str(book), code=1).stderr
    assert "OUTBOX_IMAP_USER" in outbox("bounces", "--imap", "localhost", code=1).stderr


# --- over IMAP -----------------------------------------------------------------------------------


class Speaker(StreamRequestHandler):
    """As much of IMAP (RFC 3501) as a reader of mail needs."""

    mails: ClassVar[dict[str, bytes]] = {}
    seen: ClassVar[set[str]] = set()

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, rest = line.partition(" ")
            word, _, more = rest.removeprefix("UID ").partition(" ")
            getattr(self, f"do_{word.lower()}", self.do_other)(more)
            wrong = (word == "LOGIN" and "secret" not in more) or (word == "SELECT" and "INBOX" not in more)
            self.say(f"{tag} {'NO not so' if wrong else 'OK done'}")
            if word == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def do_other(self, more: str) -> None:
        """Nothing is to be said."""

    def do_capability(self, more: str) -> None:  # noqa: ARG002
        self.say("* CAPABILITY IMAP4rev1")

    def do_search(self, more: str) -> None:  # noqa: ARG002
        self.say(f"* SEARCH {' '.join(sorted(set(self.mails) - self.seen))}".rstrip())

    def do_fetch(self, more: str) -> None:
        name = more.split(maxsplit=1)[0]
        body = self.mails[name]
        self.say(f"* {name} FETCH (UID {name} BODY[]<0> {{{len(body)}}}")
        self.wfile.write(body + b")\r\n")

    def do_store(self, more: str) -> None:
        self.seen.add(more.split(maxsplit=1)[0])

    def do_logout(self, more: str) -> None:  # noqa: ARG002
        self.say("* BYE")


@pytest.fixture
def imap(certificate: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A server that speaks IMAP over TLS: its port, and whom to trust."""
    Speaker.mails = {"1": BOUNCES["qmail"].raw.replace(b"\n", b"\r\n"), "2": ORDINARY["answer"]}
    Speaker.seen = set()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Speaker) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1], ssl.create_default_context(cafile=certificate)
        server.shutdown()
        thread.join()


def test_a_server_is_read_once(imap: tuple[int, ssl.SSLContext], sent: Store) -> None:
    """Only what came back is marked as seen."""
    port, trust = imap
    box = Imap("127.0.0.1", "bounces", "secret", port=port, trust=trust)
    assert (2, 1) == collect(box, sent, NOW)
    assert (1, 0) == collect(box, sent, NOW)
    box.close()
    apply_new(sent, NOW)

    assert {"1"} == Speaker.seen
    assert (State.BOUNCED, Consent.SUPPRESSED) == state_of(sent)


def test_a_server_that_refuses_or_is_away_is_told(imap: tuple[int, ssl.SSLContext]) -> None:
    """Without the password in the words; and nothing is spoken to a server without a certificate that is good."""
    port, trust = imap
    with pytest.raises(ConfigError, match="refuses"):
        Imap("127.0.0.1", "bounces", "wrong", port=port, trust=trust)
    with pytest.raises(ConfigError, match="no folder"):
        Imap("127.0.0.1", "bounces", "secret", folder="Nowhere", port=port, trust=trust)
    with pytest.raises(Temporary, match="cannot be reached"):
        Imap("127.0.0.1", "bounces", "secret", port=port)
    with pytest.raises(Temporary, match="cannot be reached"):
        Imap("127.0.0.1", "bounces", "secret", port=1, trust=trust)


def test_the_moment_of_a_failure_is_its_own(sent: Store) -> None:
    """Unless it lies to come."""
    later = BOUNCES["qmail"].raw.replace(b"Sun, 01 Mar 2026 09:00:05", b"Sun, 01 Mar 2099 09:00:05")
    with sent.begin() as tx:
        arrivals.keep(
            tx,
            [Arrival("mailbox", {}, raw, NOW + timedelta(days=1)) for raw in (BOUNCES["qmail"].raw, later)],
        )
    apply_new(sent, NOW)
    with sent.read() as tx:
        moments = tx.connection.exec_driver_sql("SELECT at FROM event ORDER BY id").scalars().all()

    assert ["2026-03-01T09:00:05", "2026-03-02T09:00:00"] == [moment[:19] for moment in moments]
