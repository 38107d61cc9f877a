"""Read the rows of a CSV file one by one: a bad one is named, and does not spoil those behind it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

MAX_LINE, MAX_CELL = 100_000, 10_000  # bytes, characters
#: What the csv module says, and what it means.
REASONS = {
    "unexpected end of data": "a quote opens here and does not close",
    "field larger than field limit": f"a cell has more than {MAX_CELL:,} characters, or its quote does not close",
    "expected after": "a quote stands in the middle of a cell",
    "new-line character": "a line break stands in a cell without quotes",
}


class BadRow(str):
    """Why a row cannot be read."""

    __slots__ = ()


class Lines:
    """The lines of a file as text; `offset` and `line` tell how far it was read."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int, line: int) -> None:
        self.file, self.encoding, self.offset, self.line = file, encoding, offset, line
        file.seek(offset)

    def __iter__(self) -> Iterator[str]:
        read, encoding = self.file.readline, self.encoding
        while raw := read(MAX_LINE):
            self.offset += len(raw)
            self.line += 1
            if len(raw) == MAX_LINE:
                raise ValueError(f"the line has more than {MAX_LINE:,} bytes")
            if b"\0" in raw:
                raise ValueError("the row holds a NUL character")
            yield raw.decode(encoding)

    def skip(self, offset: int, line: int) -> None:
        """Go behind the line `line`, which begins at `offset`."""
        self.file.seek(offset)
        self.offset, self.line = offset, line
        while raw := self.file.readline(MAX_LINE):
            self.offset += len(raw)
            if raw.endswith(b"\n"):
                break


def read_rows(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Yield each row with the line it begins on; `lines.offset` then stands behind it.

    After a row that cannot be read it goes on with the line below the one where that row began.
    """
    csv.field_size_limit(MAX_CELL)
    while True:
        start, first = lines.offset, lines.line + 1
        try:
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                yield first, cells
                start, first = lines.offset, lines.line + 1
        except UnicodeDecodeError:
            reason = f"the row is not {lines.encoding}"
        except (csv.Error, ValueError) as error:
            reason = next((says for word, says in REASONS.items() if word in str(error)), str(error))
        else:
            return
        lines.skip(start, first)
        yield first, BadRow(reason)
