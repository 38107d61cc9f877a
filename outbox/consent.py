"""The state machine of a subscriber: what may follow what, each step with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from .addresses import key_of
from .errors import PeopleError
from .model import Claim, Claims, Consent, ConsentEvent, Reason, Subscriber, write_attributes
from .store import Tx, erasure, evidence, incoming, subscribers, suppressions

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
#: From where the person's own new sign-up leads to pending, and to the question whether it was they.
OPEN = frozenset({Consent.PENDING, Consent.UNSUBSCRIBED})
NEEDS_BASIS = frozenset({Consent.PENDING, Consent.CONFIRMED})
REASONS: Mapping[str, Reason] = MappingProxyType({"bounce": "bounce", "complaint": "complaint"})
NOBODY = 2**31  # above every subscriber's number


class Change(StrEnum):
    """What became of one person who was put forward."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept as they are"  # the step is not allowed
    REPEATED = "repeated"  # stood in the same list before


def enlist(tx: Tx, claim: Claim, now: datetime, *, method: str = "", secrets: Sequence[str] = ()) -> Change:
    """Add a person or move their consent, if allowed; raises PeopleError for consent without a basis."""
    return enlist_all(tx, gather([claim]), now, method=method, secrets=secrets)[0]


def gather(claims: Iterable[Claim]) -> Claims:
    """Put claims beside each other, as `enlist_all` takes them."""
    rows = [
        (
            claim.email,
            key_of(claim.email),
            claim.name,
            claim.consent.value,
            claim.basis,
            claim.source,
            claim.given_at,
            claim.language,
            claim.time_zone,
            ",".join(claim.tags),
            write_attributes(claim.attributes),
        )
        for claim in claims
    ]
    return Claims(*map(list, zip(*rows, strict=True)))


def enlist_all(
    tx: Tx,
    people: Claims,
    now: datetime,
    *,
    method: str = "",
    secrets: Sequence[str] = (),
    first_id: int = NOBODY,
) -> list[Change]:
    """Add people or move their consent, each mailbox once; returns what became of each.

    Whoever has a number from `first_id` on came out of the same list, and is not changed by it again.
    `secrets` are those of the environment: by them an erased person is known, and kept out.
    Raises PeopleError for consent without a basis.
    """
    _refuse_baseless(people)
    barred = suppressions.find_barred(tx, people.key, secrets)
    ids = incoming.admit(tx, people, now, method=method, barred=barred)
    steps = _Steps(now, method, first_id)
    changes = [Change.ADDED] * len(people)
    if not all(ids):
        steps.known = subscribers.find_many(
            tx, [key for key, number in zip(people.key, ids, strict=True) if not number]
        )
        steps.tags = subscribers.tags_of_all(tx, [person.id for person in steps.known.values()])
        for place, number in enumerate(ids):
            if not number:
                changes[place] = steps.take(people.pick(place), people.key[place])
    if any(people.tags) or Consent.SUPPRESSED in people.consent:
        for place, number in enumerate(ids):
            if number and (people.tags[place] or people.consent[place] == Consent.SUPPRESSED):
                steps.welcome(people.pick(place), number)
    steps.write(tx)
    return changes


def sign_up(tx: Tx, people: Claims, now: datetime, *, form_sha: str) -> list[tuple[int, Consent]]:
    """Take sign-ups that came over one form, each mailbox once; says of each who it is and where they stand.

    Who is new, waits or has left is pending now, and is to be asked. Of who is confirmed nothing changes, for it may
    be anybody who typed the address. The number is 0 for a mailbox that is suppressed.
    """
    _refuse_baseless(people)
    barred = suppressions.find_barred(tx, people.key)
    ids = incoming.admit(tx, people, now, method="form", form_sha=form_sha, barred=barred)
    known = subscribers.find_many(
        tx, [key for key, number in zip(people.key, ids, strict=True) if not number]
    )
    standing, again, tags = list[tuple[int, Consent]](), list[ConsentEvent](), list[tuple[int, str]]()
    for place, number in enumerate(ids):
        person = known.get(people.key[place])
        if not number and (person is None or person.consent is Consent.SUPPRESSED):
            standing.append((0, Consent.SUPPRESSED))
        elif person and person.consent not in OPEN:
            standing.append((person.id, person.consent))
        else:
            claim = people.pick(place)
            standing.append((person.id if person else number, Consent.PENDING))
            tags += [(standing[-1][0], word) for word in claim.tags]
            if person:
                event = (Consent.PENDING, claim.basis, claim.source, claim.given_at, now, "form", form_sha)
                again.append(ConsentEvent(person.id, *event))
    evidence.append(tx, again)
    subscribers.follow(tx, again)
    subscribers.add_tags(tx, _new_tags(tx, tags, again))
    return standing


def _new_tags(
    tx: Tx, tags: Sequence[tuple[int, str]], again: Sequence[ConsentEvent]
) -> list[tuple[int, str]]:
    has = subscribers.tags_of_all(tx, [event.subscriber_id for event in again])
    return [pair for pair in dict.fromkeys(tags) if pair[1] not in has.get(pair[0], ())]


def confirm(tx: Tx, person: Subscriber, *, source: str, now: datetime) -> bool:
    """Take the person's yes, with the words they agreed to; False when there was nothing to be asked."""
    asked = next(
        (e for e in reversed(evidence.events_of(tx, person.id)) if e.consent is Consent.PENDING), None
    )
    if person.consent is not Consent.PENDING or asked is None:
        return False
    given = (
        Consent.CONFIRMED,
        asked.basis,
        source,
        now.isoformat(timespec="seconds"),
        now,
        "link",
        asked.form_sha,
    )
    subscribers.record(tx, ConsentEvent(person.id, *given))
    return True


def unsubscribe_all(
    tx: Tx, people: Sequence[Subscriber], told: Mapping[int, tuple[str, str]], *, source: str, now: datetime
) -> list[int]:
    """As `unsubscribe` for many, each with a basis and a method of their own; the numbers of those who had not gone."""
    leaving = {person.id for person in people if Consent.UNSUBSCRIBED in NEXT[person.consent]}
    gone = [
        ConsentEvent(number, Consent.UNSUBSCRIBED, told[number][0], source, "", now, told[number][1])
        for number in sorted(leaving)
    ]
    evidence.append(tx, gone)
    subscribers.follow(tx, gone)
    return [event.subscriber_id for event in gone]


def _refuse_baseless(people: Claims) -> None:
    for place, basis in enumerate(people.basis):
        if not basis and people.consent[place] in NEEDS_BASIS:
            raise PeopleError(
                f"{people.email[place]}: no basis of consent; say what the person agreed to, and when"
            )


def unsubscribe(tx: Tx, person: Subscriber, *, source: str, now: datetime, method: str = "") -> bool:
    """Let a person go, at once and for every send; False when they had gone before."""
    return _move(
        tx, person, Consent.UNSUBSCRIBED, "asked to be left out", source=source, now=now, method=method
    )


def suppress(tx: Tx, email: str, reason: Reason, *, source: str, now: datetime, method: str = "") -> bool:
    """Never write to a mailbox again, whoever it belongs to; False when that was so before."""
    person = subscribers.find(tx, email)
    barred = suppressions.suppress(tx, email, reason, now)
    return (
        person is not None
        and _move(tx, person, Consent.SUPPRESSED, reason, source=source, now=now, method=method)
    ) or barred


def erase(
    tx: Tx, person: Subscriber, secrets: Sequence[str], *, source: str, now: datetime, method: str = "command"
) -> None:
    """Forget a person for good; what stays is a keyed hash of their mailbox, and evidence without a name."""
    key = key_of(person.email)
    _move(tx, person, Consent.ERASED, "asked to be forgotten", source=source, now=now, method=method)
    erasure.forget(tx, person.id)
    suppressions.forget(tx, key, suppressions.all_secrets(tx, secrets), now)


def _move(
    tx: Tx, person: Subscriber, to: Consent, basis: str, *, source: str, now: datetime, method: str
) -> bool:
    if to not in NEXT[person.consent]:
        return False
    subscribers.record(tx, ConsentEvent(person.id, to, basis, source, "", now, method))
    return True


@dataclass(slots=True)
class _Steps:
    """What a list of claims comes to, gathered so that it is written at once."""

    now: datetime
    method: str
    first_id: int
    known: Mapping[str, Subscriber] = field(default_factory=dict)
    tags: Mapping[int, Sequence[str]] = field(default_factory=dict)
    moved: list[ConsentEvent] = field(default_factory=list)
    people: list[Subscriber] = field(default_factory=list)
    new_tags: list[tuple[int, str]] = field(default_factory=list)
    barred: list[Claim] = field(default_factory=list)

    def welcome(self, claim: Claim, number: int) -> None:
        """See to a new person's tags and suppression."""
        self._tag(claim, number)
        if claim.consent is Consent.SUPPRESSED:
            self.barred.append(claim)

    def take(self, claim: Claim, key: str) -> Change:
        """Weigh a claim about somebody who is known, or barred."""
        person = self.known.get(key)
        if person is None:
            return Change.SAME if claim.consent is Consent.SUPPRESSED else Change.KEPT
        if person.id >= self.first_id:
            return Change.REPEATED
        steps = claim.consent in NEXT[person.consent]
        if not steps and claim.consent is not person.consent:
            return Change.KEPT
        if steps:
            evident = (claim.consent, claim.basis, claim.source, claim.given_at, self.now, self.method)
            self.moved.append(ConsentEvent(person.id, *evident))
            self.barred += [claim] if claim.consent is Consent.SUPPRESSED else []
        now = merge(person, claim)
        if now != person:
            self.people.append(now)
        return Change.CHANGED if self._tag(claim, person.id) or steps or now != person else Change.SAME

    def write(self, tx: Tx) -> None:
        """Write it all down."""
        evidence.append(tx, self.moved)
        subscribers.follow(tx, self.moved)
        subscribers.change(tx, self.people)
        subscribers.add_tags(tx, self.new_tags)
        for claim in self.barred:
            suppressions.suppress(tx, claim.email, REASONS.get(claim.basis, "request"), self.now)

    def _tag(self, claim: Claim, number: int) -> bool:
        if not claim.tags:
            return False
        has = self.tags.get(number, ())
        new = [(number, word) for word in dict.fromkeys(claim.tags) if word not in has]
        self.new_tags += new
        return bool(new)


def merge(person: Subscriber, claim: Claim) -> Subscriber:
    """The person with what a claim says of them; what it leaves out stays."""
    return replace(
        person,
        name=claim.name or person.name,
        language=claim.language or person.language,
        time_zone=claim.time_zone or person.time_zone,
        attributes={**person.attributes, **claim.attributes} if claim.attributes else person.attributes,
    )
