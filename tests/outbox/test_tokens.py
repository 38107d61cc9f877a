"""A link says who it is for, and nobody else can make one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import BadSignature, ExpiredLink
from outbox.tokens import Signer

OLD = Signer(("an old secret",), "letters.example.org")
NEW = Signer(("a new secret", "an old secret"), "letters.example.org")


@given(st.integers(min_value=1, max_value=2**63))
def test_a_token_is_read_back(number: int) -> None:
    """The id comes out as it went in."""
    assert number == NEW.read("unsubscribe", NEW.sign("unsubscribe", number))


def test_a_changed_secret_keeps_old_links_good() -> None:
    """Links live for ever, secrets do not."""
    assert NEW.read("unsubscribe", OLD.sign("unsubscribe", 7)) == 7


@pytest.mark.parametrize(
    "token",
    [
        NEW.sign("preferences", 7),
        NEW.sign("unsubscribe", 7).replace("7-", "8-", 1),
        NEW.sign("unsubscribe", 7).replace("7-0-", "07-0-", 1),
        NEW.sign("unsubscribe", 7).replace("7-0-", "7-zzzzz-", 1),
        NEW.sign("unsubscribe", 7)[:-1],
        NEW.sign_words("unsubscribe", "seven"),
        Signer(("a secret that was given up",), "letters.example.org").sign("unsubscribe", 7),
        Signer(("a new secret",), "other.example.org").sign("unsubscribe", 7),
        "7",
        "",
        "ü-ü",
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    """Another purpose, person, list, length or nonsense: all the same answer."""
    with pytest.raises(BadSignature):
        NEW.read("unsubscribe", token)


def test_a_link_ends_when_it_was_told_to(now: datetime) -> None:
    """Until the end of that hour it is read, then it says for whom it was."""
    token = NEW.sign("confirm", 7, expires=now + timedelta(days=7))

    assert NEW.read("confirm", token, now + timedelta(days=7)) == 7
    with pytest.raises(ExpiredLink) as caught:
        NEW.read("confirm", token, now + timedelta(days=7, hours=1))
    assert caught.value.words == "7"


def test_a_forged_end_is_forged_before_it_is_over(now: datetime) -> None:
    """Whether a link was good once is told to nobody who could not make it."""
    token = OLD.sign("confirm", 7, expires=now)

    with pytest.raises(BadSignature):
        NEW.read("confirm", f"8{token[1:]}", now + timedelta(days=1))


def test_links_are_short() -> None:
    """They stand in letters as text, where a long line is broken."""
    assert len(NEW.sign("confirm", 1_000_000, expires=datetime(2026, 3, 1, tzinfo=UTC))) <= 40


@given(st.text(), st.datetimes(timezones=st.just(UTC)))
def test_no_end_crashes_the_reader(token: str, now: datetime) -> None:
    """The same with a clock at hand, at any time."""
    with pytest.raises(BadSignature):
        NEW.read("unsubscribe", token, now)


@given(st.text())
def test_no_text_crashes_the_reader(token: str) -> None:
    """Whatever stands in a link, the answer is BadSignature."""
    with pytest.raises(BadSignature):
        NEW.read("unsubscribe", token)
