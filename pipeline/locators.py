"""Say where something stands as an index does: each page once, pages in a row as a range."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from .markup import Rule
from .model import Node

_FEWEST = 3  # pages in a row that are printed as a range


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a book: `labels` as they are printed, and on which of them, counted from 0, each id stands."""

    labels: Sequence[str] = ()
    of: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Locator:
    """What is printed, such as "ix" or "5\u20137", and the place it leads to."""

    text: str
    place: Node


def list_locators(places: Iterable[Node], pages: Pages) -> list[Locator]:
    """Pages in their order; where there are none, the chapters."""
    if not pages.labels:
        first: dict[str, Node] = {}
        for place in places:
            first.setdefault(place.attrs["chapter"], place)
        return [Locator(place.attrs["label"], place) for place in first.values()]
    spans = _join_overlaps(sorted((_span(place, pages) for place in places), key=lambda span: span[:2]))
    return [
        Locator(_print_span(start, end, pages.labels), place)
        for start, end, place in _join_neighbours(spans, pages.labels)
    ]


#: The first page, the last page, and the place that begins there.
Span = tuple[int, int, Node]


def _span(place: Node, pages: Pages) -> Span:
    start = pages.of[place.attrs["href"][1:]]
    return start, max(start, pages.of.get(place.attrs.get("until", ""), start)), place


def _join_overlaps(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end, place in spans:
        if joined and start <= joined[-1][1]:
            first, last, before = joined[-1]
            joined[-1] = (first, max(last, end), before)
        else:
            joined.append((start, end, place))
    return joined


def _join_neighbours(spans: Iterable[Span], labels: Sequence[str]) -> list[Span]:
    """Pages in a row become one range when there are enough of them; two numberings never do."""
    rows: list[list[Span]] = []
    for span in spans:
        if rows and _follows(rows[-1][-1], span, labels):
            rows[-1].append(span)
        else:
            rows.append([span])
    found: list[Span] = []
    for row in rows:
        start, end = row[0][0], row[-1][1]
        found += [(start, end, row[0][2])] if end - start + 1 >= _FEWEST else row
    return found


def _follows(before: Span, after: Span, labels: Sequence[str]) -> bool:
    same = labels[before[1]].isdigit() == labels[after[0]].isdigit()
    return same and after[0] == before[1] + 1


def _print_span(start: int, end: int, labels: Sequence[str]) -> str:
    return labels[start] if start == end else f"{labels[start]}\u2013{labels[end]}"


def write_places(pages: Pages, link: Callable[[Node], str]) -> Rule:
    """A rule for the places of an entry; `link` says where each of them is."""
    return lambda _, node: "".join(
        f', <a class="place" href="{escape(link(locator.place))}">{escape(locator.text)}</a>'
        for locator in list_locators(node.children, pages)
    )
