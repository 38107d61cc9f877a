"""Remember which calls were really begun, in memory that outlives a killed process but not a power cut."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from outbox.errors import Temporary
from outbox.model import Chunk

BOOT = Path("/proc/sys/kernel/random/boot_id")
SIZE = 64  # bytes of one mark


@dataclass(frozen=True, slots=True)
class Marks:
    """The calls that one sender, now dead, had begun on this machine since it was started."""

    owner: str
    begun: frozenset[bytes]

    def know(self, part: Chunk) -> bool:
        """Whether the call of a chunk may have begun; for a chunk of that sender only."""
        return _spell(part) in self.begun


class Slots:
    """Marks beside the database, one for each chunk that is claimed and not yet settled (LF-6).

    A mark is written just before its call begins. After a kill, a chunk without a mark was surely not
    called; when the machine was started anew, or there is no such file, nothing is certain.
    """

    def __init__(self, path: Path | None, owner: str, number: int) -> None:
        self.size = number
        self._free = list(range(number))
        self._held: dict[tuple[str, int], int] = {}
        self._map = _open(path, owner, number) if path else None

    @property
    def lasting(self) -> bool:
        """Whether the marks outlive this process."""
        return self._map is not None

    def reserve(self, part: Chunk) -> None:
        """Keep a place for the mark of a chunk."""
        self._held[part.send_id, part.no] = self._free.pop()

    def begin(self, part: Chunk) -> None:
        """Say that the call of a chunk begins now."""
        if self._map is not None:
            start = (2 + self._held[part.send_id, part.no]) * SIZE
            self._map[start : start + SIZE] = _spell(part)

    def release(self, part: Chunk) -> None:
        """The chunk was settled, or given back: its place is free."""
        place = self._held.pop((part.send_id, part.no), None)
        if place is not None:
            self._free.append(place)

    def close(self) -> None:
        """Let go of the file; it stays for the next sender to read."""
        if self._map is not None:
            self._map.close()


def read_marks(path: Path | None) -> Marks | None:
    """What the sender before left behind; None: nobody can tell which calls were begun."""
    try:
        content = path.read_bytes() if path else b""
    except OSError:
        return None
    boot, owner = content[:SIZE].rstrip(b"\0"), content[SIZE : 2 * SIZE].rstrip(b"\0")
    if not boot or boot != _boot() or len(content) % SIZE:
        return None
    places = range(2 * SIZE, len(content), SIZE)
    return Marks(owner.decode(errors="replace"), frozenset(content[at : at + SIZE] for at in places))


def _open(path: Path, owner: str, number: int) -> mmap.mmap:
    head = _boot().ljust(SIZE, b"\0") + owner.encode().ljust(SIZE, b"\0")
    try:
        with path.open("wb+") as file:
            file.write(head.ljust(SIZE * (2 + number), b"\0"))
            file.flush()
            return mmap.mmap(file.fileno(), SIZE * (2 + number))
    except OSError as error:
        raise Temporary(f"{path.name} cannot be written: {error.strerror}") from None


def _spell(part: Chunk) -> bytes:
    return f"{part.send_id} {part.no} {part.epoch}\n".encode().ljust(SIZE, b"\0")


def _boot() -> bytes:
    try:
        return BOOT.read_bytes().strip()
    except OSError:
        return b""
