"""The judges have nothing to say against any book or letter made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.build import open_manuscript
from pipeline.check.judges import ISSUE
from pipeline.check.judges import JUDGES as ALL_JUDGES
from pipeline.check.outside import Verdict, judge
from pipeline.newsletter import make_issues, write_issues

ROOT = Path(__file__).parents[2]
#: Every little book; the Hebrew one is a letter alone, for no layout has a face for it.
CASES = sorted(
    path.name
    for path in (ROOT / "tests" / "manuscripts").iterdir()
    if path.is_dir() and path.name != "hebrew"
)
LAYOUTS = sorted(
    path.parent.name for path in (ROOT / "layouts").glob("*/layout.toml") if path.parent.name != "base"
)
#: The fullest of the little books and the sample book in every layout, the others in one.
BOOKS = [(c, name) for c in ("everything", "sample") for name in LAYOUTS]
BOOKS += [(case, "classic") for case in CASES if case != "everything"]
JUDGES = [("EPUBCheck", "epub"), ("Ace", "epub"), ("veraPDF", "pdf"), ("qpdf", "pdf")]
#: The letter that says each thing once, and all issues and letters of the sample book, in every layout.
LETTERS = [(case, name) for case in ("letter", "sample") for name in LAYOUTS]
LETTER_JUDGES = [each.name for each in ALL_JUDGES if ISSUE in each.kinds]

pytestmark = [pytest.mark.judges, pytest.mark.slow]


@pytest.fixture(scope="module")
def shelf(
    build: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Path]:
    """Every book on disk, by its name and layout, without suffix."""
    folder = tmp_path_factory.mktemp("judged")
    paths = {}
    for case, layout in BOOKS:
        built = build(case, layout=layout)
        paths[case, layout] = path = folder / f"{case}-{layout}"
        path.with_suffix(".pdf").write_bytes(built.pdf_bytes)
        path.with_suffix(".epub").write_bytes(built.epub_bytes)
    return paths


@pytest.fixture(scope="module")
def verdicts(shelf: dict[tuple[str, str], Path]) -> dict[tuple[str, str], Verdict]:
    """What all judges say of all books, asked once; with REQUIRE_JUDGES=1 a missing judge is an error."""
    files = [path.with_suffix(suffix) for path in shelf.values() for suffix in (".epub", ".pdf")]
    return {(verdict.judge, verdict.file.name): verdict for verdict in judge(files)}


@pytest.mark.parametrize(("case", "layout"), BOOKS)
@pytest.mark.parametrize(("name", "suffix"), JUDGES)
def test_a_judge_has_nothing_to_say(
    verdicts: dict[tuple[str, str], Verdict], name: str, suffix: str, case: str, layout: str
) -> None:
    """Not an error, not a warning, not a violation of any weight."""
    verdict = verdicts[name, f"{case}-{layout}.{suffix}"]
    if verdict.state == "not run":
        pytest.skip(verdict.findings[0])

    assert () == verdict.findings
    assert "passed" == verdict.state


def write_letters(book: Path, folder: Path, layout: str) -> tuple[Path, ...]:
    """The issues and letters of a book in a layout, on disk."""
    manuscript = open_manuscript(book)
    chosen = structs.replace(manuscript.config.newsletter, layout=layout)
    manuscript = replace(manuscript, config=structs.replace(manuscript.config, newsletter=chosen))
    return write_issues(folder, make_issues(manuscript))


@pytest.fixture(scope="module")
def letters(
    copied: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[tuple[str, str], tuple[Path, ...]]:
    """The issue folders of each case and layout."""
    folder = tmp_path_factory.mktemp("issues")
    return {(case, name): write_letters(copied(case), folder / case / name, name) for case, name in LETTERS}


@pytest.fixture(scope="module")
def letter_verdicts(
    letters: Mapping[tuple[str, str], tuple[Path, ...]],
) -> Mapping[tuple[str, Path], Verdict]:
    """What all judges say of all letters, asked once; with REQUIRE_JUDGES=1 a missing judge is an error."""
    folders = [folder for several in letters.values() for folder in several]
    return {(verdict.judge, verdict.file): verdict for verdict in judge(folders)}


@pytest.mark.parametrize(("case", "layout"), LETTERS)
@pytest.mark.parametrize("name", LETTER_JUDGES)
def test_a_judge_has_nothing_to_say_of_a_letter(
    letters: Mapping[tuple[str, str], tuple[Path, ...]],
    letter_verdicts: Mapping[tuple[str, Path], Verdict],
    name: str, case: str, layout: str,
) -> None:  # fmt: skip
    """In light and dark, with and without its style elements, on a phone and on a desk."""
    verdicts = [letter_verdicts[name, folder] for folder in letters[case, layout]]
    missing = [verdict.findings[0] for verdict in verdicts if verdict.state == "not run"]
    if missing:
        pytest.skip(missing[0])

    assert verdicts
    assert [] == [f"{verdict.file.name}: {found}" for verdict in verdicts for found in verdict.findings]
    assert {"passed"} == {verdict.state for verdict in verdicts}
