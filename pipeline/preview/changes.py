"""Notice when something of a book is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

from watchfiles import watch

from ..layouts import HOMES

#: Milliseconds without another change after which a save is taken to be whole, and the longest wait for that.
_STEP, _LONGEST = 20, 200
_MADE = frozenset({"build", "node_modules", "venv"})


class Changes:
    """Counts what was saved. To be used in the event loop; `count` may be read anywhere."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def note(self) -> None:
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int) -> None:
        """Return when more than `seen` changes were noted."""
        while self.count == seen:
            await self._next.wait()


def watch_book(folder: Path, note: Callable[[], object]) -> None:
    """Call `note` whenever a file of the book in `folder`, or of a layout, was saved; never returns.

    What is made, and what is hidden, is not looked at. Folders that come are found.
    """
    while True:
        stop, roots = Event(), find_roots(folder)
        Thread(target=_watch_below, args=(roots, stop, note), daemon=True).start()
        for _ in _watch((folder,), recursive=False):
            note()
            if find_roots(folder) != roots:
                break
        stop.set()


def find_roots(folder: Path) -> tuple[Path, ...]:
    """The folders in which sources may lie: those of the book, and the layouts that come with the project."""
    own = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return tuple(sorted({*(path for path in own if path.name not in _MADE), *filter(Path.is_dir, HOMES)}))


def _watch_below(roots: tuple[Path, ...], stop: Event, note: Callable[[], object]) -> None:
    for _ in _watch(roots, stop_event=stop):
        note()


def _watch(paths: tuple[Path, ...], **options: Any) -> Iterator[object]:
    """Something for each save below `paths`."""
    options |= {"step": _STEP, "debounce": _LONGEST, "raise_interrupt": False}
    try:
        yield from watch(*paths, **options)
    except OSError:  # a system has so many watches and no more; looking again and again needs none
        yield from watch(*paths, force_polling=True, **options)
