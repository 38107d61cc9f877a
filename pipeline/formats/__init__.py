"""The formats a book can be made in, each a function of (Book, Layout, Settings)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ..layouts import Layout
from ..model import Book, Edition
from ..settings import Settings

Format = Callable[[Book, Layout, Settings], Edition]


def _load(module: str) -> Format:
    render: Any = import_module(f"{__name__}.{module}").render
    return render  # type: ignore[no-any-return]


#: Name -> how to get the function; loaded only when asked for, since WeasyPrint takes half a second to import.
FORMATS: Mapping[str, Callable[[], Format]] = {
    "pdf": lambda: _load("pdf"),
    "epub": lambda: _load("epub"),
    "print": lambda: _load("print"),
    "archive": lambda: _load("archive"),
    "onix": lambda: _load("onix"),
}
