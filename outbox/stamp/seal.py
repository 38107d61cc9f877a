"""Make the word that says whose copy a book is, to nobody but this outbox, and read it."""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import pack, unpack

from outbox.errors import BadSignature

TAG, NUMBER, BOOK = 13, 8, 4  # bytes: 25 in all, which are 40 letters without a rest
#: How a stamp looks wherever it stands. Its letters have no case that a program could change.
STAMP = re.compile(r"copy:[a-z2-7]{40}", re.IGNORECASE)
STAMP_BYTES = re.compile(STAMP.pattern.encode(), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose copy it is: a subscriber's number, and the first bytes of the SHA-256 of the book it was made from."""

    subscriber_id: int
    book: str  # hexadecimal


@dataclass(frozen=True, slots=True)
class Stamper:
    """Makes stamps for one list: the first secret seals, every secret can read, so that secrets can change.

    A stamp is the number and the book, hidden by a pad that follows from a keyed digest of both,
    and that digest (as in RFC 5297): the same copy has the same stamp, and two have nothing in common.
    """

    secrets: Sequence[str] = field(repr=False)
    list_id: str

    def make(self, subscriber_id: int, book: bytes) -> str:
        """The stamp of one reader's copy of `book`."""
        plain = pack(">Q", subscriber_id) + sha256(book).digest()[:BOOK]
        tag = self._digest(self.secrets[0], "tag", plain)[:TAG]
        sealed = tag + _mix(plain, self._digest(self.secrets[0], "pad", tag))
        return f"copy:{b32encode(sealed).decode().lower()}"

    def read(self, stamp: str) -> Owner:
        """Whose copy carries this stamp; raises BadSignature for one that this outbox did not make."""
        if not STAMP.fullmatch(stamp):
            raise BadSignature(f"{stamp[:60]!r} is no stamp")
        sealed = b32decode(stamp[5:].upper())
        for secret in self.secrets:
            plain = _mix(sealed[TAG:], self._digest(secret, "pad", sealed[:TAG]))
            if hmac.compare_digest(sealed[:TAG], self._digest(secret, "tag", plain)[:TAG]):
                return Owner(unpack(">Q", plain[:NUMBER])[0], plain[NUMBER:].hex())
        raise BadSignature(f"{stamp} was not made by this outbox, or not with its secrets")

    def _digest(self, secret: str, part: str, message: bytes) -> bytes:
        return hmac.digest(secret.encode(), f"stamp {part}\0{self.list_id}\0".encode() + message, "sha256")


def _mix(data: bytes, pad: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, pad, strict=False))
