"""Checks of this machine: the secret, the gift, the database, the disk."""

from __future__ import annotations

from outbox.config import STAMPED
from outbox.errors import OutboxError
from outbox.store.health import find_damage

from .carriers import CARRIERS
from .case import Answer, Case, error, passed, warning

GOOD_SECRET = 32  # characters
LITTLE, TOO_LITTLE = 1_000_000_000, 100_000_000  # bytes left on the disk


def check_secret(case: Case) -> Answer:
    """What is signed or hidden by a secret is safe from whoever gets hold of the database alone."""
    secrets, real = case.settings.secrets, case.settings.provider in CARRIERS
    if not secrets:
        said = "OUTBOX_SECRET is not set; a copy of the database is enough to forge links and find out who was erased"
        return error(said) if real else warning(said)
    shortest = min(map(len, secrets))
    if shortest < GOOD_SECRET:
        return warning(f"OUTBOX_SECRET has {shortest} characters")
    return passed(f"OUTBOX_SECRET is set, {shortest} characters")


def check_gift(case: Case) -> Answer:
    """Whoever presses a button gets the book, and nobody gets the copy of another reader."""
    gift = case.settings.gift
    if gift is None:
        return passed("book.toml gives nothing away")
    missing = [path.name for path in gift.files if not path.is_file()]
    if missing:
        return error(f"{', '.join(missing)}: not there")
    from outbox.stamp import find_stamps  # pikepdf takes a tenth of a second to load

    try:
        books = [path for path in gift.files if path.suffix.lower() in STAMPED]
        stamped = [path.name for path in books if find_stamps(path.read_bytes())]
    except OutboxError as wrong:
        return error(str(wrong))
    if stamped:
        return error(f"{', '.join(stamped)}: the stamped copy of a reader")
    return passed(f"{len(gift.files)} files are there")


def check_database(case: Case) -> Answer:
    """The ledger can be opened, and is whole."""
    if case.store is None:
        return error(case.trouble or "there is no database")
    try:
        damage = find_damage(case.store)
    except OutboxError as wrong:
        return error(str(wrong))
    return error("; ".join(damage[:3])) if damage else passed("the database is whole")


def check_disk(case: Case) -> Answer:
    """There is room to write down what happens."""
    said = f"{case.free / 1e9:,.1f} GB are free"
    return error(said) if case.free < TOO_LITTLE else warning(said) if case.free < LITTLE else passed(said)
