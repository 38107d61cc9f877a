"""Measure how fast a list comes in, beside `sqlite3 .import`, which checks nothing: `python -m tests.bench_import`.

The list is invented: addresses in no order, one in fifty twice, one in a hundred bad.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from outbox.people.importing import import_list
from outbox.people.sheet import open_sheet
from outbox.store import open_store

DOMAINS = (
    "gmail.com",
    "example.org",
    "example.com",
    "web.de",
    *(f"firm{n}.example.net" for n in range(2_000)),
)
NAMES = ("Ana Ruiz", "Björk Þórsdóttir", "Chidi Okafor", "", "Emil Berg", "Li Wei")


def main() -> None:
    """Print a row for each run, and medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", default="", help="a PostgreSQL URL of an empty database, for one run")
    parser.add_argument("--one", nargs=2, metavar=("LIST", "URL"), help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.one:
        take(Path(choice.one[0]), choice.one[1])
        return
    report_import(choice.rows, choice.runs, choice.database)


def report_import(rows: int, runs: int, database: str = "") -> None:
    """Print what it costs to take a list in, beside `sqlite3 .import`."""
    with tempfile.TemporaryDirectory() as scratch:
        path = make_list(Path(scratch), rows)
        print(
            f"{rows:,} rows, {path.stat().st_size:,} bytes, {os.cpu_count()} cores; (at least 200,000 rows/s)"
        )
        print(f"{'':24}{'s':>8}{'CPU s':>8}{'rows/s':>12}{'MB':>8}")
        ours = []
        for number in range(1 if database else runs):
            url = database or f"sqlite:///{scratch}/{number}.db"
            take_in = [sys.executable, "-m", "tests.bench_import", "--one", str(path), url]
            ours.append(measure("outbox", take_in, rows))
            if shutil.which("sqlite3") and not database:
                load = ["sqlite3", f"{scratch}/bare{number}.db", ".mode csv", f".import {path} people"]
                measure("sqlite3 .import", load, rows)
        print(f"median: {rows / statistics.median(ours):,.0f} rows/s")


def make_list(folder: Path, rows: int) -> Path:
    """Write the list."""
    chance, known, path = random.Random(1), list[str](), folder / "people.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,consent,basis,given_at\n")
        for number in range(rows):
            kind = chance.random()
            email = (
                f"{chance.getrandbits(40):x}.{number}@{chance.choice(DOMAINS[: 4 if kind < 0.8 else None])}"
            )
            if kind > 0.97:
                email = f"nobody {number}" if kind > 0.99 else chance.choice(known or [email]).upper()
            elif len(known) < 10_000:
                known.append(email)
            file.write(f"{email},{chance.choice(NAMES)},confirmed,signed up on the web page,2026-01-12\n")
    return path


def measure(name: str, command: list[str], rows: int) -> float:
    """Run a command and print what it cost; returns its seconds."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    assert not status, command
    cpu = used.ru_utime + used.ru_stime
    print(f"{name:24}{wall:8.2f}{cpu:8.2f}{rows / wall:12,.0f}{used.ru_maxrss / 1024:8.0f}")
    return wall


def take(path: Path, url: str) -> None:
    """Import the list as the command does."""
    store = open_store(url, datetime.now(UTC))
    import_list(
        store, open_sheet(path), clock=lambda: datetime.now(UTC), rejects=path.with_name("rejects.csv")
    )
    store.close()
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


if __name__ == "__main__":
    main()
