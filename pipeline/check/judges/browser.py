"""Look at letters in a browser: axe-core in light and dark, and whether anything has to be pushed sideways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from .letter import Letter, read_letter
from .programs import (
    Command,
    Findings,
    find_browser,
    find_in_npm,
    find_in_package,
    list_variables,
    refuse_verdict,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

#: Where the letter lies for the browser; nothing is ever fetched from there.
ADDRESS = "https://letters.example.org/"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE_WIDTHS = (320, 600)  # CSS pixels (mail rule M43)
WIDTHS = (320, 375, 600, 1200)  # (M13)
HEIGHT = 900
FLAGS = ("--disable-gpu", "--disable-background-networking")
#: A letter is no page: the webmail around it brings the landmarks.
RUN_AXE = """async () => {
  const rules = { "landmark-one-main": { enabled: false }, region: { enabled: false } };
  return (await axe.run(document, { resultTypes: ["violations"], rules })).violations;
}"""
#: The last element that reaches out of the window, when the letter is wider than that.
FIND_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return "";
  const reach = (e) => e.getBoundingClientRect().left + Math.max(e.scrollWidth, e.offsetWidth);
  const wide = [...document.body.querySelectorAll("*")].filter((e) => reach(e) > innerWidth).pop();
  return wide ? `<${wide.localName}> "${wide.textContent.trim().slice(0, 40)}"` : "the letter";
}"""
DROP_STYLES = "document.querySelectorAll('style').forEach((style) => style.remove())"


def find_axe() -> Command:
    """Raise JudgeError unless Playwright for Python, axe-core and a Chromium are there."""
    find_in_package("playwright", "sync_api/__init__.py")
    return (find_browser(), find_in_npm("axe-core", "axe.min.js"))


def ask_axe(command: Command, paths: Sequence[Path]) -> Findings:
    """Violations of any impact with rule, selector and state (M43), and what is too wide for a window (M13).

    One browser looks at all letters. It gets the letter and the pictures of its folder, and nothing from elsewhere.
    """
    from playwright.sync_api import Error, sync_playwright

    browser, script = command
    axe = Path(script).read_text("utf-8")
    letters = {path: read_letter(path) for path in paths}
    try:
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(
                executable_path=browser, args=FLAGS, env={**list_variables()}
            ) as chromium,
        ):
            return {path: tuple(_look_at(chromium, letter, axe)) for path, letter in letters.items()}
    except Error as error:
        return dict.fromkeys(paths, refuse_verdict(CompletedProcess(command, 1, "", str(error))))


def _look_at(chromium: Browser, letter: Letter, axe: str) -> Iterator[str]:
    with chromium.new_page() as page:
        page.route("**/*", lambda route: _answer(route, letter))
        page.goto(ADDRESS)
        page.evaluate(axe)
        yield from _list_violations(page)
        yield from _list_wide(page, "with style elements")
        page.evaluate(DROP_STYLES)
        yield from _list_wide(page, "without style elements")


def _answer(route: Route, letter: Letter) -> None:
    """The letter and its pictures, wherever it says they are; all else is refused."""
    name = PurePosixPath(urlsplit(route.request.url).path).name
    if route.request.url == ADDRESS:
        route.fulfill(body=letter.html, content_type="text/html; charset=utf-8")
    elif name in letter.pictures:
        route.fulfill(body=letter.pictures[name])
    else:
        route.abort()


def _list_violations(page: Page) -> Iterator[str]:
    """Each violation once, with every state in which it was seen."""
    seen: dict[str, list[str]] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in AXE_WIDTHS:
            _resize(page, width)
            for found in page.evaluate(RUN_AXE):
                seen.setdefault(_describe(found), []).append(f"{scheme} {width} px")
    for text, states in seen.items():
        yield f"{text}: {', '.join(states)}"


def _describe(found: Mapping[str, Any]) -> str:
    first, *others = found["nodes"]
    wrong = next(check["message"] for kind in ("any", "all", "none") for check in first[kind])
    more = f" and {len(others)} more" if others else ""
    return f"{found['id']} ({found['impact']}): {first['target'][0]}{more}: {wrong}"


def _list_wide(page: Page, state: str) -> Iterator[str]:
    for width in WIDTHS:
        _resize(page, width)
        if wide := page.evaluate(FIND_WIDE):
            yield f"sideways scroll at {width} px {state}: {wide}"


def _resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
