"""Rules on the frame of the HTML: what mail programs and screen readers look for before they show a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from .letter import Mail, Spot
from .page import HEADINGS, name_tag
from .styles import read_style

_DOCTYPE = re.compile(r"<!doctype\b[^>]*>", re.IGNORECASE)
_CONDITION = re.compile(r"<!--\[if ([^\]]*)\]>(.*?)<!\[endif\]-->", re.DOTALL)
_TABLE = re.compile(r"<table\b[^>]*>", re.IGNORECASE)
_PAIRED = ("table", "tr", "td")  # of Outlook's own layout
_LONGEST_TITLE = 78  # characters
_DEEPEST = 12  # elements in each other, html the first
_REFUSED = frozenset(
    {"audio", "base", "embed", "form", "frame", "iframe", "input", "link", "object", "script", "svg", "video"}
)
_LANDMARKS = frozenset({"article", "aside", "figure", "footer", "header", "main", "nav", "section"})
#: Name of a meta element -> what its content must hold.
_METAS: Mapping[str, str] = {
    "viewport": "width=device-width",
    "x-apple-disable-message-reformatting": "",
    "format-detection": "telephone=no",
    "color-scheme": "light dark",
    "supported-color-schemes": "light dark",
}


def find_no_doctype(mail: Mail) -> Iterator[Spot]:
    found = [match.start() for match in _DOCTYPE.finditer(mail.markup)]
    if not re.match(r"<!DOCTYPE html>", mail.markup, re.IGNORECASE):
        yield mail.in_markup(0), "the file does not begin with <!DOCTYPE html>; put it first"
    for again in found[1:]:
        yield mail.in_markup(again), "a second doctype; take it out"


def find_no_language(mail: Mail) -> Iterator[Spot]:
    language, direction = mail.page.get("lang"), mail.page.get("dir")
    if language != mail.language:
        yield mail.in_page(mail.page), f'the html element must say lang="{mail.language}", as issue.json does'
    if direction not in {"ltr", "rtl"}:
        yield mail.in_page(mail.page), 'the html element says no direction; add dir="ltr" or dir="rtl"'


def find_no_body_language(mail: Mail) -> Iterator[Spot]:
    if not mail.body.get("xml:lang"):
        yield mail.in_page(mail.body), "the body has no xml:lang; some programs keep nothing else of it"


def find_bare_children(mail: Mail) -> Iterator[Spot]:
    """Webmail keeps what is in the body and drops the body itself."""
    for node in mail.body.iterchildren("*"):
        missing = [name for name in ("lang", "dir") if not node.get(name)]
        if missing and mail.light[node].shown:
            yield mail.in_page(node), f"{name_tag(node)} stands in the body without {' and '.join(missing)}"


def find_no_article(mail: Mail) -> Iterator[Spot]:
    articles = mail.page.xpath("//*[@role='article']")
    if len(articles) != 1:
        yield mail.in_page(mail.body), 'one element in the body must hold the letter with role="article"'
    for node in articles[:1]:
        if node.get("aria-label") != mail.subject:
            yield mail.in_page(node), "the article's aria-label is not the subject; listeners hear it first"


def find_poor_title(mail: Mail) -> Iterator[Spot]:
    title = next(iter(mail.find("title")), mail.page)
    words = " ".join((title.text or "").split()) if title.tag == "title" else ""
    if words != " ".join(mail.subject.split()) or not words:
        yield mail.in_page(title), "the title element does not say the subject"
    if len(words) > _LONGEST_TITLE:
        yield mail.in_source(), f"the title has {len(words)} characters; {_LONGEST_TITLE} are the most"


def find_no_metas(mail: Mail) -> Iterator[Spot]:
    metas = {node.get("name", "").lower(): node.get("content") or "" for node in mail.find("meta")}
    head = next(iter(mail.find("head")), mail.page)
    if not any(node.get("charset", "").lower() == "utf-8" for node in mail.find("meta")):
        yield mail.in_page(head), 'the head has no <meta charset="utf-8">'
    for name, wanted in _METAS.items():
        if name not in metas or wanted not in metas[name]:
            said = f' content="{wanted}"' if wanted else ""
            yield mail.in_page(head), f'the head has no <meta name="{name}"{said}>'


def find_refused(mail: Mail) -> Iterator[Spot]:
    for node in mail.elements:
        if node.tag in _REFUSED:
            yield mail.in_page(node), f"mail programs refuse <{node.tag}>; take it out"
        if any(re.search(r"(?:^|url\()\s*['\"]?data:", value) for value in node.attrib.values()):
            yield mail.in_page(node), f"{name_tag(node)} holds a file as base64; put it into images/"


def find_landmarks(mail: Mail) -> Iterator[Spot]:
    for node in mail.elements:
        if node.tag in _LANDMARKS:
            yield mail.in_page(node), f"<{node.tag}> clashes with the landmarks of webmail; write <div>"


def find_poor_headings(mail: Mail) -> Iterator[Spot]:
    headings = mail.find(*HEADINGS)
    levels = [0, *(int(node.tag[1]) for node in headings)]
    if levels.count(1) != 1:
        yield mail.in_page(mail.body), f"the letter has {levels.count(1)} h1; it needs one, its title"
    for (before, after), node in zip(pairwise(levels), headings, strict=True):
        if after > before + 1:
            place = mail.trace(node.text_content(), mail.in_page(node))
            yield place, f"a heading h{after} stands where h{before + 1} is the lowest; raise it"


def find_no_pixels(mail: Mail) -> Iterator[Spot]:
    count = sum(inside.count("<o:PixelsPerInch>96<") for _, inside in _CONDITION.findall(mail.markup))
    if count != 1:
        head = next(iter(mail.find("head")), mail.page)
        yield mail.in_page(head), "Outlook is not told once of 96 pixels an inch, and scales the letter"


def find_layout_tables(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("table"):
        if node.get("role"):
            yield mail.in_page(node), "a table with a role is for layout; write <div>"
        elif not node.xpath(".//th[@scope]"):
            message = "a table without <th scope>; say in its first row what its columns hold"
            cell = next(node.iter("td", "th"), node)
            yield mail.trace(cell.text_content(), mail.in_page(node)), message


def find_open_conditions(mail: Mail) -> Iterator[Spot]:
    """Outlook reads all its comments as one text; what one opens another must close (rule M12)."""
    conditions = [found for found in _CONDITION.finditer(mail.markup) if "mso" in found[1]]
    inside = "".join(found[2] for found in conditions)
    place = mail.in_markup(conditions[0].start() if conditions else 0)
    if mail.markup.count("<!--[if") != mail.markup.count("<![endif]-->"):
        yield place, "a comment for Outlook is not closed with <![endif]-->"
    for tag in _PAIRED:
        opened, closed = len(re.findall(rf"<{tag}\b", inside)), inside.count(f"</{tag}>")
        if opened != closed:
            yield place, f"the comments for Outlook open <{tag}> {opened} times and close it {closed} times"
    for table in _TABLE.findall(inside):
        if 'role="presentation"' not in table:
            yield place, 'a table for Outlook has no role="presentation"; it would be read out as data'


def find_deep_nesting(mail: Mail) -> Iterator[Spot]:
    for node in mail.elements:
        if sum(1 for _ in node.iterancestors()) + 1 > _DEEPEST:
            place = mail.trace(node.text_content(), mail.in_page(node))
            yield place, f"{name_tag(node)} lies over {_DEEPEST} elements deep; write it flatter"


def find_unpadded_ghost(mail: Mail) -> Iterator[Spot]:
    """Word ignores the padding of a div, so the cell around it must have its own (rule M18)."""
    padded = any(
        said.lower_name.startswith("padding")
        for node in mail.find("div")
        for said in read_style(node.get("style", ""))
    )
    for found in _CONDITION.finditer(mail.markup):
        for cell in re.findall(r"<td\b[^>]*>", found[2]) if padded and "mso" in found[1] else ():
            if "padding" not in cell:
                yield mail.in_markup(found.start()), f"{cell} has no padding, and Word ignores that of a div"
