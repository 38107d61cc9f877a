"""Resend: whole messages, a hundred to a call, under a key that lives for a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from outbox.headers import show_address
from outbox.many import Accepted, Addressees
from outbox.model import (
    Account,
    Addressee,
    Attachment,
    Capabilities,
    ItemResult,
    Letter,
    PreparedBatch,
)
from outbox.wire import Form, base64_text, own, spell_json

from .base import Answer, HttpProvider, fitted, one_by_one


class Resend(HttpProvider):
    """https://resend.com/docs/api-reference/emails/send-batch-emails."""

    name: ClassVar[str] = "resend"
    caps = Capabilities(
        max_batch=100,
        max_message_bytes=40_000_000,
        max_request_bytes=40_000_000,
        per_recipient_headers=True,
        attachments_in_batch=False,
        metadata_hidden=True,
        scheduling=False,
        replay_window_s=23 * 3600,
        lookup="none",
        lookup_window_s=0,
        atomic_batch=True,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(
            account, "https://api.resend.com", lambda token: {"Authorization": f"Bearer {token}"}
        )

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One JSON object for each person; with files, one person to a call. The date is Resend's."""
        people = Addressees.of(people)
        one_by_one(letter, people, self.caps)
        alone = bool(letter.attachments)
        head, tail, path = (b"", b"", "/emails") if alone else (b"[", b"]", "/emails/batch")
        body = _form(letter).gather(people, head=head, between=b",", tail=tail)
        headers = {"Content-Type": "application/json", "Idempotency-Key": batch_id}
        names = tuple(people.outbox_ids)
        return fitted(PreparedBatch(batch_id, batch_id, "POST", path, headers, body, names), self.caps)

    def ask_account(self) -> str:
        """The account's domains; a key that may only send is a good one."""
        return self._ask_account("/domains", ["restricted_api_key"])

    def _read(self, batch: PreparedBatch, answer: Answer) -> Sequence[ItemResult]:
        said = answer.document()
        items = said.get("data", [said])
        ids = [item["id"] for item in items[: len(batch.outbox_ids)]]
        return Accepted(batch.outbox_ids[: len(ids)], ids)


@lru_cache(maxsize=8)
def _form(letter: Letter) -> Form:
    message = {
        "from": show_address(letter.sender),
        "to": [own("shown")],
        "reply_to": [show_address(address) for address in letter.reply_to],
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "headers": {**dict(letter.headers), "Message-ID": own("message-id")},
        "tags": [{"name": "outbox_id", "value": own("id", _tag)}],
    }
    if letter.attachments:
        message["attachments"] = [_file(file) for file in letter.attachments]
    return Form(spell_json(message))


def _tag(outbox_id: str) -> str:
    # Tags take letters, digits, "_" and "-" only.
    return outbox_id.replace(".", "-")


def _file(file: Attachment) -> Mapping[str, str]:
    named = {"filename": file.name, "content_type": file.media_type, "content": base64_text(file.content)}
    return {**named, "content_id": file.content_id} if file.content_id else named
