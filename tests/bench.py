"""Measure how long a whole book takes beside pandoc: the same text, in turn, as ratios.

Run by `make bench`; CHAPTERPOST_CORPUS names a folder of Markdown chapters to
measure with, else a book of invented words is used.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.timing import compare, invent_words, measure_command, print_head

_ROOT = Path(__file__).parent.parent
_CONFIG = """[book]
title = "A Long Book"
authors = [{ name = "A. Author" }]
language = "en-GB"
publisher = "Bench"
date = 2026-01-01
cover = "none"
[ebook]
embed_fonts = false
"""


def main() -> None:
    """Print a table of medians and of ratios pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs, after one to warm up")
    parser.add_argument(
        "--only", choices=["epub", "pdf", "index", "letter", "preview", "send", "import", "merge"]
    )
    choice = parser.parse_args()
    if choice.only in {None, "letter"}:
        from tests.bench_letter import report_letter

        with tempfile.TemporaryDirectory() as scratch:
            report_letter(Path(scratch), choice.runs)
    if choice.only in {None, "epub", "pdf"}:
        with tempfile.TemporaryDirectory() as scratch:
            report_book(make_book(Path(scratch)), choice.runs, only=choice.only)
    if choice.only in {None, "index"}:
        from tests.bench_index import report_index

        with tempfile.TemporaryDirectory() as scratch:
            report_index(Path(scratch))
    if choice.only in {None, "merge"}:
        from tests.bench_merge import report_merge

        report_merge()
    people = int(os.environ.get("PEOPLE", "200000"))
    if choice.only in {None, "import"}:
        from tests.bench_import import report_import

        report_import(people, min(choice.runs, 3))
    if choice.only in {None, "send"}:
        report_sending(min(choice.runs, 3), people)
    if choice.only in {None, "preview"}:
        from tests.bench_preview import report_preview

        with tempfile.TemporaryDirectory() as scratch:
            report_preview(make_book(Path(scratch)), choice.runs)


def report_sending(runs: int, people: int) -> None:
    """Print how fast mail goes out, where there is somebody to take it."""
    from tests.bench_send import report_send

    if shutil.which("nginx"):
        report_send(runs, people)
    else:
        print("sending: not run, there is no nginx; apt-get install nginx-light")


def report_book(book: Path, runs: int, *, only: str | None) -> None:
    """Print how long a whole book takes beside pandoc."""
    words = sum(len(path.read_text().split()) for path in book.glob("chapters/*.md"))
    print(f"{words:,} words in {len(list(book.glob('chapters/*.md')))} chapters; {runs} pairs, medians")
    print_head()
    if only != "pdf":
        report("EPUB", [*ours(book), "--format", "epub"], pandoc_epub(book), runs)
    if only != "epub":
        report("PDF", [*ours(book), "--format", "pdf"], pandoc_pdf(book), max(runs // 2, 1))


def make_book(folder: Path) -> Path:
    """A book to measure with, in a folder of its own."""
    corpus = os.environ.get("CHAPTERPOST_CORPUS", "")
    if corpus:
        shutil.copytree(corpus, folder / "chapters")
    else:
        (folder / "chapters").mkdir()
        for number in range(1, 13):
            (folder / "chapters" / f"{number:02}-part-{number}.md").write_text(_invent(random.Random(number)))
    (folder / "book.toml").write_text(_CONFIG)
    return folder


def _invent(chance: random.Random) -> str:
    words = invent_words(chance, 400)
    paragraphs = (" ".join(chance.choices(words, k=chance.randint(20, 120))) + "." for _ in range(120))
    return "# A Chapter\n\n" + "\n\n".join(paragraphs) + "\n"


def ours(book: Path) -> list[str]:
    return [sys.executable, "-m", "pipeline", "ebook", "--book", str(book)]


def pandoc_epub(book: Path) -> list[str]:
    return [*_pandoc(book), "-o", str(book / "pandoc.epub")]


def pandoc_pdf(book: Path) -> list[str]:
    """Pandoc driving the same WeasyPrint with the same CSS and the same fonts."""
    from pipeline.fonts import font_css
    from pipeline.layouts import read_layout
    from pipeline.typeset import prepare_type

    layout = read_layout("classic", book)
    kind = prepare_type(layout.faces, book / "build" / "cache")
    css = font_css(kind.faces, lambda face: face.path.as_uri()) + layout.read_css("book/print.css")
    (book / "print.css").write_text(css)
    engine = Path(sys.executable).parent / "weasyprint"
    return [
        *_pandoc(book),
        f"--pdf-engine={engine}",
        "-c",
        str(book / "print.css"),
        "-o",
        str(book / "pandoc.pdf"),
    ]


def _pandoc(book: Path) -> list[str]:
    import pypandoc

    chapters = sorted(str(path) for path in book.glob("chapters/*.md"))
    return [
        pypandoc.get_pandoc_path(),
        *chapters,
        "--metadata",
        "title=A Long Book",
        "--metadata",
        "lang=en-GB",
        "--toc",
    ]


def report(what: str, mine: Sequence[str], theirs: Sequence[str], runs: int) -> None:
    compare(what, partial(measure_command, mine), partial(measure_command, theirs), runs=runs, name="pandoc")


if __name__ == "__main__":
    main()
