"""Find characters that no font of a layout has, before a reader sees an empty box."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from .errors import Place
from .fonts import Face, missing
from .model import Book


def find_missing_glyphs(
    book: Book, faces: Sequence[Face], *, families: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Place, str]]:
    """A place and a sentence for each line with such characters; each is told once a chapter.

    `families` names the families of running "text" and those of "code". A character another
    family has is told as well: the press would set it in that one, and the line would show it.
    """
    lacking = {
        use: missing([face for face in faces if face.family in names], _list_texts(book, use))
        for use, names in families.items()
    }
    for chapter in book.chapters:
        told: set[str] = set()
        for node in chapter.walk():
            if node.kind == "math":  # drawn
                continue
            use = "code" if node.kind in _CODE else "text"
            for character in sorted(lacking.get(use, set()).intersection(node.text) - told):
                told.add(character)
                yield Place(chapter.source, node.line), _say(character, faces, families[use][0])


_CODE = {"code", "code_block"}


def _list_texts(book: Book, use: str) -> list[str]:
    nodes = (
        node for chapter in book.chapters for node in chapter.walk() if node.text and node.kind != "math"
    )
    return [node.text for node in nodes if (node.kind in _CODE) == (use == "code")]


def _say(character: str, faces: Sequence[Face], family: str) -> str:
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    stand_in = next((face.family for face in faces if ord(character) in face.characters), "")
    if stand_in:
        return f"{family} has no '{character}' ({name}), so it is set in {stand_in}; choose another character or layout"
    package = next((package for start, package in _PACKAGES.items() if name.startswith(start)), "")
    if package:
        cure = f'write fonts = ["{package}"] below [ebook] in book.toml, and run: pip install {package}'
        return f"no font of the layout has '{character}' ({name}); {cure}"
    return f"no font of the layout has '{character}' ({name}); {_CURE}"


#: How the names of a script's characters begin -> a font package that has them.
_PACKAGES = {
    "arabic": "fontpkg-noto-sans-arabic", "hebrew": "fontpkg-frank-ruhl-libre", "cyrillic": "fontpkg-noto-serif",
    "greek": "fontpkg-noto-serif", "devanagari": "fontpkg-noto-sans-devanagari", "thai": "fontpkg-noto-sans-thai",
    "tamil": "fontpkg-noto-sans-tamil", "telugu": "fontpkg-noto-sans-telugu", "khmer": "fontpkg-noto-sans-khmer",
}  # fmt: skip
_CURE = (
    "choose another character or layout, or name a font package that has it: "
    'fonts = ["fontpkg-..."] below [ebook] in book.toml'
)
