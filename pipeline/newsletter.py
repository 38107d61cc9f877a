"""Make the newsletter: issues and letters, each a folder for the outbox, and the site where issues can be read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import time as Time
from html import unescape
from pathlib import Path

from .build import Manuscript
from .config import EditionTable, FieldTable, Newsletter
from .config.values import OUTBOX_FIELDS
from .errors import ConfigError, ManuscriptError, PipelineError, Place, raise_all
from .files import write_atomically
from .formats.issue import Issue, MailSettings, make_issue, name_issue, write_issue
from .formats.site import SiteSettings, make_site
from .hints import suggest
from .layouts import Layout
from .mail.compose import compose
from .mail.extract import Extract
from .mail.frame import make_frame
from .mail.markup import MailPicture
from .mail.pictures import prepare_pictures
from .manuscript import read_mail
from .model import Book, Chapter, Mailing
from .resolve import resolve
from .sections import Words
from .web.page import Page

#: Kinds of mail -> the folder in build/ they are written to.
FOLDERS: Mapping[str, str] = {"issue": "issues", "letter": "letters"}
#: What the author is told whose book.toml does not say where the site will be.
NO_SITE = (
    "book.toml does not say where build/site will be put online, so it has no feeds; write [newsletter] site"
)
#: In such a folder, the names of those that were made here: when one is made no more, it is taken away.
_MADE = ".made"
_TAG = re.compile(r"<[^>]*>")


def make_issues(manuscript: Manuscript, *, only: str = "", book: Book | None = None) -> tuple[Issue, ...]:
    """Every issue and letter, or the one called `only`, by its folder's name or its chapter's slug.

    `book` is the manuscript as mail sees it, where it has been resolved already.
    Raises ConfigError for a name that is not there, and what the author must mend.
    """
    book = book or resolve_mail(manuscript)
    wanted = choose_mail(book, only)
    issues: list[Issue] = []
    errors: list[PipelineError] = []
    for chapter in wanted:
        try:
            issues.append(render_issue(manuscript, book, chapter))
        except PipelineError as error:
            errors.append(error)
    raise_all([*errors, *_find_clashes(wanted)])
    return tuple(issues)


def resolve_mail(manuscript: Manuscript) -> Book:
    """The whole manuscript as mail sees it, with the files that are mail alone."""
    config = manuscript.config
    layout = _read_layout(manuscript)
    return resolve(
        (*manuscript.chapters, *read_mail(manuscript.folder, config)), config, EditionTable(name="full"),
        folder=manuscript.folder, words=layout.read_words(config.book.language), made_at=manuscript.made_at,
        facts={"output": "email", "edition": "full"},
    )  # fmt: skip


def choose_mail(book: Book, only: str = "") -> tuple[Chapter, ...]:
    """The chapters that go out by mail: those with `issue:` in their header, and mail of its own."""
    sent = [chapter for chapter in book.chapters if chapter.mailing]
    if not only:
        return tuple(sent)
    names = {name: chapter for chapter in sent for name in (name_issue(chapter), chapter.slug)}
    if only not in names:
        message = f"no issue or letter is called '{only}'; {suggest(only, names)}"
        raise ConfigError(message, Place("book.toml"))
    return (names[only],)


def render_issue(manuscript: Manuscript, book: Book, chapter: Chapter) -> Issue:
    """One issue or letter of `book`, which is the manuscript as mail sees it."""
    config = manuscript.config
    layout = _read_layout(manuscript, chapter.mailing.layout if chapter.mailing else "")
    taken, pictures = _take(manuscript, book, chapter, layout)
    settings = _make_settings(config.newsletter)
    return make_issue(book, layout, replace(settings, pictures=pictures), chapter=chapter, taken=taken)


def _take(
    manuscript: Manuscript, book: Book, chapter: Chapter, layout: Layout
) -> tuple[Extract, tuple[MailPicture, ...]]:
    """The text of `chapter` as mail shows it, and the pictures in it."""
    config = manuscript.config
    words = layout.read_words(chapter.lang or book.language)
    taken = compose(book, chapter, words, address=config.newsletter.site.rstrip("/"))
    inside = {item.slug for item in taken.items}
    shown = {node.attrs["src"] for block in taken.body for node in block.walk() if node.kind == "image"}
    pictures = prepare_pictures(
        [chapter, *(other for other in book.chapters if other.slug in inside)],
        manuscript.folder / config.ebook.chapters,
        shown=shown, cache=manuscript.cache, kind=lambda: manuscript.prepare_type(layout),
    ) if shown else ()  # fmt: skip
    return taken, pictures


def make_pages(manuscript: Manuscript, book: Book, issues: Sequence[Issue]) -> Mapping[str, bytes]:
    """The files of the site: a page for each of `issues`, and for each chapter that they, or letters, lead to.

    `book` is the manuscript as mail sees it. An issue for one segment has a page, for its
    letter names it, but no archive lists it.
    """
    table, layout = manuscript.config.newsletter, _read_layout(manuscript)
    chapters = {chapter.slug: chapter for chapter in book.chapters}
    sent = {name_issue(chapter): chapter for chapter in choose_mail(book)}
    reads = dict.fromkeys(slug for issue in issues for slug in issue.taken.reads)
    aside = [_make_reading(manuscript, book, chapters[slug], layout) for slug in reads]
    listed: list[Page] = []
    for issue in issues:
        if issue.kind == "issue":
            mailing = sent[issue.slug].mailing or Mailing()
            fields = _say_fields(manuscript, issue.frame.words)
            page = Page(
                issue.slug, mailing.date or book.made_at.date(), issue.taken, issue.frame,
                sent[issue.slug].summary, issue.pictures, fields,
            )  # fmt: skip
            (aside if mailing.segment else listed).append(page)
    settings = SiteSettings(
        name=table.title or book.meta.title, language=book.language, address=table.site.rstrip("/"),
        description=table.description, sign_up=table.sign_up,
    )  # fmt: skip
    return make_site(listed, layout, settings, aside=aside)


def _make_reading(manuscript: Manuscript, book: Book, chapter: Chapter, layout: Layout) -> Page:
    """The whole of a chapter of which an issue shows a part."""
    whole = replace(chapter, mailing=None)
    words = Words(layout.read_words(chapter.lang or book.language))
    text, pictures = _take(manuscript, book, whole, layout)
    frame = make_frame(book, whole, text, words=words, day=None)
    fields = _say_fields(manuscript, words.table)
    return Page(f"read/{chapter.slug}", book.made_at.date(), text, frame, chapter.summary, pictures, fields)


def _say_fields(manuscript: Manuscript, words: Mapping[str, str]) -> dict[str, str]:
    """What stands on a page, which everybody reads, in place of each merge field; of markup the words."""
    config = manuscript.config
    defaults = {
        name: unescape(_TAG.sub("", table.default)) if table.type == "html" else table.default
        for name, table in config.newsletter.fields.items()
    }
    name = config.newsletter.title or config.book.title
    return {"first_name": words["friend"], **defaults, "list_name": name}


def _read_layout(manuscript: Manuscript, name: str = "") -> Layout:
    config = manuscript.config
    return manuscript.read_layout(name or config.newsletter.layout or config.ebook.layout)


def _make_settings(table: Newsletter) -> MailSettings:
    from zoneinfo import ZoneInfo

    fields = {name: FieldTable(type=kind) for name, kind in OUTBOX_FIELDS.items()}  # type: ignore[arg-type]
    return MailSettings(
        site=table.site.rstrip("/"),
        embed=table.images == "embed",
        fields={**fields, **table.fields},
        time=Time.fromisoformat(table.time),
        zone=ZoneInfo(table.time_zone),
    )


def _find_clashes(chapters: Sequence[Chapter]) -> list[PipelineError]:
    """Two issues of one name: a name is an identity, and the second would never go out."""
    first: dict[tuple[str, str], str] = {}
    errors: list[PipelineError] = []
    for chapter in chapters:
        name = name_issue(chapter)
        owner = first.setdefault(
            (name, FOLDERS["letter" if chapter.kind == "letter" else "issue"]), chapter.source
        )
        if owner != chapter.source:
            message = f"the issue {name} is made of {owner} already; write another date or slug"
            errors.append(ManuscriptError(message, Place(chapter.source, 1)))
    return errors


def write_issues(build: Path, issues: Sequence[Issue], *, all_of_them: bool = False) -> tuple[Path, ...]:
    """Write each as a folder of its own in `build`/issues or `build`/letters, each at once.

    With `all_of_them`, folders that were made here earlier and are made no more are taken
    away, lest they be sent; what others put there stays.
    """
    paths = [build / FOLDERS[issue.kind] / issue.slug for issue in issues]
    for path, issue in zip(paths, issues, strict=True):
        write_issue(path, issue.files)
    if all_of_them:
        for name in FOLDERS.values():
            _sweep(build / name, {path.name for path in paths if path.parent.name == name})
    return tuple(paths)


def _sweep(folder: Path, made: set[str]) -> None:
    record = folder / _MADE
    before = (
        {name for name in record.read_text("utf-8").split() if "/" not in name} if record.exists() else set()
    )
    for name in sorted(before - made - {".", ".."}):
        shutil.rmtree(folder / name, ignore_errors=True)
    if made or before:
        write_atomically(record, "".join(f"{name}\n" for name in sorted(made)).encode())
