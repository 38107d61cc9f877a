"""A list comes in whole or says what it lacks: by row, by line, and after any stop."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from outbox.consent import enlist
from outbox.errors import PeopleError
from outbox.model import Claim, Consent
from outbox.people import claims, importing
from outbox.people.claims import read_batches
from outbox.people.export import write_list
from outbox.people.importing import Report, import_list, try_list
from outbox.people.sheet import open_sheet, read_mapping
from outbox.store import Store, evidence, subscribers

from .conftest import NOW

Take = Callable[..., Report]
MakeFile = Callable[[bytes | str], Path]


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Write a list."""

    def make(content: bytes | str) -> Path:
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def take(store: Store, path: Path, *, basis: str = "talk", maps: tuple[str, ...] = (), **more: object) -> Report:
    """Import a list."""
    sheet = open_sheet(path, mapping=read_mapping(maps), basis=basis, encoding=str(more.pop("encoding", "utf-8")))
    return import_list(store, sheet, clock=lambda: NOW, rejects=path.with_name("rejects.csv"), **more)  # type: ignore[arg-type]


def export(store: Store) -> str:
    """The whole list as it is exported."""
    with store.read() as tx:
        return "".join(write_list(tx))


ODD = (
    "\ufeffEmail,name,consent,basis,given_at\r\n"
    "ana@Example.ORG,Ana,confirmed,talk,2026-01-12\r\n"
    "ANA@example.org,Ana again,confirmed,talk,\r\n"
    "not an address,,confirmed,talk,\r\n"
    "bo@example.org,Bo,maybe,talk,\r\n"
    '"li@example.org","Li\nBcc: x",confirmed,talk,\r\n'
    "zoë@example.org,Zoë,confirmed,talk,\r\n"
    "max@bücher.example.com,Max,,talk,\r\n"
    "ida@example.org,Ida,confirmed,,\r\n"
    "kim@example.org,Kim,unsubscribed,,\r\n"
    "lou@example.org,Lou\r\n"
    "\r\n"
    "eva@gmial.com,Eva,confirmed,talk,\r\n"
)


def test_a_list_is_taken_and_its_bad_rows_named(any_store: Store, make_file: MakeFile) -> None:
    """A row that cannot be taken is named with its line; the others are taken, each with where it came from."""
    report = take(any_store, make_file(ODD), basis="")
    with any_store.read() as tx:
        people = {e.person.email: e for e in subscribers.everyone(tx)}

    assert [4, 5, 6, 9 + 1, 12] == [reject.line for reject in report.rejects]
    assert {"added": 4, "same": 0, "changed": 0, "repeated": 0} | {"rejected": 5} | {
        "added": 4, "changed": 1, "repeated": 1, "rejected": 5, "doubtful": 1
    } == {"added": 0, "same": 0, "changed": 0, "repeated": 0, **report.counts}  # fmt: skip
    assert {"zoë@example.org", "max@xn--bcher-kva.example.com", "kim@example.org"} < people.keys()
    event = people["zoë@example.org"].event
    assert event is not None
    assert ("list.csv:8", "import", "talk") == (event.source, event.method, event.basis)
    assert ["eva@gmial.com: did they mean eva@gmail.com?"] == [doubt.reason for doubt in report.doubts]
