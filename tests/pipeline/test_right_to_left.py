"""A letter in Hebrew is the mirror of one in English, and says everything in Hebrew."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.build import open_manuscript
from pipeline.formats.issue import Issue, write_issue
from pipeline.newsletter import make_issues

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests" / "manuscripts" / "hebrew"
WORDS = ROOT / "layouts" / "base" / "words"


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Issue:
    """The only issue of the Hebrew manuscript."""
    folder = tmp_path_factory.mktemp("hebrew")
    for path in CASE.rglob("*.*"):
        if "golden" not in path.parts and path.is_file():
            (folder / path.relative_to(CASE)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(CASE)).write_bytes(path.read_bytes())
    (made,) = make_issues(open_manuscript(folder))
    return made


@pytest.fixture(scope="module")
def html(issue: Issue) -> str:
    return issue.files["body.html"].decode()


def test_the_letter_is_the_golden_one(issue: Issue, pytestconfig: pytest.Config) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    parts = {name: data for name, data in issue.files.items() if name.startswith("body.")}
    if pytestconfig.getoption("--update-golden", default=False):
        write_issue(CASE / "golden", parts)

    assert {path.name: path.read_bytes() for path in (CASE / "golden").iterdir()} == parts


def test_m46_sides_change_over(html: str) -> None:
    """The rule of a quotation, the bullets and the headings of a table are on the right."""
    styles = " ".join(re.findall(r'style="([^"]*)"', html))

    assert '<html lang="he" dir="rtl"' in html
    assert "border-right:3px solid" in styles
    assert "padding:0 26px 0 0" in styles
    assert "text-align:right" in styles
    assert [] == re.findall("left", styles)


def test_figures_stand_below_each_other(html: str) -> None:
    """They run from left to right here too, so a column of them keeps to the right."""
    assert '<td align="right">15</td>' in html


def test_quotation_marks_are_hebrew(issue: Issue) -> None:
    """Both are the same sign; a straight one inside an abbreviation stays."""
    assert "”מים בערב עדיפים על מים בצהריים,”" in issue.files["body.txt"].decode()


def test_the_date_is_hebrew(issue: Issue) -> None:
    """The month has its preposition."""
    assert "2 במרץ 2026 · דנה לוי" in issue.files["body.txt"].decode()


@pytest.mark.parametrize("path", sorted(WORDS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_language_says_everything(path: Path) -> None:
    """A file of words has every word that English has, with the same gaps, and twelve months."""
    english, words = (tomllib.loads(each.read_text("utf-8")) for each in (WORDS / "en.toml", path))
    gaps = {name: set(re.findall(r"\{\w+\}", text)) for name, text in english.items()}

    assert gaps == {name: set(re.findall(r"\{\w+\}", text)) for name, text in words.items()}
    assert 12 == len(words["months"].split())
