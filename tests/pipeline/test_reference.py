"""docs/book-toml.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import read_config
from pipeline.config.reference import EXAMPLE, describe_config

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_fresh() -> None:
    """After a change run: python -m pipeline.config.reference > docs/book-toml.md."""
    written = (DOCS / "book-toml.md").read_text("utf-8")

    assert describe_config() == written


def test_every_key_has_a_meaning() -> None:
    """No row of a table ends in an empty cell."""
    rows = [line for line in describe_config().splitlines() if line.startswith("| `")]

    assert len(rows) > 40
    assert [] == [row for row in rows if row.endswith("|  |")]


def test_the_example_is_a_book(tmp_path: Path) -> None:
    """The file at the top of the page can be used as it stands."""
    (tmp_path / "book.toml").write_text(EXAMPLE, "utf-8")

    config = read_config(tmp_path)

    assert config.book.title == "The Kitchen Garden"
    assert [edition.name for edition in config.edition] == ["full", "sample"]
