"""In a real browser every page of the front door holds together, shuts nobody out, and needs no script."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from outbox.model import Consent
from outbox.store import Store
from outbox.web.challenge import is_proof
from pipeline.check.judges.programs import (
    find_in_npm,
    find_program,
)
from pipeline.errors import JudgeError
from tests.outbox.web.conftest import Door, OpenDoor, person_of, token_of

pytestmark = [pytest.mark.judges, pytest.mark.slow]

#: A door with everything on it.
ALL = """
[sign_up]
title = "Calm letters"
text = "A letter every week.\\n\\nNothing is for sale."
gift = "the book"
privacy = "https://example.org/privacy"
proof_of_work = 8
min_seconds = 0
[sign_up.topics]
recipes = "Eating during treatment"
[sign_up.languages]
en = "English"
de = "Deutsch"
[gift]
files = ["book.pdf"]
"""
#: Each page by its path below base_url; {ana} and {pia} are the tokens of who is on the list, and who is asked.
PAGES = [
    "sign-up", "link", "confirm/{pia}", "confirm/{ana}", "confirm/nobody", "unsubscribe/{ana}", "preferences/{ana}",
    "preferences/{pia}", "archive", "nowhere",
]  # fmt: skip
WIDTHS = (320, 768, 1280)
PROFILE = {
    "root": True,
    "extends": ["html-validate:recommended", "html-validate:document", "html-validate:a11y"],
    "rules": {
        "void-style": "off",
        "require-sri": "off",
        "no-implicit-button-type": "off",
        "attribute-boolean-style": "off",
    },
}
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, empty without it."""
    try:
        return Path(find_in_npm("axe-core", "axe.min.js")).read_text("utf-8")
    except JudgeError:
        return ""


@pytest.fixture
def full(store: Store, open_door: OpenDoor, book: Path) -> Iterator[Door]:
    """A front door with everything on it."""
    (book / "book.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    with open_door(store, ALL) as door:
        yield door


def address(door: Door, page: str) -> str:
    """A page's address on this machine."""
    tokens = {name: token_of(door.desk.store, f"{name}@example.org") for name in ("ana", "pia")}
    return f"{door.url}/mail/{page.format(**tokens)}"


@pytest.fixture
def visit(browser: Any, full: Door, need: Callable[[object, str], None]) -> Iterator[Visit]:
    """Open a page, in a window of this width, by day or by night, with scripts or without."""
    need(browser, "Chromium")
    opened = []

    def open_page(page: str, *, width: int = 768, scheme: str = "light", scripts: bool = True) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts,
            bypass_csp=False,
        )  # fmt: skip
        opened.append(context)
        window = context.new_page()
        window.goto(address(full, page))
        return window

    yield open_page
    for context in opened:
        context.close()


def break_form(window: Any) -> None:
    """Send the form of a page with everything wrong, as a browser does that checks nothing itself."""
    window.evaluate("document.querySelector('form').noValidate = true")
    window.fill("#email", "ana@gmial")
    window.click("button")


def press(window: Any) -> None:
    """Press the first button."""
    window.click("button >> nth=0")


#: Pages that only a press leads to.
PRESSED = [
    ("sign-up", break_form),
    ("link", break_form),
    ("confirm/{pia}", press),
    ("unsubscribe/{ana}", press),
]


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(visit: Visit, axe: str, need: Callable[[object, str], None], width: int) -> None:
    """By day and by night, on every page and on what follows a press."""
    need(axe, "axe-core; run make judges")
    for scheme in ("light", "dark"):
        pressed = PRESSED if scheme == "light" else PRESSED[:2]  # the others can be pressed once
        for page, act in [*((page, None) for page in PAGES), *pressed]:
            window = visit(page, width=width, scheme=scheme)
            if act:
                act(window)
                window.wait_for_load_state()
            window.evaluate(axe)
            result = window.evaluate("() => axe.run(document, {rules: {'target-size': {enabled: true}}})")
            found = [(v["id"], [node["html"] for node in v["nodes"]]) for v in result["violations"]]

            assert (page, scheme, []) == (page, scheme, found)
            assert len(result["passes"]) > 10
            assert width == window.evaluate("document.documentElement.scrollWidth"), page


def test_axe_bites(visit: Visit, axe: str, need: Callable[[object, str], None]) -> None:
    """A field without its label is found."""
    need(axe, "axe-core; run make judges")
    window = visit("sign-up")
    window.evaluate("document.querySelector('label[for=email]').remove()")
    window.evaluate(axe)
    result = window.evaluate("() => axe.run(document)")

    assert {"label"} == {violation["id"] for violation in result["violations"]}


def test_the_whole_way_needs_no_script(visit: Visit, full: Door) -> None:
    """Sign up, confirm, choose, and leave, by mouse and keys alone."""
    window = visit("sign-up", scripts=False, width=320)
    window.fill("#email", "mira@example.org")
    window.check("#agree")
    window.check("text=Eating during treatment")
    window.click("button")
    assert "Please look into your inbox" == window.inner_text("h1")

    token = token_of(full.desk.store, "mira@example.org")
    window.goto(f"{full.url}/mail/confirm/{token}")
    window.click("button")
    assert "You are on the list" == window.inner_text("h1")
    assert window.is_visible("text=Open your gift")

    window.click("text=Choose what you receive")
    window.check("text=One a week at most")
    window.click("text=Save")
    assert "Saved." == window.inner_text("[role=status]")

    window.click("text=Leave the list")
    window.click("text=If you like, tell us why")
    window.check("text=Too many letters")
    window.click("text=Unsubscribe")
    person = person_of(full.desk.store, "mira@example.org")

    assert "You have left" == window.inner_text("h1")
    assert person
    assert person.consent is Consent.UNSUBSCRIBED


def test_a_browser_works_out_the_proof(visit: Visit) -> None:
    """The script does it while one types; what it found is a proof to the server."""
    window = visit("sign-up")
    window.wait_for_function("document.querySelector('[name=proof]').value !== ''")
    token, proof = (window.input_value(f"[name={name}]") for name in ("token", "proof"))

    assert is_proof(token, proof, 8)


def test_pages_keep_to_the_policy_and_load_nothing_from_elsewhere(visit: Visit, full: Door) -> None:
    """The browser has nothing to refuse, asks no other server, and keeps no cookie."""
    window = visit(PAGES[0])
    said, asked = list[str](), list[str]()
    window.on("console", lambda message: said.append(message.text))
    window.on("request", lambda request: asked.append(request.url))
    for page in PAGES:
        window.goto(address(full, page))

    assert [] == [text for text in said if "Content Security Policy" in text]
    assert [] == [url for url in asked if not url.startswith(full.url)]
    assert [] == window.context.cookies()


def test_the_fault_is_told_to_who_does_not_see_it(visit: Visit) -> None:
    """A field that is wrong says so, and names the sentence that tells why."""
    window = visit("sign-up")
    break_form(window)
    said = window.evaluate(
        "() => { const field = document.querySelector('#email');"
        " return [field.getAttribute('aria-invalid'),"
        " document.getElementById(field.getAttribute('aria-describedby')).textContent.trim()] }"
    )

    assert window.title().startswith("Error:")
    assert [
        "true",
        "This does not look like an e-mail address. An address looks like name@example.org.",
    ] == said
    window.click(".summary a >> nth=0")
    assert "#email" in window.url


def test_a_reader_without_a_mouse_comes_to_the_field_first(visit: Visit) -> None:
    """The trap is no stop on the way; the first two are the way past the head, and the address."""
    window = visit("sign-up")
    stops = []
    for _ in range(3):
        window.keyboard.press("Tab")
        stops.append(window.evaluate("document.activeElement.id || document.activeElement.textContent"))

    assert ["Skip to the text", "email", "name"] == stops


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_light(full: Door, page: str) -> None:
    """A page has less than 30 KB, as text that nobody squeezed."""
    assert len(full.get(address(full, page).removeprefix(full.url)).content) < 30_000


def test_html_validate_finds_nothing(full: Door, tmp_path: Path, need: Callable[[object, str], None]) -> None:
    """Its recommended rules, those for whole documents and those for access."""
    pages = {
        f"{n}.html": full.get(address(full, page).removeprefix(full.url)).content
        for n, page in enumerate(PAGES)
    }

    pages |= {
        f"fault-{n}.html": full.post(f"/mail/{page}", {"email": "no"}).content
        for n, page in enumerate(
            ("link", f"preferences/{token_of(full.desk.store, 'ana@example.org')}/erase")
        )
    }
    pages["fault.html"] = full.sign_up("no", agree="").content

    assert [] == validate(need, tmp_path, pages)


def validate(need: Callable[[object, str], None], folder: Path, pages: Mapping[str, bytes]) -> list[str]:
    """What html-validate says of these pages."""
    try:
        command = [find_program("Node", "node"), find_in_npm("html-validate", "bin/html-validate.mjs")]
    except JudgeError as error:
        need(None, str(error))
        raise
    (folder / "profile.json").write_text(json.dumps(PROFILE))
    for name, data in pages.items():
        (folder / name).write_bytes(data)
    with (folder / "said.json").open("w") as said:
        words = [*command, "--config", "profile.json", "--formatter", "json", *pages]
        done = subprocess.run(words, cwd=folder, stdout=said, check=False)

    assert done.returncode in {0, 1}
    answer = json.loads((folder / "said.json").read_text("utf-8"))
    return [f"{page['filePath']}: {m['ruleId']} {m['line']}" for page in answer for m in page["messages"]]
