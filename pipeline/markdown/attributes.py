"""Attributes in braces: after images, links, code and spans, at a heading's end, on a line above a block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from ..hints import suggest
from ..identifiers import find_language_fault

#: Classes an author may write; anything else is an error with a hint.
CLASSES = ("unnumbered", "decorative", "smallcaps", "rowheads", "compact", "steps", "button", "term", "index")
#: Keys an author may write.
KEYS = ("lang", "width", "term", "index", "see", "also", "range")
#: What only words can be: `[some words]{.term}`.
OF_WORDS = ("term", "index", "see", "also", "range")

#: How a paragraph begins that names the table below it.
CAPTION = "Table: "

_ITEM = (
    r"\#(?P<id>[^\s{}#=]+)"
    r"|\.(?P<class>[^\s{}#=]+)"
    r'|(?P<key>[A-Za-z][\w-]*)=(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s{}"]+))'
)
_ID = re.compile(r"[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?", re.ASCII)  # what a reference and a link can say
_WIDTH = re.compile(r"(100|[1-9]\d?)%")
_ONE = re.compile(_ITEM)
_ANY = f"(?:{re.sub(r'[?]P<[a-z]+>', '?:', _ITEM)})"
# A space must part the items: were it optional, a long run of them could be read in countless ways.
_BRACES = re.compile(rf"\{{\s*{_ANY}(?:\s+{_ANY})*\s*\}}")


def read_attributes(text: str, start: int = 0) -> tuple[dict[str, str], int] | None:
    """The attributes written in braces at `start` and the place after them; None when there are none."""
    found = _BRACES.match(text, start)
    if not found:
        return None
    attrs: dict[str, str] = {}
    for item in _ONE.finditer(found[0]):
        if item["id"]:
            attrs["id"] = item["id"]
        elif item["class"]:
            attrs["class"] = f"{attrs['class']} {item['class']}" if "class" in attrs else item["class"]
        else:
            attrs[item["key"]] = item["quoted"] if item["quoted"] is not None else item["bare"]
    return attrs, found.end()


def cut_attributes(text: str) -> tuple[str, dict[str, str]]:
    """A text without the braces at its end, and what they said; without a space before them they stay."""
    text = text.rstrip()
    start = text.rfind("{") if text.endswith("}") else -1
    parted = start == 0 or text[start - 1 : start].isspace()
    read = read_attributes(text, start) if start >= 0 and parted else None
    return (text[:start].rstrip(), read[0]) if read and read[1] == len(text) else (text, {})


def drop_prefix(attrs: Mapping[str, str]) -> Mapping[str, str]:
    """`{#fig:cell}` and `{#cell}` name the same figure."""
    prefix, colon, name = attrs.get("id", "").partition(":")
    return {**attrs, "id": name} if colon and prefix in {"fig", "tbl", "sec"} else attrs


def find_faults(attrs: Mapping[str, str], *, of_words: bool = False) -> Iterator[str]:
    """What an author may not write there, and what to write instead; `of_words` says that words are in brackets."""
    if "id" in attrs and not _ID.fullmatch(attrs["id"]):
        yield f"'#{attrs['id']}' is no name; write it in letters a to z, digits and hyphens"
    for name in attrs.get("class", "").split():
        if name not in CLASSES:
            yield f"there is no class '.{name}'; {suggest(name, CLASSES)}"
    for key in sorted(attrs.keys() - {"id", "class", *KEYS}):
        yield f"there is no attribute '{key}='; {suggest(key, KEYS)}"
    for name in OF_WORDS:
        if not of_words and (name in attrs or name in attrs.get("class", "").split()):
            yield f"'{name}' speaks for words; put them in brackets before it: [some words]{{...}}"
    if "width" in attrs and not _WIDTH.fullmatch(attrs["width"]):
        yield "width is a share of the text's width, such as width=60%"
    if "lang" in attrs and (fault := find_language_fault(attrs["lang"])):
        yield f"lang={attrs['lang']} {fault}"


def attributes_plugin(parser: MarkdownIt) -> None:
    """Teach the parser attributes after inlines, spans, and attribute lines."""
    parser.inline.ruler.after("link", "span", _span_rule)
    parser.inline.ruler.push("attributes", _inline_rule)
    parser.block.ruler.before("fence", "attributes", _line_rule, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.before("inline", "trailing", _trailing_rule)


def _trailing_rule(state: StateCore) -> None:
    """Braces at the end of a heading or of a table's caption speak for the block; its words go without."""
    for opener, words in pairwise(state.tokens):
        caption = opener.type == "paragraph_open" and words.content.startswith(CAPTION)
        if opener.type == "heading_open" or caption:
            words.content, attrs = cut_attributes(words.content)
            opener.meta = {**opener.meta, "attrs": attrs}


def _span_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (the parser's signature)
    """`[text]{.class}`: links come first, so what is left here is a span."""
    if state.src[state.pos] != "[":
        return False
    label_end = state.md.helpers.parseLinkLabel(state, state.pos, False)  # noqa: FBT003
    read = read_attributes(state.src, label_end + 1) if 0 <= label_end < state.posMax - 1 else None
    if not read or read[1] > state.posMax:
        return False
    attrs, end = read
    if not silent:
        _push_span(state, attrs, label_end)
    state.pos = end
    return True


def _push_span(state: StateInline, attrs: dict[str, str], label_end: int) -> None:
    end = state.posMax
    state.pos, state.posMax = state.pos + 1, label_end
    state.push("span_open", "span", 1).attrs = dict(attrs)
    state.md.inline.tokenize(state)
    state.push("span_close", "span", -1)
    state.posMax = end


def _inline_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """Braces right after an image, a link or code belong to it."""
    if state.src[state.pos] != "{" or state.pending or not state.tokens:
        return False
    last = state.tokens[-1]
    read = read_attributes(state.src, state.pos)
    if last.type not in {"image", "link_close", "code_inline"} or not read or read[1] > state.posMax:
        return False
    attrs, state.pos = read
    if not silent:
        opener = last if last.nesting == 0 else _find_opener(state)
        opener.meta = {**opener.meta, "attrs": attrs}
    return True


def _find_opener(state: StateInline):  # type: ignore[no-untyped-def]  # noqa: ANN202
    depth = 0
    for token in reversed(state.tokens):
        depth += token.nesting
        if depth == 0:
            return token
    raise AssertionError  # a closing token always has its opener


def _line_rule(state: StateBlock, start: int, _end: int, silent: bool) -> bool:  # noqa: FBT001
    """A line of nothing but braces speaks for the block below it."""
    if state.is_code_block(start):
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip()
    read = read_attributes(line)
    if not read or read[1] != len(line):
        return False
    if not silent:
        token = state.push("attributes", "", 0)
        token.map, token.meta = [start, start + 1], {"attrs": read[0]}
        state.line = start + 1
    return True
