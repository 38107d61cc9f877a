"""The judges praise a sound letter and name each fault, and none passes a letter that it has not read."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from pipeline.check.judges import JUDGES, browser, emc, programs, spam
from pipeline.check.judges.letter import read_letter
from pipeline.check.outside import judge
from pipeline.errors import JudgeError
from pipeline.proofread import judge_outputs

#: Spam filters want more words the more there is to see.
WORDS = (
    "It keeps its water behind its bark and waits for longer days, a plan that many a gardener knows. " * 36
)
HTML = """\
<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Bark in winter</title>
<style>.wide{width:auto!important}@media (min-width:625px){h1{font-size:34px!important}}</style>
<style>@media (prefers-color-scheme:dark){.mail{background-color:#101614!important;color:#e4ebe7!important}
.data,h1{color:#e4ebe7!important}a{color:#8fd0c7!important}.button{background-color:#8fd0c7!important;
color:#0d2421!important}}</style>
</head>
<body xml:lang="en" style="margin:0;padding:0">
<div class="mail" lang="en" dir="ltr" role="article" aria-label="Bark in winter"
 style="background-color:#ffffff;color:#24312e;font-size:18px;line-height:1.6">
<div style="display:none">How a tree keeps warm.</div>
<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->
<h1 style="font-size:30px;color:#16302d">Bark in winter</h1>
<p class="words">Good morning @@first_name@@, here is how a tree spends the winter.</p>
WORDS
<p><img src="images/bark.jpg" width="528" height="396" alt="Grey bark with lichen on it."
 style="display:block;width:100%;height:auto"></p>
<table class="data" style="color:#24312e"><caption>Trees</caption>
<thead><tr><th scope="col">Tree</th><th scope="col">Bark</th></tr></thead>
<tbody><tr><td>Birch</td><td>white</td></tr></tbody></table>
<p><a href="https://letters.example.org/bark" style="color:#1d5c57">All about bark</a></p>
<p><a class="button" href="https://letters.example.org/garden"
 style="display:inline-block;padding:16px 28px;background-color:#1d5c57;color:#ffffff;text-decoration:none">Visit the
garden</a></p>
<p><a href="@@unsubscribe_url@@" style="color:#1d5c57">Unsubscribe</a></p>
<!--[if mso]></td></tr></table><![endif]-->
</div>
</body>
</html>
""".replace("WORDS", f"<p>{WORDS}</p>")
TEXT = """\
BARK IN WINTER

Good morning @@first_name@@, here is how a tree spends the winter.

WORDS

[Image: Grey bark with lichen on it.]

Trees. Birch: white.

All about bark (https://letters.example.org/bark)

Visit the garden:
https://letters.example.org/garden

---

Unsubscribe:
@@unsubscribe_url@@
""".replace("WORDS", WORDS)
PICTURE = io.BytesIO()
Image.new("RGB", (1056, 792), "#687168").save(PICTURE, "JPEG")

GREETING = '<p class="words">'

#: A fault -> what it replaces, what by, and who objects with which words. Nobody else has anything to say.
FAULTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "a missing alt": (
        ' alt="Grey bark with lichen on it."',
        "",
        {
            "html-validate": 'body.html:21: wcag/h37: <img> is missing required "alt" attribute',
            "axe": "image-alt (critical): img: Element does not have an alt attribute",
            "EMC": "a picture has no alt: <img>",
        },
    ),
    "a second main heading": (
        "<h1",
        "<h1>Before</h1><h1",
        {"html-validate": "body.html:18: heading-level: Multiple <h1> are not allowed"},
    ),
    "grey on white": (
        GREETING,
        '<p class="words" style="color:#aaaaaa">',
        {
            "axe": "color-contrast (serious): .words: Element has insufficient color contrast of 2.32",
            "EMC": "body.html:19: words are too pale on their ground: <p> Good morning Ana Ruiz, here",
        },
    ),
    "grey in the dark alone": (
        ".data,h1{color:#e4ebe7",
        ".data,h1{color:#3f4644",
        {"axe": ": dark 320 px, dark 600 px"},
    ),
    "grey on a narrow screen alone": (
        "<style>",
        "<style>@media (max-width:400px){.words{color:#777777!important}}",
        {"axe": ": light 320 px"},
    ),
    "a link into the letter": (
        "https://letters.example.org/bark",
        "#bark",
        {"caniemail": "Local anchors is not supported by gmail.ios, yahoo.android, yahoo.ios"},
    ),
    "a flex container": (
        GREETING,
        '<p class="words" style="display:flex">',
        {"caniemail": "display:flex is not supported by outlook.windows"},
    ),
    "a word that never ends": (
        GREETING,
        f'<p class="words">{"o" * 80} ',
        {"axe": 'sideways scroll at 600 px with style elements: <p> "oooo'},
    ),
    "too wide without its style elements": (
        GREETING,
        '<p class="words wide" style="width:400px">',
        {"axe": 'sideways scroll at 320 px without style elements: <p> "Good morning'},
    ),
    "a table for layout that is read out": (
        '<!--[if mso]><table role="presentation" ',
        "<!--[if mso]><table ",
        {"EMC": "body.html:17: a table for layout is read out as one of data: a comment for Outlook"},
    ),
}


def write_issue(folder: Path, html: str = HTML, text: str = TEXT) -> Path:
    """An issue folder as `pipeline newsletter` lays it out."""
    types = {"first_name": "text", "unsubscribe_url": "url"}
    document = {"kind": "issue", "subject": "Bark in winter, @@first_name@@"}
    document["fields"] = {name: {"type": kind, "default": ""} for name, kind in types.items()}
    (folder / "images").mkdir(parents=True)
    (folder / "issue.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "body.html").write_text(html, encoding="utf-8")
    (folder / "body.txt").write_text(text, encoding="utf-8")
    (folder / "images" / "bark.jpg").write_bytes(PICTURE.getvalue())
    return folder


@pytest.fixture(scope="module")
def issues(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The sound letter, and a copy for each fault."""
    shelf = tmp_path_factory.mktemp("issues")
    broken = {name: HTML.replace(old, new, 1) for name, (old, new, _) in FAULTS.items()}
    letters = {name: write_issue(shelf / name.replace(" ", "-"), html) for name, html in broken.items()}
    letters["a text that says nothing"] = write_issue(shelf / "mute", text="View this in an HTML client.\n")
    return letters | {"sound": write_issue(shelf / "sound")}


@pytest.fixture(scope="module")
def findings(issues: Mapping[str, Path]) -> Mapping[str, Mapping[str, str]]:
    """What each judge has against each letter, asked once; with REQUIRE_JUDGES=1 a missing judge is an error."""
    verdicts = judge([*issues.values()])
    missing = [verdict.findings[0] for verdict in verdicts if verdict.state == "not run"]
    if missing:
        pytest.skip(missing[0])
    return {
        name: {v.judge: "\n".join(v.findings) for v in verdicts if v.file == path and v.state == "failed"}
        for name, path in issues.items()
    }


# -- a sound letter and its faults


@pytest.mark.judges
def test_nobody_objects_to_a_sound_letter(findings: Mapping[str, Mapping[str, str]]) -> None:
    """It has a table of data, a picture, a button, a dark side and a part for Outlook."""
    assert {} == findings["sound"]


@pytest.mark.judges
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_those_who_look_for_it(
    findings: Mapping[str, Mapping[str, str]], fault: str
) -> None:
    """Every judge that should object does, in the words of its own rule, and no other."""
    expected = FAULTS[fault][2]

    assert set(expected) == set(findings[fault])
    assert [] == [words for name, words in expected.items() if words not in findings[fault][name]]


@pytest.mark.judges
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("grey in the dark alone", "light"),
        ("grey on a narrow screen alone", "600 px"),
        ("too wide without its style elements", "with style elements"),
    ],
)
def test_axe_looks_at_each_state_by_itself(
    findings: Mapping[str, Mapping[str, str]], fault: str, words: str
) -> None:
    """What is wrong in one state alone is not said of another."""
    assert words not in findings[fault]["axe"]


# -- the browser


@pytest.mark.judges
@pytest.mark.parametrize("address", ["images/bark.jpg", "https://pictures.example.org/2026/bark.jpg"])
def test_pictures_come_from_the_issue_folder(tmp_path: Path, address: str) -> None:
    """Wherever a picture will lie one day, it is looked at now: one as wide as its file is too wide."""
    html = HTML.replace("images/bark.jpg", address).replace(' width="528" height="396"', "")
    folder = write_issue(tmp_path / "issue", html.replace("width:100%;height:auto", "border:0"))

    assert "sideways scroll at 600 px with style elements: <img>" in ask("axe", folder)


@pytest.mark.judges
def test_nothing_is_fetched_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter is judged alike on a train, and its sender learns nothing."""
    # By itself Chromium lets no page from afar ask a server on this machine.
    monkeypatch.setattr(browser, "FLAGS", ("--disable-gpu", "--disable-features=LocalNetworkAccessChecks"))
    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        html = HTML.replace("images/bark.jpg", f"http://127.0.0.1:{server.server_port}/seen.gif")
        said = ask("axe", write_issue(tmp_path / "issue", html))
        server.shutdown()

    assert ("", []) == (said, asked)


def ask(name: str, folder: Path) -> str:
    """What one judge has against one letter."""
    one = next(each for each in JUDGES if each.name == name)
    try:
        command = one.find()
    except JudgeError as missing:
        if os.environ.get("REQUIRE_JUDGES") == "1":
            raise
        pytest.skip(missing.message)
    return "\n".join(one.ask(command, [folder])[folder])


# -- SpamAssassin


@pytest.mark.judges
def test_a_text_that_says_nothing_looks_like_spam(findings: Mapping[str, Mapping[str, str]]) -> None:
    """Only SpamAssassin reads the other part as well; it names the rules that make up the score."""
    assert {"SpamAssassin"} == set(findings["a text that says nothing"])
    assert "MPART_ALT_DIFF=" in findings["a text that says nothing"]["SpamAssassin"]


@pytest.mark.judges
def test_a_broken_recipe_passes_no_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even a picture without words is welcome, nothing was judged."""
    off = [f"score {rule} 0" for rule in ("HTML_IMAGE_ONLY_04", "HTML_SHORT_LINK_IMG_1", "MPART_ALT_DIFF")]
    monkeypatch.setattr(spam, "SETTINGS", (*spam.SETTINGS, *off))

    said = ask("SpamAssassin", write_issue(tmp_path / "issue"))

    assert said.startswith("no verdict: one picture without a text, which is spam, scores only 0.0")


@pytest.mark.judges
def test_spamassassin_without_its_plugins_passes_no_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It prints every letter unjudged then, and ends as if all were well."""
    monkeypatch.setattr(spam, "SITES", (tmp_path,))
    (tmp_path / "empty.pre").touch()

    assert ask("SpamAssassin", write_issue(tmp_path / "issue")).startswith("no verdict")


def test_the_letter_is_judged_as_it_would_be_sent(tmp_path: Path) -> None:
    """The text stands first, both parts are quoted-printable, no line is long and no gap is left."""
    data = spam.write_message(read_letter(write_issue(tmp_path / "issue")), 0)
    message = message_from_bytes(data, policy=default)
    parts = [(part.get_content_type(), part["Content-Transfer-Encoding"]) for part in message.iter_parts()]

    assert "multipart/alternative" == message.get_content_type()
    assert [("text/plain", "quoted-printable"), ("text/html", "quoted-printable")] == parts
    assert "Bark in winter, Ana Ruiz" == message["Subject"]
    assert max(map(len, data.split(b"\r\n"))) <= 76
    assert b"@@" not in data


# -- EMC

LAYOUT = "<table><tbody><tr><td>x</td></tr></tbody></table>"
MARKUP = """<!DOCTYPE html><html lang="en"><head><title>Bark</title></head><body>
<div lang="en" dir="ltr"><h1>Bark</h1><p>Grey. <a href="https://example.org">About bark</a></p>
<img src="a.jpg" alt=""><div hidden style="color:#ffffff">Later.</div></div>
<div style="display: none; color: #ffffff">Not seen.</div></body></html>"""


@pytest.mark.parametrize(
    ("failure", "old", "new"),
    [
        ("the document names no language", '<html lang="en">', "<html>"),
        ("a part of the body names no language", '<div lang="en" ', "<div "),
        ("a part of the body names no direction", ' dir="ltr"', ""),
        ("the document has no title", "<title>Bark</title>", "<title> </title>"),
        ("the letter has no main heading", "h1>", "h2>"),
        ("a table for layout is read out as one of data", "<h1>", f"{LAYOUT}<h1>"),
        ("a table for layout is read out as one of data", "<h1>", f"<!--[if mso]>{LAYOUT}<![endif]--><h1>"),
        ("a picture has no alt", ' alt=""', ""),
        ("a link has no words", "About bark</a>", '<img src="b.jpg" alt=""></a>'),
        ("a link does not say where it leads", "About bark", "Click <b>here</b>!"),
        ("a link does not say where it leads", "About bark", "Weiterlesen …"),
        ("a link shows by its colour alone", "<a ", '<a style="color:#1d5c57; text-decoration: none" '),
        ("words are too pale on their ground", "<p>", '<p style="color:#aaa">'),
        ("words are too pale on their ground", "<h1>", '<h1 bgcolor="#333333">'),
        ("words are too pale on their ground", "<a ", '<a style="background-color: #333333" '),
        ("words are too pale on their ground", "<h1>", '<h1 style="background: black">'),
    ],
)
def test_each_failure_of_the_report_is_found(failure: str, old: str, new: str) -> None:
    """One thing wrong gives one finding, of that kind."""
    found = list(emc.list_failures(MARKUP.replace(old, new)))

    assert 1 == len(found)
    assert failure in found[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("<h1>", '<h1><img src="c.jpg" alt="">'),
        ("<p>", '<table><tr><th scope="row">Birch</th><td>white</td></tr></table><p>'),
        ("<p>", f"{LAYOUT.replace('<table', '<table role=presentation')}<p>"),
        ("About bark</a>", '<img src="b.jpg" alt="About bark"></a>'),
        ("<a ", '<a style="background-color:#1d5c57;color:#ffffff;text-decoration:none" '),
        ("<h1>", '<h1 style="color:#dddddd;background-color:#222222">'),
        ("</a>", "</a><!-- a comment --> and more"),
    ],
)
def test_what_is_right_is_no_failure(old: str, new: str) -> None:
    """A table of data, a button, a picture that is a link and pale words on dark ground are sound."""
    assert [] == list(emc.list_failures(MARKUP.replace(old, new, 1) if old else MARKUP))


def test_contrast_is_measured_as_the_guidelines_say() -> None:
    """WCAG gives black on white 21 and a colour on itself 1."""
    black, white, grey = (0, 0, 0), (255, 255, 255), (119, 119, 119)

    assert 21 == round(emc.measure_contrast(black, white), 6)
    assert 1 == emc.measure_contrast(grey, grey)
    assert 4.48 == round(emc.measure_contrast(grey, white), 2)


# -- what is missing or damaged


def test_a_missing_judge_of_letters_has_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without programs only the judge that needs none has a verdict."""
    monkeypatch.delenv("REQUIRE_JUDGES", raising=False)
    monkeypatch.delenv("PUPPETEER_EXECUTABLE_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    verdicts = judge([write_issue(tmp_path / "issue")])

    assert {
        "caniemail": "Node is not installed; see docs/judges.md",
        "html-validate": "Node is not installed; see docs/judges.md",
        "axe": "Chromium is not installed; see docs/judges.md",
        "SpamAssassin": "SpamAssassin is not installed; see docs/judges.md",
    } == {verdict.judge: verdict.findings[0] for verdict in verdicts if verdict.state == "not run"}
    assert ["EMC"] == [verdict.judge for verdict in verdicts if verdict.state == "passed"]


def test_a_package_that_npm_has_not_brought_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node alone judges nothing."""
    monkeypatch.setattr(programs, "NODE_MODULES", tmp_path)

    with pytest.raises(JudgeError, match="the npm package caniemail is not installed"):
        programs.find_in_npm("caniemail", "package.json")


@pytest.mark.parametrize("damage", ["issue.json", "body.html", "body.txt"])
def test_a_damaged_issue_folder_is_an_error(tmp_path: Path, damage: str) -> None:
    """Half a letter is not judged."""
    folder = write_issue(tmp_path / "issue")
    (folder / damage).unlink()

    with pytest.raises(JudgeError, match="make it again"):
        read_letter(folder)


def test_issues_and_letters_of_a_book_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pipeline check --judges` finds them in build/, beside the books."""
    monkeypatch.delenv("REQUIRE_JUDGES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    write_issue(tmp_path / "build" / "issues" / "2026-11-01-bark")
    write_issue(tmp_path / "build" / "letters" / "welcome", html=HTML.replace("<h1", "<h2"))

    table, passed = judge_outputs(tmp_path)

    assert not passed
    assert ["passed", "failed"] == [line.split()[1] for line in table.splitlines() if line.startswith("EMC")]
    assert "the letter has no main heading" in table
