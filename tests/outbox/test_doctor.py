"""The doctor finds what keeps mail from arriving, and never calls passed what it could not look at."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox import stamp
from outbox.config import read
from outbox.consent import unsubscribe
from outbox.doctor import CHECKS, Case, examine, service
from outbox.doctor.carriers import CARRIERS
from outbox.doctor.case import BULK, Verdict
from outbox.doctor.dkim import count_bits
from outbox.doctor.dmarc import find_organisation, is_aligned
from outbox.doctor.names import Names, open_names
from outbox.doctor.reference import describe_checks
from outbox.doctor.spf import SpfError, read_spf
from outbox.providers import PROVIDERS
from outbox.store import Store, subscribers

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ENV = {
    "OUTBOX_TOKEN": "t", "OUTBOX_SES_KEY_ID": "AKID", "OUTBOX_SES_SECRET": "s", "OUTBOX_SECRET": "x" * 44,
}  # fmt: skip
RSA_512 = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMcLet78BukZbzadjqnK5LWtjTUJKCk+oXymzcknQPA7QM8aWOuY4iNOoew7JcANG5nMwTJwHXXggL09dJez9F8CAwEAAQ=="  # noqa: E501
RSA_1024 = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+OWmCojQ+beEzxFQBsGmUkmW981vgedjFrGFICDya4EnzrZGvVrK0m3BowKrAl1eFyip8W26rpvzc18WTxmqOXiw/hf9ws4GPZyAp1OZ/lwXdZM9awBUhQMMTXN8S+AZUATfkhV2uYwOGISPZXh5OWxl6aok5VGG0E0oZPpW6GwIDAQAB"  # noqa: E501
BARE_1024 = "MIGJAoGBAL45aYKiND5t4TPEVAGwaZSSZb3zW+B52MWsYUgIPJrgSfOtka9WsrSbcGjAqsCXV4XKKnxbbqum/NzXxZPGao5eLD+F/3CzgY9nICnU5n+XBd1kz1rAFSFAwxNc3xL4BlQBN+SFXa5jA4YhI9leHk5bGXpqiTlUYbQTShk+lbobAgMBAAE="  # noqa: E501
RSA_2048 = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxjbg2tJcA3AWPcUY5A7kNkW+92nbtTb/gtyq/hPclpBRzarvidc+8jEmZ5lBckyK+XJjvktxfUCopFHbg/UzWPzHMcqR3RKN3qpAZuiRyYgaBLqMO8V5q4dFI+5ceak7yTjC640All159LYMylHc3n2oiSJhxz9FF3ikrQSULFOC+B1k7SfV2jJORR55new53u+N4f1D0epE109VrA39Tr12yE5i86RKVUcPLS4Mcflvno/Ime30zxrmRoBrjOlVYCSB1Ya+boyBi5zYc6wCsJxpBv53R+6nLGOt6Pwyu3A9Czs6oiuexb9oaXO9GzjS53l+p0UUrs/8mezV/sgBNQIDAQAB"  # noqa: E501
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

Zone = dict[str, tuple[str, ...]]  # "name type" -> records
#: All in order for mail from example.org by Resend.
GOOD: Zone = {
    "example.org MX": ("10 mail.example.org.",),
    "send.example.org TXT": ('"v=spf1 include:amazonses.com ~all"',),
    "amazonses.com TXT": ('"v=spf1 ip4:199.255.192.0/22 ip6:2001:db8::/32 -all"',),
    "resend._domainkey.example.org TXT": (f'"v=DKIM1; k=rsa; p={RSA_2048[:200]}" "{RSA_2048[200:]}"',),
    "_dmarc.example.org TXT": ('"v=DMARC1; p=none; rua=mailto:dmarc@example.org"',),
}
DKIM, DMARC = "resend._domainkey.example.org TXT", "_dmarc.example.org TXT"


class NameServer(Thread):
    """Answers questions over UDP on this machine, out of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.zone: Zone = {}
        self.failing: set[str] = set()  # names that get SERVFAIL
        self.silent: set[str] = set()  # names that get nothing; "" is every name
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def run(self) -> None:
        while True:
            wire, sender = self._socket.recvfrom(4096)
            if wire == b"stop":
                return
            reply = self._answer(dns.message.from_wire(wire))
            if reply:
                self._socket.sendto(reply.to_wire(), sender)

    def stop(self) -> None:
        host, port = self.address.split(":")
        self._socket.sendto(b"stop", (host, int(port)))
        self.join()
        self._socket.close()

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        reply, question = dns.message.make_response(query), query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        if self.silent & {name, ""}:
            return None
        reply.flags |= dns.flags.RA
        if name in self.failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        while f"{name} CNAME" in self.zone:
            (target,) = self.zone[f"{name} CNAME"]
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", target))
            name = target.rstrip(".")
        records = self.zone.get(f"{name} {kind}", ())
        if records:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
        elif not any(key.startswith(f"{name} ") for key in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply


@pytest.fixture(scope="module")
def running() -> Iterator[NameServer]:
    """One name server for all tests."""
    server = NameServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: NameServer) -> NameServer:
    """The name server with everything in order."""
    running.zone, running.failing, running.silent, running.asked = dict(GOOD), set(), set(), []
    return running


@pytest.fixture
def names(server: NameServer) -> Names:
    """A way to ask it that soon loses patience."""
    opened = open_names(server.address)
    opened._resolver.lifetime = 0.2
    return opened


@pytest.fixture
def make_case(book: Path, names: Names) -> Callable[..., Case]:
    """A case with a provider; keywords change it, `outbox` adds lines to [outbox]."""

    def make(provider: str = 'name = "resend"', outbox: str = "", env: Any = ENV, **changes: Any) -> Case:
        text = (book / "book.toml").read_text("utf-8")
        (book / "case.toml").write_text(f"{text}{outbox}\n[provider]\n{provider}\n", "utf-8")
        case = Case(read(book / "case.toml", env), names, lambda: NOW, free=50_000_000_000)
        return replace(case, **changes)

    return make


def look(name: str, case: Case) -> tuple[str, str]:
    """What one check says."""
    (found,) = [one for one in examine(case) if one.check == name]
    return found.verdict, found.found


# -- the domain name system


def test_a_good_zone_passes(make_case: Callable[..., Case], store: Store) -> None:
    """With everything in order nothing is left to mend; what asks the network further was not run."""
    env = ENV | {"OUTBOX_RESEND_HOOK": "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="}
    findings = list(examine(make_case(store=store, env=env)))

    assert {"account", "base-url", "one-click", "webhooks", "clock"} == {
        one.check for one in findings if one.verdict is Verdict.NOT_RUN
    }
    assert [] == [str(one) for one in findings if one.verdict in {Verdict.WARNING, Verdict.ERROR}]
    assert list(CHECKS) == [one.check for one in findings]
    assert not any(one.mend for one in findings)


def spf(record: str) -> Zone:
    """The record of the domain that failed mail goes back to."""
    return {"send.example.org TXT": (f'"{record}"',)}


#: Check, what is different in the zone, how it ends, and what is said.
ZONES: list[tuple[str, Zone, str, str]] = [
    ("spf", {"send.example.org TXT": ()}, "warning", "send.example.org has no SPF record"),
    ("spf", spf("v=spf1 include:mailgun.org ~all"), "error", "points to mailgun.org, which has no SPF record"),
    ("spf", spf("v=spf1 ip4:192.0.2.1 ~all"), "error", "does not include amazonses.com"),
    ("spf", spf("v=spf1 include:amazonses.com +all"), "error", "lets everybody send"),
    ("spf", spf("v=spf1 include:amazonses.com all"), "error", "lets everybody send"),
    ("spf", spf("v=spf1 include:amazonses.com"), "warning", "says nothing about others"),
    ("spf", spf("v=spf1 include:amazonses.com ?all"), "warning", "says nothing about others"),
    ("spf", spf("v=spf1 include:amazonses.com ip4:1.2.3 ~all"), "error", "'ip4:1.2.3', which is no address"),
    ("spf", spf("v=spf1 include:amazonses.com ip4:2001:db8::1 ~all"), "error", "which is no address"),
    ("spf", spf("v=spf1 includes:amazonses.com ~all"), "error", "'includes:amazonses.com', which is nothing"),
    ("spf", spf("v=spf1 include: ~all"), "error", "which names nothing"),
    ("spf", spf("v=spf1 include:send.example.org ~all"), "error", "needs more than 10 look-ups"),
    ("spf", {"send.example.org TXT": ('"v=spf1 -all"', '"v=spf1 ~all"')}, "error", "has 2 SPF records"),
    ("spf", spf("v=spf1 redirect=amazonses.com"), "passed", "1 of 10 look-ups"),
    ("spf", spf("v=spf1 a mx:example.org/24 include:amazonses.com exists:%{i}.example.org -all"), "passed", "4 of 10"),
    ("spf", spf("v=spf1 include:amazonses.com ~all redirect=nowhere.example.org"), "passed", "1 of 10"),
    ("spf", spf("v=spf1 include:amazonses.com include:%{d}.example.net ~all"), "passed", "2 of 10"),
    ("dkim", {DKIM: ()}, "warning", "resend._domainkey.example.org has no key"),
    ("dkim", {DKIM: ('"v=DKIM1; p="',)}, "warning", "was withdrawn"),
    ("dkim", {DKIM: ('"v=DKIM1; k=dsa; p=AAAA"',)}, "warning", "of kind 'dsa'"),
    ("dkim", {DKIM: (f'"p={RSA_1024[:100]}"',)}, "warning", "cannot be read; copy it again"),
    ("dkim", {DKIM: ('"p=not base64!"',)}, "warning", "cannot be read; copy it again"),
    ("dkim", {DKIM: (f'"p={RSA_1024}"', f'"p={RSA_2048[:200]}" "{RSA_2048[200:]}"')}, "warning", "has 2 keys"),
    ("dkim", {DKIM: (f'"t=y:s; p={RSA_1024}"',)}, "warning", "t=y, a test"),
    ("dkim", {DKIM.replace("TXT", "CNAME"): ("k.vendor.net.",), "k.vendor.net TXT": GOOD[DKIM]}, "passed", "resend._"),
    ("dkim-key", {DKIM: (f'"p={RSA_512}"',)}, "error", "resend: rsa, 512 bits"),
    ("dkim-key", {DKIM: (f'"p={RSA_1024}"',)}, "warning", "resend: rsa, 1,024 bits"),
    ("dkim-key", {DKIM: (f'"p={BARE_1024}"',)}, "warning", "resend: rsa, 1,024 bits"),
    ("dkim-key", {DKIM: (f'"k=ed25519; p={ED25519}"',)}, "passed", "resend: ed25519, 256 bits"),
    ("dkim-key", {DKIM: ()}, "not run", "no key was found"),
    ("dmarc", {DMARC: ()}, "warning", "there is no DMARC record for example.org"),
    ("dmarc", {DMARC: ('"v=DMARC1; p=none"', '"v=DMARC1; p=reject"')}, "warning", "or there are several"),
    ("dmarc", {DMARC: ('"v=DMARC1; p=maybe"',)}, "warning", "has no policy: p=maybe"),
    ("dmarc", {DMARC: ('"v=DMARC1; p=reject"',)}, "passed", "p=reject, and asks for no reports"),
    ("alignment", {DKIM: (), "send.example.org TXT": ()}, "error", "neither SPF nor DKIM can speak for example.org"),
    ("alignment", {DKIM: (), **spf("v=spf1 ip4:192.0.2.1 ~all")}, "error", "neither SPF nor DKIM"),
    ("alignment", {DKIM: ()}, "passed", "SPF of send.example.org can speak"),
    ("alignment", {DKIM: (), DMARC: ('"v=DMARC1; p=none; aspf=s"',)}, "error", "neither SPF nor DKIM"),
    ("alignment", {DMARC: ('"v=DMARC1; p=none; aspf=s; adkim=s"',)}, "passed", "DKIM of example.org can speak"),
    ("sender", {"example.org MX": ("0 .",)}, "error", "says that it takes no mail"),
    ("sender", {"example.org MX": ()}, "error", "has no server for mail"),
    ("sender", {"example.org MX": (), "example.org A": ("192.0.2.1",)}, "warning", "has no MX record"),
    ("reply-to", {"example.org MX": ()}, "error", "has no server for mail"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "verdict", "says"), ZONES)
def test_a_zone_is_judged(
    server: NameServer, make_case: Callable[..., Case], check: str, changes: Zone, verdict: str, says: str
) -> None:
    """One record is different, and the check that is about it says so."""
    server.zone.update(changes)

    ended, said = look(check, make_case())

    assert verdict == ended, said
    assert says in said


def test_bulk_senders_must_have_what_others_should(
    server: NameServer, make_case: Callable[..., Case]
) -> None:
    """From 5,000 a day on Gmail, Yahoo and Microsoft refuse what they else only dislike."""
    server.zone = {"example.org MX": ("10 mail.example.org.",)}

    few = {look(check, make_case(audience=BULK - 1))[0] for check in ("spf", "dkim", "dmarc")}
    many = {look(check, make_case(audience=BULK))[0] for check in ("spf", "dkim", "dmarc")}

    assert ({"warning"}, {"error"}) == (few, many)


def test_silence_is_not_an_answer(server: NameServer, make_case: Callable[..., Case]) -> None:
    """When no name server answers nothing has passed and nothing has failed, and asking soon ends."""
    server.silent = {""}
    about_names = {"spf", "dkim", "dkim-key", "dmarc", "alignment", "sender", "reply-to", "list-id"}

    findings = [one for one in examine(make_case()) if one.check in about_names]

    assert {(Verdict.NOT_RUN, True)} == {(one.verdict, one.later) for one in findings}
    assert 2 == len(set(server.asked))


def test_a_failing_name_server_is_not_an_answer(server: NameServer, make_case: Callable[..., Case]) -> None:
    """A broken zone is told from an empty one; what lies elsewhere is looked at all the same."""
    server.failing = {"_dmarc.example.org"}

    assert "not run" == look("dmarc", make_case())[0]
    assert "passed" == look("spf", make_case())[0]


@pytest.mark.parametrize(
    ("provider", "check", "says"),
    [
        ('name = "file"', "spf", "nothing leaves this machine"),
        ('name = "sandbox"\nurl = "http://127.0.0.1:9"', "alignment", "nothing leaves this machine"),
        ('name = "brevo"', "spf", "[outbox] bounce_domain names yours"),
        ('name = "postmark"', "dkim", "[outbox] dkim names them"),
        ('name = "ses"\nregion = "eu-west-1"', "alignment", "[outbox] dkim names them"),
    ],
)
def test_what_nobody_can_know_is_not_run(
    make_case: Callable[..., Case], provider: str, check: str, says: str
) -> None:
    """Some providers ask each customer for other records; the doctor says how to tell it."""
    verdict, said = look(check, make_case(provider))

    assert "not run" == verdict
    assert says in said


def test_book_toml_can_tell_more(server: NameServer, make_case: Callable[..., Case]) -> None:
    """Selectors and the domain that failed mail goes back to stand in [outbox]."""
    lines = 'dkim = ["20260301pm"]\nbounce_domain = "Bounce.example.org"\n'
    server.zone["20260301pm._domainkey.example.org TXT"] = GOOD[DKIM]
    server.zone["bounce.example.org TXT"] = GOOD["amazonses.com TXT"]
    case = make_case('name = "postmark"', lines)

    assert "passed" == look("dkim", case)[0]
    assert ("passed", "SPF of bounce.example.org and DKIM of example.org can speak for example.org") == look(
        "alignment", case
    )


def test_a_provider_may_sign_for_the_organisation(
    server: NameServer, book: Path, make_case: Callable[..., Case]
) -> None:
    """Mail from news.example.org may carry a signature of example.org."""
    text = (book / "book.toml").read_text("utf-8")
    (book / "book.toml").write_text(text.replace("hello@example.org", "hello@news.example.org"), "utf-8")

    assert ("passed", "resend._domainkey.example.org") == look("dkim", make_case())
    assert "DKIM of example.org can speak for news.example.org" in look("alignment", make_case())[1]
    assert "passed" == look("dmarc", make_case())[0]


def test_a_list_of_another_organisation_is_told(make_case: Callable[..., Case]) -> None:
    """The List-Id should be nobody else's."""
    case = make_case()
    other = replace(case.settings, envelope=replace(case.settings.envelope, list_id="letters.example.net"))

    assert "passed" == look("list-id", case)[0]
    assert "warning" == look("list-id", replace(case, settings=other))[0]


@pytest.mark.parametrize(
    ("records", "domain", "organisation"),
    [
        ({}, "a.b.example.org", "a.b.example.org"),
        ({"example.org": ""}, "a.b.example.org", "example.org"),
        ({"a.b.example.org": "", "example.org": ""}, "a.b.example.org", "example.org"),
        ({"b.example.org": "psd=n", "example.org": ""}, "a.b.example.org", "b.example.org"),
        ({"b.example.org": "psd=y", "example.org": ""}, "a.b.example.org", "a.b.example.org"),
        ({"org": "psd=y"}, "a.b.example.org", "example.org"),
        ({"example.org": ""}, "1.2.3.4.5.6.7.8.9.example.org", "example.org"),
    ],
)
def test_an_organisation_is_found(
    server: NameServer, names: Names, records: Mapping[str, str], domain: str, organisation: str
) -> None:
    """RFC 9989: up the tree of names, with eight questions at most."""
    server.zone = {f"_dmarc.{name} TXT": (f'"v=DMARC1; p=none; {tag}"',) for name, tag in records.items()}

    assert organisation == find_organisation(names, domain)
    assert len(server.asked) <= 8


@pytest.mark.parametrize(
    ("domain", "mode", "aligned"),
    [
        ("example.org", "s", True),
        ("send.example.org", "s", False),
        ("send.example.org", "r", True),
        ("example.net", "r", False),
    ],
)
def test_domains_are_aligned(names: Names, domain: str, mode: str, aligned: bool) -> None:  # noqa: FBT001
    """Strict wants the same domain, relaxed the same organisation."""
    assert aligned == is_aligned(names, domain, "example.org", mode)


@pytest.mark.parametrize(("number", "fits"), [(10, True), (11, False)])
def test_ten_lookups_are_allowed(server: NameServer, names: Names, number: int, fits: bool) -> None:  # noqa: FBT001
    """An eleventh is one too many, wherever it stands."""
    server.zone["x.example.org TXT"] = (f'"v=spf1 include:y.example.org {"a " * (number - 2)}-all"',)
    server.zone["y.example.org TXT"] = ('"v=spf1 mx -all"',)

    if fits:
        found = read_spf(names, "x.example.org")
        assert found
        assert (number, "-") == (found.lookups, found.ending)
    else:
        with pytest.raises(SpfError, match="more than 10 look-ups"):
            read_spf(names, "x.example.org")


@given(st.binary())
def test_no_key_is_too_odd(content: bytes) -> None:
    """Noise is no key; reading it ends in a length or in one of two errors."""
    with suppress(ValueError, IndexError):
        assert count_bits(content) >= 0


# -- provider, web pages, machine


def test_a_missing_secret_of_the_provider_is_an_error(make_case: Callable[..., Case]) -> None:
    """Better now than on the morning of the issue."""
    verdict, said = look("provider", make_case(env={}))

    assert "error" == verdict
    assert "needs OUTBOX_TOKEN in the environment" in said


def test_a_provider_is_asked_where_it_can_be(
    make_case: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows a harmless call is asked; whoever knows none was not asked."""
    case = make_case('name = "file"', online=True)
    assert ("not run", "file has no harmless call to ask by") == (
        service.check_account(case).verdict,
        service.check_account(case).found,
    )

    class Asked:
        name = "asked"
        refusal = ""

        def ask_account(self) -> str:
            return self.refusal

        def close(self) -> None:
            """Nothing is held open."""

    monkeypatch.setattr(service, "PROVIDERS", {"file": lambda _: Asked()})
    assert "passed" == service.check_account(case).verdict
    monkeypatch.setattr(Asked, "refusal", "no such key")
    assert ("error", "asked says: no such key") == (
        service.check_account(case).verdict,
        service.check_account(case).found,
    )


@pytest.mark.parametrize(
    ("secret", "provider", "verdict"),
    [
        ("", 'name = "file"', "warning"),
        ("", 'name = "resend"', "error"),
        ("x" * 20, 'name = "resend"', "warning"),
        ("x" * 32, 'name = "resend"', "passed"),
    ],
)
def test_the_secret_is_set_and_long(
    make_case: Callable[..., Case], secret: str, provider: str, verdict: str
) -> None:
    """With a real provider nothing must hang on a secret that lies in the database."""
    assert verdict == look("secret", make_case(provider, env={**ENV, "OUTBOX_SECRET": secret}))[0]


@pytest.mark.parametrize(
    ("free", "verdict"), [(99_000_000, "error"), (101_000_000, "warning"), (2_000_000_000, "passed")]
)
def test_a_full_disk_is_told(make_case: Callable[..., Case], free: int, verdict: str) -> None:
    """Before it stops a send."""
    assert verdict == look("disk", make_case(free=free))[0]


def test_a_book_that_cannot_be_given_is_told(
    make_case: Callable[..., Case], book: Path, everything: Any
) -> None:
    """A file that is not there, one that is no book, and a copy that was stamped for somebody."""
    more = '\n[gift]\nfiles = ["book.epub"]\n'
    said = [look("gift", make_case())]
    stamper = stamp.Stamper(("a secret of sixteen",), "letters.example.org")
    for data in (None, b"words", everything.epub_bytes, stamp.stamp(everything.epub_bytes, stamper, 7)):
        if data:
            (book / "book.epub").write_bytes(data)
        said.append(look("gift", make_case(outbox=more)))

    assert said == [
        ("passed", "book.toml gives nothing away"),
        ("error", "book.epub: not there"),
        ("error", "only a PDF or an EPUB can carry a stamp"),
        ("passed", "1 files are there"),
        ("error", "book.epub: the stamped copy of a reader"),
    ]


def test_a_damaged_database_is_told(make_case: Callable[..., Case], store: Store, tmp_path: Path) -> None:
    """A page of the file is overwritten; a whole one passes."""
    assert ("passed", "the database is whole") == look("database", make_case(store=store))
    store.close()
    content = bytearray((tmp_path / "outbox.db").read_bytes())
    content[8192:12288] = b"\x07" * 4096
    (tmp_path / "outbox.db").write_bytes(content)

    verdict, said = look("database", make_case(store=store))

    assert "error" == verdict
    assert said


def test_a_lost_row_is_told(make_case: Callable[..., Case], store: Store, tmp_path: Path) -> None:
    """Consent that belongs to nobody."""
    with sqlite3.connect(tmp_path / "outbox.db") as connection:  # it does not look after foreign keys
        connection.execute("DELETE FROM subscriber WHERE id = 1")
    connection.close()

    assert "of consent_event belongs to a subscriber" in look("database", make_case(store=store))[1]


class Web(BaseHTTPRequestHandler):
    """The outbox's web pages, as they might be."""

    status: Mapping[str, int] = {}
    kinds: tuple[str, ...] = ("urlencoded", "multipart")
    date = ""
    act: Callable[[], None] | None = None

    def do_GET(self) -> None:
        self._answer(self.status.get(self.command, 200))

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        taken = b"One-Click" in body and any(kind in self.headers["Content-Type"] for kind in self.kinds)
        if type(self).act:
            type(self).act()
        self._answer(self.status.get("POST", 200 if taken else 415))

    def _answer(self, status: int) -> None:
        self.send_response_only(status)
        if self.date:
            self.send_header("Date", self.date)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def web() -> Iterator[tuple[type[Web], str]]:
    """Web pages that do everything right, and where they are."""
    pages = type("Pages", (Web,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), pages)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield pages, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def online(make_case: Callable[..., Case], store: Store, web: tuple[type[Web], str]) -> Case:
    """A case with web pages that can be reached."""
    case = make_case(store=store, online=True)
    return replace(
        case, settings=replace(case.settings, envelope=replace(case.settings.envelope, base_url=web[1]))
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": {"GET": 405}}, "answers GET with 405"),
        ({"status": {"HEAD": 404}}, "answers HEAD with 404"),
        ({"status": {"POST": 302}}, "answers POST (urlencoded) with 302"),
        ({"status": {"POST": 403}}, "answers POST (urlencoded) with 403"),
        ({"kinds": ("urlencoded",)}, "answers POST (multipart) with 415"),
    ],
)
def test_a_link_to_leave_that_does_not_work_is_told(
    online: Case, web: tuple[type[Web], str], changes: Mapping[str, Any], says: str
) -> None:
    """RFC 8058: both spellings, at once, without redirect or login."""
    for name, value in changes.items():
        setattr(web[0], name, value)

    answer = service.check_one_click(online)

    assert ("error", f"the link to leave {says}") == (answer.verdict, answer.found)


def test_a_link_to_leave_that_works_lets_nobody_go(online: Case, store: Store) -> None:
    """It is tried with a link that was made for nobody."""
    with store.read() as tx:
        before = subscribers.count(tx)

    assert "passed" == service.check_one_click(online).verdict
    with store.read() as tx:
        assert before == subscribers.count(tx)


@pytest.mark.parametrize(
    ("provider", "hooks", "status", "verdict"),
    [
        ("file", {}, 404, "passed"),
        ("smtp", {}, 404, "passed"),
        ("postmark", {}, 401, "warning"),
        ("postmark", {"postmark": ("a-secret-of-sixteen",)}, 401, "passed"),
        ("postmark", {"postmark": ("a-secret-of-sixteen",)}, 200, "error"),
        ("postmark", {"postmark": ("a-secret-of-sixteen",)}, 404, "error"),
    ],
)
def test_a_webhook_must_refuse_a_call_without_proof(
    online: Case, web: tuple[type[Web], str], provider: str, hooks: Any, status: int, verdict: str
) -> None:
    """Whoever answers 2xx to anybody, or is not there, is told; a provider without webhooks needs none."""
    web[0].status = {"POST": status}
    case = replace(online, settings=replace(online.settings, provider=provider, hooks=hooks))

    assert verdict == service.check_webhooks(case).verdict
    offline = service.check_webhooks(replace(case, online=False)).verdict
    assert offline == ("not run" if hooks else verdict)


def test_somebody_who_left_meanwhile_is_noticed(
    online: Case, store: Store, web: tuple[type[Web], str]
) -> None:
    """Then nobody knows whether the doctor did it, and it says so."""

    def leave() -> None:
        with store.begin() as tx:
            person = subscribers.find(tx, "ana@example.org")
            assert person
            unsubscribe(tx, person, source="test", now=NOW)

    web[0].act = staticmethod(leave)

    assert "warning" == service.check_one_click(online).verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(5, "passed"), (-60, "warning"), (3600, "error")])
def test_a_wrong_clock_is_told(online: Case, web: tuple[type[Web], str], seconds: int, verdict: str) -> None:
    """The web server's clock is the other one."""
    web[0].date = format_datetime(NOW + timedelta(seconds=seconds))

    assert verdict == service.check_clock(online).verdict


def test_no_clock_is_not_a_right_one(online: Case) -> None:
    """A server that does not tell the time cannot be compared."""
    assert "not run" == service.check_clock(online).verdict


def test_web_pages_are_reached(online: Case, web: tuple[type[Web], str]) -> None:
    """Any answer will do but a failure of the server; no answer is an error."""
    verdicts = [service.check_base_url(online).verdict]
    web[0].status = {"GET": 503}
    verdicts.append(service.check_base_url(online).verdict)
    nowhere = replace(online.settings.envelope, base_url="http://127.0.0.1:1")
    verdicts.append(
        service.check_base_url(replace(online, settings=replace(online.settings, envelope=nowhere))).verdict
    )

    assert ["passed", "error", "error"] == verdicts


# -- the command and its page


def test_the_command_reports(
    server: NameServer, outbox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A warning is no failure; what to do stands below it."""
    outbox("init")
    said = outbox("doctor", "--resolver", server.address).stdout

    assert "passed   sender       mail for example.org goes to mail.example.org" in said
    assert "WARNING  secret       OUTBOX_SECRET is not set" in said
    assert "                      -> set it to the output of" in said
    assert said.endswith("\n9 passed, 1 warning, 8 not run\n")


def test_an_error_ends_the_command_with_1(
    server: NameServer, outbox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """No database, and nobody who takes answers."""
    server.zone = {}
    report = json.loads(outbox("doctor", "--json", "--resolver", server.address, code=1).stdout)
    wrong = [one["check"] for one in report["findings"] if one["verdict"] == "error"]

    assert ["sender", "reply-to", "database"] == wrong
    assert 3 == report["counts"]["error"]


def test_silence_ends_the_command_with_75(
    server: NameServer, outbox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Nothing is wrong for good: ask again later."""
    outbox("init")
    server.failing = {"example.org", "_dmarc.example.org"}

    assert "not run  sender" in outbox("doctor", "--resolver", server.address, code=75).stdout


def test_a_name_server_needs_an_address(outbox: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A wrong option is a wrong usage, and no traceback."""
    assert "is no address" in outbox("doctor", "--resolver", "a:b", code=2).stderr


def test_every_provider_is_known_to_the_doctor() -> None:
    """A new provider has to say what it asks of DNS."""
    assert set(PROVIDERS) == {*CARRIERS, "file", "sandbox"}


def test_the_page_is_fresh() -> None:
    """docs/doctor.md is what the tables say; see its module for how to write it anew."""
    assert describe_checks() == (ROOT / "docs/doctor.md").read_text("utf-8")
