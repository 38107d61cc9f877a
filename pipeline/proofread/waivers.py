"""Silence a rule at one line: `<!-- off T017: the reason -->` in it, or on the line above."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..check import Finding

#: A waiver without a reason is none.
_WAIVER = re.compile(r"<!--\s*off\s+((?:[A-Z]\d{3}[,\s]*)+):\s*\S.*?-->")


def drop_waived(findings: Sequence[Finding], files: Mapping[str, str]) -> Iterator[Finding]:
    """The findings that no line of their file waives."""
    waived = {path: find_waivers(text) for path, text in files.items() if "<!--" in text}
    for finding in findings:
        lines = waived.get(finding.place.path, {})
        here = (lines.get(finding.place.line - above, frozenset()) for above in (0, 1))
        if not any(finding.rule in rules for rules in here):
            yield finding


def find_waivers(text: str) -> dict[int, frozenset[str]]:
    """The rules that each line waives."""
    return {
        number: frozenset(re.findall(r"[A-Z]\d{3}", found[1]))
        for number, line in enumerate(text.split("\n"), 1)
        if (found := _WAIVER.search(line))
    }
