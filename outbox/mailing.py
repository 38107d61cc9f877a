"""Plan an issue, freeze it with its audience, and say what each recipient's message has of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import quote

from .errors import IssueError, Place
from .fields import KNOWN, check_values, split
from .gate import Case, judge
from .headers import are_mailboxes, encode_address, encode_phrase, is_unsafe
from .issue import parse, split_issue, split_subjects
from .letters import LINKS
from .many import Addressees, Roster
from .mime import build
from .model import (
    Addressee,
    Attachment,
    Capabilities,
    Chunk,
    Envelope,
    Field,
    Issue,
    Letter,
    OnUnknown,
    Recipient,
    Send,
    State,
    Template,
)
from .store import Tx, issues, ledger, trials
from .store import freeze as freezing
from .timing import Departure, Timing, is_zone, make_calendar
from .trial import AS_USUAL, Rules, letter_of

IMAGE = re.compile(r"""(\bsrc\s*=\s*["'])(images/[^"']+)(?=["'])""")
SAMPLE_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # any will do
NOBODY = "0" * 32  # a token as long as everybody's
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
)


#: What stands for a person's token among their values. No field has such a name.
WHOSE = "own-token"
#: Names and expressions of the parts of the list that issues can be for.
NO_SEGMENTS: Mapping[str, str] = MappingProxyType({})


NO_RATES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a send would do: who, what, when; `problems` stop it, `notes` do not."""

    slug: str
    subject: str
    digest: str
    frozen: str  # digest under which this slug was sent before; empty: never
    due_at: datetime
    audience: int
    first: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    calendar: tuple[Departure, ...] = ()  # how many at which moment, where not all at one
    subjects: tuple[str, ...] = ()  # that are compared


@dataclass(frozen=True, slots=True)
class FrozenSend:
    """A send read back from the ledger: its letter split, with all filled that is the same for everybody."""

    send: Send
    letter: Letter
    fields: Mapping[str, Field]
    own: Mapping[str, str]  # fields that the roster fills, with what stands in when a person has no value
    host: str  # the end of every message id
    others: tuple[Letter, ...] = ()  # the letter under its other subjects, where several are compared

    def letter_of(self, part: Chunk) -> Letter:
        """The letter that people of a chunk get."""
        return (self.letter, *self.others)[part.variant]


def plan(
    tx: Tx,
    issue: Issue,
    envelope: Envelope,
    *,
    now: datetime,
    timing: Timing | None = None,
    segments: Mapping[str, str] = NO_SEGMENTS,
    caps: Capabilities | None = None,
) -> Plan:
    """Say what sending `issue` would do, changing nothing; `caps` are those of the provider.

    `timing` goes before the time that the issue itself has.
    """
    chosen, when = segments.get(issue.segment, ""), timing or time_of(issue, now)
    zones = freezing.count_zones(tx, chosen, now) if when.is_local else {}
    calendar = make_calendar(when, zones, now)
    due_at = _first(when, calendar)
    audience, first = freezing.count_audience(tx, chosen, now, due_at)
    odd = 0 if caps is None or caps.smtputf8 else freezing.count_beyond_ascii(tx, chosen, now)
    problems, notes = check(issue, envelope, segments, caps, beyond_ascii=odd)
    notes += _find_odd_zones(zones, when)
    return Plan(
        slug=issue.slug,
        subject=issue.subject,
        digest=issue.digest,
        frozen=issues.digest_of(tx, issue.slug) or "",
        due_at=due_at,
        audience=audience,
        first=tuple(first),
        problems=tuple(problems),
        notes=tuple(notes),
        calendar=calendar,
        subjects=issue.subjects,
    )


def check(
    issue: Issue,
    envelope: Envelope,
    segments: Mapping[str, str] = NO_SEGMENTS,
    caps: Capabilities | None = None,
    *,
    beyond_ascii: int = 0,
    letter: bool = False,
) -> tuple[list[str], list[str]]:
    """Return what forbids the send of an issue, or of a `letter`, and what its author should know."""
    problems, notes = dict[str, None](), dict[str, None]()
    for subject in issue.subjects or (issue.subject,):
        one = replace(issue, subject=subject)
        case = Case(one, envelope, caps, beyond_ascii, segments, letter=letter)
        blocks, warns = judge(case, partial(_write_sample, one, envelope))
        problems |= dict.fromkeys(blocks)
        notes |= dict.fromkeys(warns)
    return list(problems), list(notes)


def freeze(
    tx: Tx,
    issue: Issue,
    envelope: Envelope,
    *,
    provider: str,
    max_batch: int,
    on_unknown: OnUnknown,
    send_id: str,
    now: datetime,
    timing: Timing | None = None,
    segments: Mapping[str, str] = NO_SEGMENTS,
    caps: Capabilities | None = None,
    rules: Rules = AS_USUAL,
    domains: Mapping[str, float] = NO_RATES,
) -> int:
    """Copy the issue into the database and plan one message for everyone confirmed; returns how many.

    `segments` holds the expressions of book.toml; an issue for one goes to its people alone. `timing`
    goes before the time that the issue itself has, and `rules` are for an issue of several subjects.
    `domains` have rates of their own, and calls of their own.

    Raises IssueError when the issue may not be sent, or was frozen before.
    """
    problems, _ = check(issue, envelope, segments, caps)
    if problems:
        raise IssueError("; ".join(problems), Place(issue.slug))
    known = issues.digest_of(tx, issue.slug)
    if known == issue.digest:
        raise IssueError("was sent before; an issue goes out once", Place(issue.slug))
    if known:
        raise IssueError(
            f"was sent before with other content ({known[:12]}, now {issue.digest[:12]}); "
            "a changed issue needs a new slug",
            Place(issue.slug),
        )
    chosen, when = segments.get(issue.segment, ""), timing or time_of(issue, now)
    zones = freezing.count_zones(tx, chosen, now) if when.is_local else {}
    due_at = _first(when, make_calendar(when, zones, now))
    order = Send(send_id, issue.slug, issue.digest, provider, on_unknown, due_at, envelope)
    number = freezing.freeze(
        tx,
        order,
        issue_id=issues.put(tx, issue, now),
        max_batch=max_batch,
        now=now,
        fields=[name for name in issue.fields if name not in KNOWN],
        segment=chosen,
        cutting=freezing.Cutting(when, rules, len(issue.subjects) or 1, domains, max_batch == 1),
    )
    if issue.subjects:
        trials.begin(tx, send_id, rules, len(issue.subjects))
    return number


def load(tx: Tx, send_id: str) -> FrozenSend:
    """Read a send back from the ledger; the folder it came from is not looked at again."""
    order = ledger.find_send(tx, send_id)
    document, files = issues.load(tx, order.slug)
    return compose(order, parse(document, files, order.slug))


def compose(order: Send, issue: Issue) -> FrozenSend:
    """Split an issue into the letter that everyone of a send gets; raises IssueError."""
    subject, _, text = split_issue(issue)
    html, shown = place_images(issue, order.envelope)
    added = [
        Attachment(name, kind, issue.files[f"attachments/{name}"])
        for name, kind in sorted(issue.attachments.items())
    ]
    fields = {**KNOWN, **issue.fields}
    shared = _shared_values(order)
    check_values(shared, fields)
    others = split_subjects(issue)
    links = _links(order.envelope)
    letter = Letter(
        subject=subject.settle(shared),
        html=split(html, "html", f"{order.slug}/body.html", fields).settle(shared).unfold(links),
        text=text.settle(shared).unfold(links),
        sender=order.envelope.sender,
        reply_to=(order.envelope.reply_to,),
        headers=_list_headers(order, issue.kind),
        attachments=(*shown, *added),
        stream="transactional" if order.letter else "broadcast",
        tag=order.name,
    )
    own = {name: field.default for name, field in issue.fields.items() if name not in KNOWN}
    own |= {
        name: f"{order.envelope.base_url}/{page}/{NOBODY}"
        for name, page in LINKS.items()
        if name in issue.fields
    }
    return FrozenSend(
        order,
        letter,
        fields,
        own=own,
        host=f"@{order.envelope.list_id}>",
        others=tuple(replace(letter, subject=other.settle(shared)) for other in others),
    )


def address(frozen: FrozenSend, people: Roster) -> Addressees:
    """Say what the message to each recipient has of its own, a pure function; raises OutboxError.

    Whoever holds the link of a person may unsubscribe them: it has their random token in it, and nothing else.
    """
    if is_unsafe("".join(people.names)) or not are_mailboxes(people.emails):
        for person in people:
            encode_address(person.address)  # says what no header can carry
    default = (frozen.fields["first_name"].default,)
    first_names = [(name.split(None, 1) or default)[0] for name in people.names]
    values = {"first_name": first_names, WHOSE: people.tokens, **_own_values(frozen, people)}
    ids, host = people.ids(), frozen.host
    return Addressees(ids, people.emails, people.names, [f"<{one}{host}" for one in ids], values)


def personalise(frozen: FrozenSend, person: Recipient) -> Addressee:
    """As `address` for one recipient."""
    return address(frozen, Roster.of([person]))[0]


def _own_values(frozen: FrozenSend, people: Roster) -> dict[str, list[str]]:
    columns = {
        name: [known.get(name) or default for known in people.values] for name, default in frozen.own.items()
    }
    for name, column in columns.items():
        for value in dict.fromkeys(column):  # many live in the same town
            check_values({name: value}, frozen.fields)
    return columns


def make_tests(
    issue: Issue, envelope: Envelope, to: str, *, test_id: str, now: datetime
) -> Iterator[tuple[Letter, Addressee]]:
    """Make letters to one address that stand outside the ledger, one for each subject, which says that it is a test.

    Raises IssueError. The links in them are those of nobody.
    """
    order = Send(test_id, issue.slug, issue.digest, "", "hold", now, envelope)
    frozen = compose(order, issue)
    for number, letter in enumerate((frozen.letter, *frozen.others)):
        mark = f"[test {letter_of(number)}]" if frozen.others else "[test]"
        first, *rest = letter.subject.literals
        subject = replace(letter.subject, literals=(f"{mark} {first}", *rest))
        person = Recipient(test_id, number, to, "", State.PLANNED, test_id)
        yield replace(letter, subject=subject), personalise(frozen, person)


def carries_files(issue: Issue, envelope: Envelope) -> bool:
    """Whether files travel inside each message; some providers then take fewer in one call."""
    return bool(issue.attachments or place_images(issue, envelope)[1])


def place_images(issue: Issue, envelope: Envelope) -> tuple[str, list[Attachment]]:
    """Return the HTML with its `images/` sources pointing somewhere, and the files that travel along.

    Raises IssueError for a picture the folder does not hold.
    """
    shown: dict[str, Attachment] = {}

    def point(source: re.Match[str]) -> str:
        path = source[2]
        if path not in issue.files:
            line = issue.html.count("\n", 0, source.start()) + 1
            raise IssueError(
                f"shows {path}, which is not in the folder", Place(f"{issue.slug}/body.html", line)
            )
        if envelope.images == "link":
            return f"{source[1]}{_issue_url(envelope, issue.slug)}{quote(path)}"
        shown[path] = _picture(path, issue.files[path], envelope)
        return f"{source[1]}cid:{shown[path].content_id}"

    return IMAGE.sub(point, issue.html), list(shown.values())


def _write_sample(issue: Issue, envelope: Envelope) -> bytes:
    """One message as it would go out, to somebody of whom nothing is known."""
    letter = issue.slug if issue.kind == "letter" else ""
    order = Send("sample", issue.slug, issue.digest, "file", "hold", SAMPLE_DATE, envelope, letter=letter)
    frozen = compose(order, issue)
    person = Recipient("sample", 0, envelope.reply_to.email, "", State.PLANNED, NOBODY)
    return build(frozen.letter, personalise(frozen, person), date=SAMPLE_DATE)


def _picture(path: str, content: bytes, envelope: Envelope) -> Attachment:
    kind = MEDIA_TYPES.get(path.rpartition(".")[2].lower(), "application/octet-stream")
    content_id = f"{sha256(path.encode()).hexdigest()[:16]}@{envelope.list_id}"
    return Attachment(path.rpartition("/")[2], kind, content, content_id)


def time_of(issue: Issue, now: datetime) -> Timing:
    """The time that an issue has; at once when it has none."""
    return Timing(issue.send_at or now)


def _first(when: Timing, calendar: Sequence[Departure]) -> datetime:
    """The first moment at which anybody is due; of a time on their own clocks where there is nobody, the list's."""
    if not when.is_local:
        return when.at
    return calendar[0].at if calendar else when.moment_for("")


def _find_odd_zones(zones: Mapping[str, int], when: Timing) -> list[str]:
    odd = {zone: number for zone, number in zones.items() if zone and not is_zone(zone)}
    return [
        f"{number} people have the time zone {zone!r}, which nobody knows here; {when.zone} is taken for them"
        for zone, number in odd.items()
    ]


def _issue_url(envelope: Envelope, slug: str) -> str:
    return f"{envelope.base_url}/issues/{slug}/"


def _links(envelope: Envelope) -> dict[str, tuple[str, str]]:
    """A person's links are what all of them begin with, and the token, of letters that need no escape anywhere."""
    return {f"{page}_url": (f"{envelope.base_url}/{page}/", WHOSE) for page in ("unsubscribe", "preferences")}


def _shared_values(order: Send) -> dict[str, str]:
    envelope = order.envelope
    return {
        "browser_url": _issue_url(envelope, order.name),
        "postal_address": envelope.postal_address,
        "list_name": envelope.list_name,
    }


def _list_headers(order: Send, kind: str) -> tuple[tuple[str, Template], ...]:
    """The headers of RFC 2919, 2369 and 8058, and the Feedback-ID that Gmail counts complaints by."""
    envelope = order.envelope
    mailto = f"mailto:{quote(envelope.reply_to.email, safe='@')}?subject=unsubscribe%20"
    sender_id = sha256(envelope.list_id.encode()).hexdigest()[:12]
    unsubscribe = Template(("<", f">, <{mailto}", ">"), (("unsubscribe_url", str), (WHOSE, str)))
    unsubscribe = unsubscribe.unfold(_links(envelope))
    return (
        ("List-Id", Template((f"{encode_phrase(envelope.list_name)} <{envelope.list_id}>",))),
        ("List-Unsubscribe", unsubscribe),
        ("List-Unsubscribe-Post", Template(("List-Unsubscribe=One-Click",))),
        ("Feedback-ID", Template((f"{order.name}:{envelope.list_id}:{kind}:{sender_id}",))),
    )
