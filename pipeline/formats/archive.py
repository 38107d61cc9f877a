"""Book -> PDF/A-3a and PDF/UA-1 at once: one file that can be read for as long as there are libraries."""

from __future__ import annotations

from ..layouts import Layout
from ..model import Book, Edition
from ..preservation import preserve
from ..settings import Settings
from ..tagging import finish
from ..typeset import write_pdf
from .pdf import lay_out_book


def render(book: Book, layout: Layout, settings: Settings) -> Edition:
    """The pages of the ordinary PDF; with them what `[archive] attach` asks for."""
    document, labels = lay_out_book(book, layout, settings)
    written = write_pdf(document, variant="pdf/a-3a")
    settings.say("pages written and tagged")
    data = preserve(finish(written, book=book, labels=labels), settings.attachments, made_at=book.made_at)
    return Edition(book.edition, "archive", {f"{settings.file_name}.archive.pdf": data})
