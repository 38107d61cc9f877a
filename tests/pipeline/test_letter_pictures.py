"""Pictures of letters are taken in a real browser, one for each state and width, and are no part of the issue."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from outbox.issue import read as read_for_delivery
from pipeline.build import open_manuscript
from pipeline.errors import PipelineError
from pipeline.formats.issue import Issue, write_issue
from pipeline.mail.sample import read_sender
from pipeline.newsletter import make_issues
from pipeline.preview.pictures import STATES, WIDTHS, take_pictures
from pipeline.snapshots import open_browser

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests" / "manuscripts" / "letter"
Album = Mapping[str, Image.Image]


def has_browser() -> bool:
    try:
        with open_browser():
            return True
    except PipelineError:
        return False


@pytest.fixture(scope="module")
def issue() -> Issue:
    """A letter with every construct, whose pictures are named by an https address."""
    (made, *_) = make_issues(open_manuscript(CASE))
    assert b'src="https://mail.example.org/' in made.files["body.html"]
    return made


@pytest.fixture(scope="module")
def taken(issue: Issue) -> Album | None:
    """Its pictures by file name, or None where no browser is."""
    if not has_browser():
        return None
    (album,) = take_pictures([issue], read_sender(CASE))
    return {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in album.items()}


@pytest.fixture
def album(taken: Album | None, need: Callable[[object, str], None]) -> Album:
    """Its pictures by file name."""
    need(taken, "Chromium or Playwright for Python")
    assert taken
    return taken


def measure_light(picture: Image.Image) -> float:
    """How light a picture is on the whole, 0 to 255."""
    return ImageStat.Stat(picture.convert("L")).mean[0]


def list_colours(picture: Image.Image) -> set[tuple[int, int, int]]:
    return {colour for _, colour in picture.getcolors(picture.width * picture.height) or ()}


def test_there_is_a_picture_for_each_state_and_width(album: Album) -> None:
    """Named after both, and as wide as it says."""
    widths = {f"{state}-{width}.png": width for state in STATES for width in WIDTHS}

    assert widths == {name: picture.width for name, picture in album.items()}


@pytest.mark.parametrize("width", WIDTHS)
def test_states_look_as_they_are_called(album: Album, width: int) -> None:
    """Dark is dark by the letter's own colours, forced dark by Chromium's, the others are light."""
    light = {state: measure_light(album[f"{state}-{width}.png"]) for state in STATES}

    assert {"dark", "forced-dark"} == {state for state, level in light.items() if level < 100}
    assert list_colours(album[f"dark-{width}.png"]) != list_colours(album[f"forced-dark-{width}.png"])


def test_pictures_come_out_of_the_folder_or_are_blocked(album: Album) -> None:
    """Although the letter names them by an address: a picture brings hundreds of colours with it."""
    shown, blocked = (len(list_colours(album[f"{state}-600.png"])) for state in ("light", "no-pictures"))

    assert shown > blocked


def test_pictures_are_no_part_of_the_issue(issue: Issue, tmp_path: Path) -> None:
    """They outlive a build that changes nothing, go with one that does, and the outbox passes over them."""
    folder = tmp_path / issue.slug
    picture = folder / "preview" / "light-375.png"
    write_issue(folder, issue.files)
    picture.parent.mkdir()
    picture.write_bytes(b"a picture")
    write_issue(folder, issue.files)
    kept = picture.exists()
    delivered = read_for_delivery(folder)
    write_issue(folder, {**issue.files, "body.txt": b"Other words."})

    assert kept
    assert not picture.exists()
    assert "preview/light-375.png" not in delivered.files


def run_newsletter(book: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "newsletter", "--book", str(book), "--preview"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )


def test_without_a_browser_only_the_pictures_are_missing(tmp_path: Path) -> None:
    """The issue is written, and one sentence says what to install."""
    book = tmp_path / "book"
    shutil.copytree(CASE, book, ignore=shutil.ignore_patterns("golden", "build"))
    done = run_newsletter(book, PATH=str(tmp_path), PUPPETEER_EXECUTABLE_PATH="")
    (folder,) = (book / "build" / "issues").glob("2*")

    assert 1 == done.returncode
    assert "install" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_for_delivery(folder)


def test_a_browser_that_does_not_start_is_said(tmp_path: Path, need: Callable[[object, str], None]) -> None:
    """A wrong name in PUPPETEER_EXECUTABLE_PATH ends in a sentence."""
    need(find_spec("playwright"), "Python package playwright")
    book = tmp_path / "book"
    shutil.copytree(CASE, book, ignore=shutil.ignore_patterns("golden", "build"))
    done = run_newsletter(book, PUPPETEER_EXECUTABLE_PATH=str(tmp_path / "none"))

    assert 1 == done.returncode
    assert "Chromium could not be started" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_writes_pictures_into_the_folder(
    manuscript: Callable[..., Path], need: Callable[[object, str], None]
) -> None:
    """`pipeline newsletter --preview` puts them beside the letter, and a second build leaves the rest as it is."""
    need(has_browser(), "Chromium or Playwright for Python")
    book = manuscript("---\ntitle: One\nissue: 2026-05-01\n---\n\nA short letter.\n")
    done = [run_newsletter(book) for _ in range(2)]
    (folder,) = (book / "build" / "issues").glob("2*")

    assert [0, 0] == [each.returncode for each in done]
    assert len(STATES) * len(WIDTHS) == len(list((folder / "preview").glob("*.png")))
    assert read_for_delivery(folder)
