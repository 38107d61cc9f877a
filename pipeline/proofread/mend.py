"""Mend what can be mended safely: small changes of the text, shown as a diff or written whole."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from ..build import open_manuscript
from ..check import check_galley
from ..check.galley import Fix, Galley
from ..files import write_atomically
from ..model import Chapter
from . import list_galleys
from .gather import cut_file, list_written, read_files

#: One change may make room for another, such as three spaces before a comma.
_ROUNDS = 8


def mend_book(folder: Path, edition: str, *, today: date) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The files of the book in `folder` as they are, and those that change, mended; raises PipelineError."""
    manuscript = open_manuscript(folder)
    galley = list_galleys(manuscript, edition, today=today)[0]
    paths = {passage.path for passage in galley.passages}
    chapters = [chapter for chapter in list_written(manuscript) if chapter.source in paths]
    files = read_files(manuscript, chapters)
    return files, mend_files(galley, chapters, files)


def mend_files(galley: Galley, chapters: Iterable[Chapter], files: Mapping[str, str]) -> Mapping[str, str]:
    """The files whose text changes, mended until no rule has anything left to mend."""
    mended = {}
    for chapter in chapters:
        before = files[chapter.source]
        after = mend(before, chapter.source, chapter.lang or galley.book.language, galley)
        if after != before:
            mended[chapter.source] = after
    return mended


def mend(text: str, path: str, language: str, galley: Galley) -> str:
    """`text` with every safe change made; mending it again changes nothing."""
    for _ in range(_ROUNDS):
        alone = Galley(
            galley.book,
            galley.today,
            galley.config,
            passages=cut_file(text, path, language),
            known=galley.known,
        )
        found = check_galley(alone, off=galley.check.off, reads=("text",))
        changed = apply(text, (finding.fix for finding in found if finding.fix))
        if changed == text:
            break
        text = changed
    return text


def apply(text: str, fixes: Iterable[Fix]) -> str:
    """`text` with the fixes made, of two that overlap the first alone."""
    parts, end = [], 0
    for fix in sorted(set(fixes), key=lambda fix: (fix.start, fix.end, fix.text)):
        if fix.start >= end:
            parts += [text[end : fix.start], fix.text]
            end = fix.end
    return "".join([*parts, text[end:]])


def show_changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What mending changes, as a unified diff."""
    return "".join(line for path in after for line in _compare(before[path], after[path], path))


def _compare(before: str, after: str, path: str) -> Iterator[str]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n"


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write each file at once; one that had the line ends of Windows keeps them."""
    for path, text in files.items():
        windows = b"\r\n" in (folder / path).read_bytes()
        write_atomically(folder / path, (text.replace("\n", "\r\n") if windows else text).encode())
