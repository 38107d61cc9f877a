"""Measure how long a whole book takes beside pandoc: the same text, in turn, as ratios.

Run by `make bench`; CHAPTERPOST_CORPUS names a folder of Markdown chapters to
measure with, else a book of invented words is used.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
    parser.add_argument("--only", choices=["epub", "pdf", "preview"])
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        book = make_book(Path(scratch))
        words = sum(len(path.read_text().split()) for path in book.glob("chapters/*.md"))
        print(
            f"{words:,} words in {len(list(book.glob('chapters/*.md')))} chapters; {choice.runs} pairs, medians"
        )
        if choice.only != "preview":
            print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'wall ratio':>12}{'CPU ratio':>11}")
        if choice.only in {None, "epub"}:
            report("EPUB", [*ours(book), "--format", "epub"], pandoc_epub(book), choice.runs)
        if choice.only in {None, "pdf"}:
            report("PDF", [*ours(book), "--format", "pdf"], pandoc_pdf(book), max(choice.runs // 2, 1))
        if choice.only in {None, "preview"}:
            report_preview(book, choice.runs)  # the last, for it changes a chapter


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


_PAUSE = 1.5  # seconds between two saves; whoever writes makes longer ones


# -- the preview: how long after a save each output of a chapter is there


def report_preview(book: Path, runs: int) -> None:
    """Save a chapter of some twenty pages again and again, and print medians of what a browser waits."""
    chapter = find_chapter(book, words=6000)
    command = [sys.executable, "-m", "pipeline", "preview", "--book", str(book), "--no-open", "--port", "0"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = urlsplit(next(word for word in server.stdout.readline().split() if word.startswith("http")))
        try:
            waits = list(follow_saves(str(address.netloc), chapter, runs + 1))[1:]  # the first one warms up
        finally:
            server.terminate()
    words = len(chapter.read_text().split())
    print(
        f"preview, {words:,} words on {waits[0][2]} pages, seconds from save to screen, medians of {runs} saves"
    )
    for name, found in zip(("letter and EPUB", "PDF spread"), zip(*waits, strict=True), strict=False):
        print(f"{name:34}{statistics.median(found):9.2f}{max(found):9.2f} at most")


def find_chapter(book: Path, *, words: int) -> Path:
    """The chapter whose length is nearest to `words`, which fill some twenty pages."""
    return min(
        book.glob("chapters/*.md"), key=lambda path: (abs(len(path.read_text().split()) - words), path.name)
    )


def follow_saves(netloc: str, chapter: Path, saves: int) -> Iterator[tuple[float, float, int]]:
    """Seconds until letter and EPUB, and until the PDF's second spread, were fetched; and the number of pages."""
    slug = re.sub(r"^[0-9]+-", "", chapter.stem)
    news = http.client.HTTPConnection(netloc)
    news.request("GET", f"/news?chapter={slug}")
    answer = news.getresponse()
    wait_for(answer, "pages")
    for number in range(saves):
        text = re.sub(r"(?m)\A(# .*)$", rf"\1\n\nSaved {number} times.", chapter.read_text(), count=1)
        time.sleep(_PAUSE)
        started = time.perf_counter()
        chapter.write_text(text)
        made = wait_for(answer, "proof")
        for path in ("letter/light.html", "letter/dark.html", f"epub/{made['page']}", "epub/style.css"):
            fetch(netloc, f"/proof/{made['number']}/{path}")
        letter = time.perf_counter() - started
        made = wait_for(answer, "pages")
        for page in (1, 2):
            fetch(netloc, f"/proof/{made['number']}/pages/{page}.png")
        yield letter, time.perf_counter() - started, len(made["pages"])
    news.close()


def wait_for(answer: http.client.HTTPResponse, name: str) -> dict[str, Any]:
    """The next event called `name`."""
    while True:
        line = answer.readline().decode()
        if line.startswith("event: trouble"):
            raise SystemExit(answer.readline().decode())
        if line == f"event: {name}\n":
            found: dict[str, Any] = json.loads(answer.readline().decode().removeprefix("data: "))
            return found


def fetch(netloc: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(netloc)
    connection.request("GET", path)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    return data


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
