"""What was found is told to people, to programs, to GitHub, and as a page with pictures."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from typer.testing import CliRunner

from pipeline.check import Finding
from pipeline.check.galley import Fix
from pipeline.check.judges.programs import find_in_npm
from pipeline.cli import app
from pipeline.errors import JudgeError, Place
from pipeline.proofread.reports import count, format_github, format_json, format_text

CLEAN = Path(__file__).parents[1] / "proofreader" / "clean"
FOUND = (
    Finding(
        Place("chapters/a,b.md", 3, 7),
        "T010",
        "warning",
        "two spaces in a row; 50% is enough",
        Fix(1, 3, " "),
    ),
    Finding(Place("book.toml"), "E001", "advice", "write\none"),
    Finding(Place("chapters/c.md", 9), "H004", "error", "it promises too much"),
)


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    """The exit code of `pipeline check` and what it said, to the reader and beside."""
    done = CliRunner().invoke(app, ["check", *words, "--book", str(folder)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A book with a slip that can be mended, one that cannot, and something to advise."""
    shutil.copytree(CLEAN, tmp_path / "book")
    path = tmp_path / "book/chapters/01-water.md"
    text = path.read_text().replace("Most plants want", "Most  plants want", 1)
    path.write_text(text.replace("Yellow leaves", "Yellow,, leaves!! <!-- & -->"))
    return tmp_path / "book"


def test_people_read_lines_and_a_count() -> None:
    """Place, rule, severity, what to do."""
    told = format_text(FOUND).splitlines()

    assert "chapters/a,b.md:3:7: T010 warning: two spaces in a row; 50% is enough" == told[0]
    assert "1 error, 1 warning, 1 piece of advice" == told[-1]
    assert "nothing found" == format_text(())
    assert "2 errors" == count([FOUND[2], FOUND[2]])


def test_programs_read_json() -> None:
    """With the column, and whether `--fix` would mend it."""
    rows = json.loads(format_json(FOUND))

    assert [("chapters/a,b.md", 3, 7, True), ("book.toml", 0, 0, False), ("chapters/c.md", 9, 0, False)] == [
        (row["path"], row["line"], row["column"], row["fixable"]) for row in rows
    ]


def test_github_reads_workflow_commands() -> None:
    """A comma ends a field and a percent sign begins an escape, so both are escaped; so are line ends."""
    assert [
        "::warning file=chapters/a%2Cb.md,line=3,col=7,title=T010::two spaces in a row; 50%25 is enough",
        "::notice file=book.toml,title=E001::write%0Aone",
        "::error file=chapters/c.md,line=9,title=H004::it promises too much",
    ] == format_github(FOUND).splitlines()


def test_advice_is_given_when_asked_for(folder: Path) -> None:
    """Without the option it is counted, beside what is found."""
    code, out, err = run(folder)

    assert (0, "2 warnings", "and 1 piece of advice; --advice shows them") == (
        code,
        out.split("\n")[-2],
        err.strip(),
    )
    assert "T027 advice" in run(folder, "--advice")[1]


def test_an_unknown_format_is_refused(folder: Path) -> None:
    """And the known ones are named."""
    done = CliRunner().invoke(app, ["check", "--format", "pdf", "--book", str(folder)])

    assert "text, json, github, html" in str(done.exception)


def test_a_dry_run_shows_the_changes_and_makes_none(folder: Path) -> None:
    """As a diff that `patch` could read."""
    path = folder / "chapters/01-water.md"
    before = path.read_bytes()
    code, out, _ = run(folder, "--fix", "--dry-run")

    assert (0, before) == (code, path.read_bytes())
    assert ["--- a/chapters/01-water.md", "+++ b/chapters/01-water.md"] == out.splitlines()[:2]
    assert ["-Most  plants want more water less often.", "+Most plants want more water less often."] == [
        line for line in out.splitlines() if re.match(r"[-+]\w", line)
    ]


def test_fixing_mends_the_file_and_tells_what_is_left(folder: Path) -> None:
    """Line ends stay as they were."""
    path = folder / "chapters/01-water.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    code, out, _ = run(folder, "--fix")

    assert (0, "mended chapters/01-water.md") == (code, out.splitlines()[0])
    assert "T026" in out
    assert "T010" not in out
    assert b"\r\nMost plants want" in path.read_bytes()
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")


# -- the page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a book with several slips."""
    folder = tmp_path_factory.mktemp("page") / "book"
    shutil.copytree(CLEAN, folder)
    path = folder / "chapters/01-water.md"
    text = path.read_text().replace("Most plants want", "Most  plants want", 1)
    path.write_text(text.replace("Yellow leaves", "Yellow,, <b leaves!!"))
    toml = folder / "book.toml"
    toml.write_text(toml.read_text().replace("© 2026", "© 2020"))
    code, out, _ = run(folder, "--advice", "--format", "html")

    assert (0, "build/check.html: 3 warnings, 1 piece of advice\n") == (code, out)
    return folder / "build/check.html"


def test_the_page_shows_the_line_and_the_printed_page(page: Path) -> None:
    """Each finding has its line with the place marked, and a mark on the picture of its page."""
    tree = html.fromstring(page.read_bytes())
    slip = tree.xpath('//li[contains(., "T010")]')[0]
    picture = slip.xpath('ancestor::div[@class="group paged"]//figure')[0]
    badge = picture.xpath('.//a[@href="#{}"]'.format(slip.get("id")))[0]

    assert "3 Most  plants want more water less often." == slip.xpath('.//*[@class="here"]')[0].text_content()
    assert ["  plants"] == [mark.text for mark in slip.xpath(".//mark")]
    assert picture.xpath(".//img")[0].get("src").startswith("data:image/png;base64,")
    assert "Page 1" == picture.xpath(".//figcaption")[0].text
    assert re.fullmatch(r"top: \d+\.\d+%; height: \d+\.\d+%", badge.getparent().get("style"))


def test_the_page_needs_nothing_but_itself(page: Path) -> None:
    """No script, no file, no address; what an author wrote is shown and never obeyed."""
    text = page.read_text("utf-8")
    tree = html.fromstring(page.read_bytes())

    assert [] == tree.xpath("//script | //link | //b[contains(., 'leaves')]")
    assert [] == [url for url in tree.xpath("//@src | //@href") if not url.startswith(("data:", "#"))]
    assert not re.search(r"@import|url\(", text)
    assert "&lt;b leaves!!" in text


@pytest.mark.judges
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "light"), (1280, "dark")])
def test_axe_finds_nothing_on_the_page(
    page: Path, browser: Any, need: Callable[[object, str], None], width: int, scheme: str
) -> None:
    """Contrast, names and sizes of targets hold, by day and by night, and nothing runs out of a phone."""
    need(browser, "Chromium")
    try:
        axe = Path(find_in_npm("axe-core", "axe.min.js")).read_text("utf-8")
    except JudgeError:
        axe = ""
    need(axe, "axe-core; run make judges")
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    tab.goto(page.as_uri())
    tab.evaluate(axe)
    result = tab.evaluate("() => axe.run(document, {rules: {'target-size': {enabled: true}}})")
    wide = tab.evaluate("document.documentElement.scrollWidth")
    tab.close()

    assert [] == [(each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]]
    assert len(result["passes"]) > 10
    assert wide <= width
