"""The events of `outbox sandbox`: several to a call, signed as Standard Webhooks are."""

from __future__ import annotations

from collections.abc import Sequence

from outbox.model import Arrival, Cause, EventType, Report

from .proof import check_standard
from .reading import find_outbox_id, moment_of, read_object, words_of


class Sandbox:
    """Speaks our own vocabulary."""

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        check_standard(call.headers, call.body, secrets, call.at, "webhook")

    def read(self, call: Arrival) -> list[Report]:
        return [
            Report(
                "sandbox",
                str(one["id"]),
                EventType(one["type"]) if one["type"] in set(EventType) else EventType.OTHER,
                moment_of(one.get("at"), call.at),
                find_outbox_id(one.get("outbox_id")),
                str(one.get("email", "")),
                one.get("firmness", ""),
                Cause(one["cause"]) if one.get("cause") else None,
                words_of(one.get("detail")) or words_of(one["type"]),
                str(one.get("message", "")),
            )
            for one in read_object(call.body)["events"]
        ]
