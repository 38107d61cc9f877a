"""Say what was found: for people, for programs, for GitHub."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ..check import Finding
from ..check.galley import Severity
from ..errors import PipelineError
from ..files import write_atomically
from ..hints import suggest
from . import Report

_LEVELS = {"error": "error", "warning": "warning", "advice": "notice"}  # GitHub's names


_COUNTED: tuple[tuple[Severity, str, str], ...] = (
    ("error", "error", "errors"),
    ("warning", "warning", "warnings"),
    ("advice", "piece of advice", "pieces of advice"),
)


def format_text(findings: Sequence[Finding]) -> str:
    """One line a finding, and how many there are of each severity."""
    if not findings:
        return "nothing found"
    return "\n".join([*map(str, findings), count(findings)])


def count(findings: Sequence[Finding]) -> str:
    """As in "1 error, 2 warnings, 3 pieces of advice", without what there is none of."""
    numbers = Counter(finding.severity for finding in findings)
    parts = [
        f"{numbers[key]} {one if numbers[key] == 1 else many}" for key, one, many in _COUNTED if numbers[key]
    ]
    return ", ".join(parts) or "nothing found"


def format_json(findings: Sequence[Finding]) -> str:
    """A list of objects with path, line, column, rule, severity, message, and whether it can be fixed."""
    rows = [
        {
            "path": f.place.path,
            "line": f.place.line,
            "column": f.place.column,
            "rule": f.rule,
            "severity": f.severity,
            "message": f.message,
            "fixable": f.fix is not None,
        }
        for f in findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def format_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, which GitHub shows as annotations beside the lines of a pull request."""
    return "\n".join(map(_annotate, findings))


def _annotate(finding: Finding) -> str:
    place = finding.place
    fields = {"file": place.path, "line": place.line, "col": place.column, "title": finding.rule}
    told = ",".join(f"{key}={_escape(str(value), ':,')}" for key, value in fields.items() if value)
    return f"::{_LEVELS[finding.severity]} {told}::{_escape(finding.message)}"


def _escape(text: str, more: str = "") -> str:
    """What the command's own syntax means otherwise."""
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def write_html(report: Report, findings: Sequence[Finding]) -> str:
    """Write the page build/check.html, and say where it is."""
    from .page import write_page

    path = report.folder / "build" / "check.html"
    write_atomically(path, write_page(report, findings).encode())
    return f"{path.relative_to(report.folder)}: {count(findings)}"


#: Name of a format -> what writes it.
REPORTS: Mapping[str, Callable[[Report, Sequence[Finding]], str]] = {
    "text": lambda _, findings: format_text(findings),
    "json": lambda _, findings: format_json(findings),
    "github": lambda _, findings: format_github(findings),
    "html": write_html,
}


def choose_report(name: str) -> Callable[[Report, Sequence[Finding]], str]:
    """What writes the format called `name`; raises PipelineError where there is none."""
    if name not in REPORTS:
        raise PipelineError(f"findings are written as {', '.join(REPORTS)}; {suggest(name, REPORTS)}")
    return REPORTS[name]
