"""Many requests are written by one thread in few commits; no answer goes out before its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Event

import pytest
from sqlalchemy import insert, select

from outbox.errors import OutboxError, Temporary
from outbox.store import Store, Tx
from outbox.store.schema import tag
from outbox.web.writer import AT_ONCE, Writer


@pytest.fixture
def writer(any_store: Store) -> Iterator[Writer]:
    """A writer over the list of four."""
    made = Writer(any_store)
    yield made
    made.close()


def add(word: str) -> object:
    """Give the first person a tag."""

    def do(tx: Tx) -> str:
        tx.connection.execute(insert(tag), {"subscriber_id": 1, "tag": word})
        return word

    return do


def tags(store: Store) -> set[str]:
    """All tags that are on the disk."""
    with store.read() as tx:
        return set(tx.connection.execute(select(tag.c.tag)).scalars())


def test_everybody_gets_their_own_answer(writer: Writer, any_store: Store) -> None:
    """A thousand writes at once: each result goes to whoever asked, and all of them are there."""
    words = [f"word {number}" for number in range(1000)]

    async def ask() -> list[str]:
        return await asyncio.gather(*(writer.write(add(word)) for word in words))

    assert words == asyncio.run(ask())
    assert tags(any_store) == set(words)


def test_one_that_fails_takes_nobody_along(writer: Writer, any_store: Store) -> None:
    """The others of its batch are written all the same, and only it hears of the error."""
    blocked = Event()

    def wait(_: Tx) -> None:
        blocked.wait(30)

    def fail(_: Tx) -> None:
        raise OutboxError("not this one")

    async def ask() -> list[object]:
        first = asyncio.ensure_future(writer.write(wait))
        await asyncio.sleep(0.05)  # the next three wait together
        rest = [asyncio.ensure_future(writer.write(do)) for do in (add("one"), fail, add("two"))]
        await asyncio.sleep(0.05)
        blocked.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    _, one, error, two = asyncio.run(ask())

    assert ("one", "two") == (one, two)
    assert isinstance(error, OutboxError)
    assert tags(any_store) == {"one", "two"}


def test_what_is_alike_is_done_in_one_call(writer: Writer) -> None:
    """Requests that ask for the same thing are handed over together, as many as go into a batch."""
    calls, blocked = list[int](), Event()

    def take(_: Tx, numbers: Sequence[int]) -> list[int]:
        blocked.wait(30)
        calls.append(len(numbers))
        return [number * 2 for number in numbers]

    async def ask() -> list[int]:
        waiting = [asyncio.ensure_future(writer.write_together(take, number)) for number in range(500)]
        await asyncio.sleep(0.05)
        blocked.set()
        return await asyncio.gather(*waiting)

    assert [number * 2 for number in range(500)] == asyncio.run(ask())
    assert len(calls) <= 4
    assert max(calls) <= AT_ONCE


def test_nothing_is_answered_before_it_is_on_the_disk(writer: Writer, any_store: Store) -> None:
    """Whoever reads after the answer finds what was written."""

    async def ask() -> bool:
        await writer.write(add("there"))
        return "there" in tags(any_store)

    assert asyncio.run(ask())


def test_whoever_has_gone_is_written_all_the_same(writer: Writer, any_store: Store, now: datetime) -> None:
    """A connection that breaks off takes nothing back, and stops nobody else."""

    async def ask() -> str:
        gone = asyncio.ensure_future(writer.write(add("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        return await writer.write(add("next"))

    assert asyncio.run(ask()) == "next"
    assert tags(any_store) == {"gone", "next"}


def test_a_writer_that_ends_writes_what_waits_and_takes_no_more(any_store: Store) -> None:
    """Nobody waits for an answer that cannot come."""
    writer = Writer(any_store)

    async def ask() -> None:
        last = asyncio.ensure_future(writer.write(add("last")))
        await asyncio.sleep(0)
        writer.close()
        await last
        with pytest.raises(Temporary):
            await writer.write(add("late"))

    asyncio.run(ask())

    assert tags(any_store) == {"last"}
