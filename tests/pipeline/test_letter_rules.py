"""Every letter rule bites on the one thing it is for, and a good letter is let through."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.build import Manuscript, open_manuscript
from pipeline.check import Finding
from pipeline.check.mail import RULES, check_letter, fold
from pipeline.check.mail.colours import BLACK, WHITE, invert, measure_contrast
from pipeline.check.mail.reference import describe_rules
from pipeline.errors import Place
from pipeline.layouts import list_layouts
from pipeline.model import Chapter, Mailing, Node
from pipeline.newsletter import make_issues, resolve_mail
from pipeline.proofread import read_letters

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SLUG = "2026-03-02-moss"
HTML, TEXT, DOCUMENT = "body.html", "body.txt", "issue.json"
PICTURE = "images/moss-1a2b3c4d.png"

Files = Mapping[str, bytes]
Change = Callable[[Files], Files]


def draw_picture(width: int, *, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, width // 2), "#708060").save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def good() -> Files:
    """The files of a letter that keeps every rule."""
    files = {path.name: path.read_bytes() for path in (TESTS / "letters/good").iterdir()}
    return {**files, PICTURE: draw_picture(1056)}


def check(files: Files, **settings: object) -> list[Finding]:
    return check_letter(SLUG, files, source="chapters/01-moss.md", **settings)  # type: ignore[arg-type]


# -- how the letter is broken


def swap(old: str, new: str, *names: str) -> Change:
    """Write `new` for every `old` in the files named, in the HTML when none is."""

    def change(files: Files) -> Files:
        changed = {name: files[name].replace(old.encode(), new.encode()) for name in names or (HTML,)}
        assert all(changed[name] != files[name] for name in changed), old
        return {**files, **changed}

    return change


def swap_both(old: str, new: str) -> Change:
    return swap(old, new, HTML, TEXT)


def say(**values: object) -> Change:
    """Another value in issue.json."""

    def change(files: Files) -> Files:
        return {**files, DOCUMENT: json.dumps({**json.loads(files[DOCUMENT]), **values}).encode()}

    return change


def add(text: str) -> Change:
    """A paragraph in both parts, before the last sections."""
    marks = {HTML: '<h2 style="font-size:24px;line-height:31px">Notes</h2>', TEXT: "\n\nNotes\n-----"}
    written = {HTML: f"<p>{text}</p>\n", TEXT: f"\n\n{text}"}
    return both(*(swap(mark, written[name] + mark, name) for name, mark in marks.items()))


def put(**files: bytes | None) -> Change:
    """Other files of these names (`body_txt`, `picture`), or none."""
    names = {"body_html": HTML, "body_txt": TEXT, "issue_json": DOCUMENT, "picture": PICTURE}

    def change(old: Files) -> Files:
        new = {**old, **{names[name]: data for name, data in files.items()}}
        return {name: data for name, data in new.items() if data is not None}

    return change


def both(*changes: Change) -> Change:
    def change(files: Files) -> Files:
        for one in changes:
            files = one(files)
        return files

    return change


def call(subject: str) -> Change:
    """Another subject, in every place that says it."""
    return both(say(subject=subject), swap("<title>Moss in the Shade", f"<title>{subject}"), name(subject))


def name(label: str) -> Change:
    return swap('aria-label="Moss in the Shade"', f'aria-label="{label}"')


HEAD = "</head>"
FIRST_P = "<p>Under the old trees"
LINK = 'href="https://example.org/moss" style="color:#1d5c57"'
NEIGHBOUR = ">how a neighbour did it<"
ALT = ' alt="A cushion of moss on a stone."'
SRC = "https://letters.example.org/images/moss-1a2b3c4d.png"
PREHEADER = "Where nothing else grows, moss does: how to welcome it, and when to let it be."
LONG = "Moss in the shade, and when to let it be as it is"

#: Rule -> changes, each of which breaks it and no other.
BROKEN: Mapping[str, list[Change]] = {
    "N001": [swap("<!DOCTYPE html>", ""), swap("<head>", "<!DOCTYPE html><head>")],
    "N002": [swap('<html lang="en-GB"', "<html"), swap('dir="ltr" xmlns', "xmlns"), say(language="en")],
    "N003": [swap(' xml:lang="en-GB"', "")],
    "N004": [
        swap('class="mail" lang="en-GB"', 'class="mail"'),
        swap("</body>", "<p>After all.</p></body>"),
    ],
    "N005": [swap('role="article" ', ""), name("A letter")],
    "N006": [
        swap("<title>Moss in the Shade</title>", "<title></title>"),
        swap("<title>Moss", "<title>Ferns"),
    ],
    "N007": [
        swap('<meta charset="utf-8">\n', ""),
        swap("width=device-width", "width=600"),
        swap('<meta name="x-apple-disable-message-reformatting">\n', ""),
        swap('<meta name="supported-color-schemes" content="light dark">\n', ""),
    ],
    "N008": [
        swap(FIRST_P, f"<script>1</script>{FIRST_P}"),
        swap("margin:0;", "margin:0;list-style-image:url(data:image/gif;base64,R0lG);"),
        swap(HEAD, f'<link rel="stylesheet" href="https://example.org/a.css">{HEAD}'),
    ],
    "N009": [
        swap('h1 style="font-size:30px;line-height:37px"', 'h2 style="font-size:24px;line-height:31px"'),
        swap("<h2", "<h3"),
    ],
    "N010": [swap("<o:PixelsPerInch>96</o:PixelsPerInch>", "")],
    "N011": [
        swap('th scope="col"', "td"),
        swap('<table style="font-size:16px', '<table role="presentation" style="font-size:16px'),
    ],
    "N012": [
        swap("</td></tr></table><![endif]-->", "</td></tr><![endif]-->"),
        swap('<table role="presentation" width="600">', '<table width="600">'),
    ],
    "N014": [swap(FIRST_P, f"{'<div>' * 9}{FIRST_P}"), swap("<p>Nothing", "<p>" + "<b>" * 8 + "Nothing")],
    "N015": [
        swap("color:#a9bab3!important", "color:silver!important"),
        swap("background-color:#fffdf8;color:#24312e", "background-color:#fffdf8;color:rgb(36,49,46)"),
        swap("border-left:3px solid #a5522d", "border-left:3px solid #a52"),
        swap("<blockquote", '<blockquote bgcolor="white"'),
    ],
    "N016": [swap("background-color:#fffdf8;color:#24312e", "background-color:#fffdf8")],
    "N017": [
        swap("max-width:600px;padding:28px 6%;background", "position:relative;padding:28px 6%;background"),
        swap("margin:0;", "margin:0;display:flex;"),
        swap("width:100%", "width:calc(100% - 2rem)"),
        swap('h1 style="font-size:30px', 'h1 style="margin:1rem;font-size:30px'),
    ],
    "N018": [swap('<td style="padding:32px 36px">', "<td>")],
    "N019": [
        swap("h1{text-wrap:balance}", "h1{text-wrap:balance}h1 text-wrap"),
        swap("h1{text-wrap:balance}", "h1{text-wrap;}"),
        swap("h1{text-wrap:balance}", "@media print{@page{margin:0}}"),
        swap("h1{text-wrap:balance}", f"h1{{quotes:'{'x' * 9000}'}}"),
        swap(FIRST_P, f"<style>h1{{text-wrap:balance}}</style>{FIRST_P}"),
    ],
    "N020": [
        swap("h1{text-wrap:balance}", "@media (prefers-color-scheme:dark){h1{color:#e4ebe7!important}}"),
    ],
    "N021": [swap("font-size:34px!important", "font-size:34px")],
    "N022": [
        swap(".quote{border-left-color:#dd9470!important}", ".quote{font-weight:normal}"),
        swap("[data-ogsc] a{color:#8fd0c7!important}", "[data-ogsc] .quote{color:#8fd0c7!important}"),
    ],
    "N023": [
        swap("#566863", "#8a9894"),
        swap("#a9bab3", "#4a5a53"),
        swap("color:#1d5c57", "color:#0000ee"),
    ],
    "N024": [
        say(preheader="Where nothing else grows"),
        swap("Where nothing else grows", "Where nothing grows"),
        swap("&#8199;&#65279;&#847; ", ""),
        both(call(LONG), say(subject=LONG, preheader=LONG), swap(PREHEADER, LONG)),
    ],
    "N025": [
        swap(ALT, ""),
        swap(SRC, "images/fern.png"),
        swap(SRC, "http://letters.example.org/images/moss-1a2b3c4d.png"),
        swap(SRC, "https://letters.example.org/images/fern.webp"),
        put(picture=b"no picture"),
        put(picture=draw_picture(1056, kind="WEBP")),
    ],
    "N026": [
        both(
            swap(
                f'<img src="{SRC}"',
                f'<a href="https://example.org/moss" style="color:#1d5c57"><img src="{SRC}"',
            ),
            swap(ALT, ' alt=""'),
            swap('color:#24312e">\n<p>Write', 'color:#24312e"></a>\n<p>Write'),
            swap("[Image: A cushion of moss on a stone.]", "https://example.org/moss", TEXT),
        )
    ],
    "N027": [
        swap(NEIGHBOUR, ">here<"),
        swap(NEIGHBOUR, "><"),
        swap(LINK, LINK.replace('style="', 'style="text-decoration:none;')),
    ],
    "N028": [
        both(swap("https://example.org/moss", "#moss"), swap("https://example.org/moss", "#moss", TEXT)),
        swap('<a href="https://example.org/moss"', "<a"),
        swap_both("https://example.org/moss", "moss.html"),
    ],
    "N029": [
        swap("padding:16px 28px", "padding:8px 28px"),
        swap('<i style="mso-font-width:200%;mso-text-raise:24px" hidden>&emsp;</i>', ""),
        swap("display:inline-block;padding:6px 0", "display:inline-block"),
    ],
    "N030": [
        both(
            swap(
                "without any care",
                'without <a href="https://example.org/care" style="color:#1d5c57">[2]</a> care',
            ),
            swap("without any care", "without [2] (https://example.org/care) care", TEXT),
        ),
        swap("<p>[1] It was", "<p>It was"),
        swap(">[1]</sup>", ">[2]</sup>"),
    ],
    "N031": [
        swap("font-size:18px", "font-size:15px"),
        swap("font-size:14px", "font-size:13px"),
        swap('<h2 style="font-size:24px', '<h2 style="font-size:.5em'),
    ],
    "N033": [
        swap_both("without being asked", "without\x92being asked"),
        swap("without being asked", "without&#146;being asked"),
        swap_both("without being asked", "without\u2028being asked"),
        swap_both("old trees", "old Ba\u0308ume"),
        call("Moss in the\x0bShade"),
    ],
    "N034": [swap("margin:0;", "margin:0;" + " " * 60_000)],
    "N037": [
        call("Moss in the Shade, and what to do about it when the whole garden is dark"),
        call("MOSS IN THE SHADE"),
        call("Moss!!"),
        call("Moss in the…"),
        say(subjects=["Moss in the Shade", "MOSS IN THE SHADE"]),
    ],
    "N038": [
        swap("@@browser_url@@", "https://example.org/letters", HTML, TEXT),
        swap("signed up for @@list_name@@", "signed up for letters", HTML),
        swap("signed up for @@list_name@@", "signed up for letters", TEXT),
    ],
    "N039": [
        add("Dear @@nickname@@, moss is well."),
        add("Dear @@First_Name@@, moss is well."),
        add("Dear {{ name }}, moss is well."),
        add("Dear [[name]], moss is well."),
        add("Dear @@, moss is well."),
        both(swap_both("https://example.org/moss", "https://example.org/@@moss_url@@")),
    ],
    "N040": [
        swap("(https://example.org/moss)", "(there)", TEXT),
        swap("[Image: A cushion of moss on a stone.]", "[Image: A cushion.]", TEXT),
        swap("MOSS IN THE SHADE\n", "MOSS\n", TEXT),
        both(
            swap("[Image: A cushion of moss on a stone.]\n", "", TEXT),
            swap(
                "https://example.org/guide\n",
                "https://example.org/guide\n[Image: A cushion of moss on a stone.]\n",
                TEXT,
            ),
        ),
    ],
    "N046": [
        swap('dir="ltr"', 'dir="rtl"'),
    ],
    "N047": [swap("Charter,Georgia", "Georgia,Charter")],
    "N048": [swap("h1{text-wrap:balance}", ".fern{text-wrap:balance}"), swap("<h1", '<h1 class="top"')],
    "N051": [swap("the&nbsp;Shade", "the Shade")],
    "N052": [
        swap(
            "<p>[1] It",
            '<p><!--[if mso]><i style="mso-text-raise:24px">&emsp;</i><![endif]--><a class="button" '
            'href="https://example.org/guide" style="display:inline-block;padding:16px 28px;'
            'background-color:#1d5c57;color:#ffffff">Read it now</a></p><p>[1] It',
        ),
    ],
    "N053": [
        swap("a soil that nobody digs", "a soil that *nobody* digs", TEXT),
        swap("a soil that nobody digs", "a soil that __nobody__ digs", TEXT),
        swap("\n---\n", "\n-- \n\n---\n", TEXT),
        swap("Unsubscribe:\n", "Unsubscribe: ", TEXT),
    ],
    "N054": [
        add("Moss is soft!!"),
        add("This is THE BEST MOSS EVER of all."),
        add("Act now, and have moss."),
    ],
    "N060": [
        put(body_txt=None),
        put(body_txt=b" \n"),
        put(body_html=b"\xff\xfe"),
        put(issue_json=b"{"),
        put(issue_json=b"[" * 100_000),
        say(subject=None),
        say(fields=[]),
    ],
    "N061": [
        swap(
            "Moss asks for three things, and most shady gardens have two of them to spare: ",
            "It wants ",
            TEXT,
        ),
    ],
    "N062": [
        call("Re: Moss in the Shade"),
        call("FWD: Moss in the Shade"),
        say(subjects=["Moss in the Shade", "Re: Moss"]),
    ],
    "N063": [
        swap("<p>@@postal_address@@</p>", "<p>A house</p>"),
        swap("@@postal_address@@", "A house", TEXT),
        swap("<p>@@postal_address@@</p>", '<p style="display:none">@@postal_address@@</p>'),
    ],
    "N064": [
        swap("@@unsubscribe_url@@", "https://example.org/leave", HTML, TEXT),
        swap('<p><a href="@@unsubscribe_url@@"', '<p style="display:none"><a href="@@unsubscribe_url@@"'),
        both(
            swap('<p><a href="@@unsubscribe_url@@"', '<p style="display:none"><a href="@@unsubscribe_url@@"'),
            swap("@@unsubscribe_url@@", "write to us", TEXT),
        ),
    ],
    "N065": [
        add("Tea from moss cures cancer."),
        add("Moss is scientifically proven."),
        add("Drink it instead of your chemotherapy."),
    ],
    "N066": [
        swap("=====\n", "=====\n\nhttps://example.org/moss\n", TEXT),
        swap("=====\n", "=====\n\nIf this letter looks odd, read it there: @@browser_url@@\n", TEXT),
    ],
    "N067": [swap("\n---\n", "\n", TEXT)],
    "N068": [swap("two of them to spare: ", "two of them to spare:\n", TEXT)],
    "N069": [swap("margin:0;", "margin:0;" + " " * 40_000)],
    "N070": [
        put(picture=draw_picture(528)),
        put(picture=draw_picture(1056) + bytes(200_000)),
        swap('width="528" height="264" ', ""),
        put(picture=draw_picture(1056) + bytes(900_000)),
    ],
    "N071": [swap_both("https://example.org/moss", "http://example.org/moss")],
    "N072": [
        both(
            swap("<p>[1] It", "<p>With warmth,\nAda</p><p>[1] It"),
            swap("[1] It", "With warmth, Ada\n\n[1] It", TEXT),
        )
    ],
    "N073": [swap("<blockquote", "<main><blockquote"), swap(FIRST_P, f"<nav></nav>{FIRST_P}")],
}


def list_broken() -> list[object]:
    return [
        pytest.param(rule, change, id=f"{rule}-{number}")
        for rule, changes in BROKEN.items()
        for number, change in enumerate(changes, 1)
    ]


def test_a_good_letter_passes(good: Files) -> None:
    """No rule finds anything in it."""
    assert [] == [str(found) for found in check(good)]


@pytest.mark.parametrize(("rule", "change"), list_broken())
def test_a_rule_finds_what_it_is_for(rule: str, change: Change, good: Files) -> None:
    """A letter that is broken in one way breaks one rule."""
    assert {rule} == {found.rule for found in check(change(good))}


def test_every_rule_is_broken_once() -> None:
    """A rule that nothing breaks may be no rule; pictures without words have a letter of their own."""
    assert {"N032"} == set(RULES) - set(BROKEN)


def test_a_letter_of_pictures_alone_is_refused(good: Files) -> None:
    """A title and a foot are no letter (rule M32)."""
    markup = good[HTML].decode()
    words = markup[markup.index("<p>Under") : markup.index('</div>\n<div class="soft"')]
    picture = words[words.index("<img") : words.index("<p>Write")]
    found = check({**good, HTML: markup.replace(words, picture).encode()})

    assert "the letter is pictures and 4 words" in "".join(f.message for f in found if f.rule == "N032")


def test_without_a_part_no_other_rule_is_asked(good: Files) -> None:
    """What is missing is said once, not once by every rule."""
    found = check({DOCUMENT: good[DOCUMENT], TEXT: good[TEXT]})

    assert [f"build/issues/{SLUG}/body.html"] == [finding.place.path for finding in found]


@pytest.mark.parametrize("code", ["{{ name }} **bold** [[0]]", "_", "a", "__init__"])
def test_code_means_itself(code: str, good: Files) -> None:
    """Braces and stars in code are no gap and no emphasis, and a sign that is code is none elsewhere."""
    changed = both(swap("moss --welcome", code), swap("moss --welcome", code, TEXT))

    assert [] == check(changed(good))


# -- letters, which answer one person


def answer(*, kind: str = "letter") -> Change:
    """The letter of somebody who just signed up or left: there is nothing to leave and no page of it."""
    links = {"browser": "Read this letter in your browser", "preferences": "Choose what you receive"}
    links["unsubscribe"] = "Unsubscribe"
    return both(
        say(kind=kind),
        *(
            swap(f'<p><a href="@@{link}_url@@"', f'<p style="display:none"><a name="{link}"')
            for link in links
        ),
        *(swap(f"{words}:\n@@{link}_url@@\n", "", TEXT) for link, words in links.items()),
    )


@pytest.mark.parametrize(
    ("slug", "kind", "rules"),
    [
        ("confirm", "letter", set()),
        ("welcome", "letter", {"N038", "N064"}),
        ("confirm", "issue", {"N038", "N064"}),
    ],
)
def test_only_an_answer_offers_no_way_out(slug: str, kind: str, rules: set[str], good: Files) -> None:
    """Who confirms or leaves needs no link to leave; everybody else does."""
    found = check_letter(slug, answer(kind=kind)(good), source="chapters/letters/x.md")

    assert rules == {finding.rule for finding in found} - {"N028", "N040"}


def test_a_letter_stands_on_no_page(good: Files) -> None:
    """Its foot leads to no browser page, and its place is in build/letters."""
    changed = both(
        say(kind="letter"), swap("@@browser_url@@", "https://example.org/", HTML, TEXT), add("Soft!!")
    )
    (found,) = check_letter("welcome", changed(good), source="chapters/letters/welcome.md")

    assert ("N054", "build/letters/welcome/body.html") == (found.rule, found.place.path)


# -- where it is


def write_chapter(*nodes: Node, source: str = "chapters/01-moss.md", **settings: object) -> Chapter:
    return Chapter("moss", "chapter", "Moss", nodes, source, title_line=2, **settings)  # type: ignore[arg-type]


def write_text(text: str, line: int) -> Node:
    return Node("paragraph", (Node("text", text=text, line=line),), line=line)


@pytest.mark.parametrize(
    ("change", "node"),
    [
        (add("Dear @@nickname@@, moss is well."), write_text("Dear @@nickname@@, moss is well.", 9)),
        (add("Tea from moss cures cancer."), write_text("Tea from\nmoss cures cancer.", 9)),
        (swap(NEIGHBOUR, ">here<"), Node("link", attrs={"href": "https://example.org/moss"}, line=9)),
        (put(picture=draw_picture(528)), Node("image", attrs={"alt": "A cushion of moss on a stone."}, line=9)),
        (swap_both("being asked", "being\x92asked"), write_text("being\x92asked", 9)),
        (
            swap_both("https://example.org/moss", "http://example.org/moss"),
            Node("link", attrs={"href": "http://example.org/moss"}, line=9),
        ),
    ],
)  # fmt: skip
def test_the_author_s_words_are_found_in_the_author_s_file(change: Change, node: Node, good: Files) -> None:
    """Text, an address or an alternative text leads to its line; the own file comes before others."""
    chapters = [write_chapter(node, source="chapters/99-other.md"), write_chapter(node)]
    found = check(change(good), chapters=chapters)

    assert {"chapters/01-moss.md:9"} == {str(finding.place) for finding in found}


def test_a_chapter_that_was_taken_in_is_found_too(good: Files) -> None:
    """A digest's fault may stand in one of its chapters."""
    other = write_chapter(write_text("Moss is soft!!", 12), source="chapters/07-other.md")
    (found,) = check(add("Moss is soft!!")(good), chapters=[write_chapter(), other])

    assert Place("chapters/07-other.md", 12) == found.place


@pytest.mark.parametrize(("mailing", "line"), [(Mailing(line=5), 5), (None, 2)])
def test_a_subject_is_mended_in_the_header(mailing: Mailing | None, line: int, good: Files) -> None:
    """At `issue:` where there is one, else at the title."""
    (found,) = check(call("MOSS IN THE SHADE")(good), chapters=[write_chapter(mailing=mailing)])

    assert Place("chapters/01-moss.md", line) == found.place


def test_the_layout_s_faults_are_found_in_what_was_made(good: Files) -> None:
    """The line is that of the element in body.html, or of the rule in its style element."""
    inside = swap("margin:0;", "margin:0;display:flex;")
    head = swap("font-size:34px!important", "font-size:34px")
    lines = good[HTML].decode().split("\n")
    (flex,), (weak,) = check(inside(good)), check(head(good))

    assert lines[flex.place.line - 1].startswith("<body")
    assert lines[weak.place.line - 1].startswith("<style>:root")


def test_what_is_too_short_to_find_is_not_guessed(good: Files) -> None:
    """A `#` stands in many places; the one that is wrong is in the file that was made."""
    files = swap("https://example.org/moss", "#")(good)
    found = check(files, chapters=[write_chapter(write_text("Bed # 4 is mossy.", 9))])

    assert ["body.html", "body.html"] == [finding.place.path.rpartition("/")[2] for finding in found]


def test_one_fault_of_a_layout_is_told_once(good: Files) -> None:
    """With how often and in how many letters; what authors wrote is told at every place."""
    changed = both(swap("#566863", "#8a9894"), add("Soft!!"))(good)
    found = [
        *check_letter(
            "2026-01-01-a", changed, source="a.md", chapters=[write_chapter(write_text("Soft!!", 4))]
        ),
        *check_letter("2026-01-02-b", changed, source="b.md"),
    ]
    told = [finding.rule for finding in fold(found)]

    assert 8 == [finding.rule for finding in found].count("N023")
    assert (2, 2) == (told.count("N023"), told.count("N054"))
    assert any(finding.message.endswith("(4 times in 2 letters)") for finding in fold(found))


# -- colours


def test_contrast_is_that_of_wcag() -> None:
    """21 for black on white, 1 for the same; grey as the specification's calculators have it."""
    grey = (0x76 / 255,) * 3

    assert 21 == pytest.approx(measure_contrast(BLACK, WHITE))
    assert 1 == pytest.approx(measure_contrast(grey, grey))
    assert 4.54 == pytest.approx(measure_contrast(grey, WHITE), abs=0.005)  # type: ignore[arg-type]


def test_inverting_keeps_the_hue() -> None:
    """White becomes black; a dark teal becomes a light one."""
    red, green, blue = invert((0x1D / 255, 0x5C / 255, 0x57 / 255))

    assert BLACK == invert(WHITE)
    assert red < blue < green
    assert green > 0.8


@pytest.mark.parametrize(
    ("head", "style", "fault"),
    [
        ("#x{color:#bbbbbb}", "", True),
        ("#x{color:#bbbbbb}", "color:#24312e", False),
        ("#x{color:#bbbbbb!important}", "color:#24312e", True),
        ("@media print{#x{color:#bbbbbb!important}}", "", False),
        (".sheet #x{color:#24312e} #x{color:#bbbbbb}", "", False),
        ("", "background:#1d5c57", True),
        ("", "background:none;color:#24312e", False),
        ("", "color:transparent", True),
        ("", "color:inherit", False),
    ],
)
def test_contrast_is_that_of_what_holds_at_last(head: str, style: str, fault: bool, good: Files) -> None:  # noqa: FBT001
    """Important rules beat style attributes, which beat rules; the more exact rule beats the later one."""
    changed = both(
        swap("h1{text-wrap:balance}", head or "h1{order:1}"),
        swap(FIRST_P, f'<p id="x" style="{style}"' + FIRST_P[2:]),
    )
    found = check(changed(good))

    assert fault is any("in the light" in finding.message for finding in found if finding.rule == "N023")


def test_a_link_without_a_colour_is_blue(good: Files) -> None:
    """Unless it says that it takes the colour round it."""
    bare, inherits = (
        swap(LINK, f'href="https://example.org/moss" style="{style}"') for style in ("", "color:inherit")
    )
    found = check(bare(good))

    assert ["N023"] == [finding.rule for finding in found]
    assert "where a program inverts it: #1111ff" in found[0].message
    assert [] == check(inherits(good))


def test_a_button_may_be_the_same_by_day_and_by_night(good: Files) -> None:
    """What brings its ground and its text along needs no dark pair."""
    pair = ".button{background-color:#8fd0c7!important;color:#0d2421!important}"
    changed = swap(pair, ".button{background-color:#1d5c57!important;color:#ffffff!important}")
    bare = both(
        swap(pair, ""), swap("a{color:#8fd0c7", ".soft a{color:#8fd0c7"), swap(LINK, LINK + ' class="soft"')
    )

    assert [] == check(changed(good))
    assert [] == check(bare(good))


def test_a_letter_to_the_left_is_judged_by_its_own_sides(good: Files) -> None:
    """With its rule and indent on the right it is as good as ours; code may stay as it is."""
    changed = both(
        swap('dir="ltr"', 'dir="rtl"'),
        swap("padding-left:22px;border-left:3px", "padding-right:22px;border-right:3px"),
        swap("border-left-color", "border-right-color"),
        swap("<p>Write", '<p dir="ltr" style="padding-left:4px">Write'),
    )

    assert [] == check(changed(good))


# -- languages


@pytest.mark.parametrize(
    ("language", "words", "rules"),
    [
        ("de-AT", ">hier<", {"N027"}),
        ("fr", ">En savoir plus…<", {"N027"}),
        ("nl", ">here<", {"N027"}),
        ("nl", ">hier<", set()),
    ],
)
def test_empty_link_words_are_known_by_language(
    language: str, words: str, rules: set[str], good: Files
) -> None:
    """English ones everywhere, the others in their own language."""
    changed = both(say(language=language), swap(NEIGHBOUR, words))

    assert rules == {finding.rule for finding in check(changed(good))} - {"N002"}


@pytest.mark.parametrize(
    ("language", "text", "claims"),
    [
        ("en", "No moss cures cancer.", False),
        ("en", "It is a myth that moss cures cancer.", False),
        ("en", "Nobody knows. Moss beats every tumour.", True),
        ("de", "Moos heilt den Krebs.", True),
        ("de", "Moos heilt keinen Krebs.", False),
        ("es", "El musgo cura el cáncer.", True),
        ("fr", "La mousse guérit le cancer.", True),
        ("nl", "Moss cures cancer.", False),
    ],
)
def test_claims_are_told_from_warnings(language: str, text: str, claims: bool, good: Files) -> None:  # noqa: FBT001
    """A sentence that denies a promise makes none; a language without a row is not judged."""
    found = check(both(say(language=language), add(text))(good))

    assert claims is ("N065" in {finding.rule for finding in found})


# -- whatever comes


@given(
    markup=st.one_of(
        st.binary(), st.text().map(str.encode), st.from_regex(rb"(<[a-z!/][^<]{0,20}>[^<]{0,9}){0,30}")
    ),
    text=st.one_of(st.binary(), st.text().map(str.encode)),
    document=st.one_of(
        st.none(), st.binary(), st.dictionaries(st.text(), st.text()).map(json.dumps).map(str.encode)
    ),
)
def test_no_folder_makes_a_rule_fall_over(
    markup: bytes, text: bytes, document: bytes | None, good: Files
) -> None:
    """Whatever its bytes are, there are findings or none, never an error."""
    files = {HTML: markup, TEXT: text, DOCUMENT: good[DOCUMENT] if document is None else document}

    assert all(finding.rule in RULES for finding in check(files))


TAGS = ("a", "img", "p", "sup", "table", "style", "h1", "h3", "div", "br", "title", "pre")
ATTRIBUTES = ("href", "alt", "src", "style", "class", "role", "dir", "lang", "width", "bgcolor")


@given(
    tags=st.lists(
        st.tuples(
            st.sampled_from(TAGS),
            st.dictionaries(
                st.sampled_from(ATTRIBUTES), st.text(st.characters(exclude_characters='"'), max_size=20)
            ),
            st.text(max_size=12),
        ),
        max_size=12,
    ),
    text=st.text(max_size=200),
    css=st.text("abp.{}:;@,()#!/* \n", max_size=60),
)
def test_no_letter_makes_a_rule_fall_over(
    tags: list[tuple[str, dict[str, str], str]], text: str, css: str, good: Files
) -> None:
    """Neither do real elements, odd CSS and odd words in a letter that can be read."""
    inside = "".join(
        "<{} {}>{}".format(tag, " ".join(f'{name}="{value}"' for name, value in attributes.items()), words)
        for tag, attributes, words in tags
    )
    markup = f"<html><head><style>{css}</style></head><body style='{css}'>{inside}</body></html>"
    files = {**good, HTML: markup.encode("utf-8", "replace"), TEXT: f"{text}\n".encode("utf-8", "replace")}

    assert all(finding.rule in RULES for finding in check(files))


@pytest.mark.parametrize(
    "markup", ["<div>" * 5000 + "x", "<p style='" + "(" * 5000 + "'>x", "<style>" + "{" * 5000]
)
def test_no_depth_makes_a_rule_fall_over(markup: str, good: Files) -> None:
    """Nor do a thousand things in each other."""
    files = {**good, HTML: f"<html><body>{markup}".encode()}

    assert check(files)


# -- what the project makes itself


def list_cases() -> list[object]:
    cases = {"sample": ROOT, **{name: TESTS / "manuscripts" / name for name in ("letter", "hebrew")}}
    return [
        pytest.param(folder, layout, id=f"{name}-{layout}")
        for name, folder in cases.items()
        for layout in list_layouts(ROOT)
    ]


def open_in(folder: Path, layout: str, home: Path) -> Manuscript:
    """A copy of a manuscript whose letters are made in another layout."""
    shutil.copytree(folder / "chapters", home / "chapters")
    shutil.copy(folder / "book.toml", home)
    manuscript = open_manuscript(home)
    newsletter = msgspec.structs.replace(manuscript.config.newsletter, layout=layout)
    return replace(manuscript, config=msgspec.structs.replace(manuscript.config, newsletter=newsletter))


@pytest.mark.parametrize(("folder", "layout"), list_cases())
def test_our_own_letters_keep_the_rules(folder: Path, layout: str, tmp_path: Path) -> None:
    """No letter of the sample book, of the book with every construct or in Hebrew breaks one, in any layout."""
    manuscript = open_in(folder, layout, tmp_path)
    mail = resolve_mail(manuscript)
    found = read_letters(mail, make_issues(manuscript, book=mail), off={})

    assert [] == [str(finding) for finding in found]


# -- the page of rules


def test_the_page_of_rules_is_fresh() -> None:
    """After a change run: python -m pipeline.check.mail.reference > docs/letter-rules.md."""
    written = (ROOT / "docs/letter-rules.md").read_text("utf-8")

    assert describe_rules() == written


def test_every_rule_says_what_it_finds_and_what_to_do() -> None:
    """Ids keep their order and their form, and no cell of the table is empty."""
    assert all(re.fullmatch(r"N0\d\d", rule) for rule in RULES)
    assert [] == [name for name, rule in RULES.items() if not (rule.about and rule.mend)]
