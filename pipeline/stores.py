"""What the book shops take, where they contradict each other, as one table (rules E08, E18, I02-I04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Store:
    """One shop's rules for an EPUB; `by_hand` is what no program on this machine can look at."""

    title: str
    cover_page: bool = True  # the cover is a page of its own, not only a picture in the package
    levels: int = 9  # of the NCX
    cover_short: int = 1400  # pixels of the cover's shorter side
    cover_bytes: int = 20 * MB
    picture_pixels: int = 4_000_000
    picture_bytes: int = 1_500_000
    book_bytes: int = 650 * MB
    by_hand: tuple[str, ...] = ()


STORES: Mapping[str, Store] = {
    "generic": Store("Any shop", by_hand=("Read a chapter on a telephone and on a reader with e-ink.",)),
    "kindle": Store(
        "Kindle (KDP)", cover_page=False, picture_pixels=5_000_000, picture_bytes=5 * MB,
        by_hand=(
            "Open the file in Kindle Previewer (Windows, macOS) in all of its devices.",
            "Give the cover to the form of the shop as well: a JPEG of 1600 by 2560 pixels.",
            "Look at tables and at the index on the smallest screen.",
        ),
    ),
    "kobo": Store(
        "Kobo", levels=2, cover_bytes=3 * MB, picture_bytes=5 * MB,
        by_hand=("Read a chapter on a Kobo: the menu shows two levels of headings.",),
    ),
    "apple": Store(
        "Apple Books", book_bytes=1000 * MB,
        by_hand=(
            "Open the file in Books (macOS, iOS), in light and dark, and open a few notes: each is a popup.",
            "Have Apple's Transporter verify it before you send it.",
        ),
    ),
}  # fmt: skip
