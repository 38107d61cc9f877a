"""`pipeline check --online` asks addresses politely, keeps their answers, and calls nobody dead it could not ask."""

from __future__ import annotations

import ast
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.check.galley import Answer
from pipeline.proofread.online import ask_address, ask_all

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Shelf(BaseHTTPRequestHandler):
    """A server whose paths say what to answer: a status for HEAD, one for GET, perhaps where to go."""

    asked: list[tuple[str, str]]

    def answer(self) -> None:
        self.asked.append((self.command, self.path))
        status, _, target = self.path.removeprefix("/").partition("/")
        head, _, get = status.partition("-")
        self.send_response(int(head if self.command == "HEAD" or not get else get))
        if target:
            self.send_header("Location", f"/{target}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET = answer  # noqa: N815  (the names the base class asks for)

    def log_message(self, *_: object) -> None:
        """Nobody wants to hear."""


@pytest.fixture
def shelf() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The address of a server, and what it was asked."""
    asked: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Shelf,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "state", "detail", "methods"),
    [
        ("/200", "fine", "", ["HEAD"]),
        ("/404", "dead", "it answers 404", ["HEAD", "GET"]),
        ("/410", "dead", "it answers 410", ["HEAD", "GET"]),
        ("/405-200", "fine", "", ["HEAD", "GET"]),
        ("/404-200", "fine", "", ["HEAD", "GET"]),
        ("/403", "silent", "it answers 403", ["HEAD", "GET"]),
        ("/503", "silent", "it answers 503", ["HEAD", "GET"]),
        ("/301/200", "moved", "/200", ["HEAD", "HEAD"]),
        ("/302/200", "fine", "", ["HEAD", "HEAD"]),
        ("/301/404", "dead", "it answers 404", ["HEAD", "HEAD", "GET", "GET"]),
        ("/301/302/200", "fine", "", ["HEAD", "HEAD", "HEAD"]),
    ],
)
def test_an_address_is_asked_and_understood(
    shelf: tuple[str, list[tuple[str, str]]], path: str, state: str, detail: str, methods: list[str]
) -> None:
    """HEAD first, GET where that is refused; only what moved for good has moved."""
    server, asked = shelf
    answer = ask_address(server + path)

    assert (state, detail) == (answer.state, answer.detail.removeprefix(server))
    assert methods == [method for method, _ in asked]


def test_a_server_that_is_not_there_is_silent() -> None:
    """Tomorrow it may be back."""
    answer = ask_address("http://127.0.0.1:9/")

    assert "silent" == answer.state


def test_an_unknown_host_is_dead_but_not_where_all_are(tmp_path: Path) -> None:
    """Where nobody is known, the machine is not connected, and that says nothing of the addresses."""
    gone = Answer("dead", "its host is not known")
    mixed = ask_all(
        ["https://a.example", "https://b.example"], tmp_path / "one.json", now=NOW, pause=0,
        ask=lambda url: gone if "a." in url else Answer("fine"),
    )  # fmt: skip
    alone = ask_all(["https://a.example"], tmp_path / "two.json", now=NOW, ask=lambda _: gone)

    assert ["dead", "fine"] == [answer.state for answer in mixed.values()]
    assert ["silent"] == [answer.state for answer in alone.values()]


def test_answers_are_kept_while_they_are_fresh(tmp_path: Path) -> None:
    """A week for what is fine, a day for what is dead; what is no record is asked anew."""
    asked: list[str] = []

    def ask(url: str) -> Answer:
        asked.append(url)
        return Answer("dead", "it answers 404") if "gone" in url else Answer("fine")

    record = tmp_path / "cache/links.json"
    urls = ["https://a.example/", "https://b.example/gone"]
    for days, expected in ((0, urls), (0, []), (2, urls[1:]), (8, urls)):
        asked.clear()
        answers = ask_all(urls, record, now=NOW + timedelta(days=days), ask=ask)

        assert sorted(expected) == sorted(asked)
        assert {"fine", "dead"} == {answer.state for answer in answers.values()}
    record.write_text("{")
    asked.clear()
    ask_all(urls[:1], record, now=NOW, ask=ask)

    assert urls[:1] == asked
    assert urls[:1] == list(json.loads(record.read_text()))


def test_one_host_is_never_asked_twice_at_once(tmp_path: Path) -> None:
    """Others are asked meanwhile."""
    busy: dict[str, int] = {}
    most = [0]

    def ask(url: str) -> Answer:
        host = url.split("/")[2]
        busy[host] = busy.get(host, 0) + 1
        most[0] = max(most[0], busy[host])
        time.sleep(0.002)  # so that another could come in between
        busy[host] -= 1
        return Answer("fine")

    urls = [f"https://{host}.example/{number}" for host in "abc" for number in range(5)]
    answers = ask_all(urls, tmp_path / "links.json", now=NOW, ask=ask, pause=0)

    assert (15, 1) == (len(answers), most[0])


def test_nothing_else_in_the_pipeline_calls_anybody() -> None:
    """The contract cannot tell `urllib.parse` from `urllib.request`, so this test does."""
    callers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "pipeline").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "urllib.request"
    ]

    assert ["pipeline/proofread/online.py"] == callers
