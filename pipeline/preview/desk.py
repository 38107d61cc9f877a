"""The desk: one warm thread that makes proofs in turn, and keeps the last few."""

from __future__ import annotations

import asyncio
import gc
import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from .changes import Changes
from .pages import Pages, lay_out
from .proofs import Proof, View, make_proof

_Result = TypeVar("_Result")

_KEPT = 4  # proofs; their pages take up to a megabyte each
_REST = 2.0  # seconds without work, after which garbage is looked for


class Outdated(Exception):
    """Something was saved meanwhile."""


@dataclass(slots=True)
class _Made:
    """A proof, its pages when they are ready, and of what it was made."""

    view: View
    stamp: int
    proof: Proof
    pages: Pages | None = None


class Desk:
    """Makes the proofs of the book in `folder`. Everything is done in one thread, in turn.

    A stamp counts the changes seen on the disk; a proof of the same view and stamp is not made twice.
    """

    def __init__(self, folder: Path, changes: Changes, *, today: date) -> None:
        self._folder = folder
        self._changes = changes
        self._today = today
        self.fonts: dict[str, Path] = {}  # of all proofs, by file name
        self._shelf: dict[int, _Made] = {}
        self._numbers = 0
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        Thread(target=self._work, daemon=True).start()  # a layout in the making must not hold up the end

    async def make(self, view: View, stamp: int) -> int:
        """The number of the proof of `view`; raises what must be mended first."""
        return await self._do(lambda: self._make(view, stamp))

    async def lay_out(self, number: int) -> Pages | None:
        """The pages of a proof, if it has any; raises Outdated when something is saved meanwhile."""
        return await self._do(lambda: self._lay_out(self._shelf[number]))

    async def draw(self, number: int, page: int) -> bytes:
        """One page of a proof; raises LookupError when it is not there."""
        pages = self._shelf[number].pages
        if pages is None or page >= len(pages.document.pages):
            raise LookupError
        return await self._do(lambda: pages.draw(page))

    def find(self, number: int) -> Proof:
        """A proof that was made; raises LookupError when it is not there any more."""
        return self._shelf[number].proof

    def _make(self, view: View, stamp: int) -> int:
        for number, made in self._shelf.items():
            if (made.view, made.stamp) == (view, stamp):
                return number
        made = _Made(view, stamp, make_proof(self._folder, view, today=self._today))
        if made.proof.print:
            self.fonts |= {face.path.name: face.path for face in made.proof.print.settings.type.faces}
        self._numbers += 1
        kept = list(self._shelf.items())[1 - _KEPT :]
        self._shelf = {**dict(kept), self._numbers: made}
        return self._numbers

    def _lay_out(self, made: _Made) -> Pages | None:
        def heed() -> None:
            if self._changes.count != made.stamp:
                raise Outdated

        if made.proof.print and not made.pages:
            made.pages = lay_out(made.proof.print, at_page=heed)
        return made.pages

    async def _do(self, task: Callable[[], _Result]) -> _Result:
        future: Future[_Result] = Future()
        self._tasks.put((future, task))
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        """Do task after task. Garbage is looked for at rest only: it would hold up a proof."""
        gc.disable()
        while True:
            try:
                future, task = self._tasks.get(timeout=_REST)
            except queue.Empty:
                gc.collect()
                future, task = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(task())
                except Exception as error:  # noqa: BLE001  (whoever asked is told)
                    future.set_exception(error)
