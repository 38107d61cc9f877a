"""Empty the letterbox: freeze the letters that are due, each into a send of its content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from uuid import uuid4

import msgspec

from . import issue as issues
from . import mailing
from .desk import Desk
from .errors import IssueError, OutboxError, Place
from .fields import KNOWN
from .gift import link_to, read_files
from .letters import LINKS, manner_of
from .model import Envelope, Gift, Issue, Send
from .store import Tx, freeze, instance_secret
from .store import issues as copies
from .store import letters as queue
from .store.letters import Queued
from .tokens import Signer

#: Letters taken in one transaction, and how many a send holds before another is opened.
AT_ONCE, FULL = 2_000, 10_000
WELCOME = "welcome"  # the letter that carries the book, where [gift] says attach
Filled = tuple[Queued, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where letters lie as the pipeline wrote them, and what all of them share."""

    folder: Path
    envelope: Envelope
    secrets: Sequence[str] = ()  # that sign links; without any, the database's own
    gift: Gift | None = None


def empty(desk: Desk, box: Letterbox, now: datetime) -> Iterator[OutboxError]:
    """Freeze every letter that is due; yields what is wrong with letters that must wait for it.

    Each transaction takes some letters and puts them into sends: killed at any moment, a letter is in
    the box or in one send.
    """
    with desk.store.read() as tx:
        names, paused = queue.find_names(tx, now), queue.find_paused(tx)
    ready: dict[str, Issue] = {}
    for name in names:
        try:
            ready[name] = read(desk, box, name)
        except IssueError as error:
            yield error
    left = paused | (set(names) - set(ready))
    while ready and _empty_some(desk, box, ready, left, now):
        pass


def read(desk: Desk, box: Letterbox, name: str) -> Issue:
    """Read a letter's folder; raises IssueError when it is missing, was changed, or may not be sent."""
    folder = box.folder / name
    if not folder.is_dir():
        raise IssueError(
            "there is no such letter, and somebody is to get it; write chapters/letters/"
            f"{name}.md and run: pipeline newsletter",
            Place(f"{box.folder.name}/{name}"),
        )
    letter = issues.read(folder)
    if "gift_url" in letter.fields and not box.gift:
        raise IssueError(
            "leads to the book by @@gift_url@@, and book.toml has no [gift]; docs/gift.md shows one to copy",
            Place(f"{box.folder.name}/{name}"),
        )
    if box.gift and box.gift.attach and name == WELCOME:
        letter = issues.attach(letter, read_files(box.gift))
    problems, _ = mailing.check(letter, box.envelope, caps=desk.provider.caps, letter=True)
    if problems:
        raise IssueError("; ".join(problems), Place(f"{box.folder.name}/{name}"))
    return letter


def _empty_some(
    desk: Desk, box: Letterbox, ready: Mapping[str, Issue], besides: Iterable[str], now: datetime
) -> bool:
    """Take as many letters as one transaction should; False when none was left."""
    with desk.store.begin() as tx:
        due = [one for one in queue.find_due(tx, now, AT_ONCE, besides=besides) if one.name in ready]
        signer = Signer(box.secrets or (instance_secret(tx),), box.envelope.list_id)
        for name, found in groupby(sorted(due, key=lambda one: one.name), key=lambda one: one.name):
            group, letter = list(found), ready[name]
            welcome = [one for one in group if not _refusal(one)]
            for one in group:
                if why := _refusal(one):
                    queue.drop(tx, [one.id], why)
            filled = [(one, _fill(letter, one, signer, box, now)) for one in welcome]
            for people in _rounds(filled):
                _put(tx, desk, box, letter, people, now)
    return bool(due)


def _refusal(one: Queued) -> str:
    wanted = manner_of(one.name).consent
    if one.suppressed or one.consent != wanted:
        return f"was for somebody {wanted}; now {'suppressed' if one.suppressed else one.consent}"
    return ""


def _rounds(people: Sequence[Filled]) -> Iterator[list[Filled]]:
    """Cut into groups in which nobody stands twice."""
    left = list(people)
    while left:
        first = {one.subscriber_id: (one, values) for one, values in reversed(left)}
        yield list(first.values())
        taken = {one.id for one, _ in first.values()}
        left = [(one, values) for one, values in left if one.id not in taken]


def _put(tx: Tx, desk: Desk, box: Letterbox, letter: Issue, people: Sequence[Filled], now: datetime) -> None:
    """Put people into the first send with room that does not hold them, else into a new one."""
    files = mailing.carries_files(letter, box.envelope)
    most = desk.provider.caps.batch_of(attachments=files)
    wanted = f"{desk.provider.name} {msgspec.json.encode(box.envelope).decode()}"
    left = list(people)
    for send_id, shared, audience in queue.find_sends(tx, letter.slug, letter.digest):
        if not left or shared != wanted or audience >= FULL:
            continue
        held = queue.find_held_by(tx, send_id, [one.subscriber_id for one, _ in left])
        fitting = [each for each in left if each[0].subscriber_id not in held]
        if fitting:
            queue.put_in(tx, send_id, fitting, max_batch=most, now=now)
        left = [each for each in left if each[0].subscriber_id in held]
    if left:
        queue.put_in(tx, _open(tx, desk, box, letter, now), left, max_batch=most, now=now)


def _open(tx: Tx, desk: Desk, box: Letterbox, letter: Issue, now: datetime) -> str:
    """Begin a send with a copy of the letter; its name in the database can be that of no issue."""
    send_id = uuid4().hex
    slug = f"{letter.slug}@{send_id}"
    order = Send(
        send_id, slug, letter.digest, desk.provider.name, manner_of(letter.slug).on_unknown, now,
        box.envelope, letter=letter.slug,
    )  # fmt: skip
    number = copies.put(tx, replace(letter, slug=slug), now)
    freeze.open_send(tx, order, issue_id=number, now=now)
    return send_id


def _fill(letter: Issue, one: Queued, signer: Signer, box: Letterbox, now: datetime) -> dict[str, str]:
    """What fills this person's letter beside their name and token, the same at every try."""
    known = json.loads(one.attributes)
    own = {name: str(known[name]) for name in letter.fields if name in known and name not in KNOWN}
    links = {
        field: f"{box.envelope.base_url}/{page}/{one.token}"
        for field, page in LINKS.items()
        if field in letter.fields
    }
    if box.gift and "gift_url" in links:
        links["gift_url"] = link_to(signer, box.gift, box.envelope.base_url, one.subscriber_id, now)
    return own | links
