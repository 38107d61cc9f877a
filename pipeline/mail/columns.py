"""Set a table in plain text: in columns where they fit a line, else row under row."""

from __future__ import annotations

from collections.abc import Sequence

_GAP = "  "
_INDENT = "    "
Cells = Sequence[Sequence[str]]


def set_table(cells: Cells, *, heads: int, right: Sequence[bool], widest: int) -> list[str]:
    """Lines of at most `widest` characters, or longer ones that are told row by row.

    The first `heads` rows are the table's head; `right` says which columns are set to the right.
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    fits = sum(widths) + len(_GAP) * (len(widths) - 1) <= widest
    if fits or not heads:
        return _set_columns(cells, heads, right, widths)
    return _tell_rows(cells[heads - 1], cells[heads:])


def _set_columns(cells: Cells, heads: int, right: Sequence[bool], widths: Sequence[int]) -> list[str]:
    lines = []
    for texts in cells:
        columns = zip(texts, widths, right, strict=True)
        padded = [text.rjust(width) if to_right else text.ljust(width) for text, width, to_right in columns]
        lines.append(_GAP.join(padded))
    rule = [_GAP.join("-" * width for width in widths)] if heads else []
    return [*lines[:heads], *rule, *lines[heads:]]


def _tell_rows(heads: Sequence[str], rows: Cells) -> list[str]:
    """Each cell behind the name of its column."""
    lines: list[str] = []
    for row in rows:
        name, *rest = [f"{head}: {text}" if head else text for head, text in zip(heads, row, strict=True)]
        lines += [name, *(_INDENT + text for text in rest), ""]
    return lines[:-1]
