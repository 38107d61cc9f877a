"""Chapter -> issue folder: what the outbox sends, the whole contract between the two packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .. import plain_text
from ..email_html import inline, mirror
from ..errors import LayoutError, ManuscriptError, Place
from ..extract import Extract, extract
from ..layouts import Layout
from ..mail_markup import MailPicture, write_mail, write_notes
from ..model import Book, Chapter, Node, plain
from ..resolve import slugify
from ..sections import Words

#: Merge fields that a letter may hold, and what each is (architecture §5.3); the outbox fills them.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "first_name": "text",
        "unsubscribe_url": "url",
        "preferences_url": "url",
        "browser_url": "url",
        "postal_address": "text",
        "list_name": "text",
    }
)
#: Lines of the foot that lead somewhere: word -> field.
_LINKS = {"browser": "browser_url", "preferences": "preferences_url", "unsubscribe": "unsubscribe_url"}

_FIELD = re.compile(r"@@([a-z_]+)@@")
_WORDS_A_MINUTE = 200
_LONGEST_SUBJECT, _LONGEST_PREHEADER, _SHORTEST_PREHEADER = 60, 130, 40  # rules M37, M24
_LONGEST_DISCLAIMER, _LONGEST_SLUG = 240, 100
_LONGEST_LAST_WORD = 9  # of a title, kept with the word before it (rule M51)
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What an issue is told beside the book and the layout.

    `pictures` are those of the chapter (`mail_pictures.prepare_pictures`).
    `image_address` is the https address under which the issue folders will be found: a
    picture is then at `<image_address>/<slug>/images/<name>`. Empty: the letter says
    `images/<name>`, and the outbox puts the picture into the message or in front of it an address.
    `list` names the list, empty the only one; `send_at` needs an offset, None is as soon as possible.
    """

    pictures: Sequence[MailPicture] = ()
    image_address: str = ""
    list: str = ""
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue, rendered: `slug` is its folder's name, `files` are paths in that folder and their bytes.

    `notices` say what the author should know.
    """

    slug: str
    files: Mapping[str, bytes]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the text, the same in both parts."""

    subject: str
    preheader: str
    date: str
    byline: str
    reviewed: str
    footer: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def make_issue(book: Book, layout: Layout, settings: MailSettings, *, chapter: Chapter) -> Issue:
    """`chapter` as an issue folder, a pure function of its arguments.

    Raises ManuscriptError for a merge field nobody knows, LayoutError for a template that cannot be filled.
    """
    language = chapter.lang or book.language
    words = Words(layout.read_words(language))
    taken = extract(book, chapter, words.table)
    day = chapter.date or book.meta.date or book.made_at.date()
    slug = f"{day.isoformat()}-{slugify(chapter.slug)[:_LONGEST_SLUG].strip('-')}"
    frame = _make_frame(book, chapter, taken, words=words, date=words.say_date(day))
    bodies = {
        "body.html": _write_html(book, layout, settings, chapter=chapter, taken=taken, frame=frame, slug=slug),
        "body.txt": _write_text(chapter, taken, frame, words=words.table),
    }
    shown = {node.attrs["src"] for node in chapter.walk() if node.kind == "image"}
    pictures = {f"images/{p.name}": p.data for p in settings.pictures if p.source in shown}
    files = {name: text.encode() for name, text in bodies.items()} | dict(sorted(pictures.items()))
    document = {
        "format": 1,
        "kind": "issue",
        "slug": slug,
        "subject": frame.subject,
        "preheader": frame.preheader,
        "send_at": settings.send_at.isoformat() if settings.send_at else None,
        "language": language,
        "fields": _list_fields([frame.subject, frame.preheader, *bodies.values()], chapter),
        "list": settings.list,
        "layout": layout.name,
        "words": taken.words,
        "minutes": _count_minutes(taken),
        "attachments": [],
        "files": {name: sha256(data).hexdigest() for name, data in files.items()},
    }
    return Issue(slug, {"issue.json": seal(document), **files}, tuple(_warn(chapter, frame)))


def seal(document: Mapping[str, Any]) -> bytes:
    """issue.json: `document` and the digest of all it says (architecture §5.1)."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    sealed = {**document, "sha256": sha256(canonical.encode()).hexdigest()}
    return (json.dumps(sealed, ensure_ascii=False, indent=2) + "\n").encode()


def write_issue(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold exactly `files`; whoever reads it finds the old issue or the new one, never a mixture.

    A folder that holds them already is not touched. The new one is written beside it, under
    a name that begins with a dot; if the exchange fails, the old one is put back.
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
        shutil.rmtree(beside, ignore_errors=True)


def _read_files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _exchange(new: Path, folder: Path, old: Path) -> None:
    """A full folder cannot be replaced, so the old one steps aside first."""
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(new, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise


# -- around the text


def _make_frame(book: Book, chapter: Chapter, taken: Extract, *, words: Words, date: str) -> _Frame:
    authors = [author.name for author in book.meta.authors if author.role == "aut"]
    names = words.say_names(list(chapter.authors) or authors)
    reading = words["minutes"].format(minutes=_count_minutes(taken))
    whole = words["from_book"].format(title=book.meta.title, names=words.say_names(authors))
    footer = [
        whole if authors else "",
        _cut_sentences(book.meta.disclaimer, _LONGEST_DISCLAIMER),
        words["why_you"].format(list="@@list_name@@"),
        "@@postal_address@@",
    ]
    return _Frame(
        subject=cut(plain(taken.title), _LONGEST_SUBJECT),
        preheader=_make_preheader(chapter, taken),
        date=date,
        byline=" · ".join(part for part in (names, reading) if part),
        reviewed=words["reviewed"].format(date=words.say_date(chapter.reviewed)) if chapter.reviewed else "",
        footer=tuple(line for line in footer if line),
        links=tuple((words[word], f"@@{field}@@") for word, field in _LINKS.items()),
    )


def _count_minutes(taken: Extract) -> int:
    return max(1, round(taken.words / _WORDS_A_MINUTE))


def _make_preheader(chapter: Chapter, taken: Extract) -> str:
    """The summary; where it is short or missing, the opening words as well."""
    opening = next((plain(node.children) for node in taken.body if node.kind == "paragraph"), "")
    text = " ".join(chapter.summary.split())
    if len(text) < _SHORTEST_PREHEADER:
        text = " ".join([*text.split(), *opening.split()])
    return cut(text, _LONGEST_PREHEADER)


def cut(text: str, longest: int) -> str:
    """`text`, or as many whole words as fit before an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    return text[:longest].rpartition(" ")[0].rstrip(" ,;:.–—-") + "…"


def _cut_sentences(text: str, longest: int) -> str:
    """As many of the first sentences as fit; at least a part of the first."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    ends = [found.end() for found in re.finditer(r"[.!?](?= )", text) if found.end() <= longest]
    return text[: ends[-1]] if ends else cut(text, longest)


def _warn(chapter: Chapter, frame: _Frame) -> list[str]:
    """What a reader would frown at in the list of letters (rule M37)."""
    place = Place(chapter.source, chapter.title_line)
    found = {
        f"the title is longer than {_LONGEST_SUBJECT} characters; the subject says '{frame.subject}'":
            frame.subject.endswith("…"),
        "the title is in capitals, which reads like shouting in an inbox": frame.subject.isupper(),
        "the title has several exclamation marks, which looks like advertising": "!!" in frame.subject,
    }  # fmt: skip
    return [f"{place}: {message}" for message, holds in found.items() if holds]


def _list_fields(texts: Sequence[str], chapter: Chapter) -> dict[str, str]:
    """The merge fields used, sorted, each with its type. Raises ManuscriptError for one nobody knows."""
    used = sorted({name for text in texts for name in _FIELD.findall(text)})
    for name in used:
        if name not in FIELDS:
            message = f"unknown field @@{name}@@; there are {', '.join(f'@@{known}@@' for known in FIELDS)}"
            line = next((node.line for node in chapter.walk() if f"@@{name}@@" in node.text), 0)
            raise ManuscriptError(message, Place(chapter.source, line))
    return {name: FIELDS[name] for name in used}


# -- the two parts


def _write_html(
    book: Book, layout: Layout, settings: MailSettings, *, chapter: Chapter, taken: Extract, frame: _Frame, slug: str
) -> str:
    language = chapter.lang or book.language
    words = layout.read_words(language)
    pictures = {picture.source: picture for picture in settings.pictures}
    address = f"{settings.image_address.rstrip('/')}/{slug}/images/" if settings.image_address else "images/"
    direction = "rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"

    def write(nodes: Sequence[Node]) -> str:
        return write_mail(nodes, words, picture=lambda node: pictures[node.attrs["src"]], address=address)

    markup = layout.fill(
        "mail/letter.html.j2",
        words=words, lang=language, direction=direction, subject=frame.subject, preheader=frame.preheader,
        date=frame.date, title=write(_bind_last_word(taken.title)), subtitle=chapter.subtitle, byline=frame.byline,
        body=write(taken.body), reviewed=frame.reviewed, notes=write_notes(taken.notes, words),
        sources=write(taken.sources), footer=frame.footer, links=frame.links,
    )  # fmt: skip
    light, dark = (_read_css(look, direction) for look in (layout, _darken(layout)))
    try:
        return inline(markup, css=light, dark=dark, head=layout.read_css("mail/head.css")).rstrip() + "\n"
    except ValueError as error:
        raise LayoutError(f"mail.css or head.css cannot be used: {error}", Place(f"layouts/{layout.name}/mail")) from error


def _darken(layout: Layout) -> Layout:
    """The same layout, each colour as it is in dark mode."""
    dark = {name.removeprefix("dark-"): value for name, value in layout.tokens.items() if name.startswith("dark-")}
    return replace(layout, tokens={**layout.tokens, **dark})


def _read_css(layout: Layout, direction: str) -> str:
    css = layout.read_css("mail/mail.css")
    return mirror(css) if direction == "rtl" else css


def _bind_last_word(title: tuple[Node, ...]) -> tuple[Node, ...]:
    """A no-break space before a short last word, so that it never stands alone."""
    *first, last = title
    head, space, word = last.text.rpartition(" ")
    if last.kind != "text" or not head or len(word) > _LONGEST_LAST_WORD:
        return title
    return (*first, replace(last, text=f"{head}\N{NO-BREAK SPACE}{word}"))


def _write_text(chapter: Chapter, taken: Extract, frame: _Frame, *, words: Mapping[str, str]) -> str:
    title = plain_text.write_title(plain(taken.title))
    opening = [title, chapter.subtitle, frame.byline, plain_text.write_text(taken.body, words), frame.reviewed]
    ending = []
    if taken.notes:
        ending += ["\n" + plain_text.write_heading(words["notes"]), plain_text.write_notes(taken.notes, words)]
    if taken.sources:
        ending += ["\n" + plain_text.write_heading(words["sources"]), plain_text.write_text(taken.sources, words)]
    links = [f"{label}:\n{address}" for label, address in frame.links]
    blocks = [*opening, *ending, "\n---", *frame.footer, *links]
    return plain_text.tidy("\n\n".join(block for block in blocks if block)) + "\n"
