"""docs/providers.md shows what the providers can do, as the code has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from outbox.config import PROVIDER_KEYS
from outbox.model import Account, Capabilities
from outbox.providers import PROVIDERS

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
START, END = "<!-- capabilities -->\n", "<!-- end -->"
HEAD = "| provider | messages a call | MB a message | MB a call | body | key | search | files in a call | id hidden |"
ENV = {"OUTBOX_TOKEN": "token", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def caps_of(name: str) -> Capabilities:
    """What a provider can do."""
    region = "eu-west-1" if name == "ses" else ""
    return PROVIDERS[name](Account(Path(), ENV, host="x", domain="x.example.org", region=region)).caps


def span(seconds: int) -> str:
    """A time in its largest whole unit."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    return next(f"{seconds // size} {unit}" for unit, size in units if seconds and seconds % size == 0)


def row_of(name: str) -> str:
    """One provider's line."""
    caps = caps_of(name)
    key = span(caps.replay_window_s) if caps.replay_window_s else ""
    search = {"none": "", "exact": "exact"}.get(caps.lookup)
    cells = (
        f"`{name}`",
        f"{caps.max_batch:,}",
        caps.max_message_bytes // 1_000_000,
        caps.max_request_bytes // 1_000_000,
        "fields" if caps.merges else "whole",
        key,
        span(caps.lookup_window_s) if search is None else search,
        "yes" if caps.attachments_in_batch else "no",
        "yes" if caps.metadata_hidden else "no",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def test_the_table_is_fresh(request: pytest.FixtureRequest) -> None:
    """Whoever changes what a provider can do changes the page, with --update-golden."""
    before, rest = PAGE.read_text("utf-8").split(START)
    shown, after = rest.split(END, 1)
    table = "\n".join([HEAD, "|" + "---|" * 9, *map(row_of, PROVIDERS), ""])
    if request.config.getoption("--update-golden"):
        PAGE.write_text(f"{before}{START}{table}{END}{after}", "utf-8")
        shown = table

    assert table == shown


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_keys_of_a_provider_are_told(name: str) -> None:
    """Each line of the first table names the keys that the code reads."""
    line = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{name}` |"))
    told = {word.strip().strip("`") for word in line.split("|")[2].split(",")} - {""}

    assert PROVIDER_KEYS[name] == told
