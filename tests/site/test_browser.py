"""In a real browser the pages hold together; axe finds nobody shut out, and html-validate no slip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.check.judges.programs import (
    find_in_npm,
    find_program,
)
from pipeline.errors import JudgeError
from pipeline.files import update_folder

ADDRESS = "https://letters.example.org/"
#: What docs/site.md tells a server to say: no script, nothing from elsewhere.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'"
PAGES = ["", "2026-03-02-every-construct/", "2026-03-05-every-construct/", "read/other/", "nowhere/at/all"]
KINDS = {"html": "text/html", "css": "text/css", "jpg": "image/jpeg"}

pytestmark = [pytest.mark.judges, pytest.mark.slow]

Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, empty without it."""
    try:
        return Path(find_in_npm("axe-core", "axe.min.js")).read_text("utf-8")
    except JudgeError:
        return ""


@pytest.fixture
def visit(browser: Any, site: Mapping[str, bytes], need: Callable[[object, str], None]) -> Iterator[Visit]:
    """Open a page of the site at its real address; what is not in the site is not there, as on a server."""
    need(browser, "Chromium")
    page = browser.new_page()

    def answer(route: Any) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        name = f"{name}index.html" if not name or name.endswith("/") else name
        found = name if name in site else "404.html"
        route.fulfill(
            body=site[found], status=200 if name in site else 404, content_type=KINDS[found.rpartition(".")[2]],
            headers={"content-security-policy": POLICY},
        )  # fmt: skip

    def open_page(path: str, *, width: int = 768, scheme: str = "light") -> Any:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.goto(ADDRESS + path)
        return page

    page.route("**/*", answer)
    yield open_page
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing(
    visit: Visit, axe: str, need: Callable[[object, str], None], width: int, scheme: str
) -> None:
    """All its rules, and that of target sizes, which sleeps unless it is called."""
    need(axe, "axe-core; run make judges")
    for path in PAGES:
        page = visit(path, width=width, scheme=scheme)
        page.evaluate(axe)
        result = page.evaluate("() => axe.run(document, {rules: {'target-size': {enabled: true}}})")
        found = [(v["id"], [node["html"] for node in v["nodes"]]) for v in result["violations"]]

        assert (path, []) == (path, found)
        assert len(result["passes"]) > 10


def test_axe_bites(visit: Visit, axe: str, need: Callable[[object, str], None]) -> None:
    """Grey on white is found, so that finding nothing says something."""
    need(axe, "axe-core; run make judges")
    page = visit(PAGES[1])
    page.evaluate("document.querySelector('h1').setAttribute('lang', 'x')")
    page.evaluate("document.querySelector('article p').style.color = '#bbb'")
    page.evaluate(axe)
    result = page.evaluate("() => axe.run(document)")

    assert {"color-contrast", "valid-lang"} == {violation["id"] for violation in result["violations"]}


#: XHTML's slash is right in HTML too, and our own style sheet needs no fingerprint.
PROFILE = {
    "root": True,
    "extends": ["html-validate:recommended", "html-validate:document", "html-validate:a11y"],
    "rules": {"void-style": "off", "require-sri": "off"},
}


def validate(need: Callable[[object, str], None], folder: Path, pages: Mapping[str, bytes]) -> list[str]:
    """What html-validate says of these pages, by rule."""
    try:
        command = [find_program("Node", "node"), find_in_npm("html-validate", "bin/html-validate.mjs")]
    except JudgeError as error:
        need(None, str(error))
        raise
    (folder / "profile.json").write_text(json.dumps(PROFILE))
    update_folder(folder / "site", pages)
    words = [*command, "--config", "profile.json", "--formatter", "json", *(f"site/{name}" for name in pages)]
    with (folder / "said.json").open("w") as said:  # in a pipe it stops after 64 KB
        done = subprocess.run(words, cwd=folder, stdout=said, check=False)

    assert done.returncode in {0, 1}
    answer = json.loads((folder / "said.json").read_text("utf-8"))
    return [message["ruleId"] for page in answer for message in page["messages"]]


def test_html_validate_finds_nothing(
    site: Mapping[str, bytes], tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    """Its recommended rules, those for whole documents and those for access."""
    pages = {name: data for name, data in site.items() if name.endswith(".html")}

    assert [] == validate(need, tmp_path, pages)


def test_html_validate_bites(
    site: Mapping[str, bytes], tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    """A picture without words is found."""
    page = site["read/other/index.html"].replace(b' alt="A pond."', b"")

    assert "wcag/h37" in validate(need, tmp_path, {"index.html": page})


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(visit: Visit, width: int) -> None:
    """Not on the narrowest phone, and not from right to left."""
    sizes = {
        path: visit(path, width=width).evaluate("document.documentElement.scrollWidth") for path in PAGES
    }

    assert {width} == set(sizes.values())


def test_pages_keep_to_the_policy(visit: Visit) -> None:
    """The browser has nothing to refuse, and takes the style sheet."""
    page = visit(PAGES[0])
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in PAGES[1:4]:
        page.goto(ADDRESS + path)

    assert [] == [text for text in said if "Content Security Policy" in text]
    assert "flex" == page.evaluate("getComputedStyle(document.body).display")


def test_a_reader_without_a_mouse_sees_the_way(visit: Visit) -> None:
    """The first stop is the way past everything before the text; every stop has a frame."""
    page = visit(PAGES[1])
    page.keyboard.press("Tab")

    assert "Skip to the text" == page.evaluate("document.activeElement.textContent")
    assert page.evaluate("document.activeElement.getBoundingClientRect().width") > 100
    for _ in range(3):
        page.keyboard.press("Tab")
        assert "3px" == page.evaluate("getComputedStyle(document.activeElement).outlineWidth")


def test_a_note_and_the_way_back(visit: Visit) -> None:
    """Pressing the mark shows the note, pressing its arrow the place in the text."""
    page = visit(PAGES[1])
    page.click("#note-2-mark")
    there = page.evaluate("document.querySelector('#note-2').getBoundingClientRect().top")
    page.click("#note-2 .back")
    back = page.evaluate("document.querySelector('#note-2-mark').getBoundingClientRect().top")

    assert 0 <= there < 800
    assert 0 <= back < 800


def test_paper_is_white_at_night(visit: Visit) -> None:
    """Printed from a dark screen, the page is dark on light, without what only a screen needs."""
    page = visit(PAGES[1], scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    shown = page.evaluate(
        "() => ['.skip', '.turn', '.feeds', '.back', 'h1', '.notes'].map("
        "name => getComputedStyle(document.querySelector(name)).display != 'none')"
    )
    ink = page.evaluate("getComputedStyle(document.body).color")

    assert [False, False, False, False, True, True] == shown
    assert max(json.loads(f"[{ink[4:-1]}]")) < 100
