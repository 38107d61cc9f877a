"""Write docs/book-toml.md from the types that read book.toml, so that the two cannot drift apart."""

from __future__ import annotations

import inspect as source
import io
import json
import sys
import tokenize
from collections.abc import Iterator

import msgspec
from msgspec import inspect

from .. import config
from .tables import describe_type

EXAMPLE = """\
[book]
title = "The Kitchen Garden"
subtitle = "Vegetables through the Year"
authors = ["Ada Green", { name = "Ben Stone", role = "ill" }]
publisher = "Orchard House"
language = "en-GB"
description = "What to sow, when to water, how to store the harvest."
subjects = ["GAR025000"]
rights = "© 2026 Ada Green"
date = 2026-08-31

[book.isbn]
epub = "978-0-00-000000-2"

[ebook]
layout = "classic"
formats = ["pdf", "epub"]

[[edition]]
name = "full"

[[edition]]
name = "sample"
chapters = ["introduction", "spring"]
note = "A free sample."

[bibliography]
file = "references.bib"
"""

_HEAD = f"""\
# book.toml

The file `book.toml` in a book's folder says what the book is and how it is made.
It is written in [TOML](https://toml.io) and saved as UTF-8.
Only `[book]` with a title and its authors must be there.
A key that is not listed here is an error, and the message names its line.
Paths are relative to the book's folder and stay inside it.
The tables `[list]`, `[outbox]` and `[provider]` belong to the outbox.

```toml
{EXAMPLE}```
"""


def describe_config() -> str:
    """The reference of book.toml in Markdown: every table and key, its type, default and meaning."""
    comments = _read_comments()
    tables = (field.type for field in msgspec.structs.fields(config.Config))
    sections = [_HEAD]
    for table in (inspect.type_info(table) for table in tables):
        sections += (_describe_table(struct, comments) for struct in _find_structs(table))
    return "\n".join(sections)


def _find_structs(wanted: inspect.Type) -> Iterator[inspect.StructType]:
    """The tables in a type: itself, then those of its keys."""
    match wanted:
        case inspect.StructType():
            yield wanted
            for field in wanted.fields:
                yield from _find_structs(field.type)
        case inspect.VarTupleType():
            yield from _find_structs(wanted.item_type)
        case inspect.DictType():
            yield from _find_structs(wanted.value_type)
        case inspect.UnionType():
            for choice in wanted.types:
                yield from _find_structs(choice)


def _describe_table(table: inspect.StructType, comments: dict[tuple[str, str], str]) -> str:
    name, _, meaning = (table.cls.__doc__ or "").partition(": ")
    lines = [f"## {name}", "", f"{meaning[:1].upper()}{meaning[1:]}", ""]
    lines += ["| key | write | when left out | meaning |", "|---|---|---|---|"]
    for field in table.fields:
        meaning = comments[table.cls.__name__, field.name]
        cells = (f"`{field.encode_name}`", describe_type(field.type), _show_default(field), meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _show_default(field: inspect.Field) -> str:
    if field.required:
        return "an error"
    if field.default in (None, "", ()) or not isinstance(field.default, str | bool | int | float | tuple):
        return ""
    return f"`{json.dumps(field.default)}`"


def _read_comments() -> dict[tuple[str, str], str]:
    """The comment behind each key of each Struct type, as the source of `config` has it."""
    comments: dict[tuple[str, str], str] = {}
    table = key = ""
    tokens = list(tokenize.generate_tokens(io.StringIO(source.getsource(config)).readline))
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.string == "class":
            table = token.string
        elif token.type == tokenize.NAME and after.string == ":":
            key = token.string
        elif token.type == tokenize.COMMENT:
            comments.setdefault((table, key), token.string.lstrip("# "))
    return comments


if __name__ == "__main__":
    sys.stdout.write(describe_config())
