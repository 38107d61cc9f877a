"""Say of a book what a catalogue wants to know: the package's metadata, from book.toml."""

from __future__ import annotations

import re

from .container import Meta
from .identifiers import derive_file_as
from .model import Book
from .settings import Settings


def list_metadata(book: Book, settings: Settings) -> list[Meta]:
    """What a catalogue reads, from book.toml (EPUB 3.3, 5.5)."""
    meta = book.meta
    lines: list[Meta] = []
    for number, author in enumerate(meta.authors, 1):
        uid = f"creator-{number}"
        name = "creator" if author.role == "aut" else "contributor"
        lines += [
            Meta(name, author.name, dublin_core=True, attrs={"id": uid}),
            Meta("role", author.role, attrs={"refines": f"#{uid}", "scheme": "marc:relators"}),
            Meta("file-as", author.file_as or derive_file_as(author.name), attrs={"refines": f"#{uid}"}),
        ]
    simple = {
        "publisher": meta.publisher, "description": meta.description, "rights": meta.rights,
        "date": meta.date.isoformat() if meta.date else "",
    }  # fmt: skip
    lines += [Meta(name, value, dublin_core=True) for name, value in simple.items() if value]
    lines += [line for number, subject in enumerate(meta.subjects, 1) for line in _subject(number, subject)]
    lines += [Meta("subject", keyword, dublin_core=True) for keyword in meta.keywords]
    if meta.series:
        lines += [
            Meta("belongs-to-collection", meta.series.name, attrs={"id": "series"}),
            Meta("collection-type", "series", attrs={"refines": "#series"}),
            Meta("group-position", f"{meta.series.number:g}", attrs={"refines": "#series"}),
        ]
    if settings.pages:
        lines.append(Meta("pageBreakSource", settings.page_source))
    return lines


def _subject(number: int, subject: str) -> list[Meta]:
    authority = "BISAC" if re.fullmatch(r"[A-Z]{3}\d{6}", subject) else "Thema" if subject.isupper() else ""
    uid = f"subject-{number}"
    line = Meta("subject", subject, dublin_core=True, attrs={"id": uid} if authority else {})
    if not authority:
        return [line]
    return [
        line,
        Meta("authority", authority, attrs={"refines": f"#{uid}"}),
        Meta("term", subject, attrs={"refines": f"#{uid}"}),
    ]
