"""What is published: a text with its frame, and the same with every merge field filled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ..mail.extract import Extract
from ..mail.frame import Frame
from ..mail.markup import MailPicture
from ..model import Node, plain

_FIELD = re.compile(r"@@([a-z_]+)@@")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture and what it shows."""

    picture: MailPicture
    alt: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site: an issue, or a chapter in full that an issue leads to.

    `path` is its folder below the site: `2026-03-02-moss` or `read/moss`. `day` is shown where
    `frame.date` says it in words. `fields` says what stands on the page in place of each merge
    field. `summary` is for the archive, for feeds and for those who link here.
    """

    path: str
    day: date
    text: Extract
    frame: Frame
    summary: str = ""
    pictures: Sequence[MailPicture] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join(plain(self.text.title).split())

    @property
    def shown(self) -> Shown | None:
        """The first picture that tells something: what stands for the page where somebody links to it."""
        found = {picture.source: picture for picture in self.pictures}
        images = (node for block in self.text.body for node in block.walk() if node.kind == "image")
        return next((Shown(found[i.attrs["src"]], i.attrs["alt"]) for i in images if i.attrs["alt"]), None)


def fill_fields(page: Page) -> Page:
    """`page` as anybody may read it: merge fields say their defaults, one that has none says nothing.

    Lines of the foot that hold a field speak to one subscriber and are left out; a link to a
    field without a default is left as words.
    """
    filler = _Filler(page.fields)
    text, frame = page.text, page.frame
    return replace(
        page,
        text=replace(
            text, title=filler.fill_all(text.title), body=filler.fill_all(text.body),
            notes=filler.fill_all(text.notes), sources=filler.fill_all(text.sources),
        ),
        frame=replace(
            frame, subtitle=filler.fill(frame.subtitle), byline=filler.fill(frame.byline),
            footer=tuple(line for line in frame.footer if not _FIELD.search(line)), links=(),
        ),
        summary=filler.fill(page.summary or frame.preheader),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Filler:
    values: Mapping[str, str]

    def fill(self, text: str) -> str:
        return _FIELD.sub(lambda found: self.values.get(found[1], ""), text) if "@@" in text else text

    def fill_all(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(self._fill_node(node) for node in nodes)

    def _fill_node(self, node: Node) -> Node:
        node = node.rebuild(self._fill_node)
        if node.kind == "link" and not all(
            self.values.get(name) for name in _FIELD.findall(node.attrs["href"])
        ):
            return Node("span", node.children, line=node.line)
        if not any("@@" in text for text in (node.text, *node.attrs.values())):
            return node
        attrs = {name: self.fill(value) for name, value in node.attrs.items()}
        return replace(node, text=self.fill(node.text), attrs=attrs)
