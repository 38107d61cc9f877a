"""Sign the links of pages and messages, and read them back."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from .errors import BadSignature, ExpiredLink

LENGTH = 22  # characters of base64: 132 bits
KEY = 2  # characters that say which secret signed
HOUR = 3600  # seconds; a link's end is counted in whole hours, which keeps it short
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TOKEN = re.compile(r"([A-Za-z0-9]{1,64})-([0-9a-z]{1,8})-([A-Za-z0-9_-]{24})")
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs ids for one list: the first secret signs, every secret can read, so that secrets can change."""

    secrets: Sequence[str] = field(repr=False)
    list_id: str

    def sign(self, purpose: str, subscriber_id: int, *, expires: datetime | None = None) -> str:
        """Return `<id>-<end>-<key><signature>`: no address in it, hard to forge (RFC 8058 section 4).

        Without `expires` it is good for ever, else until the end of that hour.
        """
        return self.sign_words(purpose, str(subscriber_id), expires=expires)

    def read(self, purpose: str, token: str, now: datetime | None = None) -> int:
        """Return the subscriber's id; raises BadSignature for a token forged or made for another purpose.

        Raises ExpiredLink, which names the subscriber, for one whose time is over at `now`.
        """
        words = self.read_words(purpose, token, now)
        if not NUMBER.fullmatch(words):
            raise BadSignature
        return int(words)

    def sign_words(self, purpose: str, words: str, *, expires: datetime | None = None) -> str:
        """As `sign`, for up to 64 letters and digits instead of a number."""
        end = _write_number(int(expires.timestamp()) // HOUR + 1) if expires else "0"
        secret = self.secrets[0]
        return f"{words}-{end}-{_name(secret)}{self._seal(secret, purpose, words, end)}"

    def read_words(self, purpose: str, token: str, now: datetime | None = None) -> str:
        """As `read`, for what `sign_words` signed."""
        found = TOKEN.fullmatch(token)
        if not found:
            raise BadSignature
        words, end, seal = found.groups()
        if not any(self._is_sealed(secret, purpose, words, end, seal) for secret in self.secrets):
            raise BadSignature
        if now and end != "0" and now.timestamp() >= int(end, 36) * HOUR:
            raise ExpiredLink(words)
        return words

    def _is_sealed(self, secret: str, purpose: str, words: str, end: str, seal: str) -> bool:
        return seal[:KEY] == _name(secret) and hmac.compare_digest(
            seal[KEY:], self._seal(secret, purpose, words, end)
        )

    def _seal(self, secret: str, purpose: str, words: str, end: str) -> str:
        signed = f"{purpose}\0{self.list_id}\0{words}\0{end}".encode()
        digest = hmac.digest(secret.encode(), signed, "sha256")
        return urlsafe_b64encode(digest).decode()[:LENGTH]


def _name(secret: str) -> str:
    """By which a secret is found without trying all of them; it tells nothing of the secret."""
    return urlsafe_b64encode(sha256(b"name\0" + secret.encode()).digest()).decode()[:KEY]


def _write_number(number: int) -> str:
    digits = ""
    while number:
        number, place = divmod(number, len(DIGITS))
        digits = DIGITS[place] + digits
    return digits
