"""A dictionary is found for a language, or it is said that there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.proofread import dictionaries
from pipeline.proofread.dictionaries import find_dictionary, open_speller


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A folder of dictionaries, and no other."""

    def fill(*names: str) -> None:
        for name in names:
            (tmp_path / f"{name}.dic").write_text("1\nword\n")
            (tmp_path / f"{name}.aff").write_text("SET UTF-8\n")

    monkeypatch.setenv("HUNSPELL_DICTIONARIES", str(tmp_path))
    monkeypatch.setattr(dictionaries, "_PACKAGES", ())
    monkeypatch.setattr(dictionaries, "_SYSTEM", ())
    return fill


@pytest.mark.parametrize(
    ("code", "there", "found"),
    [
        ("en-GB", ("en_US", "en_GB"), "en_GB"),
        ("en-GB", ("en_US",), None),
        ("en", ("en_GB", "en_US"), "en_US"),
        ("de", ("de_AT", "de_DE"), "de_DE"),
        ("de-CH", ("de",), "de"),
        ("fr", ("fr",), "fr"),
        ("pt", ("pt_PT",), "pt_PT"),
        ("tlh", ("en_GB",), None),
    ],
)
def test_the_nearest_dictionary_is_taken(
    code: str, there: tuple[str, ...], found: str | None, shelf: Callable[..., None]
) -> None:
    """Another country's spelling is no stand-in, but any country's does for a language alone."""
    shelf(*there)
    path = find_dictionary(code)

    assert found == (path and path.stem)


def test_american_english_is_always_there() -> None:
    """It comes with the checker."""
    speller = open_speller("en-US")

    assert speller
    assert [True, False] == [speller.spell("color"), speller.spell("recieve")]
