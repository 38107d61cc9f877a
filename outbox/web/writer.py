"""One thread that writes for all requests: whatever waits goes into one transaction, and one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any

from outbox.errors import Temporary
from outbox.store import Store, Tx

#: What is written in one transaction at most; a commit takes as long for a hundred as for one.
AT_ONCE = 256

Write = Callable[[Tx], Any]
#: Does for many at once what is asked for each: as many results as arguments, in their order.
WriteMany = Callable[[Tx, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """What one request wants written, and where its answer goes."""

    do: WriteMany
    argument: Any
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    answer: asyncio.Future[Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer", self.loop.create_future())


class Writer:
    """Writes for requests; each gets its answer when the commit is on the disk, never before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wishes: SimpleQueue[_Wish | None] = SimpleQueue()
        self._closing = False
        self._thread = Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def write(self, do: Write) -> Any:
        """Do this in a transaction. It may be done a second time, when another one of the batch fails."""
        return await self._wait(_call_each, do)

    async def write_together(self, do: WriteMany, argument: Any) -> Any:
        """Have `do` done for this argument and for those of other requests with the same `do`, in one call."""
        return await self._wait(do, argument)

    def close(self) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._wishes.put(None)
        self._thread.join()

    async def _wait(self, do: WriteMany, argument: Any) -> Any:
        if self._closing:
            raise Temporary("the server is being stopped")
        wish = _Wish(do, argument)
        self._wishes.put(wish)
        return await wish.answer

    def _work(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            if batch:
                self._write(batch)

    def _gather(self) -> tuple[list[_Wish], bool]:
        """Wait for one wish, and take along all that came meanwhile; False with the last ones."""
        batch, wish = list[_Wish](), self._wishes.get()
        while wish is not None:
            batch.append(wish)
            if len(batch) == AT_ONCE or self._wishes.empty():
                return batch, True
            wish = self._wishes.get()
        return batch, False

    def _write(self, batch: Sequence[_Wish]) -> None:
        try:
            results = self._commit(batch)
        except Exception as error:  # noqa: BLE001  (told to whoever asked)
            if len(batch) == 1:
                _settle(batch, [error])
            else:  # one of them is to blame: each by itself, so that only that one fails
                for wish in batch:
                    self._write([wish])
        else:
            _settle(batch, results)

    def _commit(self, batch: Sequence[_Wish]) -> list[Any]:
        results: dict[int, Any] = {}
        with self._store.begin() as tx:
            for do in dict.fromkeys(wish.do for wish in batch):
                same = [wish for wish in batch if wish.do == do]
                done = do(tx, [wish.argument for wish in same])
                results |= {id(wish): result for wish, result in zip(same, done, strict=True)}
        return [results[id(wish)] for wish in batch]


def _call_each(tx: Tx, calls: Sequence[Write]) -> list[Any]:
    return [call(tx) for call in calls]


def _settle(batch: Sequence[_Wish], results: Sequence[Any]) -> None:
    """Hand the answers over, those of one event loop in one go."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for wish, result in zip(batch, results, strict=True):
        by_loop.setdefault(wish.loop, []).append((wish.answer, result))
    for loop, answers in by_loop.items():
        loop.call_soon_threadsafe(_hand_over, answers)


def _hand_over(answers: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for answer, result in answers:
        if answer.done():  # whoever asked has gone
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
