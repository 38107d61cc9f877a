"""Measure whether a book with an index takes longer than its length says: 75, 150 and 300 pages, up to 2,000 marks."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from pipeline.build import choose_editions, make_edition, open_manuscript
from tests.timing import invent_words, measure_call

_CONFIG = """[book]
title = "A Book with an Index"
authors = [{ name = "A. Author" }]
language = "en-GB"
date = 2026-01-01
cover = "none"
"""
_PARAGRAPHS, _WORDS = 36, 100  # of a chapter, of a paragraph: about eleven pages
#: Chapters, and marks for the index in all of them.
SIZES = ((6, 500), (12, 1000), (24, 2000))


def report_index(scratch: Path) -> None:
    """Print the time of each size, and by how much it grew where the book grew by two."""
    print(f"\n{'pages':>6}{'marks':>7}{'wall s':>9}{'CPU s':>9}{'ratio':>7}")
    before = 0.0
    for chapters, marks in SIZES:
        folder = write_marked_book(scratch / str(marks), chapters=chapters, marks=marks)
        pages: list[int] = []
        run = measure_call(lambda folder=folder, pages=pages: pages.append(_count_pages(folder)))  # type: ignore[misc]
        ratio = f"{run.cpu / before:7.2f}" if before else ""
        print(f"{pages[0]:6}{marks:7}{run.wall:9.1f}{run.cpu:9.1f}{ratio}")
        before = run.cpu
        shutil.rmtree(folder)


def _count_pages(folder: Path) -> int:
    manuscript = open_manuscript(folder)
    pdf, _ = make_edition(manuscript, choose_editions(manuscript.config)[0])
    return len(pdf.labels)


def write_marked_book(folder: Path, *, chapters: int, marks: int) -> Path:
    """A book of invented words; `marks` of them stand in the index, four to an entry."""
    chance = random.Random(marks)
    words = invent_words(chance, 400)
    entries = [" ".join(chance.choices(words, k=2)) for _ in range(marks // 4)]
    texts = [chance.choices(words, k=_PARAGRAPHS * _WORDS) for _ in range(chapters)]
    for number in range(marks):
        text = texts[number % chapters]
        place = chance.choice([i for i in range(number % 7, len(text), 7) if text[i][0] != "["])
        text[place] = f'[{text[place]}]{{index="{chance.choice(entries)}"}}'
    (folder / "chapters").mkdir(parents=True)
    (folder / "book.toml").write_text(_CONFIG)
    for number, text in enumerate(texts, 1):
        paragraphs = [" ".join(text[i : i + _WORDS]) + "." for i in range(0, len(text), _WORDS)]
        body = "\n\n".join([f"# Chapter {number}", *paragraphs])
        (folder / "chapters" / f"{number:02}-c{number}.md").write_text(f"{body}\n")
    return folder
