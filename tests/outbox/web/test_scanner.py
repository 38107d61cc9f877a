"""Programs that open every link of every letter, and run what they find, confirm nobody and let nobody go."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from outbox import config, letterbox, mailing, worker
from outbox.desk import Desk
from outbox.issue import read
from outbox.letterbox import Letterbox
from outbox.letters import queue_letter
from outbox.model import Account
from outbox.providers.file import File
from outbox.store import Store
from outbox.web.app import make_app
from outbox.web.desk import open_web_desk
from pipeline.check.judges.browser import FLAGS
from pipeline.check.judges.programs import find_browser, find_in_package, list_variables
from pipeline.errors import JudgeError
from tests.outbox.web.conftest import Clock, dump, listening

pytestmark = [pytest.mark.judges, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"""https://example\.org/mail[^\s"'<>\])]*""")
DEPTH = 2  # clicks away from a letter


@dataclass(frozen=True, slots=True)
class Scene:
    """The sample book's letters, as they lie in inboxes, and the front door they lead to."""

    url: str
    store: Store
    links: list[str]  # paths


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample book with its issues and letters made, and something to give away."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copy(ROOT / "book.toml", folder)
    shutil.copytree(ROOT / "chapters", folder / "chapters")
    subprocess.run(
        [sys.executable, "-m", "pipeline", "newsletter"], cwd=folder, check=True, env=environment()
    )
    for name in re.findall(r'"(build/[\w.-]+\.(?:pdf|epub))"', (folder / "book.toml").read_text("utf-8")):
        (folder / name).write_bytes(b"%PDF-1.7\n%%EOF\n")
    return folder


def environment() -> dict[str, str]:
    """This tree's packages."""
    return {**list_variables(), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def scene(letters: Path, store: Store, clock: Clock, tmp_path: Path) -> Iterator[Scene]:
    """Send everything there is: each letter to whom it is for, and the issues to all."""
    settings = config.read(letters / "book.toml", {})
    sender = Desk(store, File(Account(tmp_path / "mail", {})))
    names = [path.name for path in settings.letters.glob("[!.]*")]
    with store.begin() as tx:
        for name in names:
            number = 4 if name in {"confirm", "reminder"} else 1
            queue_letter(tx, name, number, key=name, due_at=clock.now, now=clock.now)
        for folder in settings.issues.glob("[!.]*"):
            mailing.freeze(
                tx, read(folder), settings.envelope, send_id=folder.name, provider="file", on_unknown="hold",
                max_batch=1, now=clock.now, at=clock.now, segments=settings.segments,
            )  # fmt: skip
    box = Letterbox(settings.letters, settings.envelope, gift=settings.gift)
    assert [] == [str(error) for error in letterbox.empty(sender, box, clock.now)]
    worker.run(sender, clock)
    clock.now += timedelta(minutes=5)
    desk = open_web_desk(store, settings, clock)
    try:
        with listening(make_app(desk)) as url:
            yield Scene(url, store, find_links(tmp_path / "mail"))
    finally:
        desk.close()


def find_links(folder: Path) -> list[str]:
    """Every address of the front door in every part and header of every message."""
    found = set[str]()
    for path in folder.rglob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        for text in [*texts, str(mail["List-Unsubscribe"] or "")]:
            found |= {link.rstrip(".,>") for link in LINK.findall(text.replace("&amp;", "&"))}
    return sorted(urlsplit(link).path for link in found)


def test_the_letters_have_links_of_every_kind(scene: Scene) -> None:
    """There is something to follow: each page that a letter can lead to is among them."""
    kinds = {path.split("/")[2] for path in scene.links}

    assert {"confirm", "unsubscribe", "preferences", "gift"} <= kinds


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_scanner_changes_nothing(scene: Scene, method: str) -> None:
    """By every harmless method, as a browser that fetches ahead, and as a preview of a chat program."""
    before = dump(scene.store)
    heads = [
        {},
        {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"},
        {"X-Moz": "prefetch"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
    ]
    for path in scene.links:
        for headers in heads:
            answer = requests.request(method, scene.url + path, headers=headers, timeout=30)
            assert answer.status_code < 500

    assert before == dump(scene.store)


def test_a_browser_that_follows_every_link_changes_nothing(
    scene: Scene, need: Callable[[object, str], None]
) -> None:
    """Chromium runs every script and goes on from page to page; it presses no button, so nothing happens."""
    before = dump(scene.store)
    seen = follow(scene, need)

    assert len(seen) > len(scene.links)
    assert before == dump(scene.store)


def follow(scene: Scene, need: Callable[[object, str], None]) -> set[str]:
    """Open every address with a browser, and all that the pages lead to; returns the paths."""
    try:
        program = find_browser()
        find_in_package("playwright", "sync_api/__init__.py")
    except JudgeError as error:
        need(None, str(error))
        raise
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, env={**list_variables()})
        page = browser.new_page()
        page.route("https://example.org/mail/**", lambda route: _bring_home(route, scene.url))
        page.route(re.compile(r"https://(?!example\.org/mail)"), lambda route: route.abort())
        seen, waiting = set[str](), [(path, 0) for path in scene.links]
        while waiting:
            path, depth = waiting.pop(0)
            if path not in seen:
                seen.add(path)
                waiting += [(found, depth + 1) for found in _open(page, scene.url + path) if depth < DEPTH]
        browser.close()
    return seen


def _bring_home(route: Any, url: str) -> None:
    """The address that stands in letters leads to this machine."""
    route.continue_(url=url + urlsplit(route.request.url).path)


def _open(page: Any, address: str) -> list[str]:
    """Open a page, wait until its scripts are done, and say where its links lead within the front door."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(link => link.href)")
    return [urlsplit(link).path for link in links if "/mail/" in link]
