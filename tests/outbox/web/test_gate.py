"""Whatever comes to the front door is measured first, and whatever leaves it says how it may be used."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from outbox.store import Store
from outbox.web import app as web_app
from outbox.web.desk import WebDesk
from outbox.web.gate import HEADERS, MAX_FORM, Gate, hide_secret
from outbox.web.line import HEAD_BYTES, Line
from tests.outbox.web.conftest import Door, OpenDoor, listening


def test_every_answer_has_the_headers(door: Door) -> None:
    """A page that is not there is as guarded as one that is."""
    for path in ("/mail/site.css", "/mail/nothing"):
        answer = door.get(path)

        assert set() == {name.decode() for name in HEADERS} - {name.lower() for name in answer.headers}
        assert "set-cookie" not in answer.headers
        assert len(answer.headers["x-request-id"]) == 16


def test_a_proxy_may_pass_the_path_whole_or_cut(door: Door) -> None:
    """base_url has a path of its own; some proxies take it away."""
    assert door.get("/site.css").content == door.get("/mail/site.css").content != b""


def test_the_style_has_both_columns_of_the_book_s_colours(door: Door) -> None:
    """The tokens of the layout reach the pages as variables, those of the night below a question to the screen."""
    day, night = door.get("/site.css").text.split("@media screen and (prefers-color-scheme:dark){", 1)

    assert "--paper:#fffdf8;" in day
    assert "--paper:#18211f;" in night.split("}}")[0]


def test_a_browser_keeps_the_style(door: Door) -> None:
    """It is asked for once, and then only whether it changed."""
    first = door.get("/site.css")

    assert door.get("/site.css", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(("size", "status"), [(MAX_FORM, 404), (MAX_FORM + 1, 413)])
def test_a_body_has_a_size(door: Door, size: int, status: int) -> None:
    """A form is small; what is larger is not read to its end."""
    assert door.post("/nothing", "x" * size).status_code == status


def test_a_body_without_a_length_is_counted_too(door: Door) -> None:
    """Chunks have no sum that could be read first."""
    assert door.post("/nothing", iter([b"x" * 1000] * 40)).status_code == 413


class HastyLine(Line):
    """Waits a quarter of a second for a head."""

    head_s = 0.25


@pytest.fixture
def strict() -> Iterator[socket.socket]:
    """A server whose lines are hasty."""
    with listening(Route("/", _answer, methods=["POST"]).handle, http=HastyLine) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as line:
            yield line


@pytest.mark.parametrize("begun", [b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_is_given_up(strict: socket.socket, begun: bytes) -> None:
    """A line that says nothing, or half of something, is closed."""
    strict.sendall(begun)

    assert strict.recv(100) == b""


def test_a_head_without_end_is_refused(strict: socket.socket) -> None:
    """Nobody fills our memory with headers."""
    strict.sendall(b"POST / HTTP/1.1\r\nX-Long: " + b"x" * HEAD_BYTES)

    assert strict.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_line_is_good_for_many_requests(strict: socket.socket) -> None:
    """The clock of one head does not run on into the next, nor into a body."""
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
    for _ in range(3):
        strict.sendall(request + b"ab")
        time.sleep(0.3)
        strict.sendall(b"cd")

        assert strict.recv(1000).endswith(b"abcd")


async def _answer(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@pytest.fixture
def hasty() -> Iterator[str]:
    """A gate that waits a quarter of a second for a body, before something that sends it back."""
    with listening(Gate(Route("/", _answer, methods=["POST"]).handle, "", body_s=0.25)) as url:
        yield url


def test_a_slow_body_is_given_up(hasty: str) -> None:
    """Whoever sends a byte now and then holds nothing up."""
    address = urlsplit(hasty)
    with socket.create_connection((address.hostname, address.port), timeout=30) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

        assert line.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_whole_body_reaches_the_page(hasty: str) -> None:
    """What the gate read, it hands on."""
    assert requests.post(f"{hasty}/", data="a" * 9000, timeout=30).text == "a" * 9000


def break_down(_: WebDesk) -> list[Route]:
    """A page that fails with somebody's address on its lips."""

    async def fail(_: Request) -> Response:
        raise ValueError("nothing to show")

    return [Route("/broken", fail)]


def test_a_fault_of_ours_has_a_number_and_no_traceback(
    store: Store, open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page gives a number; the log has the rest under it."""
    monkeypatch.setattr(web_app, "ROUTES", (break_down,))
    with open_door(store) as door:
        answer = door.get("/broken")

    assert answer.status_code == 500
    assert "nothing to show" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "nothing to show" in caplog.text


@given(st.from_regex(r"/(unsubscribe|preferences|confirm)/[^\n]+", fullmatch=True))
def test_no_token_comes_into_the_log(path: str) -> None:
    """A line of the log names the page, and nobody's link to it."""
    start = path.split("/")[1]

    assert hide_secret(path) == f"/{start}/…"


def test_the_log_has_neither_token_nor_address(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """What was asked, what was answered, and a number: no more is written down."""
    caplog.set_level(logging.INFO, "outbox.web")
    door.get("/unsubscribe/a-token-of-somebody?email=ana@example.org")
    while not (lines := [record.getMessage() for record in caplog.records if record.name == "outbox.web"]):
        time.sleep(0.01)  # the answer goes out before the line is written

    assert lines
    assert lines[0].startswith("GET /unsubscribe/… ")
    assert "somebody" not in caplog.text
    assert "ana@example.org" not in caplog.text
    assert "127.0.0.1" not in "".join(lines)


def test_the_command_serves_until_it_is_told_to_end(
    outbox: Callable[..., subprocess.CompletedProcess[str]], book: Path, outbox_environment: dict[str, str]
) -> None:
    """`outbox serve` says where the pages are, answers, and ends well."""
    outbox("init")
    command = [sys.executable, "-W", "error", "-m", "outbox", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=book, env=outbox_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        url = process.stdout.readline().split()[2].rstrip(";")
        answer = requests.get(f"{url}site.css", timeout=30)
        process.terminate()
        _, said = process.communicate(timeout=30)

    assert answer.status_code == 200
    assert process.returncode == 0
    assert "GET /site.css 200" in said


def test_a_port_that_is_taken_is_named(
    outbox: Callable[..., subprocess.CompletedProcess[str]], door: Door
) -> None:
    """Somebody else listens there: one sentence."""
    outbox("init")
    port = door.url.rpartition(":")[2]

    assert f"cannot listen on 127.0.0.1:{port}" in outbox("serve", "--port", port, code=1).stderr
