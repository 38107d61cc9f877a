"""Write each message as an .eml file: the default, which works offline and harms nobody."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from outbox.mime import build
from outbox.model import Account, Addressee, Capabilities, ItemResult, Letter, Outcome, PreparedBatch


class File:
    """A folder of .eml files, each named by its delivery's id: the name tells that the message went out."""

    name = "file"
    caps = Capabilities(
        max_batch=1,
        max_message_bytes=100_000_000,
        max_request_bytes=100_000_000,
        per_recipient_headers=True,
        attachments_in_batch=True,
        metadata_hidden=True,
        scheduling=False,
        replay_window_s=None,
        lookup="exact",
        lookup_window_s=0,
        atomic_batch=True,
    )

    def __init__(self, account: Account) -> None:
        self.folder = account.folder

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One message, one file; `path` is where it goes below the folder."""
        (person,) = people
        path, body = f"{letter.tag}/{person.outbox_id}.eml", build(letter, person, date=date)
        return PreparedBatch(batch_id, batch_id, "WRITE", path, {}, body, (person.outbox_id,))

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """Write the file under a hidden name, then give it its own in one step: it is never half there."""
        target = self.folder / batch.path
        try:
            if not target.exists():
                _write(target, batch.body)
        except OSError as error:
            return [_not_written(batch, target, error)]
        return [_written(batch)]

    def lookup(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """A file that is there was written whole; one that is not was never written."""
        return {batch.outbox_ids[0]: _written(batch)} if (self.folder / batch.path).exists() else {}

    def close(self) -> None:
        """Nothing is held open."""


def _write(target: Path, body: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.part")
    with hidden.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut could take back the name after the ledger has said "accepted".
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(batch: PreparedBatch) -> ItemResult:
    return ItemResult(batch.outbox_ids[0], Outcome.ACCEPTED, provider_id=batch.path)


def _not_written(batch: PreparedBatch, target: Path, error: OSError) -> ItemResult:
    # The name may be there although the step after it failed: then nobody knows how lasting it is.
    outcome = Outcome.UNKNOWN if target.exists() else Outcome.NOT_SENT
    detail = f"{target.parent}: {error.strerror or error}"
    return ItemResult(batch.outbox_ids[0], outcome, code=type(error).__name__, detail=detail)
