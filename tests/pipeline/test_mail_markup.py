"""Every construct of the dialect has a form that mail programs keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.layouts import read_layout
from pipeline.mail.markup import MailPicture, write_mail, write_notes
from pipeline.markdown import parse
from pipeline.model import Node

WORDS = read_layout("classic", Path()).read_words("en")
ADDRESS = "https://letters.example.org/i/images/"


def give_picture(node: Node) -> MailPicture:
    return MailPicture(node.attrs["src"], "bed.jpg", b"", 528, 211)


def write(markdown: str) -> str:
    """The markup of a chapter's body."""
    parsed = parse(markdown, source="01.md")

    assert () == parsed.errors
    return write_mail(parsed.nodes, WORDS, picture=give_picture, address=ADDRESS)


def make_button(label: str) -> Node:
    """What a writer calls `[label](https://example.org){.button}`, alone in a paragraph."""
    attrs = {"href": "https://example.org/?a=1&b=2", "class": "button"}
    return Node("paragraph", (Node("link", (Node("text", text=label),), attrs=attrs),))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("Read [this](https://example.org).", '<p>Read <a href="https://example.org">this</a>.</p>\n'),
        ("A [bon mot]{lang=fr}.", '<p>A <span lang="fr" xml:lang="fr">bon mot</span>.</p>\n'),
        ("> So.\n>\n> -- Ada", '<blockquote><p>So.</p>\n<p class="src">Ada</p>\n</blockquote>\n'),
        ("::: epigraph\nSo.\n:::", '<blockquote class="epigraph">\n<p>So.</p>\n</blockquote>\n'),
        ("::: pullquote\nSo.\n:::", '<div class="pullquote">\n<p>So.</p>\n</div>\n'),
        ("| One\n| two", '<div class="verse">\n<p>One<br>two</p>\n</div>\n'),
        ("***", "<hr>\n"),
        (
            "```\nif a:\n  stop  # <\n```",
            '<p class="listing" dir="ltr"><code>if a:<br>\n&nbsp;&nbsp;stop&nbsp;&nbsp;# &lt;</code></p>\n',
        ),
        (
            "::: warning\nHot.\n:::",
            '<div class="box grave">\n<p class="box-title">Please note</p>\n<p>Hot.</p>\n</div>\n',
        ),
        (
            "![A bed.](bed.svg)",
            f'<div class="fig"><img src="{ADDRESS}bed.jpg" width="528" height="211" alt="A bed."></div>\n',
        ),
    ],
)
def test_constructs(markdown: str, expected: str) -> None:
    """No landmark, no anchor, nothing that only browsers know."""
    assert expected == write(markdown)


def test_a_span_that_says_nothing_leaves_its_words() -> None:
    """What was a link into the book is words alone."""
    span = Node("span", (Node("text", text="Figure 1"),))

    assert "Figure 1" == write_mail([span], WORDS, picture=give_picture, address="")


def test_m29_a_button_is_a_link_that_outlook_paints_too() -> None:
    """Raised spaces stand in for the padding that Word does not know."""
    html = write_mail([make_button("Read on")], WORDS, picture=give_picture, address="")

    assert html.startswith(
        '<p><a class="button" href="https://example.org/?a=1&amp;b=2"><!--[if mso]><i style='
    )
    assert "<![endif]-->Read on<!--[if mso]>" in html
    assert "mso-text-raise:16px" in html
    assert html.endswith("<![endif]--></a></p>\n")


def test_a_chapter_of_a_digest_is_an_item() -> None:
    """Its title is a section of the letter."""
    chapter = Node("div", parse("## Sleep", source="01.md").nodes, attrs={"name": "chapter"})

    assert '<div class="item">\n<h2>Sleep</h2>\n</div>\n' == write_mail(
        [chapter], WORDS, picture=give_picture, address=""
    )


LONG = "Nobody has counted it over more than a few fields and a few years."


def test_a_narrow_table_stays_one() -> None:
    """Its heads say whose they are."""
    html = write("| Plant | Depth |\n|---|--:|\n| Peas | 5 |")

    assert '<table class="data grid" cellpadding="7" cellspacing="0">' in html
    assert '<th scope="col">Plant</th><th scope="col" align="right">Depth</th>' in html
    assert '<td>Peas</td><td align="right">5</td>' in html


def test_two_wide_columns_are_stacked_below_their_names() -> None:
    """Whose is whose is plain without saying it in every row."""
    html = write(f"| Claim | Known |\n|---|---|\n| {LONG} | {LONG} |")

    assert '<table class="data stack" cellpadding="0" cellspacing="0">' in html
    assert f'<th scope="row">{LONG}</th><td>{LONG}</td>' in html


def test_more_wide_columns_are_named_in_every_row() -> None:
    """There the heads are out of sight."""
    html = write(f"| Claim | Known | Since |\n|---|---|---|\n| {LONG} | {LONG} | 1881 |")

    assert '<table class="data stack many"' in html
    assert f'<td><span class="label">Known: </span>{LONG}</td>' in html
    assert '<td><span class="label">Since: </span>1881</td>' in html


def test_notes_are_a_list() -> None:
    """One item each; a further paragraph has its own."""
    parsed = parse("Peas.[^a]\n\n[^a]: Sown in *March*.\n\n    Or later.", source="01.md")
    notes = [node for block in parsed.nodes for node in block.walk() if node.kind == "note"]

    assert "<p>Peas.<sup>\ufeff[1]</sup></p>\n" == write("Peas.^[Sown.]").replace("&#65279;", "\ufeff")
    assert '<ol class="numbers">\n<li>Sown in <em>March</em>.<p>Or later.</p></li>\n</ol>\n' == write_notes(
        notes, WORDS
    )
