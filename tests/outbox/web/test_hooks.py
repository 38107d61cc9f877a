"""Webhooks at the front door: who may call, what an answer promises, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from starlette.routing import Route

from outbox.consent import enlist
from outbox.model import Claim, Consent, EventType
from outbox.sandbox import Emitter, Journal, Manner
from outbox.sandbox.journal import Message
from outbox.store import Store, arrivals, events, suppressions
from outbox.web import hooks
from tests.outbox.burst import burst
from tests.outbox.payloads import PAYLOADS
from tests.outbox.test_event_sources import SECRETS, call_of
from tests.outbox.web.conftest import Clock, Door

OpenDoor = Callable[..., AbstractContextManager[Door]]


@pytest.fixture
def told(store: Store, open_door: OpenDoor) -> Iterator[Door]:
    """A front door that knows the secrets of all providers."""
    with open_door(
        store, env={f"OUTBOX_{name.upper()}_HOOK": secret for name, secret in SECRETS.items()}
    ) as opened:
        yield opened


def wait_until_applied(store: Store) -> list[tuple[str, EventType, int]]:
    """What was reported, once nothing waits any more."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with store.read() as tx:
            if not arrivals.is_waiting(tx):
                return [row[:3] for row in events.count(tx)]
        time.sleep(0.02)
    raise AssertionError("it is never applied")


@pytest.mark.parametrize("name", ["postmark", "mailgun", "resend", "brevo"])
def test_a_proven_call_is_kept_and_applied(name: str, told: Door, now: datetime, store: Store) -> None:
    """Twice told is once counted; the proof itself is not kept."""
    call = call_of(name, next(iter(PAYLOADS[name].values()))[0], at=now)
    answers = [told.post(f"/events/{name}", call.body, headers=dict(call.headers)) for _ in range(2)]

    assert [200, 200] == [answer.status_code for answer in answers]
    ((provider, _, number),) = wait_until_applied(store)
    assert (name, 1) == (provider, number)
    with store.read() as tx:
        kept = tx.connection.exec_driver_sql("SELECT headers FROM arrival").scalars().all()
    assert not any("authorization" in headers or "signature" in headers for headers in kept)


def test_a_call_without_proof_is_refused_and_not_kept(told: Door, store: Store) -> None:
    """Nor one of a provider whose secret is not set, nor one by GET; and reading it is not tried first."""
    answers = [
        told.post("/events/postmark", "{}"),
        told.post("/events/mailbox", "{}"),
        told.post("/events/nobody", "{}"),
        told.get("/events/postmark"),
        told.post("/events/mailgun", "not json"),
    ]

    assert [401, 404, 404, 405, 400] == [answer.status_code for answer in answers]
    with store.read() as tx:
        assert not arrivals.is_waiting(tx)


def test_without_a_secret_nobody_is_let_in(door: Door) -> None:
    """An outbox that was told of no webhook has none."""
    assert {404} == {door.post(f"/events/{name}", "{}").status_code for name in SECRETS}


def test_a_call_that_is_too_large_is_refused(told: Door) -> None:
    """By the gate, before anything is proven."""
    body = "x" * (hooks_limit() + 1)

    assert told.post("/events/postmark", body).status_code == 413


def hooks_limit() -> int:
    from outbox.web.gate import MAX_BODY

    return MAX_BODY["/events/"]


def test_what_cannot_be_written_is_not_acknowledged(told: Door, store: Store, now: datetime) -> None:
    """The provider is asked to come again, and nothing is half there."""
    call = call_of("brevo", PAYLOADS["brevo"]["delivered"][0], at=now)
    with store.begin() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE arrival RENAME TO away")
    answer = told.post("/events/brevo", call.body, headers=dict(call.headers))
    with store.begin() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE away RENAME TO arrival")

    assert answer.status_code >= 500
    assert told.post("/events/brevo", call.body, headers=dict(call.headers)).status_code == 200
    assert [("brevo", EventType.DELIVERED, 1)] == wait_until_applied(store)


def test_the_routes_are_those_of_the_documentation(told: Door) -> None:
    """One address, by POST alone."""
    routes: list[Route] = hooks.routes(told.desk)

    assert [("/events/{provider}", {"POST"})] == [(route.path, route.methods) for route in routes]


def test_the_sandbox_reports_to_the_front_door(told: Door, store: Store, clock: Clock) -> None:
    """Signed, twice, late and in any order; a mailbox that bounces for good is suppressed."""
    with store.begin() as tx:
        enlist(tx, Claim("bounce+ana@example.org", "", Consent.CONFIRMED, "said yes", "test"), clock.now)
    journal = Journal()
    people = ["bounce+ana@example.org", "ana@example.org"]
    sent = [(f"id-{one}", Message(one, one, "", "", "", "", (), "")) for one in people]
    journal.accept(sent, dialect="sandbox", path="", body=b"", at=0.0)
    url = f"{told.url}/mail/events/sandbox"

    def seconds() -> float:
        return clock.now.timestamp()

    emitter = Emitter(journal, url, SECRETS["sandbox"], Manner(1.0, 0.2), seconds)
    until = time.monotonic() + 30
    while not emitter.is_done and time.monotonic() < until:
        clock.now += timedelta(seconds=0.1)
        time.sleep(0.02)
    emitter.close()
    journal.close()

    counted = {kind: number for _, kind, number in wait_until_applied(store)}
    assert {EventType.ACCEPTED: 2, EventType.BOUNCED: 1, EventType.DELIVERED: 1} == counted
    with store.read() as tx:
        assert suppressions.reason_of(tx, "bounce+ana@example.org") == "bounce"


@pytest.mark.slow
def test_no_event_of_a_burst_is_lost_when_the_server_is_killed() -> None:
    """What was answered is on the disk; what was not is told again, and still counts once."""
    score = burst(1_000, kills=2)

    assert (1_000, 0) == (score.known, score.waiting)
    assert score.repeated
