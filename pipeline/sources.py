"""Read a text file that an author wrote: UTF-8 with even line ends, or an error with a way to get there."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from .errors import ManuscriptError, PipelineError, Place

#: What XML 1.0 section 2.2 cannot hold, so no EPUB could.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MEGABYTE = 1_000_000


def read_source(
    path: Path, source: str, *, limit: int = 5 * _MEGABYTE, error: type[PipelineError] = ManuscriptError
) -> str:
    """The text of `path`, without byte order mark, every line end a line feed.

    `source` is the path as messages show it; `limit` is in bytes, asked for before reading.
    Raises `error` for a file that is missing, closed to us, too large, or not UTF-8 text.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= limit else b""
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise error(f"cannot be read: {reason}; check the file and its rights", Place(source)) from None
    if size > limit:
        raise error(
            f"is too large: {size / _MEGABYTE:.1f} MB, {limit / _MEGABYTE:.3g} MB are allowed; split it",
            Place(source),
        )
    return _decode(data, source, error)


def _decode(data: bytes, source: str, error: type[PipelineError]) -> str:
    if data.startswith(_UTF16_MARKS) or data.count(0) * 4 > len(data):
        raise error(f"is UTF-16, not UTF-8; {_tell_cure(source, 'UTF-16')}", Place(source))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        place = Place(source, _count_lines(data[: problem.start]))
        byte = data[problem.start]
        raise error(f"byte 0x{byte:02X} is not UTF-8; {_tell_cure(source, 'CP1252')}", place) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if match := FORBIDDEN.search(text):
        place = Place(source, text.count("\n", 0, match.start()) + 1)
        raise error(f"holds the control character U+{ord(match[0]):04X}; delete it", place)
    return text


def _count_lines(data: bytes) -> int:
    """The line that follows `data`, whichever way its lines end."""
    return len((data + b".").splitlines())


def _tell_cure(source: str, encoding: str) -> str:
    return f'save it as UTF-8 in your editor, or run: iconv -f {encoding} -t UTF-8 "{source}" > new.md'
