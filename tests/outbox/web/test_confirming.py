"""Consent is given by a press of a button, never by a link that was followed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from outbox.model import Consent
from outbox.store import Store, evidence
from tests.outbox.web.conftest import Door, OpenDoor, dump, person_of, queued, read_forms, token_of


@pytest.fixture
def page(door: Door) -> str:
    """The address in the confirm letter of a person who has just signed up."""
    door.sign_up()
    return f"/mail/confirm/{token_of(door.desk.store, 'mira@example.org')}"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_only_the_button_confirms(door: Door, page: str, method: str) -> None:
    """Programs that follow links before the person does change nothing."""
    before = dump(door.desk.store)
    answer = door.ask(method, page, headers={"Purpose": "prefetch", "Sec-Purpose": "prefetch"})

    assert answer.status_code == (200 if method in {"GET", "HEAD"} else 405)
    assert before == dump(door.desk.store)


def test_the_button_confirms_and_the_letter_of_welcome_is_written(door: Door, page: str) -> None:
    """The yes is evidence: its words, its moment, its page and its way."""
    door.clock.now += timedelta(hours=2)
    (form,) = read_forms(door.get(page).text)
    answer = door.post(form.action, form.values)
    person = person_of(door.desk.store, "mira@example.org")
    assert person
    with door.desk.store.read() as tx:
        asked, given = evidence.events_of(tx, person.id)
        broken = evidence.find_broken_link(tx)

    assert answer.status_code == 200
    assert "You are on the list" in answer.text
    assert person.consent is Consent.CONFIRMED
    assert (given.consent, given.method, given.source) == (
        "confirmed",
        "link",
        "https://example.org/mail/confirm",
    )
    assert (given.at, given.form_sha, given.basis) == (door.clock.now, asked.form_sha, asked.basis)
    assert asked.form_sha
    assert broken is None
    assert (f"welcome:{person.id}:1", "welcome", person.id) in queued(door.desk.store)


def test_the_gift_is_a_button_away(store: Store, open_door: OpenDoor, book: Path) -> None:
    """The page after the press has the person's own link to the book, which opens; the page before has not."""
    (book / "book.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    with open_door(store, '\n[gift]\nfiles = ["book.pdf"]\n') as door:
        door.sign_up()
        page = f"/mail/confirm/{token_of(store, 'mira@example.org')}"
        before, after = door.get(page).text, door.post(page).text
        (link,) = re.findall(r'href="https://example.org(/mail/gift/[^"]+)"', after)
        opened = door.get(link)

    assert "/gift/" not in before
    assert opened.status_code == 200
    assert "Get the PDF" in opened.text


def test_a_second_press_changes_nothing(door: Door, page: str) -> None:
    """The answer is the same, the letter of welcome comes once."""
    first = door.post(page)
    before = dump(door.desk.store)
    second = door.post(page)

    assert first.text == second.text
    assert before == dump(door.desk.store)


def test_a_button_is_good_for_two_weeks(door: Door, page: str) -> None:
    """After that one signs up anew; nobody is confirmed by a letter that lay about for a year."""
    door.clock.now += timedelta(days=13)
    in_time = door.get(page)
    door.clock.now += timedelta(days=2)
    late = door.post(page)
    person = person_of(door.desk.store, "mira@example.org")

    assert "<button" in in_time.text
    assert late.status_code == 410
    assert "14 days" in late.text
    assert person
    assert person.consent is Consent.PENDING


def test_who_signs_up_again_has_two_weeks_again(door: Door, page: str) -> None:
    """The button of the newest letter counts from the newest sign-up."""
    door.clock.now += timedelta(days=20)
    door.sign_up()

    assert "You are on the list" in door.post(page).text


@pytest.mark.parametrize("token", ["x", "0" * 32, "00000001" + "A" * 24, "../../etc/passwd", "%00", "é"])
def test_a_link_of_nobody_leads_to_the_form(door: Door, token: str) -> None:
    """Forged, broken or of an erased person: one answer, by GET and POST, and nothing happens."""
    before = dump(door.desk.store)
    answers = [door.ask(method, f"/mail/confirm/{token}") for method in ("GET", "POST")]

    assert {404} == {answer.status_code for answer in answers}
    assert before == dump(door.desk.store)


def test_who_left_is_not_brought_back_by_an_old_letter(door: Door, page: str) -> None:
    """The confirm letter still lies in the inbox after leaving; its button leads to the form."""
    door.post(page)
    door.post(page.replace("/confirm/", "/unsubscribe/"), "List-Unsubscribe=One-Click")

    assert door.post(page).status_code == 404
    person = person_of(door.desk.store, "mira@example.org")
    assert person
    assert person.consent is Consent.UNSUBSCRIBED


def test_a_stay_has_its_own_welcome(door: Door, page: str) -> None:
    """Who comes back after a time is welcomed again, and says goodbye again."""
    for _ in range(2):
        door.post(page)
        door.post(page.replace("/confirm/", "/unsubscribe/"), {"leave": "yes"})
        door.clock.now += timedelta(days=30)
        door.sign_up()
    names = [name for _, name, _ in queued(door.desk.store)]

    assert (2, 2, 3, 1) == tuple(names.count(name) for name in ("welcome", "goodbye", "confirm", "reminder"))
