"""A segment means exactly those it says, on both databases, and a wrong one says where it is wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from outbox.config import read
from outbox.consent import enlist
from outbox.errors import ConfigError
from outbox.model import Claim, Consent, EventType
from outbox.segments import SegmentError, parse
from outbox.store import Store, Tx, schema, segments, subscribers, suppressions
from tests.outbox.conftest import BOOK, NOW

PEOPLE: dict[str, dict[str, Any]] = {
    "ada@example.org": {"tags": ("carer",), "attributes": {"city": "Kyiv", "visits": 12}, "language": "uk"},
    "ben@example.com": {
        "tags": ("carer", "spring 2026"),
        "attributes": {"city": "Oslo", "visits": 3},
        "language": "no",
    },
    "cem@example.net": {
        "attributes": {"visits": "many", "renewal": "2026-02-20"},
        "time_zone": "Europe/Istanbul",
    },
    "dee@sub.example.org": {"attributes": {"city": 'Quote"s'}, "language": "en"},
}
JOINED = {"ada": "2025-12-31", "ben": "2026-01-01", "cem": "2026-02-27", "dee": "2026-03-01"}
#: Of those four: who opened something, how many days ago.
OPENED = {"ada": 10, "ben": 100}

MEANT = {
    "": "ada ben cem dee",
    '"carer" in tags': "ada ben",
    '"Carer " in tags': "ada ben",
    '"carer" not in tags': "cem dee",
    '"carer" in tags and not "spring 2026" in tags': "ada",
    'language == "uk" or language == "no"': "ada ben",
    'language in ("uk", "no")': "ada ben",
    'language not in ["uk", "no"]': "cem dee",
    'language != "en"': "ada ben cem",
    'language == ""': "cem",
    'time_zone == "Europe/Istanbul"': "cem",
    'domain == "example.org"': "ada",
    'domain == "Example.COM"': "ben",
    'domain != "example.org"': "ben cem dee",
    'attribute.city == "Kyiv"': "ada",
    '"Kyiv" == attribute.city': "ada",
    'attribute.city != "Kyiv"': "ben cem dee",
    'not attribute.city == "Kyiv"': "ben cem dee",
    "attribute.city == 'Quote\"s'": "dee",
    "attribute.visits >= 3": "ada ben",
    "attribute.visits > 3": "ada",
    "3 < attribute.visits": "ada",
    "attribute.visits == 12.0": "ada",
    "attribute.visits == -1": "",
    'attribute.visits == "many"': "cem",
    'attribute.visits == "12"': "",
    "attribute.renewal < days_ago(8)": "cem",
    "attribute.renewal < days_ago(9)": "",
    'attribute.renewal >= "2026-02-20"': "cem",
    'joined >= "2026-01-01"': "ben cem dee",
    'joined > "2026-01-01"': "cem dee",
    'joined < "2026-01-01"': "ada",
    'joined <= "2026-01-01"': "ada ben",
    'joined == "2026-01-01"': "ben",
    'joined != "2026-01-01"': "ada cem dee",
    "joined >= days_ago(2)": "cem dee",
    "joined >= days_ago(1)": "dee",
    "opened()": "ada ben",
    "opened(30)": "ada",
    "not opened(30)": "ben cem dee",
    "clicked() or delivered()": "",
    '("carer" in tags\n and opened(365)\n)\nand language == "no"': "ben",
}


def fill(store: Store) -> None:
    """Four people in place of the usual ones, two of whom opened a letter."""
    with store.begin() as tx:
        tx.connection.execute(update(schema.subscriber).values(consent=Consent.UNSUBSCRIBED))
        for email, known in PEOPLE.items():
            short = email[:3]
            enlist(tx, Claim(email, short, Consent.CONFIRMED, "talk", "test", **known), NOW)
            person = subscribers.find(tx, email)
            assert person is not None
            joined = NOW.replace(
                **dict(zip(("year", "month", "day"), map(int, JOINED[short].split("-")), strict=True))
            )
            one = update(schema.subscriber).where(schema.subscriber.c.id == person.id)
            tx.connection.execute(one.values(created_at=joined))
            if short in OPENED:
                tx.connection.execute(insert(schema.event), _opened(person.id, OPENED[short]))


def _opened(subscriber_id: int, days: int) -> dict[str, Any]:
    at = NOW - timedelta(days=days)
    told = {
        "provider": "file",
        "event_id": str(subscriber_id),
        "type": EventType.OPENED,
        "detail": "",
        "firmness": "",
        "cause": "",
    }
    return {**told, "subscriber_id": subscriber_id, "at": at, "seen_at": at}


def find(tx: Tx, expression: str) -> str:
    """The names of those confirmed whom an expression means."""
    chosen = segments.choose(tx, expression, NOW)
    query = select(schema.subscriber.c.name).where(schema.subscriber.c.consent == Consent.CONFIRMED, chosen)
    return " ".join(sorted(tx.connection.execute(query).scalars()))


def test_an_expression_means_whom_it_says(any_store: Store) -> None:
    """Tags, attributes, engagement and dates, on both databases."""
    fill(any_store)
    with any_store.read() as tx:
        found = {expression: find(tx, expression) for expression in MEANT}

    assert MEANT == found


def test_a_count_leaves_out_who_may_not_be_written_to(any_store: Store) -> None:
    """What is shown before a send is what the send reaches."""
    fill(any_store)
    with any_store.begin() as tx:
        suppressions.suppress(tx, "ada@example.org", "bounce", NOW)

        assert 1 == segments.count(tx, '"carer" in tags', NOW)


WRONG = {
    '"carer" in tagz': "column 12: expected tags, or a list of values",
    'langage == "en"': "column 1: langage is not known; did you mean language?",
    'langage == "en" and\n opend(3)': "line 1, column 1: langage is not known",
    'language == "en" and\n opend(3)': "line 2, column 2: opend is not known; did you mean opened?",
    "language == en": "column 13: expected a text in quotes",
    "language = 'en'": "column 10: cannot be read: ",
    '"carer" in tags and': "column 20: cannot be read",
    "": "column 1: cannot be read",
    "tags": "column 1: expected a condition",
    "1": "column 1: expected a condition",
    "-opened()": "column 1: expected a condition",
    "3 in tags": "column 1: a tag is a text",
    'language > "a"': "column 12: language is a text",
    "language == 3": "column 13: language is a text",
    'joined > "1.3.2026"': "column 10: expected a date",
    'joined > "2026-02-30"': "column 10: expected a date",
    "joined > 3": "column 10: expected a date",
    "opened(0)": "column 1: expected a number of days",
    "opened(days=3)": "column 1: expected a number of days",
    "opened(1.5)": "column 1: expected a number of days",
    "opened(True)": "column 1: expected a number of days",
    "joined > days_ago()": "column 10: expected a number of days",
    "1 < attribute.visits < 3": "column 1: compare two at a time",
    "attribute.visits is 3": "column 1: compare with one of",
    "attribute.visits == True": "column 21: expected a text in quotes",
    "attribute.visits == None": "column 21: expected a text in quotes",
    "attribute.visits == 1e999": "column 21: expected a text in quotes",
    "attribute.a.b == 3": "column 1: that is not known",
    '__import__("os").system("x")': "column 1: that is not known",
    "[x for x in tags]": "column 1: expected a condition",
    "lambda: 1": "column 1: expected a condition",
    "opened() if clicked() else bounced()": "column 1: expected a condition",
    "f'{name}' == name": "column 1: that is not known",
    "'ä' in tags and\r\n  'ü' in tagz": "line 2, column 10: expected tags",
    "  tagz": "column 3: expected a condition",
    "opened() # twice": "column 10: a comment",
    "name == 'a') or (opened()": "column 12: cannot be read",
    "not " * 900 + "opened()": "nested too deeply",
    "(" * 300 + "opened()" + ")" * 300: "cannot be read",
    "opened() or " * 400 + "opened()": "is longer than 4,000 characters",
    "name == '\0'": "cannot be read",
}


@pytest.mark.parametrize(("expression", "says"), WRONG.items(), ids=lambda text: ascii(text)[:40])
def test_a_wrong_expression_says_where(expression: str, says: str) -> None:
    """Line and column, and what was expected there."""
    with pytest.raises(SegmentError) as caught:
        parse(expression)
    assert says in str(caught.value)


@given(st.text(alphabet="abcn \"'()[]=<>!.,-09_\n\\#", max_size=40) | st.text(max_size=20))
def test_no_text_crashes_the_reader(text: str) -> None:
    """Whatever is written is either a segment or an error with a place."""
    try:
        parse(text)
    except SegmentError as error:
        assert str(error)


def test_segments_are_read_from_the_book(book: Path) -> None:
    """Their names and expressions, checked before anything is sent."""
    (book / "book.toml").write_text(BOOK + "[segments]\ncarers = '\"carer\" in tags'\n", "utf-8")

    assert {"carers": '"carer" in tags'} == read(book / "book.toml", {}).segments


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            "[segments]\nall = ''\ncarers = 'tagz'\n",
            r"book.toml:13: \[segments\] all: column 1: cannot be read",
        ),
        ("[segments]\ncarers = 'tagz'\n", r"book.toml:13: \[segments\] carers: column 1"),
        ("[segments]\nCarers = 'opened()'\n", "write small letters"),
        ("[segments]\ncarers = 3\n", "must be an expression in quotes"),
        ("[[segments]]\ncarers = 3\n", "must be one table"),
        ("[segment]\ncarers = 3\n", r"did you mean \[segments\]"),
    ],
)
def test_wrong_segments_are_told_with_their_line(book: Path, table: str, says: str) -> None:
    """The author finds the place."""
    (book / "book.toml").write_text(BOOK + table, "utf-8")

    with pytest.raises(ConfigError, match=says):
        read(book / "book.toml", {})


def test_segments_are_listed_with_their_counts(
    book: Path, outbox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """By name, or an expression that is only tried."""
    outbox("init", "--sample")
    empty = outbox("segments").stdout
    (book / "book.toml").write_text(BOOK + "[segments]\norg = 'domain == \"example.org\"'\n", "utf-8")
    listed = outbox("segments").stdout
    tried = json.loads(outbox("segments", "not opened(90)", "--json").stdout)

    assert "there are none" in empty
    assert 'org          2  domain == "example.org"\n' == listed
    assert [4] == [row["people"] for row in tried]
    assert "column 1: opend is not known" in outbox("segments", "opend(1)", code=1).stderr
