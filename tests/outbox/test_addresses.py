"""Addresses are taken as email-validator takes them, only faster, and odd ones are named."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from outbox import addresses
from outbox.addresses import PLAIN_DOMAIN, PLAIN_LOCAL, needs_smtputf8, read_mailbox, suggest
from outbox.errors import PeopleError
from tests.outbox.odd_addresses import GOOD, REFUSED

LABELS = st.one_of(
    st.from_regex(r"[a-zA-Z0-9-]{1,8}", fullmatch=True),
    st.sampled_from(["xn--bcher-kva", "ab--c", "x" * 63, "x" * 64, "1", "-a", "a-", "", "Example", "co"]),
)
TOPS = st.one_of(
    LABELS,
    st.sampled_from(["com", "ORG", "test", "Local", "arpa", "onion", "localhost", "invalid", "c0m", "c0"]),
)
LOCALS = st.one_of(
    st.from_regex(r"[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~.]{1,12}", fullmatch=True),
    st.sampled_from(["POSTMASTER", "Info", "a..b", ".a", "a.", "", "a" * 64, "a" * 65, "a" * 249]),
    st.text(max_size=6),
)
DOMAINS = st.tuples(st.lists(LABELS, min_size=0, max_size=5), TOPS).map(
    lambda parts: ".".join([*parts[0], parts[1]])
)
ADDRESSES = st.one_of(st.tuples(LOCALS, DOMAINS).map("@".join), st.text(max_size=20))


def judge(text: str) -> str | None:
    """What email-validator makes of an address; None when it is none."""
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError:
        return None
    return f"{found.local_part}@{found.ascii_domain}"


def read(text: str) -> str | None:
    """What we make of it."""
    try:
        return read_mailbox(text)
    except PeopleError:
        return None


@given(ADDRESSES)
@example("Webmaster@Example.COM")
@example("a@b.Test")
@example("a@b.latest")
@example("a@xn--a.com")
@example("a@" + "b." * 126 + "c")
@example("a@" + "b." * 125 + "cd")
@example("a@example.com\n")
def test_the_fast_way_is_the_slow_way(text: str) -> None:
    """Every text gets the same verdict and the same normal form."""
    assert judge(text) == read(text)


@given(
    st.tuples(*(st.from_regex(part, fullmatch=True) for part in (PLAIN_LOCAL, PLAIN_DOMAIN))).map("@".join)
)
def test_what_the_fast_way_takes_is_good(text: str) -> None:
    """Nothing gets past that email-validator would refuse or write otherwise."""
    assert judge(text) == read(text)


def test_plain_addresses_go_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The common address never meets the slow reader."""
    monkeypatch.setattr(addresses, "validate_email", None)

    assert "Ana.Ruiz+news@mail.example.co.uk" == read_mailbox("Ana.Ruiz+news@Mail.Example.co.UK")


@pytest.mark.parametrize(("text", "normal"), GOOD.items(), ids=ascii)
def test_an_odd_address_is_taken(text: str, normal: str) -> None:
    """It looks strange, and mail goes there."""
    assert normal == read_mailbox(text)
    assert judge(text) == normal
    assert needs_smtputf8(normal) is not normal.isascii()


@pytest.mark.parametrize(("text", "why"), REFUSED.items(), ids=lambda text: ascii(text)[:60])
def test_a_bad_address_is_refused(text: str, why: str) -> None:
    """It is named, and the reason said, on one line that is not endless."""
    with pytest.raises(PeopleError, match=f"(?i){why}") as caught:
        read_mailbox(text)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1500
    assert judge(text) is None


def test_the_table_of_odd_addresses_is_long() -> None:
    """All the oddities that were ever met stand in it."""
    assert len(GOOD) + len(REFUSED) >= 164


@pytest.mark.parametrize(
    ("email", "meant"),
    [
        ("ana@gmial.com", "ana@gmail.com"),
        ("ana@example.con", "ana@example.com"),
        ("ana@gmail.com", ""),
        ("ana@example.org", ""),
        ("ana@confetti.example.com", ""),
    ],
)
def test_a_slip_of_the_pen_is_seen(email: str, meant: str) -> None:
    """What was probably meant is said; the address is not changed."""
    assert meant == suggest(email)
    assert email == read_mailbox(email)
