"""Write the feeds: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1, the same entries in each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from lxml import etree
from lxml import html as lxml_html

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_JSON_FEED = "https://jsonfeed.org/version/1.1"

#: Attributes that say something to a reader of feeds; the others belong to our own pages.
_KEPT = frozenset(
    {"href", "src", "alt", "width", "height", "lang", "dir", "title", "start", "value", "scope"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One issue in a feed: `address` is its page and its name for ever, `content` is HTML whose links are absolute.

    `at` has an offset; `picture` is the address of the first picture, or empty.
    """

    address: str
    title: str
    summary: str
    content: str
    at: datetime
    language: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """What all entries have in common; `address` is that of the site and ends with a slash."""

    name: str
    description: str
    language: str
    address: str
    entries: Sequence[Entry]  # newest first, at least one


def clean(markup: str) -> str:
    """`markup` with nothing in it that only our style sheet and our page know: classes, ids, roles, bare spans."""
    root = lxml_html.fragment_fromstring(markup, create_parent="div")
    for element in list(root.iterdescendants()):
        for name in set(element.attrib) - _KEPT:
            del element.attrib[name]
        if element.tag == "span" and not element.attrib:
            element.drop_tag()
    inside = [lxml_html.tostring(child, encoding="unicode") for child in root]
    return "".join([root.text or "", *inside]).strip() + "\n"


def _write_rss(channel: Channel, name: str) -> bytes:
    """RSS 2.0 with the full text as content:encoded and the feed's own address as atom:link."""
    root = etree.Element("rss", version="2.0", nsmap={"atom": _ATOM, "content": _CONTENT})
    top = etree.SubElement(root, "channel")
    _add(top, "title", channel.name)
    _add(top, "link", channel.address)
    _add(top, "description", channel.description or channel.name)
    _add(top, "language", channel.language)
    _add(top, "lastBuildDate", format_datetime(channel.entries[0].at))
    etree.SubElement(
        top, f"{{{_ATOM}}}link", rel="self", type="application/rss+xml", href=channel.address + name
    )
    for entry in channel.entries:
        item = etree.SubElement(top, "item")
        _add(item, "title", entry.title)
        _add(item, "link", entry.address)
        _add(item, "guid", entry.address, isPermaLink="true")
        _add(item, "pubDate", format_datetime(entry.at))
        _add(item, "description", entry.summary)
        _add(item, f"{{{_CONTENT}}}encoded", entry.content)
    return _serialise(root)


def _write_atom(channel: Channel, name: str) -> bytes:
    root = etree.Element(f"{{{_ATOM}}}feed", {_LANG: channel.language}, nsmap={None: _ATOM})
    _add_atom(root, "title", channel.name)
    if channel.description:
        _add_atom(root, "subtitle", channel.description)
    _add_atom(root, "id", channel.address)
    _add_atom(root, "updated", channel.entries[0].at.isoformat())
    _add_atom(_add_atom(root, "author"), "name", channel.name)
    _add_atom(root, "link", rel="self", type="application/atom+xml", href=channel.address + name)
    _add_atom(root, "link", rel="alternate", type="text/html", href=channel.address)
    for entry in channel.entries:
        top = _add_atom(root, "entry")
        if entry.language != channel.language:
            top.set(_LANG, entry.language)
        _add_atom(top, "title", entry.title)
        _add_atom(top, "id", entry.address)
        _add_atom(top, "link", rel="alternate", type="text/html", href=entry.address)
        _add_atom(top, "published", entry.at.isoformat())
        _add_atom(top, "updated", entry.at.isoformat())
        _add_atom(top, "summary", entry.summary)
        _add_atom(top, "content", entry.content, type="html")
    return _serialise(root)


def _write_json(channel: Channel, name: str) -> bytes:
    document = {
        "version": _JSON_FEED,
        "title": channel.name,
        "home_page_url": channel.address,
        "feed_url": channel.address + name,
        "description": channel.description,
        "language": channel.language,
        "authors": [{"name": channel.name}],
        "items": [_make_item(entry) for entry in channel.entries],
    }
    return _encode({key: value for key, value in document.items() if value})


def _make_item(entry: Entry) -> dict[str, str]:
    item = {
        "id": entry.address,
        "url": entry.address,
        "title": entry.title,
        "content_html": entry.content,
        "summary": entry.summary,
        "image": entry.picture,
        "date_published": entry.at.isoformat(),
        "language": entry.language,
    }
    return {key: value for key, value in item.items() if value}


def _add(parent: Any, tag: str, text: str = "", **attributes: str) -> Any:
    element = etree.SubElement(parent, tag, attributes)
    element.text = text or None
    return element


def _add_atom(parent: Any, tag: str, text: str = "", **attributes: str) -> Any:
    return _add(parent, f"{{{_ATOM}}}{tag}", text, **attributes)


def _serialise(root: Any) -> bytes:
    etree.indent(root)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return text + b"\n"


def _encode(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


#: File name -> media type, what people call it, and how it is written.
FEEDS: Mapping[str, tuple[str, str, Callable[[Channel, str], bytes]]] = MappingProxyType(
    {
        "feed.xml": ("application/rss+xml", "RSS", _write_rss),
        "atom.xml": ("application/atom+xml", "Atom", _write_atom),
        "feed.json": ("application/feed+json", "JSON", _write_json),
    }
)


def write_feeds(channel: Channel) -> dict[str, bytes]:
    """Every feed by its file name."""
    return {name: write(channel, name) for name, (_, _, write) in FEEDS.items()}
