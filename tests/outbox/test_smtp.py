"""SMTP against a real server: what it says is believed, and what it did not say is not guessed."""

# ruff: noqa: N802  (aiosmtpd calls methods of these names)
from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from outbox.errors import ConfigError
from outbox.model import Account, ItemResult, Letter, Outcome
from outbox.providers.smtp import Smtp

DATE = datetime(2026, 3, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"


class Server:
    """Answers as it is told, for each mailbox; counts connections, keeps mail."""

    def __init__(self) -> None:
        self.mail: list[Any] = []
        self.connections = 0
        self.sender_code = self.data_code = "250 OK"
        self.lose = ""  # "before" or "after" a message is accepted

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: Any
    ) -> Any:
        """Count."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take or refuse the sender."""
        envelope.mail_from = address
        return self.sender_code

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """`gone@` is refused for good, `busy@` for now."""
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        """Accept, and perhaps lose the connection."""
        if self.lose != "before":
            self.mail.append(envelope)
        if self.lose:
            server.transport.abort()
        return self.data_code


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(handler: Server, **options: Any) -> Iterator[int]:
    """The server on a port of this machine."""
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def server() -> Server:
    """A server that takes everything."""
    return Server()


@pytest.fixture
def send(
    server: Server, letter: Letter, write_to: Any, tmp_path: Path
) -> Iterator[Callable[..., ItemResult]]:
    """Send one message to a mailbox."""
    with serve(server) as port:
        provider = Smtp(Account(tmp_path, {}, host="127.0.0.1", port=port, security="none"))

        def one(mailbox: str = "ana@example.org", number: int = 1) -> ItemResult:
            person = write_to(number, "Ana", mailbox)
            (result,) = provider.send(provider.prepare(letter, [person], f"s.d.{number}", date=DATE))
            return result

        yield one
        provider.close()


def test_a_message_goes_over_an_open_connection(server: Server, send: Callable[..., ItemResult]) -> None:
    """Three transactions, one connection; the server's words are the id."""
    results = [send(f"reader{number}@example.org", number) for number in (1, 2, 3)]

    assert [Outcome.ACCEPTED] * 3 == [result.outcome for result in results]
    assert "OK" in results[0].provider_id
    assert server.connections == 1
    assert [["reader1@example.org"], ["reader2@example.org"], ["reader3@example.org"]] == [
        envelope.rcpt_tos for envelope in server.mail
    ]
    assert {"hello@example.org"} == {envelope.mail_from for envelope in server.mail}


@pytest.mark.parametrize(
    ("mailbox", "outcome", "code"),
    [("gone@example.org", Outcome.REJECTED, "smtp 550"), ("busy@example.org", Outcome.THROTTLED, "smtp 451")],
)
def test_a_mailbox_is_refused_for_good_or_for_now(
    server: Server, send: Callable[..., ItemResult], mailbox: str, outcome: Outcome, code: str
) -> None:
    """OC-3, OC-7; the connection is good for the next one."""
    refused, taken = send(mailbox), send("ana@example.org", 2)

    assert (outcome, code) == (refused.outcome, refused.code)
    assert Outcome.ACCEPTED == taken.outcome
    assert (1, 1) == (server.connections, len(server.mail))


def test_a_sender_that_is_refused_is_nobodys_fault_but_ours(
    server: Server, send: Callable[..., ItemResult]
) -> None:
    """No reader is struck off for it."""
    server.sender_code = "550 5.7.1 not your domain"
    result = send()

    assert (Outcome.NOT_SENT, "smtp from") == (result.outcome, result.code)


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("554 5.7.1 spam", Outcome.REJECTED),
        ("452 4.3.1 full", Outcome.THROTTLED),
        ("250 OK", Outcome.ACCEPTED),
    ],
)
def test_the_answer_after_the_final_dot_is_believed(
    server: Server, send: Callable[..., ItemResult], words: str, outcome: Outcome
) -> None:
    """The server has the message, and says what it does with it."""
    server.data_code = words

    assert outcome == send().outcome


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_lost_after_the_final_dot_is_unknown(
    server: Server, send: Callable[..., ItemResult], moment: str
) -> None:
    """OC-5: accepted or not, it looks the same from here; the next message has a new connection."""
    server.lose = moment
    lost = send()
    server.lose = ""
    taken = send("bo@example.org", 2)

    assert (Outcome.UNKNOWN, Outcome.ACCEPTED) == (lost.outcome, taken.outcome)
    assert server.connections == 2


def test_a_connection_lost_while_idle_is_made_anew(
    server: Server, letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """Nothing had begun, so nothing is in doubt."""
    port = free_port()
    provider = Smtp(Account(tmp_path, {}, host="127.0.0.1", port=port, security="none"))
    outcomes = []
    for number in (1, 2):
        controller = Controller(server, hostname="127.0.0.1", port=port)
        controller.start()
        outcomes += provider.send(provider.prepare(letter, [write_to(number)], "s.d.1", date=DATE))
        controller.stop()
    provider.close()

    assert [Outcome.ACCEPTED] * 2 == [result.outcome for result in outcomes]


def test_nobody_at_home_is_not_sent(letter: Letter, write_to: Any, tmp_path: Path) -> None:
    """OC-4."""
    provider = Smtp(Account(tmp_path, {}, host="127.0.0.1", port=free_port(), security="none"))
    (result,) = provider.send(provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE))

    assert (Outcome.NOT_SENT, "no connection") == (result.outcome, result.code)


def test_a_message_larger_than_the_server_takes_is_refused(
    server: Server, letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """RFC 1870: the server says how much it takes."""
    with serve(server, data_size_limit=500) as port:
        provider = Smtp(Account(tmp_path, {}, host="127.0.0.1", port=port, security="none"))
        (result,) = provider.send(provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE))
        provider.close()

    assert (Outcome.INVALID, "smtp size") == (result.outcome, result.code)
    assert server.mail == []


def test_a_host_is_needed(tmp_path: Path) -> None:
    """There is no server to guess."""
    with pytest.raises(ConfigError, match="needs host"):
        Smtp(Account(tmp_path, {}))


# --- TLS and passwords ----------------------------------------------------------------------------


def check_password(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword
) -> AuthResult:
    """One user, one password."""
    good = given.login == b"me" and given.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False)


# aiosmtpd does not know that TLS from the first byte is TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(params=["starttls", "tls"])
def secure(request: pytest.FixtureRequest, server: Server, certificate: Path) -> Iterator[Account]:
    """A server that speaks TLS, at once or on demand, and asks for a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    options: dict[str, Any] = {"authenticator": check_password, "auth_required": True}
    if request.param == "tls":
        options |= {"ssl_context": context, "auth_require_tls": False}
    else:
        options |= {"tls_context": context, "require_starttls": True}
    with serve(server, **options) as port:
        env = {"OUTBOX_SMTP_USER": "me", "OUTBOX_SMTP_PASSWORD": PASSWORD}
        yield Account(Path(), env, host="127.0.0.1", port=port, security=request.param)


def test_a_certificate_that_nobody_vouches_for_ends_it(
    secure: Account, letter: Letter, write_to: Any
) -> None:
    """The password is not said to a stranger, and nothing was sent."""
    provider = Smtp(secure)
    (result,) = provider.send(provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE))

    assert (Outcome.NOT_SENT, "no connection") == (result.outcome, result.code)
    assert "certificate" in result.detail.lower()


def test_a_trusted_server_gets_the_password_and_the_mail(
    secure: Account, server: Server, letter: Letter, write_to: Any, certificate: Path, monkeypatch: Any
) -> None:
    """STARTTLS on 587, TLS from the first byte on 465."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    provider = Smtp(secure)
    (result,) = provider.send(provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE))
    provider.close()

    assert (Outcome.ACCEPTED, 1) == (result.outcome, len(server.mail)), result.detail


def test_a_wrong_password_stops_the_provider(
    secure: Account, letter: Letter, write_to: Any, certificate: Path, monkeypatch: Any
) -> None:
    """Nothing was sent, and the password is not in the words."""
    from dataclasses import replace

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    env = {**secure.env, "OUTBOX_SMTP_PASSWORD": "wrong-password"}
    provider = Smtp(replace(secure, env=env))
    (result,) = provider.send(provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE))

    assert (Outcome.NOT_SENT, "smtp auth") == (result.outcome, result.code), result.detail
    assert "wrong-password" not in repr(result)
