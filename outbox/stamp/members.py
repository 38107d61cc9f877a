"""Copy a zip with some of its members changed; the others are taken over packed as they are."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from struct import Struct
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

LOCAL = Struct("<4s5H3I2H")  # the header before each member (APPNOTE 4.3.7)
CENTRAL = Struct("<4s6H3I5H2I")  # its line in the directory at the end (4.3.12)
END = Struct("<4s4H2IH")  # what closes the file (4.3.16)
ENCRYPTED, FOLLOWED, UTF8 = 0x1, 0x8, 0x800  # bits of a member's flags (4.4.4)
LEVEL = 5  # higher ones cost more time than they spare bytes


def write_copy(data: bytes, archive: ZipFile, changed: Mapping[str, bytes]) -> bytes:
    """The zip in `data`, open as `archive`, with the content of `changed` under these names.

    Order, dates and rights of the members stay. Raises BadZipFile for one that is locked.
    """
    parts, directory, offset = list[bytes](), list[bytes](), 0
    for entry in archive.infolist():
        packed, checksum, size = _content(data, entry, changed.get(entry.filename))
        name = entry.filename.encode()
        facts = (
            entry.flag_bits & ~FOLLOWED | UTF8 * (not name.isascii()),
            entry.compress_type,
            *_moment(entry),
            checksum,
            len(packed),
            size,
            len(name),
            0,
        )
        parts += (LOCAL.pack(b"PK\3\4", 20, *facts), name, packed)
        rest = (0, 0, entry.internal_attr, entry.external_attr, offset)
        made_by = entry.create_system << 8 | 20
        directory += (CENTRAL.pack(b"PK\1\2", made_by, 20, *facts, *rest), name)
        offset += LOCAL.size + len(name) + len(packed)
    number, length = len(archive.infolist()), sum(map(len, directory))
    return b"".join((*parts, *directory, END.pack(b"PK\5\6", 0, 0, number, number, length, offset, 0)))


def _content(data: bytes, entry: ZipInfo, new: bytes | None) -> tuple[bytes, int, int]:
    """What a member holds, packed, with the checksum and size of what that unpacks to."""
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise BadZipFile(f"{entry.filename} is locked, or packed in a way that EPUB does not know")
    if new is None:
        header = LOCAL.unpack_from(data, entry.header_offset)
        start = entry.header_offset + LOCAL.size + header[-2] + header[-1]
        return data[start : start + entry.compress_size], entry.CRC, entry.file_size
    if entry.compress_type == ZIP_STORED:
        return new, zlib.crc32(new), len(new)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(new) + packer.flush(), zlib.crc32(new), len(new)


def _moment(entry: ZipInfo) -> tuple[int, int]:
    """A member's date as MS-DOS wrote it: time of day, then day (4.4.6)."""
    year, month, day, hour, minute, second = entry.date_time
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
