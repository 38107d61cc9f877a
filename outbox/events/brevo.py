"""Brevo's events: one to a call, proven by a token, by user and password, or by a header of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from outbox.model import Arrival, Cause, EventType, Firmness, Report

from .proof import check_secret
from .reading import find_outbox_id, judge, moment_of, read_object, sha_of, words_of

TYPES: Mapping[str, tuple[EventType, Firmness]] = MappingProxyType(
    {
        "request": (EventType.ACCEPTED, ""),
        "delivered": (EventType.DELIVERED, ""),
        "deferred": (EventType.DEFERRED, ""),
        "hard_bounce": (EventType.BOUNCED, "hard"),
        "soft_bounce": (EventType.BOUNCED, "soft"),
        "invalid_email": (EventType.BOUNCED, "hard"),
        "blocked": (EventType.REFUSED, "soft"),
        "error": (EventType.REFUSED, "soft"),
        "spam": (EventType.COMPLAINED, ""),
        "complaint": (EventType.COMPLAINED, ""),
        "unsubscribe": (EventType.UNSUBSCRIBED, ""),
        "unsubscribed": (EventType.UNSUBSCRIBED, ""),
        "list_addition": (EventType.SUBSCRIBED, ""),
        "opened": (EventType.OPENED, ""),
        "unique_opened": (EventType.OPENED, ""),
        "proxy_open": (EventType.OPENED, ""),
        "unique_proxy_open": (EventType.OPENED, ""),
        "click": (EventType.CLICKED, ""),
    }
)


class Brevo:
    """https://developers.brevo.com/docs/transactional-webhooks."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        check_secret(call.headers, secrets)

    def read(self, call: Arrival) -> list[Report]:
        said = read_object(call.body)
        name = str(said.get("event", ""))
        type_, firmness = TYPES.get(name, (EventType.OTHER, ""))
        cause = None
        if firmness:
            bad = Cause.UNKNOWN_USER if name == "invalid_email" else None
            firmness, cause = judge(firmness, said.get("reason"), cause=bad)
        return [
            Report(
                "brevo",
                sha_of(said),
                type_,
                _moment(said, call.at),
                find_outbox_id(said.get("X-Mailin-custom")),
                str(said.get("email") or ""),
                firmness,
                cause,
                words_of(said.get("reason")) or words_of(name),
                str(said.get("message-id") or ""),
            )
        ]


def _moment(said: Mapping[str, Any], default: datetime) -> datetime:
    """Only `ts_epoch`, in milliseconds, is in UTC; the others follow the account's time zone."""
    epoch = said.get("ts_epoch")
    return moment_of(epoch / 1000 if isinstance(epoch, int | float) else "", default)
