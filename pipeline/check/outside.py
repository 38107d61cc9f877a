"""Have books and letters judged from outside, and show the verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

from ..errors import JudgeError
from .judges import ISSUE, JUDGES, Judge, name_kind

State = Literal["passed", "failed", "not run"]

SHOWN_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says of one file; `seconds` is the file's share of the judge's wall time."""

    judge: str
    file: Path
    state: State
    findings: tuple[str, ...] = ()
    seconds: float = 0.0


def judge(paths: Sequence[Path]) -> list[Verdict]:
    """Ask every judge about the files of its kind; verdicts come file by file.

    A judge that is not installed has state "not run" and its reason as the finding.
    Raises JudgeError for a file that is missing or of a kind no judge knows and,
    when the environment says REQUIRE_JUDGES=1, for a judge that is not installed.
    """
    _refuse_strangers(paths)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rounds = list(pool.map(lambda task: _ask(*task), _tasks(paths)))
    verdicts = {(verdict.file, verdict.judge): verdict for verdicts in rounds for verdict in verdicts}
    asked = ((path, each.name) for path in paths for each in JUDGES)
    return [verdicts[key] for key in asked if key in verdicts]


def format_table(verdicts: Sequence[Verdict]) -> str:
    """Lay the verdicts out as plain text, one line each, their findings indented below."""
    head = ("judge", "verdict", "seconds", "file")
    rows = [(v.judge, v.state, f"{v.seconds:.1f}", str(v.file)) for v in verdicts]
    wide = [max(len(row[column]) for row in (head, *rows)) for column in range(3)]
    lines = [_line(head, wide)]
    for row, verdict in zip(rows, verdicts, strict=True):
        lines += [_line(row, wide), *(f"    {finding}" for finding in _shown(verdict.findings))]
    return "\n".join(lines)


def _line(row: tuple[str, ...], wide: Sequence[int]) -> str:
    name, state, seconds, file = row
    return f"{name:{wide[0]}}  {state:{wide[1]}}  {seconds:>{wide[2]}}  {file}"


def _shown(findings: tuple[str, ...]) -> Iterator[str]:
    yield from findings[:SHOWN_FINDINGS]
    if len(findings) > SHOWN_FINDINGS:
        yield f"and {len(findings) - SHOWN_FINDINGS} more"


def _refuse_strangers(paths: Sequence[Path]) -> None:
    kinds = {kind for each in JUDGES for kind in each.kinds}
    for path in paths:
        if name_kind(path) not in kinds:
            suffixes = " or ".join(sorted(kinds - {ISSUE}))
            message = f"no judge knows this kind of file; give files ending in {suffixes}, or issue folders"
            raise JudgeError(f"{path}: {message}")
        if not path.exists():
            raise JudgeError(f"{path}: no such file; build it first")


def _tasks(paths: Sequence[Path]) -> Iterator[tuple[Judge, Sequence[Path]]]:
    for each in JUDGES:
        files = [path for path in dict.fromkeys(paths) if name_kind(path) in each.kinds]
        if each.takes_many and files:
            yield each, files
        elif not each.takes_many:
            yield from ((each, [path]) for path in files)


def _ask(one: Judge, paths: Sequence[Path]) -> list[Verdict]:
    try:
        command = one.find()
    except JudgeError as missing:
        if os.environ.get("REQUIRE_JUDGES") == "1":
            raise
        return [Verdict(one.name, path, "not run", (missing.message,)) for path in paths]
    start = perf_counter()
    findings = one.ask(command, paths)
    seconds = (perf_counter() - start) / len(paths)
    return [_verdict(one.name, path, findings[path], seconds) for path in paths]


def _verdict(name: str, path: Path, findings: tuple[str, ...], seconds: float) -> Verdict:
    in_one_line = tuple(" ".join(finding.split()) for finding in findings)
    return Verdict(name, path, "failed" if findings else "passed", in_one_line, seconds)
