"""Postmark: whole messages, five hundred to a call, no key, but the best search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar

from outbox.headers import show_address
from outbox.many import Addressees
from outbox.model import (
    Account,
    Addressee,
    Attachment,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Template,
)
from outbox.wire import Form, Hole, base64_text, json_text, own, spell_json

from .base import Answer, HttpProvider, fitted

#: What an error code of one message means; with one that is not here the account is at fault, not the message.
CODES: Mapping[int, Outcome] = {
    0: Outcome.ACCEPTED,
    300: Outcome.INVALID,
    406: Outcome.SUPPRESSED,
    411: Outcome.INVALID,
}


class Postmark(HttpProvider):
    """https://postmarkapp.com/developer/api/email-api."""

    name: ClassVar[str] = "postmark"
    caps = Capabilities(
        max_batch=500,
        max_message_bytes=10_000_000,
        max_request_bytes=50_000_000,
        per_recipient_headers=True,
        attachments_in_batch=True,
        metadata_hidden=True,
        scheduling=False,
        replay_window_s=None,
        lookup="metadata",
        lookup_window_s=45 * 86_400,
        atomic_batch=False,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(
            account, "https://api.postmarkapp.com", lambda token: {"X-Postmark-Server-Token": token}
        )
        self._streams = {"broadcast": account.stream or "broadcast", "transactional": "outbound"}

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One JSON object for each person. The date is Postmark's; `batch` is what a search finds them by."""
        people = Addressees.of(people)
        start = b'{"Metadata":{"batch":"%s","outbox_id":"' % _mark(batch_id).encode()
        form = _form(letter, self._streams[letter.stream])
        body = form.gather(people, head=b"[" + start, between=b"," + start, tail=b"]")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        names = tuple(people.outbox_ids)
        return fitted(
            PreparedBatch(batch_id, batch_id, "POST", "/email/batch", headers, body, names), self.caps
        )

    def ask_account(self) -> str:
        """The server whose token it is."""
        return self._ask_account("/server")

    def _read(self, batch: PreparedBatch, answer: Answer) -> list[ItemResult]:
        return [_item(name, item) for name, item in zip(batch.outbox_ids, answer.document(), strict=False)]

    def _find(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        found = self._ask(f"/messages/outbound?metadata_batch={_mark(batch.batch_id)}&count=500&offset=0")
        ids = {message["Metadata"]["outbox_id"]: message["MessageID"] for message in found["Messages"]}
        return {
            name: ItemResult(name, Outcome.ACCEPTED, provider_id=ids[name])
            for name in batch.outbox_ids
            if name in ids
        }


@lru_cache(maxsize=8)
def _form(letter: Letter, stream: str) -> Form:
    """A message after the start of its metadata, which names the call and so differs from call to call."""
    message = {
        "From": show_address(letter.sender),
        "To": own("shown"),
        "ReplyTo": ", ".join(map(show_address, letter.reply_to)),
        "Subject": letter.subject,
        "HtmlBody": letter.html,
        "TextBody": letter.text,
        "Headers": [{"Name": name, "Value": value} for name, value in _headers(letter)],
        "MessageStream": stream,
        "Tag": letter.tag,
        "Attachments": [_file(file) for file in letter.attachments],
    }
    _, *rest = spell_json(message)  # without its brace: the object is open already
    return Form([Hole(own("id"), json_text), b'"},', *rest])


def _headers(letter: Letter) -> list[tuple[str, Template]]:
    return [*letter.headers, ("Message-ID", own("message-id"))]


def _file(file: Attachment) -> Mapping[str, str | None]:
    named = {"Name": file.name, "ContentType": file.media_type, "Content": base64_text(file.content)}
    return {**named, "ContentID": f"cid:{file.content_id}"} if file.content_id else named


def _mark(batch_id: str) -> str:
    # A value of Metadata has at most 80 characters.
    return sha256(batch_id.encode()).hexdigest()[:32]


def _item(name: str, item: Mapping[str, Any]) -> ItemResult:
    # A delayed answer has a Message and an id but no code; without an id nobody knows.
    code, words = item.get("ErrorCode", 0), str(item["Message"])
    outcome = CODES.get(code, Outcome.NOT_SENT)
    if outcome is Outcome.ACCEPTED:
        return ItemResult(name, outcome, provider_id=item["MessageID"])
    if outcome is Outcome.INVALID and "'From'" in words:
        outcome = Outcome.NOT_SENT  # our own address, not the reader's
    return ItemResult(name, outcome, code=f"postmark {code}", detail=words)
