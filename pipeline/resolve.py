"""Cut a manuscript to one edition and settle everything that points at something else: numbers, links, citations."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePosixPath

import msgspec

from .config import Config, EditionTable
from .errors import ManuscriptError, Place, PipelineError, raise_all
from .identifiers import make_urn
from .model import Book, Chapter, Entry, Node, plain

#: Kinds that stand before page 1, and those after the last chapter.
FRONT = ("dedication", "epigraph", "foreword", "preface")
BACK = ("appendix", "references", "acknowledgements", "about", "colophon")

_ANCHORED = {"paragraph", "item", "term", "figure", "table", "code_block", "div", "quote", "lines", "heading"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKDOWN = re.compile(r"^([^:?#]*)\.md(?:#(.+))?$")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be referred to: its id, the chapter it is in, and what a reference prints."""

    id: str
    slug: str
    label: str


def number_chapters(chapters: Sequence[Chapter]) -> tuple[Chapter, ...]:
    """Chapters counted 1, 2, ... and appendices A, B, ... over the whole manuscript, so every edition agrees."""
    counts = {"chapter": 0, "appendix": 0}
    numbered = []
    for chapter in chapters:
        number = ""
        if chapter.kind in counts:
            counts[chapter.kind] += 1
            count = counts[chapter.kind]
            number = str(count) if chapter.kind == "chapter" else _LETTERS[(count - 1) % 26]
        numbered.append(replace(chapter, number=number))
    return tuple(numbered)


def choose_chapters(chapters: Sequence[Chapter], edition: EditionTable) -> tuple[Chapter, ...]:
    """The chapters of one edition; a part that lost all its chapters goes too.

    Raises ManuscriptError when the edition names a chapter that is not there.
    """
    names = {chapter.slug for chapter in chapters} | {_stem(chapter) for chapter in chapters}
    for wanted in edition.chapters:
        if wanted not in names:
            hint = _hint(wanted, names)
            message = f"edition '{edition.name}' names a chapter '{wanted}' that is not there{hint}"
            raise ManuscriptError(message, Place("book.toml"), rule="M021")
    chosen = [chapter for chapter in chapters if _belongs(chapter, edition)]
    return tuple(
        chapter
        for index, chapter in enumerate(chosen)
        if chapter.kind != "part" or _has_chapters(chosen[index + 1 :])
    )


def _stem(chapter: Chapter) -> str:
    return PurePosixPath(chapter.source).stem


def _belongs(chapter: Chapter, edition: EditionTable) -> bool:
    if chapter.editions and edition.name not in chapter.editions:
        return False
    if not edition.chapters or chapter.kind == "part":
        return True
    return bool({chapter.slug, _stem(chapter)} & set(edition.chapters))


def _has_chapters(following: Sequence[Chapter]) -> bool:
    return bool(following) and following[0].kind not in {"part", *BACK}


def resolve(
    chapters: Sequence[Chapter], config: Config, edition: EditionTable, *, folder: Path, words: Mapping[str, str],
    made_at: datetime,
) -> Book:
    """The book of one edition, every number and link settled.

    `words` are the language's words (Figure, Chapter, ...). Raises what an
    author must mend: unknown references, links, citations, ids used twice.
    """
    marked = [_mark(chapter) for chapter in number_chapters(chapters)]
    errors: list[PipelineError] = list(_find_doubles(marked))
    labelled = _number_objects(marked, words)
    targets = _collect_targets(labelled, words)
    chosen = choose_chapters(labelled, edition)
    linker = _Linker(targets, {chapter.slug for chapter in chosen}, _by_file(labelled), words, errors)
    linked = tuple(replace(chapter, body=linker.link(chapter)) for chapter in chosen)
    linked = _cite(linked, config, folder, words, errors)
    raise_all(errors)
    return Book(
        meta=msgspec.structs.replace(config.book, title=edition.title or config.book.title), edition=edition.name, folder=folder, chapters=linked, made_at=made_at, note=edition.note,
        identifier=_identify(config, edition),
    )


def _identify(config: Config, edition: EditionTable) -> str:
    """An identifier that no rebuild changes; a cut of the book is another book and has its own."""
    book = config.book
    whole = book.identifier or make_urn(book.publisher, book.title)
    return whole if edition.name == "full" else make_urn(whole, edition.name)


def newest_date(chapters: Sequence[Chapter], config: Config) -> datetime:
    """Noon UTC of the newest date the sources name: the time of a build that has no SOURCE_DATE_EPOCH."""
    dates = [config.book.date] + [d for chapter in chapters for d in (chapter.date, chapter.reviewed)]
    newest = max((d for d in dates if d), default=date(2000, 1, 1))
    return datetime.combine(newest, time(12), UTC)


# -- ids


def _mark(chapter: Chapter) -> Chapter:
    """Give every heading and block a name; the author's own stay as they are."""
    used = {node.id for node in chapter.walk() if node.id}
    counter = iter(range(1, 1_000_000))

    def visit(node: Node) -> Node:
        if node.kind == "note":
            return node
        node = replace(node, children=tuple(visit(child) for child in node.children))
        if node.id or node.kind not in _ANCHORED or "tight" in node.attrs:
            return node
        if node.kind == "heading":
            return node.with_attrs(id=_unique(f"{chapter.slug}-{slugify(plain(node.children))}", used))
        return node.with_attrs(id=f"{chapter.slug}-p{next(counter)}", auto="1")

    return replace(chapter, body=tuple(visit(node) for node in chapter.body))


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or "section"


def _unique(name: str, used: set[str]) -> str:
    candidate, count = name, 1
    while candidate in used:
        count += 1
        candidate = f"{name}-{count}"
    used.add(candidate)
    return candidate


def _find_doubles(chapters: Iterable[Chapter]) -> Iterator[ManuscriptError]:
    seen: dict[str, Place] = {chapter.slug: Place(chapter.source) for chapter in chapters}
    for chapter in chapters:
        for node in chapter.walk():
            if node.id and "auto" not in node.attrs:
                place = Place(chapter.source, node.line)
                if node.id in seen:
                    message = f"the id '{node.id}' is used twice (also {seen[node.id]}); give one another name"
                    yield ManuscriptError(message, place, rule="M012")
                seen[node.id] = place


# -- numbers


def _number_objects(chapters: Sequence[Chapter], words: Mapping[str, str]) -> list[Chapter]:
    """Figures and tables that have a caption are counted through the whole manuscript."""
    counts = {"figure": 0, "table": 0}

    def visit(node: Node) -> Node:
        children = tuple(visit(child) for child in node.children)
        if node.kind in counts and any(child.kind == "caption" for child in children):
            counts[node.kind] += 1
            label = f"{words[node.kind]} {counts[node.kind]}"
            tag = "caption" if node.kind == "table" else "figcaption"
            children = tuple(c.with_attrs(label=label, tag=tag) if c.kind == "caption" else c for c in children)
            return replace(node.with_attrs(label=label), children=children)
        return replace(node, children=children) if children != node.children else node

    return [replace(chapter, body=tuple(visit(node) for node in chapter.body)) for chapter in chapters]


def chapter_label(chapter: Chapter, words: Mapping[str, str]) -> str:
    """ "Chapter 3", "Appendix A"; the title where nothing is counted."""
    return f"{words[chapter.kind]} {chapter.number}" if chapter.number else chapter.title


def _collect_targets(chapters: Iterable[Chapter], words: Mapping[str, str]) -> dict[str, Target]:
    """What `@ch:`, `@fig:`, `@tbl:` and `@sec:` may name."""
    targets: dict[str, Target] = {}
    for chapter in chapters:
        targets[f"ch:{chapter.slug}"] = Target(chapter.slug, chapter.slug, chapter_label(chapter, words))
        for node in chapter.walk():
            if node.kind in {"figure", "table"} and "auto" not in node.attrs:
                key = "fig" if node.kind == "figure" else "tbl"
                label = node.attrs.get("label") or words[node.kind]
                targets[f"{key}:{node.id}"] = Target(node.id, chapter.slug, label)
            elif node.kind == "heading":
                target = Target(node.id, chapter.slug, plain(node.children))
                targets[f"sec:{node.id}"] = target
                targets.setdefault(f"sec:{node.id.removeprefix(chapter.slug + '-')}", target)
    return targets


def _by_file(chapters: Iterable[Chapter]) -> dict[str, str]:
    return {PurePosixPath(chapter.source).name: chapter.slug for chapter in chapters}


# -- links


@dataclass(frozen=True, slots=True)
class _Linker:
    """Turns references and links between chapters into links to ids."""

    targets: Mapping[str, Target]
    present: set[str]
    files: Mapping[str, str]
    words: Mapping[str, str]
    errors: list[PipelineError]

    def link(self, chapter: Chapter) -> tuple[Node, ...]:
        ids = {node.id for node in chapter.walk() if node.id}
        return tuple(self._visit(node, chapter, ids) for node in chapter.body)

    def _visit(self, node: Node, chapter: Chapter, ids: set[str]) -> Node:
        if node.kind == "reference":
            return self._refer(node, chapter)
        if node.kind == "link":
            node = self._relink(node, chapter, ids)
        if node.children:
            return replace(node, children=tuple(self._visit(child, chapter, ids) for child in node.children))
        return node

    def _refer(self, node: Node, chapter: Chapter) -> Node:
        name = node.attrs["to"]
        target = self.targets.get(name)
        if not target:
            message = f"nothing is called '@{name}'{_hint(name, self.targets)}"
            self.errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M010"))
            return node
        words = Node("text", text=target.label, line=node.line)
        if target.slug not in self.present:
            absent = self.words["elsewhere"].format(label=target.label)
            return replace(node, children=(replace(words, text=absent),))
        return replace(
            node, children=(words,),
            attrs={"href": f"#{target.id}", "chapter": target.slug, "type": name.split(":", 1)[0]},
        )

    def _relink(self, node: Node, chapter: Chapter, ids: set[str]) -> Node:
        href = node.attrs["href"]
        found = _MARKDOWN.match(href)
        if href.startswith("#"):
            return self._to_id(node, chapter, chapter.slug, href[1:], ids)
        if not found:
            return node
        slug = self.files.get(PurePosixPath(found[1] + ".md").name)
        if not slug:
            self._broken(node, chapter, f"there is no chapter '{found[1]}.md'{_hint(found[1] + '.md', self.files)}")
            return node
        if slug not in self.present:
            return Node("span", node.children, line=node.line)
        return self._to_id(node, chapter, slug, found[2] or slug, None)

    def _to_id(self, node: Node, chapter: Chapter, slug: str, name: str, ids: set[str] | None) -> Node:
        section = self.targets.get(f"sec:{name}")
        known = {target.id for target in self.targets.values() if target.slug == slug}
        if section and section.slug == slug:
            name = section.id
        elif name not in known and (ids is None or name not in ids):
            self._broken(node, chapter, f"nothing in '{slug}' has the id '{name}'{_hint(name, known)}")
        return node.with_attrs(href=f"#{name}", chapter=slug)

    def _broken(self, node: Node, chapter: Chapter, message: str) -> None:
        self.errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M011"))


# -- citations


def _cite(
    chapters: tuple[Chapter, ...], config: Config, folder: Path, words: Mapping[str, str],
    errors: list[PipelineError],
) -> tuple[Chapter, ...]:
    """Print the citations and add the list of references as a chapter of its own."""
    nodes = [(chapter, node) for chapter in chapters for node in chapter.walk() if node.kind == "citation"]
    if not nodes:
        return chapters
    if not config.bibliography.file:
        chapter, node = nodes[0]
        message = "a work is cited but book.toml has no [bibliography] file; add file = \"references.bib\""
        errors.append(ManuscriptError(message, Place(chapter.source, node.line), rule="M013"))
        return chapters
    from .citations import print_citations  # citeproc is slow to import and most books cite nothing

    return print_citations(chapters, config, folder, words=words, errors=errors)


# -- contents


def list_contents(book: Book) -> tuple[Entry, ...]:
    """The contents every output shares: parts hold their chapters, chapters their sections."""
    entries: list[Entry] = []
    part: list[Entry] | None = None
    for chapter in book.chapters:
        if chapter.kind in {"dedication", "epigraph"}:
            continue
        entry = Entry(chapter.title, chapter.slug, chapter.slug, chapter.kind, chapter.number, _sections(chapter))
        if chapter.kind == "part":
            part = []
            entries.append(entry)
            entries[-1] = replace(entry, children=())
        elif part is not None and chapter.kind not in BACK:
            part.append(entry)
            entries[-1] = replace(entries[-1], children=tuple(part))
        else:
            part = None
            entries.append(entry)
    return tuple(entries)


def _sections(chapter: Chapter) -> tuple[Entry, ...]:
    return tuple(
        Entry(plain(node.children), node.id, chapter.slug, "section")
        for node in chapter.body
        if node.kind == "heading" and node.attrs["level"] == "2" and "unnumbered" not in node.attrs.get("class", "")
    )


def _hint(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
