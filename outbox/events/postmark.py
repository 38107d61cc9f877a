"""Postmark's events: one to a call, proven by user and password or by a header of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from outbox.model import Arrival, Cause, EventType, Firmness, Report

from .proof import check_secret
from .reading import find_outbox_id, judge, moment_of, part_of, read_object, sha_of, words_of

Meaning = tuple[EventType, Firmness, Cause | None]

RECORDS: Mapping[str, Meaning] = MappingProxyType(
    {
        "Delivery": (EventType.DELIVERED, "", None),
        "Open": (EventType.OPENED, "", None),
        "Click": (EventType.CLICKED, "", None),
        "Bounce": (EventType.BOUNCED, "soft", None),
        "SpamComplaint": (EventType.COMPLAINED, "", None),
        "SubscriptionChange": (EventType.UNSUBSCRIBED, "", None),
    }
)
#: https://postmarkapp.com/developer/api/bounce-api#bounce-types; also the reasons of a SubscriptionChange.
TYPES: Mapping[str, Meaning] = MappingProxyType(
    {
        "HardBounce": (EventType.BOUNCED, "hard", Cause.UNKNOWN_USER),
        "SoftBounce": (EventType.BOUNCED, "soft", None),
        "Transient": (EventType.DEFERRED, "", None),
        "DnsError": (EventType.DEFERRED, "", Cause.UNKNOWN_HOST),
        "OpenRelayTest": (EventType.DEFERRED, "", None),  # the receiver tests Postmark
        "VirusNotification": (EventType.BOUNCED, "soft", Cause.CONTENT),
        "SpamNotification": (EventType.COMPLAINED, "", Cause.SPAM),
        "SpamComplaint": (EventType.COMPLAINED, "", None),
        "Unsubscribe": (EventType.UNSUBSCRIBED, "", None),
        "ManualSuppression": (EventType.UNSUBSCRIBED, "", None),
        "Subscribe": (EventType.SUBSCRIBED, "", None),
        "AutoResponder": (EventType.AUTO_REPLY, "", None),
        "AddressChange": (EventType.AUTO_REPLY, "", None),
        "ChallengeVerification": (EventType.AUTO_REPLY, "", None),
        "BadEmailAddress": (EventType.REFUSED, "hard", Cause.UNKNOWN_USER),
        "ManuallyDeactivated": (EventType.REFUSED, "soft", Cause.SUPPRESSED),
        "Unconfirmed": (EventType.REFUSED, "soft", None),
        "Blocked": (EventType.REFUSED, "soft", Cause.BLOCKED),
        "DMARCPolicy": (EventType.REFUSED, "soft", Cause.POLICY),
        "SMTPApiError": (EventType.REFUSED, "soft", None),
        "TemplateRenderingFailed": (EventType.REFUSED, "soft", Cause.CONTENT),
        "Unknown": (EventType.OTHER, "", None),
    }
)
UNKNOWN: Meaning = (EventType.OTHER, "", None)


class Postmark:
    """https://postmarkapp.com/developer/webhooks/webhooks-overview."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        check_secret(call.headers, secrets)

    def read(self, call: Arrival) -> list[Report]:
        said = read_object(call.body)
        type_, firmness, cause = _meaning(said)
        if firmness:
            firmness, cause = judge(firmness, said.get("Details"), cause=cause)
        return [
            Report(
                "postmark",
                # Only bounces have an id.
                f"{said['RecordType']}-{said['ID']}"
                if said.get("ID") and "RecordType" in said
                else sha_of(said),
                type_,
                _moment(said, call.at),
                find_outbox_id(part_of(said, "Metadata").get("outbox_id")),
                str(said.get("Email") or said.get("Recipient") or ""),
                firmness,
                cause,
                words_of(said.get("Details"), said.get("Description")) or words_of(said.get("RecordType")),
                str(said.get("MessageID") or ""),
            )
        ]


def _meaning(said: Mapping[str, Any]) -> Meaning:
    record = str(said.get("RecordType", ""))
    found = RECORDS.get(record, UNKNOWN)
    if record in {"Bounce", "SpamComplaint"}:
        return TYPES.get(str(said.get("Type")), found)
    if record == "SubscriptionChange":
        if not said.get("SuppressSending", True):
            return TYPES["Subscribe"]
        return TYPES.get(str(said.get("SuppressionReason")), found)
    return found


def _moment(said: Mapping[str, Any], default: datetime) -> datetime:
    names = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
    return moment_of(next((said[name] for name in names if name in said), ""), default)
