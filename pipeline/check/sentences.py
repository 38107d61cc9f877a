"""Cut a chapter into sentences, each with its line and with the notes and citations it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..errors import Place
from ..model import Chapter, Node
from .languages import Language

#: Blocks of running text, and what makes a sentence of its own.
BLOCKS = frozenset({"paragraph", "cell", "line", "definition"})
_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
_END = re.compile(rf"[.!?…]+[”’»“\")\]]*[\s{_MARK}]*(?=\s|{_MARK}|$)")
_INITIALS = re.compile(r"(?:[^\W\d]\.)*[^\W\d]")
_WORD = re.compile(r"[^\W_]+(?:['’\-‑.][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Its words, where it begins, the block it stands in, and its notes and citations."""

    text: str
    place: Place
    chapter: Chapter = field(repr=False)
    block: Node = field(repr=False)
    marks: tuple[Node, ...] = field(default=(), repr=False)
    row: str = field(default="", repr=False)  # of a table, all its cells

    @property
    def around(self) -> str:
        """What is read together with it: a table's row may warn of what one of its cells says."""
        return self.row or self.text

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)


def cut_sentences(chapter: Chapter, language: Language) -> Iterator[Sentence]:
    """The sentences of paragraphs, list items and cells; what notes say is not among them."""
    todo = list(reversed(chapter.body))
    while todo:
        node = todo.pop()
        if node.kind == "row":
            yield from _cut_row(node, chapter, language)
        elif node.kind in BLOCKS and not any(child.kind in BLOCKS for child in node.children):
            yield from _cut(node, chapter, language)
        elif node.kind not in {"code_block", "note", "figure"}:
            todo.extend(reversed(node.children))


def _cut_row(row: Node, chapter: Chapter, language: Language) -> Iterator[Sentence]:
    """What a cell cites, the whole row rests on."""
    found = [sentence for cell in row.children for sentence in _cut(cell, chapter, language)]
    marks = tuple(mark for sentence in found for mark in sentence.marks)
    text = " ".join(sentence.text for sentence in found)
    return (replace(sentence, marks=marks, row=text) for sentence in found)


def _cut(block: Node, chapter: Chapter, language: Language) -> Iterator[Sentence]:
    """`_MARK` stands for a note or citation until it is known whose it is."""
    pieces = list(_list_pieces(block))
    text = "".join(piece for piece, _ in pieces)
    marks = [node for piece, node in pieces if piece == _MARK]
    start = 0
    for end in [*_find_ends(text, language), len(text)]:
        words = text[start:end]
        if words.strip(f" \n{_MARK}"):
            own = tuple(marks[text.count(_MARK, 0, start) : text.count(_MARK, 0, end)])
            lead = start + len(words) - len(words.lstrip(f" \n{_MARK}"))
            place = Place(chapter.source, _find_line(pieces, lead) or block.line)
            yield Sentence(" ".join(words.replace(_MARK, "").split()), place, chapter, block, own)
        start = end


def _list_pieces(node: Node) -> Iterator[tuple[str, Node]]:
    for child in node.children:
        if child.kind in {"text", "code"}:
            yield child.text, child
        elif child.kind in {"softbreak", "break"}:
            yield " ", child
        elif child.kind in {"note", "citation"}:
            yield _MARK, child
        else:
            yield from _list_pieces(child)


def _find_ends(text: str, language: Language) -> Iterator[int]:
    for found in _END.finditer(text):
        before = (
            text[: found.start()].rsplit(None, 1)[-1].lstrip("(“‘[„«")
            if text[: found.start()].strip()
            else ""
        )
        after = text[found.end() :].lstrip(f" \n{_MARK}\N{NO-BREAK SPACE}“‘„«(")[:1]
        full_stop = found[0].startswith(".") and len(found[0].strip(f"{_MARK} ")) == 1
        if full_stop and (
            before in language.abbreviations
            or (re.fullmatch(r"(?:\w\.)*\w", before) and not before.isdigit())
        ):
            continue
        if after and not (after.isupper() or after.isdigit() or not after.isalnum()):
            continue
        yield found.end()


def _find_line(pieces: list[tuple[str, Node]], index: int) -> int:
    for piece, node in pieces:
        index -= len(piece)
        if index < 0:
            return node.line
    return 0
