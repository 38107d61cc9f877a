"""A term leads to what the glossary says of it, and the glossary leads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.build import open_manuscript
from pipeline.errors import PipelineError
from pipeline.newsletter import resolve_mail
from pipeline.resolve.collation import collate, find_initial
from tests.conftest import BOOK_TOML, MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "glossary" / "golden"
GLOSSARY = "---\nkind: glossary\n---\n\n# Words\n\nMulch\n:   Straw and the like.\n"


@pytest.mark.parametrize("page", ["soil.xhtml", "glossary.xhtml"])
def test_the_pages_are_the_golden_ones(build, golden, page: str) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / page, build("glossary").members[page].decode())


def test_a_term_leads_there_and_back(build) -> None:
    """Each entry's ways back end at words that lead to it, one in each chapter."""
    built = build("glossary")
    entries = {dt.get("id"): dt.getnext() for dt in built.find("glossary.xhtml", "//h:dt[@id]")}
    led = 0
    for name, said in entries.items():
        for way in said.findall(".//{*}p[@class='uses']/{*}a"):
            page, _, mark = way.get("href").partition("#")
            (term,) = built.find(page, f"//*[@id='{mark}']")
            assert f"glossary.xhtml#{name}" == term.get("href")
            led += 1

    assert 5 == led


def test_words_are_found_whatever_their_capitals(build) -> None:
    """The book says `mulch`, `Tilth` and `*mulched*`; the glossary `Mulch` and `Tilth`."""
    terms = build("glossary").find("soil.xhtml", "//h:a[@role='doc-glossref']")

    assert {"mulch", "Tilth", "mulched", "humus"} == {"".join(term.itertext()) for term in terms}


def test_the_press_sorts_the_entries(build) -> None:
    """As a reader looks them up, accents or not."""
    entries = build("glossary").find("glossary.xhtml", "//h:dfn/text()")

    assert ["Árbol", "Humus", "Mulch", "Tilth"] == entries


def test_an_edition_without_the_glossary_says_the_words(build) -> None:
    """Nothing in it leads nowhere."""
    sample = build("glossary", edition="sample")

    assert [] == sample.find("soil.xhtml", "//h:a[@role='doc-glossref']")
    assert "A bed without mulch dries out" in "".join(sample.parse("soil.xhtml").itertext())


def test_letters_say_the_words(copied) -> None:
    """In mail there is no glossary to leaf to; what was marked is left as words."""
    from pipeline.mail.compose import compose

    manuscript = open_manuscript(copied("glossary"))
    book = resolve_mail(manuscript)
    words = manuscript.read_layout("classic").read_words("en")
    kinds = {node.kind for block in compose(book, book.chapters[0], words).body for node in block.walk()}

    assert not kinds & {"link", "mention", "mark", "reference"}


@pytest.mark.parametrize(
    ("chapters", "message"),
    [
        (
            {"01-one.md": "# One\n\nMore [mulsh]{.term}.", "02-words.md": GLOSSARY},
            "chapters/01-one.md:3: the glossary does not define 'mulsh'; did you mean 'mulch'?",
        ),
        (
            {"01-one.md": "# One\n\nMore [mulch]{.term}."},
            "the glossary does not define 'mulch'; there is none yet: write a chapter with kind: glossary",
        ),
        (
            {"02-words.md": GLOSSARY + "\nmulch\n:   Once more.\n"},
            "chapters/02-words.md:10: 'mulch' is defined twice (also chapters/02-words.md:7); keep one",
        ),
        (
            {"01-one.md": "# One\n\nMore [[mulch](https://example.org)]{.term}.", "02-words.md": GLOSSARY},
            "chapters/01-one.md:3: a term cannot hold a link; put it beside the term",
        ),
        (
            {"01-one.md": "# One\n\nMore []{.term}.", "02-words.md": GLOSSARY},
            "chapters/01-one.md:3: this names no term; write it between the brackets",
        ),
        (
            {"01-one.md": "# One\n\n## Mulch {.term}\n\nStraw.", "02-words.md": GLOSSARY},
            "chapters/01-one.md:3: 'term' speaks for words; put them in brackets before it: [some words]{...}",
        ),
    ],
)
def test_faults_say_what_to_do(manuscript, chapters: dict[str, str], message: str) -> None:
    """With the line to mend."""
    folder: Path = manuscript(chapters, toml=BOOK_TOML)

    with pytest.raises(PipelineError) as caught:
        resolve_mail(open_manuscript(folder))

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["4-H club", "à la carte", "Äpfel", "apple", "Zebra", "zoo"]),
        ("de", ["Äpfel", "Ärger", "Azur", "Zoo"]),
        ("sv", ["apa", "zebra", "ål", "äpple", "öga"]),
        ("da", ["abe", "zebra", "æble", "øre", "ål"]),
        ("es", ["nube", "ñandú", "oso"]),
        ("pl", ["kot", "lis", "łoś", "mysz"]),
        ("he", ["אבא", "במה", "גן"]),
    ],
)
def test_each_language_has_its_own_order(language: str, words: list[str]) -> None:
    """Swedish looks for `å` behind `z`, German beside `a`."""
    mixed = list(reversed(words))

    assert words == sorted(mixed, key=lambda word: collate(word, language))


@pytest.mark.parametrize(
    ("language", "word", "letter"),
    [
        ("en", "Éclair", "E"), ("sv", "öga", "Ö"), ("de", "Öl", "O"), ("en", "3 litres", ""), ("en", "«so»", "S"),
        ("he", "גן", "ג"), ("ja", "水", ""), ("en", "—", ""),
    ],
)  # fmt: skip
def test_the_letter_over_the_entries(language: str, word: str, letter: str) -> None:
    """That under which a reader of the language looks."""
    assert letter == find_initial(word, language)
