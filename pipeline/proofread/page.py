"""Show what was found as one page for a browser: each finding with its line and with the printed page."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby
from pathlib import Path

from ..check import Finding
from ..check.galley import Galley
from ..leaves import Leaf
from . import Report
from .reports import count

_WIDTH = 520  # pixels of a page's picture
_STYLE = Path(__file__).parent / "page.css"
_ABOVE, _BELOW = 1, 1  # lines shown round the one that is meant
_LONGEST, _SHORT = 400, 110  # characters of the line that is meant, and of the others

_FRAME = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: what the proofreader found</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="count">{count}</p>
{filters}</header>
<main>
{body}</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding's number, and where it stands on its page: shares of the page's height."""

    number: int
    finding: Finding
    leaf: int = -1
    top: float = 0.0
    height: float = 0.0


def write_page(report: Report, findings: Sequence[Finding]) -> str:
    """HTML that needs nothing but itself; `findings` are those of the report that are to be shown."""
    marks = list(_place(report, findings))
    pictures = (
        report.printed.draw((m.leaf for m in marks if m.leaf >= 0), width=_WIDTH) if report.printed else {}
    )
    files = groupby(marks, key=lambda mark: mark.finding.place.path)
    body = "".join(_write_file(path, list(own), report, pictures) for path, own in files)
    severities = dict.fromkeys(finding.severity for finding in sorted(findings, key=_rank))
    filters = "".join(_write_filter(severity) for severity in severities) if len(severities) > 1 else ""
    return _FRAME.format(
        title=escape(report.title),
        style=_STYLE.read_text("utf-8"),
        count=escape(count(findings)),
        filters=f"<fieldset><legend>Show</legend>{filters}</fieldset>\n" if filters else "",
        body=body or "<p>Nothing is left to mend.</p>\n",
    )


def _rank(finding: Finding) -> int:
    return ("error", "warning", "advice").index(finding.severity)


def _write_filter(severity: str) -> str:
    return f'<label><input type="checkbox" id="show-{severity}" checked> {severity}</label> '


def _place(report: Report, findings: Sequence[Finding]) -> Iterator[Mark]:
    """Each finding with its page: the one it speaks of, or that on which its block begins."""
    leaves = report.printed.leaves if report.printed else ()
    blocks = Galley(report.book, date.min).blocks if report.book and leaves else {}
    starts: dict[str, list[tuple[int, str]]] = {}
    for anchor, (_, place) in blocks.items():
        starts.setdefault(place.path, []).append((place.line, anchor))
    for number, finding in enumerate(findings, 1):
        before = [each for each in starts.get(finding.place.path, ()) if each[0] <= finding.place.line]
        anchors = {anchor for line, anchor in before if line == max(before)[0]}
        wanted = leaves if finding.leaf < 0 else leaves[finding.leaf : finding.leaf + 1]
        found = next((leaf for leaf in wanted if any(line.anchor in anchors for line in leaf.lines)), None)
        if found and finding.place.line:
            yield Mark(number, finding, found.number, *_measure(found, anchors))
        else:
            yield Mark(number, finding)


def _measure(leaf: Leaf, anchors: set[str]) -> tuple[float, float]:
    own = [line for line in leaf.lines if line.anchor in anchors]
    top = min(line.y for line in own)
    bottom = max(line.y + line.height for line in own)
    return top / leaf.height, (bottom - top) / leaf.height


def _write_file(path: str, marks: Sequence[Mark], report: Report, pictures: Mapping[int, bytes]) -> str:
    lines = report.files.get(path, "").split("\n")
    pages = groupby(marks, key=lambda mark: mark.leaf)
    body = "".join(_write_page(leaf, list(own), lines, report, pictures) for leaf, own in pages)
    return f"<section>\n<h2>{escape(path)}</h2>\n{body}</section>\n"


def _write_page(
    leaf: int, marks: Sequence[Mark], lines: Sequence[str], report: Report, pictures: Mapping[int, bytes]
) -> str:
    items = "".join(_write_finding(mark, lines) for mark in marks)
    listed = f'<ol start="{marks[0].number}">\n{items}</ol>\n'
    if leaf not in pictures or not report.printed:
        return f'<div class="group">\n{listed}</div>\n'
    label = report.printed.leaves[leaf].label
    badges = _write_badges(marks)
    source = b64encode(pictures[leaf]).decode()
    alt = f"Page {label} of the book, with {'a mark' if len(marks) == 1 else 'marks'} where something was found."
    return (
        f'<div class="group paged">\n{listed}<figure>\n<div class="sheet">'
        f'<img src="data:image/png;base64,{source}" alt="{escape(alt)}" width="{_WIDTH}">{badges}</div>\n'
        f"<figcaption>Page {escape(label)}</figcaption>\n</figure>\n</div>\n"
    )


def _write_badges(marks: Sequence[Mark]) -> str:
    """One for each block of the page, with the numbers of all that was found in it."""
    blocks: dict[tuple[float, float], list[Mark]] = {}
    for mark in marks:
        blocks.setdefault((mark.top, mark.height), []).append(mark)
    return "".join(_write_badge(top, height, own) for (top, height), own in blocks.items())


def _write_badge(top: float, height: float, marks: Sequence[Mark]) -> str:
    worst = min((mark.finding for mark in marks), key=_rank).severity
    links = " ".join(f'<a href="#finding-{mark.number}">{mark.number}</a>' for mark in marks)
    return f'<div class="badge {worst}" style="top: {top:.2%}; height: {height:.2%}">{links}</div>'


def _write_finding(mark: Mark, lines: Sequence[str]) -> str:
    finding = mark.finding
    place = finding.place
    where = (
        f"Line {place.line}" + (f", column {place.column}" if place.column else "")
        if place.line
        else "The file"
    )
    fix = ' <span class="fix">--fix mends it</span>' if finding.fix else ""
    return (
        f'<li id="finding-{mark.number}" class="{finding.severity}">\n'
        f'<p><span class="number">{mark.number}</span> <span class="severity">{finding.severity}</span> '
        f'<span class="rule">{finding.rule}</span> '
        f'<span class="where">{where}</span>{fix}</p>\n'
        f'<p class="message">{escape(finding.message[:1].upper() + finding.message[1:])}.</p>\n'
        f"{_quote(place.line, place.column, lines)}</li>\n"
    )


def _quote(number: int, column: int, lines: Sequence[str]) -> str:
    """The line that is meant, with those round it."""
    if not 0 < number <= len(lines) or not lines[number - 1].strip():
        return ""
    rows = []
    for here in range(max(number - _ABOVE, 1), min(number + _BELOW, len(lines)) + 1):
        text = lines[here - 1]
        if here == number:
            rows.append(f'<span class="here"><b>{here}</b> {_mark(text, column)}</span>')
        elif text.strip():
            rows.append(f"<span><b>{here}</b> {escape(_cut(text, _SHORT))}</span>")
    return (
        f'<pre tabindex="0" aria-label="Line {number} of the file"><code>' + "".join(rows) + "</code></pre>\n"
    )


def _mark(text: str, column: int) -> str:
    """The line with the word at `column` marked."""
    if not column or column > len(text):
        return escape(_cut(text))
    start = column - 1
    found = re.compile(r"\s*\S+").match(text, start)
    end = found.end() if found else start + 1
    ahead = text[max(start - _LONGEST // 2, 0) : start]
    lead = "…" if start > _LONGEST // 2 else ""
    return f"{lead}{escape(ahead)}<mark>{escape(text[start:end])}</mark>{escape(_cut(text[end:], _LONGEST // 2))}"


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
