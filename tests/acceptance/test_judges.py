"""EPUBCheck, Ace, veraPDF and qpdf have nothing to say against any book made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.check.outside import Verdict, judge

ROOT = Path(__file__).parents[2]
CASES = sorted(path.name for path in (ROOT / "tests" / "manuscripts").iterdir() if path.is_dir())
LAYOUTS = sorted(
    path.parent.name for path in (ROOT / "layouts").glob("*/layout.toml") if path.parent.name != "base"
)
#: The fullest of the little books and the sample book in every layout, the others in one.
BOOKS = [(c, name) for c in ("everything", "sample") for name in LAYOUTS]
BOOKS += [(case, "classic") for case in CASES if case != "everything"]
JUDGES = [("EPUBCheck", "epub"), ("Ace", "epub"), ("veraPDF", "pdf"), ("qpdf", "pdf")]

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
