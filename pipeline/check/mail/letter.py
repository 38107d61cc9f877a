"""Read an issue folder once, for every rule that looks at it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import Place
from ...model import Chapter, Node, plain
from .drawing import Drawn, draw
from .page import CODE, Element, list_elements, list_pieces, own_words, parse_page, squeeze
from .styles import DARK, Sheets, read_sheets

#: A place, and what to do there.
Spot = tuple[Place, str]

_SHORTEST_TRACE = 3  # characters; less stands anywhere
HTML, TEXT, DOCUMENT = "body.html", "body.txt", "issue.json"


@dataclass(frozen=True)  # no slots: what several rules ask for is worked out once
class Mail:
    """One issue folder as its rules see it.

    `files` are its paths and bytes, `document` is issue.json, `page` the parsed HTML. `source` is
    the Markdown file it was made from; `chapters` are searched for the line to mend, that file's first.
    """

    folder: str
    files: Mapping[str, bytes]
    document: Mapping[str, Any]
    markup: str
    page: Element
    text: str
    source: str
    chapters: tuple[Chapter, ...]

    @property
    def subject(self) -> str:
        return str(self.document["subject"])

    @property
    def subjects(self) -> tuple[str, ...]:
        """All that are compared, or the only one."""
        found = self.document.get("subjects")
        return tuple(map(str, found)) if isinstance(found, list) else (self.subject,)

    @property
    def preheader(self) -> str:
        return str(self.document["preheader"])

    @property
    def language(self) -> str:
        return str(self.document["language"])

    @property
    def slug(self) -> str:
        return self.folder.rpartition("/")[2]

    @property
    def is_issue(self) -> bool:
        """Whether it goes to everybody and stands on the web; a letter goes to one person."""
        return bool(self.document["kind"] == "issue")

    @property
    def is_answer(self) -> bool:
        """Whether it answers to signing up or leaving; then there is nothing to leave."""
        return not self.is_issue and self.slug in {"confirm", "reminder", "goodbye"}

    # -- the HTML part

    @property
    def body(self) -> Element:
        return self.page.find("body")

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        return tuple(list_elements(self.page))

    def find(self, *tags: str) -> list[Element]:
        """All elements of these names, in reading order."""
        return [node for node in self.elements if node.tag in tags]

    @cached_property
    def sheets(self) -> Sheets:
        return read_sheets(self.find("style"))

    @cached_property
    def light(self) -> Mapping[Element, Drawn]:
        """As it is drawn on a phone."""
        return draw(self.page, [rule for rule in self.sheets.rules if not rule.where])

    @cached_property
    def dark(self) -> Mapping[Element, Drawn]:
        """The same on a phone that is set to dark, where the program asks the letter for its colours."""
        return draw(self.page, [rule for rule in self.sheets.rules if rule.where in {"", DARK}])

    @cached_property
    def shown(self) -> tuple[tuple[Element, str], ...]:
        """Every piece of text that can be seen, with its element."""
        pieces = list_pieces(self.body)
        return tuple((node, text) for node, text in pieces if text.strip() and self.light[node].shown)

    @cached_property
    def foot(self) -> Element | None:
        """The smallest element around the address and the way out; None where that is the whole letter."""
        homes = [node for node in self.elements if "@@postal_address@@" in own_words(node)]
        ways = [node for node in self.find("a") if node.get("href") == "@@unsubscribe_url@@"]
        if not homes or not (ways or self.is_answer):
            return None
        wanted = {*homes[-1:], *ways[-1:]}
        shared = next(node for node in homes[-1].iterancestors() if wanted <= set(node.iter()))
        return shared if shared.find(".//h1") is None else None

    # -- the text part

    @cached_property
    def prose(self) -> str:
        """The text part, line by line, without what is code in the HTML: signs in code mean themselves."""
        codes = {line.strip() for node in self.find(*CODE) for line in node.text_content().split("\n")} - {""}
        anyone = "|".join(map(re.escape, sorted(codes, key=len, reverse=True))) or "(?!)"
        return re.sub(rf"(?<![\w@])(?:{anyone})(?![\w@])", "", self.text)

    @property
    def text_foot(self) -> str:
        """What stands below the line that begins the foot; empty where there is none."""
        return self.text.rpartition("\n---\n")[2] if "\n---\n" in self.text else ""

    # -- places

    def in_page(self, node: Element) -> Place:
        return Place(f"{self.folder}/{HTML}", node.sourceline or 0)

    def in_line(self, number: int) -> Place:
        return Place(f"{self.folder}/{TEXT}", number)

    def in_sheet(self, line: int) -> Place:
        return Place(f"{self.folder}/{HTML}", line)

    def in_markup(self, offset: int) -> Place:
        return Place(f"{self.folder}/{HTML}", self.markup.count("\n", 0, offset) + 1)

    def in_text(self, offset: int) -> Place:
        return Place(f"{self.folder}/{TEXT}", self.text.count("\n", 0, offset) + 1)

    def in_source(self) -> Place:
        """Where subject and preheader are said: at `issue:`, else at the title."""
        found = next((chapter for chapter in self.chapters if chapter.source == self.source), None)
        line = found.mailing.line if found and found.mailing else 0
        return Place(self.source, line or (found.title_line if found else 0))

    def trace(self, said: str, otherwise: Place) -> Place:
        """Where an author wrote `said`: words, an address or an alternative text; else `otherwise`."""
        wanted = squeeze(said).casefold()
        telling = len(wanted) >= _SHORTEST_TRACE or not said.isprintable()
        for words, chapter, node in self._written if said and telling else ():
            if wanted in words if wanted else said in node.text:
                return Place(chapter.source, _find_line(node, wanted))
        return otherwise

    @cached_property
    def _written(self) -> tuple[tuple[str, Chapter, Node], ...]:
        return tuple((_say(node), chapter, node) for chapter in self.chapters for node in chapter.walk())


def read_mail(slug: str, files: Mapping[str, bytes], *, source: str, chapters: Sequence[Chapter]) -> Mail:
    """The folder `slug`; what cannot be read is empty, and `find_unreadable` says so."""
    document = _read_json(files.get(DOCUMENT, b""))
    home = "letters" if document.get("kind") == "letter" else "issues"
    return Mail(
        folder=f"build/{home}/{slug}",
        files=files,
        document=document,
        markup=_decode(files.get(HTML, b"")),
        page=parse_page(files.get(HTML, b"")),
        text=_decode(files.get(TEXT, b"")),
        source=source,
        chapters=tuple(sorted(chapters, key=lambda chapter: chapter.source != source)),
    )


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""


def _read_json(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


#: What the rules ask of issue.json; the outbox asks for more (docs/issue.schema.json).
_KEYS: Mapping[str, type] = {"kind": str, "subject": str, "preheader": str, "language": str, "fields": dict}


def find_unreadable(mail: Mail) -> Iterator[Spot]:
    """A part that is missing or cannot be read; then no other rule is asked (law rule L2)."""
    for name, text in ((HTML, mail.markup), (TEXT, mail.text)):
        place = Place(f"{mail.folder}/{name}")
        if not mail.files.get(name, b"").strip():
            yield place, "the part is missing or empty; a letter has an HTML and a text part"
        elif not text:
            yield place, "the part is not UTF-8; save it as UTF-8"
    for key, kind in _KEYS.items():
        if not isinstance(mail.document.get(key), kind):
            what = "text" if kind is str else "a table"
            message = f"'{key}' is missing or not {what}; make the issue anew"
            yield Place(f"{mail.folder}/{DOCUMENT}"), message


# -- the author's words

_ADDRESSES = ("href", "alt", "src")
_BLOCKS = frozenset(
    {"paragraph", "heading", "caption", "cell", "line", "term", "attribution", "title", "item"}
)


def _say(node: Node) -> str:
    """What of a node reaches the letter: a block's words, an address, an alternative text."""
    words = plain(node.children) if node.kind in _BLOCKS else node.text
    return squeeze(" ".join([words, *(node.attrs.get(name, "") for name in _ADDRESSES)])).casefold()


def _find_line(block: Node, wanted: str) -> int:
    """The line of the piece that holds `wanted`, or that of the block it runs through."""
    inside = (node.line for node in block.walk() if node is not block and wanted in _say(node))
    return next(filter(None, inside), block.line)
