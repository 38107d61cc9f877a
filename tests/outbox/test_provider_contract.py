"""What every provider must do, whoever it is: the same promises, the same outcomes, the same letter."""

from __future__ import annotations

import email.policy
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given, settings
from hypothesis import strategies as st

from outbox.errors import ConfigError, MustSplit, OutboxError
from outbox.model import (
    Account,
    Addressee,
    Attachment,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Template,
)
from outbox.providers import PROVIDERS, Provider
from outbox.providers.base import complete
from outbox.sandbox import Fault, Server

GOLDEN = Path(__file__).parent / "golden"
DATE = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = "a-secret-that-nobody-may-see"
ENV = {"OUTBOX_TOKEN": SECRET, "OUTBOX_SES_KEY_ID": "AKIDEXAMPLE", "OUTBOX_SES_SECRET": SECRET}
#: What [provider] needs beside the name.
NEEDS: Mapping[str, Mapping[str, Any]] = {
    "mailgun": {"domain": "m.example.org", "region": "eu"},
    "ses": {"region": "eu-west-1"},
    "smtp": {"host": "127.0.0.1", "security": "none"},
}
HTTP = [name for name in PROVIDERS if name not in {"file", "smtp"}]
#: Names that some wire or template might take for something else.
ODD_NAMES = [
    "", "O'Hara", 'Quote "d" Name',
    "100 %", "%recipient.f3%", "%20", ".dot", "{{f0}}", "{f0}", "${name}", "back\\slash",
    "Zoë", "李小龍", "עִברִית", "🦉👩‍👩‍👧", "<b>&amp;</b>", "a=b`c", "comma, name", ',"', "=?utf-8?q?x?=", "long " * 400,
]  # fmt: skip

Got = tuple[str, str, str, str]  # mailbox, subject, HTML, text


@dataclass
class Party:
    """A provider, and a way to read what its readers got."""

    provider: Provider
    read: Callable[[], list[Got]]
    clear: Callable[[], None]

    def prepare(self, letter: Letter, people: Sequence[Addressee], batch_id: str = "s.d.1") -> PreparedBatch:
        """One call."""
        return self.provider.prepare(letter, people, batch_id, date=DATE)

    def deliver(self, letter: Letter, people: Sequence[Addressee], mark: str = "s.d.1") -> list[ItemResult]:
        """Send to everyone, in as many calls as it says it needs."""
        try:
            return self.provider.send(self.prepare(letter, people, mark))
        except MustSplit as split:
            named = {person.outbox_id: person for person in people}
            assert sorted(named) == sorted(name for part in split.parts for name in part)
            assert all(len(part) < len(people) for part in split.parts)
            parts = enumerate([[named[name] for name in part] for part in split.parts])
            return [result for no, part in parts for result in self.deliver(letter, part, f"{mark}-{no}")]


@contextmanager
def gather(name: str, rehearsal: Server, folder: Path, **changes: Any) -> Iterator[Party]:
    """A provider whose letters end on this machine."""
    with ExitStack() as stack:
        if name == "smtp":
            inbox = Inbox()
            controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
            controller.start()
            stack.callback(controller.stop)
            changes["port"] = controller.port
            read, clear = (lambda: [open_mail(raw) for raw in inbox.mail]), inbox.mail.clear
        elif name == "file":
            read = lambda: [open_mail(path.read_bytes()) for path in sorted(folder.rglob("*.eml"))]  # noqa: E731
            clear = lambda: [path.unlink() for path in folder.rglob("*.eml")]  # type: ignore[assignment]  # noqa: E731
        else:
            journal = rehearsal.desk.journal
            changes.setdefault("url", rehearsal.url)
            read = lambda: [(o["email"], o["subject"], o["html"], o["text"]) for o in journal.find()]  # noqa: E731
            clear = journal.clear
        clear()
        provider = PROVIDERS[name](Account(folder, ENV, **{**NEEDS.get(name, {}), **changes}))
        stack.callback(provider.close)
        yield Party(provider, read, clear)


def free_port() -> int:
    """A port nobody listens on; the server that takes it cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Inbox:
    """An SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.mail: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Accept."""
        self.mail.append(envelope.content)
        return "250 OK queued as 1"


def open_mail(raw: bytes) -> Got:
    """Read a message as a mail program does."""
    message = message_from_bytes(raw, policy=email.policy.default)

    def body(part: Any) -> str:
        assert isinstance(part, EmailMessage)
        return str(part.get_content()).replace("\r\n", "\n")

    html, text = message.get_body(("html",)), message.get_body(("plain",))
    mailbox = message["To"].addresses[0].addr_spec
    return mailbox, str(message["Subject"]), body(html), body(text)


def meant(letter: Letter, person: Addressee) -> Got:
    """What a person should read, made without any wire."""
    parts = (letter.subject, letter.html, letter.text)
    subject, html, text = (part.fill(person.values) for part in parts)
    return person.to.email, subject, html, text


@pytest.fixture(params=PROVIDERS)
def party(request: pytest.FixtureRequest, rehearsal: Server, tmp_path: Path) -> Iterator[Party]:
    """Every provider in turn."""
    with gather(request.param, rehearsal, tmp_path) as party:
        yield party


@pytest.fixture(params=HTTP)
def caller(request: pytest.FixtureRequest, rehearsal: Server, tmp_path: Path) -> Iterator[Party]:
    """Every provider over HTTP in turn."""
    with gather(request.param, rehearsal, tmp_path) as party:
        yield party


def few(party: Party, write_to: Callable[..., Addressee], number: int = 3) -> list[Addressee]:
    """Some people, not more than one call takes."""
    return [write_to(no) for no in range(1, 1 + min(number, party.provider.caps.max_batch))]


def outcomes(results: Sequence[ItemResult]) -> set[Outcome]:
    """What became of the messages."""
    return {result.outcome for result in results}


# --- promises ------------------------------------------------------------------------------------


def test_everyone_gets_their_own_letter(party: Party, letter: Letter, write_to: Any) -> None:
    """One answer for each, in order, with an id; what was meant is what is read."""
    people = few(party, write_to)
    results = party.provider.send(party.prepare(letter, people))

    assert [person.outbox_id for person in people] == [result.outbox_id for result in results]
    assert {Outcome.ACCEPTED} == outcomes(results)
    assert all(result.provider_id for result in results)
    assert sorted(meant(letter, person) for person in people) == sorted(party.read())


def test_the_same_input_gives_the_same_bytes(party: Party, letter: Letter, write_to: Any) -> None:
    """AD-1: a provider made anew, with a letter read anew, makes the same call."""
    people = few(party, write_to)

    assert party.prepare(letter, people) == party.prepare(replace(letter), people)


def test_a_call_has_golden_bytes(
    party: Party, letter: Letter, write_to: Any, golden: Callable[[Path, str], None]
) -> None:
    """CK-11: they do not change unless somebody means it, on any version of Python."""
    for number in {1, min(2, party.provider.caps.max_batch)}:
        batch = party.prepare(letter, [write_to(no, "Björk") for no in range(1, number + 1)])
        head = "".join(f"{name}: {value}\n" for name, value in sorted(batch.headers.items()))
        body = batch.body.decode().replace("\r\n", "\\r\n")
        text = f"{batch.method} {batch.path}\nkey {batch.key}\n{head}\n{body}\n"

        golden(GOLDEN / f"{party.provider.name}-{number}.txt", text)


def test_no_secret_is_in_what_is_kept(party: Party, letter: Letter, write_to: Any) -> None:
    """AD-3: secrets join a call at the last moment, and do not show."""
    assert SECRET not in repr(party.prepare(letter, few(party, write_to)))
    assert SECRET not in repr(Account(Path(), ENV))


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_an_odd_name_arrives_as_it_is(party: Party, letter: Letter, write_to: Any, name: str) -> None:
    """PR-6: alone or among others, by the provider's own fields or as a whole message: the same letter."""
    people = few(party, write_to)
    people[0] = write_to(1, name)
    results = party.deliver(letter, people)

    assert {Outcome.ACCEPTED} == outcomes(results)
    assert sorted(meant(letter, person) for person in people) == sorted(party.read())


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=60)


@settings(max_examples=40)
@given(st.data())
@pytest.mark.parametrize("name", PROVIDERS)
def test_any_cut_delivers_the_same_set(
    name: str, letter: Letter, write_to: Any, rehearsal: Server, tmp_path_factory: Any, data: st.DataObject
) -> None:
    """CK-12: however a list is cut into calls, everyone gets one letter, and it is theirs."""
    with gather(name, rehearsal, tmp_path_factory.mktemp("cut")) as party:
        names = data.draw(st.lists(PRINTABLE, min_size=1, max_size=7))
        people = [write_to(no, name) for no, name in enumerate(names, 1)]
        while people:
            size = data.draw(st.integers(1, min(len(people), party.provider.caps.max_batch)))
            assert {Outcome.ACCEPTED} == outcomes(party.deliver(letter, people[:size], f"s.d.{len(people)}"))
            people = people[size:]

        everyone = [write_to(no, name) for no, name in enumerate(names, 1)]
        assert sorted(meant(letter, person) for person in everyone) == sorted(party.read())


def test_a_letter_that_speaks_of_fields_arrives_as_it_is(party: Party, letter: Letter, write_to: Any) -> None:
    """The author may write {{f0}} and %recipient.f0%: it is text."""
    text = Template(("Write {{f0}} or %recipient.f0%, ", "\n"), (("first_name", str),))
    about = replace(letter, text=text)
    people = few(party, write_to)

    assert {Outcome.ACCEPTED} == outcomes(party.deliver(about, people))
    assert sorted(meant(about, person) for person in people) == sorted(party.read())


def test_the_headers_of_a_list_travel_along(
    caller: Party, letter: Letter, write_to: Any, rehearsal: Server
) -> None:
    """AD-4, AD-5: one-click unsubscribe with each reader's own link, and our id."""
    people = few(caller, write_to)
    caller.provider.send(caller.prepare(letter, people))
    for person, kept in zip(people, rehearsal.desk.journal.find(), strict=True):
        headers = dict(kept["headers"])

        assert f"<{person.values['unsubscribe_url']}>" in headers["List-Unsubscribe"]
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["List-Id"].endswith("<letters.example.org>")
        assert kept["outbox_id"] == person.outbox_id


def test_files_travel_along_or_are_refused(party: Party, letter: Letter, write_to: Any) -> None:
    """A file goes with each letter, in calls as small as the provider needs; one it cannot take is named."""
    book = replace(letter, attachments=(Attachment("book.epub", "application/epub+zip", b"PK\x03\x04"),))
    people = few(party, write_to)
    if party.provider.name == "brevo":
        with pytest.raises(OutboxError, match=r"does not take book\.epub"):
            party.prepare(book, people)
        return

    assert {Outcome.ACCEPTED} == outcomes(party.deliver(book, people))
    assert len(people) == len(party.read())


def test_a_call_that_is_too_large_is_cut(party: Party, letter: Letter, write_to: Any) -> None:
    """AD-6: by bytes too; and one message that is too large by itself is refused, not cut for ever."""
    provider: Any = party.provider
    if provider.caps.max_batch > 1:
        size = len(party.prepare(letter, few(party, write_to)).body)
        provider.caps = replace(provider.caps, max_request_bytes=size - 1)
        with pytest.raises(MustSplit):
            party.prepare(letter, few(party, write_to))
    if party.provider.name not in {"file", "smtp"}:
        provider.caps = replace(provider.caps, max_message_bytes=50)
        with pytest.raises(OutboxError, match="the provider takes 50"):
            party.prepare(letter, few(party, write_to, 1))


def test_a_search_finds_what_was_accepted(party: Party, letter: Letter, write_to: Any) -> None:
    """Before the call there is nothing; after it everything, where the provider can be asked."""
    batch = party.prepare(letter, few(party, write_to))
    before = party.provider.lookup(batch)
    party.provider.send(batch)
    after = party.provider.lookup(batch)

    assert before == {}
    if party.provider.caps.lookup == "none":
        assert after == {}
    else:
        assert list(batch.outbox_ids) == sorted(after)
        assert {Outcome.ACCEPTED} == outcomes(list(after.values()))


def test_a_repeated_call_doubles_nothing_where_the_provider_says_so(
    party: Party, letter: Letter, write_to: Any
) -> None:
    """Under a key that lives, or a file's own name, the answer is the same; elsewhere it is a second letter."""
    caps = party.provider.caps
    batch = party.prepare(letter, few(party, write_to))
    first, again = party.provider.send(batch), party.provider.send(batch)
    safe = caps.replay_window_s is not None or caps.lookup == "exact"

    assert len(batch.outbox_ids) * (1 if safe else 2) == len(party.read())
    assert first == again or not safe


def test_what_is_left_out_of_an_answer_is_unknown(party: Party, letter: Letter, write_to: Any) -> None:
    """AD-8: a short answer is never read as acceptance."""
    batch = party.prepare(letter, few(party, write_to))

    assert {Outcome.UNKNOWN} == outcomes(complete(batch, []))
    assert len(complete(batch, [])) == len(batch.outbox_ids)


# --- outcomes ------------------------------------------------------------------------------------

#: CK-10: what goes wrong, what it means, and whether the messages were in fact accepted.
FAULTS: Mapping[Fault, tuple[Outcome, bool]] = {
    Fault("reset"): (Outcome.UNKNOWN, False),
    Fault("reset", "after"): (Outcome.UNKNOWN, True),
    Fault("hang"): (Outcome.UNKNOWN, False),
    Fault("hang", "after"): (Outcome.UNKNOWN, True),
    Fault("slow"): (Outcome.ACCEPTED, True),
    Fault("slow", "after"): (Outcome.ACCEPTED, True),
    Fault("truncate"): (Outcome.UNKNOWN, False),
    Fault("truncate", "after"): (Outcome.UNKNOWN, True),
    Fault("garbage"): (Outcome.UNKNOWN, False),
    Fault("garbage", "after"): (Outcome.UNKNOWN, True),
    Fault("500"): (Outcome.UNKNOWN, False),
    Fault("500", "after"): (Outcome.UNKNOWN, True),
    Fault("503"): (Outcome.UNKNOWN, False),
    Fault("503", "after"): (Outcome.UNKNOWN, True),
    Fault("408"): (Outcome.UNKNOWN, False),
    Fault("409"): (Outcome.UNKNOWN, False),
    Fault("429", seconds=3): (Outcome.THROTTLED, False),
    Fault("429", seconds=3, as_date=True): (Outcome.THROTTLED, False),
    Fault("302"): (Outcome.NOT_SENT, False),
    Fault("400"): (Outcome.NOT_SENT, False),
    Fault("401"): (Outcome.NOT_SENT, False),
    Fault("403"): (Outcome.NOT_SENT, False),
    Fault("404"): (Outcome.NOT_SENT, False),
    Fault("413"): (Outcome.NOT_SENT, False),
    Fault("422"): (Outcome.NOT_SENT, False),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name + "-date" * fault.as_date)
def test_every_fault_has_its_outcome(
    caller: Party, letter: Letter, write_to: Any, rehearsal: Server, fault: Fault
) -> None:
    """OC-1 to OC-8: what surely was not taken, what was, and what nobody can know."""
    outcome, accepted = FAULTS[fault]
    people = few(caller, write_to)
    rehearsal.desk.faults.order(fault)
    results = caller.provider.send(caller.prepare(letter, people))

    assert {outcome} == outcomes(results)
    assert len(people) * accepted == len(caller.read())
    assert len(people) == len(results)
    if outcome is Outcome.THROTTLED:
        assert results[0].retry_after == pytest.approx(3, abs=1)


@pytest.mark.parametrize("status", ["400", "422", "413"])
def test_one_message_that_is_refused_is_refused_for_good(
    caller: Party, letter: Letter, write_to: Any, rehearsal: Server, status: str
) -> None:
    """Nobody else is in the call whose fault it could be."""
    rehearsal.desk.faults.order(Fault(status))
    (result,) = caller.provider.send(caller.prepare(letter, few(caller, write_to, 1)))

    assert (Outcome.INVALID, f"http {status}") == (result.outcome, result.code)


def test_an_answer_that_takes_too_long_is_unknown(
    caller: Party, letter: Letter, write_to: Any, rehearsal: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message was accepted all the same."""
    monkeypatch.setattr("outbox.providers.base.TIMEOUT", (5, 0.1))
    rehearsal.desk.faults.order(Fault("slow", "after", seconds=0.4))
    people = few(caller, write_to)

    assert {Outcome.UNKNOWN} == outcomes(caller.provider.send(caller.prepare(letter, people)))
    assert len(people) == len(caller.read())


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://nobody.invalid"])
def test_a_call_that_never_began_was_not_sent(
    name: str, letter: Letter, write_to: Any, rehearsal: Server, tmp_path: Path, url: str
) -> None:
    """OC-4: no server, no such name."""
    with gather(name, rehearsal, tmp_path, url=url) as party:
        results = party.provider.send(party.prepare(letter, few(party, write_to)))

    assert {(Outcome.NOT_SENT, "no connection")} == {(result.outcome, result.code) for result in results}


@pytest.mark.parametrize("name", HTTP)
def test_a_question_that_fails_settles_nothing(
    name: str, letter: Letter, write_to: Any, rehearsal: Server, tmp_path: Path
) -> None:
    """A search that cannot be asked must not read as: it is not there."""
    with gather(name, rehearsal, tmp_path, url="http://127.0.0.1:1", **search(name)) as party:
        batch = party.prepare(letter, few(party, write_to))
        found = party.provider.lookup(batch)

    if party.provider.caps.lookup != "none":
        assert list(batch.outbox_ids) == list(found)
        assert {Outcome.UNKNOWN} == outcomes(list(found.values()))


def search(name: str) -> Mapping[str, str]:
    """The sandbox can be searched when it is told to."""
    return {"promise": "search"} if name == "sandbox" else {}


def test_a_delayed_search_finds_nothing_yet(
    rehearsal: Server, letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """SB-5: absent is not the same as not accepted."""
    desk = rehearsal.desk
    for name in ("sandbox", "postmark", "mailgun", "brevo"):
        with gather(name, rehearsal, tmp_path, **search(name)) as party:
            batch = party.prepare(letter, few(party, write_to))
            party.provider.send(batch)
            desk.rules = replace(desk.rules, search_delay=60)
            early = party.provider.lookup(batch)
            desk.rules = replace(desk.rules, search_delay=0)

            assert early == {}
            assert list(batch.outbox_ids) == sorted(party.provider.lookup(batch))


def test_the_words_of_a_provider_hold_no_secret(
    caller: Party, letter: Letter, write_to: Any, rehearsal: Server
) -> None:
    """A provider may repeat what it was sent; we do not."""
    batch = replace(caller.prepare(letter, few(caller, write_to)), path=f"/nowhere/{SECRET}")
    results = caller.provider.send(batch)

    assert {(Outcome.NOT_SENT, "http 404")} == {(result.outcome, result.code) for result in results}
    assert not any(SECRET in repr(result) for result in results)


PARTIAL: Mapping[str, tuple[Outcome, Outcome, Outcome]] = {
    "sandbox": (Outcome.ACCEPTED, Outcome.SUPPRESSED, Outcome.INVALID),
    "postmark": (Outcome.ACCEPTED, Outcome.SUPPRESSED, Outcome.INVALID),
    "ses": (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.INVALID),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_a_call_may_be_taken_in_part(
    name: str, letter: Letter, write_to: Any, rehearsal: Server, tmp_path: Path
) -> None:
    """SB-4: each message has its own answer."""
    mailboxes = ["ana@example.org", "inactive+bo@example.org", "invalid+cy@example.org"]
    with gather(name, rehearsal, tmp_path) as party:
        people = [write_to(no, "Ana", mailbox) for no, mailbox in enumerate(mailboxes, 1)]
        results = party.provider.send(party.prepare(letter, people))

        assert PARTIAL[name] == tuple(result.outcome for result in results)
        assert ["ana@example.org"] == [got[0] for got in party.read()]


@pytest.mark.parametrize("name", ["resend", "mailgun", "brevo"])
def test_one_bad_address_refuses_the_whole_call(
    name: str, letter: Letter, write_to: Any, rehearsal: Server, tmp_path: Path
) -> None:
    """Nothing is sent, and the code says that halves may be tried."""
    with gather(name, rehearsal, tmp_path) as party:
        people = [write_to(1), write_to(2, "Bo", "invalid+bo@example.org")]
        results = party.provider.send(party.prepare(letter, people))

        assert {Outcome.NOT_SENT} == outcomes(results)
        assert results[0].code in {"http 400", "http 422"}
        assert party.read() == []


# --- what each is made from -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in HTTP if name != "sandbox"])
def test_a_missing_secret_is_named(name: str, tmp_path: Path) -> None:
    """Before anything is sent, and with the name of the variable."""
    with pytest.raises(ConfigError, match=r"needs (OUTBOX_TOKEN|AWS_ACCESS_KEY_ID) in the environment"):
        PROVIDERS[name](Account(tmp_path, {}, **NEEDS.get(name, {})))


@pytest.mark.parametrize("name", HTTP)
def test_a_secret_never_travels_in_the_clear(name: str, tmp_path: Path) -> None:
    """Plain http is for this machine alone."""
    with pytest.raises(ConfigError, match="must be an https address"):
        PROVIDERS[name](Account(tmp_path, ENV, **{**NEEDS.get(name, {}), "url": "http://example.org"}))


def test_what_a_provider_can_do_is_told_whole(party: Party) -> None:
    """Each row of the table in docs/providers.md is sane."""
    caps = party.provider.caps

    assert PROVIDERS[party.provider.name] is not None
    assert 1 <= caps.max_batch <= 1000
    assert caps.max_message_bytes <= caps.max_request_bytes
    assert len(fields(Capabilities)) == len(caps.__slots__)
    assert caps.lookup in {"none", "exact"} or caps.lookup_window_s > 0
    assert caps.batch_of(attachments=False) == caps.max_batch
