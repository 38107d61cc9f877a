"""Rules on structure: paragraphs, lists, tables, boxes, code, and where scenes break."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..errors import Place
from ..model import Chapter, Node, plain
from .galley import Galley, Rule, Spot

_LONG_PARAGRAPH = 220  # words
_WIDE_TABLE, _LONG_TABLE = 8, 60  # columns, rows
_DEEP_LIST = 3
_LONG_CODE = 72  # characters; more do not fit the page
_LONG_EMPHASIS = 60  # words
_ENOUGH, _FEWEST_LETTERS = 500, 20  # signs that show a script


def _spot(chapter: Chapter, node: Node, message: str) -> Spot:
    return Spot(Place(chapter.source, node.line), message)


def _count_words(nodes: Sequence[Node]) -> int:
    return sum(len(node.text.split()) for top in nodes for node in top.walk() if node.kind == "text")


# -- paragraphs


def find_long_paragraphs(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("paragraph"):
        if (words := len(plain(node.children).split())) > _LONG_PARAGRAPH:
            yield Spot(place, f"the paragraph has {words} words; split it where the thought turns")


def find_endless_paragraphs(galley: Galley) -> Iterator[Spot]:
    """A paragraph of several words that ends without a mark; a line that others follow may."""
    for chapter in galley.chapters:
        for node in chapter.body if chapter.kind == "chapter" else ():
            text = plain(node.children).rstrip("*_ ") if node.kind == "paragraph" else ""
            cut = text and text[-1].isalnum() and len(text.split()) > 7
            if cut and node.children[-1].kind == "text" and node.children[-2:][0].kind != "break":
                yield _spot(
                    chapter, node, f"the paragraph breaks off after '{text.split()[-1]}'; end it with a mark"
                )


def find_long_emphasis(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for node in chapter.walk():
            if node.kind in {"emphasis", "strong"} and (words := _count_words([node])) > _LONG_EMPHASIS:
                yield _spot(
                    chapter, node, f"{words} words are stressed, and so none is; stress the few that matter"
                )


def find_foreign_scripts(galley: Galley) -> Iterator[Spot]:
    """Speech and hyphenation go by the language, which another script shows to be another one."""
    for chapter in galley.chapters:
        usual = _name_script("".join(node.text for node in chapter.nodes if node.kind == "text"))
        for node in chapter.body:
            if node.kind in {"paragraph", "quote"} and not _names_language(node):
                script = _name_script("".join(child.text for child in node.walk() if child.kind == "text"))
                if script and script != usual:
                    message = f"a text in {script.title()} letters that does not say its language; write {{lang=...}}"
                    yield _spot(chapter, node, message)


def _names_language(node: Node) -> bool:
    return any("lang" in child.attrs for child in node.walk())


def _name_script(text: str) -> str:
    """The script that most letters of `text` belong to; empty for a few letters."""
    letters = [sign for sign in text[:_ENOUGH] if sign.isalpha()]
    if len(letters) < _FEWEST_LETTERS:
        return ""
    if text.isascii():
        return "LATIN"
    scripts = Counter(unicodedata.name(sign, "").partition(" ")[0] for sign in letters)
    return scripts.most_common(1)[0][0]


def find_stray_breaks(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for number, node in enumerate(chapter.body):
            if node.kind != "rule":
                continue
            if number in {0, len(chapter.body) - 1}:
                yield _spot(chapter, node, "a scene break at the chapter's edge breaks nothing; take it out")
            elif chapter.body[number - 1].kind in {"rule", "heading"}:
                yield _spot(chapter, node, "a scene break right after another break; keep one")


# -- lists


def find_single_items(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("list"):
        if len(node.children) == 1:
            yield Spot(place, "a list of one item is a sentence; write it as one")


def find_uneven_items(galley: Galley) -> Iterator[Spot]:
    """The items of one list end all with a mark, or all without."""
    for chapter in galley.chapters:
        for node in chapter.walk():
            if node.kind == "list":
                ends = [(item, _ends_sentence(item)) for item in node.children]
                closed = sum(end is True for _, end in ends)
                bare = sum(end is False for _, end in ends)
                if closed and bare:
                    odd = next(item for item, end in ends if end is (closed < bare))
                    what = "ends with a full stop" if closed < bare else "ends without a full stop"
                    yield _spot(chapter, odd, f"this item {what}, others do not; write all alike")


def _ends_sentence(item: Node) -> bool | None:
    """None where an item ends with something else than words."""
    last = item.children[-1] if item.children else item
    text = plain(last.children).rstrip() if last.kind == "paragraph" else ""
    if not text or text[-1] in ",;:!?…”’)":
        return None
    return text[-1] == "."


def find_deep_lists(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        todo = [(node, 0) for node in chapter.body]
        while todo:
            node, depth = todo.pop()
            depth += node.kind == "list"
            if node.kind == "list" and depth == _DEEP_LIST + 1:
                yield _spot(chapter, node, f"a list {depth} levels deep; {_DEEP_LIST} are read, so part it")
            todo += [(child, depth) for child in node.children]


# -- tables, boxes, code


def _rows(table: Node) -> list[Node]:
    return [node for node in table.children if node.kind == "row"]


def find_large_tables(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("table"):
        rows = _rows(node)
        columns = max((len(row.children) for row in rows), default=0)
        if columns > _WIDE_TABLE:
            yield Spot(place, f"the table has {columns} columns; {_WIDE_TABLE} fit a page, so part it")
        if len(rows) > _LONG_TABLE:
            yield Spot(place, f"the table has {len(rows)} rows; {_LONG_TABLE} are the most, so part it")


def find_nameless_columns(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("table"):
        for row in (row for row in _rows(node)[:1] if "head" in row.attrs):
            empty = [
                number for number, cell in enumerate(row.children, 1) if not plain(cell.children).strip()
            ]
            for number in empty if node.attrs.get("class") != "rowheads" else empty[1:]:
                yield Spot(place, f"column {number} of the table has no name; whoever hears it is lost")


def find_empty_cells(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        for node in chapter.walk():
            if node.kind == "table":
                cells = [cell for row in _rows(node)[1:] for cell in row.children]
                empty = [cell for cell in cells if not cell.children]
                if empty and len(empty) < len(cells) / 2:
                    message = f"the table has empty cells ({len(empty)}); write -- for nothing"
                    yield _spot(chapter, node, message)


def find_bare_tables(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("table"):
        if not any(child.kind == "caption" for child in node.children):
            yield Spot(place, "the table has no caption; write a line Table: ... above it")


def find_empty_boxes(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("div"):
        if not any(child.kind != "title" for child in node.children):
            yield Spot(place, f"the box '::: {node.attrs['name']}' is empty; write it, or take it out")


def find_nested_boxes(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("div"):
        inner = [child for child in node.walk() if child is not node and child.kind == "div"]
        if inner and not {child.attrs["name"] for child in (node, *inner)} & {"verse", "epigraph"}:
            yield Spot(place, f"a box in the box '::: {node.attrs['name']}'; put one after the other")


def find_long_code(galley: Galley) -> Iterator[Spot]:
    for node, place in galley.find("code_block"):
        longest = max((len(line) for line in node.text.split("\n")), default=0)
        if longest > _LONG_CODE:
            yield Spot(
                place, f"a line of code has {longest} characters; {_LONG_CODE} fit the page, so break it"
            )


#: S020 to S039; see `galley.Rule`.
STRUCTURE: Mapping[str, Rule] = {
    "S020": Rule("advice", "a paragraph of over 220 words", "split it", find_long_paragraphs),
    "S021": Rule("warning", "a paragraph that breaks off without a mark", "end it", find_endless_paragraphs),
    "S022": Rule("advice", "over 60 words stressed in a row", "stress the few that matter", find_long_emphasis),
    "S023": Rule("warning", "a text in another script that does not say its language", "write `{lang=...}` above it",
                 find_foreign_scripts),
    "S024": Rule("warning", "a scene break at a chapter's edge, or two in a row", "take it out", find_stray_breaks),
    "S030": Rule("advice", "a list of one item", "write a sentence", find_single_items),
    "S031": Rule("warning", "a list whose items end some with a full stop, some without", "write all alike",
                 find_uneven_items),
    "S032": Rule("warning", "a list more than three levels deep", "part it", find_deep_lists),
    "S033": Rule("warning", "a table of over 8 columns or 60 rows", "part it", find_large_tables),
    "S034": Rule("warning", "a column without a name", "name it", find_nameless_columns),
    "S035": Rule("advice", "cells that are empty in a table that is full otherwise", "write `--`", find_empty_cells),
    "S036": Rule("advice", "a table without a caption", "write `Table: ...` above it", find_bare_tables),
    "S037": Rule("warning", "an empty box", "write it, or take it out", find_empty_boxes),
    "S038": Rule("warning", "a box in a box", "put one after the other", find_nested_boxes),
    "S039": Rule("warning", "a line of code of over 72 characters", "break it", find_long_code),
}  # fmt: skip
