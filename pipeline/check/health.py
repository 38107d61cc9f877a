"""The health profile: claims and figures need a source that somebody checked, and some things are never said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from ..citations.cite import parse_citation
from ..errors import Place
from ..model import Chapter, Node, plain
from .galley import Galley, Rule, Spot
from .languages import Health, compile_any, read_language
from .references import list_cited
from .sentences import Sentence
from .slips import show

CHECKED = "checked"  # keyword of a work that somebody has looked up
OBSERVED = "observational"  # keyword of a work that saw a link and no cause

_PROFILE = "health"
_ASKING = frozenset({"ask"})  # boxes that ask and claim nothing
_NEEDED = ("safety", "ask")


@cache
def _compile(code: str) -> Mapping[str, re.Pattern[str]]:
    """What finds claims, cares, causes, herbs and figures in a language."""
    health = read_language(code).health
    patterns = {name: compile_any(getattr(health, name)) for name in ("claims", "careful", "causes", "herbs")}
    counted = "|".join(health.measures).replace(" ", r"\s+") or "(?!)"
    figure = rf"(?<![\w.,])\d[\d.,]*[\s\u202f]*(?:{counted})(?!\w)"
    return {**patterns, "figures": re.compile(figure, re.IGNORECASE)}


def _list_claims(galley: Galley) -> Iterator[tuple[Sentence, Mapping[str, re.Pattern[str]]]]:
    """Every sentence that says something of the world, with its language's patterns."""
    for chapter in galley.chapters:
        asked = {id(node) for box in _list_boxes(chapter, _ASKING) for node in box.walk()}
        patterns = _compile(chapter.lang or galley.book.language)
        for sentence in galley.sentences_of(chapter):
            if id(sentence.block) not in asked and not sentence.text.endswith("?"):
                yield sentence, patterns


def _list_boxes(chapter: Chapter, names: frozenset[str]) -> Iterator[Node]:
    return (node for node in chapter.walk() if node.kind == "div" and node.attrs["name"] in names)


def list_sources(sentence: Sentence) -> tuple[str, ...]:
    """The keys of the works that a sentence cites, itself or in its notes."""
    cited = (node for mark in sentence.marks for node in mark.walk() if node.kind == "citation")
    return tuple(item.key for node in cited for item in parse_citation(node.text) or ())


def find_bare_claims(galley: Galley) -> Iterator[Spot]:
    for sentence, patterns in _list_claims(galley):
        found = patterns["claims"].search(sentence.text)
        if found and not list_sources(sentence) and not patterns["careful"].search(sentence.around):
            message = f"'{found[0]}' in '{show(sentence.text)}' claims an effect and cites nothing"
            yield Spot(sentence.place, f"{message}; cite who showed it, or say it more carefully")


def find_bare_figures(galley: Galley) -> Iterator[Spot]:
    for sentence, patterns in _list_claims(galley):
        found = patterns["figures"].search(sentence.text)
        if found and not list_sources(sentence):
            yield Spot(sentence.place, f"'{found[0]}' is a figure without a source; cite who counted")


def find_unchecked_sources(galley: Galley) -> Iterator[Spot]:
    seen: set[str] = set()
    for key, _, place in list_cited(galley):
        if key not in seen and CHECKED not in galley.works.keywords.get(key, ()):
            seen.add(key)
            message = f"'{key}' is not marked as checked; look it up, and add the keyword {CHECKED} to it"
            yield Spot(place, message)


def find_promises(galley: Galley) -> Iterator[Spot]:
    yield from _find_phrases(galley, "promises", "'{}' promises too much; write {}")


def find_blame(galley: Galley) -> Iterator[Spot]:
    yield from _find_phrases(galley, "blame", "'{}' lays the illness at somebody's door; write {}")


def _find_phrases(galley: Galley, table: str, message: str) -> Iterator[Spot]:
    """Phrases that are never printed, but for sentences that warn of them."""
    for sentence in galley.sentences:
        language = galley.language(sentence.chapter.lang)
        careful = _compile(language.code)["careful"].search(sentence.around)
        phrases: Mapping[str, str] = getattr(language.health, table)
        for wrong, right in phrases.items() if not careful else ():
            if found := compile_any((wrong,)).search(sentence.text):
                yield Spot(sentence.place, message.format(show(found[0]), right))


def find_false_causes(galley: Galley) -> Iterator[Spot]:
    """A study that saw a link is worded as a link."""
    for sentence, patterns in _list_claims(galley):
        sources = list_sources(sentence)
        observed = all(OBSERVED in galley.works.keywords.get(key, ()) for key in sources)
        found = patterns["causes"].search(sentence.text)
        if sources and observed and found and not patterns["careful"].search(sentence.around):
            message = f"'{found[0]}' says cause, and {sources[0]} saw a link"
            yield Spot(sentence.place, f"{message}; write 'was linked with', or the like")


def find_no_disclaimer(galley: Galley) -> Iterator[Spot]:
    if not galley.book.meta.disclaimer.strip():
        yield Spot(Place("book.toml"), "[book] disclaimer is empty; say that the book is no medical advice")


def find_letters_without_disclaimer(galley: Galley) -> Iterator[Spot]:
    """The disclaimer's first sentence, or its second, stands in the letter."""
    wanted = [
        part.strip()
        for part in re.split(r"(?<=[.!?])\s+", galley.book.meta.disclaimer.strip())
        if part.strip()
    ]
    for source, parts in galley.letters.items():
        for said in (" ".join(part.split()) for part in parts):
            if wanted and not any(sentence in said for sentence in wanted[:2]):
                message = f"the letter lacks the disclaimer; its foot has to say '{show(wanted[0])}'"
                yield Spot(Place(source), message)


def find_pages_without_disclaimer(galley: Galley) -> Iterator[Spot]:
    """Letter by letter, for lines are broken with hyphens."""
    wanted = _letters(galley.book.meta.disclaimer)
    said = _letters("".join(line.text for leaf in galley.leaves for line in leaf.lines))
    if wanted and wanted not in said:
        message = "the disclaimer is on no page of the PDF; let the layout's copyright page print it"
        yield Spot(Place("book.toml"), message)


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text)


def find_undated_chapters(galley: Galley) -> Iterator[Spot]:
    """A chapter that rests on sources says when somebody last went through them."""
    for chapter in galley.chapters:
        if not chapter.reviewed and any(node.kind == "citation" for node in chapter.walk()):
            yield Spot(
                Place(chapter.source),
                "the chapter cites sources and has no date; write reviewed: and the day",
            )


def find_missing_boxes(galley: Galley) -> Iterator[Spot]:
    for chapter in galley.chapters:
        if chapter.kind == "chapter" and any(node.kind == "citation" for node in chapter.walk()):
            there = {node.attrs["name"] for node in chapter.walk() if node.kind == "div"}
            for name in _NEEDED:
                if name not in there:
                    yield Spot(Place(chapter.source), f"the chapter has no box '::: {name}'; write one")


# -- herbs


def _list_herbs(galley: Galley) -> Iterator[tuple[str, Place]]:
    """Each herb that is named, once, where it is named first."""
    seen: set[str] = set()
    for sentence in galley.sentences:
        for found in _compile(sentence.chapter.lang or galley.book.language)["herbs"].finditer(sentence.text):
            name = found[0].casefold().replace("’", "'")
            if name not in seen:
                seen.add(name)
                yield found[0], sentence.place


def _read_interactions(galley: Galley) -> str | None:
    """The words of all tables on interactions; None where there is none."""
    tables = [node for node, _ in galley.find("table") if _is_on_interactions(node, galley.language().health)]
    cells = [plain(node.children) for table in tables for node in table.walk() if node.kind == "cell"]
    return "\n".join(cells).casefold().replace("’", "'") if tables else None


def _is_on_interactions(table: Node, health: Health) -> bool:
    said = " ".join([table.id, *(plain(node.children) for node in table.children if node.kind == "caption")])
    return any(word in said.casefold() for word in health.interactions)


def find_no_interactions(galley: Galley) -> Iterator[Spot]:
    if _read_interactions(galley) is None:
        for name, place in _list_herbs(galley):
            message = (
                f"'{name}' is named, and no table says what it does to medicines; add one on interactions"
            )
            yield Spot(place, message)
            break


def find_herbs_without_row(galley: Galley) -> Iterator[Spot]:
    said = _read_interactions(galley)
    if said is not None:
        for name, place in _list_herbs(galley):
            if name.casefold().replace("’", "'") not in said:
                message = f"'{name}' is in no row of the table on interactions; add what is known, or that nothing is"
                yield Spot(place, message)


#: H001 to H029; asked where book.toml says profile = "health".
HEALTH: Mapping[str, Rule] = {
    "H001": Rule("error", "a sentence that claims an effect and cites nothing: *eases*, *prevents*",
                 "cite who showed it, or say it more carefully", find_bare_claims, profile=_PROFILE),
    "H002": Rule("warning", "a figure without a source", "cite who counted", find_bare_figures, profile=_PROFILE),
    "H003": Rule("error", "a cited work that is not marked as checked",
                 "look it up, and add `checked` to its keywords", find_unchecked_sources, profile=_PROFILE),
    "H004": Rule("error", "a promise: *live longer*, *boosts the immune system*, *detox*", "say what was shown",
                 find_promises, profile=_PROFILE),
    "H005": Rule("error", "a book without a disclaimer", "write one into `[book] disclaimer`", find_no_disclaimer,
                 profile=_PROFILE),
    "H006": Rule("error", "a letter without the disclaimer", "let its foot say the first sentence or the second",
                 find_letters_without_disclaimer, "letters", profile=_PROFILE),
    "H013": Rule(
        "error", "a book whose pages do not hold the disclaimer", "let the layout's copyright page print it",
        find_pages_without_disclaimer, "pages", profile=_PROFILE,
    ),
    "H007": Rule("warning", "a chapter with sources that does not say when it was reviewed", "write `reviewed:`",
                 find_undated_chapters, profile=_PROFILE),
    "H008": Rule("warning", "words that blame who is ill: *lost the battle*", "say what happened", find_blame,
                 profile=_PROFILE),
    "H009": Rule("warning", "cause said of a study that saw a link (keyword `observational`)",
                 "write *was linked with*", find_false_causes, profile=_PROFILE),
    "H010": Rule("warning", "a chapter with sources that lacks a box `::: safety` or `::: ask`", "write it",
                 find_missing_boxes, profile=_PROFILE),
    "H011": Rule("error", "herbs are named, and there is no table on interactions", "add one", find_no_interactions,
                 profile=_PROFILE),
    "H012": Rule("advice", "a herb that is in no row of the table on interactions", "add what is known",
                 find_herbs_without_row, profile=_PROFILE),
}  # fmt: skip
