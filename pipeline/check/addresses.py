"""Rules on addresses of the web, for whoever has them asked: those that are gone, moved, or silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..errors import Place
from .galley import Galley, Rule, Spot, State


def _answered(state: State, message: str) -> Callable[[Galley], Iterator[Spot]]:
    """A rule on addresses that gave this answer; `{}` in its message are the address and what was said."""

    def find(galley: Galley) -> Iterator[Spot]:
        for url, place in _list_places(galley):
            answer = galley.answers.get(url)
            if answer and answer.state == state:
                yield Spot(place, message.format(url, answer.detail))

    return find


def _list_places(galley: Galley) -> Iterator[tuple[str, Place]]:
    """Every address with the line it is written on: in a chapter, or in the bibliography."""
    file = galley.config.bibliography.file if galley.config else ""
    for chapter in galley.chapters:
        for node in chapter.walk():
            if node.kind == "link":
                yield node.attrs.get("href", "").partition("#")[0], Place(chapter.source, node.line)
    for key, work in galley.works.records.items():
        place = Place(file, galley.works.lines.get(key, 0))
        if "DOI" in work:
            yield f"https://doi.org/{work['DOI']}", place
        if "URL" in work:
            yield str(work["URL"]).partition("#")[0], place


#: R040 to R049; asked with --online.
ADDRESSES: Mapping[str, Rule] = {
    "R040": Rule("warning", "an address that is gone", "write the new one, or take the link out",
                 _answered("dead", "{} is gone: {}; write the new address, or take it out"), "online"),
    "R041": Rule("advice", "an address that has moved for good", "write where it leads to",
                 _answered("moved", "{} has moved for good; write {}"), "online"),
    "R042": Rule("advice", "an address that gave no answer: it was not looked at", "look yourself",
                 _answered("silent", "{} could not be looked at: {}; open it yourself"), "online"),
}  # fmt: skip
