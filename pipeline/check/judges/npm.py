"""Judges of letters that npm carries: caniemail and html-validate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .programs import HERE, NODE_MODULES, Command, Findings, call, find_in_npm, find_program, read_lines


def find_npm(package: str) -> Command:
    """Raise JudgeError unless Node and the npm package are there."""
    node = find_program("Node", "node")
    find_in_npm(package, "package.json")
    return (node, str(HERE / "letters.mjs"), package, str(NODE_MODULES))


def ask_npm(command: Command, paths: Sequence[Path]) -> Findings:
    """What the package has against the HTML of each letter, merge fields and all: so its lines are those of the file.

    caniemail: features that one of the 13 programs in letters.mjs lacks, in the letter without its style
    elements, beyond the nine pairs that every letter has (mail rule M41). html-validate: errors in its
    recommended and document rules, less those that mail must break (M42).
    """
    done = call(*command, *(str(path.resolve() / "body.html") for path in paths))
    return read_lines(done, paths)
