"""Read a letter over: every finding names a line to mend, in the author's file or in the one that was made."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from ...model import Chapter
from .. import Finding
from .letter import Mail, read_mail
from .rules import FIRST, RULES

__all__ = ["RULES", "check_letter", "fold"]


def check_letter(
    slug: str,
    files: Mapping[str, bytes],
    *,
    source: str,
    chapters: Sequence[Chapter] = (),
    off: Container[str] = (),
) -> list[Finding]:
    """Everything the rules find in the issue folder `slug`, place by place.

    `source` is the Markdown file it was made from; what was written in it or in one of the
    `chapters` is found there.
    """
    mail = read_mail(slug, files, source=source, chapters=chapters)
    others = (name for name in RULES if name != FIRST and name not in off)
    return sorted(_ask(FIRST, mail) or [found for name in others for found in _ask(name, mail)])


def _ask(name: str, mail: Mail) -> list[Finding]:
    return [Finding(place, name, RULES[name].severity, message) for place, message in RULES[name].find(mail)]


def fold(findings: Sequence[Finding]) -> list[Finding]:
    """What a layout does wrong again and again, told once, at its first place."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for found in sorted(findings):
        own = "" if found.place.path.startswith("build/") else str(found.place)
        same.setdefault((found.rule, found.message, own), []).append(found)
    return sorted(_count(found) for found in same.values())


def _count(same: Sequence[Finding]) -> Finding:
    letters = len({found.place.path for found in same})
    if len(same) == 1 or not same[0].place.path.startswith("build/"):
        return same[0]
    where = f" in {letters} letters" if letters > 1 else ""
    return replace(same[0], message=f"{same[0].message} ({len(same)} times{where})")
