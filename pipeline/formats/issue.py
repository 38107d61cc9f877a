"""Chapter -> issue folder: what the outbox sends, the whole contract between the two packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from datetime import time as Time  # a field is called time
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from ..config import FieldTable
from ..errors import ManuscriptError, Place
from ..layouts import Layout
from ..mail import text as plain_text
from ..mail.extract import Extract
from ..mail.frame import Frame, make_frame
from ..mail.html import inline, read_styles
from ..mail.markup import MailPicture, write_mail, write_notes
from ..model import Book, Chapter, Mailing, Node, plain
from ..resolve import slugify
from ..sections import Words

#: The folder beside the files of an issue that holds pictures of the letter, if somebody wanted any.
PREVIEW = "preview"
_FIELD = re.compile(r"@@([a-z_]+)@@")
_LONGEST_SLUG = 100
_LONGEST_LAST_WORD = 9  # of a title, kept with the word before it (rule M51)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What an issue is told beside the book, the layout and its text.

    `pictures` are those the text shows. `site` is the https address of the static site, empty
    without one: a picture is at `<site>/<slug>/images/<name>`, and the issue's page at
    `<site>/<slug>/`. With `embed`, or without a site, the letter says `images/<name>`, and the
    outbox puts the picture into the message. `fields` are the merge fields there are;
    `time` in `zone` is when an issue goes out on its day. `list_name` names the list, empty the only one.
    """

    pictures: Sequence[MailPicture] = ()
    site: str = ""
    embed: bool = False
    fields: Mapping[str, FieldTable] = field(default_factory=dict)
    time: Time = Time(9)
    zone: tzinfo = UTC
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue or letter, rendered: `slug` is its folder's name, `files` are paths in that folder and their bytes.

    `source` is the file it was made from, `reads` are the slugs of the chapters that its
    "read on" leads to; `notices` say what the author should know.
    """

    slug: str
    kind: Literal["issue", "letter"]
    files: Mapping[str, bytes]
    source: str
    taken: Extract
    frame: Frame
    pictures: Sequence[MailPicture] = ()
    notices: tuple[str, ...] = ()


def make_issue(
    book: Book, layout: Layout, settings: MailSettings, *, chapter: Chapter, taken: Extract
) -> Issue:
    """`chapter`, of which `taken` is the text (`compose`), as an issue folder: a pure function of its arguments.

    Raises ManuscriptError for a merge field nobody knows, LayoutError for a template that cannot be filled.
    """
    words = Words(layout.read_words(chapter.lang or book.language))
    mailing = chapter.mailing or Mailing()
    slug = name_issue(chapter)
    page = f"{settings.site}/{slug}/" if settings.site else ""
    frame = make_frame(book, chapter, taken, words=words, day=mailing.date, browser=page)
    address = f"{page}images/" if page and not settings.embed else "images/"
    html = _write_html(layout, taken, frame, pictures=settings.pictures, address=address)
    text = _write_text(taken, frame)
    pictures = {f"images/{picture.name}": picture.data for picture in settings.pictures}
    files = {"body.html": html.encode(), "body.txt": text.encode(), **dict(sorted(pictures.items()))}
    kind: Literal["issue", "letter"] = "letter" if chapter.kind == "letter" else "issue"
    known = {"first_name": FieldTable(default=words["friend"]), **settings.fields}
    document: dict[str, Any] = {
        "format": 1,
        "kind": kind,
        "slug": slug,
        "subject": frame.subject,
        "preheader": frame.preheader,
        "send_at": _say_moment(mailing, settings),
        "language": frame.language,
        "fields": _list_fields(
            [frame.subject, *mailing.subjects, frame.preheader, html, text], chapter, known
        ),
        "list": settings.list_name,
        "segment": mailing.segment,
        "layout": layout.name,
        "words": taken.words,
        "minutes": frame.minutes,
        "attachments": [],
        "files": {name: sha256(data).hexdigest() for name, data in files.items()},
    }
    if mailing.subjects:
        document["subjects"] = list(mailing.subjects)
    made = {"issue.json": seal(document), **files}
    return Issue(slug, kind, made, chapter.source, taken, frame, settings.pictures)


def name_issue(chapter: Chapter) -> str:
    """The folder's name: day and slug, which is the issue's identity for ever; a letter has no day."""
    name = slugify(chapter.slug.rpartition("/")[2])[:_LONGEST_SLUG].strip("-")
    day = chapter.mailing.date if chapter.mailing else None
    return f"{day.isoformat()}-{name}" if day else name


def _say_moment(mailing: Mailing, settings: MailSettings) -> str | None:
    if not mailing.date:
        return None
    return datetime.combine(mailing.date, mailing.time or settings.time, settings.zone).isoformat()


def seal(document: Mapping[str, Any]) -> bytes:
    """issue.json: `document` and the digest of all it says (architecture §5.1)."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    sealed = {**document, "sha256": sha256(canonical.encode()).hexdigest()}
    return (json.dumps(sealed, ensure_ascii=False, indent=2) + "\n").encode()


def write_issue(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold exactly `files`; whoever reads it finds the old issue or the new one, never a mixture.

    A folder that holds them already is not touched, nor are the pictures of the letter in its
    `preview/`. The new one is written beside it, under a name that begins with a dot; if the
    exchange fails, the old one is put back.
    """
    if _read_files(folder) == files:
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in files.items():
            _write(beside / "new" / name, data)
        _exchange(beside / "new", folder, beside / "old")
    finally:
        if folder.exists() or not (beside / "old").exists():  # else the last good issue is in there
            shutil.rmtree(beside, ignore_errors=True)


def _read_files(folder: Path) -> dict[str, bytes]:
    """The files of an issue folder; pictures of the letter are no part of it."""
    paths = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(f"{PREVIEW}/")}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _exchange(new: Path, folder: Path, old: Path) -> None:
    """A full folder cannot be replaced, so the old one steps aside first."""
    if folder.exists():
        folder.replace(old)
    try:
        new.replace(folder)
    except OSError:
        if old.exists():
            old.replace(folder)
        raise


def _list_fields(
    texts: Sequence[str], chapter: Chapter, known: Mapping[str, FieldTable]
) -> dict[str, dict[str, str]]:
    """The merge fields used, sorted, each with its type and default. Raises ManuscriptError for one nobody knows."""
    used = sorted({name for text in texts for name in _FIELD.findall(text)})
    for name in used:
        if name not in known:
            message = (
                f"unknown field @@{name}@@; there are {', '.join(f'@@{other}@@' for other in sorted(known))}"
            )
            line = next((node.line for node in chapter.walk() if f"@@{name}@@" in node.text), 0)
            raise ManuscriptError(message, Place(chapter.source, line))
    return {name: {"type": known[name].type, "default": known[name].default} for name in used}


# -- the two parts


def _write_html(
    layout: Layout, taken: Extract, frame: Frame, *, pictures: Sequence[MailPicture], address: str
) -> str:
    found = {picture.source: picture for picture in pictures}

    def write(nodes: Sequence[Node]) -> str:
        return write_mail(nodes, frame.words, picture=lambda node: found[node.attrs["src"]], address=address)

    name = "digest" if frame.contents else "letter"
    markup = layout.fill(
        f"mail/{name}.html.j2", frame=frame, words=frame.words, title=write(_bind_last_word(taken.title)),
        body=write(taken.body), notes=write_notes(taken.notes, frame.words), sources=write(taken.sources),
    )  # fmt: skip
    return inline(markup, read_styles(layout, frame.direction))


def _bind_last_word(title: tuple[Node, ...]) -> tuple[Node, ...]:
    """A no-break space before a short last word, so that it never stands alone."""
    *first, last = title
    head, _, word = last.text.rpartition(" ")
    if last.kind != "text" or not head or len(word) > _LONGEST_LAST_WORD:
        return title
    return (*first, replace(last, text=f"{head}\N{NO-BREAK SPACE}{word}"))


def _write_text(taken: Extract, frame: Frame) -> str:
    words = frame.words
    title = plain_text.write_title(plain(taken.title))
    byline = " · ".join(part for part in (frame.date, frame.byline) if part)
    contents = plain_text.write_contents(frame.contents, words) if frame.contents else ""
    body = plain_text.write_text(taken.body, words)
    parts = [title, frame.subtitle, byline, contents, body, frame.reviewed]
    if taken.notes:
        parts += ["\n" + plain_text.write_heading(words["notes"]), plain_text.write_notes(taken.notes, words)]
    if taken.sources:
        parts += [
            "\n" + plain_text.write_heading(words["sources"]),
            plain_text.write_text(taken.sources, words),
        ]
    links = [f"{label}:\n{address}" for label, address in frame.links]
    return (
        plain_text.tidy("\n\n".join(part for part in [*parts, "\n---", *frame.footer, *links] if part)) + "\n"
    )
