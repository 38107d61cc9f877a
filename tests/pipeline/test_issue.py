"""A chapter becomes an issue folder that the outbox takes as it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from datetime import time as Time
from html import unescape
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import html as lxml_html

from outbox.issue import read as read_for_delivery
from pipeline.build import open_manuscript
from pipeline.config import FieldTable
from pipeline.config.values import OUTBOX_FIELDS
from pipeline.errors import ManuscriptError
from pipeline.formats.issue import Issue, MailSettings, make_issue, write_issue
from pipeline.layouts import Layout, list_layouts, read_layout
from pipeline.mail.compose import compose
from pipeline.mail.frame import cut, cut_sentences
from pipeline.mail.markup import MailPicture
from pipeline.model import Book, Chapter, Mailing, Node
from pipeline.newsletter import resolve_mail

CASE = Path(__file__).parents[1] / "manuscripts" / "letter"
GOLDEN = CASE / "golden"
PICTURES = (
    MailPicture("images/bed.svg", "bed-1.jpg", b"JPEG of a bed", 528, 211),
    MailPicture("images/bark.png", "bark-1.jpg", b"JPEG of bark", 211, 158),
    MailPicture("images/leaf.svg", "leaf-1.jpg", b"JPEG of a leaf", 528, 70),
)
FIELDS = {name: FieldTable(type="url" if name.endswith("_url") else "text") for name in OUTBOX_FIELDS}
SETTINGS = MailSettings(pictures=PICTURES, site="https://mail.example.org", fields=FIELDS)


@pytest.fixture(scope="module")
def book() -> Book:
    """The manuscript that uses every construct."""
    return resolve_mail(open_manuscript(CASE))


@pytest.fixture(scope="module", params=list_layouts(CASE))
def layout(request: pytest.FixtureRequest) -> Layout:
    """Every layout there is."""
    return read_layout(request.param, CASE)


@pytest.fixture(scope="module")
def issue(book: Book, layout: Layout) -> Issue:
    """Its first chapter as an issue."""
    return make(book, book.chapters[0], layout=layout)


@pytest.fixture(scope="module")
def page(issue: Issue) -> lxml_html.HtmlElement:
    """The HTML part, read."""
    return lxml_html.fromstring(read_html(issue))


def read_html(issue: Issue) -> str:
    return issue.files["body.html"].decode()


def read_text(issue: Issue) -> str:
    return issue.files["body.txt"].decode()


def read_document(issue: Issue) -> dict[str, object]:
    document: dict[str, object] = json.loads(issue.files["issue.json"])
    return document


def make(
    book: Book, chapter: Chapter, settings: MailSettings = SETTINGS, layout: Layout | None = None
) -> Issue:
    layout = layout or read_layout("classic", CASE)
    words = layout.read_words(chapter.lang or book.language)
    taken = compose(book, chapter, words, address=settings.site)
    return make_issue(book, layout, settings, chapter=chapter, taken=taken)


def change(book: Book, **changes: object) -> Issue:
    """The issue of a chapter that is otherwise as the first."""
    return make(book, replace(book.chapters[0], **changes))  # type: ignore[arg-type]


# -- the contract


def test_the_issue_is_the_golden_one(issue: Issue, layout: Layout, pytestconfig: pytest.Config) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    folder = GOLDEN / layout.name
    if pytestconfig.getoption("--update-golden", default=False):
        write_issue(folder, issue.files)

    assert read_folder(folder) == dict(issue.files)


def read_folder(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_outbox_takes_the_folder(issue: Issue, tmp_path: Path) -> None:
    """Its strict reader finds every key, file, digest and merge field right."""
    write_issue(tmp_path / issue.slug, issue.files)
    taken = read_for_delivery(tmp_path / issue.slug)

    assert issue.slug == taken.slug
    assert {name: data for name, data in issue.files.items() if name != "issue.json"} == dict(taken.files)
    assert [
        "first_name",
        "list_name",
        "postal_address",
        "preferences_url",
        "unsubscribe_url",
    ] == [*taken.fields]


def test_two_builds_are_the_same_bytes(book: Book, issue: Issue, layout: Layout) -> None:
    """Nothing depends on the clock, on chance or on the order of a set (rule M50)."""
    again = make(book, book.chapters[0], layout=read_layout(layout.name, CASE))

    assert issue == again


def test_only_fields_that_are_used_are_listed(book: Book) -> None:
    """A chapter that names nobody asks for no first name."""
    document = read_document(make(book, book.chapters[1], replace(SETTINGS, pictures=PICTURES)))

    assert "first_name" not in document["fields"]  # type: ignore[operator]


def test_an_unknown_field_is_an_error_with_its_line(book: Book) -> None:
    """The author learns where it stands and which there are."""
    body = (Node("paragraph", (Node("text", text="Dear @@nickname@@,", line=7),), line=7),)

    with pytest.raises(
        ManuscriptError,
        match=r"construct\.md:7: unknown field @@nickname@@; there are @@browser_url@@, .*@@first_name@@",
    ):
        change(book, body=body)


def test_the_day_is_the_first_half_of_the_name(book: Book) -> None:
    """A letter has no day, so its name is all."""
    assert "2026-03-02-every-construct" == make(book, book.chapters[0]).slug
    assert "other" == make(book, replace(book.chapters[1], slug="letters/other", mailing=Mailing())).slug


@pytest.mark.parametrize(
    ("mailing", "at"),
    [
        (Mailing(date(2026, 3, 2), Time(9, 30)), "2026-03-02T09:30:00+01:00"),
        (Mailing(date(2026, 7, 2)), "2026-07-02T18:00:00+02:00"),
        (Mailing(), None),
    ],
)
def test_the_time_to_send_has_its_offset(book: Book, mailing: Mailing, at: str | None) -> None:
    """The hour of the header or of book.toml, on that day in that place; a letter waits for somebody to act."""
    settings = replace(SETTINGS, time=Time(18), zone=ZoneInfo("Europe/Berlin"))
    chapter = replace(book.chapters[0], mailing=mailing)

    assert at == read_document(make(book, chapter, settings))["send_at"]


def test_the_header_s_words_go_before_the_chapter_s(book: Book) -> None:
    """Subject, preheader and segment are what `issue:` says."""
    said = Mailing(date(2026, 3, 2), subject="Come and dig", preheader="It is dry.", segment="carers")
    made = make(book, replace(book.chapters[0], mailing=said))
    document = read_document(made)

    assert ("Come and dig", "It is dry.", "carers") == tuple(
        document[key] for key in ("subject", "preheader", "segment")
    )
    assert "For those who care for somebody." in read_text(made)


# -- the folder


def test_a_new_build_replaces_the_whole_folder(tmp_path: Path) -> None:
    """No file of the old issue is left, and nothing else beside the folder."""
    write_issue(tmp_path / "i", {"issue.json": b"old", "images/old.jpg": b"old"})
    write_issue(tmp_path / "i", {"issue.json": b"new"})

    assert {"issue.json": b"new"} == read_folder(tmp_path / "i")
    assert ["i"] == [path.name for path in tmp_path.iterdir()]


def test_an_unchanged_issue_is_not_written_again(tmp_path: Path) -> None:
    """Its files are the same ones, so their dates stay."""
    write_issue(tmp_path / "i", {"body.txt": b"same"})
    before = (tmp_path / "i" / "body.txt").stat().st_ino
    write_issue(tmp_path / "i", {"body.txt": b"same"})

    assert before == (tmp_path / "i" / "body.txt").stat().st_ino


def test_a_failed_build_leaves_the_old_issue(tmp_path: Path) -> None:
    """A file that cannot be written ends the build, not the issue."""
    write_issue(tmp_path / "i", {"body.txt": b"good"})

    with pytest.raises(FileExistsError):
        write_issue(tmp_path / "i", {"body.txt": b"x", "body.txt/y": b"y"})
    assert {"body.txt": b"good"} == read_folder(tmp_path / "i")
    assert ["i"] == [path.name for path in tmp_path.iterdir()]


# -- the rules of mail (M1-M54)


def test_m1_to_m7_the_document(issue: Issue, page: lxml_html.HtmlElement) -> None:
    """One doctype, language and direction three times, a label, a title, the metas."""
    [wrapper] = page.xpath("/html/body/*")
    metas = {meta.get("name") for meta in page.iter("meta")}

    assert read_html(issue).startswith("<!DOCTYPE html>")
    assert ("en-GB", "ltr") == (page.get("lang"), page.get("dir"))
    assert "en-GB" == page.find("body").get("xml:lang")
    assert ("en-GB", "ltr", "article") == (wrapper.get("lang"), wrapper.get("dir"), wrapper.get("role"))
    assert wrapper.get("aria-label") == page.findtext(".//title") == read_document(issue)["subject"]
    assert {"viewport", "x-apple-disable-message-reformatting", "format-detection", "color-scheme"} <= metas


def test_m8_m9_what_a_letter_must_not_hold(page: lxml_html.HtmlElement) -> None:
    """No landmarks, no scripts, one h1, no heading level skipped."""
    forbidden = [
        "main",
        "header",
        "footer",
        "nav",
        "section",
        "aside",
        "figure",
        "script",
        "form",
        "iframe",
        "video",
        "svg",
        "link",
    ]
    levels = [int(node.tag[1]) for node in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]

    assert [] == [node.tag for node in page.iter(*forbidden)]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_m11_m12_m14_layout(issue: Issue, page: lxml_html.HtmlElement) -> None:
    """Real tables hold data, the ghost table is Outlook's, and nothing lies deeper than twelve."""
    comments = re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", read_html(issue))
    ghost = "".join(comments)
    depth = max(len(list(node.iterancestors())) for node in page.find("body").iter())

    assert all(table.xpath(".//th[@scope]") and not table.get("role") for table in page.iter("table"))
    assert ghost.count('<table role="presentation"') == ghost.count("<table") == ghost.count("</table>") == 1
    assert depth <= 12


def test_m15_m17_styles_are_plain(issue: Issue) -> None:
    """Six-digit colours, and nothing that a mail program does not know."""
    styles = " ".join(re.findall(r'style="([^"]*)"', read_html(issue)))

    assert "" != styles
    assert [] == re.findall(r"#(?![0-9a-f]{6}\b)[0-9a-f]+|rgba?\(|hsl", styles)
    assert [] == re.findall(r"position|float|flex|grid|var\(|calc\(|rem\b|max\(|inherit", styles)


def test_m24_preheader(issue: Issue, page: lxml_html.HtmlElement) -> None:
    """Between 40 and 130 characters, hidden, first in the body, with filler behind it."""
    preheader = str(read_document(issue)["preheader"])
    first = page.xpath("/html/body/div/div")[0]

    assert 40 <= len(preheader) <= 130
    assert "display:none" in first.get("style")
    assert first.text_content().startswith(preheader + "\u2007")


def test_m25_m26_images(page: lxml_html.HtmlElement) -> None:
    """Absolute https, both sizes, an alternative text that is empty only for ornaments."""
    images = list(page.iter("img"))
    address = "https://mail.example.org/2026-03-02-every-construct/images/"

    assert [f"{address}bed-1.jpg", f"{address}bark-1.jpg", f"{address}leaf-1.jpg"] == [
        i.get("src") for i in images
    ]
    assert ["A bed seen from above: three rows of peas.", "A photograph of bark.", ""] == [
        i.get("alt") for i in images
    ]
    assert [("528", "211"), ("211", "158"), ("528", "70")] == [
        (i.get("width"), i.get("height")) for i in images
    ]


def test_m27_m28_links(page: lxml_html.HtmlElement) -> None:
    """Every link has words and leads to the web, to a mailbox or to a field."""
    links = [(a.text_content().strip(), a.get("href")) for a in page.iter("a")]

    assert 9 == len(links)
    assert [] == [href for _, href in links if not re.match(r"https://|mailto:|@@[a-z_]+@@$", href)]
    assert [] == [
        words for words, _ in links if words.lower() in {"", "here", "click here", "read more", "link"}
    ]


def test_m30_notes(page: lxml_html.HtmlElement) -> None:
    """A number in brackets in the text, the same at the note; one note may be referred to twice."""
    marks = [sup.text_content().strip("\ufeff") for sup in page.iter("sup")]
    notes = [item.text_content()[:12] for item in page.xpath("//div[h2='Notes']/ol/li")]

    assert ["[1]", "[2]", "[1]", "[3]"] == [mark for mark in marks if mark.startswith("[")]
    assert ["A note with ", "A plain note", "Every part: "] == notes


def test_m31_nothing_is_too_small(issue: Issue) -> None:
    """14 pixels at least, 12 for raised signs, 18 for the text."""
    styles = re.findall(
        r'<(\w+)[^<>]* style="[^"]*?(?:font-size:|font:(?:[a-z]+ )?)(\d+)px', read_html(issue)
    )
    raised = {int(size) for tag, size in styles if tag in {"sup", "sub"}}
    others = {int(size) for tag, size in styles if tag not in {"sup", "sub"}}

    assert {12} == raised
    assert {14, 18} <= others
    assert 14 == min(others)


def test_m33_no_odd_characters(issue: Issue) -> None:
    """No control characters but line feeds, in either part."""
    bodies = read_html(issue) + read_text(issue)

    assert [] == re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", bodies)


def test_m34_size(issue: Issue) -> None:
    """Far below what Gmail cuts off."""
    assert len(issue.files["body.html"]) < 25_000


def test_m38_the_foot(issue: Issue) -> None:
    """Why, who, and three ways out, in both parts; the disclaimer too."""
    for part in (unescape(read_html(issue)), read_text(issue)):
        for needed in ("postal_address", "unsubscribe_url", "preferences_url", "list_name"):
            assert f"@@{needed}@@" in part
        assert "https://mail.example.org/2026-03-02-every-construct/" in part
        assert "You receive this letter because you signed up for @@list_name@@." in part
        assert "It takes the place of no gardener." in part


def test_m40_the_text_part_holds_every_link_and_picture_in_order(
    issue: Issue, page: lxml_html.HtmlElement
) -> None:
    """Read aloud, both parts say the same; the text begins with the title."""
    text = read_text(issue)
    wanted = [
        node.get("href", "").removeprefix("mailto:") or node.get("alt")
        for node in page.iter("a", "img")
        if node.get("href") or node.get("alt")
    ]
    places = [0]
    for piece in wanted:
        places.append(text.find(piece, places[-1]))

    assert 11 == len(wanted)
    assert sorted(places) == places
    assert str(read_document(issue)["subject"]).upper() == text.splitlines()[0]


def test_m51_a_short_last_word_is_not_alone(page: lxml_html.HtmlElement) -> None:
    """The title's last space does not break."""
    assert page.find(".//h1").text_content().endswith("It\N{NO-BREAK SPACE}Goes")


def test_m53_the_foot_of_the_text(issue: Issue) -> None:
    """It begins with three dashes, and each address has its own line."""
    lines = read_text(issue).split("\n---\n")[1].splitlines()

    page = "https://mail.example.org/2026-03-02-every-construct/"
    assert {page, "@@preferences_url@@", "@@unsubscribe_url@@"} <= set(lines)
    assert "-- " not in lines


def test_right_to_left(book: Book) -> None:
    """A chapter in Hebrew has its quote rule and its list padding on the right (rule M46)."""
    html = read_html(change(book, lang="he"))

    assert '<html lang="he" dir="rtl"' in html
    assert "border-right:3px solid" in html
    assert "padding:0 26px 0 0" in html
    assert [] == re.findall(r'style="[^"]*(?:border|padding)-left', html)


# -- words


def test_references_become_words(issue: Issue) -> None:
    """What pointed into the book is named, with a capital where a sentence begins."""
    text = " ".join(read_text(issue).split())

    assert (
        "drawn in Figure 1, sown in Table 1, dug under “Digging” and left alone in the chapter “The Other"
        in text
    )
    assert (
        "Figure 2 of the full book is elsewhere, and so is “Ripples” in the chapter “The Other Chapter”."
        in text
    )
    assert "The chapter “The Other Chapter” says more. It can be opened, but not from here." in text


def test_only_the_works_of_the_chapter_are_listed(issue: Issue) -> None:
    """The sources are those it cites, in the order of the book's list."""
    sources = read_text(issue).split("Sources\n-------\n")[1]

    assert "Letters on Soil" in sources
    assert "Why Moss Is Welcome. https://example.org/moss?shade=deep&page=2" in sources
    assert "A Book Only the Other Chapter Cites" not in read_text(issue)


def test_pictures_without_an_address_are_named_in_the_folder(book: Book) -> None:
    """The outbox then puts them into the message, or an address in front."""
    issue = make(book, book.chapters[0], replace(SETTINGS, site=""))

    assert 'src="images/bed-1.jpg"' in read_html(issue)
    assert "@@browser_url@@" in read_html(issue)


def test_a_chapter_without_a_summary_opens_with_its_own_words(book: Book) -> None:
    """Then the preheader is the first sentence, as far as it goes."""
    preheader = read_document(change(book, summary="", date=date(2026, 1, 1)))["preheader"]

    assert str(preheader).startswith("Stress one word, two words, and strike three out.")
    assert str(preheader).endswith("…")


def test_long_texts_are_cut_between_words() -> None:
    """An ellipsis stands for the rest; a disclaimer ends with a sentence where it can."""
    assert "One two…" == cut("One two, three", 9)
    assert "One two" == cut(" One\n two ", 9)
    assert "First. Second." == cut_sentences("First. Second. Third is long.", 20)
    assert "No sentence…" == cut_sentences("No sentence ends here", 15)
