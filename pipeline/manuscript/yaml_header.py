"""Read a header's YAML safely and strictly: known keys, plain values, no tags, no aliases."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date as Date  # a field is called date
from datetime import time as Time
from typing import Any, get_args

import yaml

from ..errors import ManuscriptError, PipelineError, Place
from ..hints import suggest
from ..identifiers import find_language_fault
from ..model import MADE, Kind, Mailing, Show
from ..sources import FORBIDDEN
from .header import Header

MOST_SUBJECTS = 5  # each gets a share of the list, and a small share says little
MAX_DEPTH = 4  # header, list, list, text
#: What the press makes is never written; a file's folder says that it is an issue or a letter.
KINDS = frozenset(get_args(Kind)) - MADE - {"issue", "letter"}
STATES = frozenset({"draft", "final"})
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

Pairs = list[tuple[yaml.Node, yaml.Node]]
Readers = Mapping[str, Callable[[yaml.Node], object]]

_EXAMPLE = "write lines such as title: The title"
_CURES: Mapping[str, str] = {
    "mapping values are not allowed here": "a value that holds a colon needs quotes round it",
    "found character '\\t' that cannot start any token": "indent with spaces, not tabs",
    "found unexpected end of stream": "close the quotes",
}


class _Misread(Exception):
    """A value does not fit; `line` is 0 when it is that of its key."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def read_header(text: str, source: str) -> tuple[Header, tuple[PipelineError, ...]]:
    """The header in `text` as far as it can be used, and all that is wrong with it."""
    try:
        pairs = _compose(text, source)
    except ManuscriptError as error:
        return Header(), (error,)
    values, lines, problems = _read_values(pairs, READERS, "the header")
    errors = tuple(ManuscriptError(str(problem), Place(source, problem.line)) for problem in problems)
    return Header(**values, lines=lines), errors


def _read_values(
    pairs: Pairs, readers: Readers, name: str
) -> tuple[dict[str, Any], dict[str, int], list[_Misread]]:
    """What the keys of `name` say, the line of each, and what cannot be used."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    problems: list[_Misread] = []
    for key_node, node in pairs:
        line, key = key_node.start_mark.line + 1, key_node.value
        try:
            values[key] = _read_value(key_node, node, lines, readers=readers, name=name)
        except _Misread as problem:
            problems.append(_Misread(str(problem), problem.line or line))
        else:
            lines[key] = line
    return values, lines, problems


def _read_value(
    key: yaml.Node, node: yaml.Node, seen: Collection[str], *, readers: Readers, name: str
) -> object:
    if not isinstance(key, yaml.ScalarNode) or key.value not in readers:
        word = key.value if isinstance(key, yaml.ScalarNode) else "a list"
        raise _Misread(f"{name} has no key {word!r}; {suggest(word, readers)}".lstrip())
    if key.value in seen:
        raise _Misread(f"{key.value} stands here a second time; keep one")
    try:
        return readers[key.value](node)
    except _Misread as problem:
        raise _Misread(f"{key.value} {problem}", problem.line) from None


def _compose(text: str, source: str) -> Pairs:
    """The header's keys and values as YAML nodes, nothing yet made of them."""
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
    except _Misread as problem:
        raise ManuscriptError(f"the header is too clever: {problem}", Place(source, problem.line)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as problem:
        message, line = _explain(problem, text)
        raise ManuscriptError(f"the header is not YAML: {message}", Place(source, line)) from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ManuscriptError(
            f"the header has no keys; {_EXAMPLE}, or *** for a scene break",
            Place(source, node.start_mark.line + 1),
        )
    return list(node.value)


def _explain(problem: Exception, text: str) -> tuple[str, int]:
    """What PyYAML stumbled on, with a cure, and the line."""
    match problem:
        case yaml.MarkedYAMLError(problem=message, problem_mark=mark) if mark is not None:
            # An error at the end of the text lies behind the last line.
            line = min(mark.line, text.rstrip("\n").count("\n")) + 1
            return f"{message}; {_CURES.get(str(message), _EXAMPLE)}", line
        case yaml.reader.ReaderError(position=position):
            line = text.count("\n", 0, position) + 1
            return f"the character U+{ord(text[position]):04X} is not allowed; delete it", line
        case _:  # of "\\Uffffffff" PyYAML asks chr()
            line = text.count("\n", 0, text.find("\\U")) + 1
            return "an escape stands for no character; type the character itself", line


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, anchors and tags, and no deeper than a header needs."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _Misread(
                "anchors (&) and aliases (*) are not allowed; write the value out, or in quotes", line
            )
        if event.tag:
            raise _Misread(
                f"tags such as {event.tag} are not allowed; put a value that begins with ! in quotes", line
            )
        if self.depth == MAX_DEPTH:
            raise _Misread("values are nested too deeply; no key needs more than a list of lists", line)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _read_text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Misread("is one text, not a list", node.start_mark.line + 1)
    text = " ".join(node.value.split())
    if not text or (node.tag.endswith(":null") and node.style is None):
        raise _Misread("is empty; write it, or delete the line")
    if match := FORBIDDEN.search(text):
        raise _Misread(f"holds the character U+{ord(match[0]):04X}, which no book can; delete it")
    return text


def _read_list(node: yaml.Node) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode):
        shown = f"[{node.value}]" if isinstance(node, yaml.ScalarNode) and node.value else "[one, two]"
        raise _Misread(f"is a list; write {shown}")
    return tuple(_read_text(item) for item in node.value)


def _read_editions(node: yaml.Node) -> tuple[str, ...]:
    if editions := _read_list(node):
        return editions
    raise _Misread("names no edition; name one, or delete the line for all")


def _read_categories(node: yaml.Node) -> tuple[str, ...]:
    """Paths such as "Care / Body"; a list of steps is the same path."""
    if not isinstance(node, yaml.SequenceNode):
        raise _Misread('is a list; write ["Care / Body", Prevention]')
    return tuple(_read_category(item) for item in node.value)


def _read_category(node: yaml.Node) -> str:
    steps = _read_list(node) if isinstance(node, yaml.SequenceNode) else _read_text(node).split("/")
    if not all(step.strip() for step in steps) or not steps:
        raise _Misread("has an empty step; write Care / Body", node.start_mark.line + 1)
    return " / ".join(step.strip() for step in steps)


def _read_date(node: yaml.Node) -> Date:
    text = _read_text(node)
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return Date.fromisoformat(text)
    except ValueError:
        pass
    raise _Misread(f"is not a date: {text!r}; write year, month and day as 2026-08-31")


def _read_language(node: yaml.Node) -> str:
    text = _read_text(node)
    if fault := find_language_fault(text):
        raise _Misread(fault)
    return text


def _read_slug(node: yaml.Node) -> str:
    text = _read_text(node)
    if not SLUG.fullmatch(text):
        raise _Misread(
            f"cannot be {text!r}; use small letters, digits and hyphens between them, a letter first"
        )
    return text


def _read_issue(node: yaml.Node) -> Mailing:
    """A date alone, or keys of its own; of several faults the first is told."""
    if not isinstance(node, yaml.MappingNode):
        date, time = _read_moment(node)
        return Mailing(date, time, line=node.start_mark.line + 1)
    values, _, problems = _read_values(node.value, ISSUE_READERS, "")
    if problems:
        raise problems[0]
    if subjects := values.get("subjects"):
        if "subject" in values:
            raise _Misread("has subject and subjects; write one of them")
        values["subject"] = subjects[0]
    date, time = values.pop("date", (None, None))
    return Mailing(date, time, **values, line=node.start_mark.line)


def _read_moment(node: yaml.Node) -> tuple[Date, Time | None]:
    text = _read_text(node)
    day, _, clock = text.partition(" ")
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) and re.fullmatch(r"([0-9]{2}:[0-9]{2})?", clock):
            return Date.fromisoformat(day), Time.fromisoformat(clock) if clock else None
    except ValueError:
        pass
    raise _Misread(f"is no date: {text!r}; write 2026-08-31, or 2026-08-31 09:00")


def _read_subjects(node: yaml.Node) -> tuple[str, ...]:
    subjects = _read_list(node)
    if not 2 <= len(set(subjects)) == len(subjects) <= MOST_SUBJECTS:
        raise _Misread(f"are two to {MOST_SUBJECTS} different ones to compare; write [One, The other]")
    return subjects


def _choose(words: Collection[str]) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        text = _read_text(node)
        if text not in words:
            raise _Misread(f"knows no {text!r}; {suggest(text, words)}")
        return text

    return read


#: Every key of `issue:`, and what reads its value.
ISSUE_READERS: Readers = {
    "date": _read_moment,
    "subject": _read_text,
    "subjects": _read_subjects,
    "preheader": _read_text,
    "show": _choose(get_args(Show)),
    "layout": _read_slug,
    "segment": _read_slug,
}
#: Every key a header may have, and what reads its value.
READERS: Readers = {
    "title": _read_text,
    "subtitle": _read_text,
    "slug": _read_slug,
    "kind": _choose(KINDS),
    "lang": _read_language,
    "authors": _read_list,
    "summary": _read_text,
    "tags": _read_list,
    "categories": _read_categories,
    "date": _read_date,
    "reviewed": _read_date,
    "editions": _read_editions,
    "status": _choose(STATES),
    "issue": _read_issue,
}
