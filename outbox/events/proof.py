"""Prove that a call comes from the provider: passwords, signatures and moments, compared in constant time."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from outbox.errors import BadSignature

#: How far a signed moment may be from now (WH-2).
TOLERANCE = timedelta(minutes=5)


def check_secret(headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Raise BadSignature unless a secret came along: as user:password, as a token, or in X-Outbox-Secret."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    given = {"basic": _decode(value), "bearer": value.strip()}.get(kind.lower(), "")
    check_any([given, headers.get("x-outbox-secret", "")], secrets)


def check_any(given: Iterable[str], wanted: Iterable[str]) -> None:
    """Raise BadSignature unless one of these is one of those."""
    pairs = [(one, other) for one in given for other in wanted if other]
    same = [hmac.compare_digest(one.encode(), other.encode()) for one, other in pairs]
    if True not in same:  # each was compared: nobody learns by the time which it was
        raise BadSignature("the secret or signature is not right")


def check_moment(seconds: str, now: datetime, before: timedelta = TOLERANCE) -> None:
    """Raise BadSignature for a moment (seconds since 1970) that is not about now."""
    try:
        apart = now.timestamp() - float(seconds)
    except ValueError:
        apart = float("inf")
    if not -TOLERANCE.total_seconds() <= apart <= before.total_seconds():
        raise BadSignature("the call was signed at another time")


def check_standard(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime, prefix: str
) -> None:
    """Raise BadSignature unless the call is signed as Svix and Standard Webhooks do, under `prefix`.

    HMAC-SHA256 over id, moment and body; the header may hold several signatures, any of which may fit.
    """
    name, moment = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    check_moment(moment, now)
    given = [
        one.removeprefix("v1,") for one in headers.get(f"{prefix}-signature", "").split() if one[:3] == "v1,"
    ]
    check_any(given, [sign_standard(secret, name, moment, body) for secret in secrets])


def sign_standard(secret: str, name: str, moment: str, body: bytes) -> str:
    """The signature of a call, in base64; the secret is written `whsec_` and base64."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (Error, ValueError):
        return ""
    return b64encode(hmac.digest(key, f"{name}.{moment}.".encode() + body, "sha256")).decode()


def _decode(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode()
    except (Error, ValueError):
        return ""
