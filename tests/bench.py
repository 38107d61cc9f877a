"""Measure how long a whole book takes beside pandoc: the same text, in turn, as ratios.

Run by `make bench`; CHAPTERPOST_CORPUS names a folder of Markdown chapters to
measure with, else a book of invented words is used.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_KNOWN = _ROOT.parent / "shared" / "corpus" / "sherlock"
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


@dataclass(frozen=True, slots=True)
class Run:
    """One command's cost in seconds; `cpu` counts its children too."""

    wall: float
    cpu: float


def main() -> None:
    """Print a table of medians and of ratios pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs, after one to warm up")
    parser.add_argument("--only", choices=["epub", "pdf"])
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        book = make_book(Path(scratch))
        words = sum(len(path.read_text().split()) for path in book.glob("chapters/*.md"))
        print(
            f"{words:,} words in {len(list(book.glob('chapters/*.md')))} chapters; {choice.runs} pairs, medians"
        )
        print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'wall ratio':>12}{'CPU ratio':>11}")
        if choice.only != "pdf":
            report("EPUB", [*ours(book), "--format", "epub"], pandoc_epub(book), choice.runs)
        if choice.only != "epub":
            report("PDF", [*ours(book), "--format", "pdf"], pandoc_pdf(book), max(choice.runs // 2, 1))


def make_book(folder: Path) -> Path:
    """A book to measure with, in a folder of its own."""
    corpus = Path(os.environ.get("CHAPTERPOST_CORPUS", _KNOWN))
    if corpus.is_dir():
        shutil.copytree(corpus, folder / "chapters")
    else:
        (folder / "chapters").mkdir()
        for number in range(1, 13):
            (folder / "chapters" / f"{number:02}-chapter.md").write_text(_invent(random.Random(number)))
    (folder / "book.toml").write_text(_CONFIG)
    return folder


def _invent(chance: random.Random) -> str:
    syllables = ["ka", "lo", "mi", "ten", "dor", "ra", "sel", "un", "vi", "ach", "ber", "o", "na", "est"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(400)]
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
    """Run both in turn, A B A B, and print medians and ratios."""
    measure(mine), measure(theirs)
    pairs = [(measure(mine), measure(theirs)) for _ in range(runs)]
    rows = {"ours": [pair[0] for pair in pairs], "pandoc": [pair[1] for pair in pairs]}
    for name, found in rows.items():
        wall, cpu = (statistics.median(getattr(run, field) for run in found) for field in ("wall", "cpu"))
        print(f"{what + ', ' + name:34}{wall:9.2f}{cpu:9.2f}")
    wall_ratios = [mine.wall / theirs.wall for mine, theirs in pairs]
    cpu_ratios = [mine.cpu / theirs.cpu for mine, theirs in pairs]
    print(f"{what + ', ours / pandoc':52}{_spread(wall_ratios):>12}{_spread(cpu_ratios):>11}")


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.3f}"


def measure(command: Sequence[str]) -> Run:
    """Run a command to its end; a failure ends the bench with what it said."""
    before = os.times()
    started = time.perf_counter()
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Run(wall, cpu)


if __name__ == "__main__":
    main()
