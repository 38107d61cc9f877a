"""Consent goes one way: nobody is brought back by a list, and each step leaves its evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from outbox.addresses import key_of, read_address, read_mailbox
from outbox.consent import Change, Claim, enlist, enlist_all, erase, gather, suppress, unsubscribe
from outbox.errors import PeopleError
from outbox.model import Address, Consent, Subscriber
from outbox.store import Store, Tx, evidence, incoming, subscribers, suppressions


def claim(consent: Consent, basis: str = "said yes", **more: Any) -> Claim:
    """Eve, put forward."""
    return Claim("eve@example.org", "Eve", consent, basis, "test", **more)


def find(tx: Tx, email: str) -> Subscriber:
    """Somebody who is on the list."""
    person = subscribers.find(tx, email)
    assert person is not None
    return person


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
        person = find(tx, "EVE@example.org")
        events = evidence.events_of(tx, person.id)

    assert Change(becomes) == change
    assert (after if becomes in {"added", "changed"} else before) == person.consent
    assert person.consent == events[-1].consent


def test_consent_needs_a_basis(store: Store, now: datetime) -> None:
    """Nobody is written to without a reason on record."""
    with pytest.raises(PeopleError, match="no basis of consent"), store.begin() as tx:
        enlist(tx, claim(Consent.CONFIRMED, basis=""), now)
    with store.read() as tx:
        assert subscribers.find(tx, "eve@example.org") is None


def test_what_a_list_says_is_added_to_what_is_known(any_store: Store, now: datetime) -> None:
    """A name, a tag, an attribute change; what a list leaves out stays."""
    first = claim(Consent.CONFIRMED, tags=("carer",), attributes={"city": "Kyiv", "visits": 2}, language="uk")
    second = claim(Consent.CONFIRMED, tags=("carer", "friend"), attributes={"visits": 3})
    with any_store.begin() as tx:
        changes = [enlist(tx, one, now) for one in (first, first, second)]
        eve = find(tx, "eve@example.org")
        tags = subscribers.tags_of(tx, eve.id)
        events = evidence.events_of(tx, eve.id)

    assert [Change.ADDED, Change.SAME, Change.CHANGED] == changes
    assert ("uk", {"city": "Kyiv", "visits": 3}) == (eve.language, eve.attributes)
    assert ["carer", "friend"] == tags
    assert 1 == len(events)


def test_many_go_the_way_of_one(any_store: Store, now: datetime) -> None:
    """A list of new and known people is taken at once, each by the same rules, and the chain is whole."""
    people = [
        Claim("ana@example.org", "Ana R.", Consent.CONFIRMED, "list", "l:2"),
        Claim("Pia@example.org", "", Consent.CONFIRMED, "list", "l:3"),
        Claim("neu@example.org", "Neu", Consent.UNSUBSCRIBED, "left", "l:4"),
        Claim("dora@example.com", "", Consent.PENDING, "list", "l:5"),
        Claim("bar@example.org", "Bar", Consent.CONFIRMED, "list", "l:6"),
    ]
    with any_store.begin() as tx:
        suppressions.suppress(tx, "Bar@example.org", "complaint", now)
        changes = enlist_all(tx, gather(people), now)
        ana, pia = find(tx, "ana@example.org"), find(tx, "pia@example.org")
        barred, broken = subscribers.find(tx, "bar@example.org"), evidence.find_broken_link(tx)

    assert [Change.CHANGED, Change.CHANGED, Change.ADDED, Change.KEPT, Change.KEPT] == changes
    assert ("Ana R.", Consent.CONFIRMED) == (ana.name, pia.consent)
    assert barred is None
    assert broken is None


def test_leaving_works_once_and_again(store: Store, now: datetime) -> None:
    """The second time changes nothing and fails nothing."""
    with store.begin() as tx:
        assert unsubscribe(tx, find(tx, "ana@example.org"), source="test", now=now)

        left = find(tx, "ana@example.org")
        assert left.consent is Consent.UNSUBSCRIBED
        assert not unsubscribe(tx, left, source="test", now=now)


def test_a_suppressed_address_stays_so(any_store: Store, now: datetime) -> None:
    """On the list or not, no list and no command brings it in."""
    with any_store.begin() as tx:
        told = [
            suppress(tx, email, "complaint", source="test", now=now)
            for email in ("Ana@example.org", "x@example.org")
        ]
        again = suppress(tx, "ana@example.org", "request", source="test", now=now)
        back = enlist(tx, Claim("x@example.org", "", Consent.CONFIRMED, "list", "test"), now)
        ana = find(tx, "ana@example.org")

    assert [True, True] == told
    assert not again
    assert Change.KEPT is back
    assert Consent.SUPPRESSED is ana.consent


OLD, NEW = "the first secret of all", "the second secret of all"


def test_an_erased_person_is_gone_and_stays_away(any_store: Store, now: datetime, tmp_path: Path) -> None:
    """No table and no file knows the name or the address; still no list brings them back, whatever the secret now."""
    secret_name = "Zebulon Quixotry"
    person = Claim(
        "zebulon@example.org",
        secret_name,
        Consent.CONFIRMED,
        "talk",
        "l:2",
        tags=("a tag",),
        attributes={"city": "Oz"},
    )
    with any_store.begin() as tx:
        enlist(tx, person, now)
        zeb = find(tx, "zebulon@example.org")
        erase(tx, zeb, [OLD], source="test", now=now)
    with any_store.begin() as tx:
        back = [enlist(tx, person, now, secrets=secrets) for secrets in ([OLD], [NEW, OLD])]
        gone = subscribers.find_by_id(tx, zeb.id)
        tags, events = subscribers.tags_of(tx, zeb.id), evidence.events_of(tx, zeb.id)
        broken = evidence.find_broken_link(tx)
    any_store.close()

    assert [Change.KEPT, Change.KEPT] == back
    assert gone is not None
    assert ("", "", {}, Consent.ERASED) == (gone.email, gone.name, gone.attributes, gone.consent)
    assert [] == list(tags)
    assert [Consent.CONFIRMED, Consent.ERASED] == [event.consent for event in events]
    assert broken is None
    for file in tmp_path.glob("outbox.db*"):
        assert b"ebulon" not in file.read_bytes()
        assert secret_name.encode() not in file.read_bytes()


def test_a_token_tells_whose_it_is_and_cannot_be_guessed() -> None:
    """The number in front finds the person; the rest is chance, and fits its column."""
    tokens = incoming.make_tokens(range(1, 5_001))

    assert list(range(1, 5_001)) == [int(token[:8], 16) for token in tokens]
    assert {32} == set(map(len, tokens))
    assert not {token[8:] for token in tokens} & {
        token[8:] for token in incoming.make_tokens(range(1, 5_001))
    }


def test_a_token_finds_its_person_alone(any_store: Store, now: datetime) -> None:
    """A wrong one finds nobody, whatever it looks like, and an erased person cannot be found."""
    with any_store.begin() as tx:
        ana, pia = find(tx, "ana@example.org"), find(tx, "pia@example.org")
        rows = tx.connection.exec_driver_sql("SELECT id, token FROM subscriber").all()
        tokens = {row[0]: row[1] for row in rows}
        wrong = [
            tokens[ana.id][:8] + tokens[pia.id][8:],
            tokens[ana.id][:-1],
            "",
            "x" * 32,
            "0" * 32,
            "é" * 32,
        ]

        assert ana == subscribers.find_by_token(tx, tokens[ana.id])
        assert [None] * 6 == [subscribers.find_by_token(tx, token) for token in wrong]
        erase(tx, ana, (), source="test", now=now)
        assert subscribers.find_by_token(tx, tokens[ana.id]) is None
        assert subscribers.find_by_token(tx, "") is None


def test_the_words_of_a_form_are_kept_with_the_consent(any_store: Store, now: datetime) -> None:
    """What was agreed to can be read again, years later."""
    with any_store.begin() as tx:
        sha = evidence.keep_form(tx, "Yes, write to me once a month.", "2026-03", now)
        again = evidence.keep_form(tx, "Yes, write to me once a month.", "2026-03", now)
        ana = find(tx, "ana@example.org")
        event = evidence.events_of(tx, ana.id)[0]
        subscribers.record(
            tx, type(event)(ana.id, Consent.CONFIRMED, "form", "/signup", "", now, "form", sha)
        )
        forms = evidence.forms_of(tx, evidence.events_of(tx, ana.id))

    assert sha == again
    assert {sha: ("2026-03", "Yes, write to me once a month.")} == forms


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
    "text",
    ["", "ana", "Ana <ana>", "a@b@c", "Ana <a@example.org> x", "a b@example.org", "<>", "zoë@example.org"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Half an address is none, and nobody can send from one beyond ASCII."""
    with pytest.raises(PeopleError, match=r"address|@"):
        read_address(text)


def test_one_mailbox_has_one_key() -> None:
    """Large and small letters, and both spellings of a domain, are one person."""
    assert key_of(read_mailbox("Ana@BÜCHER.example.com")) == key_of(
        read_mailbox("ana@xn--bcher-kva.example.com")
    )
