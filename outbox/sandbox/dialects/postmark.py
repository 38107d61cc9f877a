"""As Postmark takes messages: 200 for the call, and a code of its own for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..journal import Journal, Message
from .base import (
    Call,
    Dialect,
    Item,
    Refusal,
    Search,
    Verdict,
    mailbox_of,
    read_json,
    say_account,
)


def _read(call: Call) -> list[Message]:
    said = read_json(call)
    return [_message(one) for one in (said if call.path.endswith("/batch") else [said])]


def _message(one: Mapping[str, Any]) -> Message:
    files = one.get("Attachments") or []
    metadata = one.get("Metadata") or {}
    if any(len(name) > 20 or len(str(value)) > 80 for name, value in metadata.items()):
        raise Refusal(422, "Metadata: a name has at most 20 characters, a value 80")
    return Message(
        email=mailbox_of(one["To"]),
        shown=one["To"],
        sender=one["From"],
        subject=one.get("Subject", ""),
        html=one.get("HtmlBody", ""),
        text=one.get("TextBody", ""),
        headers=tuple((header["Name"], header["Value"]) for header in one.get("Headers") or []),
        outbox_id=metadata.get("outbox_id", ""),
        batch=metadata.get("batch", ""),
        files=tuple(file["Name"] for file in files),
    )


CODES: Mapping[Verdict, tuple[int, str]] = {
    "accepted": (0, "OK"),
    "inactive": (406, "You tried to send to a recipient that has been marked as inactive."),
    "invalid": (300, "Invalid 'To' address."),
}


def _answer(items: Sequence[Item]) -> Any:
    def one(name: str, verdict: Verdict, message: Message) -> dict[str, Any]:
        code, words = CODES[verdict]
        given = {"To": message.shown, "MessageID": name} if verdict == "accepted" else {}
        return {"ErrorCode": code, "Message": words, **given}

    return [one(*item) for item in items]


def _answer_single(items: Sequence[Item]) -> Any:
    return _answer(items)[0]


def _find(journal: Journal, call: Call, until: float) -> Any:
    found = journal.find(batch=call.query.get("metadata_batch", "-"), until=until)
    messages = [
        {"MessageID": o["id"], "Recipients": [o["email"]], "Metadata": {"outbox_id": o["outbox_id"]}}
        for o in found
    ]
    count, offset = int(call.query["count"]), int(call.query["offset"])
    return {"TotalCount": len(messages), "Messages": messages[offset : offset + min(count, 500)]}


def _token(call: Call) -> str:
    return call.headers.get("x-postmark-server-token", "")


def _error(status: int, words: str) -> Any:
    return {"ErrorCode": 10 if status == 401 else 300, "Message": words}


DIALECTS = (
    Dialect(
        "postmark",
        r"/email/batch",
        token=_token,
        read=_read,
        limit=500,
        answer=_answer,
        refuse=_error,
        atomic=False,
    ),
    Dialect(
        "postmark",
        r"/email",
        token=_token,
        read=_read,
        limit=1,
        answer=_answer_single,
        refuse=_error,
        atomic=False,
    ),
)
SEARCHES = (Search(r"/messages/outbound", _token, _find), Search(r"/server", _token, say_account))
