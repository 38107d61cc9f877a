"""What a format is told beside the book and the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .config import Print
from .locators import Pages
from .typeset import Type


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover as a picture to show (JPEG) and, when it was drawn from the title, as vector art (SVG)."""

    alt: str
    jpeg: bytes = b""
    vector: bytes = b""


@dataclass(frozen=True, slots=True)
class BookPicture:
    """A picture of the manuscript: `source` is how chapters call it, `data` what print shows.

    `path` is where the e-book keeps it; `files` are all it needs there (name, media type, bytes).
    """

    source: str
    data: bytes = b""
    path: str = ""
    ratio: float = 1.0  # height over width
    files: tuple[tuple[str, str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels inside an archived PDF; `relationship` is PDF's word for what it is to the book."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    description: str
    relationship: Literal["Alternative", "Source"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`file_name` has no suffix; `pages` are those of the PDF, for a format that follows it."""

    file_name: str
    type: Type
    cover: Cover | None = None
    page: str = ""
    embed_fonts: bool = True
    pictures: tuple[BookPicture, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    places: Pages = field(default_factory=Pages)  # where the PDF has what the index leads to
    page_source: str = ""  # what the page numbers count: the PDF's identifier
    attachments: tuple[Attachment, ...] = ()  # for the archive
    stores: tuple[str, ...] = ()  # shops that get an EPUB of their own
    print: Print = field(default_factory=Print)  # for the printing house
    say: Callable[[str], None] = field(default=lambda _: None, compare=False)  # hears of each stage
