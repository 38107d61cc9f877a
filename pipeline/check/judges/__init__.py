"""The outside judges: one row each says what it reads, how to find it and how to ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import books, browser, emc, npm, spam
from .programs import Command, Findings

ISSUE = "issue folder"
#: PDFs with a purpose have two suffixes.
ARCHIVE, PAGES, COVER = ".archive.pdf", ".print.pdf", ".cover.pdf"


@dataclass(frozen=True, slots=True)
class Judge:
    """One validator: the kinds of files it reads, and whether one process takes many of them."""

    name: str
    kinds: tuple[str, ...]  # suffixes, or ISSUE
    find: Callable[[], Command]
    ask: Callable[[Command, Sequence[Path]], Findings]
    takes_many: bool


JUDGES = (
    Judge("EPUBCheck", (".epub",), books.find_epubcheck, books.ask_epubcheck, takes_many=True),
    Judge("Ace", (".epub",), books.find_ace, books.ask_ace, takes_many=False),
    Judge(
        "veraPDF",
        (".pdf", ARCHIVE),
        books.find_verapdf,
        partial(books.ask_verapdf, profile="ua1"),
        takes_many=True,
    ),
    Judge(
        "veraPDF 3a",
        (ARCHIVE,),
        books.find_verapdf,
        partial(books.ask_verapdf, profile="3a"),
        takes_many=True,
    ),
    Judge("qpdf", (".pdf", ARCHIVE, PAGES, COVER), books.find_qpdf, books.ask_qpdf, takes_many=False),
    Judge("caniemail", (ISSUE,), partial(npm.find_npm, "caniemail"), npm.ask_npm, takes_many=True),
    Judge("html-validate", (ISSUE,), partial(npm.find_npm, "html-validate"), npm.ask_npm, takes_many=True),
    Judge("axe", (ISSUE,), browser.find_axe, browser.ask_axe, takes_many=True),
    Judge("SpamAssassin", (ISSUE,), spam.find_spamassassin, spam.ask_spamassassin, takes_many=True),
    Judge("EMC", (ISSUE,), emc.find_emc, emc.ask_emc, takes_many=True),
)


def name_kind(path: Path) -> str:
    """The kind of file by which the rows of JUDGES know it."""
    if path.is_dir():
        return ISSUE
    both = "".join(path.suffixes[-2:])
    return both if both in {ARCHIVE, PAGES, COVER} else path.suffix
