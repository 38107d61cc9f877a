"""What a visitor's act does on the list, and which letters follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from outbox import consent
from outbox.addresses import key_of
from outbox.consent import gather
from outbox.model import Claim, Consent, Subscriber
from outbox.store import Tx, evidence, letters, subscribers, wishes
from outbox.store.wishes import Asked

from .desk import WebDesk

DAY = timedelta(days=1)
MAX_DOUBLINGS = 8  # after that, a letter in 256 days
LEFT = "asked to be left out"
ONE_CLICK = "one-click"


@dataclass(frozen=True, slots=True)
class Visit:
    """One sign-up that passed all checks; `source` is the page it came from."""

    email: str
    name: str
    language: str
    topics: tuple[str, ...]
    source: str
    form_sha: str


class Standing(StrEnum):
    """What a link to confirm leads to."""

    OPEN = "open"  # may be confirmed
    DONE = "done"  # was confirmed
    LATE = "late"  # was asked too long ago
    GONE = "gone"  # leads to nobody, or to somebody who has left


def join_all(desk: WebDesk, tx: Tx, visits: Sequence[Visit]) -> list[None]:
    """Take sign-ups in, and have the letter written to each in which they are asked whether it was they.

    Nothing that is told to the visitor depends on what happens here.
    """
    now = desk.clock()
    once = {key_of(visit.email): visit for visit in reversed(visits)}
    by_form = sorted(once.values(), key=attrgetter("form_sha"))
    for sha, some in groupby(by_form, attrgetter("form_sha")):
        standing = consent.sign_up(tx, gather(map(_claim, some)), now, form_sha=sha)
        ask(desk, tx, [number for number, where in standing if where is Consent.PENDING], now)
        send_links(tx, [number for number, where in standing if where is Consent.CONFIRMED], now)
    return [None] * len(visits)


def _claim(visit: Visit) -> Claim:
    return Claim(
        visit.email, visit.name, Consent.PENDING, "agreed to what the sign-up form says", visit.source,
        language=visit.language, tags=visit.topics,
    )  # fmt: skip


def ask(desk: WebDesk, tx: Tx, ids: list[int], now: datetime) -> None:
    """Have these people asked to confirm, as far as they were not asked a short time ago; and reminded, once ever."""
    before = wishes.asked_of(tx, "confirm", ids)
    asked = {number: before.get(number, Asked()) for number in ids}
    due = [number for number in ids if _may_write(asked[number], now)]
    rows = [(f"confirm:{number}:{asked[number].times + 1}", "confirm", number, now) for number in due]
    if days := desk.settings.sign_up.reminder_days:
        rows += [(f"reminder:{number}", "reminder", number, now + days * DAY) for number in due]
    wishes.count_asked(tx, "confirm", due, now)
    letters.queue(tx, rows, now)


def send_links(tx: Tx, ids: list[int], now: datetime) -> None:
    """Have these people sent the link to their preferences, as far as that was not done a short time ago."""
    before = wishes.asked_of(tx, "link", ids)
    asked = {number: before.get(number, Asked()) for number in ids}
    due = [number for number in ids if _may_write(asked[number], now)]
    wishes.count_asked(tx, "link", due, now)
    letters.queue(
        tx, [(f"link:{number}:{asked[number].times + 1}", "link", number, now) for number in due], now
    )


def _may_write(asked: Asked, now: datetime) -> bool:
    """Each further letter that somebody asks for waits twice as long as the one before: a day, two, four."""
    wait = DAY * 2 ** min(asked.times - 1, MAX_DOUBLINGS) if asked.times else timedelta()
    return asked.last_at is None or now >= asked.last_at + wait


def send_link(tx: Tx, email: str, now: datetime) -> None:
    """Have somebody sent the link that they lost, if they are on the list."""
    person = subscribers.find(tx, email)
    if person and person.consent is Consent.CONFIRMED:
        send_links(tx, [person.id], now)


def find_standing(desk: WebDesk, tx: Tx, person: Subscriber | None, now: datetime) -> Standing:
    """What a person's link to confirm leads to just now."""
    if person is None or person.consent not in {Consent.PENDING, Consent.CONFIRMED}:
        return Standing.GONE
    if person.consent is Consent.CONFIRMED:
        return Standing.DONE
    asked = max(event.at for event in evidence.events_of(tx, person.id) if event.consent is Consent.PENDING)
    return Standing.OPEN if now - asked < desk.settings.sign_up.confirm_days * DAY else Standing.LATE


def confirm(desk: WebDesk, tx: Tx, token: str) -> tuple[Standing, Subscriber | None]:
    """Take a person's yes and have the letter of welcome written; a second yes changes nothing."""
    now, person = desk.clock(), subscribers.find_by_token(tx, token)
    standing = find_standing(desk, tx, person, now)
    if person is None or standing is not Standing.OPEN:
        return standing, person
    consent.confirm(tx, person, source=f"{desk.settings.envelope.base_url}/confirm", now=now)
    times = wishes.asked_of(tx, "confirm", [person.id]).get(person.id, Asked()).times
    letters.queue(tx, [(f"welcome:{person.id}:{times}", "welcome", person.id, now)], now)
    return Standing.DONE, person


@dataclass(frozen=True, slots=True)
class Leaving:
    """One wish to leave: by whose link, how, and why if they say."""

    token: str
    method: str  # ONE_CLICK: a mail program's; link: on the page
    reason: str = ""


def leave_all(desk: WebDesk, tx: Tx, leaving: Sequence[Leaving]) -> list[None]:
    """Let people go who press the button in their mail program or on the page, each once.

    Only who pressed the button of the page gets a goodbye: after the click in a mail program nothing may come.
    A token of nobody changes nothing: that of a test letter, or of a person who was erased.
    """
    now, source = desk.clock(), f"{desk.settings.envelope.base_url}/unsubscribe"
    people = subscribers.find_by_tokens(tx, [one.token for one in leaving])
    told = {people[one.token].id: one for one in reversed(leaving) if one.token in people}
    basis = {
        number: (f"{LEFT}: {one.reason}" if one.reason else LEFT, one.method) for number, one in told.items()
    }
    gone = consent.unsubscribe_all(tx, [*people.values()], basis, source=source, now=now)
    polite = [number for number in gone if told[number].method != ONE_CLICK]
    asked = wishes.asked_of(tx, "confirm", polite)
    rows = [
        (f"goodbye:{number}:{asked.get(number, Asked()).times}", "goodbye", number, now) for number in polite
    ]
    letters.queue(tx, rows, now)
    return [None] * len(leaving)
