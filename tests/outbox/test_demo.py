"""The demo plays the story with whoever takes part, and ends without leaving anything running."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests

IssueMaker = Callable[..., Path]
LINKS = {"confirm": "confirm_url", "welcome": "gift_url"}
MORE = '\n[sign_up]\nmin_seconds = 0\n\n[gift]\nfiles = ["build/book.epub"]\n'
TAIL = "<p>@@unsubscribe_url@@ @@postal_address@@</p>"


class Player:
    """The demo as somebody sees it who started it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait_for(self, words: str) -> str:
        """The next line with these words."""
        assert self.process.stdout
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if words in line:
                return line.strip()
        raise AssertionError(f"the demo never said {words!r}: {lines}")

    def letter(self, subject: str) -> str:
        """The page of the next letter with this subject."""
        line = self.wait_for(f"“{subject}”")
        return Path(unquote(urlsplit(line.rpartition(" ")[2]).path)).read_text("utf-8")


@pytest.fixture
def player(book: Path, make_issue: IssueMaker, outbox_environment: dict[str, str]) -> Iterator[Player]:
    """The demo of a small book, with a clock that leaps at once."""
    (book / "book.toml").write_text((book / "book.toml").read_text("utf-8") + MORE, "utf-8")
    make_issue(send_at="2026-03-01T09:00:00+00:00")
    (book / "build" / "book.epub").write_bytes(b"the book")
    for name, field in LINKS.items():
        fields = {one: {"type": "url", "default": ""} for one in (field, "unsubscribe_url")}
        fields["postal_address"] = {"type": "text", "default": ""}
        words = f"<a href='@@{field}@@'>Go</a>{TAIL}"
        text = f"@@{field}@@ @@unsubscribe_url@@ @@postal_address@@"
        make_issue(html=words, text=text, slug=name, kind="letter", subject=f"A {name}", fields=fields)
    command = [sys.executable, "-W", "error", "-m", "outbox", "demo", "--pace", "0"]
    with subprocess.Popen(
        command, cwd=book, env=outbox_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield Player(process)
        if process.poll() is None:
            process.kill()


def test_the_demo_plays_the_whole_story(player: Player, book: Path) -> None:
    """Sign up, confirm, get the book, and the next issue comes; Ctrl-C ends all of it."""
    start = player.wait_for("sign up here: ").rpartition(" ")[2]
    page = requests.get(start, timeout=30).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    requests.post(f"{start}sign-up", {**hidden, "email": "ana@example.org", "agree": "yes"}, timeout=30)
    (link,) = re.findall(r"href='([^']+)'", player.letter("A confirm"))
    assert link.startswith(f"{start}confirm/")
    requests.post(link, timeout=30)
    (gift,) = re.findall(r"href='([^']+)'", player.letter("A welcome"))
    (action,) = re.findall(r'action="([^"]+)"', requests.get(gift, timeout=30).text)
    fetched = requests.post(f"{start.removesuffix('/mail/')}{action}", timeout=30)
    issue = player.wait_for("an issue goes out to 1 people")
    letter = player.letter("First light for friend")
    player.process.send_signal(signal.SIGINT)
    rest, _ = player.process.communicate(timeout=60)

    assert fetched.content == b"the book"
    assert "Sunday, 01 March 2026, 09:00" in issue
    assert f"{start}issues/2026-03-01-first-light/images/dawn.png" in letter
    assert (0, "") == (player.process.returncode, rest)
    with pytest.raises(requests.ConnectionError):
        requests.get(start, timeout=5)
