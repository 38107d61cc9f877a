"""Leaving takes one click, from a mail program or on a page, and is good for ever (RFC 8058)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from outbox.consent import erase
from outbox.model import Consent
from outbox.store import evidence, subscribers
from tests.outbox.web.conftest import Door, dump, person_of, queued, read_forms, token_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def page(door: Door) -> str:
    """The address in the List-Unsubscribe header of everything that goes to Ana."""
    return f"/mail/unsubscribe/{token_of(door.desk.store, 'ana@example.org')}"


@pytest.mark.parametrize(
    "sent",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {
            "data": "List-Unsubscribe=One-Click",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"data": ""},
    ],
    ids=["urlencoded", "multipart", "as RFC 8058 shows it", "empty"],
)
def test_a_mail_program_s_click_lets_go_at_once(door: Door, page: str, sent: dict[str, object]) -> None:
    """No redirect, no question, no cookie: 200, and the person has left."""
    answer = door.ask("POST", page, **sent)
    person = person_of(door.desk.store, "ana@example.org")
    assert person
    with door.desk.store.read() as tx:
        event = evidence.events_of(tx, person.id)[-1]

    assert answer.status_code == 200
    assert "<" not in answer.text
    assert person.consent is Consent.UNSUBSCRIBED
    assert (event.method, event.source) == ("one-click", "https://example.org/mail/unsubscribe")
    assert [] == queued(door.desk.store)  # after a click in a mail program nothing may come


def test_a_second_click_is_the_same(door: Door, page: str) -> None:
    """Idempotent: the same answer, no second event, no second goodbye, also ten years later."""
    first = door.post(page, ONE_CLICK)
    before = dump(door.desk.store)
    door.clock.now += timedelta(days=3650)
    second = door.post(page, ONE_CLICK)

    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert before == dump(door.desk.store)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_that_is_followed_lets_nobody_go(door: Door, page: str, method: str) -> None:
    """Scanners open every link of every letter."""
    before = dump(door.desk.store)

    assert door.ask(method, page).status_code == 200
    assert before == dump(door.desk.store)


@pytest.mark.parametrize(
    "token", ["0" * 32, "00000001" + "A" * 24, "5eb3a6e873d94b3c5eb3a6e873d94b3c", "x", "%0d%0a"]
)
def test_the_link_of_a_test_letter_is_answered_and_changes_nothing(door: Door, token: str) -> None:
    """Whoever looks at a test letter, or has a link of somebody erased, sees what everybody sees."""
    before = dump(door.desk.store)
    answer = door.post(f"/mail/unsubscribe/{token}", ONE_CLICK)

    assert answer.status_code == 200
    assert door.get(f"/mail/unsubscribe/{token}").status_code == 200
    assert before == dump(door.desk.store)


def test_a_person_presses_a_button_and_may_say_why(door: Door, page: str) -> None:
    """The reason stands in the evidence; who gives none is let go all the same."""
    form = read_forms(door.get(page).text)[0]
    answer = door.post(form.action, {**form.values, "leave": "yes", "reason": "too_many_letters"})
    with door.desk.store.read() as tx:
        event = evidence.events_of(tx, 1)[-1]

    assert "You have left" in answer.text
    assert [("goodbye:1:0", "goodbye", 1)] == queued(door.desk.store)
    assert (event.basis, event.method) == ("asked to be left out: too many letters", "link")


def test_a_reason_is_one_of_those_offered(door: Door, page: str) -> None:
    """Evidence stays for good, so nobody writes their name into it."""
    door.post(page, {"leave": "yes", "reason": "my name is Ana"})
    with door.desk.store.read() as tx:
        event = evidence.events_of(tx, 1)[-1]

    assert event.basis == "asked to be left out"


@pytest.mark.parametrize(("form", "values"), [(1, {"every": "month"}), (2, {"pause": "quarter"})])
def test_fewer_letters_or_a_pause_are_a_button_away(
    door: Door, page: str, form: int, values: dict[str, str]
) -> None:
    """Both are done by one press, and the person stays on the list."""
    offered = read_forms(door.get(page).text)[form]
    answer = door.post(offered.action, values)
    person = person_of(door.desk.store, "ana@example.org")

    assert "Saved." in answer.text
    assert person
    assert person.consent is Consent.CONFIRMED


def test_a_forged_token_beside_a_good_one_keeps_nobody_back(door: Door, page: str) -> None:
    """Tokens of one person, one forged and one real, come in the same batch."""
    paths = [page, page[:-1] + ("A" if page[-1] != "A" else "B")] * 10
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda path: door.post(path, ONE_CLICK).status_code, paths))

    assert {200} == set(answers)
    person = person_of(door.desk.store, "ana@example.org")
    assert person
    assert person.consent is Consent.UNSUBSCRIBED
    assert [] == queued(door.desk.store)  # after a click in a mail program nothing may come


def test_a_pending_person_may_leave_too(door: Door) -> None:
    """Who was signed up by somebody else is not asked again."""
    door.post(f"/mail/unsubscribe/{token_of(door.desk.store, 'pia@example.org')}", ONE_CLICK)
    person = person_of(door.desk.store, "pia@example.org")

    assert person
    assert person.consent is Consent.UNSUBSCRIBED


def test_the_link_of_an_erased_person_is_answered(door: Door, page: str) -> None:
    """Their old letters still have it."""
    with door.desk.store.begin() as tx:
        person = subscribers.find_by_id(tx, 1)
        assert person
        erase(tx, person, (), source="test", now=door.clock())

    assert door.post(page, ONE_CLICK).status_code == 200
