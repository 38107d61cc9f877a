"""The sample book as its printer, its library and its shops get it, before the judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onixcheck
import pytest

from pipeline.build import make_edition, open_manuscript
from pipeline.check.outside import judge
from pipeline.config import EditionTable

pytestmark = [pytest.mark.judges, pytest.mark.slow]

#: What is made, and who has to say something to each file.
PURPOSES = {
    "print": ("print", "classic", {".print.pdf": {"qpdf"}, ".cover.pdf": {"qpdf"}}),
    "print, modern": ("print", "modern", {".print.pdf": {"qpdf"}, ".cover.pdf": {"qpdf"}}),
    "archive": ("archive", "classic", {".archive.pdf": {"veraPDF", "veraPDF 3a", "qpdf"}}),
    "shops": (
        "epub",
        "classic",
        {f".{shop}.epub": {"EPUBCheck", "Ace"} for shop in ("kindle", "kobo", "apple")},
    ),
}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_judges_have_nothing_to_say(purpose: str, copied: Callable[[str], Path], tmp_path: Path) -> None:
    """Every judge of the kind was asked, and none objects."""
    wanted, layout, asked = PURPOSES[purpose]
    manuscript = open_manuscript(copied("sample"))
    name = "full" if wanted == "epub" else wanted
    table = EditionTable(name=name, layout=layout, formats=(wanted,))
    (made,) = make_edition(manuscript, table, stores=["kindle", "kobo", "apple"])
    for name, data in made.files.items():
        (tmp_path / name).write_bytes(data)
    for suffix, judges in asked.items():
        (path,) = tmp_path.glob(f"*{suffix}")
        verdicts = judge([path])
        missing = [verdict.findings[0] for verdict in verdicts if verdict.state == "not run"]
        if missing:
            pytest.skip(missing[0])

        assert judges == {verdict.judge for verdict in verdicts}
        assert [] == [found for verdict in verdicts for found in verdict.findings]
        assert {"passed"} == {verdict.state for verdict in verdicts}


def test_the_record_of_the_sample_keeps_the_schema(copied: Callable[[str], Path], tmp_path: Path) -> None:
    """What wholesalers get."""
    table = EditionTable(name="archive", formats=("onix",))
    (made,) = make_edition(open_manuscript(copied("sample")), table)
    path = tmp_path / "sample.onix.xml"
    path.write_bytes(next(data for name, data in made.files.items() if name.endswith(".onix.xml")))

    assert [] == [found.short for found in onixcheck.validate(str(path))]
