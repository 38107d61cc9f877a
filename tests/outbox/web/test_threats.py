"""What an attacker tries at the front door, and what comes of it; docs/threats.md has the whole list."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from starlette.types import ASGIApp, Message

from outbox.store import Store
from outbox.web.app import make_app
from outbox.web.desk import open_web_desk
from tests.outbox.web.conftest import Clock, Door, OpenDoor, dump, person_of, token_of

URLENCODED = "application/x-www-form-urlencoded"
#: One app for all tries of a test: no try may change anything, so none can spoil the next.
PATIENT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
PAGES = ["/", "/sign-up", "/link", "/confirm/", "/unsubscribe/", "/preferences/", "/site.css", "/nothing"]
TEXT = st.text(st.characters(codec="utf-8"), max_size=80)


def ask(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[bytes, bytes],
    body: bytes = b"",
    query: bytes = b"",
) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request straight to the application, so that nothing on the way makes it decent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": b"", "query_string": query, "root_path": "", "headers": [*headers.items()],
        "client": ("192.0.2.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    answer = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), answer


@pytest.fixture
def app(door: Door) -> ASGIApp:
    """The application behind the door."""
    return make_app(door.desk)


@PATIENT
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"]),
    st.sampled_from(PAGES),
    TEXT,
    st.dictionaries(
        st.sampled_from(
            [b"host", b"content-type", b"origin", b"referer", b"cookie", b"x-forwarded-for", b"range"]
        ),
        st.binary(max_size=60),
    ),
    st.binary(max_size=300),
    st.binary(max_size=60),
)
def test_no_request_breaks_anything(
    app: ASGIApp,
    door: Door,
    method: str,
    page: str,
    rest: str,
    headers: dict[bytes, bytes],
    body: bytes,
    query: bytes,
) -> None:
    """Any method, path, header, body: an answer that is no fault of ours, leads nowhere else, and changes nothing."""
    before = dump(door.desk.store)
    status, said, _ = ask(app, method, page + rest, headers, body, query)

    assert status < 500
    assert b"set-cookie" not in said
    assert b"access-control-allow-origin" not in said
    assert not any(b"\r" in value or b"\n" in value for value in said.values())
    assert said.get(b"location", b"/").startswith(b"/")
    assert before == dump(door.desk.store)


@PATIENT
@given(
    st.fixed_dictionaries(
        {"email": TEXT, "name": TEXT, "agree": st.just("yes"), "topic": TEXT, "language": TEXT}
    )
)
def test_no_form_breaks_anything(app: ASGIApp, fields: dict[str, str]) -> None:
    """Whatever is typed into the form."""
    status, _, answer = ask(
        app, "POST", "/sign-up", {b"content-type": URLENCODED.encode()}, urlencode(fields).encode()
    )

    assert status == 422
    assert b"<script" not in answer


#: What has broken into other people's programs.
SLY = [
    "'; DROP TABLE subscriber; --", '" OR 1=1 --', "%27%20OR%201=1", "{{ 7*7 }}", "{% include '/etc/passwd' %}",
    "${7*7}", "@@unsubscribe_url@@", "=HYPERLINK(1)", "<svg onload=alert(1)>", "\u202egnp.exe", "a\u0000b", "%s%s%n",
]  # fmt: skip


@pytest.mark.parametrize("text", SLY)
def test_what_is_typed_stays_text(door: Door, text: str) -> None:
    """No SQL, no template, no merge field, no HTML: it comes back as it was typed, or is refused."""
    answer = door.sign_up("not an address " + text, name=text)
    before = len(dump(door.desk.store)["subscriber"])
    taken = door.sign_up("mira@example.org", name=text, topic=text, language=text)
    person = person_of(door.desk.store, "mira@example.org")

    assert answer.status_code == 422
    assert "49" not in re.sub(r'value="[^"]*"', "", answer.text)
    assert "<svg" not in answer.text
    assert len(dump(door.desk.store)["subscriber"]) == before + (taken.status_code == 200)
    assert person is None or person.name == text


def test_the_host_that_a_request_names_is_believed_nowhere(door: Door) -> None:
    """No page has an address in it that the visitor chose."""
    for path in (
        "/mail/sign-up",
        "/mail/nothing",
        f"/mail/preferences/{token_of(door.desk.store, 'ana@example.org')}",
    ):
        answer = door.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

        assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "path", ["//evil.example", "/sign-up?next=https://evil.example", "/%0d%0aX-Evil:%201", "/\\evil.example"]
)
def test_nobody_is_led_elsewhere(door: Door, path: str) -> None:
    """No page redirects to an address that a visitor gave, and no header comes out of a path."""
    answer = door.get(path)

    assert "location" not in answer.headers
    assert "x-evil" not in answer.headers


def test_another_site_can_do_nothing_in_somebody_s_name(door: Door) -> None:
    """There is no cookie that a browser could add: without the token in the address nothing happens."""
    before = dump(door.desk.store)
    for path in ("unsubscribe", "preferences", "confirm"):
        for end in ("", "/", "/1", "/erase"):
            door.post(f"/mail/{path}{end}", {"sure": "yes"}, headers={"Origin": "https://evil.example"})

    assert before == dump(door.desk.store)


def test_a_known_address_costs_the_server_what_a_stranger_s_does(door: Door) -> None:
    """Both wait for one commit on the disk; what is done before it is small beside that."""
    commits = list[object]()
    event.listen(door.desk.store.engine, "commit", commits.append)
    counts = []
    for email in ("ana@example.org", "stranger@example.org", "pia@example.org"):
        door.sign_up(email)
        counts.append(len(commits))
        commits.clear()

    assert 1 == len(set(counts))
    assert counts[0] >= 1


@pytest.fixture
def rotated(store: Store, open_door: OpenDoor, clock: Clock) -> Iterator[tuple[Door, str]]:
    """A form that was shown before the secret changed, and the door after."""
    with open_door(store) as door:
        page = door.get("/mail/sign-up").text
        (token,) = re.findall(r'name="token" value="([^"]+)"', page)
        new = door.desk.settings
        desk = open_web_desk(store, _with_secrets(new, ("a-new-secret-of-some-length", *new.secrets)), clock)
        yield Door(door.url, desk, clock), token
        desk.close()


def _with_secrets(old: Any, secrets: tuple[str, ...]) -> Any:
    return replace(old, secrets=secrets)


def test_a_new_secret_keeps_forms_and_links_good(rotated: tuple[Door, str]) -> None:
    """The old ones stay behind the new one, and are believed; a secret that is gone is not."""
    door, token = rotated
    fields = urlencode({"token": token, "email": "mira@example.org", "agree": "yes"}).encode()
    door.clock.now = door.clock.now.replace(second=30)
    kind = {b"content-type": URLENCODED.encode()}
    good, _, _ = ask(make_app(door.desk), "POST", "/sign-up", kind, fields)
    gone = open_web_desk(
        door.desk.store, _with_secrets(door.desk.settings, ("another-secret-altogether",)), door.clock
    )
    bad, _, _ = ask(make_app(gone), "POST", "/sign-up", kind, fields)
    gone.close()

    assert [200, 422] == [good, bad]
