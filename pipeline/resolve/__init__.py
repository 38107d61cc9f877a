"""Cut a manuscript to one edition and settle everything that points at something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePosixPath

import msgspec

from ..config import Config, EditionTable
from ..errors import ManuscriptError, PipelineError, Place, raise_all
from ..hints import suggest
from ..identifiers import make_urn
from ..model import Book, Chapter
from .backindex import make_index
from .conditions import choose_passages, find_notes, number_notes
from .contents import BACK, EARLY, FRONT, list_contents, list_objects
from .endnotes import gather_notes
from .excerpts import cut_excerpts
from .links import Linker, Target, collect_targets
from .marks import collect_terms, find_double_terms, finish_glossaries, name_marks
from .numbers import find_doubles, label_chapter, name_blocks, number_chapters, number_objects, slugify
from .variables import fill_variables, find_unsaid

__all__ = [
    "BACK", "EARLY", "FRONT", "MAIL", "choose_chapters", "choose_passages", "find_newest_date", "find_notes",
    "label_chapter", "list_contents", "list_objects", "number_notes", "number_objects", "resolve", "slugify",
]  # fmt: skip


#: What is no part of a book, though it may quote from one.
MAIL = frozenset({"issue", "letter"})


def resolve(
    chapters: Sequence[Chapter],
    config: Config,
    edition: EditionTable,
    *,
    folder: Path,
    words: Mapping[str, str],
    made_at: datetime,
    facts: Mapping[str, str] | None = None,
) -> Book:
    """The book of one edition, every number and link settled.

    `words` are the language's words (Figure, Chapter, ...). Numbers are given over
    the whole manuscript, so that Chapter 3 is Chapter 3 in every edition. `facts`
    decide what stands in `::: only`: by default that this is a book in every format, of this edition,
    for no segment. Raises what an author must mend: unknown references, links,
    citations, ids used twice.
    """
    facts = facts or {"output": "book,pdf,epub", "edition": edition.name, "segment": ""}
    meta = msgspec.structs.replace(config.book, title=edition.title or config.book.title)
    filled = [fill_variables(chapter, meta) for chapter in chapters]
    named = [name_marks(name_blocks(chapter)) for chapter in number_chapters(filled)]
    kept = [choose_passages(chapter, facts) for chapter in named]
    numbered = number_objects(kept, words, by=config.ebook.numbers)
    errors: list[PipelineError] = [*find_doubles(numbered), *find_double_terms(numbered)]
    errors += [error for chapter in chapters for error in find_unsaid(chapter, meta)]
    chosen = choose_chapters(numbered, edition)
    shown = cut_excerpts(chosen, edition, {chapter.slug: {*_names(chapter)} for chapter in chosen}, words)
    linker = Linker(
        targets=collect_targets(numbered, words),
        kept={chapter.slug: chapter.ids | {chapter.slug} for chapter in shown},
        files={PurePosixPath(c.source).name: c.slug for c in numbered if c.kind not in MAIL},
        ids={chapter.slug: chapter.ids for chapter in numbered},
        words=words,
        errors=errors,
        terms={term: Target(node.id, home.slug, term) for term, home, node in collect_terms(numbered)},
    )
    linked = tuple(linker.link(chapter) for chapter in shown)
    if facts["output"] == "email":
        finished = _print_citations(linked, config, folder, place="book", words=words, errors=errors)
    else:
        finished = _add_matter(linked, config, folder, words=words, errors=errors)
        whole = len(chosen) == len(numbered) and not edition.excerpts
        finished += make_index(finished, words, config.book.language, errors if whole else [])
    raise_all(errors)
    return Book(
        meta=meta,
        edition=edition.name,
        folder=folder,
        chapters=finished,
        identifier=_identify(config, edition),
        made_at=made_at,
        note=edition.note,
        notes=config.ebook.notes,
        lists=config.ebook.lists,
    )


def choose_chapters(chapters: Sequence[Chapter], edition: EditionTable) -> tuple[Chapter, ...]:
    """The chapters of one edition; a part that lost all its chapters goes too.

    Raises ManuscriptError when the edition names a chapter that is not there.
    """
    names = {name for chapter in chapters for name in _names(chapter)}
    for wanted in (*edition.chapters, *edition.excerpts):
        if wanted not in names:
            message = f"edition '{edition.name}' has no chapter '{wanted}' to take; {suggest(wanted, names)}"
            raise ManuscriptError(message, Place("book.toml"), rule="M021")
    chosen = [chapter for chapter in chapters if _belongs(chapter, edition)]
    if all(chapter.kind == "part" for chapter in chosen):
        raise ManuscriptError(f"edition '{edition.name}' has no chapters", Place("book.toml"), rule="M021")
    followers = [*chosen[1:], None]
    return tuple(
        chapter
        for chapter, follower in zip(chosen, followers, strict=True)
        if chapter.kind != "part" or (follower and follower.kind not in {"part", *BACK})
    )


def _names(chapter: Chapter) -> tuple[str, str]:
    return chapter.slug, PurePosixPath(chapter.source).stem


def _belongs(chapter: Chapter, edition: EditionTable) -> bool:
    if chapter.editions and edition.name not in chapter.editions:
        return False
    return (
        not edition.chapters
        or chapter.kind == "part"
        or not set(_names(chapter)).isdisjoint((*edition.chapters, *edition.excerpts))
    )


def _identify(config: Config, edition: EditionTable) -> str:
    """An identifier that no rebuild changes; a cut of the book is another book and has its own."""
    book = config.book
    whole = book.identifier or make_urn(book.publisher, book.title)
    return whole if edition.name == "full" else make_urn(whole, edition.name)


def find_newest_date(chapters: Sequence[Chapter], config: Config) -> datetime:
    """Noon UTC of the newest date the sources name: the time of a build without SOURCE_DATE_EPOCH."""
    dates = [config.book.date, *(day for chapter in chapters for day in (chapter.date, chapter.reviewed))]
    return datetime.combine(max((day for day in dates if day), default=date(2000, 1, 1)), time(12), UTC)


def _add_matter(
    chapters: tuple[Chapter, ...],
    config: Config,
    folder: Path,
    *,
    words: Mapping[str, str],
    errors: list[PipelineError],
) -> tuple[Chapter, ...]:
    """What a book has behind its text: notes, the glossary in order, the works cited."""
    noted = gather_notes(chapters, words) if config.ebook.notes == "book" else chapters
    defined = finish_glossaries(noted, words, config.book.language)
    return _print_citations(
        defined, config, folder, place=config.bibliography.place, words=words, errors=errors
    )


def _print_citations(
    chapters: tuple[Chapter, ...],
    config: Config,
    folder: Path,
    *,
    place: str,
    words: Mapping[str, str],
    errors: list[PipelineError],
) -> tuple[Chapter, ...]:
    cited = [(chapter, node) for chapter in chapters for node in chapter.walk() if node.kind == "citation"]
    if not cited:
        return chapters
    if not config.bibliography.file:
        chapter, node = cited[0]
        message = 'a work is cited but book.toml has no [bibliography]; add file = "references.bib"'
        errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M013"))
        return chapters
    from ..citations import print_citations  # slow to import, and most books cite nothing

    return print_citations(chapters, config, folder, place=place, words=words, errors=errors)
