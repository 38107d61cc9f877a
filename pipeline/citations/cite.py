"""Read citations, and print them and the list of references in a CSL style."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citeproc import CitationStylesStyle

from ..errors import ConfigError, Place
from ..model import Node
from .csl import Press, imply_year_suffix, mark_label
from .references import KEY, Library, keys, nearest, read_bibliography

__all__ = [
    "CiteItem", "Library", "Reference", "cite", "keys", "nearest", "parse_citation", "read_bibliography",
]  # fmt: skip

STYLES = {name: Path(__file__).parent / "styles" / f"{name}.csl" for name in ("author-date", "numeric")}

#: What authors write -> the CSL term.
LABELS = {
    "p": "page", "pp": "page", "ch": "chapter", "sec": "section", "fig": "figure", "vol": "volume",
}  # fmt: skip

_NUMBER = r"(?:[A-Za-z]?\d(?:[\w.]*\w)?|[ivxlcdm]+\b)"
_NUMBERS = rf"{_NUMBER}(?:\s*(?:-{{1,3}}|[–—,&])\s*{_NUMBER})*"
_ITEM = re.compile(rf"(?P<prefix>(?:.*?\s)?)(?P<silent>-?)@(?P<key>{KEY})(?P<rest>.*)", re.DOTALL)
_LABEL = "|".join(LABELS)
_LABELLED = re.compile(rf",?\s*(?P<label>{_LABEL})\.\s*(?P<locator>{_NUMBERS})(?P<suffix>.*)", re.DOTALL)
_PAGES = re.compile(r",\s*(?P<locator>\d+(?:\s*(?:-{1,3}|–)\s*\d+)?)(?P<suffix>\s*(?:,.*)?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CiteItem:
    """One work named in a bracket; `locator_label` is a CSL term such as "page"."""

    key: str
    prefix: str = ""
    locator_label: str = ""
    locator: str = ""
    suffix: str = ""
    suppress_author: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the list; `label` stands before it in numeric styles ("[1]"), else it is empty."""

    key: str
    label: str
    body: tuple[Node, ...]


def parse_citation(text: str) -> tuple[CiteItem, ...] | None:
    """The works that the inside of `[...]` cites; None where it is no citation.

    `see @a, p. 3; -@b` names two works, the second without its author.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    items = [_parse_item(match) for part in parts if (match := _ITEM.fullmatch(part))]
    return tuple(items) if items and len(items) == len(parts) else None


def _parse_item(match: re.Match[str]) -> CiteItem:
    rest = match["rest"]
    located = _LABELLED.fullmatch(rest) or _PAGES.fullmatch(rest)
    found = {"label": "p", **located.groupdict()} if located else {}
    return CiteItem(
        match["key"],
        prefix=match["prefix"].strip(),
        locator_label=LABELS[found["label"]] if found else "",
        locator=re.sub(r"-+", "–", found.get("locator", "")),
        suffix=found.get("suffix", rest).rstrip(),
        suppress_author=bool(match["silent"]),
    )


def cite(
    library: Library, style: str | Path, clusters: Sequence[Sequence[CiteItem]], *, locale: str = "en-US"
) -> tuple[tuple[tuple[Node, ...], ...], tuple[Reference, ...]]:
    """What each citation of a book prints, in the book's order, and the list of the works cited.

    `style` is "author-date", "numeric" or the path of a .csl file; `locale` is BCP 47, English when unknown.
    Raises ConfigError where the style cannot be used, KeyError for a key the library does not hold.
    """
    cited = dict.fromkeys(item.key for cluster in clusters for item in cluster)
    records = {key: library.records[key] for key in cited}
    with _blaming(style):
        press = Press(_load_style(style, locale), records)
        printed = tuple(press.print_citation(cluster) for cluster in clusters)
        return printed, tuple(Reference(*entry) for entry in press.print_list())


@contextmanager
def _blaming(style: str | Path) -> Iterator[None]:
    """Citeproc fails in many ways at a style it does not expect; name the style."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        if str(style) in STYLES:
            raise
        raise ConfigError(f"this citation style cannot be used: {error!r}", Place(str(style))) from error


def _load_style(style: str | Path, locale: str) -> Any:
    path = STYLES.get(str(style), Path(style))
    if path.suffix != ".csl":
        raise ConfigError(f'unknown citation style "{style}"; use {", ".join(STYLES)} or a .csl file')
    if not path.is_file():
        raise ConfigError("there is no such citation style", Place(str(style)))
    try:
        loaded = CitationStylesStyle(str(path), locale=_choose_locale(locale), validate=False)
    except SyntaxError as error:
        raise ConfigError(f"this is not XML: {error.msg}", Place(str(style), error.lineno or 0)) from None
    parts = (getattr(loaded.root, name) for name in ("citation", "bibliography"))
    if any(part is None or part.layout is None for part in parts):
        message = "this style lays out no citation or no list; take the one it depends on"
        raise ConfigError(message, Place(str(style)))
    return mark_label(imply_year_suffix(loaded))


def _choose_locale(locale: str) -> str:
    """`de-DE` for `de_de`, `de` for `de-Latn`, American English for what is no language."""
    match = re.match(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?(?![A-Za-z])", locale)
    if not match:
        return "en-US"
    return f"{match[1].lower()}-{match[2].upper()}" if match[2] else match[1].lower()
