"""A plan changes nothing, a freeze holds for ever, and a letter is a pure function of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from outbox import mailing
from outbox.consent import Claim, enlist, erase
from outbox.desk import new_lease
from outbox.errors import IssueError, OutboxError
from outbox.issue import read
from outbox.mime import build
from outbox.model import Consent, Envelope, State
from outbox.store import Store, Tx, claims, ledger, subscribers, suppressions, verify
from outbox.timing import Timing

ORDER: dict[str, Any] = {"provider": "file", "max_batch": 2, "on_unknown": "hold", "send_id": "s"}
IssueMaker = Callable[..., Path]
TEXT = "Dear @@first_name@@,\n\n@@unsubscribe_url@@\n@@postal_address@@\n"
FIELDS = {
    name: {"type": "url" if name.endswith("_url") else "text", "default": ""}
    for name in ("first_name", "postal_address", "unsubscribe_url")
}


def take(tx: Tx, now: datetime) -> list[claims.Taken]:
    """Claim what is due of the send `s`, as a process does that has just got the sender's lock."""
    claims.free_all(tx)
    return claims.take(tx, "s", new_lease(), now, 9)


def test_a_plan_says_who_and_when(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Only the confirmed are counted, and nothing is written."""
    issue = read(make_issue(send_at="2026-03-05T09:00:00+01:00"))
    with store.read() as tx:
        plan = mailing.plan(tx, issue, envelope, now=now)
        sends = ledger.progress(tx)

    assert (plan.audience, plan.first[0], plan.problems) == (3, "ana@example.org", ())
    assert plan.due_at == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert sends == []


def test_a_freeze_plans_one_message_for_everyone_confirmed(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Pending, unsubscribed and suppressed people are not among them; two make a chunk."""
    with store.begin() as tx:
        suppressions.suppress(tx, "Dora@example.com", "complaint", now)
        number = mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        parts = take(tx, now)
        people = [person.email for one in parts for person in one.people]

    assert number == 2
    assert people == ["ana@example.org", "bjork@example.com"]
    assert len(parts) == 1


def test_an_issue_for_a_segment_goes_to_its_people_alone(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The plan shows their number, and the freeze takes no other."""
    issue, known = read(make_issue(segment="com")), {"com": 'domain == "example.com" and not opened()'}
    with store.begin() as tx:
        plan = mailing.plan(tx, issue, envelope, now=now, segments=known)
        number = mailing.freeze(tx, issue, envelope, now=now, segments=known, **ORDER)
        people = [person.email for one in take(tx, now) for person in one.people]

    assert (2, ()) == (plan.audience, plan.problems)
    assert 2 == number
    assert ["bjork@example.com", "dora@example.com"] == people


def test_the_ledger_forgets_to_whom_but_not_that_there_was_a_message(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime, tmp_path: Path
) -> None:
    """An erased person is in no roster; counts, states and the others are as before."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        ana = subscribers.find(tx, "ana@example.org")
        assert ana is not None
        erase(tx, ana, (), source="test", now=now)
    with store.begin() as tx:
        faults, told = verify.find_faults(tx), ledger.history(tx, ana.id)
        people = [person.email for one in take(tx, now) for person in one.people]
    store.close()

    assert [] == faults
    assert [""] == [one.email for one in told]
    assert {"bjork@example.com", "dora@example.com"} == set(people) - {""}
    for file in tmp_path.glob("outbox.db*"):
        assert b"ana@example.org" not in file.read_bytes()


def test_chunks_hold_as_many_as_one_call_takes(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Three people, two to a call: two calls."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        sizes = [len(one.people) for one in take(tx, now)]

    assert [2, 1] == sizes


def test_an_issue_is_due_when_it_says(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Before its time nothing is due; a time given by hand goes before the issue's own."""
    issue = read(make_issue(send_at="2026-03-05T09:00:00+00:00"))
    with store.begin() as tx:
        later = Timing(now + timedelta(hours=1))
        mailing.freeze(tx, issue, envelope, now=now, timing=later, **ORDER)

        assert take(tx, now) == []
        assert len(take(tx, now + timedelta(hours=1))) == 2


def test_a_frozen_issue_cannot_be_changed(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The folder may go; the letter is made from the copy."""
    folder = make_issue()
    with store.begin() as tx:
        mailing.freeze(tx, read(folder), envelope, now=now, **ORDER)
    shutil.rmtree(folder)
    with store.read() as tx:
        frozen = mailing.load(tx, "s")
        (person, *_) = take(tx, now)[0].people

    assert frozen.letter.subject.fill(mailing.personalise(frozen, person).values) == "First light for Ana"


def test_a_field_of_the_issues_own_has_its_default(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Nobody's town is known, so the letter says what its author chose."""
    city = {"city": {"type": "text", "default": "your town"}}
    folder = make_issue(text=f"{TEXT}@@city@@\n", fields={**FIELDS, **city})
    with store.begin() as tx:
        mailing.freeze(tx, read(folder), envelope, now=now, **ORDER)
        frozen = mailing.load(tx, "s")
        (person, *_) = take(tx, now)[0].people

    assert frozen.letter.text.fill(mailing.personalise(frozen, person).values).endswith("your town\n")


def test_a_second_freeze_is_refused(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The same again, or the same slug with other words: both are named, and nothing is planned."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)

    with pytest.raises(IssueError, match="an issue goes out once"), store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **{**ORDER, "send_id": "t"})
    with (
        pytest.raises(IssueError, match=r"with other content \([0-9a-f]{12}, now [0-9a-f]{12}\)"),
        store.begin() as tx,
    ):
        mailing.freeze(tx, read(make_issue(words=10)), envelope, now=now, **{**ORDER, "send_id": "t"})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"text": "@@postal_address@@ @@first_name@@"}, "needs @@unsubscribe_url@@ in both"),
        (
            {"html": '<img src="images/dusk.png">@@first_name@@ @@unsubscribe_url@@ @@postal_address@@'},
            r"body\.html:1: shows images/dusk\.png, which is not in the folder",
        ),
    ],
)
def test_what_must_not_go_out_is_stopped(
    store: Store,
    make_issue: IssueMaker,
    envelope: Envelope,
    now: datetime,
    changes: dict[str, Any],
    says: str,
) -> None:
    """The law's demands and broken pictures stop a send before anything is written."""
    with pytest.raises(IssueError, match=says), store.begin() as tx:
        mailing.freeze(tx, read(make_issue(**changes)), envelope, now=now, **ORDER)
    with store.read() as tx:
        assert ledger.progress(tx) == []


def test_a_letter_has_every_header(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """M36: what a bulk message must carry, one of each; the link in the letter is the one in the header."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        frozen = mailing.load(tx, "s")
        (person, *_) = take(tx, now)[0].people
    out = mailing.personalise(frozen, person)
    content = build(frozen.letter, out, date=now)
    message = message_from_bytes(content, policy=policy.default)
    link = f"https://example.org/mail/unsubscribe/{person.token}"

    assert sorted(name for name in message if not name.startswith("Content")) == [
        "Date", "Feedback-ID", "From", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version",
        "Message-ID", "Reply-To", "Subject", "To",
    ]  # fmt: skip
    assert message["List-Id"] == "Letters on Care <letters.example.org>"
    assert message["List-Unsubscribe"].startswith(
        f"<{link}>, <mailto:hello@example.org?subject=unsubscribe%20"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == "<s.1@letters.example.org>"
    assert link in frozen.letter.html.fill(out.values)
    assert link in frozen.letter.text.fill(out.values)
    assert b"@@" not in content


def test_a_letter_is_the_same_every_time(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """A person renamed after the freeze still gets the letter that was planned."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        before = the_first_message(tx, now)
        enlist(tx, Claim("ana@example.org", "Anna-Maria", Consent.CONFIRMED, "x", "test"), now)
        after = the_first_message(tx, now)

    assert before == after


def the_first_message(tx: Tx, now: datetime) -> bytes:
    """Its bytes, by a process that has just started."""
    frozen = mailing.load(tx, "s")
    person = take(tx, now)[0].people[0]
    return build(frozen.letter, mailing.personalise(frozen, person), date=now)


@pytest.mark.parametrize(("name", "greeting"), [("", "friend"), ("Ana Ruiz", "Ana"), ("<b>", "&lt;b&gt;")])
def test_a_name_is_greeted(
    store: Store,
    make_issue: IssueMaker,
    envelope: Envelope,
    now: datetime,
    name: str,
    greeting: str,
) -> None:
    """A missing name has a neutral word, an odd one does no harm."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        frozen = mailing.load(tx, "s")
        (person, *_) = take(tx, now)[0].people

    values = mailing.personalise(frozen, replace(person, name=name)).values

    assert f"Dear {greeting}," in frozen.letter.html.fill(values)


def test_a_name_that_would_forge_a_header_is_refused(
    store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Even if it got into the database somehow."""
    with store.begin() as tx:
        mailing.freeze(tx, read(make_issue()), envelope, now=now, **ORDER)
        frozen = mailing.load(tx, "s")
        (person, *_) = take(tx, now)[0].people

    assert person.state is State.PLANNED
    with pytest.raises(OutboxError, match="line break"):
        mailing.personalise(frozen, replace(person, name="Ana\nBcc: all@example.org"))


@pytest.mark.parametrize(
    ("images", "source", "travelling"),
    [
        ("embed", "cid:", ["dawn.png"]),
        ("link", "https://example.org/mail/issues/2026-03-01-first-light/images/dawn.png", []),
    ],
)
def test_pictures_are_placed(
    make_issue: IssueMaker, envelope: Envelope, images: Any, source: str, travelling: list[str]
) -> None:
    """Inside the message by default, or on the web."""
    html, shown = mailing.place_images(read(make_issue()), replace(envelope, images=images))

    assert f'<img src="{source}' in html
    assert travelling == [picture.name for picture in shown]
