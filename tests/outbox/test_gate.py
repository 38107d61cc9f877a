"""Nothing goes out that breaks the law, hides a person's way out, or cannot be carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from outbox import gate, mailing
from outbox.consent import Claim, enlist
from outbox.gate import Case, judge, read_sample
from outbox.issue import read
from outbox.likeness import share_words
from outbox.model import Account, Address, Consent, Envelope, Issue
from outbox.providers import PROVIDERS
from outbox.store import Store

IssueMaker = Callable[..., Path]
FOOT = "@@unsubscribe_url@@ @@postal_address@@"
FIELDS = {
    name: {"type": "url" if name.endswith("_url") else "text", "default": ""}
    for name in ("first_name", "postal_address", "unsubscribe_url")
}
GIFT = {**FIELDS, "gift_url": {"type": "url", "default": ""}}
CAPS = PROVIDERS["file"](Account(Path(), {})).caps
SMALL = replace(CAPS, max_message_bytes=1_000)

#: Rule, what is different in the issue, and what is said.
BLOCKED: list[tuple[str, dict[str, Any], str]] = [
    ("letter", {"kind": "letter"}, "is a letter"),
    ("other-list", {"list": "Another list"}, "made for another list"),
    ("segment", {"segment": "carers"}, "is for the segment 'carers'; write it into"),
    (
        "personal",
        {"text": f"{FOOT} @@first_name@@ @@gift_url@@", "fields": GIFT},
        "a field of letters",
    ),
    ("unsubscribe", {"text": "@@postal_address@@ @@first_name@@"}, "needs @@unsubscribe_url@@ in both"),
    (
        "unsubscribe",
        {"html": "<p>@@first_name@@ @@postal_address@@</p>"},
        "needs @@unsubscribe_url@@ in both",
    ),
    ("postal-address", {"text": "@@unsubscribe_url@@ @@first_name@@"}, "needs @@postal_address@@ in both"),
    ("too-long", {"html": f"<p>@@first_name@@ {FOOT}</p>" + "é " * 30_000}, "bytes; Gmail cuts off"),
    ("too-large", {}, "and the provider takes 1,000; link what is attached"),
]
WARNED: list[tuple[str, dict[str, Any], str]] = [
    ("long", {"html": f"<p>@@first_name@@ {FOOT}</p>" + "friend " * 12_000}, "keep it below 80,000"),
    ("answer", {"subject": "Re: your question, @@first_name@@"}, "begins with 'Re:'"),
    ("answer", {"subject": "AW : @@first_name@@"}, "as if it were an answer"),
    ("little-text", {"html": f"<p>@@first_name@@ {FOOT}</p>" + "<p>slow moss on stones</p>" * 9}, "the text part says"),
]  # fmt: skip


@pytest.fixture
def look(make_issue: IssueMaker, envelope: Envelope) -> Callable[..., tuple[list[str], list[str]]]:
    """Judge an issue in which something is different."""

    def judged(caps: Any = CAPS, **changes: Any) -> tuple[list[str], list[str]]:
        return mailing.check(read(make_issue(**changes)), envelope, caps=caps)

    return judged


def test_a_good_issue_passes(look: Callable[..., Any]) -> None:
    """The issue that the others are made from may go, and there is nothing to say about it."""
    assert ([], []) == look()


@pytest.mark.parametrize(("rule", "changes", "says"), BLOCKED)
def test_what_must_not_go_out_is_stopped(
    look: Callable[..., Any], rule: str, changes: dict[str, Any], says: str
) -> None:
    """One thing is wrong, and one sentence says so."""
    problems, notes = look(SMALL if rule == "too-large" else CAPS, **changes)

    assert 1 == len(problems)
    assert says in problems[0]
    assert "keep it below" not in "".join(notes)


@pytest.mark.parametrize(("rule", "changes", "says"), WARNED)
def test_what_may_go_out_is_told(
    look: Callable[..., Any], rule: str, changes: dict[str, Any], says: str
) -> None:
    """A warning stops nothing."""
    problems, notes = look(**changes)

    assert [] == problems
    assert any(says in note for note in notes)


def test_a_free_mailbox_is_no_sender(make_issue: IssueMaker, envelope: Envelope) -> None:
    """Mail in the name of a free mailbox is refused by other servers."""
    free = replace(envelope, sender=Address("", "press@Gmail.com"))

    assert ["comes from press@Gmail.com"] == [
        problem.split(",")[0] for problem in mailing.check(read(make_issue()), free)[0]
    ]


def test_people_whom_a_provider_cannot_write_to_are_counted(
    make_issue: IssueMaker, envelope: Envelope
) -> None:
    """Nobody is left out without a word."""
    issue = read(make_issue())
    able = replace(CAPS, smtputf8=True)

    assert (
        "3 people have letters" in judge(Case(issue, envelope, CAPS, 3), lambda: write(issue, envelope))[1][0]
    )
    assert ([], []) == judge(Case(issue, envelope, able, 3), lambda: write(issue, envelope))


def test_a_plan_counts_them_in_the_audience(
    any_store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Only those who would get the issue; a domain beyond ASCII is no trouble, for it has another spelling."""
    issue, known = read(make_issue(segment="org")), {"org": 'domain == "example.org"'}
    with any_store.begin() as tx:
        for email in ("zoë@example.org", "zoë@example.com", "zoe@exämple.org"):
            enlist(tx, Claim(email, "", Consent.CONFIRMED, "said yes", "test"), now)
        told = mailing.plan(tx, issue, envelope, now=now, segments=known, caps=CAPS)
        unknown = mailing.plan(tx, issue, envelope, now=now, segments=known)

    assert "1 people have letters beyond ASCII" in told.notes[0]
    assert () == unknown.notes


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"List-Unsubscribe: <https", b"List-Unsubscribe: <http", "needs @@unsubscribe_url@@"),
        (
            b"Subject: First light for friend",
            b"Subject: @@first_name@@",
            "a field stays unfilled: first_name",
        ),
        (b"Subject: First light for friend", b"Subject: ", "has no subject"),
        (b"List-Unsubscribe-Post", b"X-Post", "list-unsubscribe-post must be"),
        (b"Date: ", b"Date: Sun, 01 Mar 2026 09:00:00 +0000\r\nDate: ", "date stands 2 times"),
    ],
)
def test_a_message_that_went_wrong_on_the_way_is_stopped(
    make_issue: IssueMaker, envelope: Envelope, old: bytes, new: bytes, says: str
) -> None:
    """The gate believes the bytes, not the templates they were made from."""
    issue = read(make_issue())
    good = write(issue, envelope)

    problems, _ = judge(Case(issue, envelope, CAPS), lambda: good.replace(old, new, 1))

    assert old in good
    assert any(says in problem for problem in problems)


def test_every_rule_has_an_issue_that_breaks_it() -> None:
    """A rule that nothing breaks is no rule."""
    elsewhere = {"no-page", "confirms", "sender", "beyond-ascii", "unfilled", "no-subject", "header"}

    assert {*gate.RULES, *gate.SAMPLE_RULES} == {rule for rule, *_ in BLOCKED + WARNED} | elsewhere


def test_size_is_counted_as_it_travels(make_issue: IssueMaker, envelope: Envelope) -> None:
    """One é is two bytes on disk and six on the wire."""
    plain = read(make_issue(html=f"<p>@@first_name@@ {FOOT}</p>"))
    size = read_sample(write(plain, envelope)).html_size
    longer = read(make_issue(html=f"<p>@@first_name@@ {FOOT}</p>éé"))

    assert 12 <= read_sample(write(longer, envelope)).html_size - size <= 15


def test_what_is_attached_travels_in_the_sample(make_issue: IssueMaker, envelope: Envelope) -> None:
    """The size that a provider is asked for is that of the whole message."""
    book = {"more": {"attachments/book.epub": b"PK" * 5_000}}
    listed = {"attachments": [{"name": "book.epub", "media_type": "application/epub+zip"}]}
    issue = read(make_issue(**book, **listed))

    assert len(write(issue, envelope)) > 13_000


@pytest.mark.parametrize(
    ("html", "text", "share"),
    [
        ("<p>One two</p><style>p { three: four }</style>", "one, two!", 1.0),
        ("<title>Zero</title><p>one <b>two</b></p>", "one", 0.5),
        ("<p>one one</p>", "one", 0.5),
        ("", "one", 1.0),
        ("<p>שלום</p>", "שלום", 1.0),
    ],
)
def test_words_are_shared(html: str, text: str, share: float) -> None:
    """Only what a reader sees counts, as often as it is said."""
    assert share == share_words(html, text)


def write(issue: Issue, envelope: Envelope) -> bytes:
    """The sample message of an issue."""
    return mailing._write_sample(issue, envelope)
