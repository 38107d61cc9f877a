"""The bytes of a message are the same every time, and every parser reads the same message from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import OutboxError
from outbox.headers import encode_words
from outbox.mime import build
from outbox.model import Address, Addressee, Attachment, Letter, Template

lines = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))
bodies = st.lists(lines).map("\n".join)
LETTER = Letter(
    subject=Template(("First light",)),
    html=Template(("<p>Hi</p>\n",)),
    text=Template(("Hi\n",)),
    sender=Address("Example Press", "hello@example.org"),
    reply_to=(Address("", "reply@example.org"),),
    headers=(("List-Id", Template(("Letters <letters.example.org>",))),),
    attachments=(),
    stream="broadcast",
    tag="2026-03-01-first-light",
)
PERSON = Addressee(
    outbox_id="5eb3a6e873d94b3c.7",
    to=Address("Björk Þórsdóttir", "bjork@example.com"),
    message_id="<5eb3a6e873d94b3c.7@letters.example.org>",
    values={"name": "Björk"},
)
NAME = ("name", str)


def make(person: Addressee = PERSON, **changes: Any) -> bytes:
    """The bytes of a message in which something is different."""
    return build(replace(LETTER, **changes), person, date=datetime(2026, 3, 1, 9, tzinfo=UTC))


def parse(content: bytes) -> EmailMessage:
    """Read a message with the standard library, which shares no code with the builder."""
    return message_from_bytes(content, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    """The text of one body, with plain line ends."""
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


@given(html=bodies, text=bodies)
def test_both_bodies_are_read_back(html: str, text: str) -> None:
    """Whatever is written is read: text first, then HTML, no line longer than 76."""
    content = make(html=Template((html,)), text=Template((text,)))
    message = parse(content)

    assert [found.get_content_type() for found in message.iter_parts()] == ["text/plain", "text/html"]
    assert html == part(message, "html")
    assert text == part(message, "plain")
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert b"\n" not in content.replace(b"\r\n", b"")


@given(before=bodies, value=lines, after=bodies)
def test_a_value_is_read_back_inside_a_body(before: str, value: str, after: str) -> None:
    """A person's own text is spliced in; no line grows longer for it, and nothing beside it changes."""
    person, body = replace(PERSON, values={"name": value}), Template((before, after), (NAME,))
    content = make(person, html=body, text=body)

    assert before + value + after == part(parse(content), "html")
    assert before + value + after == part(parse(content), "plain")
    assert max(map(len, content.split(b"\r\n"))) <= 76


@given(lines.map(str.strip))
def test_a_subject_is_read_back(subject: str) -> None:
    """A subject of any letters and length survives folding and encoding."""
    content = make(subject=Template((subject,)))

    assert subject == parse(content)["Subject"]
    assert max(map(len, content.split(b"\r\n"))) <= 76


@given(lines.map(lambda text: " ".join(text.split())))
def test_a_name_is_read_back(name: str) -> None:
    """Quotes, commas, brackets and letters of any script stay in the name and out of the address."""
    content = make(replace(PERSON, to=Address(name, "bjork@example.com")))
    # The newer parser of Python 3.11 keeps the space between two encoded words, against RFC 2047 section 6.2.
    shown, mailbox = parseaddr(message_from_bytes(content)["To"].replace("\r\n", ""))

    assert (name, "bjork@example.com") == (str(make_header(decode_header(shown))), mailbox)


@pytest.mark.parametrize("bad", ["a\nBcc: all@example.org", "a\r\nb", "a\r\n b", "a\0", "a\x85b", "a\u2028b"])
@pytest.mark.parametrize(
    "where", ["subject", "field", "to", "header", "split header", "value", "message_id", "attachment"]
)
def test_a_line_break_in_a_header_is_refused(bad: str, where: str) -> None:
    """No value can begin another header."""
    changed: dict[str, dict[str, Any]] = {
        "subject": {"subject": Template((bad,))},
        "field": {
            "subject": Template(("For ", ""), (NAME,)),
            "person": replace(PERSON, values={"name": bad}),
        },
        "to": {"person": replace(PERSON, to=Address(bad, "a@example.org"))},
        "header": {"headers": (("List-Id", Template((bad,))),)},
        "split header": {"headers": (("X-List", Template((bad, ""), (NAME,))),)},
        "value": {
            "headers": (("X-List", Template(("<", ">"), (NAME,))),),
            "person": replace(PERSON, values={"name": bad}),
        },
        "message_id": {"person": replace(PERSON, message_id=bad)},
        "attachment": {"attachments": (Attachment(bad, "image/png", b""),)},
    }

    with pytest.raises(OutboxError, match="line break"):
        make(**changed[where])


def test_a_mailbox_that_is_not_ascii_is_refused() -> None:
    """What no header can carry is said, not mangled."""
    with pytest.raises(OutboxError, match="cannot stand in a header"):
        make(replace(PERSON, to=Address("", "zoë@example.org")))


def test_pictures_and_attachments_travel_along() -> None:
    """A picture stands beside the HTML it belongs to, an attachment beside the whole letter."""
    picture = Attachment("dawn.png", "image/png", b"\x89PNG" * 50, "abc@letters.example.org")
    book = Attachment("book.epub", "application/epub+zip", b"PK")
    message = parse(make(attachments=(picture, book)))
    html = message.get_body(("related", "html"))
    assert html is not None

    assert message.get_content_type() == "multipart/mixed"
    assert html.get_content_type() == "multipart/related"
    assert [found.get_content() for found in message.iter_attachments()] == [b"PK"]
    (shown,) = html.iter_attachments()
    assert shown["Content-ID"] == "<abc@letters.example.org>"
    assert shown.get_content() == b"\x89PNG" * 50


def test_an_encoded_word_is_never_too_long() -> None:
    """RFC 2047: at most 75 characters for one encoded word."""
    words = encode_words("Þ" * 500).split(" ")

    assert max(map(len, words)) <= 75
