"""Fenced divs that are no boxes: they say where a passage belongs, or take a chapter into a letter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from markdown_it.token import Token

from ..hints import suggest
from ..model import Node, Show

if TYPE_CHECKING:
    from .tree import TreeBuilder

#: What an output can be asked for: what is read as a whole, and what arrives by mail.
OUTPUTS = ("book", "pdf", "epub", "email")
#: The conditions of `::: only`, each with the values it can have; none: any name.
CONDITIONS: Mapping[str, Collection[str]] = {"output": OUTPUTS, "edition": (), "segment": ()}

_PAIR = re.compile(r"([A-Za-z]+)=(?:\"([^\"]*)\"|(\S+))")
_NAME = re.compile(r"[A-Za-z0-9][\w-]*")


def read_only(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    """`::: only output=email segment=carers`: a passage that stands where all of it is so; `::: except`: elsewhere."""
    name = token.meta["name"]
    line = builder.line
    conditions, rest = _read_pairs(token)
    if rest or not conditions:
        message = "says for what it is by pairs such as output=email, edition=full or segment=carers"
        builder.report(f"'::: {name}' {message}", rule="M003")
    for key, value in conditions.items():
        for fault in _find_faults(name, key, value):
            builder.report(fault, line=line, rule="M003")
    builder.conditional = True
    yield Node("div", builder.read_blocks(tokens), attrs={**conditions, "name": name}, line=line)


def read_embedding(builder: TreeBuilder, token: Token, tokens: Iterator[Token]) -> Iterable[Node]:
    """`::: chapter sleep show=opening`: a chapter in an issue; what stands inside is said in place of its summary."""
    line = builder.line
    pairs, slug = _read_pairs(token)
    show = pairs.pop("show", "summary")
    if not slug or pairs:
        builder.report(
            "'::: chapter' wants the chapter's slug, as in '::: chapter sleep show=opening'", rule="M003"
        )
    if show not in get_args(Show):
        builder.report(f"show= knows no {show!r}; {suggest(show, get_args(Show))}", rule="M003")
    yield Node(
        "div", builder.read_blocks(tokens), attrs={"name": "chapter", "to": slug, "show": show}, line=line
    )


def _read_pairs(token: Token) -> tuple[dict[str, str], str]:
    """What stands behind the div's name: pairs, with braces or without, and the words that are left."""
    text = str(token.meta["title"])
    pairs = {found[1]: found[2] or found[3] or "" for found in _PAIR.finditer(text)}
    return {**pairs, **token.meta["attrs"]}, " ".join(_PAIR.sub("", text).split())


def _find_faults(directive: str, key: str, value: str) -> Iterator[str]:
    if key not in CONDITIONS:
        yield f"'::: {directive}' knows no {key}=; {suggest(key, CONDITIONS)}"
        return
    for name in value.split(","):
        if not _NAME.fullmatch(name):
            yield f"{key}={value} names nothing; write a name, or several with commas between them"
        elif CONDITIONS[key] and name not in CONDITIONS[key]:
            yield f"{key}= knows no {name!r}; {suggest(name, CONDITIONS[key])}"
