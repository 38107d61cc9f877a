"""Mail that came back as events: for senders whose provider is a mail server and reports nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from hashlib import sha256
from types import MappingProxyType

from outbox import bounces
from outbox.errors import BadSignature
from outbox.model import Arrival, EventType, Report

TYPES: Mapping[bounces.Kind, EventType] = MappingProxyType(
    {"bounce": EventType.BOUNCED, "delay": EventType.DEFERRED, "complaint": EventType.COMPLAINED}
)


class Mailbox:
    """Anybody can write a mail, so a report counts only for the person whose letter it brings back."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:  # noqa: ARG002
        """Mail is taken out of a mailbox, never from whoever calls."""
        raise BadSignature("mail does not come this way")

    def read(self, call: Arrival) -> list[Report]:
        name = sha256(call.body).hexdigest()
        at = _moment(call)
        return [
            Report(
                "mailbox",
                f"{name}.{place}",
                TYPES[one.kind],
                at,
                one.outbox_id,
                one.recipient,
                one.firmness,
                one.cause,
                " ".join(filter(None, (one.status, one.detail))),
                proven=False,
                token=one.token,
            )
            for place, one in enumerate(bounces.read(call.body))
        ]


def _moment(call: Arrival) -> datetime:
    """When the mail says that it was written; a moment to come is none."""
    try:
        at = parsedate_to_datetime(str(message_from_bytes(call.body)["Date"]))
    except (ValueError, TypeError):
        return call.at
    return at if at.tzinfo and at <= call.at else call.at
