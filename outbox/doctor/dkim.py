"""Read DKIM keys: what a receiver checks a signature with, and how long it is (RFC 6376, RFC 8463)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

from .names import Names

SEQUENCE, INTEGER = 0x30, 0x02  # tags of DER


class DkimError(Exception):
    """No signature can be checked with what is there."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key. An Ed25519 key is short and strong, so `bits` speaks of RSA alone."""

    selector: str
    domain: str
    kind: str
    bits: int
    testing: bool  # receivers are asked to take no notice of it


def read_key(names: Names, selector: str, domain: str) -> Key:
    """The key of a selector; raises DkimError saying what is wrong, NoAnswer."""
    name = f"{selector}._domainkey.{domain}"
    found = [tags for tags in map(read_tags, names.texts(name)) if "p" in tags]
    if len(found) != 1:
        raise DkimError(f"{name} has {len(found) or 'no'} keys" if found else f"{name} has no key")
    tags = found[0]
    kind = tags.get("k", "rsa").lower()
    if not tags["p"]:
        raise DkimError(f"the key at {name} was withdrawn")
    if kind not in {"rsa", "ed25519"}:
        raise DkimError(f"the key at {name} is of kind {kind!r}, which receivers do not know")
    try:
        der = b64decode("".join(tags["p"].split()), validate=True)
        bits = count_bits(der) if kind == "rsa" else 8 * len(der)
    except (ValueError, IndexError):
        raise DkimError(f"the key at {name} cannot be read; copy it again, whole") from None
    return Key(selector, domain, kind, bits, "y" in tags.get("t", "").split(":"))


def read_tags(text: str) -> dict[str, str]:
    """The tags of a record: `v=DKIM1; k=rsa; p=...` (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, sign, value in pairs if sign}


def count_bits(der: bytes) -> int:
    """The length of an RSA key: of its modulus, in SubjectPublicKeyInfo or bare (RFC 6376 section 3.6.1).

    Raises ValueError or IndexError for what is none.
    """
    tag, first, rest = _open(_open(der)[1])
    if tag == SEQUENCE:  # says that it is RSA; the key itself lies in the bit string behind
        tag, first, _ = _open(_open(_open(rest)[1][1:])[1])
    if tag != INTEGER:
        raise ValueError("no RSA key")
    return int.from_bytes(first, "big").bit_length()


def _open(der: bytes) -> tuple[int, bytes, bytes]:
    """The first element of DER: its tag, what is in it, and what follows it."""
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        raise ValueError("cut off")
    return der[0], der[start : start + size], der[start + size :]
