"""Rules on headings and sections: how they are worded, and how they divide a chapter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ..errors import Place
from ..model import Chapter, Node, plain
from .galley import Galley, Rule, Spot
from .languages import Language

_LONG_HEADING = 70  # characters
_LONG_SECTION = 2000  # words
_SHORT_CHAPTER = 60  # words
_FEWEST_HEADINGS = 6  # to tell a habit from
_HABIT = 0.75


def _headings(chapter: Chapter) -> list[tuple[int, Node]]:
    """Level and node of the headings of a chapter's own text, not of boxes."""
    return [(int(node.attrs["level"]), node) for node in chapter.body if node.kind == "heading"]


def _spot(chapter: Chapter, node: Node, message: str) -> Spot:
    return Spot(Place(chapter.source, node.line), message)


def _count_words(nodes: Sequence[Node]) -> int:
    return sum(len(node.text.split()) for top in nodes for node in top.walk() if node.kind == "text")


def find_lone_sections(galley: Galley) -> Iterator[Spot]:
    """A text that is divided has two parts at least."""
    for chapter in galley.chapters:
        headings = _headings(chapter)
        for number, (level, node) in enumerate(headings):
            before = next((other for other, _ in reversed(headings[:number]) if other <= level), level - 1)
            after = next((other for other, _ in headings[number + 1 :] if other <= level), level - 1)
            if before < level and after < level:
                title = plain(node.children)
                yield _spot(
                    chapter, node, f"'{title}' is the only section here; divide in two, or do without"
                )


def find_long_headings(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for _, node in _headings(chapter):
            if (length := len(plain(node.children))) > _LONG_HEADING:
                yield _spot(
                    chapter, node, f"the heading has {length} characters; {_LONG_HEADING} fit the contents"
                )


def find_stopped_headings(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        short = galley.language(chapter.lang).abbreviations
        for _, node in _headings(chapter):
            text = plain(node.children).rstrip()
            if re.search(r"[^.…][.:,;]$", text) and text[:-1].split()[-1] not in short:
                yield _spot(chapter, node, f"the heading ends with '{text[-1]}'; take it out")


def find_shouted_headings(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        titles = [(node, plain(node.children)) for _, node in _headings(chapter)]
        titles.append((Node("heading", line=chapter.title_line), chapter.title))
        for node, text in titles:
            if text.isupper() and len(re.findall(r"[^\W\d_]{2,}", text)) > 1:
                yield _spot(
                    chapter, node, f"'{text}' stands in capitals; write small letters, the layout may enlarge"
                )


def find_odd_capitals(galley: Galley) -> Iterator[Spot]:
    """Headings of one level are all written as titles, or all as sentences."""
    levels: dict[int, list[tuple[Chapter, Node, str]]] = {}
    for chapter in galley.chapters:
        for level, node in _headings(chapter):
            if style := _name_style(plain(node.children), galley.language(chapter.lang)):
                levels.setdefault(level, []).append((chapter, node, style))
    for headings in levels.values():
        usual, times = Counter(style for *_, style in headings).most_common(1)[0]
        if len(headings) < _FEWEST_HEADINGS or times < _HABIT * len(headings) or times == len(headings):
            continue
        for chapter, node, style in headings:
            if style != usual:
                message = (
                    f"'{plain(node.children)}' has the capitals of a {style}; {times} others are {usual}s"
                )
                yield _spot(chapter, node, f"{message}: choose one")


def _name_style(text: str, language: Language) -> str:
    """Whether a heading is written as a title or as a sentence; nothing when it could be either."""
    if not language.small_words:
        return ""
    words = [
        word for word in re.findall(r"[^\W\d_][\w’'-]*", text)[1:] if word.lower() not in language.small_words
    ]
    capitals = sum(word[0].isupper() for word in words)
    if len(words) < 2 or 0 < capitals < len(words):
        return ""
    return "title" if capitals else "sentence"


def find_twins(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        seen: dict[tuple[int, str], int] = {}
        for level, node in _headings(chapter):
            title = plain(node.children)
            first = seen.setdefault((level, title.casefold()), node.line)
            if first != node.line:
                yield _spot(
                    chapter, node, f"'{title}' is a heading in line {first} already; give one another name"
                )


def find_twin_chapters(galley: Galley) -> Iterator[Spot]:
    seen: dict[str, str] = {}
    for chapter in galley.chapters:
        first = seen.setdefault(chapter.title.casefold(), chapter.source)
        if first != chapter.source and chapter.title:
            place = Place(chapter.source, chapter.title_line)
            yield Spot(place, f"'{chapter.title}' is the title of {first} too; give one another name")


def find_stacked_headings(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for node, after in pairwise(chapter.body):
            if node.kind == after.kind == "heading" and after.attrs["level"] > node.attrs["level"]:
                yield _spot(chapter, after, "a heading follows a heading; say in a sentence what comes")


def find_empty_sections(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for node, after in pairwise([*chapter.body, Node("heading", attrs={"level": "1"})]):
            if node.kind == after.kind == "heading" and after.attrs["level"] <= node.attrs["level"]:
                title = plain(node.children)
                yield _spot(
                    chapter, node, f"nothing stands below '{title}'; write it, or take the heading out"
                )


def find_long_sections(galley: Galley) -> Iterator[Spot]:
    """A long text without a heading, where other chapters have some: a novel needs none."""
    if not any(_headings(chapter) for chapter in galley.chapters):
        return
    for chapter in galley.chapters:
        starts = [0, *(place for place, node in enumerate(chapter.body) if node.kind == "heading")]
        for start, end in pairwise([*starts, len(chapter.body)]):
            words = _count_words(chapter.body[start:end])
            if words > _LONG_SECTION:
                message = f"{words:,} words without a heading; help those who look for their place"
                yield _spot(chapter, chapter.body[start], message)


def find_short_chapters(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        if (
            chapter.kind == "chapter"
            and chapter.body
            and (words := _count_words(chapter.body)) < _SHORT_CHAPTER
        ):
            message = f"the chapter has {words} words; join it to another, or say what it is with kind:"
            yield Spot(Place(chapter.source), message)


def find_false_headings(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for node in chapter.body:
            bold = node.kind == "paragraph" and [child.kind for child in node.children] == ["strong"]
            if bold and not re.search(r"[.!?…:,]\W*$", text := plain(node.children)):
                yield _spot(chapter, node, f"'{text}' is a heading that no contents list; write ## before it")


#: S001 to S019; see `galley.Rule`.
HEADINGS: Mapping[str, Rule] = {
    "S001": Rule("advice", "a section that is the only one of its chapter", "divide in two, or do without",
                 find_lone_sections),
    "S002": Rule("warning", "a heading of over 70 characters", "shorten it", find_long_headings),
    "S003": Rule("warning", "a heading that ends with a full stop or a colon", "take it out", find_stopped_headings),
    "S004": Rule("warning", "a heading in capitals", "write small letters", find_shouted_headings),
    "S005": Rule("warning", "capitals as in a title among headings written as sentences, or the reverse",
                 "write all alike", find_odd_capitals),
    "S006": Rule("warning", "a heading that a chapter has twice", "give one another name", find_twins),
    "S007": Rule("warning", "two chapters of one title", "give one another name", find_twin_chapters),
    "S008": Rule("advice", "a heading right below a heading", "say in a sentence what comes", find_stacked_headings),
    "S009": Rule("warning", "a heading with nothing below it", "write it, or take it out", find_empty_sections),
    "S010": Rule("advice", "over 2,000 words without a heading, in a book that has headings", "divide them",
                 find_long_sections),
    "S011": Rule("advice", "a chapter of fewer than 60 words", "join it to another", find_short_chapters),
    "S012": Rule("warning", "a bold line that stands for a heading", "write `##`", find_false_headings),
}  # fmt: skip
