"""Read mail addresses and give each mailbox one key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

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
#: Mailboxes whose name is the same in large and small letters (RFC 2142).
SHARED = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
LONGEST_SHARED = max(map(len, SHARED))
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LABEL = r"(?!..--)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
TOP = r"(?!..--|(?i:arpa|invalid|local|localhost|onion|test)\Z)(?:[a-zA-Z0-9][a-zA-Z0-9-]{0,61})?[a-zA-Z]"
#: An address that needs no second look: a dot-atom at a domain of plain labels (RFC 5321 section 4.1.2).
PLAIN_LOCAL = re.compile(r"[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~]+(?:\.[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~]+)*")
PLAIN_DOMAIN = re.compile(rf"(?:{LABEL}\.)+{TOP}")
MANY = 65_536  # domains, cells: as many as a list is likely to repeat
MAX_LENGTH = 254  # bytes (RFC 5321 section 4.5.3.1.3)
#: What people mean who write this: whole domains, and last parts of a domain.
TYPOS: Mapping[str, str] = MappingProxyType(
    {
        "gmial.com": "gmail.com",
        "gmai.com": "gmail.com",
        "gmal.com": "gmail.com",
        "gamil.com": "gmail.com",
        "gnail.com": "gmail.com",
        "gmail.co": "gmail.com",
        "gmail.de": "gmail.com",
        "googlemail.co": "googlemail.com",
        "hotmial.com": "hotmail.com",
        "hotmai.com": "hotmail.com",
        "hotmal.com": "hotmail.com",
        "hotmail.co": "hotmail.com",
        "outlok.com": "outlook.com",
        "outloo.com": "outlook.com",
        "outlook.co": "outlook.com",
        "yaho.com": "yahoo.com",
        "yahooo.com": "yahoo.com",
        "yhaoo.com": "yahoo.com",
        "yahoo.co": "yahoo.com",
        "iclod.com": "icloud.com",
        "icloud.co": "icloud.com",
        "gmx.dee": "gmx.de",
        "web.dee": "web.de",
    }
)
TOP_TYPOS: Mapping[str, str] = MappingProxyType(
    {"con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "ogr": "org", "nte": "net"}
)


def read_mailbox(text: str) -> str:
    """Return a bare address in its normal form: the local part as it was given, the domain in ASCII.

    A local part with letters beyond ASCII stays as it is, in NFC; `needs_smtputf8` tells so.
    Raises PeopleError when the text is no address.
    """
    local, _, domain = text.partition("@")
    plain = _read_plain(domain)
    if not plain or len(text) > MAX_LENGTH or not PLAIN_LOCAL.fullmatch(local):
        return _read_odd(text.strip())
    if len(local) <= LONGEST_SHARED and local.lower() in SHARED:
        local = local.lower()
    return f"{local}@{plain}"


def needs_smtputf8(email: str) -> bool:
    """Whether only a provider that speaks SMTPUTF8 can carry mail there (RFC 6531)."""
    return not email.isascii()


def suggest(email: str) -> str:
    """Return what somebody probably meant who wrote this address; empty when nothing looks mistyped."""
    local, _, domain = email.rpartition("@")
    meant = _suggest(domain)
    return f"{local}@{meant}" if meant else ""


def read_name(text: str) -> str:
    """Return a name in NFC on one line; raises PeopleError for a line break or control character."""
    name = text.strip()
    if name.isascii() and name.isprintable():
        return name
    name = unicodedata.normalize("NFC", name)
    if CONTROL.search(name):
        raise PeopleError(f"the name {name!r} holds a line break or control character")
    return name


def read_address(text: str) -> Address:
    """Read `Name <mailbox>` or a bare mailbox, such as mail can be sent from; raises PeopleError."""
    found = NAMED.fullmatch(text if "<" in text else f"<{text}>")
    if not found:
        raise PeopleError(f"{text!r} is not an address; write: Name <name@example.org>")
    name = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    email = read_mailbox(found[3])
    if needs_smtputf8(email):
        raise PeopleError(f"{email!r} has letters beyond ASCII before @; few servers take mail from there")
    return Address(read_name(name), email)


def key_of(email: str) -> str:
    """The key under which a mailbox is stored once: two spellings of one mailbox are one person."""
    return email.lower() if email.isascii() else unicodedata.normalize("NFC", email).lower()


@lru_cache(MANY)
def _read_plain(domain: str) -> str:
    return domain.lower() if PLAIN_DOMAIN.fullmatch(domain) else ""


@lru_cache(MANY)
def _suggest(domain: str) -> str:
    name, _, top = domain.rpartition(".")
    return TYPOS.get(domain) or (f"{name}.{TOP_TYPOS[top]}" if top in TOP_TYPOS else "")


def _read_odd(text: str) -> str:
    if len(text) > MAX_LENGTH:  # a long one is not looked at any closer, nor shown
        raise PeopleError(f"{text[:40]!r}... is not a mail address: it has {len(text):,} characters")
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise PeopleError(f"{text!r} is not a mail address: {error}") from None
    return f"{found.local_part}@{found.ascii_domain}"
