"""What a mail says of one letter that came back, and how the cause is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import Literal

from outbox.model import Cause, Firmness

from .causes import find_cause, find_firmness, find_reply, find_status
from .mail import decode

Kind = Literal["bounce", "delay", "complaint"]
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: Codes that say less than the words beside them.
HOLLOW = re.compile(r"[245]\.(?:0\.0|5\.0|[1-7]\.0)")
SHOWN = 300  # characters of what a server said
LOOKED_AT = 4000  # characters that are searched for a cause
LINES = 8  # below an address, what is said of it


@dataclass(frozen=True, slots=True)
class Returned:
    """What a mail says of one letter to one mailbox."""

    kind: Kind
    recipient: str  # empty where it does not say
    cause: Cause
    firmness: Firmness
    status: str  # enhanced code, or a server's reply; empty where there is none
    detail: str
    outbox_id: str = ""
    token: str = ""


def judge(kind: Kind, recipient: str, status: str, said: str, around: str) -> Returned:
    """Say why, by what is said of this mailbox, else by the whole mail."""
    said, around = said[:LOOKED_AT], around[:LOOKED_AT]
    cause = find_cause(status, said) if said or not HOLLOW.fullmatch(status or "x.0.0") else None
    cause = cause or find_cause(status or find_status(around), around)
    if kind == "delay" and cause in {None, Cause.OTHER}:
        cause = Cause.EXPIRED
    cause = cause or Cause.OTHER
    status = status or find_status(around) or find_reply(said) or find_reply(around)
    firmness: Firmness = (
        "" if kind == "delay" else find_firmness(status if "." in status else "", cause, said or around)
    )
    return Returned(kind, recipient, cause, firmness, status, one_line(said or around))


def find_around(text: str, address: str) -> str:
    """What a mail says of an address: its line, and some below, up to the next address that stands alone."""
    lines = text.splitlines()
    place = next((at for at, line in enumerate(lines) if address and address.lower() in line.lower()), None)
    if place is None:
        return text
    found = [lines[place]]
    for line in lines[place + 1 : place + 1 + LINES]:
        other = re.match(rf"\s*<?({ADDRESS.pattern})>?:?\s*$", line)
        if other and other[1].lower() != address.lower():
            break
        found.append(line)
    said = "\n".join(found)
    bare = said.replace(address, "")
    return said if find_status(bare) or find_cause("", bare) else text


def header_of(message: Message | None, name: str) -> str:
    return decode(message.get(name, "")) if message is not None else ""


def list_addresses(text: str) -> list[str]:
    return [one for one in dict.fromkeys(map(clean, ADDRESS.findall(text))) if "@" in one[1:]]


def clean(address: str) -> str:
    return address.strip(".'\"`=/?*{}|&").removeprefix("mailto:").removeprefix("3D")


def one_line(text: str) -> str:
    return " ".join(text.split())[:SHOWN]
