"""ISBN, URN, language tag, name to file under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identifiers import (
    compact_isbn,
    compute_check_digit,
    derive_file_as,
    find_isbn_fault,
    find_language_fault,
    find_urn_fault,
    make_urn,
)


@pytest.mark.parametrize(
    "isbn", ["978-3-16-148410-0", "9780306406157", "979 10 90636 07 1", "978‑0‑00‑000000‑2"]
)
def test_a_true_isbn_has_no_fault(isbn: str) -> None:
    """Published ISBNs pass, with hyphens of any kind, spaces or neither."""
    fault = find_isbn_fault(isbn)

    assert fault == ""


@pytest.mark.parametrize(
    ("isbn", "words"),
    [
        ("978-3-16-148410-1", "the last digit would be 0"),
        ("0-306-40615-2", "13 digits, not 10"),
        ("9770306406157", "978 or 979"),
        ("٩٧٨٠٣٠٦٤٠٦١٥٧", "is not an ISBN-13"),
        ("", "not 0 characters"),
    ],
)
def test_a_false_isbn_is_explained(isbn: str, words: str) -> None:
    """The message says which rule the number breaks."""
    fault = find_isbn_fault(isbn)

    assert words in fault


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 9))
def test_the_check_digit_catches_every_single_slip(digits: str, place: int, slip: int) -> None:
    """Changing any one digit changes the check digit."""
    other = str((int(digits[place]) + slip) % 10)
    slipped = digits[:place] + other + digits[place + 1 :]

    assert compute_check_digit(digits) != compute_check_digit(slipped)


def test_a_compact_isbn_is_digits_only() -> None:
    """Hyphens and spaces are for readers; metadata wants digits."""
    assert compact_isbn("978-3-16 148410–0") == "9783161484100"


@pytest.mark.parametrize(
    "tag",
    [
        "en",
        "en-GB",
        "de-AT-1996",
        "zh-Hant-TW",
        "sr-Latn",
        "gsw",
        "es-419",
        "sl-rozaj-biske",
        "en-x-own",
        "EN-gb",
    ],
)
def test_a_language_tag_of_the_standard_passes(tag: str) -> None:
    """Examples of RFC 5646, appendix A, and their like."""
    fault = find_language_fault(tag)

    assert fault == ""


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("english", "is not a language tag"),
        ("en_US", "write 'en-US'"),
        ("de_DE.UTF-8", "write 'de-DE'"),
        ("en-UK", "write 'en-GB'"),
        ("en-EN", "leave it out: 'en'"),
        ("cz", "'cz' is not a language code"),
        ("en-", "is not a language tag"),
        ("en\n", "is not a language tag"),
        ("", "is not a language tag"),
    ],
)
def test_a_wrong_language_tag_is_put_right(tag: str, words: str) -> None:
    """The usual slips get the answer that the author needs."""
    fault = find_language_fault(tag)

    assert words in fault


@given(st.text())
def test_any_text_may_be_asked_about(text: str) -> None:
    """No text makes a check fail; it is valid or it is explained."""
    answers = [find_isbn_fault(text), find_language_fault(text), find_urn_fault(text), derive_file_as(text)]

    assert all(isinstance(answer, str) for answer in answers)


@pytest.mark.parametrize(
    ("urn", "words"),
    [
        ("urn:isbn:9783161484100", ""),
        ("urn:uuid:6f0d3f3c-52a4-5d5a-9a52-0c6b1f7d9b11", ""),
        ("urn:doi:10.1000/182", ""),
        ("urn:isbn:9783161484101", "the last digit would be 0"),
        ("urn:uuid:6f0d3f3c", "holds no UUID"),
        ("my-book", "is not a URN"),
    ],
)
def test_a_urn_is_checked_to_its_last_part(urn: str, words: str) -> None:
    """The form of RFC 8141, and behind it the ISBN or the UUID."""
    fault = find_urn_fault(urn)

    assert bool(words) == bool(fault)
    assert words in fault


def test_a_book_keeps_its_urn() -> None:
    """The value is written down here: it must never change, or readers get every book twice."""
    urn = make_urn("Healing Now", "Top 10 Integrative Cancer Care Strategies")

    assert urn == "urn:uuid:37f42fd7-7f3b-5367-a227-d214b4501090"


def test_a_urn_does_not_mind_spacing_case_or_composition() -> None:
    """The same title typed on another system is the same book."""
    composed, decomposed = make_urn("Éditions", "Un  été"), make_urn("e\u0301ditions ", "un e\u0301te\u0301")

    assert composed == decomposed


def test_publisher_and_title_do_not_run_together() -> None:
    """Words that move from publisher to title make another book."""
    assert make_urn("A", "B C") != make_urn("A B", "C")


@pytest.mark.parametrize(
    ("name", "filed"),
    [
        ("Jeannine Walston", "Walston, Jeannine"),
        ("  Jeannine   Walston ", "Walston, Jeannine"),
        ("Plato", "Plato"),
        ("Ursula K. Le Guin", "Le Guin, Ursula K."),
        ("Ludwig van Beethoven", "Beethoven, Ludwig van"),
        ("Simone de Beauvoir", "Beauvoir, Simone de"),
        ("Oscar De La Hoya", "De La Hoya, Oscar"),
        ("Martin Luther King, Jr.", "King, Martin Luther, Jr."),
        ("Martin Luther King Jr.", "King, Martin Luther, Jr."),
        ("Dr. Jane Smith, MD, PhD", "Smith, Jane"),
        ("Dr. Seuss", "Seuss, Dr."),
        ("World Health Organization", "World Health Organization"),
        ("The Chapterpost authors", "Chapterpost authors, The"),
        ("村上 春樹", "村上 春樹"),
        ("", ""),
    ],
)
def test_a_name_is_filed_as_libraries_do(name: str, filed: str) -> None:
    """Family name first for persons; bodies and family-first names stay."""
    assert derive_file_as(name) == filed
