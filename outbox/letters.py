"""Letters to one person: put one in, and what each kind of letter may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from .model import Consent, OnUnknown
from .store import Tx
from .store import letters as queue


@dataclass(frozen=True, slots=True)
class Manner:
    """How a letter is sent: to whom, what becomes of it in doubt, and whether one can leave by it."""

    consent: Consent = Consent.CONFIRMED
    on_unknown: OnUnknown = "hold"
    list_mail: bool = True  # offers to leave
    confirms: bool = False  # must hold the link that confirms


#: By name. A confirmation that comes twice does no harm, one that is lost does (docs/delivering.md).
MANNERS: Mapping[str, Manner] = MappingProxyType(
    {
        "confirm": Manner(Consent.PENDING, "resend", list_mail=False, confirms=True),
        "reminder": Manner(Consent.PENDING, "resend", list_mail=False, confirms=True),
        "welcome": Manner(on_unknown="resend"),
        "link": Manner(on_unknown="resend"),  # to somebody who asked for their own link
        "gift": Manner(on_unknown="resend"),  # a new link to the book, for one that has had its day
        "goodbye": Manner(Consent.UNSUBSCRIBED, list_mail=False),
    }
)
OTHER = Manner()
#: Fields that only letters have, and the page that each leads to; a token follows it.
LINKS: Mapping[str, str] = MappingProxyType({"confirm_url": "confirm", "gift_url": "gift"})


def manner_of(name: str) -> Manner:
    """How the letter of this name is sent."""
    return MANNERS.get(name, OTHER)


def queue_letter(tx: Tx, name: str, subscriber_id: int, *, key: str, due_at: datetime, now: datetime) -> bool:
    """Have a letter of build/letters/<name>/ go to one person; False when this key was queued before.

    `key` says what it is once of, such as `confirm:7:1`: nothing is ever sent twice under one. Who may
    not have the letter when it is due gets none (MANNERS), and the row says why.
    """
    return queue.queue(tx, [(key, name, subscriber_id, due_at)], now) > 0
