"""Every rule of the proofreader finds what it is for, and says nothing of a book that is well made."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.build import choose_editions, open_manuscript, resolve_edition
from pipeline.check import Finding, refuse_unknown
from pipeline.check.galley import Galley
from pipeline.check.reference import describe_rules
from pipeline.check.rules import FAMILIES, RULES
from pipeline.errors import ConfigError
from pipeline.proofread import read_over
from pipeline.proofread.dictionaries import find_dictionary
from pipeline.proofread.mend import mend, mend_book
from pipeline.starter import begin_book

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "proofreader"
CLEAN = CASES / "clean"
TODAY = date(2026, 11, 1)
Golden = Callable[[Path, str], None]


def lay_out(case: str, folder: Path) -> Path:
    """A book of the files of a case; what it does not bring comes from the clean one.

    `pad.txt` names a file and how many bytes long it is to be, which nobody wants to store.
    """
    shutil.copytree(CASES / case, folder, ignore=shutil.ignore_patterns("expected.txt", "fixed.txt"))
    for line in (folder / "pad.txt").read_text().splitlines() if (folder / "pad.txt").exists() else ():
        name, size = line.split()
        path = folder / name
        path.write_bytes(path.read_bytes().rstrip().ljust(int(size)))
    if (folder / "links.json").exists():  # what addresses answered an hour ago; nobody is asked again
        (folder / "build/cache").mkdir(parents=True)
        (folder / "links.json").rename(folder / "build/cache/links.json")
    if not (folder / "book.toml").exists():
        shutil.copy(CLEAN / "book.toml", folder)
    return folder


def find(folder: Path, *, reads: str = "") -> tuple[Finding, ...]:
    """What is found; `reads` is "pages" to lay the book out, "online" to ask its addresses."""
    return read_over(folder, today=TODAY, pages=reads == "pages", online=reads == "online").findings


@pytest.fixture
def dictionary(need: Callable[[object, str], None]) -> None:
    """Spelling is looked at where there is a dictionary."""
    need(find_dictionary("en-GB"), "dictionary of British English; install chapterpost[spelling]")


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_rule_finds_what_it_is_for(
    name: str, tmp_path: Path, golden: Golden, request: pytest.FixtureRequest
) -> None:
    """A small manuscript, and what the rule says of it."""
    if RULES[name].find.__module__.endswith("spelling"):
        request.getfixturevalue("dictionary")
    folder = lay_out(name, tmp_path / "book")
    found = [each for each in find(folder, reads=RULES[name].reads) if each.rule == name]

    assert found
    golden(CASES / name / "expected.txt", "".join(f"{finding}\n" for finding in found))


def test_no_rule_speaks_of_a_clean_manuscript(tmp_path: Path, dictionary: None) -> None:
    """Not even to give advice, nor of its pages."""
    assert () == find(lay_out("clean", tmp_path / "book"), reads="pages")


def test_nothing_is_left_to_mend_in_the_sample_book(copied: Callable[[str], Path], dictionary: None) -> None:
    """The sample is read by the rules that it asks its readers to keep."""
    told = [str(finding) for finding in find(copied("sample")) if finding.severity != "advice"]

    assert [] == told


def test_a_new_book_is_told_nothing_but_advice(tmp_path: Path) -> None:
    """Whoever begins a book begins without a fault."""
    begin_book(tmp_path / "mybook", today=TODAY)
    found = find(tmp_path / "mybook")

    assert [] == [str(finding) for finding in found if finding.severity != "advice"]


@pytest.mark.slow
def test_no_warning_is_wrong_more_than_once_in_5000_words_of_a_novel(
    tmp_path: Path, dictionary: None
) -> None:
    """A text that was proofread before; whatever is said of it counts as wrong but for three American spellings."""
    corpus = os.environ.get("CHAPTERPOST_CORPUS", "")
    if not corpus:
        pytest.skip("CHAPTERPOST_CORPUS names no folder of chapters")
    shutil.copytree(corpus, tmp_path / "chapters")
    shutil.copy(CLEAN / "book.toml", tmp_path)
    found = read_over(tmp_path, today=TODAY)
    words = sum(len(text.split()) for text in found.files.values())
    counts = Counter(finding.rule for finding in found.findings if finding.severity != "advice")
    counts["W001"] -= 3

    assert words > 50_000
    assert {} == {rule: count for rule, count in counts.items() if count > words / 5_000}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_message_says_what_to_do_in_one_line(name: str) -> None:
    """And every rule says what it finds and what to do, for the page of rules."""
    rule = RULES[name]
    messages = [line.split(f"{name} {rule.severity}: ")[1] for line in read_expected(name)]

    assert name[0] in FAMILIES
    assert rule.about
    assert rule.mend
    assert [] == [text for text in messages if not re.match(r"\S.{15,240}$", text) or text.endswith(".")]


def read_expected(name: str) -> list[str]:
    return (CASES / name / "expected.txt").read_text("utf-8").splitlines()


def test_the_page_of_rules_is_fresh() -> None:
    """docs/proofreader.md is what the tables say."""
    assert describe_rules() == (ROOT / "docs/proofreader.md").read_text(encoding="utf-8")


# -- switching off


def test_a_rule_is_switched_off_with_a_reason(tmp_path: Path) -> None:
    """In book.toml it is silent everywhere."""
    folder = lay_out("T010", tmp_path / "book")
    toml = folder / "book.toml"
    toml.write_text(toml.read_text() + '[check.off]\nT010 = "A reprint, space for space."\n')

    assert [] == [finding for finding in find(folder) if finding.rule == "T010"]


def test_a_rule_without_a_reason_stays_on() -> None:
    """So does one that is not there."""
    for off in ({"T010": " "}, {"T999": "why not"}):
        with pytest.raises(ConfigError):
            refuse_unknown(off)


@pytest.mark.parametrize(
    ("comment", "left"), [("<!-- off T010: as printed -->", 0), ("<!-- off T010 -->", 1)]
)
def test_a_line_may_waive_a_rule_with_a_reason(comment: str, left: int, tmp_path: Path) -> None:
    """A comment without one does nothing."""
    folder = lay_out("clean", tmp_path / "book")
    path = folder / "chapters/01-water.md"
    path.write_text(path.read_text().replace("Most plants want", f"{comment}\nMost  plants want", 1))

    assert left == len([finding for finding in find(folder) if finding.rule == "T010"])


# -- mending

FIXES = sorted(name for name, rule in RULES.items() if rule.fixes)


@pytest.mark.parametrize("name", FIXES)
def test_what_can_be_mended_is(name: str, tmp_path: Path, golden: Golden) -> None:
    """The case's files as `--fix` leaves them; the rule then has nothing to say of what it mended."""
    folder = lay_out(name, tmp_path / "book")
    before, after = mend_book(folder, "", today=TODAY)

    assert after
    golden(CASES / name / "fixed.txt", "".join(after.values()))
    for path, text in after.items():
        assert before[path] != text
        (folder / path).write_text(text)
    assert {} == mend_book(folder, "", today=TODAY)[1]
    assert [] == [finding for finding in find(folder) if finding.rule == name and finding.fix]


@pytest.mark.parametrize("name", sorted(RULES.keys() - set(FIXES)))
def test_what_cannot_be_mended_safely_is_left_alone(name: str, tmp_path: Path) -> None:
    """A rule that offers a change says so in its row."""
    assert [] == [f for f in find(lay_out(name, tmp_path / "book")) if f.rule == name and f.fix]


@pytest.fixture(scope="module")
def galley() -> Galley:
    """The clean book, to mend other texts by."""
    manuscript = open_manuscript(CLEAN)
    book, _ = resolve_edition(manuscript, choose_editions(manuscript.config)[0])
    return Galley(book, TODAY, manuscript.config)


CODE = "`a  b`"
KEPT = (
    "a  b",
    "x  y",
    "(http://a.example/b--c  d)",
    "| a  verse , so",
    "summary: two  spaces",
    "{#id .compact}",
)
PIECES = [
    "the the", "  ", " , ", "...", "....", ". . .", "..", " - ", "--", "5mg", "5 %", "3-5", "-5", "3 x 4", "don´t",
    "(tm)", "'tis", '"', "word", "Dr. Who", "e.g", "etc", "\n", "\n\n", "> ", "- ", "1. ", "`", "*", "[a](b)",
    "^[", "]", "[^1]", "a\u0301", "\u200b", "\t", "20\nkg", "½", ",,", "  \n", "\\", "::: note\n", ":::\n", "# ",
    "    ", "| verse  line\n",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_mending_twice_is_mending_once(galley: Galley, text: str) -> None:
    """Whatever was written."""
    once = mend(text, "a.md", "en-GB", galley)

    assert once == mend(once, "a.md", "en-GB", galley)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["the the", "  ", " - ", "5mg", "word", " , "]), max_size=12).map("".join))
def test_mending_leaves_code_links_verse_and_headers_alone(galley: Galley, words: str) -> None:
    """Only prose is touched."""
    text = f"""---
summary: two  spaces
---

word {words} `a  b` [word {words}](http://a.example/b--c  d)

```
x  y
```

| a  verse , so

## word {words} {{#id .compact}}
"""
    mended = mend(text, "a.md", "en-GB", galley)

    assert [] == [kept for kept in KEPT if kept not in mended]
