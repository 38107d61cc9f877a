"""As Mailgun takes messages: a form with one body, and variables for each recipient."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from ..journal import Journal, Message
from .base import (
    Call,
    Dialect,
    Item,
    Refusal,
    Search,
    basic,
    mailbox_of,
    say_account,
    say_plainly,
)


def _read(call: Call) -> list[Message]:
    form, files = _form(call)
    one = {name: values[-1] for name, values in form.items()}
    options = sum(len(n) + len(v) for n, v in one.items() if n[:2] in {"o:", "h:", "v:", "t:"})
    if options > 16_000:
        raise Refusal(400, "o:, h:, v: and t: fields have more than 16 kB")
    variables = json.loads(one.get("recipient-variables", "{}"))
    mailboxes = [to for value in form["to"] for to in _split_addresses(value)]
    if len(mailboxes) > 1 and not variables:
        raise Refusal(400, "several recipients without recipient-variables would see each other")
    return [_message(one, to, variables.get(mailbox_of(to), {}), files) for to in mailboxes]


def _message(
    one: Mapping[str, str], to: str, variables: Mapping[str, str], files: tuple[str, ...]
) -> Message:
    def put(text: str) -> str:
        # The harsh reading: what one field brings in may hold another.
        for name, value in variables.items():
            text = text.replace(f"%recipient.{name}%", str(value))
        return text

    headers = tuple((name[2:], put(value)) for name, value in one.items() if name.startswith("h:"))
    return Message(
        email=mailbox_of(to),
        shown=to,
        sender=one["from"],
        subject=put(one["subject"]),
        html=put(one.get("html", "")),
        text=put(one.get("text", "")),
        headers=headers,
        outbox_id=put(one.get("v:outbox_id", "")),
        batch=one.get("v:batch", ""),
        files=files,
    )


def _answer(items: Sequence[Item]) -> Any:
    return {"id": items[0][0], "message": "Queued. Thank you."}


def _find(journal: Journal, call: Call, until: float) -> Any:
    wanted = call.query["recipient"].strip("()").split(" OR ")
    items = [
        {
            "event": "accepted",
            "recipient": o["email"],
            "message": {"headers": {"message-id": o["id"].strip("<>")}},
            "user-variables": {"batch": o["batch"], "outbox_id": o["outbox_id"]},
        }
        for o in journal.find(emails=wanted, until=until)
    ]
    return {"items": items[: min(int(call.query["limit"]), 300)], "paging": {}}


def _split_addresses(value: str) -> list[str]:
    return [part.strip() for part in re.findall(r"""(?:[^,"]|"(?:[^"\\]|\\.)*")+""", value)]


def _form(call: Call) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    kind = call.headers.get("content-type", "")
    form: dict[str, list[str]] = {}
    if kind.startswith("application/x-www-form-urlencoded"):
        for name, value in parse_qsl(call.body.decode(), keep_blank_values=True):
            form.setdefault(name, []).append(value)
        return form, ()
    files = []
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    for part in call.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        label = re.search(rb'[; ]name="([^"]*)"', head)
        given = re.search(rb'filename="([^"]*)"', head)
        if label is None:
            raise Refusal(400, "a part has no name")
        if given or label[1] in {b"attachment", b"inline"}:
            files.append(given[1].decode() if given else "")
        else:
            form.setdefault(label[1].decode(), []).append(content.removesuffix(b"\r\n").decode())
    if not all(files):
        raise Refusal(400, "an attachment has no filename and would be dropped")
    return form, tuple(files)


DIALECTS = (
    Dialect(
        "mailgun",
        r"/(?:v3/)?[^/]+/messages",
        token=basic,
        read=_read,
        limit=1000,
        answer=_answer,
        refuse=say_plainly,
        atomic=True,
    ),
)
SEARCHES = (
    Search(r"/v3/[^/]+/events", basic, _find),
    Search(r"/v3/domains/[^/]+", basic, say_account),
)
