"""The site is made of whole, quiet pages: an archive, every issue, chapters to read on in."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree

from pipeline.formats.site import SiteSettings, make_site
from pipeline.layouts import Layout, read_layout
from pipeline.mail.extract import Item
from pipeline.model import Node
from pipeline.web.page import Page

CASE = Path(__file__).parents[1] / "manuscripts" / "letter"
ADDRESS = "https://letters.example.org"
SETTINGS = SiteSettings("Letters from the Garden", "en-GB", ADDRESS)
ISSUE = "2026-03-02-every-construct/index.html"

Parsed = Mapping[str, etree._Element]
Maker = Callable[..., Page]


def parse(site: Mapping[str, bytes], name: str) -> etree._Element:
    return etree.fromstring(site[name])


def texts(page: etree._Element, path: str) -> list[str]:
    """The words of what an XPath selects."""
    return [" ".join("".join(node.itertext()).split()) for node in page.xpath(path)]


def meta(page: etree._Element) -> dict[str, str]:
    """What the page says of itself, by name or property."""
    found = page.iter("meta")
    return {m.get("name") or m.get("property") or "charset": m.get("content") or "" for m in found}


# -- the whole


def test_the_site_is_the_golden_one(
    site: Mapping[str, bytes], layout: Layout, golden: Callable[[Path, str], None]
) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    written = {name for name in site if not name.endswith(".jpg")}
    if layout.name == "classic":
        for name in written:
            golden(CASE / "golden" / "site" / name, site[name].decode())

    assert {
        "site.css", "index.html", "404.html", "feed.xml", "atom.xml", "feed.json", "read/other/index.html",
        "2026-02-23-other/index.html", ISSUE, "2026-03-09-other/index.html", "2026-03-05-every-construct/index.html",
    } == written  # fmt: skip


def test_pictures_lie_where_letters_say(site: Mapping[str, bytes]) -> None:
    """A letter names them by `<site>/<slug>/images/<name>`."""
    assert b"JPEG of a bed" == site["2026-03-02-every-construct/images/bed-1.jpg"]
    assert b"JPEG of a bed" == site["read/other/images/bed-1.jpg"]


def test_two_builds_are_the_same_bytes(issues: tuple[Page, ...], layout: Layout) -> None:
    """Whatever order the issues come in."""
    one = make_site(issues, layout, SETTINGS)
    other = make_site(issues[::-1], read_layout(layout.name, CASE), SETTINGS)

    assert dict(one) == dict(other)


def test_what_a_page_needs_is_written_before_it(site: Mapping[str, bytes]) -> None:
    """Whoever looks while the files are being written meets no page that lacks something."""
    names = [*site]

    assert "site.css" == names[0]
    assert ["404.html", "index.html", "feed.xml", "atom.xml", "feed.json"] == names[-5:]
    assert names.index("2026-03-02-every-construct/images/bed-1.jpg") < names.index(ISSUE)


def test_no_merge_field_is_left(site: Mapping[str, bytes]) -> None:
    """Nor any of the ways out that a letter shows one person."""
    texts = [data.decode() for name, data in site.items() if not name.endswith(".jpg")]

    assert [] == [text for text in texts if "@@" in text or "Unsubscribe" in text or "You receive" in text]
    assert 5 == sum("After all that, dear reader, a letter may" in text for text in texts)


# -- every page


def list_links(name: str, page: etree._Element) -> Iterator[tuple[str, str]]:
    """Where each link and picture of a page leads in the site: a file, and an anchor in it."""
    for address in page.xpath("//@href | //@src"):
        parts = urlsplit(address)
        if address.startswith(f"{ADDRESS}/"):
            yield parts.path[1:] + ("index.html" if parts.path.endswith("/") else ""), parts.fragment
        elif not parts.scheme:
            path = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), parts.path))[1:]
            yield (path if parts.path else name), parts.fragment


def test_every_link_and_anchor_leads_somewhere(site: Mapping[str, bytes], parsed: Parsed) -> None:
    """Inside the site: pages, pictures, feeds, notes and the ways back."""
    links = {(name, *link) for name, page in parsed.items() for link in list_links(name, page)}
    ids = {name: set(page.xpath("//@id")) for name, page in parsed.items()}

    assert len(links) > 50
    assert set() == {link for link in links if link[1] not in site}
    assert set() == {(name, to, anchor) for name, to, anchor in links if anchor and anchor not in ids[to]}


def test_ids_are_unique(parsed: Parsed) -> None:
    """On each page."""
    ids = [(name, anchor) for name, page in parsed.items() for anchor in page.xpath("//@id")]

    assert len(ids) == len(set(ids))


def test_pages_work_under_a_strict_policy(site: Mapping[str, bytes], parsed: Parsed) -> None:
    """No script, no inline style, nothing from elsewhere."""
    for page in parsed.values():
        assert [] == page.xpath("//script | //style | //iframe | //form | //@style | //@onclick")
    assert b"@import" not in site["site.css"]
    assert b"url(" not in site["site.css"]


def test_pages_are_light(site: Mapping[str, bytes]) -> None:
    """For somebody who reads them on a phone in a waiting room."""
    assert max(len(data) for name, data in site.items() if name.endswith(".html")) < 12_000
    assert len(site["site.css"]) < 16_000


def test_pages_have_landmarks_and_headings_in_order(parsed: Parsed) -> None:
    """One main, one h1, no level skipped, a way past what stands before the text."""
    for page in parsed.values():
        levels = [int(node.tag[1]) for node in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]

        assert [1] == [level for level in levels if level == 1]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert ["text"] == page.xpath("//main/@id")
        assert "#text" == page.xpath("/html/body/a/@href")[0]


def test_pages_tell_nobody_where_a_reader_comes_from(parsed: Parsed) -> None:
    """What somebody reads about an illness is nobody else's business."""
    assert {"no-referrer"} == {meta(page)["referrer"] for page in parsed.values()}


# -- an issue


def test_an_issue_says_what_it_is(parsed: Parsed) -> None:
    """To search engines, and to those who link to it."""
    page = parsed[ISSUE]
    about = meta(page)

    assert "Every Construct & Where It Goes · Letters from the Garden" == page.findtext("head/title")
    assert "Every Construct & Where It Goes" == about["og:title"]
    assert about["description"] == about["og:description"]
    assert about["description"].startswith("One bed, all the tools")
    assert f"{ADDRESS}/2026-03-02-every-construct/images/bed-1.jpg" == about["og:image"]
    assert "A bed seen from above: three rows of peas." == about["og:image:alt"]
    assert [f"{ADDRESS}/2026-03-02-every-construct/"] == page.xpath("//link[@rel='canonical']/@href")


def test_an_issue_is_an_article_with_its_date(parsed: Parsed) -> None:
    """And its language and direction."""
    page = parsed[ISSUE]

    assert ("en-GB", "ltr") == (page.get("lang"), page.get("dir"))
    assert ["2026-03-02"] == page.xpath("//main/article/header/p/time/@datetime")
    assert ["Every Construct & Where It Goes"] == texts(page, "//article/header/h1")
    assert ["Ada Green · 1 minute read"] == texts(page, "//article/header/p[@class='byline']")


def test_notes_lead_there_and_back(parsed: Parsed) -> None:
    """Each mark to its note; each note to its first mark, though it be referred to twice."""
    page = parsed[ISSUE]
    marks = page.xpath("//sup/a[@role='doc-noteref']")
    ways = page.xpath("//section[@role='doc-endnotes']//a[@role='doc-backlink']")

    assert ["#note-1", "#note-2", "#note-1", "#note-3"] == [mark.get("href") for mark in marks]
    assert ["#note-1-mark", "#note-2-mark", "#note-3-mark"] == [way.get("href") for way in ways]
    assert ["note-1-mark", "note-2-mark", "note-3-mark"] == page.xpath("//sup/a/@id")
    assert "Back to the text (1)" == ways[0].get("aria-label")


@pytest.mark.parametrize(
    "path",
    [
        "//p//em", "//p//strong", "//p//s", "//p//sub", "//p//sup", "//p//code", "//p//span[@class='smallcaps']",
        "//p//span[@lang='fr']", "//p//br", "//article/h2", "//article/h3", "//ul[@class='compact']/li/ol",
        "//ol[@start='4']", "//dl/dt", "//dl/dd", "//blockquote/p[@class='attribution']",
        "//blockquote[@role='doc-epigraph']", "//aside[@role='doc-pullquote']",
        "//div[@class='verse']/p[@class='stanza']/span[@class='line']", "//aside[@role='note']/p[@class='box-title']",
        "//figure/img[@width and @height]", "//figure/figcaption/strong", "//table/caption",
        "//table//th[@scope='col']", "//table//th[@scope='row']", "//pre[@dir='ltr']/code/span", "//article/hr",
    ],
)  # fmt: skip
def test_every_construct_has_its_element(parsed: Parsed, path: str) -> None:
    """What the author meant is said in HTML, not in looks."""
    assert parsed[ISSUE].xpath(path)


def test_a_drawing_that_decorates_is_an_ornament(parsed: Parsed) -> None:
    """It has no words, and the style sheet lets the page's colour through."""
    images = parsed[ISSUE].xpath("//img")

    assert ["wide", None, "wide ornament"] == [image.get("class") for image in images]
    assert "" == images[2].get("alt")


def test_words_of_a_picture_are_text(make_page: Maker, classic: Layout) -> None:
    """Quotation marks and signs of HTML in them end nothing."""
    image = Node("image", attrs={"src": "images/bed.svg", "alt": 'A "bed" & <more>'})
    site = make_site([make_page(body=(Node("figure", (image,)),))], classic, SETTINGS)

    assert ['A "bed" & <more>'] == parse(site, ISSUE).xpath("//img/@alt")
    assert 'A "bed" & <more>' == meta(parse(site, ISSUE))["og:image:alt"]


def test_issues_lead_to_their_neighbours(parsed: Parsed) -> None:
    """The oldest has none before it, the newest none after."""
    names = ("2026-02-23-other", "2026-03-02-every-construct", "2026-03-09-other")
    turns = [texts(parsed[f"{name}/index.html"], "//nav/a") for name in names]

    assert [
        ["Newer letter Every Construct & Where It Goes", "All letters"],
        ["Older letter The Other Chapter", "Newer letter The Other Chapter", "All letters"],
        ["Older letter Every Construct & Where It Goes", "All letters"],
    ] == turns


def test_a_chapter_to_read_on_in_is_no_letter(parsed: Parsed) -> None:
    """It has neither date nor neighbours, and the archive does not list it."""
    page = parsed["read/other/index.html"]

    assert [] == page.xpath("//time")
    assert ["All letters"] == texts(page, "//nav/a")
    assert ["../../index.html"] == page.xpath("//nav/a/@href")
    assert [] == parsed["index.html"].xpath("//main//a[contains(@href, 'read/')]")


def test_what_is_not_for_everybody_is_listed_nowhere(site: Mapping[str, bytes], parsed: Parsed) -> None:
    """An issue for some has a page with its date; neither the archive nor a feed nor another page leads there."""
    page = parsed["2026-03-05-every-construct/index.html"]
    others = [name for name in site if "2026-03-05" not in name]

    assert ["2026-03-05"] == page.xpath("//time/@datetime")
    assert [] == page.xpath("//nav//a[@rel]")
    assert [] == [name for name in others if b"2026-03-05" in site[name]]


def test_a_way_inside_the_site_is_short(make_page: Maker, classic: Layout) -> None:
    """So that it works before the site is online; in a feed it is whole."""
    link = Node("link", (Node("text", text="Read on"),), attrs={"href": f"{ADDRESS}/read/other/"})
    site = make_site([make_page(body=(Node("paragraph", (link,)),))], classic, SETTINGS)

    assert ["../read/other/index.html"] == parse(site, ISSUE).xpath("//article//a/@href")
    assert f'<a href="{ADDRESS}/read/other/">'.encode() in html.unescape(site["feed.xml"].decode()).encode()


def test_several_chapters_are_sections_with_contents(make_page: Maker, classic: Layout) -> None:
    """A list on top leads to each."""
    names = ("rain", "wind")
    headings = [Node("heading", (Node("text", text=name),), attrs={"level": "2"}) for name in names]
    chapters = tuple(
        Node("div", (heading,), attrs={"name": "chapter", "to": name})
        for heading, name in zip(headings, names, strict=True)
    )
    page = make_page()
    items = tuple(Item(name, name.title(), 200) for name in names)
    site = make_site([replace(page, text=replace(page.text, body=chapters, items=items))], classic, SETTINGS)
    made = parse(site, ISSUE)

    assert ["In this letter Rain Wind"] == texts(made, "//nav[@class='contents']")
    assert ["#rain", "#wind"] == made.xpath("//nav[@class='contents']//a/@href")
    assert ["rain", "wind"] == texts(made, "//section[@id='rain' or @id='wind']/h2")
    assert b"chapter" not in site["feed.json"]


def test_an_issue_in_another_language_is_a_page_in_that_language(make_page: Maker, classic: Layout) -> None:
    """Hebrew runs from right to left, and the archive says so of its title."""
    site = make_site([make_page(lang="he"), make_page("other")], classic, SETTINGS)
    page, archive = parse(site, ISSUE), parse(site, "index.html")

    assert ("he", "rtl") == (page.get("lang"), page.get("dir"))
    assert ["en-GB"] == page.xpath("//nav//bdi/@lang")
    assert ["rtl"] == archive.xpath("//li[@lang='he']/@dir")


def test_sides_are_start_and_end(layout: Layout) -> None:
    """So that a language written from right to left finds the page mirrored."""
    assert [] == re.findall(r"[^{};]*(?<!\.)\b(?:left|right)\b[^;}]*", layout.read_css("site/site.css"))


# -- the archive


def test_the_archive_lists_the_newest_first(parsed: Parsed) -> None:
    """Date, title, summary and how long it takes."""
    page = parsed["index.html"]

    assert ["2026-03-09", "2026-03-02", "2026-02-23"] == page.xpath("//li//time/@datetime")
    assert "9 March 2026 The Other Chapter Ripples & rings. 1 minute read" == texts(page, "//main//li")[0]
    assert "2026-03-09-other/index.html" == page.xpath("//main//li//a/@href")[0]


def test_the_archive_names_the_list_and_its_feeds(parsed: Parsed) -> None:
    """In the page, and for programs that look into its head."""
    page = parsed["index.html"]

    assert ["Letters from the Garden"] == texts(page, "//h1")
    assert ["feed.xml", "atom.xml", "feed.json"] == page.xpath("//footer//a/@href")
    assert ["feed.xml", "atom.xml", "feed.json"] == page.xpath("//link[@rel='alternate']/@href")


@pytest.mark.parametrize(("count", "years"), [(12, []), (13, ["2027", "2026"])])
def test_a_long_archive_is_cut_at_the_years(
    make_page: Maker, classic: Layout, count: int, years: list[str]
) -> None:
    """Then the titles are one level below them."""
    issue = make_page("other")
    days = [date(2026, 12, 20) + timedelta(days=2 * n) for n in range(count)]
    pages = [replace(issue, path=f"{day}-other", day=day) for day in days]
    page = parse(make_site(pages, classic, SETTINGS), "index.html")

    assert years == texts(page, "//h2[@class='year']")
    assert count == len(page.xpath(f"//li/{'h3' if years else 'h2'}"))


def test_an_archive_without_letters_says_so(classic: Layout) -> None:
    """And offers no feeds, for there is nothing in them."""
    site = make_site([], classic, SETTINGS)

    assert ["site.css", "404.html", "index.html"] == [*site]
    assert "The first letter is still being written." in site["index.html"].decode()


def test_where_to_sign_up_is_said_when_there_is_a_place(make_page: Maker, classic: Layout) -> None:
    """On every page but the one that is missing."""
    settings = replace(SETTINGS, sign_up="https://example.org/sign-up")
    site = make_site([make_page()], classic, settings)

    assert ["Receive these letters by e-mail"] == texts(
        parse(site, ISSUE), "//a[@href='https://example.org/sign-up']"
    )
    assert b"sign-up" in site["index.html"]


# -- where the site is


def test_without_an_address_there_are_no_feeds(make_page: Maker, classic: Layout) -> None:
    """And nothing that needs one: the pages work wherever they lie."""
    site = make_site([make_page()], classic, replace(SETTINGS, address=""))
    page = parse(site, ISSUE)

    assert set() == {"feed.xml", "atom.xml", "feed.json"} & {*site}
    assert [] == page.xpath("//link[@rel='canonical' or @rel='alternate'] | //meta[@property='og:image']")
    assert "og:title" in meta(page)


@pytest.mark.parametrize(
    ("address", "root"), [(ADDRESS, "/"), (f"{ADDRESS}/", "/"), (f"{ADDRESS}/care", "/care/"), ("", "/")]
)
def test_the_missing_page_names_its_files_from_the_top(classic: Layout, address: str, root: str) -> None:
    """A server shows it in place of any page, however deep."""
    site = make_site([], classic, replace(SETTINGS, address=address))
    page = parse(site, "404.html")

    assert {f"{root}site.css", f"{root}index.html", "#text"} == set(page.xpath("//@href"))
    assert "noindex" == meta(page)["robots"]


# -- merge fields


def test_a_link_to_a_field_is_left_as_words(make_page: Maker, classic: Layout) -> None:
    """Nobody unsubscribes somebody else from a public page; a field without a default says nothing."""
    link = Node("link", (Node("text", text="leave"),), attrs={"href": "@@unsubscribe_url@@"})
    body = (
        Node("paragraph", (Node("text", text="You may@@nickname@@ "), link, Node("text", text=".")), line=1),
    )
    page = parse(make_site([make_page(body=body)], classic, SETTINGS), ISSUE)

    assert "You may leave." in texts(page, "//article/p")
    assert [] == page.xpath("//article//a")


def test_a_field_s_default_is_text(make_page: Maker, classic: Layout) -> None:
    """Signs that mean something in HTML are only signs."""
    issue = replace(make_page(), fields={"first_name": '<b>"&'})
    site = make_site([issue], classic, SETTINGS)

    assert 'After all that, <b>"&, a letter' in " ".join(texts(parse(site, ISSUE), "//article/p"))


# -- the style sheet


def test_colours_are_tokens_by_day_and_by_night(site: Mapping[str, bytes], layout: Layout) -> None:
    """Every variable that a rule names has both."""
    day, night, *rules = site["site.css"].decode().split("\n")
    used = set(re.findall(r"var\(--([a-z-]+)\)", "".join(rules)))

    assert f"--paper:{layout.tokens['paper']};" in day
    assert f"--paper:{layout.tokens['dark-paper']};" in night
    assert used == set(re.findall(r"--([a-z-]+):", day)) == set(re.findall(r"--([a-z-]+):", night))
    assert [] == re.findall(r"#[0-9a-f]{3,8}\b", "".join(rules))


def test_classes_have_rules(site: Mapping[str, bytes], parsed: Parsed) -> None:
    """A class that no rule names would be noise; the dialect's own and Pygments' may be."""
    css = site["site.css"].decode()
    named = {name for page in parsed.values() for names in page.xpath("//@class") for name in names.split()}
    plain = {"rowheads", "steps", "tip", "note", "left", "issue", "missing", "archive"}

    assert set() == {name for name in named - plain if f".{name}" not in css and not name.startswith("code-")}
