"""A book's folder, a list of people, an issue folder and a clock, made anew for every test."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import settings

from outbox.consent import Claim, enlist
from outbox.issue import digest_of
from outbox.model import Address, Addressee, Consent, Envelope, Letter, Template
from outbox.sandbox import Desk, Faults, Journal, Rules, Server
from outbox.store import Store, open_store
from tests.outbox.cluster import Cluster, find_programs, running_cluster

# A slow machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SLUG = "2026-03-01-first-light"

BOOK = """\
[book]
title = "A Book"

[list]
name = "Letters on Care"
address = "Example Press, 1 Sample Street, 12345 Sampletown"
id = "letters.example.org"

[outbox]
sender = "Example Press <hello@example.org>"
base_url = "https://example.org/mail"
"""

HTML = """\
<!DOCTYPE html><html lang="en" dir="ltr"><body>
<p>Dear @@first_name@@,</p>
<img src="images/dawn.png" alt="Dawn">
<p><a href="@@unsubscribe_url@@">Unsubscribe</a> · @@postal_address@@</p>
</body></html>
"""
TEXT = "First light\n\nDear @@first_name@@,\n\n---\n@@unsubscribe_url@@\n@@postal_address@@\n"
FIELDS = {
    "first_name": {"type": "text", "default": "friend"},
    "postal_address": {"type": "text", "default": ""},
    "unsubscribe_url": {"type": "url", "default": ""},
}

IssueMaker = Callable[..., Path]


def document_of(files: dict[str, bytes], **changes: Any) -> dict[str, Any]:
    """An issue.json over `files`, with its digest right whatever was changed."""
    document: dict[str, Any] = {
        "format": 1,
        "kind": "issue",
        "slug": SLUG,
        "subject": "First light for @@first_name@@",
        "preheader": "What the morning brings",
        "send_at": None,
        "language": "en",
        "fields": FIELDS,
        "list": "",
        "segment": "",
        "layout": "classic",
        "words": 9,
        "minutes": 1,
        "attachments": [],
        "files": {path: sha256(content).hexdigest() for path, content in files.items()},
        **changes,
    }
    document["sha256"] = changes.get("sha256", digest_of(document))
    return document


@pytest.fixture
def now() -> datetime:
    """A moment that does not pass."""
    return NOW


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book's folder with its settings."""
    (tmp_path / "book.toml").write_text(BOOK, "utf-8")
    return tmp_path


@pytest.fixture
def make_issue(book: Path) -> IssueMaker:
    """Write an issue folder as the pipeline does; keywords change issue.json, `html` and `text` the bodies."""

    def make(html: str = HTML, text: str = TEXT, **changes: Any) -> Path:
        shelf = "letters" if changes.get("kind") == "letter" else "issues"
        folder: Path = book / "build" / shelf / changes.get("slug", SLUG)
        files = {"body.html": html.encode(), "body.txt": text.encode(), "images/dawn.png": b"\x89PNG dawn"}
        files |= changes.pop("more", {})
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        document = json.dumps(document_of(files, **changes), ensure_ascii=False, indent=1)
        (folder / "issue.json").write_text(document, "utf-8")
        return folder

    return make


@pytest.fixture
def envelope() -> Envelope:
    """What every message of a send shares."""
    sender = Address("Example Press", "hello@example.org")
    return Envelope(
        sender=sender,
        reply_to=sender,
        list_name="Letters on Care",
        list_id="letters.example.org",
        postal_address="Example Press, 1 Sample Street, 12345 Sampletown",
        base_url="https://example.org/mail",
        images="embed",
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database on disk with four people: three confirmed, one pending."""
    yield from filled(f"sqlite:///{tmp_path / 'outbox.db'}")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The same four people, once on SQLite and once on a PostgreSQL that was really started."""
    if request.param == "sqlite":
        yield from filled(f"sqlite:///{tmp_path / 'outbox.db'}")
    else:
        yield from filled(request.getfixturevalue("postgresql").make_database("empty_outbox"))


@pytest.fixture
def postgresql(cluster: Cluster | None, need: Callable[[object, str], None]) -> Cluster:
    """A PostgreSQL that was really started."""
    need(cluster, "PostgreSQL; apt-get install postgresql")
    assert cluster
    return cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster | None]:
    """One server for all tests; None where PostgreSQL is not installed."""
    if not find_programs():
        yield None
        return
    with running_cluster() as started:
        started.make_template(NOW)
        yield started


def filled(url: str) -> Iterator[Store]:
    """Open a database, put four people in, and close it."""
    opened = open_store(url, NOW)
    with opened.begin() as tx:
        for email, name in [
            ("ana@example.org", "Ana Ruiz"),
            ("bjork@example.com", "Björk"),
            ("dora@example.com", ""),
        ]:
            enlist(tx, Claim(email, name, Consent.CONFIRMED, "said yes", "test"), NOW)
        enlist(tx, Claim("pia@example.org", "Pia", Consent.PENDING, "asked", "test"), NOW)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def letter() -> Letter:
    """A letter that greets by name in every part, with the headers of a list."""
    name, link = ("first_name", str), ("unsubscribe_url", str)
    return Letter(
        subject=Template(("First light for ", " — and the long morning after it"), (name,)),
        html=Template(
            (
                '<p style="color:#24312e">Dear ',
                ',</p>\n<p>“50\u2009% off” {now} \\o/</p>\n<a href="',
                '">Leave</a>\n',
            ),
            (("first_name", escape), ("unsubscribe_url", escape)),
        ),
        text=Template(("First light\n\nDear ", ",\n\n.\n.dots\n", "\n"), (name, link)),
        sender=Address("Example Press", "hello@example.org"),
        reply_to=(Address("Björk, Answers", "reply@example.org"),),
        headers=(
            ("List-Id", Template(("Letters on Care <letters.example.org>",))),
            ("List-Unsubscribe", Template(("<", ">, <mailto:reply@example.org?subject=x>"), (link,))),
            ("List-Unsubscribe-Post", Template(("List-Unsubscribe=One-Click",))),
        ),
        attachments=(),
        stream="broadcast",
        tag="2026-03-01-first-light",
    )


@pytest.fixture(scope="session")
def write_to() -> Callable[..., Addressee]:
    """What the message to one person has of its own: their number, and a name."""

    def make(number: int, name: str = "Ana", email: str = "") -> Addressee:
        values = {"first_name": name, "unsubscribe_url": f"https://example.org/mail/unsubscribe/{number}-abc"}
        mailbox = email or f"reader{number}@example.org"
        outbox_id = f"5eb3a6e873d94b3c.{number}"
        return Addressee(outbox_id, Address(name, mailbox), f"<{outbox_id}@letters.example.org>", values)

    return make


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Server]:
    """The sandbox on a port of its own; `desk` is what it keeps and does."""
    server = Server(Desk(Journal(), Faults(), Rules()))
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    server.desk.journal.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    own_ip = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(own_ip, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(key.private_bytes(*formats) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def outbox(book: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in the book's folder and demand an exit code."""

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "outbox", *words]
        done = subprocess.run(
            command, cwd=book, env=environment(), capture_output=True, text=True, check=False
        )
        assert code == done.returncode, done.stdout + done.stderr
        return done

    return run


def environment() -> dict[str, str]:
    """The environment for a command: this tree's packages, and no settings from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTBOX_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}


@pytest.fixture
def outbox_environment() -> dict[str, str]:
    """The environment in which tests start their own processes."""
    return environment()
