"""What stands before a chapter's text: cut it off, and hold what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Date  # a field is called date
from types import MappingProxyType

from ..errors import ManuscriptError, Place
from ..model import Kind, Mailing

MAX_SIZE = 64_000  # characters

_FENCE = re.compile(r"---[ \t]*")
_END = re.compile(r"(---|\.\.\.)[ \t]*")
_YAML_BREAKS = str.maketrans("\x85\u2028\u2029", "   ")  # line ends to YAML, to no one else


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says; `lines` holds the line of each key that is there."""

    title: str = ""
    subtitle: str = ""
    slug: str = ""
    kind: Kind = "chapter"
    lang: str = ""
    authors: tuple[str, ...] = ()
    summary: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    date: Date | None = None
    reviewed: Date | None = None
    editions: tuple[str, ...] = ()
    status: str = ""
    issue: Mailing | None = None
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def split_header(text: str, source: str) -> tuple[str | None, str, int]:
    """The header's YAML or None, the body, and the line of `source` it begins on.

    Raises ManuscriptError for a header that never ends or is larger than MAX_SIZE.
    """
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if not _FENCE.fullmatch(lines[start]):
        return None, text, 1
    end = next((number for number in range(start + 1, len(lines)) if _END.fullmatch(lines[number])), None)
    if end is None:
        raise ManuscriptError(
            "the header that begins here never ends; close it with a line ---, or mark a scene break by ***",
            Place(source, start + 1),
        )
    # Blank lines keep YAML's own line numbers those of the file.
    header = "\n" * (start + 1) + "\n".join(lines[start + 1 : end]).translate(_YAML_BREAKS)
    if len(header) > MAX_SIZE:
        raise ManuscriptError(
            f"the header is larger than {MAX_SIZE} characters; shorten it", Place(source, start + 1)
        )
    return header, "\n".join(lines[end + 1 :]), end + 2
