"""Take pictures of pages in the Chromium that is there; only this module and the judges drive a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import PipelineError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ("--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
#: Chromium's own way of making any page dark: a stand-in for what Gmail's programs do (mail rule M45).
_FORCED_DARK = (
    "--enable-features=WebContentsForceDark",
    "--blink-settings=forceDarkModeEnabled=true,forceDarkModeInversionAlgorithm=4",
)
_ADDRESS = (
    "https://letters.example.org/"  # where the page lies for the browser; nothing is fetched from there
)
_HEIGHT = 800
#: What the press sets for itself: with it a browser would see no fonts.
_OURS = {"FONTCONFIG_FILE"}


@dataclass(frozen=True, slots=True)
class Shot:
    """How a page is looked at: `width` in CSS pixels, and whether its pictures come."""

    width: int
    dark: bool = False
    pictures: bool = True


@contextmanager
def open_browser(*, forced_dark: bool = False) -> Iterator[Browser]:
    """A Chromium without a window; raises PipelineError saying what to install."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        message = (
            "pictures need the Python package playwright, which is not installed; run: pip install playwright"
        )
        raise PipelineError(message) from None
    flags = [*_FLAGS, *(_FORCED_DARK if forced_dark else ())]
    variables = {name: value for name, value in os.environ.items() if name not in _OURS}
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=_find_browser(), args=flags, env={**variables}
            )
        except Error as error:
            reason = str(error).splitlines()[0]
            raise PipelineError(f"Chromium could not be started for pictures: {reason}") from None
        with browser:
            yield browser


def _find_browser() -> str:
    named = os.environ.get("PUPPETEER_EXECUTABLE_PATH")
    found = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not found:
        message = (
            "pictures need Chromium, which is not installed; install your system's package chromium,"
            " or name another browser of its kind in PUPPETEER_EXECUTABLE_PATH"
        )
        raise PipelineError(message)
    return found


def take_picture(browser: Browser, html: str, pictures: Mapping[str, bytes], shot: Shot) -> bytes:
    """The whole of a page as a PNG, one pixel for each CSS pixel.

    `pictures` are found by name wherever the page says they are; nothing else is fetched.
    """

    def answer(route: Route) -> None:
        name = PurePosixPath(urlsplit(route.request.url).path).name
        if route.request.url == _ADDRESS:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif shot.pictures and name in pictures:
            route.fulfill(body=pictures[name])
        else:
            route.abort()

    with browser.new_page(
        viewport={"width": shot.width, "height": _HEIGHT}, color_scheme="dark" if shot.dark else "light"
    ) as page:
        page.route("**/*", answer)
        page.goto(_ADDRESS)
        return page.screenshot(full_page=True)
