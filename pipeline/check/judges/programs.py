"""Find the programs that judges are made of, run them, and take down what they say."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import JudgeError

Command = tuple[str, ...]
#: What a judge objects to, by file; an empty tuple is praise.
Findings = Mapping[Path, tuple[str, ...]]

HERE = Path(__file__).parent
#: Where `make judges` puts what npm installs.
NODE_MODULES = HERE.parents[2] / "build" / "judges" / "node_modules"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Longest a judge may think.
PATIENCE_SECONDS = 900
LONGEST_EXCUSE = 400
COLOURS = re.compile(r"\x1b\[\d+m")
#: What the press sets for itself: with it a browser would see no fonts, and find no fault with any.
_OURS = {"FONTCONFIG_FILE"}


def find_program(what: str, *names: str) -> str:
    """The path of the first of `names` that is there; raises JudgeError, which calls it `what`."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise JudgeError(f"{what} is not installed; see docs/judges.md")
    return found


def find_browser() -> str:
    """The Chromium that PUPPETEER_EXECUTABLE_PATH names, or the first there is."""
    return os.environ.get("PUPPETEER_EXECUTABLE_PATH") or find_program("Chromium", *BROWSERS)


def find_in_package(package: str, name: str) -> str:
    """The path of a file inside a Python package, which is not imported."""
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if Path(folder, name).is_file():
            return str(Path(folder, name))
    raise JudgeError(f"the Python package {package.replace('_', '-')} is not installed; see docs/judges.md")


def find_in_npm(package: str, name: str) -> str:
    """The path of a file inside a package that `make judges` has installed."""
    path = NODE_MODULES / package / name
    if not path.is_file():
        raise JudgeError(f"the npm package {package} is not installed; see docs/judges.md")
    return str(path)


def list_variables() -> dict[str, str]:
    """The environment that a judge runs in."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def call(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a judge to its end; one that cannot be started or takes too long has exit code 1."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
            env=list_variables(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def read_lines(done: subprocess.CompletedProcess[str], paths: Sequence[Path]) -> Findings:
    """What a driver says of many files: "N tab finding", and "N tab" once file N is judged to the end."""
    lines = [line.partition("\t") for line in done.stdout.splitlines()]
    judged = {number for number, _, finding in lines if not finding}
    findings = {
        path: tuple(finding for found, _, finding in lines if found == str(number) and finding)
        for number, path in enumerate(paths)
        if str(number) in judged
    }
    return {path: findings.get(path, refuse_verdict(done)) for path in paths}


def refuse_verdict(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    """A judge that fell over has praised nothing."""
    said = " ".join(COLOURS.sub("", done.stderr or done.stdout).split())
    return (f"no verdict, exit code {done.returncode}: {said[:LONGEST_EXCUSE]}",)
