"""Say in a line what an import would change about a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from outbox.addresses import key_of
from outbox.consent import Change, merge
from outbox.model import Claim, Claims, Subscriber

SIGNS: Mapping[Change, str] = {Change.ADDED: "+", Change.CHANGED: "~", Change.KEPT: "!"}


def tell_differences(
    claims: Claims, changes: Sequence[Change], before: Mapping[str, Subscriber]
) -> Iterator[str]:
    """Yield a line for everyone who would be added, changed, or kept though the list says otherwise."""
    for place, change in enumerate(changes):
        if change in SIGNS:
            claim = claims.pick(place)
            yield f"{SIGNS[change]} {claim.email}: {_say(claim, change, before.get(key_of(claim.email)))}"


def _say(claim: Claim, change: Change, person: Subscriber | None) -> str:
    if person is None:
        return f"{claim.consent}, {claim.basis}" if change is Change.ADDED else "is never written to again"
    if change is Change.KEPT:
        return f"stays {person.consent}; the list says {claim.consent}"
    after = merge(person, claim)
    said = [] if claim.consent is person.consent else [f"{person.consent} -> {claim.consent}"]
    for field in ("name", "language", "time_zone", "attributes"):
        was, now = getattr(person, field), getattr(after, field)
        if was != now:
            said.append(f"{field} {was or 'none'} -> {now}")
    return ", ".join([*said, *(f"tag {tag}" for tag in claim.tags)])
