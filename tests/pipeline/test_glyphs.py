"""Characters without a glyph are told before a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.build import choose_editions, make_edition, open_manuscript


def warnings_of(folder: Path) -> list[str]:
    """What a build of the EPUB warns of."""
    manuscript = open_manuscript(folder)
    told: list[str] = []
    make_edition(manuscript, choose_editions(manuscript.config)[0], formats=("epub",), warn=told.append)
    return told


def test_a_character_no_font_has_is_told_with_its_line(manuscript: Callable[..., Path]) -> None:
    """Place, rule, the character and its name, once a chapter."""
    folder = manuscript({"01-a.md": "# A\n\nPlain.\n\nA rune ᚠ and\nonce more ᚠ.\n"})

    expected = (
        "chapters/01-a.md:5: M050 warning: no font of the layout has 'ᚠ' (runic letter fehu feoh fe f); "
        "choose another character or layout, or name a font package that has it: "
        'fonts = ["fontpkg-..."] below [ebook] in book.toml'
    )

    assert [expected] == warnings_of(folder)


def test_a_character_of_another_font_is_told_too(manuscript: Callable[..., Path]) -> None:
    """A line drawn in the code font stands out in running text; in code it belongs."""
    folder = manuscript({"01-a.md": "# A\n\nA corner ╔ here.\n\n`╔` in code.\n"})

    expected = (
        "chapters/01-a.md:3: M050 warning: EB Garamond has no '╔' (box drawings double down and right), "
        "so it is set in JetBrains Mono; choose another character or layout"
    )

    assert [expected] == warnings_of(folder)


def test_a_book_in_its_font_is_told_nothing(manuscript: Callable[..., Path]) -> None:
    """Accents, dashes and quotation marks are in every layout's fonts."""
    assert [] == warnings_of(manuscript({"01-a.md": '# A\n\n"Déjà vu" -- ça, œuvre, Łódź, ½ ...\n'}))
