"""Drive citeproc, and turn what it prints into nodes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import quote

from citeproc import Citation, CitationItem, CitationStylesBibliography, Locator
from citeproc.formatter import plain
from citeproc.source.json import CiteProcJSON

from ..model import EMPTY, Node
from .bibtex import OTHERS

# citeproc prints strings; these private characters stand in them for what becomes nodes.
_OPEN = {
    "emphasis": "\ue000", "strong": "\ue001", "sup": "\ue002", "sub": "\ue003", "smallcaps": "\ue004",
    "link": "\ue005",
}  # fmt: skip
_CLOSE = "\ue006"
_MARK = "[\ue000-\ue006]"
_LABEL_END, _OTHERS, _SILENT = "\ue007", "\ue008", "\ue009"
_RESERVED = re.compile("[\ue000-\ue009]")
_CSL = "{http://purl.org/net/xbiblio/csl}"
_KINDS = {mark: kind for kind, mark in _OPEN.items()}
_TAGS = {"i": "emphasis", "b": "strong", "sup": "sup", "sub": "sub"}

#: Letters without a decomposition, for sorting.
_PLAIN = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae"})


class Cited(Protocol):
    """One work named in a bracket."""

    @property
    def key(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def locator_label(self) -> str: ...
    @property
    def locator(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def suppress_author(self) -> bool: ...


class _Item(CitationItem):  # type: ignore[misc]
    """A citation that may speak for another wording of its reference."""

    @property
    def reference(self) -> Any:
        return self.get("wording") or super().reference


class Press:
    """One book's citations in one style: citeproc, and what it leaves out.

    citeproc-py 0.11 knows no year suffixes and no citation without its author, lower-cases
    keys (so here they are numbers), and prints the works of a bracket in the list's order.
    """

    def __init__(self, style: Any, records: Mapping[str, Mapping[str, Any]]) -> None:
        self.style = style
        self.records = records
        self.names = {key: str(number) for number, key in enumerate(records)}
        self.keys = tuple(records)
        self.full = _read_records(records.values())
        nobody = {"author": [{"literal": _SILENT}]}
        self.silent = _read_records({**record, **nobody} for record in records.values())
        self.citation = style.root.citation
        self.citation.cites = []
        self.layout = self.citation.layout
        self.printed: dict[Any, str] = {}
        self.repeats = not style.root.xpath_search("//*[@position]")
        self.list = CitationStylesBibliography(style, self.full, _FORMATTER)
        self.list.register(Citation([_Item(name) for name in self.names.values()]))
        self._sort()
        self._tell_years_apart()
        self.et_al = _match_others(style)

    def _sort(self) -> None:
        """Sort the list by letters alone: no accents, no marks."""
        folded = _read_records(_map_text(_fold, record) for record in self.records.values())
        for item in self.list.items:
            item["wording"] = folded[item.key]
        self.style.root.formatter = plain
        self.list.sort()
        self.style.root.formatter = _FORMATTER
        for item in self.list.items:
            del item["wording"]

    def _tell_years_apart(self) -> None:
        """Smith 2019a, Smith 2019b: letters for works that would be cited alike, in the list's order."""
        if self.citation.get("disambiguate-add-year-suffix") != "true":
            return
        alike: dict[str, list[str]] = {}
        for item in self.list.items:
            alike.setdefault(self._lay_out(item), []).append(item.key)
        for names in alike.values():
            for name, letter in zip(names, _count_letters(), strict=False) if len(names) > 1 else ():
                self.full[name]["year_suffix"] = self.silent[name]["year_suffix"] = letter

    def _lay_out(self, item: Any) -> str:
        self.layout.repressed = {}
        return str(self.layout.render_children(item) or "")

    def _print_item(self, item: Any, cited: Cited) -> str:
        """What `item` prints; kept, because citeproc takes milliseconds, unless the style says "ibid."."""
        same = (cited.key, cited.locator_label, cited.locator, cited.suppress_author)
        if not self.repeats or same not in self.printed:
            self.printed[same] = self._lay_out(item)
        self.citation.cites.append(item)
        return self.printed[same]

    def print_citation(self, cited: Sequence[Cited]) -> tuple[Node, ...]:
        """The bracket as inline nodes, each work a link to its entry."""
        items = [self._make_item(one) for one in cited]
        self.list.register(Citation(items))
        # "see" makes sense only where its author wrote it.
        if self.citation.sort is not None and not any(item["prefix"] or item["suffix"] for item in items):
            items = self.citation.sort.sort(items, self.layout)
        parts = [
            f"{item.prefix}{_OPEN['link']}{self._print_item(item, item.cited)}{_CLOSE}{item.suffix}"
            for item in items
        ]
        marked = self.layout.format(self.layout.wrap(self.layout.join(parts)))
        links = [{"href": f"#ref-{self.keys[int(item.key)]}", "role": "biblioref"} for item in items]
        return _make_nodes(self._tidy(marked), links)

    def _make_item(self, cited: Cited) -> Any:
        name = self.names[cited.key]
        prefix, locator, suffix = (
            _RESERVED.sub("", text) for text in (cited.prefix, cited.locator, cited.suffix)
        )
        item = _Item(name, prefix=f"{prefix} " if prefix else "", suffix=suffix)
        item["cited"] = cited
        if locator:
            item["locator"] = Locator(cited.locator_label, locator)
        if cited.suppress_author:
            item["wording"] = self.silent[name]
        return item

    def print_list(self) -> Iterator[tuple[str, str, tuple[Node, ...]]]:
        """Key, label and inline nodes of each entry, sorted as the style wants."""
        layout = self.style.root.bibliography.layout
        for item in self.list.items:
            key = self.keys[int(item.key)]
            printed = "".join(map(str, layout.render_bibliography([item])))
            label, _, body = printed.rpartition(_LABEL_END)
            body, links = _link_addresses(body, self.records[key])
            yield key, re.sub(_MARK, "", label).strip(), _make_nodes(self._tidy(body), links)

    def _tidy(self, marked: object) -> str:
        text = re.sub(rf"{_SILENT}({_MARK}*)[,.:;]?\s*", r"\1", str(marked))
        text = self.et_al(text)
        text = re.sub(rf"([?!…])({_MARK}*)\.(?![\w.])", r"\1\2", text)  # "Why?." is "Why?"
        return re.sub(rf"\.({_MARK}+)\.", r".\1", text).strip()


def mark_label(style: Any) -> Any:
    """Let `style` print a mark where the label of an entry ends."""
    bibliography = style.root.bibliography
    first = bibliography.layout[0]
    if bibliography.get("second-field-align") or first.get("variable") == "citation-number":
        first.set("suffix", first.get("suffix", "") + _LABEL_END)
    return style


def imply_year_suffix(style: Any) -> Any:
    """Print year suffixes after the date where `style` gives them no place (CSL 1.0.2, Disambiguation)."""
    if style.root.xpath_search("//cs:text[@variable='year-suffix']"):
        return style
    for date in style.root.xpath_search("//cs:date[@variable='issued']"):
        group, letter = (style.parser.makeelement(f"{_CSL}{tag}") for tag in ("group", "text"))
        date.getparent().replace(date, group)
        letter.set("variable", "year-suffix")
        group.extend((date, letter))
        for affix in ("prefix", "suffix"):
            group.set(affix, date.attrib.pop(affix, ""))
    return style


def _wrap(kind: str) -> Callable[[object], str]:
    return lambda text: f"{_OPEN[kind]}{text}{_CLOSE}"


_FORMATTER = SimpleNamespace(
    preformat=str,
    Italic=_wrap("emphasis"), Oblique=_wrap("emphasis"), Bold=_wrap("strong"), Light=str, Underline=str,
    Superscript=_wrap("sup"), Subscript=_wrap("sub"), SmallCaps=_wrap("smallcaps"),
)  # fmt: skip


def _read_records(records: Iterable[Mapping[str, Any]]) -> Any:
    return CiteProcJSON(
        [{**_map_text(_mark_up, record), "id": number} for number, record in enumerate(records)]
    )


def _map_text(change: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _map_text(change, part) for name, part in value.items()}
    return [_map_text(change, part) for part in value] if isinstance(value, list) else value


def _mark_up(text: str) -> str:
    """CSL-JSON's few tags as marks."""
    if text == OTHERS:
        return _OTHERS
    for tag, kind in _TAGS.items():
        text = re.sub(rf"<{tag}>(.*?)</{tag}>", rf"{_OPEN[kind]}\1{_CLOSE}", text)
    return text


def _fold(text: str) -> str:
    """`text` as it sorts: Ångström among the A's."""
    letters = unicodedata.normalize("NFKD", re.sub(r"</?\w+>", "", text).translate(_PLAIN))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _match_others(style: Any) -> Callable[[str], str]:
    """What turns ", and others" into "et al." of the style's language."""
    et_al, and_ = (str(style.root.get_single_term(name)) for name in ("et-al", "and"))
    pattern = re.compile(rf"(,?)\s*(?:(?:{re.escape(and_)}|&)\s+)?{_OTHERS}(\.?)")
    dot = "" if et_al.endswith(".") else r"\2"
    return lambda text: pattern.sub(rf"\1 {et_al}{dot}", text)


def _count_letters() -> Iterator[str]:
    for number in count():
        yield ("" if number < 26 else chr(96 + number // 26)) + chr(97 + number % 26)


def _link_addresses(marked: str, record: Mapping[str, Any]) -> tuple[str, list[dict[str, str]]]:
    """Put marks round the DOI and the URL of `record` where they are printed, and the links they become."""
    targets: dict[str, str] = {}
    if doi := record.get("DOI"):
        href = f"https://doi.org/{quote(doi, safe='/:;().-_')}"
        targets |= {f"https://doi.org/{doi}": href, doi: href}
    if url := record.get("URL"):
        targets[url] = url
    if not targets:
        return marked, []
    links = []

    def mark(match: re.Match[str]) -> str:
        links.append({"href": targets[match[0]]})
        return f"{_OPEN['link']}{match[0]}{_CLOSE}"

    return re.sub("|".join(map(re.escape, sorted(targets, key=len, reverse=True))), mark, marked), links


def _make_nodes(marked: str, links: Iterable[Mapping[str, str]]) -> tuple[Node, ...]:
    """The nodes that marks stand for; each link takes the next of `links`."""
    targets = iter(links)
    stack: list[tuple[str, Mapping[str, str], list[Node]]] = [("", EMPTY, [])]
    for piece in re.split(f"({_MARK})", marked):
        if kind := _KINDS.get(piece):
            stack.append((kind, next(targets) if kind == "link" else EMPTY, []))
        elif piece == _CLOSE:
            kind, attrs, children = stack.pop()
            stack[-1][2].extend(_make_node(kind, attrs, tuple(children)))
        elif piece:
            stack[-1][2].append(Node("text", text=piece))
    return tuple(stack[0][2])


def _make_node(kind: str, attrs: Mapping[str, str], children: tuple[Node, ...]) -> Iterator[Node]:
    if kind == "smallcaps":
        kind, attrs = "span", {"class": "smallcaps"}
    if children:
        yield Node(kind, children, attrs=attrs)
