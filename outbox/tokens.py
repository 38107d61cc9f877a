"""Sign the links in a message, and read them back."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import BadSignature

LENGTH = 22  # characters of base64: 132 bits


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs ids for one list: the first secret signs, every secret can read, so that secrets can change."""

    secrets: Sequence[str] = field(repr=False)
    list_id: str

    def sign(self, purpose: str, subscriber_id: int) -> str:
        """Return `<id>-<signature>`: no address in it, hard to forge, never expires (RFC 8058 section 4)."""
        return f"{subscriber_id}-{self._seal(self.secrets[0], purpose, str(subscriber_id))}"

    def read(self, purpose: str, token: str) -> int:
        """Return the subscriber's id; raises BadSignature for a token forged or made for another purpose."""
        number, _, seal = token.partition("-")
        seals = (self._seal(secret, purpose, number) for secret in self.secrets)
        good = [hmac.compare_digest(seal.encode(), expected.encode()) for expected in seals]
        if not any(good):
            raise BadSignature
        return int(number)

    def _seal(self, secret: str, purpose: str, number: str) -> str:
        signed = f"{purpose}\0{self.list_id}\0{number}".encode()
        digest = hmac.digest(secret.encode(), signed, "sha256")
        return urlsafe_b64encode(digest).decode()[:LENGTH]
