"""Whoever signs up is asked by mail; whatever they typed, the answer tells nothing of who is on the list."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from outbox.consent import enlist, erase, suppress, unsubscribe
from outbox.model import Claim, Consent
from outbox.store import Store, evidence, subscribers
from tests.outbox.web.conftest import Door, OpenDoor, dump, person_of, queued, read_forms

TOPICS = """
[sign_up]
consent = "Yes, write to me."
version = "2026-03"
languages = { en = "English", fr = "français" }
[sign_up.topics]
recipes = "Eating"
"""


def test_a_visitor_becomes_a_pending_person_who_is_asked(door: Door) -> None:
    """The address is on the list, waits for a yes, and one letter asks for it; a reminder comes later."""
    answer = door.sign_up("Mira@Example.org", name="Mira")
    person = person_of(door.desk.store, "mira@example.org")

    assert answer.status_code == 200
    assert person
    assert (person.email, person.name, person.consent) == ("Mira@example.org", "Mira", Consent.PENDING)
    assert [
        (f"confirm:{person.id}:1", "confirm", person.id),
        (f"reminder:{person.id}", "reminder", person.id),
    ] == queued(door.desk.store)


def test_the_evidence_has_the_words_the_page_and_the_moment(store: Store, open_door: OpenDoor) -> None:
    """What was agreed to stands there as it was read, with its version."""
    with open_door(store, TOPICS) as door:
        page = door.get("/mail/sign-up").text
        door.sign_up()
        person = person_of(store, "mira@example.org")
        with store.read() as tx:
            (event,) = evidence.events_of(tx, person.id if person else 0)
            version, text = evidence.forms_of(tx, [event])[event.form_sha]

    assert (event.consent, event.method, event.source) == (
        Consent.PENDING,
        "form",
        "https://example.org/mail/sign-up",
    )
    assert event.at == door.clock.now
    assert version == "2026-03"
    assert "Yes, write to me." in text
    assert [] == [line for line in text.splitlines() if line not in page]


def test_topics_and_language_are_those_that_are_offered(store: Store, open_door: OpenDoor) -> None:
    """Nobody gives themselves a tag that the page does not have."""
    with open_door(store, TOPICS) as door:
        door.sign_up(topic=["recipes", "staff"], language="fr")
        person = person_of(store, "mira@example.org")
        with store.read() as tx:
            tags = subscribers.tags_of(tx, person.id if person else 0)

    assert person
    assert ["recipes"] == tags
    assert person.language == "fr"


def _leave(store: Store, now: Any) -> None:
    with store.begin() as tx:
        person = subscribers.find(tx, "ana@example.org")
        assert person
        unsubscribe(tx, person, source="test", now=now)


def _bar(store: Store, now: Any) -> None:
    with store.begin() as tx:
        suppress(tx, "ana@example.org", "complaint", source="test", now=now)


def _nothing(store: Store, now: Any) -> None:
    return None


@pytest.mark.parametrize("before", [_nothing, _leave, _bar])
def test_the_answer_is_the_same_for_everybody(door: Door, before: Callable[..., None]) -> None:
    """Known, gone, barred or new: status and text differ in nothing but the address that was typed."""
    before(door.desk.store, door.clock())
    known, new = door.sign_up("ana@example.org"), door.sign_up("stranger@example.org")

    assert known.status_code == new.status_code == 200
    assert known.text.replace("ana@", "stranger@") == new.text


def test_who_is_on_the_list_gets_their_link_and_nothing_changes(door: Door) -> None:
    """Anybody can type an address; so a name, a topic or a language of somebody confirmed stays as it is."""
    before = person_of(door.desk.store, "ana@example.org")
    door.sign_up("ana@example.org", name="Somebody Else")

    assert person_of(door.desk.store, "ana@example.org") == before
    assert [("link:1:1", "link", 1)] == queued(door.desk.store)


def test_who_left_can_come_back_by_themselves(door: Door) -> None:
    """A sign-up of their own asks again; they are written to only after a new yes."""
    _leave(door.desk.store, door.clock())
    door.sign_up("ana@example.org")
    person = person_of(door.desk.store, "ana@example.org")

    assert person
    assert person.consent is Consent.PENDING
    assert ("confirm:1:1", "confirm", 1) in queued(door.desk.store)


def test_a_mailbox_that_complained_is_never_written_to(door: Door) -> None:
    """Not even to ask."""
    _bar(door.desk.store, door.clock())
    door.sign_up("ana@example.org")

    assert [] == queued(door.desk.store)


def test_one_letter_in_a_day_then_two_then_four(door: Door) -> None:
    """An address that somebody types again and again is asked less and less often."""
    asked = []
    for _day in range(10):
        for _ in range(3):
            door.sign_up("victim@example.org", wait=60)
        asked.append(len([key for key, name, _ in queued(door.desk.store) if name == "confirm"]))
        door.clock.now += timedelta(days=1)

    assert [1, 2, 2, 3, 3, 3, 3, 4, 4, 4] == asked
    assert 1 == len([name for _, name, _ in queued(door.desk.store) if name == "reminder"])


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"email": ""}, "Please give the address"),
    ({"email": "no address"}, "does not look like"),
    ({"email": "a@b@c.org"}, "does not look like"),
    ({"email": "a" * 300 + "@example.org"}, "does not look like"),
    ({"agree": ""}, "Please tick the box"),
    ({"name": "x" * 61}, "at most 60 characters"),
    ({"name": "Win at https://evil.example"}, "without a link"),
    ({"name": "buy at evil.com now"}, "without a link"),
    ({"name": "a\r\nBcc: b@example.org"}, "without a link"),
    ({"token": "forged"}, "open for a long time"),
    ({"wait": 0}, "That was very quick"),
    ({"wait": 60 * 60 * 26}, "open for a long time"),
    ({"email": "mira@gmial.com"}, "Did you mean mira@gmail.com?"),
]


@pytest.mark.parametrize(("values", "said"), FAULTS)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    door: Door, values: dict[str, Any], said: str
) -> None:
    """The form comes back with the fault beside its field, and nothing is written."""
    before = dump(door.desk.store)
    answer = door.sign_up(**{"name": "Mira", **values})

    assert answer.status_code == 422
    assert said in answer.text
    if "email" in values and len(values["email"]) < 100:
        assert f'value="{values["email"]}"' in answer.text
    assert before == dump(door.desk.store)


@pytest.mark.parametrize(("email", "wait"), [("mira@example.org", 0), ("mira@gmial.com", 5)])
def test_a_second_press_is_enough(door: Door, email: str, wait: int) -> None:
    """Whoever was too quick, or means the odd address, presses the button of the form that came back."""
    again = read_forms(door.sign_up(email, wait=wait).text)[0]
    door.clock.now += timedelta(seconds=3)

    assert door.post(again.action, {**again.values, "agree": "yes"}).status_code == 200
    assert person_of(door.desk.store, email)


def test_a_trap_catches_without_a_word(door: Door) -> None:
    """A robot fills in every field, gets the answer that everybody gets, and nothing happens."""
    good = door.sign_up("robot@example.org").text
    before = dump(door.desk.store)
    answer = door.sign_up("robot@example.org", website="https://robot.example")

    assert answer.text == good
    assert before == dump(door.desk.store)


def test_a_network_has_its_limit_and_others_do_not_feel_it(store: Store, open_door: OpenDoor) -> None:
    """Twenty from one street are enough for an hour; then one more every few minutes."""
    with open_door(store, "\n[sign_up]\nper_network = 3\n") as door:
        answers = [door.sign_up(f"p{number}@example.org", wait=3).status_code for number in range(5)]
        door.clock.now += timedelta(minutes=20)
        later = door.sign_up("later@example.org").status_code

    assert [200, 200, 200, 429, 429] == answers
    assert later == 200


def test_a_proof_of_work_opens_the_wide_way(store: Store, open_door: OpenDoor) -> None:
    """Without one fewer may come; with one, as many as usual. A proof for another token is none."""
    with open_door(store, "\n[sign_up]\nper_network = 10\nproof_of_work = 8\n") as door:
        bare = [door.sign_up(f"bare{number}@example.org").status_code for number in range(3)]
        form = read_forms(door.get("/sign-up").text)[0]
        proof = next(
            n for n in range(10**6) if sha256(f"{form.values['token']}:{n}".encode()).digest()[0] == 0
        )
        door.clock.now += timedelta(seconds=5)
        values = {**form.values, "email": "worked@example.org", "agree": "yes", "proof": str(proof)}
        worked = door.post(form.action, values).status_code
        policies = [door.get(path).headers["content-security-policy"] for path in ("/sign-up", "/link")]

    assert [200, 429, 429] == bare
    assert worked == 200
    assert ["script-src 'self'" in policy for policy in policies] == [True, False]


def test_a_pasted_form_works_from_another_site_and_for_ever(
    store: Store, open_door: OpenDoor, outbox: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """`outbox form` prints it; sent from the author's own site a year later, it names that site and its own words."""
    with open_door(store, TOPICS):
        form = read_forms(outbox("form").stdout)[0]
    with open_door(store, "") as door:
        config = Path(door.desk.settings.folder / "book.toml")
        config.write_text(config.read_text("utf-8").replace("Yes, write to me.", "Other words."), "utf-8")
    with open_door(store, "") as door:
        door.clock.now += timedelta(days=365)
        values = {**form.values, "email": "mira@example.org", "agree": "yes"}
        path = form.action.removeprefix("https://example.org")
        refused = door.post(path, {**values, "token": values["token"][:-1] + "x"})
        answer = door.post(path, values, headers={"Origin": "https://author.example"})
        person = person_of(store, "mira@example.org")
        with store.read() as tx:
            (event,) = evidence.events_of(tx, person.id if person else 0)
            _, text = evidence.forms_of(tx, [event])[event.form_sha]

    assert refused.status_code == 422
    assert answer.status_code == 200
    assert event.source == "https://author.example"
    assert "Yes, write to me." in text


def test_a_network_stands_in_the_evidence_only_when_it_is_wanted(store: Store, open_door: OpenDoor) -> None:
    """The author says so in book.toml; the last part of the address is never kept."""
    with open_door(store, "\n[sign_up]\nkeep_network = true\n") as door:
        door.sign_up()
        person = person_of(store, "mira@example.org")
        with store.read() as tx:
            (event,) = evidence.events_of(tx, person.id if person else 0)

    assert event.source == "https://example.org/mail/sign-up from 127.0.0.0/24"


def test_a_name_cannot_speak_html(door: Door) -> None:
    """What was typed comes back as text."""
    answer = door.sign_up("wrong", name='"><script>alert(1)</script>')

    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text or "&#34;&gt;&lt;script" in answer.text


def test_an_erased_person_may_come_back_and_a_list_may_not_bring_them(door: Door) -> None:
    """The keyed hash keeps lists out, and never the person."""
    store = door.desk.store
    with store.begin() as tx:
        person = subscribers.find(tx, "ana@example.org")
        assert person
        erase(tx, person, door.desk.settings.secrets, source="test", now=door.clock())
        claim = Claim("ana@example.org", "", Consent.CONFIRMED, "a list", "test")
        enlist(tx, claim, door.clock(), secrets=door.desk.settings.secrets)

    assert person_of(store, "ana@example.org") is None
    door.sign_up("ana@example.org")
    back = person_of(store, "ana@example.org")
    assert back
    assert back.consent is Consent.PENDING


def test_many_at_once_are_all_there(door: Door) -> None:
    """Sign-ups that come together are written together, each mailbox once."""
    form = read_forms(door.get("/sign-up").text)[0]
    door.clock.now += timedelta(seconds=5)
    emails = [f"Many{number % 15}@example.org" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        sent = [{**form.values, "email": email, "agree": "yes"} for email in emails]
        answers = list(pool.map(lambda values: door.post(form.action, values).status_code, sent))

    assert {200} == set(answers)
    assert all(person_of(door.desk.store, f"many{number}@example.org") for number in range(15))
    with door.desk.store.read() as tx:
        assert evidence.find_broken_link(tx) is None


def test_the_page_is_the_same_wherever_one_comes_in(door: Door) -> None:
    """The first address of the front door is the form."""
    pages = [re.sub(r'value="[^"]{40,}"', "", door.get(path).text) for path in ("/mail/", "/mail/sign-up")]

    assert pages[0] == pages[1]
