"""The whole story of one reader, with real parts: a browser, a mail server, the book, and a clock that is set."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller

from outbox import config, stamp
from outbox.cli import passes
from outbox.desk import Desk
from outbox.providers import PROVIDERS
from outbox.store import Store, open_store, verify
from outbox.web.app import make_app
from outbox.web.desk import WebDesk, open_web_desk
from pipeline.build import open_manuscript
from pipeline.check.judges.browser import FLAGS
from pipeline.check.judges.programs import find_browser, find_in_package, list_variables
from pipeline.check.outside import judge
from pipeline.errors import JudgeError
from pipeline.newsletter import make_issues, write_issues
from tests.outbox.conftest import environment
from tests.outbox.web.conftest import Clock, listening

ROOT = Path(__file__).parents[2]
READER = "ana@example.com"
BASE = "https://example.org/mail"
#: The day before the sample's first issue, which goes out at nine.
EVE = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
FIRST_ISSUE = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
BOOKS = ("top-10-integrative-cancer-care-strategies.pdf", "top-10-integrative-cancer-care-strategies.epub")

pytestmark = [pytest.mark.judges, pytest.mark.slow]


class Mailbox:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a message as a mail program reads it."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@dataclass(slots=True)
class Story:
    """A book with its outbox, its front door, the reader's browser and mailbox."""

    folder: Path
    clock: Clock
    mailbox: Mailbox
    store: Store
    settings: config.Settings
    url: str
    page: Any
    read: int = field(default=0)  # mails the reader has seen

    def work(self) -> None:
        """One pass of `outbox work`."""
        provider = PROVIDERS[self.settings.provider](self.settings.account)
        desk = Desk(self.store, provider, self.settings.pace, max_late=self.settings.max_late)
        passes.work_once(self.settings, desk, Event(), now=self.clock)
        provider.close()

    def new_mails(self) -> list[str]:
        """The subjects of what came since the last look."""
        new, self.read = self.mailbox.mails[self.read :], len(self.mailbox.mails)
        assert {READER} >= {mail["To"].addresses[0].addr_spec for mail in new}
        return [str(mail["Subject"]) for mail in new]

    def press_in_letter(self, button: str) -> None:
        """Open the last letter in the browser and press a button of it."""
        body = self.mailbox.mails[-1].get_body(("html",))
        assert body
        self.page.set_content(str(body.get_content()).replace(BASE, f"{self.url}/mail"))
        self.page.get_by_role("link", name=button).click()

    def download(self, button: str) -> Path:
        """Press a button of the page that gives a file."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button).click()
        path = self.folder / "downloads" / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def heading(self) -> str:
        """What the page is about."""
        said: str = self.page.get_by_role("heading", level=1).inner_text()
        return said


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of a Chromium without JavaScript; None without one."""
    try:
        program = find_browser()
        find_in_package("playwright", "sync_api/__init__.py")
    except JudgeError:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, env={**list_variables()})
        context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
        yield context.new_page()
        browser.close()


@pytest.fixture
def folder(tmp_path: Path, copied: Callable[[str], Path], build: Callable[..., Any]) -> Path:
    """The sample book's folder, with its series, its letters made, and a book to give away."""
    home = tmp_path / "book"
    shutil.copytree(copied("sample"), home)
    shutil.copytree(ROOT / "series", home / "series")
    write_issues(home / "build", make_issues(open_manuscript(home)))
    for name, data in zip(
        BOOKS, (build("everything").pdf_bytes, build("everything").epub_bytes), strict=True
    ):
        (home / "build" / name).write_bytes(data)
    return home


@pytest.fixture
def story(folder: Path, page: Any, need: Callable[[object, str], None]) -> Iterator[Story]:
    """Everything running."""
    need(page, "Chromium")
    clock, mailbox = Clock(EVE), Mailbox()
    with ExitStack() as stack:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(mailbox, hostname="127.0.0.1", port=port)
        controller.start()
        stack.callback(controller.stop)
        path = folder / "book.toml"
        text = path.read_text("utf-8").replace("[gift]", "[gift]\nstamp = true")
        mail = f'name = "smtp"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"'
        path.write_text(text.replace('name = "file"', mail), "utf-8")
        settings = config.read(path, {})
        store = open_store(settings.database, clock.now)
        stack.callback(store.close)
        desk: WebDesk = open_web_desk(store, settings, clock)
        stack.callback(desk.close)
        yield Story(
            folder, clock, mailbox, store, settings, stack.enter_context(listening(make_app(desk))), page
        )


def test_the_story_of_one_reader(story: Story) -> None:
    """She signs up, confirms, gets the book and one issue, leaves by one click, and hears no more."""
    sign_up(story)
    confirm(story)
    copies = fetch_the_book(story)
    check_copies(story, copies)
    read_the_first_issue(story)
    leave_by_one_click(story)
    nothing_comes_any_more(story)
    look_at_the_history(story)


def sign_up(story: Story) -> None:
    """On the page, with her address and a tick; a letter asks whether it was she."""
    story.page.goto(f"{story.url}/mail/")
    story.page.get_by_label("address").fill(READER)
    story.page.get_by_role("checkbox", name="I would like to receive").check()
    story.clock.now += timedelta(seconds=20)
    story.page.get_by_role("button").click()
    story.work()

    assert READER in story.page.inner_text("main")
    assert ["Please confirm that you would like our letters"] == story.new_mails()


def confirm(story: Story) -> None:
    """The letter's button leads to a page with a button, and only that one confirms; then the welcome comes."""
    story.press_in_letter("Yes, send me the letters")
    story.work()
    assert [] == story.new_mails()

    story.page.get_by_role("button").click()
    assert story.page.get_by_role("link", name="Open your gift").is_visible()
    story.work()
    assert ["Your book, and a quiet welcome"] == story.new_mails()


def fetch_the_book(story: Story) -> list[Path]:
    """By the button in the letter of welcome, in both forms."""
    story.press_in_letter("Open your book")
    copies = [story.download(f"Get the {kind}") for kind in ("PDF", "EPUB")]

    assert story.heading() == "Top 10 Integrative Cancer Care Strategies"
    assert [*BOOKS] == [copy.name for copy in copies]
    return copies


def check_copies(story: Story, copies: list[Path]) -> None:
    """Both are valid, say the judges that are there, and say to the outbox whose they are."""
    verdicts = judge(copies)
    with story.store.read() as tx:
        secrets = [row[0] for row in tx.connection.exec_driver_sql("SELECT secret FROM instance")]
    stamper = stamp.Stamper(secrets, story.settings.envelope.list_id)

    assert [] == [verdict for verdict in verdicts if verdict.state == "failed"]
    assert "passed" in {verdict.state for verdict in verdicts}
    for copy in copies:
        assert {1} == {stamper.read(word).subscriber_id for word in stamp.find_stamps(copy.read_bytes())}


def read_the_first_issue(story: Story) -> None:
    """It comes at its time and not before, once, and can be read in the browser."""
    story.clock.now = FIRST_ISSUE - timedelta(minutes=1)
    story.work()
    assert [] == story.new_mails()

    story.clock.now = FIRST_ISSUE
    story.work()
    story.work()
    assert ["The immune system and cancer, calmly told"] == story.new_mails()
    story.page.goto(f"{story.url}/mail/issues/2026-11-03-immune-system-and-cancer/")
    assert story.heading() == "The Immune System and\u00a0Cancer"


def leave_by_one_click(story: Story) -> None:
    """As a mail program does it (RFC 8058): a POST to the address in the header, answered at once."""
    mail = story.mailbox.mails[-1]
    (link,) = re.findall(rf"<({BASE}/unsubscribe/[^>]+)>", str(mail["List-Unsubscribe"]))
    answer = requests.post(
        link.replace(BASE, f"{story.url}/mail"), data=str(mail["List-Unsubscribe-Post"]), timeout=30,
        headers={"Content-Type": "application/x-www-form-urlencoded"}, allow_redirects=False,
    )  # fmt: skip

    assert answer.status_code == 200


def nothing_comes_any_more(story: Story) -> None:
    """Neither the issues of the next two weeks, nor a step of a series, nor a farewell that nobody asked for."""
    for _ in range(21):
        story.clock.now += timedelta(days=1)
        story.work()

    assert [] == story.new_mails()
    with story.store.read() as tx:
        assert [] == verify.find_faults(tx)


def look_at_the_history(story: Story) -> None:
    """`outbox show` tells all of it, in order."""
    command = [sys.executable, "-W", "error", "-m", "outbox", "show", READER]
    done = subprocess.run(
        command, cwd=story.folder, env=environment(), capture_output=True, text=True, check=True
    )

    for told in (
        f"<{READER}>: unsubscribed", "pending: ", "confirmed: ", "confirm: accepted", "welcome: accepted",
        *(f"downloaded {name}" for name in BOOKS), "2026-11-03-immune-system-and-cancer: accepted", "unsubscribed: ",
    ):  # fmt: skip
        assert told in done.stdout
    assert "2026-11-10" not in done.stdout
