"""Write the rows that were not taken into a list of their own, ready to be mended and imported."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from outbox.errors import PeopleError

from .cells import quote
from .claims import Reject


class Rejects:
    """A CSV file of lines, reasons and cells; it has its name once the import has ended, and a row to hold."""

    def __init__(self, path: Path, header: Sequence[str], size: int) -> None:
        """Begin the file, or go on behind its first `size` bytes."""
        self.path, self.part = path, path.with_name(f"{path.name}.part")
        try:
            self.file = self.part.open("r+" if size else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise PeopleError(f"{self.part} cannot be written: {error.strerror}") from None
        self.file.seek(size)
        self.file.truncate()
        self.rows, self.any = csv.writer(self.file, lineterminator="\n"), size > 0
        self.header = header

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add rows."""
        for reject in rejects:
            if not self.any:
                self.rows.writerow(["line", "reason", *self.header])
                self.any = True
            self.rows.writerow([reject.line, quote(reject.reason), *map(quote, reject.cells)])

    def keep(self) -> int:
        """Have everything on the disk; returns the file's size in bytes."""
        self.file.flush()
        os.fsync(self.file.fileno())
        return self.part.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        if kind is None and self.any:
            self.part.replace(self.path)
        elif kind is None:
            self.part.unlink()
