"""Notice a database that was copied, moved or restored, before two of them send the same letters (LF-7)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select, update

from outbox.errors import OutboxError, Temporary
from outbox.model import ChunkState

from . import Store
from .claims import WAITING
from .schema import chunk, instance, send

MACHINE = Path("/etc/machine-id")


def enter(store: Store) -> None:
    """Say that this database is about to send; raises OutboxError when it is not the one that sent last.

    The database and a file beside it hold the same word, another one at each start. A database from a
    backup has an old word, a copy has no file or stands in another place. On a server there is no such file.
    """
    if store.path is None:
        return
    generation = _generation(store)
    if generation and not _known(store.path, generation):
        raise OutboxError(
            f"{store.path.name} was copied, moved or restored: another copy may have sent since, or may "
            "send still. When this is the only one, run: outbox adopt; when it comes from a backup, run: "
            "outbox adopt --restored"
        )
    _renew(store, store.path, generation)


def adopt(store: Store, *, restored: bool, now: datetime) -> int:
    """Make this database the one that sends; returns how many messages were put in doubt.

    In one from a backup, whatever waits may have gone out since; recovery asks the provider about it.
    """
    doubtful = _doubt_all(store, now) if restored else 0
    if store.path is not None:
        _renew(store, store.path, _generation(store))
    return doubtful


def _known(path: Path, generation: str) -> bool:
    try:
        said = json.loads(_file(path).read_text("utf-8"))
        return generation in said["generations"] and said["place"] == _place(path)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _renew(store: Store, path: Path, old: str) -> None:
    """Change the word. The file knows both while only one of the two places may have been written."""
    new = uuid4().hex
    _write(path, [old, new])
    with store.begin() as tx:
        tx.connection.execute(update(instance).values(generation=new))
    _write(path, [new])


def _write(path: Path, generations: Sequence[str]) -> None:
    target = _file(path)
    hidden = target.with_name(f".{target.name}.part")
    try:
        with hidden.open("w", encoding="utf-8") as file:
            json.dump({"generations": generations, "place": _place(path)}, file)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(target)
    except OSError as error:
        raise Temporary(f"{target.name} cannot be written: {error.strerror}") from None


def _generation(store: Store) -> str:
    with store.read() as tx:
        word: str = tx.connection.execute(select(instance.c.generation)).scalar_one()
    return word


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}.here")


def _place(path: Path) -> str:
    try:
        machine = MACHINE.read_text("ascii").strip()
    except (OSError, ValueError):
        machine = ""
    return f"{machine}:{path.resolve()}"


def _doubt_all(store: Store, now: datetime) -> int:
    open_sends = select(send.c.id).where(send.c.state != "cancelled")
    began = select(send.c.created_at).where(send.c.id == chunk.c.send_id).scalar_subquery()
    values = {
        "state": ChunkState.IN_DOUBT,
        "attempt": chunk.c.attempt + 1,
        "epoch": chunk.c.epoch + 1,
        "first_try_at": func.coalesce(chunk.c.first_try_at, began),
        "not_before": now,
        "lease_owner": "",
        "lease_until": None,
    }
    waiting = (WAITING, chunk.c.send_id.in_(open_sends))
    with store.begin() as tx:
        number = tx.connection.execute(select(func.coalesce(func.sum(chunk.c.follow), 0)).where(*waiting))
        doubtful: int = number.scalar_one()
        tx.connection.execute(update(chunk).where(*waiting).values(values))
    return doubtful
