"""The whole way of a person through the front door, on SQLite and on PostgreSQL."""

from __future__ import annotations

from outbox.model import Consent
from outbox.store import Store, evidence, subscribers
from tests.outbox.web.conftest import OpenDoor, person_of, queued, read_forms, token_of

OFFERED = '\n[sign_up.topics]\nrecipes = "Eating"\n'


def test_a_person_comes_chooses_goes_and_is_forgotten(any_store: Store, open_door: OpenDoor) -> None:
    """Each step is written, each with its evidence, and the chain of it is whole."""
    with open_door(any_store, OFFERED) as door:
        door.sign_up(topic="recipes")
        token = token_of(any_store, "mira@example.org")
        confirmed = door.post(f"/mail/confirm/{token}")
        form = read_forms(door.get(f"/mail/preferences/{token}").text)[0]
        saved = door.post(form.action, {**form.values, "every": "week", "pause": "month"})
        data = door.post(f"/mail/preferences/{token}/data").json()
        left = door.post(f"/mail/unsubscribe/{token}", {"leave": "yes"})
        number = data["id"]
        letters = [name for _, name, who in queued(any_store) if who == number]
        erased = door.post(f"/mail/preferences/{token}/erase", {"sure": "yes"})
        with any_store.read() as tx:
            told = [event.consent for event in evidence.events_of(tx, number)]
            gone = subscribers.find_by_id(tx, number)
            broken = evidence.find_broken_link(tx)

    assert [200] * 4 == [answer.status_code for answer in (confirmed, saved, left, erased)]
    assert (["recipes"], 7) == (data["tags"], data["preferences"]["every_days"])
    assert ["confirm", "reminder", "welcome", "goodbye"] == letters
    assert [Consent.PENDING, Consent.CONFIRMED, Consent.UNSUBSCRIBED, Consent.ERASED] == told
    assert gone
    assert (gone.email, gone.consent) == ("", Consent.ERASED)
    assert person_of(any_store, "mira@example.org") is None
    assert broken is None
