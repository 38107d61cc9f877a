"""Rules on how a letter looks: colours, sizes and the CSS that mail programs can read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .colours import ENOUGH, Colour, invert, measure_contrast
from .drawing import Drawn
from .letter import Mail, Spot
from .page import Element, list_elements, name_tag
from .styles import DARK, Declaration, expand, match, read_colour, read_longhands, read_style

_LARGEST_STYLE = 8_000  # bytes; Gmail drops all of it above 16 KB
_SMALLEST, _SMALLEST_RAISED, _SMALLEST_BODY = 14, 12, 16  # pixels
_RAISED = frozenset({"sup", "sub"})
#: What a mail program does not know or takes for danger.
_BANNED_NAMES = re.compile(r"position|float|(?:flex|grid)(?:-.*)?")
_BANNED_WORDS = frozenset({"flex", "inline-flex", "grid", "inline-grid"})
_BANNED_FUNCTIONS = frozenset({"calc", "clamp", "max", "min", "var"})
_COLOURED = re.compile(r"(?:.*-)?(?:color|background|border|border-\w+|outline|text-decoration)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NOT_A_COLOUR = frozenset({"transparent", "currentcolor"})
_LEFT = re.compile(r"(?:border|padding|margin)-left(?:-\w+)?")
_OWN_BORDERS = frozenset({"collapse", "radius", "spacing"})
_CLASS = re.compile(r"\.([A-Za-z_][\w-]*)")
#: How Outlook marks what it repaints -> the property that is meant.
_REPAINTED = {"color": "ogsc", "background-color": "ogsb"}


def _list_inline(mail: Mail) -> Iterator[tuple[Element, Declaration]]:
    for node in mail.elements:
        for said in read_style(node.get("style", "")):
            yield node, said


def find_short_colours(mail: Mail) -> Iterator[Spot]:
    for node, said in _list_inline(mail):
        for word in _list_odd_colours(said):
            yield mail.in_page(node), f"the colour {word}; write it as # and six digits"
    for node in mail.elements:
        if not _HEX.fullmatch(node.get("bgcolor", "#000000")):
            yield mail.in_page(node), f"the colour {node.get('bgcolor')}; write it as # and six digits"
    for rule in mail.sheets.rules:
        for word in (word for said in rule.declarations for word in _list_odd_colours(said)):
            yield mail.in_sheet(rule.line), f"the colour {word}; write it as # and six digits"


def _list_odd_colours(said: Declaration) -> list[str]:
    words = [token.serialize() for token in said.value] if _COLOURED.fullmatch(said.lower_name) else []
    odd = (word for word in words if not _HEX.fullmatch(word) and word.lower() not in _NOT_A_COLOUR)
    return [word for word in odd if read_colour(word) is not None]


def find_split_colours(mail: Mail) -> Iterator[Spot]:
    """A program that repaints one of the two must find the other beside it (rule M16)."""
    looks = (mail.light[node] for node, _ in mail.shown)
    for node in dict.fromkeys(look.grounded for look in looks if _is_inked_above(look)):
        message = f"{name_tag(node)} has a ground and text, and its colour comes from outside; give it both"
        yield mail.in_page(node), message


def _is_inked_above(look: Drawn) -> bool:
    if look.grounded is None:
        return False
    return look.inked is None or look.inked in look.grounded.iterancestors()


def find_unknown_css(mail: Mail) -> Iterator[Spot]:
    for node, said in _list_inline(mail):
        for word in _list_banned(said):
            yield mail.in_page(node), f"{word} in a style attribute; too few mail programs know it"


def _list_banned(said: Declaration) -> Iterator[str]:
    if _BANNED_NAMES.fullmatch(said.lower_name):
        yield said.lower_name
    for token in said.value:
        if token.type == "ident" and said.lower_name == "display" and token.lower_value in _BANNED_WORDS:
            yield token.lower_value
        elif token.type == "function" and token.lower_name in _BANNED_FUNCTIONS:
            yield f"{token.lower_name}()"
        elif token.type == "dimension" and token.lower_unit == "rem":
            yield "rem"


def find_broken_sheets(mail: Mail) -> Iterator[Spot]:
    """One error, and Gmail drops the whole element (rule M19)."""
    nodes = mail.find("style")
    size = sum(len((node.text or "").encode()) for node in nodes)
    for node in nodes:
        if node.getparent().tag != "head":
            yield mail.in_page(node), "a style element outside the head is dropped; move it there"
    if size > _LARGEST_STYLE:
        yield mail.in_page(nodes[0]), f"the CSS has {size:,} bytes; {_LARGEST_STYLE:,} are the most"
    for line, message in mail.sheets.faults:
        yield mail.in_sheet(line), f"Gmail would drop the style element for this: {message}"


def find_mixed_sheets(mail: Mail) -> Iterator[Spot]:
    """If a program stumbles over the dark rules, the plain ones must live (rule M20)."""
    rules = mail.sheets.rules
    dark = [rule for rule in rules if rule.where == DARK or rule.where in _REPAINTED.values()]
    first = next((rule for rule in dark if not rule.sheet), None)
    head = mail.in_page(next(iter(mail.find("head")), mail.page))
    if first:
        yield mail.in_sheet(first.line), "dark colours stand in the first style element; give them a second"
    for where in (DARK, *_REPAINTED.values()):
        if not any(rule.where == where for rule in dark):
            asked = "@media (prefers-color-scheme: dark)" if where == DARK else f"[data-{where}]"
            yield head, f"the letter has no rules for {asked}; write its dark colours"


def find_powerless_rules(mail: Mail) -> Iterator[Spot]:
    weak = [rule for rule in mail.sheets.rules if not all(said.important for said in rule.declarations)]
    for node, rules in match(mail.page, weak).items():
        inline = {said.lower_name for said in read_style(node.get("style", ""))}
        for rule in rules:
            for said in rule.declarations:
                if not said.important and any(_overlap(said.lower_name, name) for name in inline):
                    message = f"{said.lower_name} of {rule.selector} loses against the style attribute; add !important"
                    yield mail.in_sheet(rule.line), message


def _overlap(one: str, other: str) -> bool:
    """Whether one property sets the other, as `padding` does `padding-left`; no shorthand sets a border's radius."""
    short, long = sorted((one, other), key=len)
    return one == other or (long.startswith(f"{short}-") and long.removeprefix("border-") not in _OWN_BORDERS)


def find_unpaired_colours(mail: Mail) -> Iterator[Spot]:
    """Every colour in a style attribute has one for dark programs, and for those that only mark (rule M22)."""
    answers = {where: _list_answers(mail, where) for where in (DARK, *_REPAINTED.values())}
    for node in list_elements(mail.body):
        own = _list_colours(node)
        if own - answers[DARK].get(node, set()) >= _REPAINTED.keys():
            own -= _REPAINTED.keys()  # ground and text stay as they are by day and by night
        for name in own:
            for where in _list_asking(name, node):
                if name not in answers[where].get(node, ()):
                    asked = "dark mode" if where == DARK else f"[data-{where}]"
                    said = f"the {name} of {name_tag(node)} has no pair for {asked}"
                    yield mail.in_page(node), f"{said}; say it in mail.css as a token"


def _list_asking(name: str, node: Element) -> tuple[str, ...]:
    """Who wants a darker value; Outlook's marks stand inside the body."""
    return (DARK, _REPAINTED[name]) if name in _REPAINTED and node.tag != "body" else (DARK,)


def _list_colours(node: Element) -> set[str]:
    """Properties of a style attribute that paint."""
    values = {
        name: read_colour(value) for name, value in read_longhands(node).items() if name.endswith("color")
    }
    return {name for name, colour in values.items() if colour and colour.alpha}


def _list_answers(mail: Mail, where: str) -> Mapping[Element, set[str]]:
    matched = match(mail.page, [rule for rule in mail.sheets.rules if rule.where == where])
    return {
        node: {name for rule in rules for name in expand(rule.declarations)}
        for node, rules in matched.items()
    }


def find_low_contrast(mail: Mail) -> Iterator[Spot]:
    """Text and ground in the light, in the dark, and where a program turns the light ones round (rule M23)."""
    for node, _ in mail.shown:
        light, dark = mail.light[node], mail.dark[node]
        cases = {
            "in the light": (light.ink, light.ground),
            "in dark mode": (dark.ink, dark.ground),
            "where a program inverts it": (invert(light.ink), invert(light.ground)),
        }
        for when, (ink, ground) in cases.items():
            contrast = measure_contrast(ink, ground)
            if contrast < ENOUGH:
                said = f"the text of {name_tag(node)} has a contrast of {contrast:.1f} {when}"
                yield mail.in_page(node), f"{said}: {_write(ink)} on {_write(ground)}; change the token"


def _write(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def find_small_text(mail: Mail) -> Iterator[Spot]:
    for node, _ in mail.shown:
        raised = any(above.tag in _RAISED for above in (node, *node.iterancestors()))
        least = _SMALLEST_RAISED if raised else _SMALLEST
        if mail.light[node].size < least:
            size = f"{mail.light[node].size:g}"
            yield mail.in_page(node), f"the text of {name_tag(node)} has {size} pixels; set it in {least}"
    wrapper = next(iter(mail.page.xpath("//*[@role='article']")), mail.body)
    if mail.light[wrapper].size < _SMALLEST_BODY:
        size = f"{mail.light[wrapper].size:g}"
        yield mail.in_page(wrapper), f"the letter is set in {size} pixels; set it in {_SMALLEST_BODY} or more"


def find_wrong_sides(mail: Mail) -> Iterator[Spot]:
    """In a letter written from right to left, rules and indents are on the right (rule M46)."""
    for node, said in _list_inline(mail):
        direction = next(iter(node.xpath("ancestor-or-self::*[@dir][1]/@dir")), "")
        if direction == "rtl" and _LEFT.fullmatch(said.lower_name):
            message = f"{said.lower_name} of {name_tag(node)} is where lines end; put it on the right"
            yield mail.in_page(node), message


def find_old_figures(mail: Mail) -> Iterator[Spot]:
    """Georgia's figures look like letters: PD-L1, [1] (rule M47)."""
    for node in mail.elements:
        families = read_longhands(node).get("font-family", "")
        if families.partition(",")[0].strip("'\" ").lower() == "georgia":
            yield mail.in_page(node), "Georgia's figures look like letters; name another font before it"


def find_idle_classes(mail: Mail) -> Iterator[Spot]:
    """A class costs bytes; one side of it alone does nothing (rule M48)."""
    named = {name: rule for rule in mail.sheets.rules for name in _CLASS.findall(rule.selector)}
    kept = {name: node for node in mail.elements for name in node.get("class", "").split()}
    for name in named.keys() - kept.keys():
        yield mail.in_sheet(named[name].line), f"nothing has the class '{name}'; take its rule out"
    for name in kept.keys() - named.keys():
        yield mail.in_page(kept[name]), f"no style element names the class '{name}'; take it out"
