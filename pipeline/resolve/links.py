"""Turn cross-references and links between chapters into links to ids, or say that they are broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote

from ..errors import ManuscriptError, PipelineError, Place
from ..hints import suggest
from ..model import Chapter, Node, plain
from .marks import fold_term
from .numbers import label_chapter

_MARKDOWN = re.compile(r"^([^:?#]*)\.md(?:#(.+))?$")
_OUTWARD = re.compile(r"(?:https?://|mailto:|tel:).|@@[a-z_]+_url@@$", re.IGNORECASE)
_NO_GLOSSARY = "there is none yet: write a chapter with kind: glossary"
_PREFIXES = {"figure": "fig", "table": "tbl"}


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be referred to: its id, the chapter it is in, and what a reference prints."""

    id: str
    slug: str
    label: str


def collect_targets(chapters: Iterable[Chapter], words: Mapping[str, str]) -> dict[str, Target]:
    """What `@ch:`, `@fig:`, `@tbl:` and `@sec:` may name.

    A section goes by its id, and by its bare title's slug in the first chapter that has it.
    """
    targets: dict[str, Target] = {}
    for chapter in chapters:
        targets[f"ch:{chapter.slug}"] = Target(chapter.slug, chapter.slug, label_chapter(chapter, words))
        for node in chapter.walk():
            if node.kind in _PREFIXES and "auto" not in node.attrs:
                label = node.attrs.get("label") or words[node.kind]
                targets[f"{_PREFIXES[node.kind]}:{node.id}"] = Target(node.id, chapter.slug, label)
            elif node.kind == "heading":
                target = Target(node.id, chapter.slug, plain(node.children))
                targets[f"sec:{node.id}"] = target
                targets.setdefault(f"sec:{node.id.removeprefix(chapter.slug + '-')}", target)
    return targets


@dataclass(frozen=True, slots=True)
class Linker:
    """Links the chapters of one edition; what it cannot link goes into `errors`.

    `kept` are the ids that each chapter of the edition has, its slug among them, `files` maps file names to
    slugs, `ids` slugs to all ids in the chapter, `terms` are those of the glossary.
    """

    targets: Mapping[str, Target]
    kept: Mapping[str, frozenset[str]]
    files: Mapping[str, str]
    ids: Mapping[str, frozenset[str]]
    words: Mapping[str, str]
    errors: list[PipelineError]
    terms: Mapping[str, Target]

    def link(self, chapter: Chapter) -> Chapter:
        return replace(chapter, body=tuple(self._visit(node, chapter) for node in chapter.body))

    def _visit(self, node: Node, chapter: Chapter) -> Node:
        if node.kind == "reference":
            return self._refer(node, chapter)
        if node.kind == "link" and "chapter" not in node.attrs:  # what the press wrote is settled
            node = self._relink(node, chapter)
        if node.attrs.get("name") == "chapter":
            self._check_embedding(node, chapter)
        if node.kind == "mention":
            node = self._define(node, chapter)
        return node.rebuild(lambda child: self._visit(child, chapter)) if node.children else node

    def _refer(self, node: Node, chapter: Chapter) -> Node:
        name = node.attrs["to"]
        target = self.targets.get(name)
        if not target:
            kind = name.split(":", 1)[0] + ":"
            known = [known for known in self.targets if known.startswith(kind)]
            message = (
                f"nothing is called '@{name}'; {suggest(name, known)}"
                if known
                else f"nothing is called '@{name}'"
            )
            self.errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M010"))
            return node
        if not self._has(target.slug, target.id):
            label = self.words["elsewhere"].format(label=target.label)
            return node.with_children((Node("text", text=label, line=node.line),))
        attrs = {"href": f"#{target.id}", "chapter": target.slug, "type": name.split(":", 1)[0]}
        return replace(node, children=(Node("text", text=target.label, line=node.line),), attrs=attrs)

    def _define(self, node: Node, chapter: Chapter) -> Node:
        """A term as a link to what the glossary says of it; as words where an edition has no glossary."""
        target = self.terms.get(fold_term(node.attrs["to"]))
        if not target:
            hint = suggest(fold_term(node.attrs["to"]), self.terms) if self.terms else _NO_GLOSSARY
            message = f"the glossary does not define '{node.attrs['to']}'; {hint}"
            self.errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M018"))
        if not target or not self._has(target.slug, target.id):
            return Node("span", node.children, line=node.line)
        attrs = {"href": f"#{target.id}", "chapter": target.slug, "role": "term", "id": node.id, "auto": "1"}
        return Node("link", node.children, attrs=attrs, line=node.line)

    def _relink(self, node: Node, chapter: Chapter) -> Node:
        href = unquote(node.attrs["href"])
        found = _MARKDOWN.match(href)
        if href.startswith("#"):
            return self._lead(node, chapter, chapter.slug, href[1:])
        if not found:
            if not _OUTWARD.match(href):
                message = f"'{href}' is no place to lead to; write a chapter's file, #an-id or https://..."
                self._complain(node, chapter, message)
            return node
        name = PurePosixPath(f"{found[1]}.md").name
        if name not in self.files:
            self._complain(node, chapter, f"there is no chapter '{name}'; {suggest(name, self.files)}")
            return node
        slug = self.files[name]
        return self._lead(node, chapter, slug, found[2] or slug)

    def _check_embedding(self, node: Node, chapter: Chapter) -> None:
        """`::: chapter` stands in mail, and names a chapter there is."""
        place, name = Place(chapter.source, node.line), node.attrs["to"]
        if chapter.kind not in {"issue", "letter"}:
            message = (
                "'::: chapter' belongs into an issue, a file in the folder issues/; here, link to the chapter"
            )
            self.errors.append(ManuscriptError(message, place, rule="M016"))
        elif name not in self.files.values():
            message = f"there is no chapter '{name}'; {suggest(name, self.files.values())}"
            self.errors.append(ManuscriptError(message, place, rule="M016"))

    def _lead(self, node: Node, chapter: Chapter, slug: str, name: str) -> Node:
        """A link to the id `name` in the chapter `slug`; where the edition lacks it, the words stay."""
        ids = self.ids[slug] | {slug}
        section = self.targets.get(f"sec:{slug}-{name}")
        if section and name not in ids:
            name = section.id
        elif name not in ids:
            known = {target.id for target in self.targets.values() if target.slug == slug}
            self._complain(node, chapter, f"nothing in '{slug}' has the id '{name}'; {suggest(name, known)}")
        if not self._has(slug, name):
            return Node("span", node.children, line=node.line)
        return node.with_attrs(href=f"#{name}", chapter=slug)

    def _has(self, slug: str, name: str) -> bool:
        return name in self.kept.get(slug, ())

    def _complain(self, node: Node, chapter: Chapter, message: str) -> None:
        self.errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M011"))
