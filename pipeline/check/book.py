"""Rules on the manuscript: what a reader, or a reader's software, would stumble over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePosixPath

from ..errors import Place
from ..model import Node, plain
from .galley import Galley, Rule, Spot
from .words import list_vague_links

_LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|TBD|TK)\b|(?i:\blorem ipsum\b)")
_FIELD = re.compile(r"@@[a-z_]+@@")


def _is_decorative(node: Node) -> bool:
    return "decorative" in node.attrs.get("class", "")


def find_missing_alt(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("image"):
        if not node.attrs["alt"].strip() and not _is_decorative(node):
            yield Spot(
                place,
                "the picture has no alternative text; write ![What it shows.](...) or mark it {.decorative}",
            )


def find_poor_alt(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("figure", "image"):
        image = node if node.kind == "image" else next(c for c in node.children if c.kind == "image")
        alt = image.attrs["alt"].strip()
        caption = next((plain(c.children) for c in node.children if c.kind == "caption"), "")
        name = PurePosixPath(image.attrs["src"]).stem
        if alt and alt.lower() in {name.lower(), PurePosixPath(image.attrs["src"]).name.lower()}:
            yield Spot(place, "the alternative text is the file's name; say what the picture shows")
        elif alt and caption and alt.rstrip(".") == caption.strip().rstrip("."):
            yield Spot(place, "the alternative text repeats the caption; say what the picture shows")
        elif alt and node.kind == "image" and alt[-1] not in ".!?…":
            yield Spot(place, "the alternative text is no sentence; end it with a full stop")


def find_skipped_levels(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.book.chapters:
        level = 1
        for node in chapter.walk():
            if node.kind == "heading":
                found = int(node.attrs["level"])
                if found > level + 1:
                    yield Spot(
                        Place(chapter.source, node.line),
                        f"a heading of level {found} follows level {level}; write {'#' * (level + 1)}",
                    )
                level = found


def find_empty_headings(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("heading"):
        if not plain(node.children).strip():
            yield Spot(place, "the heading has no words; write them or take it out")


def find_leftovers(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("text"):
        for found in _LEFTOVER.finditer(node.text):
            yield Spot(place, f"'{found[0]}' was left in the text; finish it or take it out")


def find_vague_links(galley: Galley) -> Iterator[Spot]:
    vague = list_vague_links(galley.book.language)
    for node, place in galley.find("link"):
        words = plain(node.children).strip(" .…›»→>")
        if words.casefold() in vague:
            yield Spot(place, f"the link says only '{words}'; let its words say where it leads")
        elif not words:
            yield Spot(place, "the link has no words; nobody can follow it")


def find_merge_fields(galley: Galley) -> Iterator[Spot]:
    """A book is printed for everybody, so nobody's name can be filled in."""
    for node, place in galley.find("text", "code", "link"):
        for found in _FIELD.finditer(node.text or node.attrs.get("href", "")):
            yield Spot(
                place,
                f"{found[0]} is filled in letters alone; put it between ::: only output=email and :::",
            )


def find_drafts(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.book.chapters:
        if chapter.status == "draft":
            yield Spot(
                Place(chapter.source),
                "the chapter's status is 'draft'; make it 'final' before you hand the book out",
            )


def find_stale_reviews(galley: Galley) -> Iterator[Spot]:
    most = galley.check.reviewed_months
    for chapter in galley.book.chapters:
        if chapter.reviewed and count_months(chapter.reviewed, galley.today) > most:
            message = f"reviewed on {chapter.reviewed}, over {most} months ago; read it again"
            yield Spot(Place(chapter.source), message)


def count_months(then: date, now: date) -> int:
    return (now.year - then.year) * 12 + now.month - then.month


def find_empty_chapters(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.book.chapters:
        if not chapter.body and chapter.kind != "part":
            yield Spot(Place(chapter.source), "the chapter is empty; write it or take the file out")


def find_orphans(galley: Galley) -> Iterator[Spot]:
    """A figure or table with an id of its own wants to be mentioned in the text."""
    named = {node.attrs["href"][1:] for node, _ in galley.find("reference", "link") if _leads_inside(node)}
    for node, place in galley.find("figure", "table"):
        if "auto" not in node.attrs and node.id not in named:
            prefix = "fig" if node.kind == "figure" else "tbl"
            yield Spot(place, f"nothing refers to @{prefix}:{node.id}; mention it in the text or drop the id")


def _leads_inside(node: Node) -> bool:
    return node.attrs.get("href", "").startswith("#")


#: M017 and M040 to M049; those that are errors keep a book from being made.
MANUSCRIPT: Mapping[str, Rule] = {
    "M017": Rule(
        "error", "a merge field such as `@@first_name@@` that a book would print",
        "put it between `::: only output=email` and `:::`", find_merge_fields,
    ),
    "M040": Rule(
        "error", "a picture without alternative text", "say what it shows, or mark it `{.decorative}`", find_missing_alt
    ),
    "M041": Rule(
        "warning", "an alternative text that says nothing: a file's name, the caption again, no sentence",
        "say what the picture shows", find_poor_alt,
    ),
    "M042": Rule("error", "a heading that skips a level", "take away a `#`", find_skipped_levels),
    "M043": Rule("error", "a heading without words", "write them", find_empty_headings),
    "M044": Rule(
        "warning", "a note to oneself left in the text, such as `TBD`", "finish it, or take it out", find_leftovers
    ),
    "M045": Rule(
        "warning", "a link that says only *here* or *more*", "let its words say where it leads", find_vague_links
    ),
    "M046": Rule("warning", "a chapter that is still a draft", "make its `status` `final`", find_drafts),
    "M047": Rule(
        "warning", "a chapter reviewed longer ago than `[check] reviewed_months`",
        "read it again, and change `reviewed`",
        find_stale_reviews,
    ),
    "M048": Rule("warning", "an empty chapter", "write it, or take the file out", find_empty_chapters),
    "M049": Rule(
        "warning", "a named picture or table that the text never mentions", "mention it, or drop the name", find_orphans
    ),
}  # fmt: skip
