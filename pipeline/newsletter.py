"""Make the newsletter's issues: chapters that book.toml sends out as letters, each a folder for the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .build import Manuscript, resolve_edition
from .config import EditionTable
from .errors import ConfigError, Place
from .formats.issue import Issue, MailSettings, make_issue, write_issue
from .hints import suggest
from .mail.pictures import prepare_pictures
from .typeset import prepare_type


def make_issues(manuscript: Manuscript, *, only: str = "") -> tuple[Issue, ...]:
    """The issues that `[newsletter] chapters` names, or the one of the chapter `only`.

    Raises ConfigError for a chapter that is not there, and what the author must mend.
    """
    config = manuscript.config
    layout_name = config.newsletter.layout or config.ebook.layout
    book, layout = resolve_edition(manuscript, EditionTable(name="full", layout=layout_name))
    chapters = {chapter.slug: chapter for chapter in book.chapters}
    wanted = (only,) if only else config.newsletter.chapters
    for slug in wanted:
        if slug not in chapters:
            message = f"[newsletter] names no chapter with '{slug}'; {suggest(slug, chapters)}"
            raise ConfigError(message, Place("book.toml"))
    kind = prepare_type(layout.faces, manuscript.cache)
    folder = manuscript.folder / config.ebook.chapters
    return tuple(
        make_issue(
            book,
            layout,
            MailSettings(pictures=prepare_pictures(chapters[slug], folder, kind)),
            chapter=chapters[slug],
        )
        for slug in wanted
    )


def write_issues(folder: Path, issues: Sequence[Issue]) -> tuple[Path, ...]:
    """Write each issue as a folder of its own below `folder`, each at once."""
    for issue in issues:
        write_issue(folder / issue.slug, issue.files)
    return tuple(folder / issue.slug for issue in issues)
