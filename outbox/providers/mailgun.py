"""Mailgun: one body with its own fields for a thousand people, or a whole message for one."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar
from urllib.parse import quote, urlencode

from outbox.errors import ConfigError, MustSplit
from outbox.headers import show_address, show_addresses
from outbox.many import Accepted, Addressees
from outbox.model import (
    Account,
    Addressee,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Template,
)
from outbox.wire import Form, Hole, Merge, json_text, own, spell_json, spell_out

from .base import Answer, HttpProvider, fitted

SITES = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
#: Mailgun looks for fields between percent signs; a value may hold one only as the start of %20 and the like.
ODD = re.compile(rb"%(?![0-9A-Fa-f]{2})")
FIELD = "%recipient.{}%"
ASKED = 40  # recipients named in one question

Part = tuple[str, Iterable[bytes | Hole]]


class Mailgun(HttpProvider):
    """https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages."""

    name: ClassVar[str] = "mailgun"
    caps = Capabilities(
        max_batch=1000,
        max_message_bytes=25_000_000,
        max_request_bytes=25_000_000,
        per_recipient_headers=True,
        attachments_in_batch=True,
        metadata_hidden=True,
        scheduling=False,
        replay_window_s=None,
        lookup="recipient",
        lookup_window_s=86_400,
        atomic_batch=True,
        merges=True,
    )

    def __init__(self, account: Account) -> None:
        if not account.domain:
            raise ConfigError("[provider] needs domain, the domain that is set up at Mailgun")
        super().__init__(account, SITES[account.region or "us"], _basic)
        self._domain = quote(account.domain, safe="")

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One person gets a whole message, several share a body with Mailgun's fields. The date is Mailgun's.

        A value that Mailgun might read as a field goes alone, as a whole message (MustSplit says so).
        """
        people, boundary = Addressees.of(people), _mark(letter.tag)
        alone = len(people) == 1
        body = _whole(letter, boundary).fill(people[0]) if alone else _merged(letter, people, boundary)
        body += _spell_parts([("v:batch", [_mark(batch_id).encode()])], boundary, last=True)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        names, emails = tuple(people.outbox_ids), tuple(people.emails)
        path = f"/v3/{self._domain}/messages"
        batch = PreparedBatch(batch_id, batch_id, "POST", path, headers, body, names, emails)
        return fitted(batch, self.caps)

    def ask_account(self) -> str:
        """The domain that sends."""
        return self._ask_account(f"/v3/domains/{self._domain}")

    def _read(self, batch: PreparedBatch, answer: Answer) -> Sequence[ItemResult]:
        return Accepted(batch.outbox_ids, str(answer.document()["id"]))  # one id for the whole call

    def _find(self, batch: PreparedBatch) -> dict[str, ItemResult]:
        """Ask for what was accepted for each recipient; our mark tells this call from others."""
        found: dict[str, str] = {}
        for at in range(0, len(batch.recipients), ASKED):
            wanted = " OR ".join(batch.recipients[at : at + ASKED])
            query = urlencode({"event": "accepted", "limit": 300, "recipient": f"({wanted})"})
            for event in self._ask(f"/v3/{self._domain}/events?{query}")["items"]:
                if event.get("user-variables", {}).get("batch") == _mark(batch.batch_id):
                    found[event["recipient"].lower()] = event["message"]["headers"]["message-id"]
        return {
            name: ItemResult(name, Outcome.ACCEPTED, provider_id=found[email.lower()])
            for name, email in zip(batch.outbox_ids, batch.recipients, strict=True)
            if email.lower() in found
        }


def _basic(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Basic {b64encode(f'api:{token}'.encode()).decode()}"}


@lru_cache(maxsize=8)
def _whole(letter: Letter, boundary: str) -> Form:
    parts = [
        ("to", spell_out(own("shown"), str.encode)),
        *((name, spell_out(text, str.encode)) for name, text in _texts(letter)),
    ]
    return Form([_spell_files(letter, boundary), *_spell_form(parts, boundary)])


def _merged(letter: Letter, people: Addressees, boundary: str) -> bytes:
    """A body for all, and a JSON object that says what each of them has in its fields."""
    if any("%recipient" in literal for _, text in _texts(letter) for literal in text.literals):
        raise MustSplit("the letter itself holds %recipient", tuple((one.outbox_id,) for one in people))
    shared, form = _merge(letter, boundary)
    values = form.fill_all(people, head=b"{", between=b",", tail=b"}")
    if ODD.search(values):
        odd = {person.outbox_id for person in people if ODD.search(form.fill(person))}
        even = tuple(person.outbox_id for person in people if person.outbox_id not in odd)
        alone = tuple((person.outbox_id,) for person in people if person.outbox_id in odd)
        raise MustSplit("a percent sign in a value would be read as a field", (even, *alone)[not even :])
    mailboxes = ",".join(show_addresses(people.names, people.emails)).encode()
    return shared + _spell_parts([("to", [mailboxes]), ("recipient-variables", [values])], boundary)


@lru_cache(maxsize=8)
def _merge(letter: Letter, boundary: str) -> tuple[bytes, Form]:
    merge = Merge(FIELD)
    parts = [(name, [merge.put(text).encode()]) for name, text in _texts(letter)]
    entry = [b'"', Hole(own("email"), json_text), b'":', *spell_json(merge.values())]
    return _spell_files(letter, boundary) + _spell_parts(parts, boundary), Form(entry)


def _texts(letter: Letter) -> Iterator[tuple[str, Template]]:
    yield "from", Template((show_address(letter.sender),))
    yield "subject", letter.subject
    yield "html", letter.html
    yield "text", letter.text
    if letter.reply_to:
        yield "h:Reply-To", Template((", ".join(map(show_address, letter.reply_to)),))
    for name, value in letter.headers:
        yield f"h:{name}", value
    yield "o:tag", Template((letter.tag,))
    yield "v:outbox_id", own("id")


def _spell_files(letter: Letter, boundary: str) -> bytes:
    files = b""
    for file in letter.attachments:
        # A picture in the text is named by its content id; a part without a name would be dropped.
        place, name = ("inline", file.content_id) if file.content_id else ("attachment", file.name)
        files += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{place}"; filename="{name}"\r\n'
            f"Content-Type: {file.media_type}\r\n\r\n"
        ).encode()
        files += file.content + b"\r\n"
    return files


def _spell_form(parts: Iterable[Part], boundary: str) -> Iterator[bytes | Hole]:
    for name, value in parts:
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        yield from value
        yield b"\r\n"


def _spell_parts(parts: Iterable[tuple[str, list[bytes]]], boundary: str, *, last: bool = False) -> bytes:
    spelled = b"".join(piece for piece in _spell_form(parts, boundary) if isinstance(piece, bytes))
    return spelled + (f"--{boundary}--\r\n".encode() if last else b"")


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
