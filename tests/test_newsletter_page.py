"""Every example of docs/newsletter.md is built, as the page says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pipeline.build import open_manuscript
from pipeline.config import read_config
from pipeline.formats.issue import Issue
from pipeline.newsletter import make_issues

PAGE = Path(__file__).parents[1] / "docs" / "newsletter.md"
BOOK = '[book]\ntitle = "The Kitchen Garden"\nauthors = ["Ada Green"]\ncover = "none"\n'
TOKENS = MarkdownIt("commonmark").parse(PAGE.read_text("utf-8"))
FENCES = [(token.info.split(), token.content) for token in TOKENS if token.type == "fence"]
TOML = [text for info, text in FENCES if info == ["toml"]]


@pytest.fixture(scope="module")
def issues(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Issue]:
    """What the page's chapters, issues and letters become with the page's book.toml."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "book.toml").write_text("\n".join([BOOK, *TOML]), "utf-8")
    for info, text in FENCES:
        if info[:1] == ["markdown"]:
            name = info[1] if len(info) > 1 else "09-more.md"
            path = folder / "chapters" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if len(info) > 1 else f"# More\n\n{text}", "utf-8")
    return {issue.slug: issue for issue in make_issues(open_manuscript(folder))}


def read_text(issue: Issue) -> str:
    return issue.files["body.txt"].decode()


def test_the_page_s_chapters_become_the_issues_it_names(issues: Mapping[str, Issue]) -> None:
    """A chapter whole, one in part, a digest, a letter."""
    assert {"2026-05-04-sleep", "2026-12-01-winter", "2026-06-01-two-beginnings", "confirm"} == {*issues}


def test_an_opening_ends_where_the_page_says(issues: Mapping[str, Issue]) -> None:
    """And a button leads to the rest."""
    text = read_text(issues["2026-12-01-winter"])

    assert "Snow is a blanket" in text
    assert "Oil them" not in text
    assert "https://letters.example.org/read/winter/" in text


def test_a_digest_takes_in_what_the_page_says(issues: Mapping[str, Issue]) -> None:
    """Words of its own in place of a summary, an opening, and the editor's note around them."""
    text = read_text(issues["2026-06-01-two-beginnings"])
    parts = [
        "two places to begin",
        "At three in the morning",
        "/read/sleep/",
        "Snow is a blanket",
        "With warm wishes",
    ]

    assert sorted(parts, key=text.index) == parts
    assert "Nobody sleeps well" not in text


def test_every_table_for_book_toml_can_be_used(tmp_path: Path) -> None:
    """Each is copied below a [book] as it stands."""
    assert TOML
    for text in TOML:
        (tmp_path / "book.toml").write_text(BOOK + text, "utf-8")
        read_config(tmp_path)


def test_every_key_of_an_issue_is_on_the_page() -> None:
    """Header keys and merge fields alike."""
    from pipeline.config.values import OUTBOX_FIELDS
    from pipeline.manuscript.yaml_header import ISSUE_READERS

    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    fields = set(re.findall(r"^\| `@@(\w+)@@` \|", PAGE.read_text("utf-8"), re.MULTILINE))

    assert set() == {*ISSUE_READERS} - rows
    assert {"first_name", *OUTBOX_FIELDS} == fields
