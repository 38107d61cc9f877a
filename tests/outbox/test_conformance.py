"""What is wrong with a message is found in its bytes, and a message of ours has nothing wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.conformance import ONCE, RULES, find_faults, read_raw
from outbox.mime import build
from outbox.model import Account, Address, Addressee, Letter, Template
from outbox.providers import PROVIDERS
from outbox.sandbox import Server

DATE = datetime(2026, 3, 1, 9, tzinfo=UTC)
GOOD = b"""\
Date: Sun, 01 Mar 2026 09:00:00 +0000
From: Example Press <hello@example.org>
To: =?utf-8?b?QmrDtnJr?= <bjork@example.com>
Reply-To: "Answers, please" <reply@example.org>
Subject: First light,
 and the long morning after it
Message-ID: <5eb3.7@letters.example.org>
MIME-Version: 1.0
List-Id: Letters on Care <letters.example.org>
List-Unsubscribe: <https://example.org/mail/unsubscribe/7-abc>,
 <mailto:reply@example.org?subject=unsubscribe%207-abc>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Content-Type: multipart/alternative; boundary="=_x"

--=_x
Content-Type: text/plain; charset=utf-8

Dear friend.
--=_x
Content-Type: text/html; charset=utf-8

<p>Dear friend.</p>
--=_x--
""".replace(b"\n", b"\r\n")

#: Rule, what is replaced, by what, and what is said of it.
BROKEN = [
    ("line-ends", b"Dear friend.\r\n", b"Dear friend.\n", "a line does not end in CRLF"),
    ("line-ends", b"Dear friend.", b"Dear\rfriend.", "a line does not end in CRLF"),
    ("line-length", b"Dear friend.", b"x" * 999, "a line has 999 octets"),
    ("header-lines", b"MIME-Version: 1.0", b"MIME Version: 1.0", "is no field"),
    ("header-lines", b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\n \t", "continues nothing"),
    ("ascii", b"First light", "Früh".encode(), "not ASCII text"),
    ("ascii", b"First light", b"First\0light", "not ASCII text"),
    ("encoded-words", b"?QmrDtnJr?=", b"?QmrD!!?=", "to holds an encoded word"),
    ("encoded-words", b"=?utf-8?b?", b"=?utf-9?b?", "to holds an encoded word"),
    ("encoded-words", b"QmrDtnJr", b"QWJj" * 20, "to holds an encoded word"),
    ("encoded-words", b"QmrDtnJr", b"Qm8NCkJjYw==", "to holds an encoded word"),
    ("single", b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nReply-To: x@example.org", "reply-to stands 2 times"),
    ("from", b"From: Example Press <hello@example.org>", b"From: a@example.org, b@x.org", "from is not one mailbox"),
    ("from", b"From: ", b"X-From: ", "from stands 0 times"),
    ("to", b"<bjork@example.com>", b"<a@example.com>, b@example.com", "to is not one mailbox"),
    ("to", b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nCc: all@example.org", "show people to each other"),
    ("date", b"Date: ", b"X-Date: ", "date stands 0 times"),
    ("date", b"01 Mar 2026", b"2026-03-01", "date is not a date"),
    ("date", b"01 Mar 2026", b"31 Feb 2026", "date is no day of the calendar"),
    ("date", b" +0000", b"", "date is not a date with time and offset"),
    ("message-id", b"<5eb3.7@letters.example.org>", b"5eb3.7", "message-id is not"),
    ("text-part", b"text/plain", b"text/markdown", "the text part is missing"),
    ("list-id", b"<letters.example.org>", b"letters.example.org", "list-id is not"),
    ("list-links", b"unsubscribe/7-abc>,", b"unsubscribe/\r\n 7-abc>,", "is not a list of whole links"),
    ("list-links", b"<mailto:", b"mailto:", "list-unsubscribe is not a list of whole links"),
    ("one-click", b"<https:", b"<http:", "exactly one https link"),
    ("one-click", b"<mailto:reply@example.org?", b"<https://example.org?", "exactly one https link"),
    ("one-click", b"<mailto:reply@example.org?", b"<http://example.org?", "exactly one https link"),
    ("one-click", b"List-Unsubscribe: ", b"X-List-Unsubscribe: ", "list-unsubscribe stands 0 times"),
    ("one-click", b"=One-Click", b"=one", "list-unsubscribe-post must be"),
]  # fmt: skip


def test_a_good_message_has_no_fault() -> None:
    """The message that the others are made from is in order, folded fields and all."""
    assert [] == find_faults(GOOD)


@pytest.mark.parametrize(("rule", "old", "new", "says"), BROKEN)
def test_a_broken_message_is_found_out(rule: str, old: bytes, new: bytes, says: str) -> None:
    """One small change, and the rule it breaks says so; no other rule has a say."""
    broken = read_raw(GOOD.replace(old, new, 1))
    found = {name: said for name, one in RULES.items() if (said := list(one.find(broken)))}

    assert GOOD != broken.content
    assert {rule} == set(found)
    assert any(says in said for said in found[rule])


def test_every_rule_is_broken_once() -> None:
    """No rule without a message that breaks it."""
    assert set(RULES) == {rule for rule, *_ in BROKEN}


def test_html_before_text_is_found_out() -> None:
    """Mail programs show the last part that they can, so the HTML has to be it."""
    turned = GOOD.replace(b"text/plain", b"text/x").replace(b"text/html", b"text/plain")

    assert ["the text part stands behind the HTML; programs show the last they can"] == find_faults(
        turned.replace(b"text/x", b"text/html")
    )


@given(st.binary())
def test_no_bytes_are_too_odd(content: bytes) -> None:
    """Noise is no message, and looking at it breaks nothing."""
    assert find_faults(content)


@given(st.integers(0, len(GOOD)), st.sampled_from([b"\n", b"\r"]))
def test_a_bare_line_end_is_found_anywhere(place: int, end: bytes) -> None:
    """A lone LF or CR lets two servers see two different messages."""
    content = GOOD[:place] + end + GOOD[place:]
    bare = re.search(rb"(?<!\r)\n|\r(?!\n)", content)

    assert bool(bare) == ("a line does not end in CRLF" in find_faults(content))


@given(
    st.sampled_from(
        sorted({line.split(b":")[0] for line in GOOD.split(b"\r\n\r\n")[0].splitlines() if line[:1] != b" "})
    )
)
def test_no_field_may_stand_twice(name: bytes) -> None:
    """Of two, one program reads the first and another the last."""
    doubled = re.sub(rb"(?m)^(" + name + rb": .*\r\n(?:[ \t].*\r\n)*)", rb"\1\1", GOOD, count=1)

    assert name.decode().lower() in ONCE
    assert f"{name.decode().lower()} stands 2 times" in find_faults(doubled)


lines = st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))).map(str.strip)


@given(subject=lines, name=lines, text=lines)
def test_our_messages_have_no_fault(
    letter: Letter, write_to: Callable[..., Addressee], subject: str, name: str, text: str
) -> None:
    """Whatever a person is called and an author writes."""
    changed = replace(letter, subject=Template((subject,)), text=Template((text,)), html=Template((text,)))
    person = replace(write_to(7), to=Address(name, "bjork@example.com"))

    assert [] == find_faults(build(changed, person, date=DATE))


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name not in {"file", "smtp"}])
def test_what_providers_are_given_makes_a_good_message(
    letter: Letter, write_to: Callable[..., Addressee], rehearsal: Server, tmp_path: Any, name: str
) -> None:
    """A provider that writes the message itself is given fields that leave nothing to find fault with."""
    env = {"OUTBOX_TOKEN": "x", "OUTBOX_SES_KEY_ID": "AKID", "OUTBOX_SES_SECRET": "y"}
    needs = {"mailgun": {"domain": "m.example.org"}, "ses": {"region": "eu-west-1"}}.get(name, {})
    rehearsal.desk.journal.clear()
    provider = PROVIDERS[name](Account(tmp_path, env, url=rehearsal.url, **needs))
    people = [write_to(number, name) for number, name in enumerate(["Zoë, 李", "", "Ana Ruiz"])]

    batches = [provider.prepare(letter, [person], f"s.d.{person.outbox_id}", date=DATE) for person in people]
    results = [result for batch in batches for result in provider.send(batch)]
    provider.close()
    messages = [write_as_a_vendor(one) for one in rehearsal.desk.journal.find()]

    assert ["accepted"] * 3 == [result.outcome for result in results]
    assert [[], [], []] == [find_faults(message) for message in messages]


def write_as_a_vendor(kept: dict[str, Any]) -> bytes:
    """A message made by the standard library from what the sandbox was given."""
    message = EmailMessage()
    given_too = {"from": kept["sender"], "to": kept["shown"], "subject": kept["subject"]}
    fields = {name.lower(): value for name, value in kept["headers"]} | given_too
    fields.setdefault("date", "Sun, 01 Mar 2026 09:00:00 +0000")
    fields.setdefault("message-id", "<given-by-the-vendor@example.net>")
    for name, value in fields.items():
        if not name.startswith(("content-", "mime-")):
            message[name] = value
    message.set_content(kept["text"])
    message.add_alternative(kept["html"], subtype="html")
    return message.as_bytes(policy=policy.SMTP)
