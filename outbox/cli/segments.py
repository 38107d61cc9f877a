"""The command about segments: who of the list they mean."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from outbox.store import segments as choice

from .opening import clock, opened, settings_of


def segments(
    ctx: typer.Context,
    expression: Annotated[
        str, typer.Argument(help="An expression to try, instead of those in book.toml.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the segments of book.toml with how many people are in each now.

    \b
    outbox segments
    outbox segments '"carer" in tags and not opened(90)'
    """  # noqa: D301
    settings = settings_of(ctx)
    known = {"": expression} if expression else settings.segments
    with opened(settings) as store, store.read() as tx:
        rows = [
            {"name": name, "people": choice.count(tx, text, clock()), "expression": text}
            for name, text in known.items()
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif not rows:
        print("there are none; docs/subscribers.md shows how to write one")
    else:
        width = max(len(str(row["name"])) for row in rows)
        for row in rows:
            print(
                f"{row['name']:<{width}}  {row['people']:>9,}  {' '.join(str(row['expression']).split())}".strip()
            )
