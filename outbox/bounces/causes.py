"""Why mail failed, by status codes and by the words that servers write; the tables are in causes.toml."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from outbox.model import Cause, Firmness

#: Causes for which a mailbox is given up at once, if the failure is for good.
FIRM = frozenset({Cause.UNKNOWN_USER, Cause.UNKNOWN_HOST, Cause.INACTIVE, Cause.MOVED})
STATUS = re.compile(r"(?<![\d.])([45])\.([0-7])\.(\d{1,3})(?![\d.]*\d)")
REPLY = re.compile(
    r"(?<![\w.@/:-])([45][0-5][0-9])(?=[ \-#:;,)\]]|$)(?!\s*(?:[KM]B|k\b|bytes?))", re.MULTILINE
)
#: Words by which 5.1.1 is said of the sender, not of the recipient.
BLAMES_SENDER = re.compile(r"spam|black ?list|blocked (?:by|using)|reputation|\bdmarc\b", re.IGNORECASE)


def find_status(text: str) -> str:
    """The first enhanced status code of a failure in a text, such as 5.1.1; empty when there is none."""
    found = STATUS.search(text)
    return ".".join(found.groups()) if found else ""


def find_reply(text: str) -> str:
    """The first code of a server's refusal in a text, such as 550; empty when there is none."""
    found = REPLY.search(text)
    return found[1] if found else ""


def find_cause(status: str, text: str) -> Cause | None:
    """Why a message failed: by a code that says it, else by the words, else by a vague code; None: nobody knows."""
    kind, tables = status.partition(".")[2], _tables()
    if kind in tables["codes"] and not (kind == "1.1" and BLAMES_SENDER.search(text)):
        return Cause(tables["codes"][kind])
    vague = tables["vague"].get(kind) or tables["replies"].get(find_reply(text))
    return find_in_words(text) or (Cause(vague) if vague else None)


def find_in_words(text: str) -> Cause | None:
    """Why a message failed, as the words of a text say it."""
    return next((cause for cause, words in _words() if words.search(text)), None)


def find_firmness(status: str, cause: Cause | None, text: str = "") -> Firmness:
    """Hard when a mailbox is to be given up: the failure is for good, and its cause is the mailbox."""
    first = status[:1] or find_reply(text)[:1]
    return "hard" if cause in FIRM and first != "4" else "soft"


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("causes.toml").read_text("utf-8"))


@cache
def _words() -> list[tuple[Cause, re.Pattern[str]]]:
    rows = _tables()["words"]
    return [(Cause(row["cause"]), re.compile("|".join(row["patterns"]), re.IGNORECASE)) for row in rows]
