"""Make proofs: one chapter as a letter and as a page of the e-book, and what is to be mended in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import structs

from ..build import (
    Manuscript,
    choose_editions,
    find_font_gaps,
    name_file,
    open_manuscript,
    prepare_settings,
    resolve_edition,
)
from ..check import Finding, list_findings
from ..config import EditionTable
from ..errors import PipelineError, Place
from ..formats.epub import render_page
from ..formats.issue import Issue
from ..layouts import Layout, list_layouts
from ..mail.sample import STATES, fill, read_sender
from ..model import Book, Chapter, Mailing
from ..newsletter import choose_mail, render_issue, resolve_mail
from ..proofread import join_findings, read_chapter_over, read_letters
from ..resolve import FRONT
from ..sections import spoken_title
from ..settings import Settings

_MAIL = frozenset({"issue", "letter"})  # kinds that stand in no book
_LONGEST_QUOTE = 160  # characters


@dataclass(frozen=True, slots=True)
class View:
    """What a browser looks at: a chapter by its slug and a layout by its name; empty is the book's own."""

    chapter: str = ""
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Print:
    """What a chapter needs to be put on pages: `book` holds it alone.

    `whole` is where the last whole PDF of the book is, if there is one; `opens`: the text begins with it.
    """

    book: Book
    layout: Layout
    settings: Settings
    whole: Path
    opens: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """One chapter on trial: `about` is told to the browser, `files` are served to it by path.

    What goes out by mail alone is not printed.
    """

    about: Mapping[str, Any]
    files: Mapping[str, bytes]
    print: Print | None = None


def make_proof(folder: Path, view: View, *, today: date) -> Proof:
    """Read the book in `folder` anew and make what `view` looks at; raises what must be mended first."""
    manuscript = open_manuscript(folder)
    edition = _choose_edition(manuscript, view)
    book, layout = resolve_edition(manuscript, edition)
    mail = resolve_mail(manuscript)
    chapter = _choose_chapter((*book.chapters, *mail.chapters), view.chapter)
    printed = None if chapter.kind in _MAIL else _prepare_print(manuscript, book, layout, edition, chapter)
    letter = _make_letter(manuscript, mail, replace(view, chapter=chapter.slug), today=today)
    off = manuscript.config.check.off
    of_letter = read_letters(mail, [letter], off=off) if chapter.mailing else ()
    gaps = _list_font_gaps(printed) if printed else ()
    of_book = [*read_chapter_over(manuscript, book, chapter, today=today), *gaps]
    about = {
        "book": book.meta.title,
        "chapter": chapter.slug,
        "title": spoken_title(chapter),
        "layout": layout.name,
        "layouts": list_layouts(folder),
        "chapters": _list_choices(book.chapters),
        "mail": _list_choices([each for each in choose_mail(mail) if each.kind in _MAIL]),
        "page": f"{chapter.slug}.xhtml" if printed else "",
        "letter": _describe_letter(letter, sent=chapter.mailing is not None),
        "findings": list(describe_findings(join_findings(of_book, of_letter), folder, chapter.source)),
    }
    return Proof(about, {**_show_letter(letter, folder), **_show_page(printed)}, printed)


def _choose_edition(manuscript: Manuscript, view: View) -> EditionTable:
    """The full edition, or the first of book.toml where none is called so, in the layout looked at."""
    tables = choose_editions(manuscript.config)
    table = next((table for table in tables if table.name == "full"), tables[0])
    return structs.replace(table, layout=view.layout or table.layout)


def _choose_chapter(chapters: Sequence[Chapter], slug: str) -> Chapter:
    """The chapter called `slug`; while there is none, the first one proper."""
    return min(chapters, key=lambda chapter: (chapter.slug != slug, chapter.kind != "chapter"))


def _list_choices(chapters: Sequence[Chapter]) -> list[dict[str, str]]:
    return [{"slug": chapter.slug, "title": spoken_title(chapter)} for chapter in chapters]


def _prepare_print(
    manuscript: Manuscript, book: Book, layout: Layout, edition: EditionTable, chapter: Chapter
) -> Print:
    alone = replace(book, chapters=(chapter,), meta=structs.replace(book.meta, cover="none"))
    name = name_file(manuscript.config, edition)
    settings = prepare_settings(manuscript, alone, layout, formats=("pdf", "epub"), name=name)
    whole = manuscript.folder / "build" / f"{name}.pdf"
    first = next((each for each in book.chapters if each.kind not in FRONT), None)
    return Print(alone, layout, settings, whole, opens=chapter is first)


def _show_page(job: Print | None) -> Mapping[str, bytes]:
    """The chapter's page of the e-book, its style and its pictures, if it stands in the book."""
    if not job:
        return {}
    files = render_page(job.book, job.layout, job.settings, address=lambda face: f"/fonts/{face.path.name}")
    return {f"epub/{path}": data for path, data in files.items()}


# -- the letter


def _make_letter(manuscript: Manuscript, mail: Book, view: View, *, today: date) -> Issue:
    """The chapter as it goes out by mail; one that does not as if it went today."""
    chapter = next(chapter for chapter in mail.chapters if chapter.slug == view.chapter)
    mailing = chapter.mailing or Mailing(date=today)
    chosen = replace(chapter, mailing=replace(mailing, layout=view.layout or mailing.layout))
    return render_issue(manuscript, mail, chosen)


def _describe_letter(letter: Issue, *, sent: bool) -> Mapping[str, Any]:
    """`sent`: it goes out as it is shown; other chapters show how they would."""
    document = json.loads(letter.files["issue.json"])
    told = {key: document[key] for key in ("subject", "preheader", "words", "minutes")}
    return {**told, "bytes": len(letter.files["body.html"]), "sent": sent}


def _show_letter(letter: Issue, folder: Path) -> Mapping[str, bytes]:
    """The letter in each state, its text, and its pictures."""
    html, text = fill(letter.files, read_sender(folder))
    pictures = {path: data for path, data in letter.files.items() if path.startswith("images/")}
    states = {f"{state}.html": show(html).encode() for state, show in STATES.items()}
    files = {**states, "body.txt": text.encode(), **pictures}
    return {f"letter/{path}": data for path, data in files.items()}


# -- what is to be mended


def _list_font_gaps(job: Print) -> list[Finding]:
    gaps = find_font_gaps(job.book, job.layout, job.settings.type)
    return [Finding(place, "M050", "warning", message) for place, message in gaps]


def describe_trouble(error: Exception, folder: Path) -> list[dict[str, Any]]:
    """Findings that stand for `error`: the manuscript's own, or a file that could not be read."""
    if isinstance(error, PipelineError):
        found = list_findings(error)
    elif isinstance(error, OSError):
        name = Path(error.filename or folder)
        place = Place(name.relative_to(folder).as_posix() if name.is_relative_to(folder) else name.as_posix())
        found = [Finding(place, "", "error", f"cannot be read: {error.strerror or error}")]
    else:
        message = f"Chapterpost itself stumbled here ({type(error).__name__}: {error}); please report it"
        found = [Finding(Place(""), "", "error", message)]
    return list(describe_findings(found, folder, ""))


def describe_findings(findings: Sequence[Finding], folder: Path, source: str) -> Iterator[dict[str, Any]]:
    """Each finding with the line it speaks of; `here` are those of the file `source`."""
    for finding in findings:
        yield {
            "place": str(finding.place),
            "rule": finding.rule.replace("M000", ""),  # which is none in particular
            "severity": finding.severity,
            "message": finding.message,
            "quote": _quote(folder / finding.place.path, finding.place.line),
            "here": finding.place.path == source,
        }


def _quote(path: Path, line: int) -> str:
    """The line's words, so that whoever has no line numbers finds it too."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if line else []
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[line - 1].strip()[:_LONGEST_QUOTE] if 0 < line <= len(lines) else ""
