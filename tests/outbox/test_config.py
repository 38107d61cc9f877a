"""Settings are read strictly, and every mistake is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import pipeline.config
from outbox import config
from outbox.config import PROVIDER_KEYS, Name, read
from outbox.errors import ConfigError
from outbox.model import Address
from outbox.providers import PROVIDERS


def test_a_good_file_is_read(book: Path) -> None:
    """Paths are resolved against the book's folder; what is left out has its default."""
    settings = read(book / "book.toml", {})

    assert settings.envelope.sender == Address("Example Press", "hello@example.org")
    assert settings.envelope.reply_to == settings.envelope.sender
    assert settings.database == f"sqlite:///{book / 'outbox.db'}"
    assert settings.issues == book / "build" / "issues"
    assert settings.provider == "file"


def test_a_flag_goes_before_the_environment_and_that_before_the_file(book: Path) -> None:
    """C1: flag, then environment, then file."""
    env = {"OUTBOX_DATABASE": "sqlite:////data/env.db"}

    assert (
        read(book / "book.toml", env, database="sqlite:////data/flag.db").database
        == "sqlite:////data/flag.db"
    )
    assert read(book / "book.toml", env).database == "sqlite:////data/env.db"


def test_the_pipelines_tables_are_none_of_our_business(book: Path) -> None:
    """Whatever stands in [book] or [[edition]], the outbox does not judge it."""
    path = book / "book.toml"
    path.write_text(
        path.read_text() + "\n[ebook]\nnonsense = 1\n[[edition]]\nname = 2\n[check.off]\nM001 = ''\n"
    )

    assert read(path, {}).provider == "file"


def test_both_packages_know_each_others_tables() -> None:
    """What one reads the other lets stand: a book.toml with every table is one to both."""
    ours = {*config.TABLES, config.SEGMENTS}

    assert set(pipeline.config.Config.__struct_fields__) == set(config.PIPELINE_TABLES)
    assert pipeline.config.OUTBOX_TABLES == ours


def test_a_gift_is_read(book: Path) -> None:
    """Its files lie where book.toml does, and it has the title of the book."""
    path = book / "book.toml"
    path.write_text(path.read_text() + '\n[gift]\nfiles = ["build/a.pdf"]\ndays = 3\n')
    gift = read(path, {}).gift

    assert gift
    assert ("A Book", (book / "build" / "a.pdf",), 3, 10, False, False) == (
        gift.title,
        gift.files,
        gift.life.days,
        gift.downloads,
        gift.stamp,
        gift.attach,
    )


MISTAKES = {
    ("[list]", "[lisst]"): r"book\.toml:4: there is no table \[lisst\]; did you mean \[list\]\?",
    ("sender", "sendr"): r"book\.toml:10: \[outbox\] has no key 'sendr'; did you mean 'sender'\?",
    ('id = "letters.example.org"', ""): r"book\.toml:4: \[list\] needs a key 'id'",
    ('id = "letters.example.org"', 'id = "not a domain"'): r"book\.toml:7: \[list\] id: .* is not a domain",
    (
        'name = "Letters on Care"',
        "name = 3",
    ): r"book\.toml:5: \[list\] name: expected text, got a whole number",
    ('name = "Letters on Care"', 'name = ""'): r"book\.toml:5: \[list\] name: must be one line of text",
    ('name = "Letters on Care"', 'name = "a\\nb"'): r"book\.toml:5: \[list\] name: must be one line of text",
    (
        "https://example.org/mail",
        "http://example.org",
    ): r"book\.toml:11: \[outbox\] base_url: must be an https",
    ("hello@example.org", "coach@gmail.com"): r"book\.toml:10: \[outbox\] sender: .* is a free mailbox",
    ("<hello@example.org>", "<hello>"): r"book\.toml:10: \[outbox\] sender: 'hello' is not a mail address",
    (
        "[outbox]",
        '[outbox]\ndatabase = "postgresql://me:secret@host/db"',
    ): r"book\.toml:10: .*holds a password",
    ("[outbox]", '[outbox]\ndatabase = "mysql://host/db"'): "must be sqlite:///FILE",
    ("[outbox]", '[outbox]\non_unknown = "pray"'): r"book\.toml:10: \[outbox\] on_unknown: invalid enum",
    ("[outbox]", '[provider]\nname = "pigeon"\n[outbox]'): r"book\.toml:10: \[provider\] name: invalid enum",
    (
        "[outbox]",
        '[provider]\nname = "resend"\nhost = "mail.example.org"\n[outbox]',
    ): r"book\.toml:11: \[provider\] host: 'resend' has no use for it",
    (
        "[outbox]",
        '[provider]\nname = "mailgun"\nregion = "mars"\n[outbox]',
    ): r"book\.toml:11: \[provider\] region: Mailgun has us and eu",
    (
        "[outbox]",
        '[provider]\nname = "ses"\nregion = "Ireland"\n[outbox]',
    ): r"book\.toml:11: \[provider\] region: write one of Amazon's",
    (
        "[outbox]",
        '[provider]\nname = "smtp"\nport = 70000\n[outbox]',
    ): r"book\.toml:11: \[provider\] port: expected a whole number <= 65535",
    (
        "[list]",
        "[gift]\nfiles = []\n[list]",
    ): r"book\.toml:5: \[gift\] files: name at least one file",
    (
        "[list]",
        '[gift]\nfiles = ["a.pdf", "a.mobi"]\nstamp = true\n[list]',
    ): r"book\.toml:5: \[gift\] stamp: only a PDF or an EPUB can carry one, not a\.mobi",
    (
        "[list]",
        '[gift]\nfiles = ["a.pdf"]\nstamp = true\nattach = true\n[list]',
    ): r"book\.toml:7: \[gift\] attach: a stamped copy is one reader's",
    ("[list]", "[gift]\ndays = 3\n[list]"): r"book\.toml:4: \[gift\] needs a key 'files'",
    ("[list]", "[[list]]"): r"\[list\] must be one table",
    ("[list]", "[list"): "is not valid TOML",
}


@pytest.mark.parametrize(("change", "says"), MISTAKES.items(), ids=[" ".join(change) for change in MISTAKES])
def test_a_mistake_is_named(book: Path, change: tuple[str, str], says: str) -> None:
    """File, line, table and key, and what to do."""
    path = book / "book.toml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))

    with pytest.raises(ConfigError, match=says):
        read(path, {})


def test_a_missing_table_and_a_missing_file_are_named(book: Path) -> None:
    """Whoever has no settings yet is told where to look."""
    path = book / "book.toml"
    path.write_text("[book]\n")

    with pytest.raises(ConfigError, match=r"\[list\] is missing; docs/delivering\.md"):
        read(path, {})
    with pytest.raises(ConfigError, match="not found; run the command in the book's folder"):
        read(book / "other.toml", {})


def test_every_provider_has_its_keys(book: Path) -> None:
    """The tables of names, keys and providers are one; what a key says arrives."""
    path = book / "book.toml"
    path.write_text(
        path.read_text() + '\n[provider]\nname = "smtp"\nhost = "mail.example.org"\nport = 2525\n'
    )
    settings = read(path, {"OUTBOX_SMTP_USER": "me"})

    assert set(PROVIDER_KEYS) == set(PROVIDERS) == set(get_args(Name))
    assert (settings.provider, settings.account.host, settings.account.port) == (
        "smtp",
        "mail.example.org",
        2525,
    )
    assert settings.account.env["OUTBOX_SMTP_USER"] == "me"
    assert "OUTBOX_SMTP_USER" not in repr(settings)


def test_secrets_stay_out_of_sight(book: Path) -> None:
    """A secret comes from the environment, must be long, and is not shown by accident."""
    settings = read(book / "book.toml", {"OUTBOX_SECRET": "new-secret-0123456 old-secret-0123456"})

    assert settings.secrets == ("new-secret-0123456", "old-secret-0123456")
    assert "secret-0123456" not in repr(settings)
    with pytest.raises(ConfigError, match="at least 16"):
        read(book / "book.toml", {"OUTBOX_SECRET": "short"})
