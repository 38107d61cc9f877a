"""What a dialect is, and what all of them need to read a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, Literal, cast

from ..journal import Journal, Message

Verdict = Literal["accepted", "inactive", "invalid"]
Item = tuple[str, Verdict, Message]  # the id given, what became of it, the message

TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
BREVO_FILES = frozenset(
    ["pdf", "png", "jpg", "jpeg", "gif", "txt", "csv", "ics", "zip", "docx", "mobi", "html", "mp3"]
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Refusal(Exception):
    """The provider would not take this."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one endpoint takes messages."""

    name: str
    path: str  # pattern
    token: Callable[[Call], str]  # who calls; empty: nobody we know
    read: Callable[[Call], list[Message]]
    limit: int
    answer: Callable[[Sequence[Item]], Any]
    refuse: Callable[[int, str], Any]
    atomic: bool  # one bad message refuses all
    key: Callable[[Call], str] = lambda _: ""  # of a call that may be repeated


@dataclass(frozen=True, slots=True)
class Search:
    """How an endpoint is asked what was accepted."""

    path: str
    token: Callable[[Call], str]
    find: Callable[[Journal, Call, float], Any]


def verdict_of(message: Message) -> Verdict:
    """What becomes of a message, by its mailbox: `inactive+...` and `invalid+...` are refused."""
    word = message.email.partition("+")[0]
    return cast("Verdict", word) if word in {"inactive", "invalid"} else "accepted"


def read_json(call: Call) -> Any:
    try:
        return json.loads(call.body)
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None


def mailbox_of(shown: str) -> str:
    found = parseaddr(shown)[1]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", found) or not found.isascii():
        raise Refusal(422, f"{shown!r} is not a mail address")
    return found


def bearer(call: Call) -> str:
    return call.headers.get("authorization", "").partition("Bearer ")[2]


def basic(call: Call) -> str:
    return call.headers.get("authorization", "").partition("Basic ")[2]


def say_plainly(status: int, words: str) -> Any:
    return {"message": words, "status": status}


def key_header(call: Call) -> str:
    return call.headers.get("idempotency-key", "")


def say_account(_: Journal, __: Call, ___: float) -> Any:
    """What the owner of an account may see of it."""
    return {"name": "sandbox"}
