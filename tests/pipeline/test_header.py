"""The header of a chapter: what it may say, and what it may not do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import ManuscriptError, PipelineError
from pipeline.manuscript.header import Header, split_header
from pipeline.manuscript.yaml_header import read_header


def read(text: str) -> Header:
    """The header in `text`, which must be without fault."""
    yaml_text, _, _ = split_header(text, "x.md")
    header, errors = read_header(yaml_text or "", "x.md")
    assert errors == ()
    return header


def complain(lines: str) -> list[str]:
    """What is said about a header of these lines; its first line is line 2 of the file."""
    yaml_text, _, _ = split_header(f"---\n{lines}\n---\n", "x.md")
    _, errors = read_header(yaml_text or "", "x.md")
    return [str(error) for error in errors]


def test_every_key_is_read() -> None:
    """Each key arrives as its type, and with its line."""
    header = read("""---
title: "Sleep: a *guide*"
subtitle: Rest
slug: sleep-well
kind: appendix
lang: en-GB
authors: [Ada Green, Ben Stone]
summary: >
  Two lines
  become one.
tags:
  - rest
  - 1984
categories: [Care / Body,  [Care, Mind], Prevention]
date: 2026-08-31
reviewed: "2026-09-30"
editions: [full]
status: final
---
""")

    assert header.title == "Sleep: a *guide*"
    assert header.kind == "appendix"
    assert header.authors == ("Ada Green", "Ben Stone")
    assert header.summary == "Two lines become one."
    assert header.tags == ("rest", "1984")
    assert header.categories == ("Care / Body", "Care / Mind", "Prevention")
    assert (header.date, header.reviewed) == (date(2026, 8, 31), date(2026, 9, 30))
    assert header.lines["status"] == 18


@pytest.mark.parametrize("value", ["1984", "Yes", "0x1F", "1.10", "2026-08-31", "=", "12:30:45"])
def test_a_title_is_what_was_typed(value: str) -> None:
    """YAML would make numbers, truth and dates of these; a title is text."""
    assert read(f"---\ntitle: {value}\n---\n").title == value


@pytest.mark.parametrize(
    ("text", "header", "body", "line"),
    [
        ("# Sleep\n", None, "# Sleep\n", 1),
        ("", None, "", 1),
        ("---\ntitle: A\n---\nBody\n", "\ntitle: A", "Body\n", 4),
        ("\n\n---  \ntitle: A\n...\nBody", "\n\n\ntitle: A", "Body", 6),
        ("---\n---\n", "\n", "", 3),
        ("----\n", None, "----\n", 1),
        ("Text\n\n---\n", None, "Text\n\n---\n", 1),
    ],
)
def test_header_and_body_part_at_the_fence(text: str, header: str | None, body: str, line: int) -> None:
    """Lines are kept: the header's by blank lines before it, the body's by the number of its first."""
    assert split_header(text, "x.md") == (header, body, line)


@pytest.mark.parametrize("text", ["---\n", "---\ntitle: A\n", "---\ntitle: A\n ---\n", "\n---"])
def test_a_header_must_end(text: str) -> None:
    """The message points to where it began."""
    with pytest.raises(ManuscriptError, match=r"x.md:[12]: the header that begins here never ends"):
        split_header(text, "x.md")


def test_a_huge_header_is_refused() -> None:
    """A header is a few lines; 64,000 characters are none."""
    with pytest.raises(ManuscriptError, match="larger than 64000 characters"):
        split_header(f"---\ntitle: {'x' * 64_000}\n---\n", "x.md")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("titel: A", "x.md:2: the header has no key 'titel'; did you mean 'title'?"),
        ("title: A\nkind: chaper", "x.md:3: kind knows no 'chaper'; did you mean 'chapter'?"),
        ("kind: references", "x.md:2: kind knows no 'references'"),
        ("status: done", "x.md:2: status knows no 'done'; use one of: draft, final"),
        ("title:", "x.md:2: title is empty; write it, or delete the line"),
        ("title: ~", "x.md:2: title is empty"),
        ('title: "  "', "x.md:2: title is empty"),
        ("title: [A]", "x.md:2: title is one text, not a list"),
        ("title: A\ntitle: B", "x.md:3: title stands here a second time; keep one"),
        ("authors: Ada Green", "x.md:2: authors is a list; write [Ada Green]"),
        ("tags:\n- a\n-\n- b", "x.md:2: tags is empty"),
        ("tags:\n- a\n- {b: c}", "x.md:4: tags is one text, not a list"),
        ("editions: []", "x.md:2: editions names no edition"),
        ("categories: Care", "x.md:2: categories is a list"),
        ("categories: [Care /]", "x.md:2: categories has an empty step"),
        ("categories: [[]]", "x.md:2: categories has an empty step"),
        (
            "date: 31.8.2026",
            "x.md:2: date is not a date: '31.8.2026'; write year, month and day as 2026-08-31",
        ),
        ("date: 2026-02-30", "x.md:2: date is not a date"),
        ("date: 2026-08-31T10:00:00Z", "x.md:2: date is not a date"),
        ("date: 20260831", "x.md:2: date is not a date"),
        ("lang: en_GB", "x.md:2: lang is not a language tag; write 'en-GB'"),
        ("slug: My Chapter", "x.md:2: slug cannot be 'My Chapter'; use small letters"),
        ("slug: ../x", "x.md:2: slug cannot be '../x'"),
        ("- a\n- b", "x.md:2: the header has no keys; write lines such as title: The title"),
        ("Just words", "x.md:2: the header has no keys"),
        ("[a, b]: c", "x.md:2: the header has no key 'a list'"),
        ("<<: {title: A}", "x.md:2: the header has no key '<<'"),
        (
            "title: A\nsubtitle: B: C",
            "x.md:3: the header is not YAML: mapping values are not allowed here; a value",
        ),
        ("title: A\n\tslug: b", "x.md:3: the header is not YAML: found character '\\t'"),
        ("title: 'A", "x.md:2: the header is not YAML: found unexpected end of stream; close the quotes"),
        (
            "title: A\nsummary: *all",
            "x.md:3: the header is too clever: anchors (&) and aliases (*) are not allowed",
        ),
        ("title: &a A", "x.md:2: the header is too clever: anchors"),
        (
            "title: !!python/object/apply:os.system [ls]",
            "x.md:2: the header is too clever: tags such as tag:yaml",
        ),
        ("title: !important", "x.md:2: the header is too clever: tags such as !important"),
        ("tags: [[[[[a]]]]]", "x.md:2: the header is too clever: values are nested too deeply"),
        (f"tags: {'[' * 50_000}", "x.md:2: the header is too clever: values are nested too deeply"),
        ('title: "\\0"', "x.md:2: title holds the character U+0000"),
        ('title: "\\ud800"', "x.md:2: title holds the character U+D800"),
        (
            'title: A\nslug: "\\Uffffffff"',
            "x.md:3: the header is not YAML: an escape stands for no character",
        ),
        (
            "title: A\nsummary: a\u0085\u0080",
            "x.md:3: the header is not YAML: the character U+0080 is not allowed",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(lines: str, message: str) -> None:
    """What is wrong, where, and what to write."""
    [complaint] = complain(lines)

    assert complaint.startswith(message)


def test_all_faults_are_told_at_once() -> None:
    """Keys that fit are kept; each that does not has its own message."""
    complaints = complain("titel: A\nkind: chaper\nslug: ok\ndate: now")

    assert [line.partition(": ")[0] for line in complaints] == ["x.md:2", "x.md:3", "x.md:5"]


def test_an_alias_bomb_does_not_go_off() -> None:
    """Nine lines of aliases stand for a billion words elsewhere; here the first is refused."""
    bomb = "a: &a [lol, lol]\n" + "".join(
        f"{y}: &{y} [*{x}, *{x}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
    )

    [complaint] = complain(bomb)

    assert "anchors (&) and aliases (*) are not allowed" in complaint


@given(st.text() | st.text("abt: \n-[]{},'\"#|>&*!%@\\xuU0\t?=<~"))
@example("title: |\n a\n  b\n")
@example("? title\n: a")
@example("%TAG ! x\n--- a")
@example("a: b\n--- c")
@example("\ufeff")
@example("title: a\u2028b\u2028c\u2028d\u2028\ntitle: e")
@example('"\\x80"')
def test_any_text_is_a_header_or_an_error(text: str) -> None:
    """No text between the fences gives a traceback, and every error has a line that exists."""
    try:
        yaml_text, _, _ = split_header(f"---\n{text}\n---\n", "x.md")
        header, errors = read_header(yaml_text or "", "x.md")
    except PipelineError as error:
        header, errors = Header(), (error,)
    lines = [error.place.line for error in errors if error.place]

    assert isinstance(header, Header)
    assert all(1 <= line <= text.count("\n") + 3 for line in lines)


@given(
    st.dictionaries(
        st.sampled_from(
            ["title", "slug", "kind", "lang", "tags", "categories", "date", "editions", "status", "x"]
        ),
        st.sampled_from(
            ["a", "[a, b]", "{a: b}", "2026-01-01", "~", "'", "[[a], b]", "draft", "en", "part", "*a", "!b"]
        ),
    )
)
def test_any_mapping_is_a_header_or_an_error(pairs: dict[str, str]) -> None:
    """Keys and values put together at random are read or explained."""
    text = "\n".join(f"{key}: {value}" for key, value in pairs.items())

    header, errors = read_header(text, "x.md")

    assert errors or set(header.lines) == set(pairs)
