"""The pages speak the languages there are words for, and English where a word is missing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from outbox.store import Store
from outbox.web.look import read_look
from outbox.web.preferences import EVERY, PAUSES
from tests.outbox.web.conftest import OpenDoor

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "layouts" / "base" / "door"
FILES = sorted(path.stem for path in (FOLDER / "words").glob("*.toml"))
ENGLISH = tomllib.loads((FOLDER / "words" / "en.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", FILES)
def test_a_translation_has_the_gaps_of_the_english(language: str) -> None:
    """No word that no page asks for, and in each sentence the same names in braces."""
    words = tomllib.loads((FOLDER / "words" / f"{language}.toml").read_text("utf-8"))
    gaps = {key: set(re.findall(r"{\w+}", text)) for key, text in words.items()}

    assert set() == set(words) - set(ENGLISH)
    assert {key: set(re.findall(r"{\w+}", ENGLISH[key])) for key in words} == gaps
    assert 12 == len(words["months"].split())


def test_a_region_speaks_its_language_and_a_stranger_english() -> None:
    """de-AT has the words of de; of a language without a file all words are English."""
    look = read_look("classic", ROOT)

    assert look.read_words("de-AT")["save"] == "Speichern"
    assert look.read_words("sv") == ENGLISH


def test_a_book_in_german_has_its_pages_in_german(store: Store, open_door: OpenDoor, book: Path) -> None:
    """What the page says by itself is in the book's language, and so it tells the browser."""
    path = book / "book.toml"
    path.write_text(
        path.read_text("utf-8").replace('title = "A Book"', 'title = "Ein Buch"\nlanguage = "de"'), "utf-8"
    )
    with open_door(store) as door:
        page = door.get("/mail/sign-up").text

    assert '<html lang="de" dir="ltr">' in page
    assert "Ihre E-Mail-Adresse" in page


def test_every_word_is_used() -> None:
    """A word that no page asks for leaves the file; `plain` shows a word together with its text."""
    places = [*FOLDER.glob("*.j2"), *(ROOT / "outbox" / "web").glob("*.py")]
    asked = set(re.findall(r'"([\w-]+)"', "".join(path.read_text("utf-8") for path in places)))
    shown = re.findall(r'(?:what|show)[="(]+(\w+)"', "".join(path.read_text("utf-8") for path in places))
    asked |= {f"{word}_text" for word in shown}
    asked |= {f"every_{word}" for word in EVERY} | {f"pause_{word}" for word in PAUSES}
    asked |= {f"gift_{kind}{end}" for kind in ("pdf", "epub", "other") for end in ("", "_button")}

    assert set() == set(ENGLISH) - asked
