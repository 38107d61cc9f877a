"""By what a mail is known that came back; the tables are in signs.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files


def finds(table: str, text: str) -> bool:
    """Whether a text holds one of the signs of a table."""
    return _signs()[table].search(text) is not None


def find_all(table: str, text: str) -> Iterator[re.Match[str]]:
    """The places in a text where a sign of a table stands."""
    return _signs()[table].finditer(text)


@cache
def _signs() -> dict[str, re.Pattern[str]]:
    tables = tomllib.loads(files(__package__).joinpath("signs.toml").read_text("utf-8"))
    kinds = re.IGNORECASE | re.MULTILINE
    return {name: re.compile("|".join(patterns), kinds) for name, patterns in tables.items()}
