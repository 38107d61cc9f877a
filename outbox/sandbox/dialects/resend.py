"""As Resend takes messages: a bad one refuses the whole call, and a batch has no attachments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..journal import Message
from .base import (
    TAG,
    Call,
    Dialect,
    Item,
    Refusal,
    Search,
    bearer,
    key_header,
    mailbox_of,
    read_json,
    say_account,
)


def _read(call: Call) -> list[Message]:
    said = read_json(call)
    batch = call.path.endswith("/batch")
    return [_message(one, batch=batch) for one in (said if batch else [said])]


def _message(one: Mapping[str, Any], *, batch: bool) -> Message:
    if batch and (one.get("attachments") or one.get("scheduled_at")):
        raise Refusal(422, "attachments and scheduled_at are not supported in a batch")
    tags = {tag["name"]: tag["value"] for tag in one.get("tags", [])}
    if not all(TAG.fullmatch(part) for pair in tags.items() for part in pair):
        raise Refusal(422, "tags may only hold ASCII letters, numbers, underscores and dashes")
    (to,) = [one["to"]] if isinstance(one["to"], str) else one["to"]
    files = one.get("attachments", [])
    if any(not file.get("filename") for file in files):
        raise Refusal(422, "an attachment needs a filename")
    return Message(
        email=mailbox_of(to),
        shown=to,
        sender=one["from"],
        subject=one["subject"],
        html=one.get("html", ""),
        text=one.get("text", ""),
        headers=tuple(one.get("headers", {}).items()),
        outbox_id=tags.get("outbox_id", "").replace("-", "."),
        files=tuple(file["filename"] for file in files),
    )


def _answer(items: Sequence[Item]) -> Any:
    return {"data": [{"id": name} for name, _, _ in items]}


def _answer_single(items: Sequence[Item]) -> Any:
    return {"id": items[0][0]}


def _refuse(status: int, words: str) -> Any:
    return {"statusCode": status, "name": "validation_error", "message": words}


DIALECTS = (
    Dialect(
        "resend",
        r"/emails/batch",
        token=bearer,
        read=_read,
        limit=100,
        answer=_answer,
        refuse=_refuse,
        atomic=True,
        key=key_header,
    ),
    Dialect(
        "resend",
        r"/emails",
        token=bearer,
        read=_read,
        limit=1,
        answer=_answer_single,
        refuse=_refuse,
        atomic=True,
        key=key_header,
    ),
)
SEARCHES = (Search(r"/domains", bearer, say_account),)
