"""Mailgun's events: one to a call; what is signed is a moment and a token, not what the call says."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from outbox.model import Arrival, Cause, EventType, Firmness, Report

from .proof import check_any, check_moment
from .reading import find_outbox_id, judge, moment_of, part_of, read_object, words_of

TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "accepted": EventType.ACCEPTED,
        "delivered": EventType.DELIVERED,
        "failed": EventType.BOUNCED,
        "rejected": EventType.REFUSED,
        "opened": EventType.OPENED,
        "clicked": EventType.CLICKED,
        "complained": EventType.COMPLAINED,
        "unsubscribed": EventType.UNSUBSCRIBED,
    }
)
#: Why Mailgun did not even try.
REASONS: Mapping[str, tuple[Firmness, Cause]] = MappingProxyType(
    {
        "suppress-bounce": ("hard", Cause.SUPPRESSED),
        "suppress-complaint": ("hard", Cause.SUPPRESSED),
        "suppress-unsubscribe": ("soft", Cause.SUPPRESSED),
        "old": ("soft", Cause.EXPIRED),
        "espblock": ("soft", Cause.BLOCKED),
    }
)
#: A call that was not answered is repeated for eight hours. Its token counts once, ever, so that is safe.
REPEATS = timedelta(hours=9)


class Mailgun:
    """https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        signature = part_of(read_object(call.body), "signature")
        moment, token = str(signature.get("timestamp", "")), str(signature.get("token", ""))
        check_moment(moment, call.at, REPEATS)
        signed = [sign(secret, moment, token) for secret in secrets]
        check_any([str(signature.get("signature", ""))], signed)

    def read(self, call: Arrival) -> list[Report]:
        said = read_object(call.body)
        data = part_of(said, "event-data")
        type_ = TYPES.get(str(data.get("event")), EventType.OTHER)
        firmness, cause = _judge(type_, data)
        if type_ is EventType.BOUNCED and data.get("severity") == "temporary":
            type_, firmness = EventType.DEFERRED, ""
        status = part_of(data, "delivery-status")
        return [
            Report(
                "mailgun",
                str(part_of(said, "signature")["token"]),  # ids of events are unique for a day only
                type_,
                moment_of(data.get("timestamp"), call.at),
                find_outbox_id(part_of(data, "user-variables").get("outbox_id")),
                str(data.get("recipient") or ""),
                firmness,
                cause,
                words_of(
                    status.get("message"), status.get("description"), part_of(data, "reject").get("reason")
                )
                or words_of(data.get("event"), data.get("reason")),
                str(part_of(data, "message", "headers").get("message-id") or ""),
                proven=False,
            )
        ]


def sign(key: str, moment: str, token: str) -> str:
    """The signature of a call."""
    return hmac.digest(key.encode(), f"{moment}{token}".encode(), "sha256").hex()


def _judge(type_: EventType, data: Mapping[str, Any]) -> tuple[Firmness, Cause | None]:
    if type_ is not EventType.BOUNCED:
        return "", None
    if (known := REASONS.get(str(data.get("reason")))) is not None:
        return known
    status = part_of(data, "delivery-status")
    firmness: Firmness = "soft" if status.get("bounce-type") == "soft" else "hard"
    return judge(firmness, status.get("code"), status.get("message"), status.get("description"))
