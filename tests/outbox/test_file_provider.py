"""The provider `file` writes each message once, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from outbox.model import Address, ItemResult, Outcome, OutMessage
from outbox.providers.file import File

GOLDEN = Path(__file__).parent / "golden" / "message.eml"
MESSAGE = OutMessage(
    outbox_id="5eb3a6e873d94b3c.7",
    to=Address("Björk Þórsdóttir", "bjork@example.com"),
    sender=Address("Example Press", "hello@example.org"),
    reply_to=(Address("", "reply@example.org"),),
    subject="First light — and what the long morning after it brings to everyone",
    html='<p style="color:#24312e">Dear Björk,</p>\n',
    text="First light\n\nDear Björk,\n",
    date=datetime(2026, 3, 1, 9, tzinfo=UTC),
    message_id="<5eb3a6e873d94b3c.7@letters.example.org>",
    headers=(
        ("List-Id", "Letters on Care <letters.example.org>"),
        (
            "List-Unsubscribe",
            "<https://example.org/mail/unsubscribe/7-abc>, <mailto:reply@example.org?subject=x>",
        ),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ),
    attachments=(),
    stream="broadcast",
    tag="2026-03-01-first-light",
)


def test_a_message_has_golden_bytes(tmp_path: Path) -> None:
    """The bytes do not change unless somebody means it."""
    batch = File(tmp_path).prepare([MESSAGE], "s.d.1")

    assert GOLDEN.read_bytes() == batch.body
    assert batch.path == "2026-03-01-first-light/5eb3a6e873d94b3c.7.eml"


def test_the_file_holds_the_bytes_of_the_batch(tmp_path: Path) -> None:
    """What is prepared is what is written, and nothing else lies about."""
    provider = File(tmp_path)
    batch = provider.prepare([MESSAGE], "s.d.1")
    results = provider.send(batch)

    assert [ItemResult("5eb3a6e873d94b3c.7", Outcome.ACCEPTED, provider_id=batch.path)] == results
    assert [tmp_path / batch.path] == [path for path in tmp_path.rglob("*") if path.is_file()]
    assert batch.body == (tmp_path / batch.path).read_bytes()


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    """The delivery's id is the name, so a replay finds the message there."""
    provider = File(tmp_path)
    first = provider.prepare([MESSAGE], "s.d.1")
    provider.send(first)
    again = provider.send(provider.prepare([replace(MESSAGE, subject="Other")], "s.d.1"))

    assert Outcome.ACCEPTED == again[0].outcome
    assert first.body == (tmp_path / first.path).read_bytes()


def test_a_lookup_tells_what_was_written(tmp_path: Path) -> None:
    """Before the call there is nothing, after it there is the message; a half written file is nothing."""
    provider = File(tmp_path)
    batch = provider.prepare([MESSAGE], "s.d.1")
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
    provider = File(tmp_path / "mail")
    (result,) = provider.send(provider.prepare([MESSAGE], "s.d.1"))

    assert Outcome.NOT_SENT == result.outcome
    assert "mail" in result.detail
