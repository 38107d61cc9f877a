"""A reader's stamped copy is as valid as the book it was made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from outbox.stamp import Stamper, stamp
from pipeline.check.outside import Verdict, judge

STAMPER = Stamper(("a secret for tests",), "letters.example.org")

pytestmark = [pytest.mark.judges, pytest.mark.slow]


@pytest.fixture(scope="module")
def verdicts(
    build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Verdict]:
    """What all judges say of stamped copies of the little book with everything and of the sample."""
    paths = []
    for case in ("everything", "sample"):
        built = build(case)
        path = tmp_path_factory.mktemp("stamped") / case
        for suffix, data in ((".pdf", built.pdf_bytes), (".epub", built.epub_bytes)):
            path.with_suffix(suffix).write_bytes(stamp(data, STAMPER, 4711))
            paths.append(path.with_suffix(suffix))
    return {(verdict.judge, verdict.file.stem): verdict for verdict in judge(paths)}


@pytest.mark.parametrize("case", ["everything", "sample"])
@pytest.mark.parametrize("name", ["EPUBCheck", "Ace", "veraPDF", "qpdf"])
def test_a_judge_has_nothing_to_say_about_a_stamped_copy(
    verdicts: dict[tuple[str, str], Verdict], name: str, case: str
) -> None:
    """PDF/UA-1 stays valid, and the EPUB has neither error nor warning nor violation."""
    verdict = verdicts[name, case]
    if verdict.state == "not run":
        pytest.skip(verdict.findings[0])

    assert () == verdict.findings
    assert "passed" == verdict.state
