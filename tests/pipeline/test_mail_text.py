"""The text part is a letter one likes to read in a terminal."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.layouts import read_layout
from pipeline.mail.text import tidy, write_contents, write_heading, write_notes, write_text, write_title
from pipeline.markdown import parse
from pipeline.model import Node

WORDS = read_layout("classic", Path()).read_words("en")


def say(markdown: str) -> str:
    """The text of a chapter's body."""
    parsed = parse(markdown, source="01.md")

    assert () == parsed.errors
    return write_text(parsed.nodes, WORDS)


def text(expected: str) -> str:
    return dedent(expected).strip("\n")


def test_titles_are_in_capitals_and_underlined() -> None:
    """Merge fields keep their small letters; a section has its own line below."""
    assert "DEAR @@first_name@@\n===================" == write_title("Dear @@first_name@@")
    assert "Roots\n-----" == write_heading("Roots")
    assert 72 == len(write_title("long " * 30).splitlines()[1])


def test_a_paragraph_is_one_line() -> None:
    """Mail programs break it; an author's own break stays."""
    assert "One two three.\n\nFour\nfive." == say("One\ntwo *three*.\n\nFour\\\nfive.")


def test_emphasis_leaves_no_marks() -> None:
    """Neither stars nor underscores nor backticks."""
    assert "one two three four five" == say("*one* **two** ~~three~~ `four` [five]{.smallcaps}")


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("On [moss](https://example.org/a_b).", "On moss (https://example.org/a_b)."),
        ("[More on moss](https://example.org/a_b)", "More on moss\nhttps://example.org/a_b"),
        ("Or [us](mailto:hello@example.org)", "Or us (hello@example.org)"),
        ("[hello@example.org](mailto:hello@example.org)", "hello@example.org"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("H~2~O, 4 m^2^, 4^th^, x^i+j^, A~b1~", "H₂O, 4\u00a0m², 4th, x^(i+j), A_(b1)"),
        ("![A bed of peas.](bed.svg)", "[Image: A bed of peas.]"),
        ("Before.\n\n![](leaf.svg){.decorative}\n\nAfter.", "Before.\n\nAfter."),
        ("***", "* * *"),
        ("```\ncode = 1\n  more\n```", "    code = 1\n      more"),
    ],
)
def test_small_things(markdown: str, expected: str) -> None:
    """Links, raised and lowered signs, pictures, scene breaks and listings."""
    assert expected == say(markdown)


def test_lists_hang() -> None:
    """Close together where the author wrote them so, a nested list below its item."""
    assert text(
        """
        9. peas
        10. beans
            * broad
            * runner
        """
    ) == say("9. peas\n10. beans\n    - broad\n    - runner")


def test_loose_lists_have_air() -> None:
    """Paragraphs of an item stand below its first word."""
    assert "1. Dig.\n\n   Then rest.\n\n2. Rake." == say("1. Dig.\n\n   Then rest.\n\n2. Rake.")


def test_quotations_are_indented_and_name_their_source() -> None:
    """Four spaces, and a dash before the name."""
    assert "    A garden is a letter.\n\n    — Ada" == say("> A garden is a letter.\n>\n> — Ada")


def test_verse_keeps_its_lines() -> None:
    """And its stanzas."""
    assert "    Rain\n    and roof.\n\n    Tomorrow." == say("| Rain\n| and roof.\n|\n| Tomorrow.")


def test_verse_has_its_title_above() -> None:
    """If it has one."""
    assert "Soft rain\n    Rain\n    and roof." == say("::: verse Soft *rain*\nRain\nand roof.\n:::")


def test_boxes_have_a_title() -> None:
    """Their own, or the language's."""
    assert "Safety:\n    Ask first." == say("::: safety\nAsk first.\n:::")
    assert "Why not?\n    Ask first." == say("::: tip Why not?\nAsk first.\n:::")


def test_definitions_stand_below_their_terms() -> None:
    """With an empty line between entries."""
    assert "Mulch\n    Straw.\n\nTilth\n    Soil." == say("Mulch\n:   Straw.\n\nTilth\n:   Soil.")


def test_a_narrow_table_stands_in_columns() -> None:
    """Numbers to the right."""
    assert text(
        """
        Plant  Depth
        -----  -----
        Peas       5
        Leeks     15
        """
    ) == say("| Plant | Depth |\n|---|--:|\n| Peas | 5 |\n| Leeks | 15 |")


def test_a_wide_table_is_told_row_by_row() -> None:
    """Each cell behind the name of its column."""
    claim, known = "Rain follows the plough. " * 3, "Nobody has counted it. " * 3

    assert f"Claim: {claim}".strip() + f"\n    Known: {known}".rstrip() == say(
        f"| Claim | Known |\n|---|---|\n| {claim} | {known} |"
    )


def test_a_chapter_of_a_digest_keeps_its_title_and_ends_with_its_button() -> None:
    """Without indentation, for it is the letter's own text; the address stands behind the button's words."""
    parsed = parse("## Sleep\n\nPut the lamp out.", source="01.md")
    button = Node(
        "link", (Node("text", text="Read on"),), attrs={"href": "https://example.org/s", "class": "button"}
    )
    chapter = Node("div", (*parsed.nodes, Node("paragraph", (button,))), attrs={"name": "chapter"})

    assert "Sleep\n-----\n\nPut the lamp out.\n\nRead on: https://example.org/s" == write_text(
        [chapter], WORDS
    )


def test_a_digest_says_what_it_holds() -> None:
    """Its titles, in a list."""
    assert "In this letter:\n* Sleep\n* Water" == write_contents(["Sleep", "Water"], WORDS)


def test_notes_stand_behind_their_numbers() -> None:
    """In brackets, as in the text."""
    parsed = parse("Peas.[^a]\n\n[^a]: Sown in *March*.\n\n    Or later.", source="01.md")
    notes = [node for block in parsed.nodes for node in block.walk() if node.kind == "note"]

    assert "Peas.[1]" == write_text(parsed.nodes, WORDS)
    assert "[1] Sown in March.\n\n    Or later." == write_notes(notes, WORDS)


def test_no_line_is_taken_for_a_signature() -> None:
    """Two dashes and a space fold what follows; accents are composed."""
    assert "--\nN\u00e9" == tidy("-- \nNe\u0301  \n\n")
