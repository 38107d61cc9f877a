"""What `{{title}}` and the like stand for: facts of book.toml that a text may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import Metadata


def _name_authors(book: Metadata) -> str:
    return ", ".join(author.name for author in book.authors if author.role == "aut")


#: Every name there is -> what it stands for; empty when book.toml does not say it.
VARIABLES: Mapping[str, Callable[[Metadata], str]] = {
    "title": lambda book: book.title,
    "subtitle": lambda book: book.subtitle,
    "authors": _name_authors,
    "publisher": lambda book: book.publisher,
    "place": lambda book: book.place,
    "year": lambda book: str(book.date.year) if book.date else "",
    "edition_note": lambda book: book.edition_note,
    "rights": lambda book: book.rights,
    "website": lambda book: book.website,
    "isbn_pdf": lambda book: book.isbn.pdf,
    "isbn_epub": lambda book: book.isbn.epub,
}
