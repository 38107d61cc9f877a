"""Make proofs: one chapter as a letter and as a page of the e-book, and what is to be mended in it."""

from __future__ import annotations

import json
import tomllib
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
from ..check import Finding, check_book, list_findings
from ..config import Config, EditionTable
from ..errors import PipelineError, Place
from ..formats.epub import render_page
from ..formats.issue import Issue, MailSettings, make_issue
from ..layouts import Layout, list_layouts, read_layout
from ..mail.pictures import prepare_pictures
from ..mail.sample import STATES, fill
from ..model import Book, Chapter
from ..resolve import FRONT
from ..sections import spoken_title
from ..settings import Settings
from ..typeset import prepare_type


@dataclass(frozen=True, slots=True)
class View:
    """What a browser looks at: a chapter by its slug and a layout by its name; empty is the book's own."""

    chapter: str = ""
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """One chapter on trial. `about` is told to the browser, `files` are served to it by path.

    `book` holds the chapter alone; with `layout` and `settings` it can be printed. `whole` is
    where the last whole build of the PDF is, if there is one. `opens`: the text begins with it.
    """

    book: Book
    layout: Layout
    settings: Settings
    about: Mapping[str, Any]
    files: Mapping[str, bytes]
    whole: Path
    opens: bool


def make_proof(folder: Path, view: View, *, today: date) -> Proof:
    """Read the book in `folder` anew and make what `view` looks at; raises what must be mended first."""
    manuscript = open_manuscript(folder)
    edition = _choose_edition(manuscript.config)
    chosen = structs.replace(edition, layout=view.layout or edition.layout)
    book, layout = resolve_edition(manuscript, chosen)
    chapter = _choose_chapter(book, view.chapter)
    alone = replace(book, chapters=(chapter,), meta=structs.replace(book.meta, cover="none"))
    name = name_file(manuscript.config, edition)
    settings = prepare_settings(manuscript, alone, layout, formats=("pdf", "epub"), name=name)
    letter = _make_letter(manuscript, book, chapter, layout=_choose_letter_layout(manuscript, view, layout))
    page = render_page(alone, layout, settings, address=lambda face: f"/fonts/{face.path.name}")
    gaps = [Finding(*gap[:1], "M050", "warning", gap[1]) for gap in find_font_gaps(alone, layout, settings.type)]
    findings = sorted([*check_book(book, today=today, off=manuscript.config.check.off), *gaps])
    return Proof(
        book=alone,
        layout=layout,
        settings=settings,
        about={
            "book": book.meta.title,
            "chapter": chapter.slug,
            "title": spoken_title(chapter),
            "layout": layout.name,
            "chapters": [{"slug": each.slug, "title": spoken_title(each)} for each in book.chapters],
            "layouts": list_layouts(folder),
            "page": f"{chapter.slug}.xhtml",
            "letter": _describe_letter(letter),
            "findings": list(describe_findings(findings, folder, chapter.source)),
        },
        files={
            **{f"epub/{path}": data for path, data in page.items()},
            **{f"letter/{path}": data for path, data in _show_letter(letter, folder).items()},
        },
        whole=folder / "build" / f"{name}.pdf",
        opens=chapter is next((each for each in book.chapters if each.kind not in FRONT), None),
    )


def _choose_edition(config: Config) -> EditionTable:
    """The full edition, or the first of book.toml where none is called so."""
    tables = choose_editions(config)
    return next((table for table in tables if table.name == "full"), tables[0])


def _choose_chapter(book: Book, slug: str) -> Chapter:
    """The chapter called `slug`; while there is none, the first one proper."""
    ordered = sorted(book.chapters, key=lambda chapter: (chapter.slug != slug, chapter.kind != "chapter"))
    return ordered[0]


# -- the letter


def _choose_letter_layout(manuscript: Manuscript, view: View, layout: Layout) -> Layout:
    name = view.layout or manuscript.config.newsletter.layout or layout.name
    if name == layout.name:
        return layout
    return read_layout(name, manuscript.folder, cache=manuscript.cache / "templates")


def _make_letter(manuscript: Manuscript, book: Book, chapter: Chapter, *, layout: Layout) -> Issue:
    folder = manuscript.folder / manuscript.config.ebook.chapters
    pictures = prepare_pictures(chapter, folder, prepare_type(layout.faces, manuscript.cache))
    return make_issue(book, layout, MailSettings(pictures=pictures), chapter=chapter)


def _describe_letter(letter: Issue) -> Mapping[str, Any]:
    document = json.loads(letter.files["issue.json"])
    return {
        **{key: document[key] for key in ("subject", "preheader", "words", "minutes")},
        "bytes": len(letter.files["body.html"]),
        "notices": letter.notices,
    }


def _show_letter(letter: Issue, folder: Path) -> Mapping[str, bytes]:
    """The letter in each state, its text, and its pictures."""
    html, text = fill(letter.files, read_sender(folder))
    pictures = {path: data for path, data in letter.files.items() if path.startswith("images/")}
    states = {f"{state}.html": show(html).encode() for state, show in STATES.items()}
    return {**states, "body.txt": text.encode(), **pictures}


def read_sender(folder: Path) -> Mapping[str, str]:
    """Values for the fields of a letter: list and address out of book.toml, and somebody's name."""
    path = folder / "book.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("list", {}) if path.exists() else {}
    return {
        "first_name": "Ana",
        "list_name": str(table.get("name", "")),
        "postal_address": str(table.get("address", "")),
    }


# -- what is to be mended


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


def describe_findings(
    findings: Sequence[Finding], folder: Path, source: str
) -> Iterator[dict[str, Any]]:
    """Each finding with the line it speaks of; `here` are those of the file `source`."""
    for finding in findings:
        yield {
            "place": str(finding.place),
            "rule": finding.rule,
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
    return lines[line - 1].strip()[:160] if 0 < line <= len(lines) else ""
