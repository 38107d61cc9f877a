"""Measure how fast one core makes messages of one issue: bodies, raw mail, whole calls.

Run as `python -m tests.bench_merge`; it prints medians and asserts nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from outbox.fields import KNOWN, split
from outbox.mailing import WHOSE
from outbox.many import Addressees
from outbox.mime import build
from outbox.model import Account, Address, Addressee, Letter, Template
from outbox.providers import PROVIDERS, Provider
from outbox.wire import Form, spell_out

DATE = datetime(2026, 3, 1, 9, tzinfo=UTC)
ENV = {"OUTBOX_TOKEN": "token", "OUTBOX_SES_KEY_ID": "key", "OUTBOX_SES_SECRET": "secret"}
NAMES = ("Ana", "Björk", "Maria-José", "Hans Peter")
SHARED = {
    "postal_address": "Example Press, 1 Sample Street",
    "list_name": "Letters",
    "browser_url": "https://example.org/i",
}
#: Links are what all of them begin with, and the person's token, as in `mailing.compose`.
LINKS = {
    f"{page}_url": (f"https://example.org/mail/{page}/", WHOSE) for page in ("unsubscribe", "preferences")
}
ROUNDS, PEOPLE = 7, 2000


def report_merge() -> None:
    """Print messages a second for each way to make them."""
    small, large, people = make_letter(15_400, 8_000), make_letter(25_000, 8_000), list(make_people(PEOPLE))
    bodies = [Form(spell_out(part, str.encode)) for part in (small.html, small.text)]
    report(
        "HTML and text, 15 kB + 8 kB", lambda: each(people, lambda one: [form.fill(one) for form in bodies])
    )
    report("raw mail, 15 kB + 8 kB", lambda: each(people, lambda one: build(small, one, date=DATE)))
    for name in ("resend", "postmark", "brevo", "sandbox"):
        report(f"{name}: whole bodies, 25 kB + 8 kB, 100 to a call", calls(name, large, people, 100))
    report("mailgun: fields, 500 to a call", calls("mailgun", large, people, 500))
    report("ses: fields, 50 to a call", calls("ses", large, people, 50))


def calls(name: str, letter: Letter, people: list[Addressee], size: int) -> Callable[[], object]:
    """Make every call for a list of people; each is let go before the next, as in a send."""
    provider = open_provider(name)
    crowd = [Addressees.of(people[at : at + size]) for at in range(0, len(people), size)]

    def make() -> None:
        for at in range(0, len(people), size):
            batch = provider.prepare(letter, crowd[at // size], f"s.d.{at}", date=DATE)
            assert batch.sha
            assert batch.body

    return make


def each(people: list[Addressee], make: Callable[[Addressee], object]) -> None:
    """Make one message after the other, and keep none."""
    for person in people:
        make(person)


def open_provider(name: str) -> Provider:
    """A provider that is never called."""
    region = "eu-west-1" if name == "ses" else ""
    return PROVIDERS[name](Account(Path(), ENV, domain="m.example.org", region=region))


def report(what: str, make: Callable[[], object]) -> None:
    """Print the median of some rounds, in messages a second, and the microseconds of one."""
    make()
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        make()
        seconds.append(time.process_time() - start)
    middle = statistics.median(seconds)
    print(f"{what:56}{PEOPLE / middle:12,.0f}/s{middle / PEOPLE * 1e6:9.2f} µs")


def make_people(number: int) -> Iterator[Addressee]:
    """Readers with what each message has of its own."""
    for no in range(number):
        name = NAMES[no % len(NAMES)]
        values = {"first_name": name, WHOSE: f"{no:032x}"}
        outbox_id = f"5eb3a6e873d94b3c8f2c6a1b0d9e7f54.{no}"
        to = Address(name, f"reader{no}@example.org")
        yield Addressee(outbox_id, to, f"<{outbox_id}@letters.example.org>", values)


def make_letter(html_bytes: int, text_bytes: int) -> Letter:
    """An issue of about this size with a greeting, links and a footer."""
    row = '<p style="margin:0 0 16px;color:#24312e">A paragraph with “quotes”, a dash – and some words more.</p>\n'
    foot = (
        '<a href="@@unsubscribe_url@@">Leave</a> <a href="@@preferences_url@@">Change</a> @@postal_address@@'
    )
    html = f"<p>Dear @@first_name@@,</p>\n{row * (html_bytes // len(row.encode()))}{foot}\n"
    line = "A paragraph with “quotes”, a dash – and some words more.\n"
    end = "@@unsubscribe_url@@\n@@preferences_url@@\n"
    text = f"Dear @@first_name@@,\n{line * (text_bytes // len(line.encode()))}{end}"
    unsubscribe = Template(
        ("<", ">, <mailto:reply@example.org?subject=unsubscribe%20", ">"),
        (("unsubscribe_url", str), (WHOSE, str)),
    ).unfold(LINKS)
    return Letter(
        subject=split("A letter for @@first_name@@", "header", "", KNOWN),
        html=split(html, "html", "", KNOWN)
        .settle({**SHARED, "postal_address": escape(SHARED["postal_address"])})
        .unfold(LINKS),
        text=split(text, "text", "", KNOWN).settle(SHARED).unfold(LINKS),
        sender=Address("Example Press", "hello@example.org"),
        reply_to=(Address("", "reply@example.org"),),
        headers=(
            ("List-Id", Template(("Letters on Care <letters.example.org>",))),
            ("List-Unsubscribe", unsubscribe),
            ("List-Unsubscribe-Post", Template(("List-Unsubscribe=One-Click",))),
            ("Feedback-ID", Template(("first-light:letters.example.org:issue:abc",))),
        ),
        attachments=(),
        stream="broadcast",
        tag="2026-03-01-first-light",
    )


if __name__ == "__main__":
    report_merge()
