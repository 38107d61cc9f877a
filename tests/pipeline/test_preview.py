"""The preview in a real browser: it shows every output, follows what is saved, and speaks to nobody else."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.check.judges.browser import FLAGS
from pipeline.check.judges.programs import list_variables
from pipeline.errors import ConfigError
from pipeline.preview.server import FIRST_PORT, HOST, open_socket

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build" / "judges" / "node_modules" / "axe-core" / "axe.min.js"
CASE = ROOT / "tests" / "manuscripts" / "letter"
CHAPTER = "chapters/01-every-construct.md"
SLUG = "every-construct"
FRAMES = {
    "epub": "#page iframe:not(.waiting)",
    "letter": "#letters .w600 iframe:not(.waiting)",
    "phone": "#letters .w375 iframe:not(.waiting)",
}


@dataclass(frozen=True)
class Answer:
    """What the preview said: status, content security policy, words."""

    status: int
    policy: str
    text: str


@dataclass(frozen=True)
class Running:
    """A preview that runs: its process, the book it shows, and where."""

    process: subprocess.Popen[str]
    book: Path
    port: int

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        """The answer to one request, its headers given with underscores."""
        with self.ask(path, method=method, **headers) as answer:
            policy = answer.getheader("content-security-policy") or ""
            return Answer(answer.status, policy, answer.read().decode("utf-8", "replace"))

    @contextmanager
    def ask(self, path: str, *, method: str = "GET", **headers: str) -> Iterator[http.client.HTTPResponse]:
        """One request whose answer is read as it comes."""
        connection = http.client.HTTPConnection(HOST, self.port)
        named = {"Host": f"{HOST}:{self.port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        connection.putrequest(method, path, skip_host=True)
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders()
        with closing(connection), connection.getresponse() as answer:
            yield answer


@contextmanager
def run_preview(book: Path, *options: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "pipeline", "preview", "--book", str(book), "--no-open", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.search(rf"http://{re.escape(HOST)}:(\d+)/", line)
            assert found, line + process.stdout.read()
            yield Running(process, book, int(found[1]))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The preview of a book with every construct."""
    book = tmp_path_factory.mktemp("preview") / "book"
    shutil.copytree(CASE, book, ignore=shutil.ignore_patterns("golden", "build"))
    with run_preview(book, "--port", "0") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium, or None."""
    path = os.environ.get("PUPPETEER_EXECUTABLE_PATH") or shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if not path:
        yield None
        return
    # The fonts of a layout are hidden from others by a variable that would end a browser.
    variables = {**list_variables()}
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=FLAGS, env=variables) as browser,
    ):
        yield browser


@pytest.fixture
def page(chromium: Any, preview: Running, need: Callable[[object, str], None]) -> Iterator[Any]:
    """The preview as its reader sees it, everything made."""
    need(chromium, "Chromium or Playwright for Python")
    with chromium.new_page(viewport={"width": 1280, "height": 900}) as opened:
        opened.goto(f"http://{HOST}:{preview.port}/?chapter={SLUG}")
        opened.wait_for_selector("#spread img", timeout=60_000)
        for frame in FRAMES.values():
            opened.wait_for_selector(frame, timeout=60_000)
        yield opened


@pytest.fixture
def chapter(preview: Running) -> Iterator[Path]:
    """The chapter's file, as it was again afterwards."""
    path = preview.book / CHAPTER
    before = path.read_text()
    yield path
    path.write_text(before)


def read_frame(page: Any, name: str) -> str:
    return str(page.frame_locator(FRAMES[name]).locator("body").inner_text())


def wait_for_words(page: Any, name: str, words: str) -> None:
    page.frame_locator(FRAMES[name]).get_by_text(words).first.wait_for(timeout=60_000)


# -- what is shown


def test_every_output_is_shown(page: Any) -> None:
    """The same words stand on paper, on an e-reader, in a letter at two widths and in plain text."""
    page.wait_for_function("() => document.querySelector('#words').textContent.length > 0")
    words = "The sign says"

    assert [*FRAMES] == [name for name in FRAMES if words in read_frame(page, name)]
    assert words in page.inner_text("#words")
    assert page.evaluate("[...document.querySelectorAll('#spread img')].every((image) => image.naturalWidth)")
    assert "Only this chapter is laid out" in page.inner_text("#folio-note")


@pytest.mark.parametrize("width", [600, 375])
def test_the_letter_is_as_wide_as_it_says(page: Any, width: int) -> None:
    """The page inside a pane is exactly so wide, no scroll bar taken off."""
    frame = page.query_selector(f"#letters .w{width} iframe").content_frame()

    assert width == frame.evaluate("document.documentElement.clientWidth")


def read_look(page: Any) -> dict[str, Any]:
    """What tells the states of a letter apart."""
    return dict(
        page.query_selector(FRAMES["letter"])
        .content_frame()
        .evaluate(
            """() => ({
              ground: getComputedStyle(document.querySelector('.mail, [role=article]')).backgroundColor,
              turned: getComputedStyle(document.documentElement).filter !== 'none',
              pictures: [...document.images].some((image) => image.naturalWidth > 0),
              styles: document.querySelectorAll('style').length > 1,
            })"""
        )
    )


@pytest.mark.parametrize("browser_is", ["light", "dark"])
def test_the_letter_is_shown_in_every_state(page: Any, browser_is: Any) -> None:
    """Light, dark, forced dark, pictures blocked, style stripped: each is what it says, whatever the browser likes."""
    page.emulate_media(color_scheme=browser_is)
    looks = {}
    for state in ("dark", "forced-dark", "no-pictures", "no-style", "light"):
        page.check(f"[name=state][value={state}]", force=True)
        page.wait_for_function(
            "(state) => document.querySelector('#letters .w600 iframe:not(.waiting)')?.src.endsWith(state + '.html')",
            arg=state,
        )
        looks[state] = read_look(page)
    light = looks.pop("light")

    assert looks["dark"]["ground"] != light["ground"]
    assert light | {"turned": True} == looks["forced-dark"]
    assert light | {"pictures": False} == looks["no-pictures"]
    assert light | {"styles": False} == looks["no-style"]


def test_all_states_can_be_seen_at_once(page: Any) -> None:
    """Five phones side by side, each with its name."""
    page.check("[name=state][value=all]", force=True)
    page.wait_for_function("() => document.querySelectorAll('#letters iframe:not(.waiting)').length === 5")
    captions = [caption.split(",")[0] for caption in page.locator("#letters figcaption").all_inner_texts()]

    assert ["Light", "Dark", "Forced dark", "Pictures blocked", "Style stripped"] == captions


def test_another_chapter_and_layout_can_be_chosen(page: Any) -> None:
    """The choosers change what is shown, and the address, so that it can be kept as a bookmark."""
    page.select_option("#layout", "modern")
    page.select_option("#chapter", "other")
    wait_for_words(page, "epub", "The Other Chapter")

    assert "chapter=other&layout=modern" in page.url
    assert page.title().endswith("Preview")


def test_it_can_be_used_without_a_mouse(page: Any) -> None:
    """Tab reaches every control; arrows change the state of the letter."""
    controls = {"chapter", "layout", "larger", "light", "words"}
    reached: set[str] = set()
    for _ in range(300):  # the links inside the panes are reached too
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.value"))
        if controls <= reached:
            break
    page.focus("[name=state][value=light]")
    page.keyboard.press("ArrowRight")

    assert controls <= reached
    assert page.is_checked("[name=state][value=dark]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820])
def test_the_page_is_accessible(
    page: Any, chapter: Path, need: Callable[[object, str], None], scheme: Any, width: int
) -> None:
    """Axe finds nothing, with things to mend on the page, in both schemes, on a desk and on a tablet."""
    need(AXE.is_file(), "axe-core (make judges)")
    chapter.write_text(chapter.read_text() + "\nTODO finish, and see @fig:nowhere.\n")
    page.wait_for_selector("#findings li.error", timeout=60_000)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 1100})
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")

    assert [] == [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("width", [1280, 820])
def test_nothing_has_to_be_pushed_sideways(page: Any, width: int) -> None:
    """The page fits a desk's screen and a tablet's."""
    page.set_viewport_size({"width": width, "height": 900})

    assert width >= page.evaluate("document.documentElement.scrollWidth")


# -- following what is saved


def test_what_is_saved_appears_by_itself(page: Any, chapter: Path) -> None:
    """An edit shows in every pane; the page is not loaded again and each pane keeps its place."""
    before = page.get_attribute("#spread img", "src")
    page.evaluate("window.untouched = true")
    page.query_selector(FRAMES["phone"]).content_frame().evaluate("document.scrollingElement.scrollTop = 300")
    chapter.write_text(chapter.read_text().replace("Stress", "Saved just now. Stress", 1))
    for name in FRAMES:
        wait_for_words(page, name, "Saved just now.")
    page.wait_for_function(
        "(old) => document.querySelector('#spread img').getAttribute('src') !== old", arg=before
    )
    place = (
        page.query_selector(FRAMES["phone"]).content_frame().evaluate("document.scrollingElement.scrollTop")
    )

    assert page.evaluate("window.untouched")
    assert 300 == place
    assert "Saved just now." in page.inner_text("#words")


def test_an_error_is_told_and_goes_away(page: Any, chapter: Path) -> None:
    """File and line are named beside the last good version, until the fault is mended."""
    whole = chapter.read_text()
    line = whole.count("\n") + 2
    chapter.write_text(f"{whole}\nSee @fig:nowhere in ruins.\n")
    page.wait_for_selector("#findings li.error", timeout=60_000)
    told = page.inner_text("#findings li.error")
    still = read_frame(page, "letter")
    chapter.write_text(whole)
    page.wait_for_selector("#findings li.error", state="detached", timeout=60_000)

    assert f"{CHAPTER}:{line}" in told
    assert "See @fig:nowhere in ruins." in told
    assert "in ruins" not in still
    page.wait_for_selector("#status[data-state=made]", timeout=60_000)


def test_what_is_not_text_at_all_is_told_too(page: Any, chapter: Path) -> None:
    """A file of zeroes breaks nothing, and is named."""
    whole = chapter.read_bytes()
    chapter.write_bytes(b"\0" * 100)
    page.wait_for_selector("#findings li.error", timeout=60_000)
    told = page.inner_text("#findings li.error")
    chapter.write_bytes(whole)
    page.wait_for_selector("#findings li.error", state="detached", timeout=60_000)

    assert CHAPTER in told


def test_a_warning_stands_beside_the_outputs(page: Any, chapter: Path) -> None:
    """What `pipeline check` would say is there with its line, and the chapter is shown all the same."""
    chapter.write_text(chapter.read_text() + "\nTODO: a last sentence.\n")
    wait_for_words(page, "letter", "a last sentence")

    assert "M044" in page.inner_text("#findings")


def test_many_saves_at_once_end_with_the_last(page: Any, chapter: Path) -> None:
    """Saves in the middle of a build begin a new one."""
    whole = chapter.read_text()
    for number in range(12):
        chapter.write_text(f"{whole}\nSaved {number} times.\n")
        page.wait_for_timeout(40)
    for name in FRAMES:
        wait_for_words(page, name, "Saved 11 times.")
    page.wait_for_selector("#status[data-state=made]", timeout=60_000)


# -- who may ask


def test_a_name_from_elsewhere_is_refused(preview: Running) -> None:
    """A page that has its own name lead to this machine cannot read the book (DNS rebinding)."""
    strange = preview.get("/", Host="evil.example.org")
    own = preview.get("/", Host=f"localhost:{preview.port}")

    assert (403, 200) == (strange.status, own.status)


def test_requests_across_sites_are_refused(preview: Running) -> None:
    """A page from elsewhere cannot have the preview work for it."""
    modes = ("cors", "no-cors", "navigate")
    answers = [preview.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode) for mode in modes]

    assert [403, 403, 200] == [answer.status for answer in answers]


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/proof/1/../../book.toml",
        "/proof/1/letter/..%2f..%2f..%2fbook.toml",
        "/proof/1//etc/passwd",
        "/fonts/..%2f..%2fbook.toml",
        "/book.toml",
    ],
)
def test_no_other_file_is_served(preview: Running, path: str) -> None:
    """Only what was made is looked up, by its name."""
    answer = preview.get(path)

    assert 404 == answer.status
    assert "[book]" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent_to_it(preview: Running, method: str) -> None:
    """It answers GET alone."""
    assert 405 == preview.get("/", method=method).status


def test_what_is_shown_runs_no_scripts(page: Any, preview: Running) -> None:
    """Each pane is shut off twice: by the frame around it and by the policy it is served with."""
    number = re.search(r"/proof/(\d+)/", page.get_attribute(FRAMES["letter"], "src"))
    assert number
    policy = preview.get(f"/proof/{number[1]}/letter/light.html").policy
    sandboxes = page.evaluate("[...document.querySelectorAll('iframe')].map((frame) => frame.sandbox.value)")

    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert {"allow-same-origin"} == set(sandboxes)
    assert "script-src 'self'" in preview.get("/").policy


# -- begin and end


def test_ctrl_c_ends_it_at_once(tmp_path: Path, manuscript: Callable[..., Path]) -> None:
    """Without an error, although a page still listens."""
    with run_preview(manuscript("# One\n\nText.\n"), "--port", "0") as running:
        with running.ask("/news?chapter=one") as news:
            assert b"busy" in news.readline()
            running.process.send_signal(signal.SIGINT)
            code = running.process.wait(30)
        assert running.process.stdout
        said = running.process.stdout.read()

    assert (0, "the preview has ended\n") == (code, said)


def test_a_preview_that_is_begun_again_is_followed(
    chromium: Any, manuscript: Callable[..., Path], need: Callable[[object, str], None]
) -> None:
    """The page says that the preview has ended, and comes back with the next one."""
    need(chromium, "Chromium or Playwright for Python")
    book = manuscript("# One\n\nText.\n")
    with chromium.new_page() as page:
        with run_preview(book, "--port", "0") as running:
            page.goto(f"http://{HOST}:{running.port}/")
            page.wait_for_selector("#status[data-state=made]", timeout=60_000)
        page.wait_for_selector("#status[data-state=gone]", timeout=60_000)
        said = page.inner_text("#status")
        (book / "chapters" / "01-one.md").write_text("# One\n\nOther words.\n")
        with run_preview(book, "--port", str(running.port)):
            wait_for_words(page, "epub", "Other words.")

    assert "pipeline preview" in said


def test_a_port_in_use_is_said(manuscript: Callable[..., Path]) -> None:
    """Asked for by number it is an error with a way out."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"port {port} is taken .* --port"):
            open_socket(port)


def test_without_a_port_the_next_free_one_is_taken() -> None:
    """Two previews can run side by side, and only this machine reaches either."""
    with open_socket(None) as first, open_socket(None) as second:
        ports = [each.getsockname() for each in (first, second)]

    assert {HOST} == {host for host, _ in ports}
    assert FIRST_PORT <= ports[0][1] < ports[1][1]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """One sentence, and nothing is served."""
    command = [sys.executable, "-m", "pipeline", "preview", "--book", str(tmp_path / "nowhere"), "--no-open"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert "there is no such folder" in done.stderr
    assert "Traceback" not in done.stderr
