"""Feeds hold the same entries three times: whole, clean, and with addresses that work anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import feedparser
import jsonschema
import pytest
from lxml import etree
from lxml import html as lxml_html

from pipeline.formats.site import SiteSettings, make_site
from pipeline.layouts import Layout
from pipeline.model import Node
from pipeline.web.feeds import clean
from pipeline.web.page import Page

ADDRESS = "https://letters.example.org"
SETTINGS = SiteSettings("Letters from the Garden", "en-GB", ADDRESS)
PATHS = ["2026-03-09-other", "2026-03-02-every-construct", "2026-02-23-other"]
NAMES = {"atom": "http://www.w3.org/2005/Atom", "content": "http://purl.org/rss/1.0/modules/content/"}

Maker = Callable[..., Page]

URL = {"type": "string", "pattern": "^https://"}
TEXT = {"type": "string", "minLength": 1}
#: What JSON Feed 1.1 says of the keys that are used (https://jsonfeed.org/version/1.1).
JSON_FEED = {
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": TEXT,
        "home_page_url": URL,
        "feed_url": URL,
        "description": TEXT,
        "language": TEXT,
        "authors": {"type": "array", "items": {"type": "object", "properties": {"name": TEXT}}},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "content_html"],
                "additionalProperties": False,
                "properties": {
                    "id": TEXT,
                    "url": URL,
                    "title": TEXT,
                    "content_html": TEXT,
                    "summary": TEXT,
                    "image": URL,
                    "date_published": {
                        "type": "string",
                        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$",
                    },
                    "language": TEXT,
                },
            },
        },
    },
}


def read_contents(site: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The text of every entry, by the feed's name."""
    rss, atom = (etree.fromstring(site[name]) for name in ("feed.xml", "atom.xml"))
    return {
        "feed.xml": rss.xpath("//item/content:encoded/text()", namespaces=NAMES),
        "atom.xml": atom.xpath("//atom:entry/atom:content/text()", namespaces=NAMES),
        "feed.json": [item["content_html"] for item in json.loads(site["feed.json"])["items"]],
    }


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml"])
def test_a_parser_of_feeds_has_nothing_to_mend(site: Mapping[str, bytes], name: str) -> None:
    """It finds the list, its own address and every entry with its date, and no fault."""
    feed = feedparser.parse(site[name])

    assert not feed.bozo
    assert ("Letters from the Garden", f"{ADDRESS}/") == (feed.feed.title, feed.feed.link)
    assert f"{ADDRESS}/{name}" in [link.href for link in feed.feed.links if link.rel == "self"]
    assert [f"{ADDRESS}/{path}/" for path in PATHS] == [entry.link for entry in feed.entries]
    assert [f"{ADDRESS}/{path}/" for path in PATHS] == [entry.id for entry in feed.entries]
    assert [(2026, 3, 9), (2026, 3, 2), (2026, 2, 23)] == [
        entry.published_parsed[:3] for entry in feed.entries
    ]


def test_rss_dates_are_those_of_mail(site: Mapping[str, bytes]) -> None:
    """RSS 2.0 asks for the form of RFC 822."""
    dates = etree.fromstring(site["feed.xml"]).xpath("//pubDate/text() | //lastBuildDate/text()")

    assert 4 == len(dates)
    assert datetime(2026, 3, 9, 12, tzinfo=UTC) == parsedate_to_datetime(dates[0])


def test_a_parser_of_feeds_finds_faults(site: Mapping[str, bytes]) -> None:
    """Else the test above would say nothing."""
    assert feedparser.parse(site["feed.xml"].replace(b"</channel>", b"")).bozo


def test_the_json_feed_keeps_to_its_form(site: Mapping[str, bytes]) -> None:
    """Keys, types and dates are those of the specification."""
    document = json.loads(site["feed.json"])
    jsonschema.validate(document, JSON_FEED)

    assert f"{ADDRESS}/feed.json" == document["feed_url"]
    assert [f"{ADDRESS}/{path}/" for path in PATHS] == [item["id"] for item in document["items"]]


def test_all_feeds_say_the_same(site: Mapping[str, bytes]) -> None:
    """To the letter."""
    rss, atom, json_feed = read_contents(site).values()

    assert 3 == len(rss)
    assert rss == atom == json_feed


def test_contents_are_whole(site: Mapping[str, bytes]) -> None:
    """Text, notes, sources and the disclaimer; marks are numbers in brackets, for anchors mean nothing here."""
    content = read_contents(site)["feed.xml"][1]

    for piece in (
        "<p><em>What a letter makes of &lt;each&gt; mark</em></p>", "row waits.<sup>[1]</sup>",
        '<li value="2"><p>A plain note.</p></li>', "<h2>Sources</h2>", "It takes the place of no gardener.",
        "<blockquote>\n<p><strong>Safety</strong></p>", "<p>— Ada Green, <em>Letters</em></p>",
        "Rain on the roof,<br>and the can", '<span lang="fr">bon appétit</span>', "<pre><code>def sow(bed",
    ):  # fmt: skip
        assert piece in content


def test_contents_are_clean(site: Mapping[str, bytes]) -> None:
    """No class, id, role or style, no script, no anchor."""
    for content in read_contents(site)["feed.xml"]:
        root = lxml_html.fragment_fromstring(content, create_parent=True)
        names = {name for element in root.iter() for name in element.attrib}

        assert names <= {"href", "src", "alt", "width", "height", "lang", "scope", "start", "value"}
        assert [] == root.xpath("//script | //style | //span[not(@*)]")


def test_addresses_are_whole(site: Mapping[str, bytes]) -> None:
    """Every link and picture of every entry works wherever it is read."""
    addresses = [
        address
        for content in read_contents(site)["feed.json"]
        for address in re.findall(r' (?:href|src)="([^"]*)"', content)
    ]

    assert f"{ADDRESS}/2026-03-02-every-construct/images/bed-1.jpg" in addresses
    assert [] == [address for address in addresses if not re.match(r"https://|mailto:", address)]


def test_signs_are_safe(make_page: Maker, classic: Layout) -> None:
    """Whatever a title or text holds, it is text in all three."""
    signs = ']]> & <b> "x" &amp; \N{GRINNING FACE}'
    body = (Node("paragraph", (Node("text", text=signs),)),)
    page = make_page("other", body=body, heading=(Node("text", text=signs),), summary=signs)
    site = make_site([page], classic, SETTINGS)
    rss, atom = (etree.fromstring(site[name]) for name in ("feed.xml", "atom.xml"))
    item = json.loads(site["feed.json"])["items"][0]

    assert signs == rss.findtext("channel/item/title") == item["title"]
    assert signs == atom.findtext("atom:entry/atom:title", namespaces=NAMES)
    assert signs == rss.findtext("channel/item/description") == item["summary"]
    for (content,) in read_contents(site).values():
        assert signs == lxml_html.fragment_fromstring(content, create_parent=True).findtext("p")


def test_only_the_newest_are_in_a_feed(make_page: Maker, classic: Layout) -> None:
    """Twenty; the archive has them all."""
    issue = make_page("other")
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(21)]
    site = make_site([replace(issue, path=f"{day}-other", day=day) for day in days], classic, SETTINGS)
    items = json.loads(site["feed.json"])["items"]

    assert 20 == len(items)
    assert (f"{ADDRESS}/2026-01-21-other/", f"{ADDRESS}/2026-01-02-other/") == (
        items[0]["url"],
        items[-1]["url"],
    )
    assert b"2026-01-01-other/" in site["index.html"]


def test_an_entry_in_another_language_says_so(make_page: Maker, classic: Layout) -> None:
    """In its text too, for RSS knows only one language."""
    site = make_site([make_page("other", lang="he")], classic, SETTINGS)
    atom = etree.fromstring(site["atom.xml"])

    assert ["he"] == atom.xpath("atom:entry/@xml:lang", namespaces=NAMES)
    assert read_contents(site)["feed.xml"][0].startswith('<div lang="he" dir="rtl">')


def test_a_site_below_a_path_keeps_it(make_page: Maker, classic: Layout) -> None:
    """With or without a slash at its end."""
    site = make_site([make_page("other")], classic, replace(SETTINGS, address="https://example.org/care/"))
    document = json.loads(site["feed.json"])

    assert "https://example.org/care/feed.json" == document["feed_url"]
    assert "https://example.org/care/2026-03-02-other/" == document["items"][0]["url"]


def test_cleaning_keeps_what_is_said() -> None:
    """Words, languages and addresses stay; what only our own page knows goes."""
    assert '<p lang="fr">a <b>b</b> c</p>\n' == clean(
        '<p class="x" lang="fr" id="y">a <b role="z">b</b> c</p>'
    )
