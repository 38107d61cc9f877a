"""Rules on pictures: what their alternative texts say, and whether their files do for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import Place
from ..model import Node, plain
from .galley import Galley, Rule, Spot

_LONG_ALT, _SHORT_ALT = 300, 12  # characters
_TEXT_WIDTH = 4.25  # inches, of a page of 6 by 9
_SCREEN_DPI, _PRINT_DPI = 150, 300
_HEAVY = 5_000_000  # bytes


def _described(galley: Galley) -> Iterator[tuple[Node, Place, str]]:
    """Every picture that has an alternative text."""
    for node, place in galley.find("image"):
        if alt := node.attrs["alt"].strip():
            yield node, place, alt


def find_named_alt(galley: Galley) -> Iterator[Spot]:
    for _, place, alt in _described(galley):
        for words in galley.language().picture_words:
            if alt.lower().startswith(f"{words} "):
                yield Spot(
                    place,
                    f"the alternative text begins with '{words}', which is said anyhow; begin with what is seen",
                )
                break


def find_long_alt(galley: Galley) -> Iterator[Spot]:
    for _, place, alt in _described(galley):
        if len(alt) > _LONG_ALT:
            yield Spot(
                place, f"the alternative text has {len(alt)} characters; tell in the text what it shows"
            )


def find_short_alt(galley: Galley) -> Iterator[Spot]:
    for _, place, alt in _described(galley):
        if len(alt) < _SHORT_ALT:
            yield Spot(place, f"'{alt}' says little of a picture; write a sentence on what it shows")


def find_twin_alt(galley: Galley) -> Iterator[Spot]:
    seen: dict[str, str] = {}
    for node, place, alt in _described(galley):
        first = seen.setdefault(alt, node.attrs["src"])
        if first != node.attrs["src"]:
            yield Spot(place, f"the alternative text is that of {first} too; say in what the two differ")


def _list_rasters(galley: Galley) -> Iterator[tuple[Place, str, float]]:
    """Photographs with their place, their name and their dots to the inch on a page of 6 by 9."""
    widths = {
        child.attrs["src"]: node.attrs.get("width", "100%").rstrip("%")
        for node, _ in galley.find("figure")
        for child in node.children
        if child.kind == "image"
    }
    for node, place in galley.find("image"):
        file = galley.files.get(node.attrs["src"])
        if file and not file.is_drawing and node.attrs["src"] in widths:
            inches = _TEXT_WIDTH * int(widths[node.attrs["src"]]) / 100
            yield place, node.attrs["src"], file.width / inches


def find_coarse_pictures(galley: Galley) -> Iterator[Spot]:
    for place, name, dpi in _list_rasters(galley):
        if dpi < _SCREEN_DPI:
            yield Spot(
                place, f"{name} has {dpi:.0f} dots to the inch and looks coarse; {_SCREEN_DPI} are the least"
            )


def find_unprintable_pictures(galley: Galley) -> Iterator[Spot]:
    for place, name, dpi in _list_rasters(galley):
        if _SCREEN_DPI <= dpi < _PRINT_DPI:
            yield Spot(place, f"{name} has {dpi:.0f} dots to the inch; a print shop wants {_PRINT_DPI}")


def find_heavy_pictures(galley: Galley) -> Iterator[Spot]:
    for src, file in galley.files.items():
        if file.size > _HEAVY:
            place = next(place for node, place in galley.find("image") if node.attrs["src"] == src)
            yield Spot(place, f"{src} has {file.size / 1e6:.1f} MB; save it with fewer pixels")


def find_idle_pictures(galley: Galley) -> Iterator[Spot]:
    for path in galley.idle:
        yield Spot(Place(path), "no chapter shows this picture; show it, or take the file away")


def find_uneven_captions(galley: Galley) -> Iterator[Spot]:
    """The captions of a book end all with a full stop, or all without."""
    captions = [(place, plain(node.children).rstrip()) for node, place in galley.find("caption")]
    told = [(place, text) for place, text in captions if text and text[-1] not in "!?…”’"]
    stopped = [place for place, text in told if text.endswith(".")]
    bare = [place for place, text in told if not text.endswith(".")]
    if min(len(stopped), len(bare)) and len(told) > 2:
        for place in min(stopped, bare, key=len):
            how = "without" if len(bare) < len(stopped) else "with"
            yield Spot(place, f"this caption ends {how} a full stop, most others do not; write all alike")


#: I001 to I019; see `galley.Rule`.
PICTURES: Mapping[str, Rule] = {
    "I001": Rule("warning", "an alternative text that begins with *image of*", "begin with what is seen",
                 find_named_alt),
    "I002": Rule("advice", "an alternative text of over 300 characters", "tell it in the text", find_long_alt),
    "I003": Rule("warning", "an alternative text of under 12 characters", "write a sentence", find_short_alt),
    "I004": Rule("warning", "two pictures with the same alternative text", "say in what they differ", find_twin_alt),
    "I010": Rule("warning", "a picture of under 150 dots to the inch on the page", "give a larger file",
                 find_coarse_pictures),
    "I011": Rule("advice", "a picture of under 300 dots to the inch, too few for print", "give a larger file",
                 find_unprintable_pictures),
    "I012": Rule("warning", "a picture's file of over 5 MB", "save it with fewer pixels", find_heavy_pictures),
    "I013": Rule("advice", "a picture that no chapter shows", "show it, or take the file away", find_idle_pictures),
    "I014": Rule("advice", "captions that end some with a full stop, some without", "write all alike",
                 find_uneven_captions),
}  # fmt: skip
