"""Rules on printed pages: what a typesetter looks for before the book goes to the printer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ..leaves import HEADINGS, PROSE, Leaf, Line
from .galley import Galley, Rule, Spot
from .slips import show

_HYPHENS = ("-", "‐", "‑")
_MOST_HYPHENS = 3  # lines in a row that end with one
_TOLERANCE = 1.0  # pixel
_LOOSE = 0.45  # of the line's height, added to each space
_FEWEST_LINES = 4  # on a chapter's last page
_GAP = 0.4  # of the page's height
_RUNT = 5  # characters of a paragraph's last line
_STACK = 4  # lines in a row that begin or end with one word
_RIVER = 5  # lines through which a river runs
_RIVER_WIDTH = 0.4  # of the line's height


def _spot(galley: Galley, leaf: Leaf, line: Line, message: str) -> Iterator[Spot]:
    """At the line of the source the block begins on; what the press wrote itself is nobody's to mend."""
    home = galley.blocks.get(line.anchor)
    if home:
        yield Spot(home[1], f"page {leaf.label}: {message}", leaf=leaf.number)


def _chapter(galley: Galley, leaf: Leaf) -> str:
    """The chapter that the page ends in; empty for pages of the press itself."""
    homes = galley.blocks
    return next((homes[line.anchor][0] for line in reversed(leaf.lines) if line.anchor in homes), "")


def _list_blocks(leaf: Leaf) -> list[list[Line]]:
    """The lines of running text of a page, paragraph by paragraph."""
    blocks: dict[int, list[Line]] = {}
    for line in leaf.lines:
        if line.tag in PROSE:
            blocks.setdefault(line.block, []).append(line)
    return list(blocks.values())


def _count_lines(galley: Galley) -> Counter[int]:
    """How many lines each block has, over all pages."""
    return Counter(line.block for leaf in galley.leaves for line in leaf.lines)


def _edges(galley: Galley) -> Iterator[tuple[Leaf, Line, Line, Counter[int]]]:
    """Each page with its first and last line of text, and the lines its blocks have on it."""
    for leaf in galley.leaves:
        if leaf.prose:
            here = Counter(line.block for line in leaf.lines)
            yield (
                leaf,
                min(leaf.prose, key=lambda line: line.y),
                max(leaf.prose, key=lambda line: line.y),
                here,
            )


def find_widows(galley: Galley) -> Iterator[Spot]:
    total, seen = _count_lines(galley), Counter[int]()
    for leaf, first, _, here in _edges(galley):
        if first.tag in PROSE and here[first.block] == 1 and seen[first.block] == total[first.block] - 1 > 0:
            message = f"the last line of a paragraph, '{show(first.text)}', stands alone at the top"
            yield from _spot(galley, leaf, first, f"{message}; shorten or lengthen the paragraph")
        seen += here


def find_orphans(galley: Galley) -> Iterator[Spot]:
    total, seen = _count_lines(galley), Counter[int]()
    for leaf, _, last, here in _edges(galley):
        if last.tag in PROSE and here[last.block] == 1 < total[last.block] and not seen[last.block]:
            message = f"the first line of a paragraph, '{show(last.text)}', stands alone at the foot"
            yield from _spot(galley, leaf, last, f"{message}; shorten or lengthen what is above")
        seen += here


def find_low_headings(galley: Galley) -> Iterator[Spot]:
    for leaf, after in pairwise(galley.leaves):
        last = max(leaf.prose, key=lambda line: line.y, default=None)
        below = last and (leaf.filled - last.y) > 2 * last.height
        if (
            last
            and last.tag in HEADINGS - {"h1"}
            and not below
            and _chapter(galley, after) == _chapter(galley, leaf)
        ):
            yield from _spot(
                galley, leaf, last, f"the heading '{show(last.text)}' stands at the foot; move it on"
            )


def find_stacked_hyphens(galley: Galley) -> Iterator[Spot]:
    for leaf in galley.leaves:
        for lines in _list_blocks(leaf):
            run = 0
            for line in lines:
                run = run + 1 if line.text.rstrip().endswith(_HYPHENS) else 0
                if run == _MOST_HYPHENS + 1:
                    message = (
                        f"more than {_MOST_HYPHENS} lines in a row end with a hyphen, to '{show(line.text)}'"
                    )
                    yield from _spot(galley, leaf, line, f"{message}; change a word")


def find_overfull_lines(galley: Galley) -> Iterator[Spot]:
    for leaf in galley.leaves:
        for line in leaf.lines:
            if line.x + line.width > line.right + _TOLERANCE:
                over = (line.x + line.width - line.right) * 0.75
                message = (
                    f"'{show(line.text)}' runs {over:.0f} pt out of its column; break it, or change a word"
                )
                yield from _spot(galley, leaf, line, message)


def find_loose_lines(galley: Galley) -> Iterator[Spot]:
    for leaf in galley.leaves:
        for line in leaf.lines:
            if line.spread > _LOOSE * line.height:
                yield from _spot(
                    galley, leaf, line, f"the line '{show(line.text)}' has wide spaces; change a word"
                )


def find_scraps(galley: Galley) -> Iterator[Spot]:
    for leaf, after in zip(galley.leaves, (*galley.leaves[1:], None), strict=True):
        chapter = _chapter(galley, leaf)
        before = galley.leaves[leaf.number - 1] if leaf.number else None
        ends = not after or _chapter(galley, after) != chapter
        begun = before is not None and _chapter(galley, before) == chapter
        rows = {round(line.y) for line in leaf.lines}
        if chapter and ends and begun and 0 < len(rows) < _FEWEST_LINES and _is_text(leaf):
            message = f"the chapter ends with {len(rows)} lines on a page; shorten it or lengthen it"
            yield from _spot(galley, leaf, leaf.lines[0], message)


def _is_text(leaf: Leaf) -> bool:
    """Nothing but lines stands on the page."""
    return leaf.filled <= max(line.y + line.height for line in leaf.lines) + _TOLERANCE


def find_broken_words(galley: Galley) -> Iterator[Spot]:
    total = _count_lines(galley)
    for leaf, _, last, here in _edges(galley):
        goes_on = total[last.block] > here[last.block]
        if goes_on and last.text.rstrip().endswith(_HYPHENS[1:]):
            word = last.text.split()[-1]
            yield from _spot(galley, leaf, last, f"the word '{word}' is broken over the page; change a word")


def find_runts(galley: Galley) -> Iterator[Spot]:
    for leaf in galley.leaves:
        for lines in _list_blocks(leaf):
            text = lines[-1].text.strip()
            if len(lines) > 1 and len(text) < _RUNT and text[-1:] in ".!?…”’)":
                message = f"'{text}' is all that stands on the paragraph's last line; change a word"
                yield from _spot(galley, leaf, lines[-1], message)


def find_gaps(galley: Galley) -> Iterator[Spot]:
    for leaf, after in pairwise(galley.leaves):
        gap = (leaf.bottom - leaf.filled) / (leaf.bottom - leaf.top)
        goes_on = _chapter(galley, leaf) == _chapter(galley, after) != ""
        if gap > _GAP and goes_on and leaf.lines:
            message = f"{gap:.0%} of the page stays blank; let what comes next break, or move it"
            yield from _spot(galley, leaf, leaf.lines[-1], message)


def find_stacked_words(galley: Galley) -> Iterator[Spot]:
    for leaf in galley.leaves:
        for lines in _list_blocks(leaf):
            for end in (0, -1):
                words = [re.sub(r"\W", "", (line.text.split() or [""])[end]).casefold() for line in lines]
                for start in range(len(words) - _STACK + 1):
                    same = set(words[start : start + _STACK])
                    if len(same) == 1 and (word := same.pop()):
                        where = "begin" if end == 0 else "end"
                        message = f"{_STACK} lines in a row {where} with '{word}'; change a word"
                        yield from _spot(galley, leaf, lines[start], message)
                        break


def find_rivers(galley: Galley) -> Iterator[Spot]:
    """White that runs down through the spaces of several lines."""
    for leaf in galley.leaves:
        for lines in _list_blocks(leaf):
            river: Sequence[tuple[float, float]] = ()
            length = 0
            for line in lines:
                wide = _RIVER_WIDTH * line.height
                gaps = [(start, end) for start, end in line.gaps if end - start > wide]
                meeting = [
                    gap for gap in gaps if any(gap[0] < end and start < gap[1] for start, end in river)
                ]
                length = length + 1 if meeting else 1
                river = meeting or gaps
                if length == _RIVER:
                    yield from _spot(
                        galley,
                        leaf,
                        line,
                        f"a river of white runs down to '{show(line.text)}'; change a word",
                    )


#: P001 to P019; asked with --pages.
PAGES: Mapping[str, Rule] = {
    "P001": Rule("warning", "the last line of a paragraph alone at the top of a page", "change its length", find_widows,
                 "pages"),
    "P002": Rule("warning", "the first line of a paragraph alone at the foot of a page", "change what is above",
                 find_orphans, "pages"),
    "P003": Rule("warning", "a heading at the foot of a page", "change what is above", find_low_headings, "pages"),
    "P004": Rule("warning", "more than three lines in a row that end with a hyphen", "change a word",
                 find_stacked_hyphens, "pages"),
    "P005": Rule("warning", "a line that runs out of its column", "break it, or change a word", find_overfull_lines,
                 "pages"),
    "P006": Rule("warning", "a chapter whose last page has fewer than four lines", "change its length", find_scraps,
                 "pages"),
    "P007": Rule("warning", "over four tenths of a page blank within a chapter", "let what follows break, or move it",
                 find_gaps, "pages"),
    "P010": Rule("advice", "a line with wide spaces", "change a word", find_loose_lines, "pages"),
    "P011": Rule("advice", "a word broken from one page to the next", "change a word", find_broken_words, "pages"),
    "P012": Rule("advice", "a paragraph whose last line has fewer than five letters", "change a word", find_runts,
                 "pages"),
    "P013": Rule("advice", "four lines in a row that begin or end with the same word", "change a word",
                 find_stacked_words, "pages"),
    "P014": Rule("advice", "a river: white that runs down through five lines", "change a word", find_rivers, "pages"),
}  # fmt: skip
