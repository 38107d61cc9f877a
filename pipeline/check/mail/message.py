"""Rules on what a letter says of itself: subject, gaps, the foot that law asks for, tone and claims."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from ...errors import Place
from ..words import CAREFUL, CLAIMS, PRESSING, compile_words
from .letter import HTML, TEXT, Mail, Spot
from .page import CODE, HEADINGS, Element, list_elements, list_pieces, spell

_LONGEST_SUBJECT = 60  # characters
_SHOUTED_WORD = 4  # letters; shorter ones in capitals are abbreviations
_REPLY = re.compile(r"(?:re|fwd?|aw|wg|tr|rv|rif|antw)\s*:", re.IGNORECASE)
_GAP = re.compile(r"@@(?:([\w.-]*)@@)?|\[\[[^\[\]]*\]\]|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_SPOKEN = ("alt", "aria-label", "content", "href", "src", "title")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_ODD_REFERENCE = re.compile(r"&#(?:0*(?:12[7-9]|1[34]\d|15\d)|x0*(?:7f|[89][0-9a-f]));", re.IGNORECASE)
_FEWEST_SHOUTED = 3  # words in a row; one alone may be a name
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def find_poor_subject(mail: Mail) -> Iterator[Spot]:
    """What a reader would frown at in the list of letters (rule M37)."""
    for subject in map(str.strip, mail.subjects):
        faults = (
            (not subject, "the letter has no subject; write one into subject:"),
            (
                len(subject) > _LONGEST_SUBJECT,
                f"the subject has over {_LONGEST_SUBJECT} characters; shorten it",
            ),
            (subject.endswith("…"), "the title is cut to make a subject; write a short one into subject:"),
            (_shouts(subject), "the subject is in capitals, which looks like shouting; use small letters"),
            ("!!" in subject, "the subject has several exclamation marks; one will do, and none is better"),
        )
        yield from ((mail.in_source(), message) for holds, message in faults if holds)


def _shouts(text: str) -> bool:
    return text.isupper() and any(len(word) >= _SHOUTED_WORD for word in re.findall(r"[^\W\d_]+", text))


def find_false_replies(mail: Mail) -> Iterator[Spot]:
    for subject in mail.subjects:
        if found := _REPLY.match(subject.strip()):
            yield mail.in_source(), f"the subject begins with '{found[0]}' and answers nobody; take it out"


def find_gaps(mail: Mail) -> Iterator[Spot]:
    """Signs of a gap that nothing will fill (rule M39)."""
    gaps: dict[str, Place] = {}
    for text, place in _list_spoken(mail):
        for found in _GAP.finditer(text):
            if found[1] not in mail.document["fields"]:
                gaps.setdefault(found[0], place)
    for gap, place in gaps.items():
        message = f"'{gap}' would be sent as it stands; correct the name of the field, or take it out"
        yield mail.trace(gap, place), message


def _list_spoken(mail: Mail) -> Iterator[tuple[str, Place]]:
    """All that a letter says, without code."""
    yield from ((text, mail.in_source()) for text in (*mail.subjects, mail.preheader))
    codes = {node for code in mail.find(*CODE) for node in code.iter()}
    for node, text in list_pieces(mail.page):
        if node not in codes and node.tag != "style":
            yield text, mail.in_page(node)
    for node in mail.elements:
        yield from ((node.get(name), mail.in_page(node)) for name in _SPOKEN if node.get(name))
    yield from ((line, mail.in_line(number)) for number, line in enumerate(mail.prose.split("\n"), 1))


def find_odd_signs(mail: Mail) -> Iterator[Spot]:
    """Signs that nobody sees and that make Gmail cut a letter (rule M33)."""
    for name, text in ((HTML, mail.markup), (TEXT, mail.text)):
        for found in _ODD.finditer(text):
            place = Place(f"{mail.folder}/{name}", text.count("\n", 0, found.start()) + 1)
            yield mail.trace(found[0], place), f"the control character U+{ord(found[0]):04X}; take it out"
        for word in text.split() if not unicodedata.is_normalized("NFC", text) else ():
            if not unicodedata.is_normalized("NFC", word):
                place = Place(f"{mail.folder}/{name}", text[: text.index(word)].count("\n") + 1)
                yield mail.trace(word, place), f"'{word}' has accents apart from letters; type it anew"
    for found in _ODD_REFERENCE.finditer(mail.markup):
        yield mail.in_markup(found.start()), f"the control character {found[0]}; take it out"
    for found in _ODD.finditer("".join(mail.subjects) + mail.preheader):
        yield mail.in_source(), f"the control character U+{ord(found[0]):04X}; take it out"


# -- the foot


def find_no_address(mail: Mail) -> Iterator[Spot]:
    """Law asks for a postal address in each part (law rule L15)."""
    field = "@@postal_address@@"
    if not any(field in text for _, text in mail.shown):
        yield mail.in_page(mail.body), f"the HTML part has no postal address; write {field}"
    if field not in mail.text:
        yield mail.in_text(len(mail.text)), f"the text part has no postal address; write {field}"


def find_no_way_out(mail: Mail) -> Iterator[Spot]:
    """A link in both parts, to the very address of the header List-Unsubscribe (law rule L16)."""
    field = "@@unsubscribe_url@@"
    links = [node for node in mail.find("a") if node.get("href") == field and mail.light[node].shown]
    if not links and not mail.is_answer:
        yield mail.in_page(mail.body), f'the HTML part has no link to unsubscribe; write <a href="{field}">'
    if field not in mail.text and not mail.is_answer:
        yield mail.in_text(len(mail.text)), f"the text part has no link to unsubscribe; write {field}"


def find_bare_foot(mail: Mail) -> Iterator[Spot]:
    """What a reader looks for below a letter (rule M38); a letter stands on no page of the web."""
    wanted = {"the name of the list, and so why the letter came": ("list_name", "@@list_name@@")}
    if not mail.is_answer:
        wanted["a way to choose what one receives"] = ("preferences_url", "@@preferences_url@@")
    if mail.is_issue:
        page = f"@@browser_url@@|https://\\S+/{re.escape(mail.slug)}/"
        wanted["a way to read it in the browser"] = ("browser_url", page)
    foot = mail.foot if mail.foot is not None else mail.body
    parts = {mail.in_page(foot): _say_markup(foot), mail.in_text(len(mail.text)): mail.text_foot or mail.text}
    for place, said in parts.items():
        for what, (field, pattern) in wanted.items():
            if not re.search(pattern, said):
                yield place, f"the foot does not give {what}; write @@{field}@@"


def _say_markup(node: Element) -> str:
    return " ".join([node.text_content(), *(below.get("href", "") for below in list_elements(node))])


# -- tone and claims


def find_shouting(mail: Mail) -> Iterator[Spot]:
    """Filters do not judge tone, readers do (rule M54)."""
    pressing = compile_words(PRESSING, mail.language)
    for node, text in _list_prose(mail):
        found = (*re.finditer(r"\S*!!+", text), *pressing.finditer(text))
        for said in (*(match[0] for match in found), *_list_shouts(text)):
            yield mail.trace(said, mail.in_page(node)), f"'{said}' sounds like advertising; say it quietly"


def _list_shouts(text: str) -> Iterator[str]:
    """Runs of words in capitals; scripts without small letters have none."""
    for shouted, words in groupby(text.split(), lambda word: word.isupper() and len(word) > 1):
        run = list(words)
        if shouted and len(run) >= _FEWEST_SHOUTED and any(len(word) >= _SHOUTED_WORD for word in run):
            yield " ".join(run)


def find_claims(mail: Mail) -> Iterator[Spot]:
    """Sentences that promise health, unless they warn of such a promise (law rule L23)."""
    claims, careful = compile_words(CLAIMS, mail.language), compile_words(CAREFUL, mail.language)
    for node, text in _list_prose(mail):
        for sentence in _SENTENCE.split(text):
            found = claims.search(sentence)
            if found and not careful.search(sentence):
                message = f"'{found[0]}' is a claim of health; say who showed it, and how sure it is"
                yield mail.trace(found[0], mail.in_page(node)), message


def _list_prose(mail: Mail) -> Iterator[tuple[Element, str]]:
    """Blocks of running text, each whole, without code."""
    for node in mail.find("p", "li", "td", "th", "dt", "dd", *HEADINGS):
        if mail.light[node].shown and node.find(".//p") is None:
            codes = {below for code in node.iter(*CODE) for below in code.iter()}
            yield node, spell(node, silent=codes)
