"""How much of what the HTML of a letter shows its text part says too (mail rule L2)."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

WORD = re.compile(r"\w+")
HIDDEN = frozenset({"head", "script", "style", "title"})


def share_words(html: str, text: str) -> float:
    """How much of what the HTML shows the text part says too, from 0 to 1, counted in words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    shown = Counter(WORD.findall(" ".join(reader.shown).lower()))
    said = Counter(WORD.findall(text.lower()))
    return (shown & said).total() / shown.total() if shown else 1.0


class _Reader(HTMLParser):
    """Collects the words that a page shows."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            self._inside.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.shown.append(data)
