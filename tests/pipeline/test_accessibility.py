"""Every claim is made when it is true, and not when it is false."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.accessibility import describe
from pipeline.build import open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.layouts import read_layout


def claims(folder: Path, *, pages: bool = False) -> Mapping[str, list[str]]:
    book, layout = resolve_edition(open_manuscript(folder), EditionTable(name="full"))
    found: dict[str, list[str]] = {}
    for meta in describe(book, layout.read_words("en"), pages=pages):
        found.setdefault(meta.name.removeprefix("schema:"), []).append(meta.value)
    return found


TEXT = "# A\n\nWords."
DESCRIBED = "# A\n\n![A cell.](a.png)"
SILENT = "# A\n\n![A cell.](a.png)\n\n![](b.png)"
ORNAMENT = "# A\n\n![](a.png){.decorative}"


@pytest.mark.parametrize(
    ("text", "modes", "sufficient", "alternative"),
    [
        (TEXT, ["textual"], ["textual"], False),
        (DESCRIBED, ["textual", "visual"], ["textual"], True),
        (SILENT, ["textual", "visual"], [], False),
        (ORNAMENT, ["textual"], ["textual"], False),
    ],
    ids=["words alone", "described", "silent", "ornament"],
)
def test_pictures_decide_what_can_be_claimed(
    manuscript: Callable[..., Path], *, text: str, modes: list[str], sufficient: list[str], alternative: bool
) -> None:
    """A picture that tells something needs eyes unless words say it; an ornament tells nothing."""
    found = claims(manuscript(text))

    assert modes == found["accessMode"]
    assert sufficient == found.get("accessModeSufficient", [])
    assert alternative == ("alternativeText" in found["accessibilityFeature"])


def test_a_picture_in_a_note_counts(manuscript: Callable[..., Path]) -> None:
    """Wherever it stands."""
    assert "visual" in claims(manuscript("# A\n\nx^[![A cell.](a.png) y]"))["accessMode"]


@pytest.mark.parametrize("pages", [True, False])
def test_pages_are_claimed_when_there_are_pages(manuscript: Callable[..., Path], *, pages: bool) -> None:
    """An EPUB made without a PDF has no page list."""
    features = claims(manuscript(TEXT), pages=pages)["accessibilityFeature"]

    assert pages == ("pageNavigation" in features) == ("pageBreakMarkers" in features)


def test_nothing_is_claimed_that_nobody_computed(manuscript: Callable[..., Path]) -> None:
    """Conformance is a person's judgement; mathematics and sound are not in the dialect."""
    found = claims(manuscript(DESCRIBED), pages=True)

    assert {
        "accessMode", "accessModeSufficient", "accessibilityFeature", "accessibilityHazard", "accessibilitySummary",
    } == set(found)  # fmt: skip
    assert {"MathML", "describedMath", "captions", "longDescription"}.isdisjoint(
        found["accessibilityFeature"]
    )
    assert ["none"] == found["accessibilityHazard"]


@pytest.mark.parametrize(
    ("text", "pages", "expected"),
    [
        (TEXT, False, ["accessible_text"]),
        (TEXT, True, ["accessible_text", "accessible_pages"]),
        (DESCRIBED, False, ["accessible_text", "accessible_pictures"]),
        (SILENT, True, ["accessible_text", "accessible_no_pictures", "accessible_pages"]),
    ],
)
def test_the_summary_says_the_same_in_sentences(
    manuscript: Callable[..., Path], *, text: str, pages: bool, expected: list[str]
) -> None:
    """A person choosing a book reads what the machine reads."""
    words = read_layout("classic", Path()).read_words("en")

    assert [" ".join(words[key] for key in expected)] == claims(manuscript(text), pages=pages)[
        "accessibilitySummary"
    ]
