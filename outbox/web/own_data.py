"""Everything that is known of one person, as they may have it (GDPR Art. 15 and 20)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from outbox.addresses import key_of
from outbox.store import Tx, downloads, evidence, ledger, letters, subscribers, suppressions, wishes


def gather_own_data(token: str, tx: Tx) -> dict[str, Any] | None:
    """What the database holds of the person of a link; None for a link that nobody has."""
    person = subscribers.find_by_token(tx, token)
    if person is None:
        return None
    events = evidence.events_of(tx, person.id)
    forms = evidence.forms_of(tx, events)
    return {
        **asdict(person),
        "tags": [*subscribers.tags_of(tx, person.id)],
        "suppressed": suppressions.reason_of(tx, key_of(person.email)),
        "preferences": asdict(wishes.find(tx, person.id)),
        "consent_events": [_tell(event, forms) for event in events],
        "messages": [asdict(one) for one in ledger.history(tx, person.id)],
        "downloads": [asdict(one) for one in downloads.find_downloads(tx, person.id)],
        "waiting_letters": [asdict(one) for one in letters.find_unsent(tx, person.id)],
    }


def _tell(event: Any, forms: dict[str, tuple[str, str]]) -> dict[str, Any]:
    told = msgspec.structs.asdict(event)
    if event.form_sha:
        told["form"] = dict(zip(("version", "text"), forms[event.form_sha], strict=True))
    return told
