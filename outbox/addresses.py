"""Read mail addresses and give each mailbox one key."""

from __future__ import annotations

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from .errors import PeopleError
from .model import Address

#: Mail under these names cannot pass DMARC when somebody else sends it.
FREEMAIL = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "ymail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "aol.com",
        "icloud.com",
        "me.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "web.de",
        "proton.me",
        "protonmail.com",
        "mail.ru",
        "yandex.ru",
        "qq.com",
        "163.com",
    }
)
NAMED = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|([^"<>]*))\s*<([^<>]+)>\s*""")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def read_mailbox(text: str) -> str:
    """Return a bare address with its domain in ASCII.

    Raises PeopleError when it is none, or when its local part needs SMTPUTF8 (RFC 6531).
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise PeopleError(f"{text!r} is not a mail address: {error}") from None
    if not found.ascii_email:
        raise PeopleError(f"{text!r}: no provider carries letters beyond ASCII before @")
    return found.ascii_email


def read_name(text: str) -> str:
    """Return a name in NFC on one line; raises PeopleError for a line break or control character."""
    name = unicodedata.normalize("NFC", text.strip())
    if CONTROL.search(name):
        raise PeopleError(f"the name {name!r} holds a line break or control character")
    return name


def read_address(text: str) -> Address:
    """Read `Name <mailbox>` or a bare mailbox; raises PeopleError."""
    if "<" not in text:
        return Address("", read_mailbox(text))
    found = NAMED.fullmatch(text)
    if not found:
        raise PeopleError(f"{text!r} is not an address; write: Name <name@example.org>")
    name = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    return Address(read_name(name), read_mailbox(found[3]))


def key_of(email: str) -> str:
    """The key under which a mailbox is stored once: two spellings of one mailbox are one person."""
    return unicodedata.normalize("NFC", email).lower()
