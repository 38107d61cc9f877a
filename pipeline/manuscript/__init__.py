"""Read the manuscript: every Markdown file of the chapters' folder, in reading order, as a Chapter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date  # a field is called date
from hashlib import sha256
from os.path import realpath
from pathlib import Path

from .. import markdown
from ..config import Config, humanise
from ..errors import ManuscriptError, ManyErrors, PipelineError, Place, raise_all
from ..hints import suggest
from ..model import Chapter, Kind, Mailing, Node, plain
from ..sources import read_source
from .header import Header, split_header

#: Kinds that must say their title themselves; the others may go by their file's name.
_TITLED = frozenset({"chapter", "appendix"})

#: Folders inside that of the chapters whose files are mail -> what they are.
MAIL_FOLDERS: Mapping[str, Kind] = {"issues": "issue", "letters": "letter"}

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-(?=.)")
_PREFIX = re.compile(r"[0-9]+(?:\.[0-9]+)*[-_. ]+(?=.)")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


@dataclass(frozen=True, slots=True)
class _Title:
    """A chapter's title, where it stands, and the body without it."""

    nodes: tuple[Node, ...]
    line: int
    body: tuple[Node, ...]


def read_manuscript(folder: Path, config: Config) -> tuple[Chapter, ...]:
    """All chapters of the book in `folder`, in reading order.

    Raises ManuscriptError, or ManyErrors with everything to mend in all chapters.
    """
    chapters: list[Chapter] = []
    errors: list[PipelineError] = []
    for path in find_chapters(folder, config):
        try:
            chapters.append(read_chapter(path, folder, config))
        except ManyErrors as several:
            errors += several.errors
        except PipelineError as error:
            errors.append(error)
    raise_all([*errors, *_find_clashes(chapters)])
    return tuple(chapters)


def read_mail(folder: Path, config: Config) -> tuple[Chapter, ...]:
    """Issues and letters with a file of their own, in `issues/` and `letters/` of the chapters' folder.

    Their slugs begin with the folder's name. Raises as `read_manuscript` does.
    """
    found: list[Chapter] = []
    errors: list[PipelineError] = []
    for name, kind in MAIL_FOLDERS.items():
        home = folder / config.ebook.chapters / name
        paths = sorted(filter(_is_chapter, home.iterdir()), key=_natural_order) if home.is_dir() else []
        for path in paths:
            try:
                found.append(_address(read_chapter(path, folder, config), path, kind))
            except ManyErrors as several:
                errors += several.errors
            except PipelineError as error:
                errors.append(error)
    raise_all([*errors, *_find_clashes(found)])
    return tuple(found)


def _address(chapter: Chapter, path: Path, kind: Kind) -> Chapter:
    """`chapter` as mail: its day may stand in the file's name; only an issue has one."""
    place = Place(chapter.source, 1)
    mailing = chapter.mailing or Mailing()
    named = _DAY.match(path.stem)
    if chapter.kind != "chapter":
        raise ManuscriptError(
            "kind: has no place here, for the folder says what it is; delete the line", place
        )
    if kind == "letter" and (mailing.date or mailing.segment):
        raise ManuscriptError("a letter goes out when somebody acts; it has no date and no segment", place)
    if kind == "issue" and not mailing.date:
        if not named:
            message = (
                "has no date; write issue: 2026-08-31 in the header, or call the file 2026-08-31-name.md"
            )
            raise ManuscriptError(message, place)
        mailing = replace(mailing, date=_read_day(named[1], place))
    slug = (
        make_slug(_DAY.sub("", path.stem)) if named and chapter.slug == make_slug(path.stem) else chapter.slug
    )
    return replace(chapter, kind=kind, slug=f"{path.parent.name}/{slug}", mailing=mailing)


def _read_day(text: str, place: Place) -> Date:
    try:
        return Date.fromisoformat(text)
    except ValueError:
        raise ManuscriptError(f"is called after a day that is none: {text}; rename the file", place) from None


def find_chapters(folder: Path, config: Config) -> tuple[Path, ...]:
    """The chapters' files in reading order; sub-folders, hidden files and README.md are none.

    Raises ManuscriptError when there are none, or when `[ebook] order` does not fit them.
    """
    home = folder / config.ebook.chapters
    source = _name_source(home, folder)
    try:
        paths = [path for path in home.iterdir() if _is_chapter(path)]
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise ManuscriptError(
            f"cannot be opened: {reason}; put the chapters there, or name their folder as [ebook] chapters",
            Place(source),
        ) from None
    if not paths:
        raise ManuscriptError(
            "holds no chapters; write the first one in a file such as 01-introduction.md", Place(source)
        )
    paths.sort(key=_natural_order)
    return _apply_order(paths, config.ebook.order) if config.ebook.order else tuple(paths)


def _is_chapter(path: Path) -> bool:
    return path.suffix.lower() == ".md" and not path.name.startswith(".") and path.stem.lower() != "readme"


def _natural_order(path: Path) -> tuple[list[str | int], str]:
    """Numbers in names count as numbers: 2-a before 10-b."""
    parts = re.split(r"([0-9]+)", unicodedata.normalize("NFC", path.stem).casefold())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], path.name


def _apply_order(paths: Sequence[Path], order: Sequence[str]) -> tuple[Path, ...]:
    """`paths` as `[ebook] order` lists their stems; raises when the two do not match."""
    known = {path.stem: path for path in paths}
    faults = [f"has no chapter {stem!r}; {suggest(stem, known)}" for stem in order if stem not in known]
    faults += [f"names {stem!r} twice; keep one" for stem in dict.fromkeys(order) if order.count(stem) > 1]
    faults += [
        f"lacks the chapter {stem!r}; add it, or move its file away" for stem in known if stem not in order
    ]
    raise_all([ManuscriptError(f"[ebook] order {fault}", Place("book.toml")) for fault in faults])
    return tuple(known[stem] for stem in order)


def _find_clashes(chapters: Sequence[Chapter]) -> Iterator[PipelineError]:
    """Slugs name files and anchors, so each may occur once."""
    first: dict[str, str] = {}
    for chapter in chapters:
        owner = first.setdefault(chapter.slug, chapter.source)
        if owner != chapter.source:
            yield ManuscriptError(
                f"the slug {chapter.slug!r} belongs to {owner}; write another slug: in the header",
                Place(chapter.source, 1),
            )


def read_chapter(path: Path, folder: Path, config: Config) -> Chapter:
    """One file as a Chapter; raises ManuscriptError, or ManyErrors with all there is to mend in it."""
    source = _name_source(path, folder)
    _check_file(path, folder, source)
    yaml_text, text, first_line = split_header(read_source(path, source), source)
    header, faults = _read_header(yaml_text, source)
    language = header.lang or config.book.language
    parsed = markdown.parse(text, source=source, first_line=first_line, language=language)
    errors = [*faults, *_find_unknown_editions(header, config, source), *parsed.errors]
    if parsed.conditional:
        errors += _find_unknown_passages(parsed.nodes, config, source)
    try:
        title = _find_title(header, parsed.nodes, path, source=source, language=language)
    except ManuscriptError as error:
        raise_all([*errors, error])
        raise
    raise_all([*errors, *_find_more_titles(title.body, source)])
    return _make_chapter(header, title, path, source=source, conditional=parsed.conditional)


def _read_header(text: str | None, source: str) -> tuple[Header, tuple[PipelineError, ...]]:
    if text is None:
        return Header(), ()
    from .yaml_header import read_header  # a manuscript without headers needs no YAML

    return read_header(text, source)


def _make_chapter(header: Header, title: _Title, path: Path, *, source: str, conditional: bool) -> Chapter:
    return Chapter(
        slug=header.slug or make_slug(path.stem),
        kind=header.kind,
        title=" ".join(plain(title.nodes).split()),
        body=title.body,
        source=source,
        heading=title.nodes,
        subtitle=header.subtitle,
        lang=header.lang,
        authors=header.authors,
        summary=header.summary,
        tags=header.tags,
        categories=header.categories,
        date=header.date,
        reviewed=header.reviewed,
        editions=header.editions,
        status=header.status,
        title_line=title.line,
        mailing=header.issue,
        conditional=conditional,
    )


def _name_source(path: Path, folder: Path) -> str:
    """`path` as messages show it, bytes that are no text written out."""
    name = path.relative_to(folder).as_posix()
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _check_file(path: Path, folder: Path, source: str) -> None:
    """Raise for what bears a chapter's name but is none."""
    if any("\udc80" <= letter <= "\udcff" for letter in path.name):
        raise ManuscriptError("has a name that is not UTF-8; rename the file", Place(source))
    if path.is_dir():
        raise ManuscriptError(
            "is a folder; a chapter is a file: rename the folder or take it away", Place(source)
        )
    if not Path(realpath(path)).is_relative_to(
        realpath(folder)
    ):  # Path.resolve() raises for a link to itself
        raise ManuscriptError("points outside the book's folder; copy the file here instead", Place(source))
    if path.exists() and not path.is_file():
        raise ManuscriptError("is not a plain file; replace it by a text file", Place(source))


def _find_unknown_editions(header: Header, config: Config, source: str) -> Iterator[PipelineError]:
    known = {"full", *(edition.name for edition in config.edition)}
    for name in header.editions:
        if name not in known:
            place = Place(source, header.lines["editions"])
            yield ManuscriptError(
                f"editions: book.toml has no [[edition]] {name!r}; {suggest(name, known)}", place
            )


def _find_unknown_passages(nodes: Sequence[Node], config: Config, source: str) -> Iterator[PipelineError]:
    """`::: only edition=` with a name that no edition has."""
    known = {"full", *(edition.name for edition in config.edition)}
    for node in (
        node for block in nodes for node in block.walk() if node.attrs.get("name") in {"only", "except"}
    ):
        for name in node.attrs.get("edition", "").split(","):
            if name and name not in known:
                message = f"edition={name}: book.toml has no [[edition]] of that name; {suggest(name, known)}"
                yield ManuscriptError(message, Place(source, node.line), rule="M003")


def _find_title(header: Header, nodes: tuple[Node, ...], path: Path, *, source: str, language: str) -> _Title:
    """The header's title, else the first `# heading`, else the file's name where that may do."""
    heading = next((node for node in nodes if _is_title(node)), None)
    rest = tuple(node for node in nodes if node is not heading)
    if header.title:
        line = header.lines["title"]
        title = markdown.parse_inline(header.title, source=source, line=line, language=language)
        same = heading is not None and plain(heading.children).split() == plain(title).split()
        return _Title(title, line, rest if same else nodes)
    if heading is not None and plain(heading.children).strip():
        return _Title(heading.children, heading.line, rest)
    if header.kind in _TITLED:
        raise ManuscriptError(
            "has no title; begin the text with a line such as # The title, or write title: in the header",
            Place(source, heading.line if heading else 1),
        )
    return _Title((Node("text", text=humanise(_PREFIX.sub("", path.stem, count=1))),), 0, rest)


def _is_title(node: Node) -> bool:
    return node.kind == "heading" and node.attrs.get("level") == "1"


def _find_more_titles(body: tuple[Node, ...], source: str) -> Iterator[PipelineError]:
    for node in (node for block in body for node in block.walk() if _is_title(node)):
        yield ManuscriptError(
            f"a second title: {plain(node.children)!r}; a chapter has one, so write ## for a section",
            Place(source, node.line),
        )


def make_slug(stem: str) -> str:
    """The slug of a file: its stem without the number, in ASCII; a stem without ASCII keeps its number."""
    name = _PREFIX.sub("", stem, count=1)
    folded = (
        unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS)).encode("ascii", "ignore").decode()
    )
    slug = "-".join(re.findall(r"[a-z0-9]+", folded))
    number = re.match(r"[0-9]*", stem)
    if slug[:1].isdigit():  # it becomes an XML id, which begins with a letter
        return f"chapter-{slug}"
    return slug or f"chapter-{(number and number[0]) or sha256(name.encode()).hexdigest()[:8]}"
