"""Find the prose in a chapter's file as it was written: every passage, sign by sign where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Stands for each sign that is no prose: code, addresses, braces, the names of notes.
MASK = "\N{OBJECT REPLACEMENT CHARACTER}"

_NO_PROSE = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?s:.+?)(?<!`)(?P=ticks)(?!`)"  # code
    r"|<!--(?s:.*?)-->"
    r"|<[A-Za-z][\w+.-]*:[^<>\s]*>|<[^<>\s@]+@[^<>\s]+>"  # addresses in angle brackets
    r"|\]\((?:[^()\\]|\\.|\([^()]*\))*\)"  # where a link leads, a picture's file and caption
    r"|\]\[[^\[\]]*\]"
    r"|\[\^[^\]\s]+\]|\^\["  # the mark of a note; what the note says is prose
    r"|\[[^\[\]]*(?<![\w.])-?@\w[^\[\]]*\]"  # citations
    r"|(?<!\w)@(?:ch|fig|tbl|sec):[\w-]+|@@\w+@@"
    r"|\[[^\[\]]*\]\{[^{}\n]*\blang=[^{}\n]*\}"  # words of another language
    r"|\{\{[^{}\n]*\}\}|\{[^{}\n]*\}"
    r"|https?://[^\s)\]]+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+\w"
    r"|(?<![\\$\w])\$(?=\S)[^$\n]*[^\s$\\]\$(?!\d)"  # mathematics
    r"|\\[!-/:-@\[-`{-~]"
)
_OPENERS = {
    "heading_open": "heading", "th_open": "cell", "td_open": "cell", "dt_open": "term", "paragraph_open": "paragraph",
}  # fmt: skip
_VERSE = {"verse_open": 1, "verse_close": -1}


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, heading or cell as its file has it, what is no prose masked, line for line.

    `text` joins its lines with line feeds; `starts` says for each line where in `text` it begins, in which
    line and column (both from 1) and at which offset of the file.
    """

    path: str
    kind: str
    language: str
    text: str
    starts: tuple[tuple[int, int, int, int], ...]

    def locate(self, index: int) -> tuple[int, int]:
        """The line and the column of the sign at `index` of the text."""
        begin, line, column, _ = self._find_line(index)
        return line, column + index - begin

    def offset(self, index: int) -> int:
        """Where in the file the sign at `index` of the text stands."""
        begin, *_, offset = self._find_line(index)
        return offset + index - begin

    def _find_line(self, index: int) -> tuple[int, int, int, int]:
        return self.starts[max(bisect_right(self.starts, (index, 1 << 60, 0, 0)) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Where:
    """The file that passages are cut from: its lines, and the offset of each."""

    path: str
    first: int
    lines: Sequence[str]
    offsets: Sequence[int]


def cut_passages(
    parser: MarkdownIt, body: str, *, path: str, language: str, first_line: int, offset: int
) -> tuple[Passage, ...]:
    """All prose of `body`, which begins on `first_line` of `path`, at `offset`; verse is left as it is."""
    lines = body.split("\n")
    offsets = [offset]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    where = Where(path, first_line, lines, offsets)
    found = (
        _place(token, kind, said or language, where, cursor)
        for kind, said, token, cursor in _list_prose(parser, body)
    )
    return tuple(passage for passage in found if passage)


def _list_prose(parser: MarkdownIt, body: str) -> Iterator[tuple[str, str, Token, dict[int, int]]]:
    """Every token that holds words, its kind of block, the language it says, how far each line has been read."""
    tokens: list[Token] = []
    parser.block.parse(body, parser, {}, tokens)
    kind, verse, said, boxes = "paragraph", 0, "", list[str]()
    cursor: dict[int, int] = {}
    for token in tokens:
        if token.type == "div_open":
            boxes.append(token.meta["name"])
        elif token.type == "div_close":
            boxes.pop()
        verse += _VERSE.get(token.type, 0)
        kind = _OPENERS.get(token.type, kind)
        if token.type == "attributes":
            said = token.meta["attrs"].get("lang", "")
        if token.type == "inline" and token.map and not verse and "verse" not in boxes:
            yield kind, said, token, cursor
        elif token.nesting < 0 and token.level == 0:
            said = ""


def _place(token: Token, kind: str, language: str, where: Where, cursor: dict[int, int]) -> Passage | None:
    """The token's words where they stand; nothing for words that the file has in another form."""
    begin, starts = 0, []
    for number, words in enumerate(token.content.split("\n"), (token.map or [0])[0]):
        line = where.lines[number] if number < len(where.lines) else ""
        column = _find_column(line, words, cursor.get(number, 0))
        if column < 0:
            return None
        starts.append((begin, where.first + number, column + 1, where.offsets[number] + column))
        cursor[number] = column + len(words)
        begin += len(words) + 1
    return Passage(where.path, kind, language, mask(token.content), tuple(starts))


def _find_column(line: str, words: str, start: int) -> int:
    """Words end their line, but for those of headings and cells."""
    column = len(line.rstrip()) - len(words.rstrip())
    return column if column >= start and line.startswith(words.rstrip(), column) else line.find(words, start)


def mask(text: str) -> str:
    """`text` with `MASK` for every sign that is no prose; line feeds stay."""
    return _NO_PROSE.sub(lambda found: re.sub(r"[^\n]", MASK, found[0]), text)
