"""The provider for rehearsals: our own wire format, spoken to `outbox sandbox` on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlencode

from outbox.headers import show_address
from outbox.many import Addressees
from outbox.model import (
    Account,
    Addressee,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Promise,
)
from outbox.wire import Form, base64_text, own, spell_json

from .base import Answer, HttpProvider, fitted

CAPS = Capabilities(
    max_batch=100,
    max_message_bytes=25_000_000,
    max_request_bytes=50_000_000,
    per_recipient_headers=True,
    attachments_in_batch=True,
    metadata_hidden=True,
    scheduling=False,
    replay_window_s=None,
    lookup="none",
    lookup_window_s=0,
    atomic_batch=False,
)
#: The three kinds of provider there are, by what can be done about a call without an answer.
PROMISES: Mapping[Promise, Capabilities] = {
    "keys": replace(CAPS, replay_window_s=23 * 3600),
    "search": replace(CAPS, lookup="metadata", lookup_window_s=45 * 86_400),
    "nothing": CAPS,
}


class Sandbox(HttpProvider):
    """Speaks to outbox/sandbox.py through the same code as the real ones."""

    name: ClassVar[str] = "sandbox"
    caps = PROMISES["keys"]

    def __init__(self, account: Account) -> None:
        super().__init__(account, "http://127.0.0.1:8025", lambda token: {"Authorization": f"Bearer {token}"})
        self.caps = PROMISES[account.promise]

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One JSON object for each person."""
        people = Addressees.of(people)
        body = _form(letter).gather(people, head=b'{"messages":[', between=b",", tail=b"]}")
        headers = {"Content-Type": "application/json", "X-Batch": batch_id}
        if self.caps.replay_window_s:
            headers["Idempotency-Key"] = batch_id
        names = tuple(people.outbox_ids)
        return fitted(
            PreparedBatch(batch_id, batch_id, "POST", "/outbox/send", headers, body, names), self.caps
        )

    def _read_secrets(self, env: Mapping[str, str]) -> tuple[str, ...]:
        return (env.get("OUTBOX_TOKEN", "") or "sandbox",)

    def _read(self, batch: PreparedBatch, answer: Answer) -> list[ItemResult]:
        return [_item(item) for item in answer.document()["results"]]

    def _find(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        if self.caps.lookup == "none":
            return {}
        found = self._ask(f"/outbox/messages?{urlencode({'batch': batch.batch_id})}")
        return {item["outbox_id"]: _item(item) for item in found["results"]}


@lru_cache(maxsize=8)
def _form(letter: Letter) -> Form:
    message = {
        "outbox_id": own("id"),
        "message_id": own("message-id"),
        "from": show_address(letter.sender),
        "to": own("shown"),
        "email": own("email"),
        "reply_to": [show_address(address) for address in letter.reply_to],
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "headers": dict(letter.headers),
        "attachments": [
            {"name": file.name, "type": file.media_type, "content": base64_text(file.content)}
            for file in letter.attachments
        ],
        "stream": letter.stream,
        "tag": letter.tag,
    }
    return Form(spell_json(message))


def _item(item: Mapping[str, Any]) -> ItemResult:
    return ItemResult(
        item["outbox_id"],
        Outcome(item["outcome"]),
        item.get("id", ""),
        item.get("code", ""),
        item.get("detail", ""),
    )
