"""By their own link people choose what they get, see what is known of them, and are forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from outbox.model import Consent
from outbox.store import Store, subscribers, suppressions, wishes
from outbox.store.wishes import Wishes
from outbox.web.preferences import say_day
from tests.outbox.web.conftest import Door, OpenDoor, dump, person_of, queued, read_forms, token_of

OFFERED = """
[sign_up.topics]
recipes = "Eating"
research = "Research"
[sign_up.languages]
en = "English"
fr = "français"
"""


@pytest.fixture
def offering(store: Store, open_door: OpenDoor) -> Iterator[Door]:
    """A door with topics and languages; Ana has a topic, and a tag that the author gave her."""
    with store.begin() as tx:
        subscribers.add_tags(tx, [(1, "recipes"), (1, "spring 2026")])
    with open_door(store, OFFERED) as door:
        yield door


@pytest.fixture
def page(offering: Door) -> str:
    """Ana's own page."""
    return f"/mail/preferences/{token_of(offering.desk.store, 'ana@example.org')}"


def test_the_page_shows_what_was_chosen_and_saving_it_changes_nothing(offering: Door, page: str) -> None:
    """What comes back from an untouched form is what was there."""
    before = person_of(offering.desk.store, "ana@example.org")
    form = read_forms(offering.get(page).text)[0]
    offering.post(form.action, form.values)
    with offering.desk.store.read() as tx:
        chosen, tags = wishes.find(tx, 1), subscribers.tags_of(tx, 1)

    assert form.values["topic"] == "recipes"
    assert form.values["every"] == "all"
    assert form.values["name"] == "Ana Ruiz"
    assert person_of(offering.desk.store, "ana@example.org") == before
    assert (Wishes(), ["recipes", "spring 2026"]) == (chosen, tags)


def test_everything_on_the_page_can_be_chosen(offering: Door, page: str) -> None:
    """Topics, how often, a pause, name, language, time zone, tracking; a tag of the author's stays."""
    chosen = {
        "topic": "research", "every": "week", "pause": "month", "name": "Ana", "language": "fr",
        "time_zone": "Europe/Kyiv", "tracking": "yes",
    }  # fmt: skip
    answer = offering.post(page, chosen)
    person = person_of(offering.desk.store, "ana@example.org")
    with offering.desk.store.read() as tx:
        kept, tags = wishes.find(tx, 1), subscribers.tags_of(tx, 1)

    assert "Saved." in answer.text
    assert "31 March 2026" in answer.text
    assert person
    assert ("Ana", "fr", "Europe/Kyiv") == (person.name, person.language, person.time_zone)
    assert Wishes(offering.clock.now + timedelta(days=30), 7, tracking=True) == kept
    assert ["research", "spring 2026"] == tags


def test_what_is_not_offered_is_not_taken(offering: Door, page: str) -> None:
    """A form that somebody made up changes nothing to something that cannot be."""
    before = person_of(offering.desk.store, "ana@example.org")
    made_up = {
        "topic": "staff", "every": "never", "pause": "-1", "name": "www.evil.example", "language": "xx",
        "time_zone": "../../etc/passwd",
    }  # fmt: skip
    offering.post(page, made_up)
    with offering.desk.store.read() as tx:
        kept, tags = wishes.find(tx, 1), subscribers.tags_of(tx, 1)

    assert person_of(offering.desk.store, "ana@example.org") == before
    assert kept == Wishes()
    assert ["spring 2026"] == tags


def test_a_pause_goes_on_until_it_is_taken_back(offering: Door, page: str) -> None:
    """Saving something else keeps it; 'no pause' ends it."""
    offering.post(page, {"pause": "quarter"})
    form = read_forms(offering.get(page).text)[0]
    offering.post(form.action, {**form.values, "name": "Ana"})
    with offering.desk.store.read() as tx:
        still = wishes.find(tx, 1).paused_until
    offering.post(form.action, {**form.values, "pause": ""})
    with offering.desk.store.read() as tx:
        ended = wishes.find(tx, 1).paused_until

    assert offering.clock.now + timedelta(days=91) == still
    assert ended is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(offering: Door, page: str, method: str) -> None:
    """The page, and the addresses its buttons post to, opened by a scanner."""
    before = dump(offering.desk.store)
    for end in ("", "/rest", "/data", "/erase"):
        assert offering.ask(method, page + end).status_code == (405 if end else 200)

    assert before == dump(offering.desk.store)


def test_people_get_all_that_is_known_of_them(offering: Door, page: str) -> None:
    """One file of JSON: person, tags, preferences, evidence with its words, messages and letters."""
    offering.post(page, {"every": "week", "topic": "recipes"})
    form = next(form for form in read_forms(offering.get(page).text) if form.action.endswith("/data"))
    answer = offering.post(form.action)
    data = json.loads(answer.text)

    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert (data["email"], data["consent"]) == ("ana@example.org", "confirmed")
    assert ["recipes", "spring 2026"] == data["tags"]
    assert data["preferences"]["every_days"] == 7
    assert data["consent_events"][0]["basis"] == "said yes"
    assert [] == data["messages"] == data["waiting_letters"] == data["downloads"]


def test_forgetting_asks_once_more(offering: Door, page: str) -> None:
    """Without the tick nothing is forgotten."""
    before = dump(offering.desk.store)
    answer = offering.post(f"{page}/erase")

    assert answer.status_code == 422
    assert "tick the box first" in answer.text
    assert before == dump(offering.desk.store)


def test_who_wants_to_be_forgotten_is_forgotten(offering: Door, page: str) -> None:
    """Every table loses the person; a keyed hash stays, and their link leads nowhere."""
    offering.post(page, {"every": "week", "topic": "recipes"})
    answer = offering.post(f"{page}/erase", {"sure": "yes"})
    kept = repr(dump(offering.desk.store))
    with offering.desk.store.read() as tx:
        barred = suppressions.find_barred(tx, ["ana@example.org"], offering.desk.settings.secrets)

    assert "You are forgotten" in answer.text
    assert "ana@example.org" not in kept
    assert "Ana Ruiz" not in kept
    assert "spring 2026" not in kept
    assert {"ana@example.org"} == barred
    assert offering.get(page).status_code == 404


def test_who_is_not_on_the_list_has_no_choices(door: Door) -> None:
    """Somebody pending, or gone, sees their data and the way in, and nothing to choose."""
    text = door.get(f"/mail/preferences/{token_of(door.desk.store, 'pia@example.org')}").text

    assert "not on the list just now" in text
    assert 'name="every"' not in text
    assert "Download my data" in text


@pytest.mark.parametrize("token", ["x", "0" * 32, "00000001" + "A" * 24])
def test_a_link_of_nobody_opens_nothing(door: Door, token: str) -> None:
    """By no method, at no address."""
    before = dump(door.desk.store)
    for end in ("", "/rest", "/data", "/erase"):
        assert door.post(f"/mail/preferences/{token}{end}", {"sure": "yes"}).status_code == 404

    assert before == dump(door.desk.store)


def test_a_name_cannot_speak_html_on_the_page(store: Store, open_door: OpenDoor) -> None:
    """An import may bring any name; it is shown as text, in an attribute too."""
    with store.begin() as tx:
        tx.connection.exec_driver_sql(
            """UPDATE subscriber SET name = '"><script>alert(1)</script>' WHERE id = 1"""
        )
    with open_door(store) as door:
        text = door.get(f"/mail/preferences/{token_of(store, 'ana@example.org')}").text

    assert "<script" not in text


def test_a_lost_link_is_sent_to_who_is_on_the_list(door: Door) -> None:
    """Ana's goes to Ana; a stranger, somebody pending and a robot get the same answer, and no letter."""
    visitors = ["ana@example.org", "stranger@example.org", "pia@example.org", "dora@example.com"]
    traps = ["", "", "", "filled"]
    answers = [
        door.post("/mail/link", {"email": email, "website": trap})
        for email, trap in zip(visitors, traps, strict=True)
    ]

    assert {200} == {answer.status_code for answer in answers}
    assert 1 == len({answer.text.replace(email, "") for email, answer in zip(visitors, answers, strict=True)})
    assert [("link:1:1", "link", 1)] == queued(door.desk.store)
    assert person_of(door.desk.store, "stranger@example.org") is None


def test_a_link_is_sent_once_a_day(door: Door) -> None:
    """However often somebody types the address."""
    for _ in range(5):
        door.post("/mail/link", {"email": "ana@example.org"})
    door.clock.now += timedelta(days=1)
    door.post("/mail/link", {"email": "ana@example.org"})

    assert [("link:1:1", "link", 1), ("link:1:2", "link", 1)] == queued(door.desk.store)


def test_an_address_that_is_none_is_said(door: Door) -> None:
    """The form comes back with it."""
    answer = door.post("/mail/link", {"email": "ana"})

    assert answer.status_code == 422
    assert "does not look like" in answer.text
    assert 'value="ana"' in answer.text


def test_a_day_is_said_as_people_say_it(offering: Door) -> None:
    """The words of the page hold the names of the months."""
    assert say_day(offering.desk.words(), datetime(2026, 5, 3, tzinfo=UTC)) == "3 May 2026"


def test_consent_is_what_the_page_asks_first(offering: Door, page: str) -> None:
    """Choosing something does not bring anybody back who has left."""
    offering.post(page.replace("preferences", "unsubscribe"), "List-Unsubscribe=One-Click")
    offering.post(page, {"every": "all"})
    person = person_of(offering.desk.store, "ana@example.org")

    assert person
    assert person.consent is Consent.UNSUBSCRIBED
