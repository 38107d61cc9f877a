"""Rules on references: links, notes, numbers typed by hand, and the bibliography."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from ..citations.cite import parse_citation
from ..errors import Place
from ..model import Chapter, Node, plain
from .galley import Galley, Rule, Spot
from .languages import Language, compile_any
from .slips import slip, spot

_LONG_NOTE = 120  # words
_LONG_ADDRESS = 30  # characters that a reader still copies
_TRACKERS = re.compile(r"[?&](utm_\w+|fbclid|gclid|mc_cid|mc_eid|igshid|msclkid)=")


def _outward(galley: Galley) -> Iterator[tuple[Node, Place, str, str]]:
    """Every link that leads out of the book, with its address and its words, but those of printed sources."""
    for node, place in galley.find("link"):
        href = node.attrs.get("href", "")
        if re.match(r"https?:", href, re.IGNORECASE) and place.line:
            yield node, place, href, plain(node.children).strip()


# -- links


def find_bare_addresses(galley: Galley) -> Iterator[Spot]:
    for _, place, href, words in _outward(galley):
        if re.match(r"https?://", words) and len(words) > _LONG_ADDRESS:
            yield Spot(place, f"the address {href} stands in the text; give the link words")


def find_open_links(galley: Galley) -> Iterator[Spot]:
    for _, place, href, _ in _outward(galley):
        if href.lower().startswith("http:"):
            yield Spot(place, f"{href} can be read on the way; write https:// if it is there")


def find_tracked_links(galley: Galley) -> Iterator[Spot]:
    for _, place, href, _ in _outward(galley):
        if found := _TRACKERS.search(href):
            yield Spot(place, f"the address tells on its readers by '{found[1]}'; cut it off behind the '?'")


def find_double_meanings(galley: Galley) -> Iterator[Spot]:
    """Whoever hears a list of links cannot tell them apart."""
    seen: dict[tuple[str, str], str] = {}
    for _, place, href, words in _outward(galley):
        first = seen.setdefault((place.path, words.casefold()), href)
        if first.rstrip("/") != href.rstrip("/"):
            yield Spot(place, f"'{words}' leads to {href} here and to {first} above; give each its own words")


def find_long_link_texts(galley: Galley) -> Iterator[Spot]:
    for _, place, _, words in _outward(galley):
        if len(words.split()) > 15:
            yield Spot(
                place, f"the link runs over {len(words.split())} words; link the few that name its end"
            )


# -- places named by hand


def _by_hand(language: Language) -> str:
    return rf"(?i:(?<![\w-])(?:{language.by_hand})[ \u00a0]\d+(?![\d.]*\d? of))" if language.by_hand else ""


def _page_words(language: Language) -> str:
    words = "|".join(language.page_words)
    return rf"(?i:(?<!\w)(?:{words})[ \u00a0]\d+)" if words else ""


def find_vague_places(galley: Galley) -> Iterator[Spot]:
    for passage in galley.passages:
        pattern = compile_any(galley.language(passage.language).vague_places)
        for found in pattern.finditer(passage.text):
            yield spot(
                passage, found.start(), f"'{found[0]}' may be pages away; name the place, such as @fig:name"
            )


# -- notes


def find_early_marks(galley: Galley) -> Iterator[Spot]:
    """The note's mark stands after the punctuation, where the language has it so (rule A08)."""
    for chapter in galley.chapters:
        if galley.language(chapter.lang).marks_after:
            for node, after in _list_neighbours(chapter):
                if node.kind == "note" and after.kind == "text" and re.match(r"[.,;](?!\w)", after.text):
                    message = f"the note's mark stands before '{after.text[0]}'; put it after"
                    yield Spot(Place(chapter.source, node.line), message)


def _list_neighbours(chapter: Chapter) -> Iterator[tuple[Node, Node]]:
    return (pair for block in chapter.walk() for pair in pairwise(block.children))


def find_parted_marks(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for block in chapter.walk():
            for before, node in zip(block.children, block.children[1:], strict=False):
                if node.kind == "note" and before.kind == "text" and before.text.endswith(" "):
                    yield Spot(
                        Place(chapter.source, node.line), "a space before the note's mark; take it out"
                    )


def find_endless_notes(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("note"):
        text = plain(node.children[-1].children).rstrip() if node.children else ""
        last = node.children[-1].children[-1].kind if node.children and node.children[-1].children else ""
        if text and last != "citation" and text[-1].isalnum():
            yield Spot(place, f"the note breaks off after '{text.split()[-1]}'; end it with a full stop")


def find_long_notes(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("note"):
        if (words := sum(len(plain(child.children).split()) for child in node.children)) > _LONG_NOTE:
            yield Spot(place, f"the note has {words} words; take what matters into the text")


# -- the bibliography


def list_cited(galley: Galley) -> Iterator[tuple[str, Node, Place]]:
    """The key of every work that is cited."""
    for node, place in galley.find("citation"):
        for item in parse_citation(node.text) or ():
            yield item.key, node, place


def _works(galley: Galley) -> Iterator[tuple[str, Mapping[str, Any], Place]]:
    file = galley.config.bibliography.file if galley.config else ""
    for key, work in galley.works.records.items():
        yield key, work, Place(file, galley.works.lines.get(key, 0))


def find_idle_works(galley: Galley) -> Iterator[Spot]:
    """Asked of the edition with all chapters; a sample need not cite everything."""
    cited = {key for key, *_ in list_cited(galley)}
    for key, _, place in _works(galley) if galley.passages else ():
        if key not in cited:
            yield Spot(place, f"nothing cites '{key}'; cite it, or take it out")


def _lacking(what: str, lacks: Callable[[Mapping[str, Any]], bool]) -> Callable[[Galley], Iterator[Spot]]:
    def find(galley: Galley) -> Iterator[Spot]:
        for key, work, place in _works(galley):
            if lacks(work):
                yield Spot(place, f"'{key}' has no {what}; add it, or say why there is none in its note")

    return find


def _lacks_author(work: Mapping[str, Any]) -> bool:
    return not any(name in work for name in ("author", "editor", "translator", "publisher"))


def _lacks_date(work: Mapping[str, Any]) -> bool:
    dated = {
        "article-journal",
        "article-magazine",
        "article-newspaper",
        "book",
        "report",
        "thesis",
        "paper-conference",
    }
    return work["type"] in dated and "issued" not in work


def _lacks_source(work: Mapping[str, Any]) -> bool:
    articles = {"article-journal", "article-magazine", "article-newspaper", "chapter"}
    return work["type"] in articles and "container-title" not in work


def find_twin_works(galley: Galley) -> Iterator[Spot]:
    seen: dict[str, str] = {}
    for key, work, place in _works(galley):
        name = str(
            work.get("DOI") or f"{work.get('title')} {work.get('container-title')} {work.get('issued')}"
        ).casefold()
        first = seen.setdefault(name, key)
        if first != key:
            yield Spot(place, f"'{key}' is the same work as '{first}'; keep one")


#: R001 to R039; see `galley.Rule`.
REFERENCES: Mapping[str, Rule] = {
    "R001": Rule("warning", "a long address that stands in the text", "give the link words", find_bare_addresses),
    "R002": Rule("warning", "a link to `http://`", "write `https://`", find_open_links),
    "R003": Rule("warning", "an address that tells on its readers: `utm_source`, `fbclid`", "cut it off",
                 find_tracked_links),
    "R004": Rule("warning", "two links of a chapter with the same words and different ends", "give each its own words",
                 find_double_meanings),
    "R005": Rule("advice", "a link that runs over more than 15 words", "link the few that name its end",
                 find_long_link_texts),
    "R010": Rule("warning", "a chapter, figure or table named by a number typed by hand",
                 "write `@ch:name`, `@fig:name`",
                 slip(_by_hand, "'{}' will be wrong one day; write @ch:, @fig: or @tbl: and its name"),
                 "text"),
    "R011": Rule("warning", "a page named by a number typed by hand", "refer to what stands there",
                 slip(_page_words, "'{}' is true of one layout only; refer to what stands there by its name"), "text"),
    "R012": Rule("advice", "*see above*, *see below*", "name the place", find_vague_places, "text"),
    "R020": Rule("warning", "a note's mark before the full stop", "put it after", find_early_marks),
    "R021": Rule("warning", "a space before a note's mark", "take it out", find_parted_marks),
    "R022": Rule("warning", "a note that breaks off without a mark", "end it with a full stop", find_endless_notes),
    "R023": Rule("advice", "a note of over 120 words", "take what matters into the text", find_long_notes),
    "R030": Rule("advice", "a work in the bibliography that nothing cites", "cite it, or take it out", find_idle_works),
    "R031": Rule("warning", "a work without author, editor or publisher", "add it", _lacking("author", _lacks_author)),
    "R032": Rule("warning", "an article, book or report without a year", "add it", _lacking("year", _lacks_date)),
    "R033": Rule("warning", "an article without its journal, a chapter without its book", "add it",
                 _lacking("journal or book", _lacks_source)),
    "R034": Rule("warning", "one work under two keys", "keep one", find_twin_works),
}  # fmt: skip
