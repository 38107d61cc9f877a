"""Rules on what a letter holds: its preview, links, buttons, notes and its weight."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from ..words import list_vague_links
from .letter import HTML, Mail, Spot
from .page import Element, list_elements, name_link, own_words, squeeze
from .styles import read_longhands

_SHORTEST_PREVIEW, _LONGEST_PREVIEW = 40, 130  # characters
_FILLER = re.compile(r"[\u2007\u200b-\u200d\u034f\ufeff\u00a0]")
_LEAST_FILLER = 40  # signs, so that no program shows what comes next
_LARGEST_HTML, _LARGEST_WIRE, _LONG_HTML = 60_000, 90_000, 40_000  # bytes
_LOWEST_BUTTON, _LOWEST_LINK = 44, 24  # pixels: a thumb, and WCAG 2.2, 2.5.8
_LEADS_OUT = re.compile(r"(?:https?://|mailto:|tel:|sms:)\S|@@[a-z_]+@@", re.IGNORECASE)
_MARK = re.compile(r"\[([0-9]{1,4})\]")
_LONGEST_LAST_WORD = 9  # letters, kept with the word before
_SHORT_LINE = 40  # characters


# -- what an inbox shows before the letter is opened


def find_poor_preheader(mail: Mail) -> Iterator[Spot]:
    text = mail.preheader.strip()
    if not _SHORTEST_PREVIEW <= len(text) <= _LONGEST_PREVIEW:
        wanted = f"write {_SHORTEST_PREVIEW} to {_LONGEST_PREVIEW} into summary: or preheader:"
        yield mail.in_source(), f"the preheader has {len(text)} characters; {wanted}"
    if text.casefold() == mail.subject.strip().casefold():
        yield mail.in_source(), "the preheader repeats the subject; write something new into preheader:"
    first = next((node for node in list_elements(mail.body) if own_words(node).strip()), mail.body)
    if mail.light[first].shown or not own_words(first).strip().startswith(text):
        yield mail.in_page(first), "the letter does not begin with its preheader, in a hidden element"
    elif len(_FILLER.findall(own_words(first))) < _LEAST_FILLER:
        yield mail.in_page(first), "the preheader's line is not filled; add &#8199;&#65279;&#847; forty times"


# -- links and buttons


def is_button(node: Element) -> bool:
    return "background-color" in read_longhands(node)


def find_vague_links(mail: Mail) -> Iterator[Spot]:
    vague = list_vague_links(mail.language)
    for node in mail.find("a"):
        words = name_link(node).strip(" .…›»→>")
        if words.casefold() in vague:
            message = f"the link says only '{words}'; let its words say where it leads"
            yield mail.trace(node.get("href", ""), mail.in_page(node)), message
        elif not words and node.find(".//img") is None:
            yield (
                mail.trace(node.get("href", ""), mail.in_page(node)),
                "the link has no words; nobody can follow it",
            )
        if "none" in read_longhands(node).get("text-decoration", "") and not is_button(node):
            yield mail.in_page(node), f"the link '{words}' has no line below it; its colour is not enough"


def find_dead_links(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("a"):
        href = node.get("href", "").strip()
        if not _LEADS_OUT.match(href):
            message = f"the link '{name_link(node)}' leads to '{href}', and so nowhere from a letter"
            yield mail.trace(href, mail.in_page(node)), f"{message}; write a whole https address"


def find_open_links(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("a"):
        href = node.get("href", "").strip()
        if href.lower().startswith("http:"):
            yield mail.trace(href, mail.in_page(node)), f"{href} can be read on the way; write https://"


def find_small_targets(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("a"):
        high = f"is {mail.light[node].height:g} pixels high"
        least = _LOWEST_BUTTON if is_button(node) else _LOWEST_LINK if _stands_alone(node) else 0
        if mail.light[node].height < least:
            yield mail.in_page(node), f"the link '{name_link(node)}' {high}; a finger needs {least}"
        if is_button(node) and not _is_raised(node):
            yield mail.in_page(node), "the button has no mso-text-raise, and Outlook gives it no padding"


def _stands_alone(node: Element) -> bool:
    """No words stand beside it; a link inside a sentence may be as low as its line."""
    return not own_words(node.getparent()).strip()


def _is_raised(node: Element) -> bool:
    """Word's raise stands in a comment in the button or right before it."""
    near = node.getparent().iter()
    return any("mso-text-raise" in f"{one.text} {one.get('style')}" for one in near)


def find_many_buttons(mail: Mail) -> Iterator[Spot]:
    buttons = [node for node in mail.find("a") if is_button(node)]
    for node in buttons[1:]:
        message = f"'{name_link(node)}' is one button more; of several none is pressed, so make it a link"
        yield mail.trace(node.get("href", ""), mail.in_page(node)), message


# -- text


def find_lost_notes(mail: Mail) -> Iterator[Spot]:
    """Each number in the text has its note: a numbered item of a list below, or a paragraph that begins with it."""
    marks = [node for node in mail.find("sup") if _MARK.fullmatch(squeeze(node.text_content()))]
    notes = {_read_number(node) for node in mail.find("p", "li")}
    for below in marks[-1].xpath("following::ol") if marks else ():
        notes |= set(range(_read_start(below), _read_start(below) + len(below.findall("li"))))
    for node in marks:
        if _read_number(node) not in notes:
            yield (
                mail.in_page(node),
                f"the note {squeeze(node.text_content())} is not among the notes; write it",
            )
    for node in mail.find("a"):
        if _MARK.fullmatch(name_link(node)):
            message = (
                f"the note mark {name_link(node)} is a link, which many programs break; write it plainly"
            )
            yield mail.in_page(node), message


def _read_number(node: Element) -> int:
    """The number in brackets that an element begins with, such as [1]; 0 where there is none."""
    found = _MARK.match(squeeze(node.text_content()))
    return int(found[1]) if found else 0


def _read_start(node: Element) -> int:
    start = node.get("start", "1")
    return int(start) if re.fullmatch(r"[0-9]{1,4}", start) else 1


def find_lonely_words(mail: Mail) -> Iterator[Spot]:
    for node in mail.find("h1"):
        *before, last = re.split(r"[ \n]+", node.text_content().strip())
        if before and len(last) <= _LONGEST_LAST_WORD and "\N{NO-BREAK SPACE}" not in last:
            message = f"'{last}' may stand alone on the title's last line; put a no-break space before it"
            yield mail.in_page(node), message


def find_joined_lines(mail: Mail) -> Iterator[Spot]:
    """Short lines that the author broke, such as those of a farewell, run into one."""
    for node in mail.find("p"):
        lines = [line.strip() for line in own_words(node).strip().split("\n")]
        short = len(node) == 0 and len(lines) > 1 and all(len(line) <= _SHORT_LINE for line in lines)
        if short and lines[-2].endswith(","):
            message = f"'{lines[-2]}' and '{lines[-1]}' run into one line; end the first with a backslash"
            yield mail.trace(lines[-2], mail.in_page(node)), message


# -- weight


def find_too_large(mail: Mail) -> Iterator[Spot]:
    """Gmail cuts a letter at about 102 kB of what travels (rule M34)."""
    raw, wire = len(mail.files[HTML]), _measure_wire(mail.files[HTML])
    for size, most, what in ((raw, _LARGEST_HTML, "bytes"), (wire, _LARGEST_WIRE, "bytes on the wire")):
        if size > most:
            message = f"the letter has {size:,} {what}, and Gmail would cut it; {most:,} are the most"
            yield mail.in_source(), message


def _measure_wire(data: bytes) -> int:
    """Bytes as quoted-printable with CR LF."""
    encoded = binascii.b2a_qp(data)
    return len(encoded) + encoded.count(b"\n")


def find_long_letter(mail: Mail) -> Iterator[Spot]:
    raw = len(mail.files[HTML])
    if _LONG_HTML < raw <= _LARGEST_HTML:
        message = f"the letter has {raw:,} bytes, and few are read to their end; show an opening or a summary"
        yield mail.in_source(), message
