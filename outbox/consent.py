"""The state machine of a subscriber: what may follow what, each step with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from .errors import PeopleError
from .model import Consent, ConsentEvent, Subscriber
from .store import Tx, subscribers

#: Nobody is brought back by a list or a command: only the person's own new sign-up may do that.
NEXT: Mapping[Consent, frozenset[Consent]] = MappingProxyType(
    {
        Consent.PENDING: frozenset(
            {Consent.CONFIRMED, Consent.UNSUBSCRIBED, Consent.SUPPRESSED, Consent.ERASED}
        ),
        Consent.CONFIRMED: frozenset({Consent.UNSUBSCRIBED, Consent.SUPPRESSED, Consent.ERASED}),
        Consent.UNSUBSCRIBED: frozenset({Consent.SUPPRESSED, Consent.ERASED}),
        Consent.SUPPRESSED: frozenset({Consent.ERASED}),
        Consent.ERASED: frozenset(),
    }
)


class Change(StrEnum):
    """What became of one person who was put forward."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept as they are"  # the step is not allowed


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody put forward for the list: who, with what consent, on what basis."""

    email: str
    name: str
    consent: Consent
    basis: str
    source: str
    given_at: str = ""


def enlist(tx: Tx, claim: Claim, now: datetime) -> Change:
    """Add a person or move their consent, if allowed; raises PeopleError for consent without a basis."""
    if claim.consent in {Consent.PENDING, Consent.CONFIRMED} and not claim.basis:
        raise PeopleError(f"{claim.email}: no basis of consent; say what the person agreed to, and when")
    known = subscribers.find(tx, claim.email)
    person = known or subscribers.add(tx, claim.email, name=claim.name, now=now)
    renamed = bool(claim.name) and claim.name != person.name
    if renamed:
        subscribers.rename(tx, person.id, claim.name)
    if known is None or claim.consent in NEXT[known.consent]:
        subscribers.record(tx, _event(claim, person, now))
        return Change.CHANGED if known else Change.ADDED
    if known.consent == claim.consent:
        return Change.CHANGED if renamed else Change.SAME
    return Change.KEPT


def unsubscribe(tx: Tx, person: Subscriber, *, source: str, now: datetime) -> bool:
    """Let a person go, at once and for every send; False when they had gone before."""
    if Consent.UNSUBSCRIBED not in NEXT[person.consent]:
        return False
    claim = Claim(person.email, "", Consent.UNSUBSCRIBED, "asked to be left out", source)
    subscribers.record(tx, _event(claim, person, now))
    return True


def _event(claim: Claim, person: Subscriber, now: datetime) -> ConsentEvent:
    return ConsentEvent(person.id, claim.consent, claim.basis, claim.source, claim.given_at, now)
