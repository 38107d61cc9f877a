"""Find characters that no font of a layout has, before a reader sees an empty box."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from .errors import Place
from .fonts import Face, missing
from .model import Book


def find_missing_glyphs(book: Book, faces: Sequence[Face]) -> Iterator[tuple[Place, str]]:
    """A place and a sentence for each line with such characters; each character is told once a chapter."""
    lacking = missing(faces, (node.text for chapter in book.chapters for node in chapter.walk()))
    if not lacking:
        return
    for chapter in book.chapters:
        told: set[str] = set()
        for node in chapter.walk():
            for character in sorted(lacking.intersection(node.text) - told):
                told.add(character)
                name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
                message = (
                    f"no font of the layout has '{character}' ({name}); choose another character or layout"
                )
                yield Place(chapter.source, node.line), message
