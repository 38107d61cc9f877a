"""The desk: one warm thread that makes proofs in turn, and keeps the last few."""

from __future__ import annotations

import asyncio
import gc
import queue
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from .changes import Changes
from .pages import Pages, lay_out
from .proofs import Proof, View, make_proof

_Result = TypeVar("_Result")

_KEPT = 6  # proofs; their pages take up to a megabyte each
_BREATH = 0.3  # seconds in which a browser asks for the pages it shows, before they are made better
_REST = 0.5  # seconds without work, after which garbage is looked for
_LITTER = 6  # proofs after which it is looked for although there was no rest


class Outdated(Exception):
    """Something was saved meanwhile."""


@dataclass(slots=True)
class Made:
    """A proof with a number of its own, what it was made of, and its pages when they are ready."""

    number: int
    view: View
    stamp: int
    proof: Proof
    rounds: Iterator[Pages] | None = None
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
        self._shelf: deque[Made] = deque(maxlen=_KEPT)
        self._numbers = count(1)
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        Thread(target=self._work, daemon=True).start()  # a layout in the making must not hold up the end

    async def make(self, view: View, stamp: int) -> Made:
        """The proof of `view`; raises what must be mended first."""
        return await self._do(lambda: self._make(view, stamp))

    async def lay_out(self, made: Made) -> AsyncIterator[Pages]:
        """The pages of a proof, if it has any, each time they get better.

        Raises Outdated when something is saved meanwhile.
        """
        if made.pages:
            yield made.pages  # another window has asked before
        if not made.rounds:
            made.rounds = self._begin(made)
        while pages := await self._do(partial(next, made.rounds, None)):
            made.pages = pages
            yield pages
            await asyncio.sleep(_BREATH)

    async def draw(self, number: int, page: int) -> bytes:
        """One page of a proof; raises LookupError when it is not there."""
        pages = self.find(number).pages
        if pages is None or page >= len(pages.document.pages):
            raise LookupError
        return await self._do(lambda: pages.draw(page))

    def find(self, number: int) -> Made:
        """A proof that was made; raises LookupError when it is not there any more."""
        for made in tuple(self._shelf):  # the thread may be adding one
            if made.number == number:
                return made
        raise LookupError

    def _make(self, view: View, stamp: int) -> Made:
        for made in self._shelf:
            if (made.view, made.stamp) == (view, stamp):
                return made
        number = next(self._numbers)
        if number % _LITTER == 0:
            gc.collect()
        proof = make_proof(self._folder, view, today=self._today)
        if proof.print:
            self.fonts |= {face.path.name: face.path for face in proof.print.settings.type.faces}
        self._shelf.append(Made(number, view, stamp, proof))
        return self._shelf[-1]

    def _begin(self, made: Made) -> Iterator[Pages]:
        if made.proof.print:
            yield from lay_out(made.proof.print, at_page=partial(self._heed, made.stamp))

    def _heed(self, stamp: int) -> None:
        if self._changes.count != stamp:
            raise Outdated

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
