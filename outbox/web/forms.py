"""Read what a form sent: urlencoded or multipart, small, and never a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_FIELDS = 200
MAX_VALUE = 1_000  # characters; what is longer is cut off, since no field of ours is


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, each with all its values in order."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The first value of a field without space around it; empty when there is none."""
        return next((value.strip() for value in self.fields.get(name, ())), "")

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a field, as boxes send them that were ticked."""
        return self.fields.get(name, ())


async def read_form(request: Request) -> Form:
    """What a request's form sent; the gate has read it whole already."""
    return parse_form(await request.body(), request.headers.get("content-type", ""))


def parse_form(body: bytes, content_type: str) -> Form:
    """A body as fields; what cannot be read has none. Never raises."""
    kind = content_type.partition(";")[0].strip().lower()
    pairs = _read_parts(body, content_type) if kind == "multipart/form-data" else _read_pairs(body)
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs[:MAX_FIELDS]:
        fields[name] = (*fields.get(name, ()), value[:MAX_VALUE])
    return Form(fields)


def _read_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")  # everything else has to be written as %xx
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError:
        return []


def _read_parts(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """The parts of multipart/form-data (RFC 7578) that are fields and no files."""
    if "\n" in content_type or "\r" in content_type:
        return []
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    pairs = []
    try:
        for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            if isinstance(name, str) and part.get_filename() is None:
                pairs.append((name, _decode(part.get_payload(decode=True))))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, IndexError):
        return []  # what the parser of mail stumbles over is no form
    return pairs


def _decode(content: object) -> str:
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
