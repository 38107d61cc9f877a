"""Write the few tables of a TrueType or OpenType file that pinning a face leaves untrue."""

from __future__ import annotations

import struct
from collections.abc import Mapping

MAC_STYLE, FS_SELECTION = 44, 62  # where `head` and `OS/2` keep their style bits
_ADJUSTMENT = slice(8, 12)  # of `head`: makes the sum over the whole file a constant
_WINDOWS, _UNICODE, _ENGLISH = 3, 1, 0x409


def set_bits(table: bytes, offset: int, bits: Mapping[int, bool]) -> bytes:
    """`table` with bits of the 16-bit number at `offset` set or cleared."""
    (number,) = struct.unpack_from(">H", table, offset)
    for bit, on in bits.items():
        number = number | 1 << bit if on else number & ~(1 << bit)
    return table[:offset] + struct.pack(">H", number) + table[offset + 2 :]


def name_table(names: Mapping[int, str]) -> bytes:
    """A `name` table with one English string for each name id (OpenType 1.9, "name")."""
    records, strings = b"", b""
    for number, words in sorted(names.items()):
        encoded = words.encode("utf-16-be")
        records += struct.pack(">6H", _WINDOWS, _UNICODE, _ENGLISH, number, len(encoded), len(strings))
        strings += encoded
    return struct.pack(">3H", 0, len(names), 6 + len(records)) + records + strings


def join_tables(version: bytes, tables: Mapping[str, bytes]) -> bytes:
    """A font file of `tables`, checksums and all (OpenType 1.9, "Organization of an OpenType font")."""
    tables = {**tables, "head": _adjust(tables["head"], 0)}
    power = len(tables).bit_length() - 1
    search = 16 << power
    header = struct.pack(">4s4H", version, len(tables), search, power, 16 * len(tables) - search)
    records, sums = b"", 0
    at = len(header) + 16 * len(tables)
    for tag, data in sorted(tables.items()):
        records += struct.pack(">4s3I", tag.encode(), _checksum(data), at, len(data))
        at += len(_pad(data))
        sums += _checksum(data)
    tables["head"] = _adjust(tables["head"], 0xB1B0AFBA - sums - _checksum(header + records))
    return header + records + b"".join(_pad(data) for _tag, data in sorted(tables.items()))


def tag_number(tag: str) -> int:
    """A four-letter tag as HarfBuzz counts it."""
    return int.from_bytes(tag.encode(), "big")


def _adjust(head: bytes, adjustment: int) -> bytes:
    return head[: _ADJUSTMENT.start] + struct.pack(">I", adjustment & 0xFFFFFFFF) + head[_ADJUSTMENT.stop :]


def _checksum(data: bytes) -> int:
    padded = _pad(data)
    total: int = sum(struct.unpack(f">{len(padded) // 4}I", padded))
    return total & 0xFFFFFFFF


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
