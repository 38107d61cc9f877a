"""Put a stamp into an EPUB: into the package's metadata, and into every page as a comment."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

from outbox.errors import OutboxError

from .members import write_copy
from .seal import STAMP_BYTES

PACKAGE = re.compile(rb"""full-path\s*=\s*["']([^"']+)["']""")
METADATA_END = re.compile(rb"</(?:\w+:)?metadata\s*>")
BODY_END = re.compile(rb"</(?:\w+:)?body\s*>")
#: One more identifier, beside that which names the book: programs keep those they do not know.
IDENTIFIER = '<dc:identifier xmlns:dc="http://purl.org/dc/elements/1.1/">{}</dc:identifier>'
PAGES = (".xhtml", ".html", ".htm")


def stamp(book: bytes, stamp: str) -> bytes:
    """The EPUB with `stamp` in it; `mimetype` stays first, and what does not change is not packed again.

    Raises OutboxError for a file that is no EPUB, or is damaged.
    """
    comment, identifier = f"<!-- {stamp} -->".encode(), IDENTIFIER.format(stamp).encode()
    try:
        with zipfile.ZipFile(BytesIO(book)) as archive:
            package = _find_package(archive)
            pages = [name for name in archive.namelist() if name.lower().endswith(PAGES)]
            changed = {name: _insert(archive.read(name), BODY_END, comment) for name in pages}
            changed[package] = _insert(archive.read(package), METADATA_END, identifier)
            return write_copy(book, archive, changed)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise OutboxError(f"the EPUB cannot be stamped: {error}") from None


def find(book: bytes) -> list[str]:
    """Every stamp in an EPUB, in whatever file it stands."""
    try:
        with zipfile.ZipFile(BytesIO(book)) as archive:
            texts = [archive.read(name) for name in archive.namelist()]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise OutboxError(f"the EPUB cannot be read: {error}") from None
    return [found.decode().lower() for text in texts for found in STAMP_BYTES.findall(text)]


def _find_package(archive: zipfile.ZipFile) -> str:
    """The file that says what the book is made of (EPUB 3.3, section 4.2.6.3.1)."""
    if found := PACKAGE.search(archive.read("META-INF/container.xml")):
        return found[1].decode()
    raise KeyError("META-INF/container.xml names no package")


def _insert(text: bytes, before: re.Pattern[bytes], what: bytes) -> bytes:
    """Put `what` before the last match; a text without one stays as it is."""
    ends = [found.start() for found in before.finditer(text)]
    return text[: ends[-1]] + what + text[ends[-1] :] if ends else text
