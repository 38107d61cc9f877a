"""Listings are coloured by class names and never changed in their words."""

from __future__ import annotations

import re
from html import unescape

import pytest

from pipeline.highlight import highlight

CODE = 'def f(a: int) -> str:\n    return "<b>" & a  # é\n\n\n'


@pytest.mark.parametrize("language", ["python", "html", "json", "sh", "no-such-language", "", "text"])
def test_the_words_of_a_listing_stay(language: str) -> None:
    """Whatever the language, what is printed is what was written."""
    assert CODE.rstrip("\n") == unescape(re.sub("<[^>]+>", "", highlight(CODE, language))).rstrip("\n")


def test_a_known_language_is_coloured() -> None:
    """Class names have a prefix of their own; an unknown language is plain text."""
    assert '<span class="code-k">def</span>' in highlight(CODE, "python")
    assert "<span" not in highlight(CODE, "no-such-language")
