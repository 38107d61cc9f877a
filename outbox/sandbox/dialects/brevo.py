"""As Brevo takes messages: versions of one message, and a key inside the body."""

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
    read_json,
    say_account,
    say_plainly,
)

FILES = frozenset(
    ["pdf", "png", "jpg", "jpeg", "gif", "txt", "csv", "ics", "zip", "docx", "mobi", "html", "mp3"]
)


def _read(call: Call) -> list[Message]:
    said = read_json(call)
    if "messageVersions" in said and "to" in said:
        raise Refusal(400, "to and messageVersions cannot stand together")
    versions = said.get("messageVersions") or [{"to": said["to"]}]
    files = tuple(file["name"] for file in said.get("attachment", []))
    if any(name.rpartition(".")[2].lower() not in FILES for name in files):
        raise Refusal(400, "Unsupported file format")
    if not said.get("htmlContent") and not said.get("templateId"):
        raise Refusal(400, "htmlContent is missing")
    return [_message({**said, **one}, said, files) for one in versions]


def _message(one: Mapping[str, Any], outer: Mapping[str, Any], files: tuple[str, ...]) -> Message:
    (to,) = one["to"]
    if to.get("name") == "":
        raise Refusal(400, "name is missing")
    headers = one.get("headers", {})
    if not all(str(value).isascii() for value in headers.values()):
        raise Refusal(400, "a header holds a letter beyond ASCII")
    tags = outer.get("tags", [])
    return Message(
        email=to["email"],
        shown=f"{to['name']} <{to['email']}>" if "name" in to else to["email"],
        sender=one["sender"]["email"],
        subject=one["subject"],
        html=one["htmlContent"],
        text=one.get("textContent", ""),
        headers=tuple(headers.items()),
        outbox_id=headers.get("X-Mailin-custom", ""),
        batch=tags[-1] if tags else "",
        files=files,
    )


def _answer(items: Sequence[Item]) -> Any:
    names = [name for name, _, _ in items]
    return {"messageIds": names} if len(names) > 1 else {"messageId": names[0]}


def _find(journal: Journal, call: Call, until: float) -> Any:
    found = journal.find(batch=call.query.get("tags", "-"), until=until)
    events = [{"event": "requests", "email": o["email"], "messageId": o["id"]} for o in found]
    return {"events": events[: int(call.query["limit"])]}


def _key(call: Call) -> str:
    return str(read_json(call).get("headers", {}).get("idempotencyKey", ""))


def _token(call: Call) -> str:
    return call.headers.get("api-key", "")


DIALECTS = (
    Dialect(
        "brevo",
        r"/v3/smtp/email",
        token=_token,
        read=_read,
        limit=1000,
        answer=_answer,
        refuse=say_plainly,
        atomic=True,
        key=_key,
    ),
)
SEARCHES = (
    Search(r"/v3/smtp/statistics/events", _token, _find),
    Search(r"/v3/account", _token, say_account),
)
