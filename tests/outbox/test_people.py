"""A list of people comes in with its consent, goes out whole, and brings nobody back."""

from __future__ import annotations

from datetime import datetime

import pytest

from outbox.addresses import key_of, read_address, read_mailbox
from outbox.consent import Change, Claim, enlist, unsubscribe
from outbox.errors import PeopleError
from outbox.model import Address, Consent
from outbox.people import enlist_all, read_people, write_people
from outbox.store import Store, subscribers


def claim(consent: Consent, basis: str = "said yes") -> Claim:
    """Eve, put forward."""
    return Claim("eve@example.org", "Eve", consent, basis, "test")


STEPS = {
    (None, "pending"): "added",
    (None, "confirmed"): "added",
    (None, "unsubscribed"): "added",
    ("pending", "confirmed"): "changed",
    ("pending", "pending"): "same",
    ("confirmed", "unsubscribed"): "changed",
    ("confirmed", "pending"): "kept as they are",
    ("unsubscribed", "confirmed"): "kept as they are",
    ("unsubscribed", "suppressed"): "changed",
    ("suppressed", "confirmed"): "kept as they are",
    ("suppressed", "unsubscribed"): "kept as they are",
}


@pytest.mark.parametrize(("step", "becomes"), STEPS.items(), ids=str)
def test_a_step_is_taken_or_not(
    store: Store, now: datetime, step: tuple[str | None, str], becomes: str
) -> None:
    """Who left is not brought back by a list; each step that is taken leaves its evidence."""
    before, after = step
    with store.begin() as tx:
        if before:
            enlist(tx, claim(Consent(before)), now)
        change = enlist(tx, claim(Consent(after)), now)
        person = subscribers.find(tx, "EVE@example.org")
        assert person is not None
        events = subscribers.events_of(tx, person.id)

    assert Change(becomes) == change
    assert (after if becomes in {"added", "changed"} else before) == person.consent
    assert person.consent == events[-1].consent


def test_consent_needs_a_basis(store: Store, now: datetime) -> None:
    """Nobody is written to without a reason on record."""
    with pytest.raises(PeopleError, match="no basis of consent"), store.begin() as tx:
        enlist(tx, claim(Consent.CONFIRMED, basis=""), now)
    with store.read() as tx:
        assert subscribers.find(tx, "eve@example.org") is None


def test_leaving_works_once_and_again(store: Store, now: datetime) -> None:
    """The second time changes nothing and fails nothing."""
    with store.begin() as tx:
        ana = subscribers.find(tx, "ana@example.org")
        assert ana is not None

        assert unsubscribe(tx, ana, source="test", now=now)
        left = subscribers.find_by_id(tx, ana.id)
        assert left is not None
        assert left.consent is Consent.UNSUBSCRIBED
        assert not unsubscribe(tx, left, source="test", now=now)


def test_a_list_is_read_and_its_bad_rows_named() -> None:
    """A row that cannot be taken is named with its line; the others are taken."""
    content = (
        "\ufeffEmail,name,consent,basis,given_at\r\n"
        "ana@Example.ORG,Ana,confirmed,talk,2026-01-12\r\n"
        "ANA@example.org,Ana again,confirmed,talk,\r\n"
        "not an address,,confirmed,talk,\r\n"
        "bo@example.org,Bo,maybe,talk,\r\n"
        '"li@example.org","Li\nBcc: x",confirmed,talk,\r\n'
        "zoë@example.org,,confirmed,talk,\r\n"
        "max@bücher.example.com,Max,,talk,\r\n"
        "ida@example.org,Ida,confirmed,,\r\n"
        "kim@example.org,Kim,unsubscribed,,\r\n"
        "lou@example.org,Lou\r\n"
        "\r\n"
    ).encode()
    claims, rejects = read_people(content, name="list.csv")

    assert [claim.email for claim in claims] == [
        "ana@example.org",
        "max@xn--bcher-kva.example.com",
        "kim@example.org",
    ]
    assert claims[0].source == "list.csv:2"
    assert [reject.line for reject in rejects] == [3, 4, 5, 7, 8, 10, 12]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"mail,name\n", r"list.csv:1: has an unknown column 'mail'; did you mean 'email'"),
        (b"email,email\n", "names a column twice"),
        (b"name\nAna\n", "has no column 'email'"),
        (b"email\n\xff@example.org\n", r"list.csv:2: is not UTF-8"),
        (b"email\nana\0@example.org\n", r"list.csv:2: holds a NUL"),
        (b'email\n"ana@example.org\n', "is not a good CSV file"),
        (b"email,name\nana@example.org," + b"x" * 200_000 + b"\n", "is not a good CSV file"),
    ],
)
def test_a_file_that_is_no_list_is_refused(content: bytes, says: str) -> None:
    """Nothing is taken from a file that cannot be understood."""
    with pytest.raises(PeopleError, match=says):
        read_people(content, name="list.csv", basis="talk")


def test_what_goes_out_comes_in_again(store: Store, now: datetime) -> None:
    """An export imported changes nobody."""
    with store.begin() as tx:
        content = "".join(write_people(tx))
        claims, rejects = read_people(content.encode(), name="people.csv")
        changes = enlist_all(tx, claims, now)

    assert rejects == []
    assert {Change.SAME: 4} == changes


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ana@example.org", Address("", "ana@example.org")),
        ("Ana Ruiz <ana@example.org>", Address("Ana Ruiz", "ana@example.org")),
        ('"Ruiz, \\"Ana\\"" <ana@example.org>', Address('Ruiz, "Ana"', "ana@example.org")),
        ("<ana@example.org>", Address("", "ana@example.org")),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    """With a name, with quotes, or bare."""
    assert address == read_address(text)


@pytest.mark.parametrize(
    "text", ["", "ana", "Ana <ana>", "a@b@c", "Ana <a@example.org> x", "a b@example.org", "<>"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Half an address is none."""
    with pytest.raises(PeopleError, match=r"address|@"):
        read_address(text)


def test_one_mailbox_has_one_key() -> None:
    """Large and small letters, and both spellings of a domain, are one person."""
    assert key_of(read_mailbox("Ana@BÜCHER.example.com")) == key_of(
        read_mailbox("ana@xn--bcher-kva.example.com")
    )
