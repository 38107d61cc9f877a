"""Read one book over as `pipeline check` does, and say what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from html import unescape
from pathlib import Path

from ..build import Manuscript, choose_editions, open_manuscript, resolve_edition
from ..check import Finding, check_galley, find_errors, list_findings, refuse_unknown
from ..check.galley import Galley
from ..errors import ConfigError, PipelineError, Place, raise_all
from ..formats.issue import Issue
from ..model import Book, Chapter
from ..newsletter import make_issues, resolve_mail
from .gather import lay_out, list_written, read_files
from .printing import Printed, print_edition
from .waivers import drop_waived


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a book, with the files it speaks of."""

    title: str
    folder: Path
    findings: tuple[Finding, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    book: Book | None = None
    printed: Printed | None = None


def read_over(
    folder: Path, edition: str = "", *, today: date, pages: bool = False, online: bool = False
) -> Report:
    """All findings over all editions and letters, each once; of one edition alone when it is named.

    With `pages` the first edition is laid out, and its pages are looked at; with `online` the
    addresses it names are asked whether they answer. Raises ConfigError when book.toml cannot be used.
    """
    printed = None
    try:
        manuscript = open_manuscript(folder)
        galleys = list_galleys(manuscript, edition, today=today)
        found = [finding for galley in galleys for finding in _check(galley, first=galley is galleys[0])]
        if online:
            found += _ask(manuscript, galleys[0])
        if pages:
            printed = _print(manuscript, edition)
            found += check_galley(
                replace(galleys[0], leaves=printed.leaves), off=galleys[0].check.off, reads=("pages",)
            )
    except ConfigError:
        raise
    except PipelineError as error:
        return Report(folder.resolve().name, folder.resolve(), tuple(list_findings(error)))
    files = read_files(manuscript, list_written(manuscript))
    letters = [] if edition else _make_and_read_letters(manuscript, galleys[0])
    kept = drop_waived(join_findings(dict.fromkeys(found), letters), files)
    book = galleys[0].book
    return Report(book.meta.title, manuscript.folder, tuple(kept), files, book, printed)


def _ask(manuscript: Manuscript, galley: Galley) -> list[Finding]:
    from .online import ask_address, ask_all, list_addresses

    now = datetime.combine(galley.today, time(), UTC)
    record = manuscript.cache / "links.json"
    answers = ask_all(list_addresses(galley), record, now=now, ask=ask_address)
    return check_galley(replace(galley, answers=answers), off=galley.check.off, reads=("online",))


def _print(manuscript: Manuscript, edition: str) -> Printed:
    table = choose_editions(manuscript.config, edition)[0]
    book, layout = resolve_edition(manuscript, table)
    raise_all(find_errors(book))
    return print_edition(manuscript, table, book, layout)


def list_galleys(manuscript: Manuscript, edition: str, *, today: date) -> list[Galley]:
    """One galley for each edition; all that was written lies before the first."""
    galleys: list[Galley] = []
    for table in choose_editions(manuscript.config, edition):
        book, _ = resolve_edition(manuscript, table)
        written = list_written(manuscript) if not edition else _choose_written(manuscript, book)
        chapters = written if not galleys else ()
        files = read_files(manuscript, list_written(manuscript))
        galleys.append(lay_out(manuscript, book, files, chapters, today=today))
    return galleys


def _choose_written(manuscript: Manuscript, book: Book) -> tuple[Chapter, ...]:
    names = {chapter.source for chapter in book.chapters}
    return tuple(chapter for chapter in manuscript.chapters if chapter.source in names)


def _check(galley: Galley, *, first: bool) -> list[Finding]:
    """What was written is read once, the book in each edition."""
    return check_galley(galley, off=galley.check.off, reads=("text", "book") if first else ("book",))


def read_chapter_over(manuscript: Manuscript, book: Book, chapter: Chapter, *, today: date) -> list[Finding]:
    """What is found in the book and in the text of one chapter or letter, advice left aside."""
    written = list_written(manuscript)
    files = read_files(manuscript, written)
    shown = [each for each in written if each.source == chapter.source]
    galley = lay_out(manuscript, book, files, shown, today=today)
    found = check_galley(galley, off=galley.check.off, reads=("text", "book"))
    return list(drop_waived([finding for finding in found if finding.severity != "advice"], files))


def join_findings(book: Iterable[Finding], letters: Iterable[Finding]) -> list[Finding]:
    """What was found in the book and in its letters, in order, each sentence once at its place."""
    found = list(book)
    said = {(finding.place, finding.message) for finding in found}
    return sorted([*found, *(each for each in letters if (each.place, each.message) not in said)])


def _make_and_read_letters(manuscript: Manuscript, galley: Galley) -> list[Finding]:
    off = manuscript.config.check.off
    try:
        mail = resolve_mail(manuscript)
        issues = make_issues(manuscript, book=mail)
        said = {issue.source: _read_parts(issue) for issue in issues}
        found = check_galley(replace(galley, letters=said), off=off, reads=("letters",))
        return [*found, *read_letters(mail, issues, off=off)]
    except ConfigError:
        raise
    except PipelineError as error:
        return list_findings(error)


def _read_parts(issue: Issue) -> tuple[str, ...]:
    """The words of both parts of a letter."""
    markup = re.sub(r"<[^>]*>", "", issue.files["body.html"].decode())
    return unescape(markup), issue.files["body.txt"].decode()


def read_letters(mail: Book, issues: Sequence[Issue], *, off: Mapping[str, str]) -> list[Finding]:
    """What the letter rules find in issues that were made of `mail`, the manuscript as mail sees it.

    `off` is [check.off]; raises ConfigError when it names a rule that is not there.
    """
    from ..check.mail import check_letter, fold  # whoever sends no letters waits for no CSS reader

    refuse_unknown(off)
    found = (
        check_letter(issue.slug, issue.files, source=issue.source, chapters=mail.chapters, off=off)
        for issue in issues
    )
    return fold([finding for findings in found for finding in findings])


def judge_outputs(folder: Path) -> tuple[str, bool]:
    """The table of verdicts on every finished book and letter in build/, and whether nothing failed."""
    from ..check.outside import format_table, judge

    build = folder / "build"
    books = sorted(path for kind in ("*.pdf", "*.epub") for path in build.glob(kind))
    letters = sorted(
        path.parent for kind in ("issues", "letters") for path in build.glob(f"{kind}/*/issue.json")
    )
    if not books + letters:
        message = "there is nothing to judge; run `pipeline ebook` or `pipeline newsletter` first"
        raise PipelineError(message, Place("build"))
    verdicts = judge(books + letters)
    return format_table(verdicts), all(verdict.state != "failed" for verdict in verdicts)
