"""Take the time of commands and functions in turn, and compare them pair by pair."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent.parent
#: A program that was installed keeps its compiled modules; so does one that is measured.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Run:
    """What something cost, in seconds; `cpu` counts its children too."""

    wall: float
    cpu: float


def measure_command(command: Sequence[str]) -> Run:
    """Run a command to its end; a failure ends the bench with what it said."""
    before = os.times()
    started = time.perf_counter()
    done = subprocess.run(command, cwd=_ROOT, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Run(wall, cpu)


def measure_call(do: Callable[[], object]) -> Run:
    """Call a function of this process."""
    started, cpu = time.perf_counter(), time.process_time()
    do()
    return Run(time.perf_counter() - started, time.process_time() - cpu)


def print_head() -> None:
    print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'wall ratio':>12}{'CPU ratio':>11}")


def compare(
    what: str, mine: Callable[[], Run], theirs: Callable[[], Run], *, runs: int, name: str
) -> list[float]:
    """Measure both in turn, A B A B, print medians and ratios; the ratios of wall time are handed on."""
    mine(), theirs()
    pairs = [(mine(), theirs()) for _ in range(runs)]
    for who, found in (("ours", [pair[0] for pair in pairs]), (name, [pair[1] for pair in pairs])):
        wall, cpu = (statistics.median(getattr(run, field) for run in found) for field in ("wall", "cpu"))
        print(f"{f'{what}, {who}':34}{wall:9.3f}{cpu:9.3f}")
    ratios = [one.wall / other.wall for one, other in pairs]
    cpu_ratios = [one.cpu / other.cpu for one, other in pairs]
    print(
        f"{f'{what}, ours / {name}':52}{statistics.median(ratios):12.3f}{statistics.median(cpu_ratios):11.3f}"
    )
    return ratios


def invent_words(chance: random.Random, count: int) -> list[str]:
    """Words of no language."""
    syllables = ["ka", "lo", "mi", "ten", "dor", "ra", "sel", "un", "vi", "ach", "ber", "o", "na", "est"]
    return ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(count)]
