"""The command about the book as a gift: stamp."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from outbox.addresses import read_mailbox
from outbox.config import Settings
from outbox.errors import BadSignature, OutboxError, PeopleError
from outbox.model import Consent, Subscriber
from outbox.store import Tx, subscribers, suppressions

from .opening import opened, settings_of


def stamp(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A PDF or an EPUB.")],
    reader: Annotated[str, typer.Option("--for", metavar="ADDRESS", help="Whose copy it will be.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the copy goes.")] = None,
    who: Annotated[bool, typer.Option("--who", help="Say whose copy FILE is.")] = False,
) -> None:
    """Make a reader's own copy of a book, or say whose copy a file is.

    The stamp is a word that only this outbox can read; no address is in it, and nothing of it is seen.

    \b
    outbox stamp build/my-book.pdf --for ana@example.org -o ana.pdf
    outbox stamp --who found.pdf
    """  # noqa: D301
    settings = settings_of(ctx)
    if who == bool(reader) or bool(reader) != bool(output):
        raise typer.BadParameter("give --for ADDRESS and -o FILE, or --who alone")
    with opened(settings) as store, store.read() as tx:
        if output:
            _make_copy(tx, settings, file, reader, output)
        else:
            _tell_owner(tx, settings, file)


def _make_copy(tx: Tx, settings: Settings, file: Path, reader: str, output: Path) -> None:
    from outbox import stamp as stamps  # pikepdf takes a tenth of a second to load

    person = subscribers.find(tx, read_mailbox(reader))
    if person is None:
        raise PeopleError(f"{reader} is not on the list")
    secrets = suppressions.all_secrets(tx, settings.secrets)
    stamper = stamps.Stamper(secrets, settings.envelope.list_id)
    _write(output, stamps.stamp(_read(file), stamper, person.id))
    print(output)


def _tell_owner(tx: Tx, settings: Settings, file: Path) -> None:
    from outbox import stamp as stamps

    stamper = stamps.Stamper(suppressions.all_secrets(tx, settings.secrets), settings.envelope.list_id)
    found = Counter(stamps.find_stamps(_read(file)))
    if not found:
        raise OutboxError(f"{file}: there is no stamp in it")
    for word, places in found.items():
        try:
            owner = stamper.read(word)
        except BadSignature as error:
            raise OutboxError(f"{file}: {error}") from None
        name = _name(subscribers.find_by_id(tx, owner.subscriber_id))
        print(f"{name} (subscriber {owner.subscriber_id}), in {places} places, of the book {owner.book}")


def _name(person: Subscriber | None) -> str:
    if person is None:
        return "a person this database does not know"
    return "a person who was erased" if person.consent is Consent.ERASED else person.email


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise OutboxError(f"{file}: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    """Write beside, then move: nobody finds half a book."""
    hidden = path.with_name(f".{path.name}.part")
    try:
        hidden.write_bytes(data)
        hidden.replace(path)
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise OutboxError(f"{path}: {error.strerror}") from None


COMMANDS = (stamp,)
