"""The provider `file` writes each message once, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest

from outbox.model import Account, Address, Addressee, ItemResult, Letter, Outcome, PreparedBatch, Template
from outbox.providers.file import File

GOLDEN = Path(__file__).parent / "golden" / "message.eml"
LETTER = Letter(
    subject=Template(("First light — and what the long morning after it brings to everyone",)),
    html=Template(('<p style="color:#24312e">Dear ', ",</p>\n"), (("first_name", escape),)),
    text=Template(("First light\n\nDear ", ",\n"), (("first_name", str),)),
    sender=Address("Example Press", "hello@example.org"),
    reply_to=(Address("", "reply@example.org"),),
    headers=(
        ("List-Id", Template(("Letters on Care <letters.example.org>",))),
        (
            "List-Unsubscribe",
            Template(("<", ">, <mailto:reply@example.org?subject=x>"), (("unsubscribe_url", str),)),
        ),
        ("List-Unsubscribe-Post", Template(("List-Unsubscribe=One-Click",))),
    ),
    attachments=(),
    stream="broadcast",
    tag="2026-03-01-first-light",
)
PERSON = Addressee(
    outbox_id="5eb3a6e873d94b3c.7",
    to=Address("Björk Þórsdóttir", "bjork@example.com"),
    message_id="<5eb3a6e873d94b3c.7@letters.example.org>",
    values={"first_name": "Björk", "unsubscribe_url": "https://example.org/mail/unsubscribe/7-abc"},
)


def file(folder: Path) -> File:
    """The provider, with its folder there."""
    return File(Account(folder, {}))


def prepare(provider: File, letter: Letter = LETTER) -> PreparedBatch:
    """The one call of this page."""
    return provider.prepare(letter, [PERSON], "s.d.1", date=datetime(2026, 3, 1, 9, tzinfo=UTC))


def test_a_message_has_golden_bytes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The bytes do not change unless somebody means it."""
    batch = prepare(file(tmp_path))
    if request.config.getoption("--update-golden"):
        GOLDEN.write_bytes(batch.body)

    assert GOLDEN.read_bytes() == batch.body
    assert batch.path == "2026-03-01-first-light/5eb3a6e873d94b3c.7.eml"


def test_the_file_holds_the_bytes_of_the_batch(tmp_path: Path) -> None:
    """What is prepared is what is written, and nothing else lies about."""
    provider = file(tmp_path)
    batch = prepare(provider)
    results = provider.send(batch)

    assert [ItemResult("5eb3a6e873d94b3c.7", Outcome.ACCEPTED, provider_id=batch.path)] == results
    assert [tmp_path / batch.path] == [path for path in tmp_path.rglob("*") if path.is_file()]
    assert batch.body == (tmp_path / batch.path).read_bytes()


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    """The delivery's id is the name, so a replay finds the message there."""
    provider = file(tmp_path)
    first = prepare(provider)
    provider.send(first)
    again = provider.send(prepare(provider, replace(LETTER, subject=Template(("Other",)))))

    assert Outcome.ACCEPTED == again[0].outcome
    assert first.body == (tmp_path / first.path).read_bytes()


def test_a_lookup_tells_what_was_written(tmp_path: Path) -> None:
    """Before the call there is nothing, after it there is the message; a half written file is nothing."""
    provider = file(tmp_path)
    batch = prepare(provider)
    half = tmp_path / "2026-03-01-first-light" / ".5eb3a6e873d94b3c.7.eml.part"
    half.parent.mkdir()
    half.write_bytes(batch.body[:10])

    assert provider.lookup(batch) == {}
    provider.send(batch)

    assert provider.lookup(batch)["5eb3a6e873d94b3c.7"].outcome is Outcome.ACCEPTED
    assert not half.exists()


def test_a_folder_that_cannot_be_made_is_not_sent(tmp_path: Path) -> None:
    """An error before the file has its name surely lost nothing and sent nothing."""
    (tmp_path / "mail").write_text("a file where the folder should be")
    provider = file(tmp_path / "mail")
    (result,) = provider.send(prepare(provider))

    assert Outcome.NOT_SENT == result.outcome
    assert "mail" in result.detail
