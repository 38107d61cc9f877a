"""Resend's events: one to a call, signed as Svix signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from outbox.model import Arrival, Cause, EventType, Firmness, Report

from .proof import check_standard
from .reading import find_outbox_id, judge, moment_of, part_of, read_object, words_of

TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "email.scheduled": EventType.ACCEPTED,
        "email.sent": EventType.ACCEPTED,
        "email.delivered": EventType.DELIVERED,
        "email.delivery_delayed": EventType.DEFERRED,
        "email.bounced": EventType.BOUNCED,
        "email.complained": EventType.COMPLAINED,
        "email.opened": EventType.OPENED,
        "email.clicked": EventType.CLICKED,
        "email.failed": EventType.REFUSED,
        "email.suppressed": EventType.REFUSED,
    }
)
CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "NoEmail": Cause.UNKNOWN_USER,
        "MailboxFull": Cause.FULL,
        "MessageTooLarge": Cause.TOO_LARGE,
        "ContentRejected": Cause.CONTENT,
        "AttachmentRejected": Cause.CONTENT,
    }
)


class Resend:
    """https://resend.com/docs/dashboard/webhooks/event-types."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        check_standard(call.headers, call.body, secrets, call.at, "svix")

    def read(self, call: Arrival) -> list[Report]:
        said = read_object(call.body)
        data, name = part_of(said, "data"), str(said.get("type", ""))
        type_ = TYPES.get(name, EventType.OTHER)
        told = part_of(data, "bounce") or part_of(data, "failed") or part_of(data, "suppressed")
        firmness, cause = _judge(name, told)
        to = data.get("to") or [""]
        return [
            Report(
                "resend",
                call.headers["svix-id"],  # stays the same when Resend repeats a call
                type_,
                moment_of(said.get("created_at"), call.at),
                _find_id(data),
                str(to if isinstance(to, str) else to[0]),
                firmness,
                cause,
                words_of(_diagnosis(told), told.get("message"), told.get("reason")) or words_of(name),
                str(data.get("email_id") or ""),
            )
        ]


def _judge(name: str, told: Mapping[str, Any]) -> tuple[Firmness, Cause | None]:
    if name == "email.suppressed":
        return "hard", Cause.SUPPRESSED
    if name != "email.bounced":
        return "", None
    firmness: Firmness = "hard" if told.get("type") == "Permanent" else "soft"
    known = CAUSES.get(str(told.get("subType")))
    return judge(firmness, _diagnosis(told), told.get("message"), cause=known)


def _diagnosis(told: Mapping[str, Any]) -> str:
    lines = told.get("diagnosticCode") or []
    return words_of(*(lines if isinstance(lines, list) else [lines]))


def _find_id(data: Mapping[str, Any]) -> str:
    """Tags go out as a list of names and values, and come back as an object."""
    tags = data.get("tags")
    if isinstance(tags, list):
        tags = {one.get("name"): one.get("value") for one in tags if isinstance(one, dict)}
    return find_outbox_id(tags.get("outbox_id")) if isinstance(tags, dict) else ""
