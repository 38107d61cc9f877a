"""Lay out before the proofreader what lies in the book's folder: files, pictures, works, words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import quote

from ..build import Manuscript
from ..check.galley import File, Galley
from ..citations.references import Library, read_bibliography
from ..errors import ManuscriptError, PipelineError, Place
from ..images import list_pictures, locate_image, size_of
from ..manuscript import read_mail
from ..manuscript.header import split_header
from ..markdown import Passage, read_passages
from ..model import Book, Chapter
from ..sources import read_source
from .dictionaries import open_speller

WORDS = "words.txt"  # in the chapters' folder: the words of this book


def list_written(manuscript: Manuscript) -> tuple[Chapter, ...]:
    """All files somebody wrote: the chapters, and issues and letters where they can be read."""
    try:
        mail = read_mail(manuscript.folder, manuscript.config)
    except PipelineError:
        mail = ()  # which is told when the letters are made
    return (*manuscript.chapters, *mail)


def read_files(manuscript: Manuscript, chapters: Iterable[Chapter]) -> Mapping[str, str]:
    """The text of each chapter's file, by its path."""
    return {
        chapter.source: read_source(manuscript.folder / chapter.source, chapter.source)
        for chapter in chapters
    }


def cut_file(text: str, path: str, language: str) -> tuple[Passage, ...]:
    """The prose of a chapter's file; its header is none."""
    _, body, first_line = split_header(text, path)
    offset = len(text) - len(body)
    return read_passages(body, path=path, language=language, first_line=first_line, offset=offset)


def lay_out(
    manuscript: Manuscript, book: Book, files: Mapping[str, str], chapters: Iterable[Chapter], *, today: date
) -> Galley:
    """The galley of one edition: `files` are the texts of `chapters`, whose prose is read over."""
    language = manuscript.config.book.language
    passages = [
        passage
        for each in chapters
        for passage in cut_file(files[each.source], each.source, each.lang or language)
    ]
    home = manuscript.folder / manuscript.config.ebook.chapters
    pictures = {src: file for src in book.images if (file := _measure(manuscript.folder, home, src))}
    return Galley(
        book=book,
        today=today,
        config=manuscript.config,
        passages=tuple(passages),
        files=pictures,
        idle=tuple(_list_idle(manuscript, files.values())),
        works=_read_works(manuscript),
        known=read_words(home / WORDS),
        spellers={code: open_speller(code) for code in dict.fromkeys(each.language for each in passages)},
    )


def read_words(path: Path) -> Mapping[str, int]:
    """The words of the book, one a line; what stands behind # is left out."""
    if not path.is_file():
        return {}
    lines = read_source(path, path.name).split("\n")
    words = ((line.partition("#")[0].strip(), number) for number, line in enumerate(lines, 1))
    return {word: number for word, number in words if word}


def _read_works(manuscript: Manuscript) -> Library:
    name = manuscript.config.bibliography.file
    return read_bibliography(manuscript.folder / name, name) if name else Library({})


def _measure(folder: Path, home: Path, src: str) -> File | None:
    """The picture's sizes; nothing where the build will say what is wrong with it."""
    try:
        path = locate_image(home, src, Place(""))
        width, height = size_of(path)
    except ManuscriptError:
        return None
    return File(path.relative_to(folder).as_posix(), width, height, path.stat().st_size)


def _list_idle(manuscript: Manuscript, texts: Iterable[str]) -> Iterator[str]:
    """Pictures beside the chapters that no file names."""
    said = "\n".join(texts) + manuscript.config.book.cover
    for path in list_pictures(manuscript.folder / manuscript.config.ebook.chapters):
        if path.name not in said and quote(path.name) not in said:
            yield path.relative_to(manuscript.folder).as_posix()
