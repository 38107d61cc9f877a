"""Rules on the text part: a letter one can read in a terminal, saying what the HTML says."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from .letter import Mail, Spot
from .page import Element, spell, squeeze

_ADDRESS = re.compile(r"https?://\S+|@@[a-z_]+_url@@")
_NO_WORDS = re.compile(r"(?:https?://|mailto:)\S+|\S+@\S+\.\w+|@@[a-z_]+@@")
_EMPHASIS = re.compile(r"(?<![\w*_])(\*{1,2}|_{1,2})(?=[^\s*_])[^*_\n]*[^\s*_]\1(?![\w*_])")
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_MOST_MISSING = 0.05  # of the words of one part in the other
_FEW_WORDS = 10  # such as a date
_SENTENCE = 6  # words; fewer before an address are its label
_LONG_LINE = 90  # characters that nobody would set in one line of a terminal


def find_lost_addresses(mail: Mail) -> Iterator[Spot]:
    """Every address and picture of the HTML, in its order, below the title (rule M40)."""
    title = next((node.text_content() for node in mail.find("h1")), mail.subject)
    first = mail.text.lstrip("\n").partition("\n")[0]
    if squeeze(first).casefold() != squeeze(title).casefold():
        yield mail.in_text(0), "the text part does not begin with the title"
    said, start = squeeze(mail.text), 0
    for node, wanted in _list_wanted(mail):
        found = said.find(wanted, start)
        if wanted not in said:
            place = mail.trace(wanted, mail.in_page(node))
            yield place, f"'{wanted}' is missing from the text part; make both parts from one chapter"
        elif found < 0:
            place = mail.in_text(mail.text.find(wanted))
            yield place, f"'{wanted}' comes later in the HTML; keep its order"
        start = max(found, start)


def _list_wanted(mail: Mail) -> Iterator[tuple[Element, str]]:
    """Alternative texts and addresses; in a linked picture the words come first."""
    linked = {image for link in mail.find("a") for image in link.iter("img")}
    for node in mail.find("a", "img"):
        if mail.light[node].shown and node not in linked:
            alts = [image.get("alt", "") for image in node.iter("img")]
            for wanted in (*alts, node.get("href", "").removeprefix("mailto:")):
                if wanted.strip():
                    yield node, squeeze(wanted)


def find_markdown(mail: Mail) -> Iterator[Spot]:
    for found in _SIGNATURE.finditer(mail.text):
        yield mail.in_text(found.start()), "a line of two hyphens: programs fold what follows; write three"
    for number, line in enumerate(mail.prose.split("\n")):
        for found in _EMPHASIS.finditer(_NO_WORDS.sub("", line)):
            place = mail.in_line(number + 1)
            yield place, f"'{found[0]}' has marks of emphasis, which are only signs in a text; take them out"
    above = mail.text.count("\n") - mail.text_foot.count("\n")
    for number, line in enumerate(mail.text_foot.split("\n")):
        if _ADDRESS.search(line) and not _ADDRESS.fullmatch(line.strip()):
            place = mail.in_line(above + number + 1)
            yield place, f"'{line.strip()}' holds an address and more; give the address a line of its own"


def find_late_beginning(mail: Mail) -> Iterator[Spot]:
    """After the title comes a sentence, never an address (text rule P1)."""
    lines = [(number, line) for number, line in enumerate(mail.text.split("\n"), 1) if re.search(r"\w", line)]
    for number, line in lines[1:2]:
        said = _ADDRESS.sub("", line)
        if said != line and ("@@browser_url@@" in line or len(said.split()) < _SENTENCE):
            yield mail.in_line(number), "the text part begins with an address; begin with a sentence"


def find_no_foot_rule(mail: Mail) -> Iterator[Spot]:
    if not mail.text_foot:
        yield mail.in_text(len(mail.text)), "nothing parts the text's foot from it; put a line of --- there"


def find_broken_lines(mail: Mail) -> Iterator[Spot]:
    """One line a paragraph: a phone breaks it better (text rule P5)."""
    whole, lines = squeeze(mail.text), [squeeze(line) for line in mail.text.split("\n")]
    for node in mail.find("p"):
        words = squeeze(node.text_content())
        unbroken = len(words) > _LONG_LINE and words in whole and node.find(".//br") is None
        if unbroken and not any(words in line for line in lines):
            number = _count_to(lines, whole.find(words))
            yield mail.in_line(number), f"'{lines[number - 1]}' breaks off; write the paragraph in one line"


def _count_to(lines: Sequence[str], position: int) -> int:
    """The number of the line that holds the sign at `position` of the lines joined with spaces."""
    for number, line in enumerate(lines, 1):
        position -= len(line) + 1 if line else 0
        if position < 0:
            return number
    return len(lines)


def find_other_words(mail: Mail) -> Iterator[Spot]:
    """Both parts say the same (law rule L2, text rule P2)."""
    markup, text = Counter(_cut(_say_page(mail))), Counter(_cut(mail.text))
    for one, other, names in ((markup, text, ("HTML", "text part")), (text, markup, ("text part", "HTML"))):
        missing = one - other
        if missing.total() > max(_FEW_WORDS, _MOST_MISSING * one.total()):
            some = ", ".join(f"'{word}'" for word in sorted(missing, key=len)[-5:])
            message = f"{missing.total()} words of the {names[0]} are not in the {names[1]}, such as {some}"
            yield mail.in_text(0), f"{message}; make both from one chapter"


def _cut(said: str) -> list[str]:
    text = unicodedata.normalize("NFKC", _NO_WORDS.sub(" ", said)).casefold()
    return re.findall(r"[^\W_]+", text)


def _say_page(mail: Mail) -> str:
    """What the body shows; pictures by their alternative text."""
    bare = {below for node in mail.find("a") if _is_bare(node) for below in node.iter()}
    return spell(mail.body, silent={*bare, *(node for node, look in mail.light.items() if not look.shown)})


def _is_bare(node: Element) -> bool:
    """An address that is its own label: the text part has it as an address, so it counts in neither."""
    return str(node.get("href")).endswith(node.text_content())
