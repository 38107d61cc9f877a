"""In a real browser the pages of book and archive hold together, and axe finds nobody shut out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outbox import issue as issues
from outbox import mailing, worker
from outbox.desk import Desk
from outbox.gift import link_to
from outbox.model import Account
from outbox.providers.file import File
from outbox.store import Store
from outbox.timing import Timing
from outbox.web.app import make_app
from outbox.web.desk import open_web_desk
from pipeline.check.judges.programs import find_in_npm
from pipeline.errors import JudgeError
from pipeline.newsletter import make_issues, write_issues
from tests.outbox.web.conftest import Clock, Door, listening

GIFT = """
[gift]
files = ["build/a.pdf", "build/a.epub", "build/an audio book.mp3"]

[newsletter]
site = "https://mail.example.org"
"""
WIDTHS, SCHEMES = (320, 768, 1280), ("light", "dark")
MAX_BYTES = 30_000  # of a page; a letter is as long as its author made it

pytestmark = [pytest.mark.judges, pytest.mark.slow]


@pytest.fixture
def axe(need: Callable[[object, str], None]) -> str:
    """The script of axe-core."""
    try:
        return Path(find_in_npm("axe-core", "axe.min.js")).read_text("utf-8")
    except JudgeError as error:
        need(None, str(error))
        raise


@pytest.fixture
def shop(
    store: Store, book: Path, clock: Clock, copied: Callable[[str], Path], tmp_path: Path
) -> Iterator[Door]:
    """The front door of a list that sent the letter of every construct, with a gift."""
    from outbox import config
    from pipeline.build import open_manuscript

    (book / "book.toml").write_text((book / "book.toml").read_text("utf-8") + GIFT, "utf-8")
    settings = config.read(book / "book.toml", {})
    folders = write_issues(book / "build", make_issues(open_manuscript(copied("letter"))))
    made = next(folder for folder in folders if folder.parent.name == "issues")
    with store.begin() as tx:
        mailing.freeze(
            tx, issues.read(made), settings.envelope, provider="file", max_batch=1, on_unknown="hold",
            send_id="send", now=clock.now, timing=Timing(clock.now), segments={},
        )  # fmt: skip
    worker.run(Desk(store, File(Account(tmp_path / "mail", {}))), clock)
    with ExitStack() as stack:
        desk = open_web_desk(store, settings, clock)
        stack.callback(desk.close)
        yield Door(stack.enter_context(listening(make_app(desk))), desk, clock)


@pytest.fixture
def pages(shop: Door) -> dict[str, str]:
    """Every page by its path."""
    gift = shop.desk.settings.gift
    assert gift
    new, old = (
        link_to(shop.desk.signer, gift, "", 1, shop.clock.now - timedelta(days=ago)) for ago in (0, 90)
    )
    with shop.desk.store.read() as tx:
        (slug,) = (row[0] for row in tx.connection.exec_driver_sql("SELECT slug FROM issue"))
    return {
        "gift": new, "gone": old, "archive": "/archive", "search": "/archive?q=construct",
        "nothing": "/archive?q=zebra", "issue": f"/issues/{slug}/",
    }  # fmt: skip


def test_nobody_is_shut_out(
    browser: Any, axe: str, shop: Door, pages: dict[str, str], need: Callable[[object, str], None]
) -> None:
    """No violation of any rule of axe at any width, by day and by night; nothing scrolls sideways."""
    need(browser, "Chromium")
    for width in WIDTHS:
        for scheme in SCHEMES:
            with browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme
            ) as context:
                for name, path in pages.items():
                    page = context.new_page()
                    page.goto(shop.url + path)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    page.evaluate(axe)
                    rules = "{rules: {'target-size': {enabled: true}}}"
                    result = page.evaluate(f"() => axe.run(document, {rules})")
                    found = [(v["id"], [node["html"] for node in v["nodes"]]) for v in result["violations"]]

                    assert (name, width, scheme, [], width) == (name, width, scheme, found, wide)
                    assert len(result["passes"]) > 10


def test_pages_keep_to_their_policy(
    browser: Any, shop: Door, pages: dict[str, str], need: Callable[[object, str], None]
) -> None:
    """The browser has nothing to refuse and takes the styles; pages are small."""
    need(browser, "Chromium")
    for name, path in pages.items():
        page, said = browser.new_page(), list[str]()
        page.on("console", lambda message, said=said: said.append(message.text))
        answer = page.goto(shop.url + path)
        size = len(answer.body())
        ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        edge = page.evaluate("getComputedStyle(document.body).borderInlineStartWidth")
        page.close()

        refused = [text for text in said if "Content Security Policy" in text]

        assert (name, []) == (name, refused)
        assert name == "issue" or size < MAX_BYTES
        assert (name, "rgb(0, 0, 0)") != (name, ink)
        assert (name, "0px") == (
            name,
            edge,
        )  # a page is named by a class, and may not look like a box of that name


def test_a_book_is_fetched_without_a_script(
    browser: Any, shop: Door, pages: dict[str, str], book: Path, need: Callable[[object, str], None]
) -> None:
    """Press the button: the browser saves the file under its name."""
    need(browser, "Chromium")
    (book / "build" / "a.epub").write_bytes(b"the book")
    with browser.new_context(java_script_enabled=False, accept_downloads=True) as context:
        page = context.new_page()
        page.goto(shop.url + pages["gift"])
        with page.expect_download() as download:
            page.get_by_role("button", name="Get the EPUB").click()

        assert download.value.suggested_filename == "a.epub"
        assert Path(download.value.path()).read_bytes() == b"the book"


def test_a_new_link_is_asked_for_without_a_script(
    browser: Any, shop: Door, pages: dict[str, str], need: Callable[[object, str], None]
) -> None:
    """Press the button of the page that has had its day: it says where to look."""
    need(browser, "Chromium")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(shop.url + pages["gone"])
        page.get_by_role("button").click()

        assert page.get_by_role("heading", level=1).inner_text() == "Look into your mailbox"
