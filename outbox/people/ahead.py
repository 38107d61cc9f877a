"""Read a list in a process of its own, so that reading and writing go on at the same time."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from outbox.errors import PeopleError, Place

from .claims import Batch, read_batches
from .sheet import Sheet


class _Failure(msgspec.Struct, frozen=True, tag="failure"):
    message: str
    path: str
    line: int


class _Parcel(msgspec.Struct, frozen=True, tag="parcel"):
    batch: Batch | None  # None: that was all


def read_ahead(sheet: Sheet, **start: Any) -> Iterator[Batch]:
    """What `read_batches` yields and raises, while another process reads on."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_batches, args=(sender, sheet, start), daemon=True)
    process.start()
    sender.close()
    decode: Callable[[bytes], _Failure | _Parcel] = msgspec.msgpack.Decoder(_Failure | _Parcel).decode
    try:
        while True:
            parcel = decode(receiver.recv_bytes())
            if isinstance(parcel, _Failure):
                raise PeopleError(parcel.message, Place(parcel.path, parcel.line) if parcel.path else None)
            if parcel.batch is None:
                return
            yield parcel.batch
    except EOFError:
        raise PeopleError("the reading process was stopped; run the import again, it goes on") from None
    finally:
        receiver.close()
        process.terminate()
        process.join()


def _send_batches(sender: Connection, sheet: Sheet, start: dict[str, Any]) -> None:
    encode = msgspec.msgpack.Encoder().encode
    gc.disable()  # nothing here points back at itself
    try:
        try:
            for batch in read_batches(sheet, **start):
                sender.send_bytes(encode(_Parcel(batch)))
            sender.send_bytes(encode(_Parcel(None)))
        except PeopleError as error:
            place = error.place or Place("")
            sender.send_bytes(encode(_Failure(error.message, place.path, place.line)))
    except (BrokenPipeError, KeyboardInterrupt):
        return  # nobody waits for the rest
