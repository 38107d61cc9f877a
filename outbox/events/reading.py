"""Read the JSON of a provider: texts, moments, names, and our own message's id in whatever form it comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from outbox.bounces.causes import FIRM, find_cause, find_status
from outbox.model import Cause, Firmness

#: Causes that say nothing for good of the mailbox.
LOOSE = frozenset(Cause) - FIRM - {Cause.OTHER, Cause.SUPPRESSED}
SHOWN = 300  # characters of a provider's words that are kept
#: Our id, as it is or as a tag, alone or within a Message-ID or a return address.
OUTBOX_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{16,32})[.-]([0-9]{1,9})(?![0-9])")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; raises ValueError or TypeError."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError("the body is no JSON object")
    return found


def find_outbox_id(text: object) -> str:
    """Our own id of the message; empty when there is none."""
    found = OUTBOX_ID.search(str(text or ""))
    return f"{found[1]}.{found[2]}" if found else ""


def part_of(whole: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """An object within objects; an empty one where it is missing."""
    found: Any = whole
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def words_of(*said: object) -> str:
    """What a provider said, on one line, each thing once."""
    parts = dict.fromkeys(" ".join(str(one).split()) for one in said if one)
    return " ".join(parts)[:SHOWN]


def judge(firmness: Firmness, *said: object, cause: Cause | None = None) -> tuple[Firmness, Cause | None]:
    """How firm a bounce is and why, by the provider's word and by what the receiving server said.

    What was refused for its content or its sender is no fault of the mailbox, for good or not.
    """
    text = words_of(*said)
    cause = cause or find_cause(find_status(text), text)
    return ("soft" if firmness == "hard" and cause in LOOSE else firmness), cause


def moment_of(said: object, default: datetime) -> datetime:
    """A moment in ISO 8601, or in seconds since 1970; the default where it is none."""
    try:
        if isinstance(said, int | float):
            return datetime.fromtimestamp(said, UTC)
        found = datetime.fromisoformat(str(said))
    except (ValueError, OverflowError, OSError):
        return default
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def sha_of(item: Any) -> str:
    """The digest that stands for an event without an id: the same thing told again has the same."""
    return sha256(json.dumps(item, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
