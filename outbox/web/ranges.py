"""Answer with a part of some bytes where a part was asked for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.responses import Response

#: One range; what asks for several at once gets the whole, as it may (14.2).
RANGE = re.compile(r"bytes=\s*([0-9]*)-([0-9]*)\s*", re.IGNORECASE)


def answer(data: bytes, etag: str, asked: Mapping[str, str], *, method: str, **headers: str) -> Response:
    """The whole (200), a part (206), nothing new (304) or no such part (416); `asked` is the request's head."""
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    own |= {"etag": etag, "accept-ranges": "bytes"}
    if _names(asked.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=own)
    part = find_part(asked.get("range", ""), len(data)) if method == "GET" else None
    if part is None or asked.get("if-range", etag) != etag:
        return Response(data, headers=own)
    first, last = part
    if first > last:
        return Response(status_code=416, headers={**own, "content-range": f"bytes */{len(data)}"})
    place = {"content-range": f"bytes {first}-{last}/{len(data)}"}
    return Response(data[first : last + 1], 206, {**own, **place})


def find_part(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte that are asked for; the first is beyond the last where there are none.

    None for what is to be answered with the whole: no range, several, or no valid one.
    """
    found = RANGE.fullmatch(asked)
    if not found or not (found[1] or found[2]) or max(map(len, found.groups())) > 18:
        return None
    if not found[1]:  # the last so many bytes
        return (max(0, size - int(found[2])), size - 1) if int(found[2]) else (size, size - 1)
    first, last = int(found[1]), int(found[2] or size - 1)
    if found[2] and last < first:
        return None
    return (first, min(last, size - 1)) if first < size else (size, size - 1)


def _names(header: str, etag: str) -> bool:
    """Whether If-None-Match speaks of these bytes; weak names compare as strong ones there (13.1.2)."""
    return header.strip() == "*" or etag in {word.strip().removeprefix("W/") for word in header.split(",")}
