"""A link says who it is for, and nobody else can make one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import BadSignature
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
        NEW.sign("unsubscribe", 7)[:-1],
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


@given(st.text())
def test_no_text_crashes_the_reader(token: str) -> None:
    """Whatever stands in a link, the answer is BadSignature."""
    with pytest.raises(BadSignature):
        NEW.read("unsubscribe", token)
