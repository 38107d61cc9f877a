"""Compose a letter's text: a chapter, whole or in part, or an author's own words with chapters in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..errors import ManuscriptError, Place
from ..model import Book, Chapter, Node, Show
from ..resolve import choose_passages, find_notes, number_notes, number_objects
from .extract import Extract, Item, count_words, extract

_WORDS_A_MINUTE = 200
_DEEPEST_HEADING = 6


def compose(book: Book, chapter: Chapter, words: Mapping[str, str], *, address: str = "") -> Extract:
    """What the mail of `chapter` says; "read on" leads to `<address>/read/<slug>/`.

    `chapter.mailing` says how much of it is shown and for which segment. Raises ManuscriptError
    where there is no opening or summary to show, or nowhere to read on.
    """
    composer = _Composer(book, words, address, chapter.mailing.segment if chapter.mailing else "")
    show = chapter.mailing.show if chapter.mailing else "full"
    body = composer.show(chapter, show, own=())
    if show != "full":
        body = (*body, composer.read_on(chapter, button=True))
    body = number_notes(composer.embed_all(body), composer.written)
    (whole,) = number_objects([replace(chapter, kind="issue", body=body)], words)  # figures from 1
    done = extract(book, chapter.heading or _text(chapter.title), whole.body, words)
    return replace(done, items=tuple(composer.items), reads=tuple(dict.fromkeys(composer.reads)))


def count_minutes(words: int) -> int:
    """How long `words` take to read, at least one minute."""
    return max(1, round(words / _WORDS_A_MINUTE))


@dataclass(slots=True)
class _Composer:
    """Puts one letter together; remembers the notes of all its chapters, the items, and where one reads on."""

    book: Book
    words: Mapping[str, str]
    address: str
    segment: str
    written: dict[str, Node] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def show(self, chapter: Chapter, show: Show, *, own: tuple[Node, ...]) -> tuple[Node, ...]:
        """The blocks of `chapter` that are shown; `own` is said in place of its summary."""
        if show == "summary":
            return own or (_summarise(chapter),)
        chosen = choose_passages(chapter, {"segment": self.segment})
        body = _cut_opening(chosen) if show == "opening" else chosen.body
        named = tuple(_name_notes(node, chapter.slug) for node in body if node.kind != "more")
        self.written |= find_notes([node for block in named for node in block.walk()])
        return (*own, *named)

    def embed_all(self, body: tuple[Node, ...]) -> tuple[Node, ...]:
        """`body` with each `::: chapter` filled; one alone may have a button, several have links."""
        alone = sum(node.attrs.get("name") == "chapter" for block in body for node in block.walk()) == 1

        def visit(node: Node) -> Node:
            if node.attrs.get("name") == "chapter":
                return self._embed(node, button=alone)
            return node.rebuild(visit) if node.children else node

        return tuple(map(visit, body))

    def _embed(self, node: Node, *, button: bool) -> Node:
        chapter = next(chapter for chapter in self.book.chapters if chapter.slug == node.attrs["to"])
        show: Show = node.attrs["show"]  # type: ignore[assignment]  # the parser let no other pass
        body = tuple(_lower(block) for block in self.show(chapter, show, own=node.children))
        self.items.append(Item(chapter.slug, chapter.title, count_words(body)))
        heading = Node(
            "heading", chapter.heading or _text(chapter.title), attrs={"level": "2"}, line=node.line
        )
        if show != "full":
            return node.with_children((heading, *body, self.read_on(chapter, button=button, line=node.line)))
        minutes = self.words["minutes"].format(minutes=count_minutes(count_words(body)))
        byline = Node("paragraph", _text(minutes), attrs={"class": "byline"}, line=node.line)
        return node.with_children((heading, byline, *body))

    def read_on(self, chapter: Chapter, *, button: bool, line: int = 0) -> Node:
        """A paragraph that leads to the whole of `chapter` on the web."""
        if not self.address:
            message = "shows a part, and there is nowhere to read on; write [newsletter] site in book.toml"
            raise ManuscriptError(message, Place(chapter.source, line))
        self.reads.append(chapter.slug)
        attrs = {"href": f"{self.address}/read/{chapter.slug}/", **({"class": "button"} if button else {})}
        return Node(
            "paragraph",
            (Node("link", _text(self.words["read_on"].format(title=chapter.title)), attrs=attrs),),
        )


def _text(text: str) -> tuple[Node, ...]:
    return (Node("text", text=text),)


def _summarise(chapter: Chapter) -> Node:
    if not chapter.summary:
        message = "is shown by its summary, and has none; write summary: in its header"
        raise ManuscriptError(message, Place(chapter.source, 1))
    return Node("paragraph", _text(chapter.summary), line=1)


def _cut_opening(chapter: Chapter) -> tuple[Node, ...]:
    """The blocks before `<!-- more -->`; without it, those before the first section."""
    for kind in ("more", "heading"):
        end = next((at for at, node in enumerate(chapter.body) if node.kind == kind), 0)
        if end:
            return chapter.body[:end]
    message = (
        "is shown by its opening, and nothing ends it; write <!-- more --> on a line of its own below it"
    )
    raise ManuscriptError(message, Place(chapter.source, chapter.title_line))


def _name_notes(node: Node, slug: str) -> Node:
    """The chapter's note 3 as `slug:3`, so that several chapters' notes can stand together."""
    if node.kind == "note":
        return node.with_attrs(number=f"{slug}:{node.attrs['number']}")
    return node.rebuild(lambda child: _name_notes(child, slug)) if node.children else node


def _lower(node: Node) -> Node:
    """Headings one level further down, below the chapter's own."""
    if node.kind == "heading":
        return node.with_attrs(level=str(min(int(node.attrs["level"]) + 1, _DEEPEST_HEADING)))
    return node.rebuild(_lower) if node.children else node
