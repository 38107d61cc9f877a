"""Begin a new book: copy the starter folder and fill in the author's own title and date."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path

from ..config import humanise
from ..errors import ManuscriptError, Place

_HERE = Path(__file__).parent
_FILLED = ("book.toml", "README.md")


def begin_book(folder: Path, *, today: date) -> None:
    """Make `folder` with a small book in it; raises ManuscriptError when it is there already.

    The folder appears whole or not at all.
    """
    if folder.exists():
        raise ManuscriptError("this folder is there already; give the name of a new one", Place(str(folder)))
    if not folder.resolve().parent.is_dir():
        raise ManuscriptError("the folder above it is not there; make it first", Place(str(folder)))
    title = humanise(folder.resolve().name)
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent, prefix=".new-") as scratch:
        made = Path(scratch) / "book"
        shutil.copytree(_HERE / "book", made)
        (made / "gitignore").rename(made / ".gitignore")
        for name in _FILLED:
            text = (made / name).read_text(encoding="utf-8")
            text = text.replace("@@title@@", title.replace('"', "'")).replace("@@date@@", today.isoformat())
            text = text.replace("@@year@@", str(today.year))
            (made / name).write_text(text, encoding="utf-8")
        made.rename(folder)
