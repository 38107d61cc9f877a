"""The sandbox: it answers as real providers do, remembers, and goes wrong exactly when it was told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from outbox.errors import OutboxError
from outbox.sandbox import Desk, Fault, Faults, Journal, Rules, Server, read_fault

BEARER = {"Authorization": "Bearer t"}
MAIL = {"from": "a@example.org", "to": ["b@example.org"], "subject": "Hi", "html": "<p>Hi</p>"}


@pytest.fixture
def server(rehearsal: Server) -> Iterator[Server]:
    """The sandbox, with nothing in its journal and its usual rules afterwards."""
    rehearsal.desk.journal.clear()
    rules = rehearsal.desk.rules
    yield rehearsal
    rehearsal.desk.rules = rules


def post(server: Server, path: str, document: Any, **headers: str) -> requests.Response:
    """One call."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(server.url + path, json=document, headers={**BEARER, **named}, timeout=5)


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_brings_the_same_answer(server: Server) -> None:
    """SB-3: the same bytes under the same key are accepted once."""
    first = post(server, "/emails/batch", [MAIL], Idempotency_Key="k")
    again = post(server, "/emails/batch", [MAIL], Idempotency_Key="k")

    assert first.json() == again.json()
    assert {"b@example.org": 1} == server.desk.journal.count()


def test_a_key_with_another_body_is_a_conflict(server: Server) -> None:
    """SB-3: 409, and nothing is accepted."""
    post(server, "/emails/batch", [MAIL], Idempotency_Key="k")
    other = post(server, "/emails/batch", [{**MAIL, "subject": "Ho"}], Idempotency_Key="k")

    assert other.status_code == 409
    assert {"b@example.org": 1} == server.desk.journal.count()


def test_a_key_is_forgotten_after_its_window(server: Server) -> None:
    """SB-3: then the same call is a new one, which is how duplicates are made."""
    server.desk.rules = replace(server.desk.rules, key_window=0)
    post(server, "/emails/batch", [MAIL], Idempotency_Key="k")
    time.sleep(0.01)
    post(server, "/emails/batch", [MAIL], Idempotency_Key="k")

    assert {"b@example.org": 2} == server.desk.journal.count()


def test_a_key_outlives_a_kill(tmp_path: Path) -> None:
    """The journal is a file: after a restart the answer is still there."""
    call: Any = None
    answers = []
    for _ in range(2):
        journal = Journal(tmp_path / "sandbox.db")
        desk = Desk(journal, Faults(), Rules())
        call = call or a_call({"Idempotency-Key": "k"})
        answers.append(desk.take(call, None).body)
        counted = journal.count()
        journal.close()

    assert answers[0] == answers[1]
    assert {"b@example.org": 1} == counted


def a_call(headers: Mapping[str, str]) -> Any:
    """A call as the desk gets it from a socket."""
    from outbox.sandbox.dialects import Call

    named = {name.lower(): value for name, value in {**BEARER, **headers}.items()}
    return Call("POST", "/emails/batch", {}, named, json.dumps([MAIL]).encode())


# --- what is refused -----------------------------------------------------------------------------

BREVO = {"sender": {"email": "a@example.org"}, "subject": "Hi", "htmlContent": "<p>Hi</p>"}
VERSIONS = [{"to": [{"email": "b@example.org"}]}]
POSTMARK = {"From": "a@example.org", "To": "b@example.org", "TextBody": "Hi", "MessageStream": "broadcast"}
REFUSED: Mapping[str, tuple[str, Any, int]] = {
    "a file in a batch of Resend's": ("/emails/batch", [{**MAIL, "attachments": [{"filename": "x"}]}], 422),
    "a tag of odd letters": ("/emails", {**MAIL, "tags": [{"name": "id", "value": "a.b"}]}, 422),
    "a hundred and one messages": ("/emails/batch", [MAIL] * 101, 422),
    "no JSON": ("/emails", "x", 422),
    "a mailbox beyond ASCII": ("/emails", {**MAIL, "to": ["zoë@example.org"]}, 422),
    "an outer `to` beside versions": ("/v3/smtp/email", {**BREVO, "to": [], "messageVersions": VERSIONS}, 400),
    "an EPUB at Brevo": (
        "/v3/smtp/email", {**BREVO, "messageVersions": VERSIONS, "attachment": [{"name": "b.epub"}]}, 400,
    ),
    "a header beyond ASCII at Brevo": (
        "/v3/smtp/email", {**BREVO, "messageVersions": [{**VERSIONS[0], "headers": {"List-Id": "Zoë"}}]}, 400,
    ),
    "a long value of metadata": ("/email/batch", [{**POSTMARK, "Metadata": {"batch": "x" * 81}}], 422),
    "five hundred and one messages": ("/email/batch", [POSTMARK] * 501, 413),
    "a path of nobody's": ("/v1/mail", MAIL, 404),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_provider_refuses_is_refused_here(server: Server, what: str) -> None:
    """SB-8: a rehearsal that lets everything pass proves nothing."""
    path, document, status = REFUSED[what]
    keys = {"api_key": "t", "X_Postmark_Server_Token": "t"}

    assert status == post(server, path, document, **keys).status_code
    assert {} == server.desk.journal.count()


@pytest.mark.parametrize("path", ["/emails", "/email", "/v3/smtp/email", "/v3/x/messages", "/outbox/send"])
def test_a_stranger_is_refused(server: Server, path: str) -> None:
    """Without a token nobody is served, neither by a call nor by a search."""
    assert requests.post(server.url + path, json=MAIL, timeout=5).status_code == 401
    assert requests.get(server.url + "/v3/x/events", timeout=5).status_code == 401


def test_an_account_has_so_many_calls_a_second(server: Server) -> None:
    """SB-9: then 429, until time has passed; the clock may be a made-up one."""
    now = [1000.0]
    desk = Desk(Journal(), Faults(), Rules(rate=2), clock=lambda: now[0])
    statuses = [desk.take(a_call({}), None).status for _ in range(3)]
    now[0] += 0.6

    assert [200, 200, 429] == statuses
    reply = desk.take(a_call({}), None)
    assert (200, "2") == (reply.status, reply.headers["ratelimit-limit"])


# --- faults --------------------------------------------------------------------------------------


def test_faults_come_in_the_order_they_were_ordered(server: Server) -> None:
    """SB-2: one for each call, also from another process."""
    order = [{"kind": "503"}, None, {"kind": "429", "seconds": 7}]
    requests.post(server.url + "/__faults", json=order, timeout=5)
    answers = [post(server, "/emails", MAIL) for _ in range(4)]

    assert [503, 200, 429, 200] == [answer.status_code for answer in answers]
    assert answers[2].headers["Retry-After"] == "7"


def test_chance_can_be_repeated() -> None:
    """SB-2: the same seed and order of calls, the same faults; about as many as were asked for."""
    rates = {Fault("reset"): 0.1, Fault("503", "after"): 0.2}
    first, again = (Faults(rates, seed=7), Faults(rates, seed=7))
    drawn = [first.next() for _ in range(2000)]

    assert drawn == [again.next() for _ in range(2000)]
    assert 150 < drawn.count(Fault("reset")) < 250
    assert 340 < drawn.count(Fault("503", "after")) < 460


@pytest.mark.parametrize("text", ["explode", "reset:during", "slow:before:soon", "200"])
def test_an_unknown_fault_is_named(text: str) -> None:
    """And the known ones with it."""
    with pytest.raises(OutboxError, match=text.partition(":")[0]):
        read_fault(text)


# --- the judge -----------------------------------------------------------------------------------


def test_the_journal_says_who_got_what(server: Server) -> None:
    """SB-7: counts by mailbox, those who got more than one, and every message whole."""
    post(server, "/emails/batch", [MAIL, {**MAIL, "to": ["c@example.org"]}])
    post(server, "/emails", MAIL)
    state = requests.get(server.url + "/__state", timeout=5).json()
    (kept,) = requests.get(server.url + "/__messages", params={"email": "C@example.org"}, timeout=5).json()

    assert state == {
        "accepted": 3,
        "twice": {"b@example.org": 2},
        "recipients": {"b@example.org": 2, "c@example.org": 1},
    }
    assert ("Hi", "<p>Hi</p>", "resend") == (kept["subject"], kept["html"], kept["dialect"])
    assert len(requests.get(server.url + "/", timeout=5).json()) == 3


@pytest.fixture
def running(
    tmp_path: Path, outbox_environment: dict[str, str]
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `outbox sandbox` as a person does."""
    started = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "outbox", "sandbox", "--port", "0", "--quiet", *words]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=outbox_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """The address in the first line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().split()[2].rstrip(",")


def test_the_command_says_where_it_is_and_ends_with_a_count(running: Any) -> None:
    """SB-10: Ctrl-C is a good end."""
    process = running()
    requests.post(url_of(process) + "/emails", json=MAIL, headers=BEARER, timeout=5)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)

    assert (0, "accepted 1 messages\n") == (process.returncode, said)


def test_the_journal_outlives_a_kill(running: Any) -> None:
    """SB-7: killed at any moment, it still says what was accepted."""
    process = running()
    requests.post(url_of(process) + "/emails", json=MAIL, headers=BEARER, timeout=5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    again = url_of(running())

    assert requests.get(again + "/__state", timeout=5).json()["accepted"] == 1


def test_faults_by_chance_are_ordered_on_the_command_line(running: Any) -> None:
    """SB-10."""
    url = url_of(running("--fault", "503:after=1.0"))
    answer = requests.post(url + "/emails", json=MAIL, headers=BEARER, timeout=5)

    assert answer.status_code == 503
    assert requests.get(url + "/__state", timeout=5).json()["accepted"] == 1


def test_a_wrong_fault_and_a_taken_port_are_told(outbox: Any, server: Server) -> None:
    """One sentence each."""
    port = str(server.server_address[1])

    assert "'much' is no number" in outbox("sandbox", "--fault", "503=much", code=1).stderr
    assert f"cannot listen on 127.0.0.1:{port}" in outbox("sandbox", "--port", port, code=1).stderr
