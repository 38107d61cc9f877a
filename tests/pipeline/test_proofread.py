"""`pipeline check` reads books and letters over; `pipeline newsletter` writes no letter that has an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import ConfigError
from pipeline.proofread import read_over

TODAY = date(2026, 11, 1)
CHAPTER = """\
---
title: Moss
summary: Where nothing else grows, moss does, and asks for very little.
slug: moss
issue: 2026-03-02
---

Moss is *soft*, and nobody has to mow it. It likes the shade, and air that stands still.
"""
Writer = Callable[..., Path]


def list_rules(folder: Path, *, edition: str = "") -> list[str]:
    """What is found, advice left aside; columns too."""
    found = read_over(folder, edition, today=TODAY).findings
    return [f"{each.place.path}:{each.place.line} {each.rule}" for each in found if each.severity != "advice"]


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    """The exit code of a command and what it said, to the reader and beside."""
    done = CliRunner().invoke(app, [*words, "--book", str(folder)])
    return done.exit_code, done.stdout, done.stderr


def test_a_good_chapter_makes_a_good_letter(manuscript: Writer) -> None:
    """Nothing is found in either."""
    assert [] == list_rules(manuscript(CHAPTER))


def test_letters_are_read_over_with_the_book(manuscript: Writer) -> None:
    """What is wrong with a letter is told beside what is wrong with the book."""
    folder = manuscript(CHAPTER.replace("soft", "soft!!").replace("shade", "shade TBD"))

    assert ["chapters/01-one.md:8 M044", "chapters/01-one.md:8 N054"] == list_rules(folder)


def test_a_book_without_letters_is_read_as_before(manuscript: Writer) -> None:
    """No letter rule speaks of a chapter that does not go out."""
    assert [] == list_rules(manuscript(CHAPTER.replace("soft", "soft!!").replace("issue:", "date:")))


def test_one_edition_is_read_without_letters(manuscript: Writer) -> None:
    """They are made of the whole manuscript, and belong to no edition."""
    assert [] == list_rules(manuscript(CHAPTER.replace("soft", "soft!!")), edition="full")


def test_what_the_book_s_rules_said_is_not_said_again(manuscript: Writer) -> None:
    """A link that says nothing is one thing to mend, wherever it is read."""
    folder = manuscript(CHAPTER.replace("*soft*", "soft ([more](https://example.org))"))

    assert ["chapters/01-one.md:8 M045"] == list_rules(folder)


def test_a_letter_that_cannot_be_made_is_a_finding_like_others(manuscript: Writer) -> None:
    """And the book's own findings are told beside it."""
    folder = manuscript(
        {"01-one.md": CHAPTER.replace("soft", "TBD"), "letters/welcome.md": "# Hello\n\n@@who@@\n"}
    )

    assert ["chapters/01-one.md:8 M044", "chapters/letters/welcome.md:3 M000"] == list_rules(folder)


@pytest.mark.parametrize(("rule", "message"), [("N099", "no rule N099"), ("N054", "")])
def test_a_letter_rule_can_be_switched_off(rule: str, message: str, manuscript: Writer) -> None:
    """With a reason, and only if it is there."""
    toml = (
        f'[book]\ntitle = "Small"\nauthors = ["A"]\ncover = "none"\n[check.off]\n{rule} = "a joyful letter"\n'
    )
    folder = manuscript(CHAPTER.replace("soft", "soft!!"), toml=toml)

    if message:
        with pytest.raises(ConfigError, match=message):
            list_rules(folder)
    else:
        assert [] == list_rules(folder)


def test_check_prints_letters_as_json(manuscript: Writer) -> None:
    """A program reads the same findings."""
    code, out, _ = run(manuscript(CHAPTER.replace("soft", "soft!!")), "check", "--format", "json")

    assert 0 == code
    assert [("N054", 8)] == [(row["rule"], row["line"]) for row in json.loads(out)]


def test_a_warning_is_told_and_the_letter_written(manuscript: Writer) -> None:
    """The author decides."""
    folder = manuscript(CHAPTER.replace("soft", "soft!!"))
    code, out, err = run(folder, "newsletter")

    assert (0, "build/issues/2026-03-02-moss") == (code, out.splitlines()[0])
    assert "chapters/01-one.md:8: N054 warning: 'soft!!' sounds like advertising" in err
    assert (folder / "build/issues/2026-03-02-moss/issue.json").exists()


def test_one_error_keeps_all_letters_from_being_written(manuscript: Writer) -> None:
    """Every error is told, and the last good letter stays."""
    folder = manuscript(CHAPTER)
    run(folder, "newsletter")
    page = folder / "build/issues/2026-03-02-moss/body.html"
    before = page.read_bytes()
    second = CHAPTER.replace("moss\n", "fern\n").replace("soft", "[[soft]]")
    manuscript({"01-one.md": CHAPTER.replace("soft", "[[so]] soft"), "02-two.md": second})
    code, out, err = run(folder, "newsletter")
    told = [line.split(" error:")[0] for line in err.splitlines()]

    assert (1, "") == (code, out)
    assert ["chapters/01-one.md:8: N039", "chapters/02-two.md:8: N039"] == told[:2]
    assert told[2].startswith("no letter was written; mend the errors")
    assert not (folder / "build/site/2026-03-02-fern").exists()
    assert ["2026-03-02-moss"] == [path.name for path in (folder / "build/issues").iterdir() if path.is_dir()]
    assert before == page.read_bytes()
