"""Threads that make calls, one that makes their bytes, and a box where what they found comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Crashed(NamedTuple):
    """A worker that cannot go on."""

    error: BaseException


class Crew(Generic[Item]):
    """Whoever makes calls does not wait for bytes to be made: these have a thread of their own."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Item | Crashed] = SimpleQueue()
        self._renders: SimpleQueue[Callable[[], Item] | None] = SimpleQueue()
        self._calls: SimpleQueue[Callable[[], Item] | None] = SimpleQueue()
        self._threads = [self._start(self._renders)]

    @property
    def callers(self) -> int:
        """How many calls can run at a time."""
        return len(self._threads) - 1

    def grow(self, callers: int) -> None:
        """Start threads until so many calls can run at a time."""
        while self.callers < callers:
            self._threads.append(self._start(self._calls))

    def render(self, task: Callable[[], Item]) -> None:
        """Let bytes be made."""
        self._renders.put(task)

    def call(self, task: Callable[[], Item]) -> None:
        """Let a call be made."""
        self._calls.put(task)

    def collect(self, most: int, *, seconds: float, enough: int) -> list[Item]:
        """Wait for the first thing that comes back, and some seconds for `enough`; raises what a worker raised."""
        found: list[Item] = []
        until = 0.0
        with suppress(Empty):
            while len(found) < most:
                wait = None if not found else max(until - monotonic(), 0.0) if len(found) < enough else 0.0
                item = self._inbox.get(timeout=wait)
                if isinstance(item, Crashed):
                    raise item.error
                until = until or monotonic() + seconds
                found.append(item)
        return found

    def close(self) -> None:
        """Let the workers finish what they are in, begin nothing else, and end."""
        for tasks in (self._renders, self._calls):
            with suppress(Empty):
                while True:
                    tasks.get_nowait()
        self._renders.put(None)
        for _ in range(self.callers):
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self, tasks: SimpleQueue[Callable[[], Item] | None]) -> Thread:
        thread = Thread(target=_work, args=(tasks, self._inbox), daemon=True)
        thread.start()
        return thread


def _work(tasks: SimpleQueue[Callable[[], Item] | None], inbox: SimpleQueue[Item | Crashed]) -> None:
    while (task := tasks.get()) is not None:
        try:
            inbox.put(task())
        except BaseException as error:  # noqa: BLE001  (it is raised again where things are collected)
            inbox.put(Crashed(error))
            return
