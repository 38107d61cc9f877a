"""Put CSS into the elements of a letter, and keep in two style elements what only those can say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from css_inline import CSSInliner

from ..directions import mirror
from ..layouts import Layout

_BLOCK = re.compile(r"@media([^{]*)\{((?:[^{}]*\{[^{}]*\})*)\s*\}|([^{}@;]+)\{([^{}]*)\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_NAME = re.compile(r"(\.?)([A-Za-z][\w-]*)")
_NOT_A_NAME = re.compile(r"\[[^\]]*\]|::?[\w-]+(?:\([^)]*\))?")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<([a-z][a-z0-9]*)")
_CLASS = re.compile(r"(<[a-z][^<>]*?) class=\"([^\"]*)\"")
#: How Outlook marks an element it repaints -> the property it has painted over.
_REPAINTED = {"ogsc": "color", "ogsb": "background-color"}
_DARK = "(prefers-color-scheme:dark)"


@dataclass(frozen=True, slots=True)
class Styles:
    """The CSS of one look: `light` and `dark` differ in colours only, `head` holds what cannot be inlined."""

    light: str
    dark: str
    head: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """Selectors, each with the tags (`p`) and classes (`.fig`) it needs, and the declarations on one line."""

    selectors: tuple[tuple[str, frozenset[str]], ...]
    body: str


#: Media query, empty for none, and its rules.
_Sheet = tuple[tuple[str, tuple[_Rule, ...]], ...]


def read_styles(layout: Layout, direction: str) -> Styles:
    """The style sheets of `layout`, made for a language of `direction`: ltr or rtl. Raises LayoutError."""
    night = {
        name.removeprefix("dark-"): value for name, value in layout.tokens.items() if name.startswith("dark-")
    }
    dark = replace(layout, tokens={**layout.tokens, **night})
    texts = layout.read_css("mail/mail.css"), dark.read_css("mail/mail.css"), layout.read_css("mail/head.css")
    return Styles(*map(mirror, texts) if direction == "rtl" else texts)


def inline(markup: str, styles: Styles) -> str:
    """`markup` with its light styles in the elements, right where every style element is taken away.

    What is otherwise in the dark goes into the second style element, for programs that ask
    (`prefers-color-scheme`) and for Outlook (`data-ogsc`, `data-ogsb`). Rules and classes
    that nothing uses are left out. Pure: the same arguments give the same text.
    """
    inliner, *sheets = _prepare(styles)
    done = inliner.inline(markup)
    present = _list_names(done)
    used = [_choose(sheet, present) for sheet in sheets]
    elements = "".join(f"<style>{_write(sheet)}</style>\n" for sheet in used if sheet)
    done = _drop_classes(done, frozenset(name for sheet in used for name in _names_in(sheet)))
    return done.replace("</head>", f"{elements}</head>", 1).rstrip() + "\n"


@lru_cache(maxsize=16)
def _prepare(styles: Styles) -> tuple[CSSInliner, _Sheet, _Sheet]:
    """What is the same for every letter of a look: the inliner, the plain style element and the dark one."""
    inliner = CSSInliner(extra_css=styles.light, minify_css=True, load_remote_stylesheets=False)
    head = tuple(_read_sheet(styles.head))
    first = tuple(block for block in head if block[0] != _DARK)
    extra = tuple(rule for media, rules in head if media == _DARK for rule in rules)
    changed = tuple(dict.fromkeys(_pair(styles)))
    marked = tuple(_mark_repainted(changed))
    return inliner, first, ((_DARK, tuple(_make_rule(*rule) for rule in changed) + extra), ("", marked))


# -- reading


def _read_sheet(css: str) -> Iterator[tuple[str, tuple[_Rule, ...]]]:
    for found in _BLOCK.finditer(css):
        media, inside = (found[1].replace(" ", ""), found[2]) if found[1] else ("", found[0])
        rules = [_make_rule(_split(rule[1], ","), _split(rule[2], ";")) for rule in _RULE.finditer(inside)]
        yield media.replace("and(", " and ("), tuple(rules)


def _split(text: str, mark: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(mark) if part.strip()]


def _make_rule(selectors: Iterable[str], declarations: Iterable[str]) -> _Rule:
    short = (re.sub(r"\s*:\s*", ":", line, count=1).replace(" !", "!") for line in declarations)
    return _Rule(tuple((selector, _names_of(selector)) for selector in selectors), ";".join(short))


def _names_of(selector: str) -> frozenset[str]:
    return frozenset(mark + name for mark, name in _NAME.findall(_NOT_A_NAME.sub("", selector)))


# -- the dark


def _pair(styles: Styles) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The rules of the dark, each with the declarations that light has otherwise."""
    for light, dark in zip(_RULE.finditer(styles.light), _RULE.finditer(styles.dark), strict=True):
        before = _split(light[2], ";")
        changed = [_bare(line) for line in _split(dark[2], ";") if line not in before]
        if changed:
            yield tuple(_split(dark[1], ",")), tuple(f"{line}!important" for line in changed)


def _bare(declaration: str) -> str:
    """A border's colour alone: its width may be otherwise where the colour is wanted."""
    name, _, value = declaration.partition(": ")
    return f"{name}-color:{value.rpartition(' ')[2]}" if name.startswith("border") else f"{name}:{value}"


def _mark_repainted(changed: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[_Rule]:
    """The dark colours once more for Outlook, which marks the elements it has painted over."""
    for selectors, declarations in changed:
        inside = [selector for selector in selectors if selector != "body"]
        for mark, name in _REPAINTED.items():
            kept = [line for line in declarations if line.startswith(f"{name}:")]
            if kept and inside:
                yield _make_rule([f"[data-{mark}] {selector}" for selector in inside], kept)


# -- what a letter uses


def _list_names(markup: str) -> frozenset[str]:
    """Every tag and class of a page; those in comments are Outlook's alone."""
    shown = _COMMENT.sub("", markup)
    classes = (f".{name}" for _, found in _CLASS.findall(shown) for name in found.split())
    return frozenset([*_TAG.findall(shown), *classes])


def _choose(sheet: _Sheet, present: frozenset[str]) -> _Sheet:
    """`sheet` without the selectors that name something the page has not."""
    blocks = []
    for media, rules in sheet:
        chosen = [
            replace(rule, selectors=kept)
            for rule in rules
            if (kept := tuple(each for each in rule.selectors if each[1] <= present))
        ]
        blocks += [(media, tuple(chosen))] if chosen else []
    return tuple(blocks)


def _write(sheet: _Sheet) -> str:
    parts = []
    for media, rules in sheet:
        text = "".join(
            f"{','.join(selector for selector, _ in rule.selectors)}{{{rule.body}}}" for rule in rules
        )
        parts.append(f"@media {media}{{{text}}}" if media else text)
    return "".join(parts)


def _names_in(sheet: _Sheet) -> Iterator[str]:
    for _, rules in sheet:
        for rule in rules:
            for _, names in rule.selectors:
                yield from names


def _drop_classes(markup: str, used: frozenset[str]) -> str:
    def shorten(found: re.Match[str]) -> str:
        names = [name for name in found[2].split() if f".{name}" in used]
        return f'{found[1]} class="{" ".join(names)}"' if names else found[1]

    return _CLASS.sub(shorten, markup)
