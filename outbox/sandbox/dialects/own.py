"""Our own wire format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..journal import Journal, Message
from .base import (
    Call,
    Dialect,
    Item,
    Search,
    Verdict,
    bearer,
    key_header,
    read_json,
    say_plainly,
)


def _read(call: Call) -> list[Message]:
    return [
        Message(
            email=one["email"],
            shown=one["to"],
            sender=one["from"],
            subject=one["subject"],
            html=one["html"],
            text=one["text"],
            headers=tuple(one["headers"].items()),
            outbox_id=one["outbox_id"],
            batch=call.headers.get("x-batch", ""),
            files=tuple(file["name"] for file in one["attachments"]),
        )
        for one in read_json(call)["messages"]
    ]


OUTCOMES: Mapping[Verdict, str] = {"accepted": "accepted", "inactive": "suppressed", "invalid": "invalid"}


def _answer(items: Sequence[Item]) -> Any:
    results = [
        {"outbox_id": message.outbox_id, "outcome": OUTCOMES[verdict], "id": name}
        for name, verdict, message in items
    ]
    return {"results": results}


def _find(journal: Journal, call: Call, until: float) -> Any:
    found = journal.find(batch=call.query.get("batch", "-"), until=until)
    return {"results": [{"outbox_id": o["outbox_id"], "outcome": "accepted", "id": o["id"]} for o in found]}


DIALECTS = (
    Dialect(
        "sandbox",
        r"/outbox/send",
        token=bearer,
        read=_read,
        limit=1000,
        answer=_answer,
        refuse=say_plainly,
        atomic=False,
        key=key_header,
    ),
)
SEARCHES = (Search(r"/outbox/messages", bearer, _find),)
