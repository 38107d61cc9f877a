"""Measure how long a stamp takes: `python -m tests.bench_stamp [FILE...]`; without files, on the sample book."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf

from outbox.stamp import Stamper, stamp
from pipeline.build import choose_editions, make_edition, open_manuscript
from tests.timing import measure_call

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print the median of the processor's time for each book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=21)
    choice = parser.parse_args()
    stamper = Stamper(("a secret for measuring",), "letters.example.org")
    books = [(str(path), path.read_bytes()) for path in choice.files] or make_books()
    for name, book in books:
        runs = [measure_call(lambda book=book: stamp(book, stamper, 7)) for _ in range(choice.runs)]
        print(f"{name:76}{len(book):>10,} bytes{statistics.median(r.cpu for r in runs) * 1000:8.1f} ms")


def make_books() -> Iterator[tuple[str, bytes]]:
    """The sample book's editions in both formats, a PDF with the number of its pages."""
    manuscript = open_manuscript(ROOT)
    for table in choose_editions(manuscript.config):
        for edition in make_edition(manuscript, table):
            for name, book in edition.files.items():
                yield f"{name}{count_pages(book)}", book


def count_pages(book: bytes) -> str:
    """How many pages a PDF has; nothing for an EPUB."""
    if not book.startswith(b"%PDF"):
        return ""
    with pikepdf.open(BytesIO(book)) as pdf:
        return f", {len(pdf.pages)} pages"


if __name__ == "__main__":
    main()
