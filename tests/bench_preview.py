"""Measure the preview: how long after a save each output of a chapter is there."""

from __future__ import annotations

import http.client
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_ROOT = Path(__file__).parent.parent
_PAUSE = 1.5  # seconds between two saves; whoever writes makes longer ones


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
