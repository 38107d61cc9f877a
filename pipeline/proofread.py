"""Read one book over as `pipeline check` does, and say what was found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from .build import Manuscript, choose_editions, open_manuscript, resolve_edition
from .check import Finding, check_book, list_findings, refuse_unknown
from .errors import ConfigError, PipelineError, Place
from .formats.issue import Issue
from .model import Book
from .newsletter import make_issues, resolve_mail


def read_over(folder: Path, edition: str, *, today: date) -> list[Finding]:
    """All findings over all editions and letters, each once; of one edition alone when it is named.

    Raises ConfigError when book.toml cannot be used.
    """
    try:
        manuscript = open_manuscript(folder)
        found: set[Finding] = set()
        for table in choose_editions(manuscript.config, edition):
            book, _ = resolve_edition(manuscript, table)
            found.update(check_book(book, today=today, off=manuscript.config.check.off))
    except ConfigError:
        raise
    except PipelineError as error:
        return list_findings(error)
    return join_findings(found, [] if edition else _make_and_read_letters(manuscript))


def join_findings(book: Iterable[Finding], letters: Iterable[Finding]) -> list[Finding]:
    """What was found in the book and in its letters, in order, each sentence once at its place."""
    found = list(book)
    said = {(finding.place, finding.message) for finding in found}
    return sorted([*found, *(each for each in letters if (each.place, each.message) not in said)])


def _make_and_read_letters(manuscript: Manuscript) -> list[Finding]:
    try:
        mail = resolve_mail(manuscript)
        return read_letters(mail, make_issues(manuscript, book=mail), off=manuscript.config.check.off)
    except ConfigError:
        raise
    except PipelineError as error:
        return list_findings(error)


def read_letters(mail: Book, issues: Sequence[Issue], *, off: Mapping[str, str]) -> list[Finding]:
    """What the letter rules find in issues that were made of `mail`, the manuscript as mail sees it.

    `off` is [check.off]; raises ConfigError when it names a rule that is not there.
    """
    from .check.mail import check_letter, fold  # whoever sends no letters waits for no CSS reader

    refuse_unknown(off)
    found = (
        check_letter(issue.slug, issue.files, source=issue.source, chapters=mail.chapters, off=off)
        for issue in issues
    )
    return fold([finding for findings in found for finding in findings])


def format_findings(findings: Sequence[Finding], *, as_json: bool) -> str:
    """One line a finding, or JSON: a list of objects with path, line, rule, severity and message."""
    if as_json:
        rows = [
            {
                "path": f.place.path,
                "line": f.place.line,
                "rule": f.rule,
                "severity": f.severity,
                "message": f.message,
            }
            for f in findings
        ]
        return json.dumps(rows, ensure_ascii=False, indent=1)
    if not findings:
        return "nothing found"
    errors = sum(finding.severity == "error" for finding in findings)
    return "\n".join([*map(str, findings), f"{errors} errors, {len(findings) - errors} warnings"])


def judge_outputs(folder: Path) -> tuple[str, bool]:
    """The table of verdicts on every finished book and letter in build/, and whether nothing failed."""
    from .check.outside import format_table, judge

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
