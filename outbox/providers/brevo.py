"""Brevo: whole messages as versions of one, up to a thousand to a call, under a key that lives for minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from outbox.errors import OutboxError
from outbox.headers import SPECIAL, encode_words
from outbox.many import Accepted, Addressees
from outbox.model import (
    Account,
    Address,
    Addressee,
    Attachment,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Template,
)
from outbox.wire import Form, Hole, base64_text, own, spell_json

from .base import Answer, HttpProvider, fitted

#: Endings of file names that Brevo takes, as far as letters and books go.
ENDINGS = ("gif", "png", "jpg", "jpeg", "pdf", "txt", "csv", "ics", "zip", "docx", "mobi", "html", "mp3")
PAGE = 2500  # events in one answer


class Brevo(HttpProvider):
    """https://developers.brevo.com/reference/send-transac-email."""

    name: ClassVar[str] = "brevo"
    caps = Capabilities(
        max_batch=500,  # 1,000 are taken, but 500 letters of 35 kB are near the limit of bytes
        max_message_bytes=20_000_000,
        max_request_bytes=20_000_000,
        per_recipient_headers=True,
        attachments_in_batch=True,
        metadata_hidden=False,
        scheduling=False,
        replay_window_s=14 * 60,
        lookup="tag",
        lookup_window_s=30 * 86_400,
        atomic_batch=True,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account, "https://api.brevo.com", lambda token: {"api-key": token})

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """What is shared once, then a version for each person. No outer `to`: it would get a letter too."""
        people = Addressees.of(people)
        key, shared = str(uuid5(NAMESPACE_URL, batch_id)), _shared(letter)
        outer = {**shared, "headers": {"idempotencyKey": key}, "tags": [letter.tag, _mark(batch_id)]}
        head = Form(spell_json(outer)).fill(people[0])[:-1] + b',"messageVersions":['
        body = _form(letter).gather(people, head=head, between=b",", tail=b"]}")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        names, emails = tuple(people.outbox_ids), tuple(people.emails)
        return fitted(
            PreparedBatch(batch_id, key, "POST", "/v3/smtp/email", headers, body, names, emails), self.caps
        )

    def ask_account(self) -> str:
        """The account."""
        return self._ask_account("/v3/account")

    def _read(self, batch: PreparedBatch, answer: Answer) -> Sequence[ItemResult]:
        said = answer.document()
        ids = said["messageIds"] if "messageIds" in said else [said["messageId"]]
        given = ids[: len(batch.outbox_ids)]
        return Accepted(batch.outbox_ids[: len(given)], given)

    def _find(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Ask for the events of the call's own tag; the message id tells one reader from another."""
        query = urlencode({"tags": _mark(batch.batch_id), "event": "requests", "limit": PAGE, "offset": 0})
        events = self._ask(f"/v3/smtp/statistics/events?{query}").get("events", [])
        ids = {event["email"].lower(): event["messageId"] for event in events}
        emails = zip(batch.outbox_ids, batch.recipients, strict=True)
        return {
            name: ItemResult(name, Outcome.ACCEPTED, provider_id=ids[email.lower()])
            for name, email in emails
            if email.lower() in ids
        }


def _shared(letter: Letter) -> dict[str, Any]:
    """What stands outside the versions. Subject and text there are demanded, and replaced by each version."""
    if len(letter.reply_to) > 1:
        raise OutboxError("brevo takes one address for answers")
    shared: dict[str, Any] = {
        "sender": _named(letter.sender),
        "subject": letter.tag,
        "htmlContent": "<p></p>",
    }
    if letter.reply_to:
        shared["replyTo"] = _named(letter.reply_to[0])
    if letter.attachments:
        shared["attachment"] = [_file(file) for file in letter.attachments]
    return shared


@lru_cache(maxsize=8)
def _form(letter: Letter) -> Form:
    version = {
        "to": [Hole(RECIPIENT, _recipient)],
        "subject": letter.subject,
        "htmlContent": letter.html,
        "textContent": letter.text,
        "headers": {
            **{name: _in_ascii(value) for name, value in letter.headers},
            "X-Mailin-custom": own("id"),
        },
    }
    return Form(spell_json(version))


#: A mailbox and its name in one text, so that the name can be left out where there is none.
RECIPIENT = Template(("", "\0", ""), (("own-email", str), ("own-name", str)))


def _recipient(text: str) -> bytes:
    email, _, name = text.partition("\0")
    return json.dumps(_named(Address(name, email)), ensure_ascii=False).encode()


def _named(address: Address) -> Mapping[str, str]:
    # Brevo drops a name that holds both a letter beyond ASCII and a comma or the like, unless it is encoded.
    odd = not address.name.isascii() and SPECIAL.search(address.name)
    name = encode_words(address.name) if odd else address.name
    return {"email": address.email, "name": name} if name else {"email": address.email}


def _in_ascii(value: Template) -> Template:
    # Brevo decodes encoded words and sends bare bytes; `<letters.example.org>` is a List-Id too.
    first = value.literals[0]
    return value if "=?" not in first else Template((first[first.rfind("<") :],))


def _file(file: Attachment) -> Mapping[str, str]:
    if file.content_id:
        raise OutboxError('brevo shows no pictures that travel along; set [outbox] images = "link"')
    if file.name.rpartition(".")[2].lower() not in ENDINGS:
        raise OutboxError(f"brevo does not take {file.name}; send a link to it")
    return {"name": file.name, "content": base64_text(file.content)}


def _mark(batch_id: str) -> str:
    return sha256(batch_id.encode()).hexdigest()[:32]
