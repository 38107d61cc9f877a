"""Put CSS into the elements of a letter, and keep in two style elements what only those can say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from css_inline import CSSInliner

_DARK_MEDIA = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_EMPTY_MEDIA = re.compile(r"@media[^{}]*\{\s*\}")
_RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
_NAME = re.compile(r"(\.?)([A-Za-z][\w-]*)")
_NOT_A_NAME = re.compile(r"\[[^\]]*\]|::?[\w-]+(?:\([^)]*\))?")
_TAG = re.compile(r"<([a-z][a-z0-9]*)((?:\s+[^\s=<>\"]+=\"[^\"]*\")*)\s*/?>")
_CLASS = re.compile(r' class="([^"]*)"')
_SIDE = re.compile(r"\b(left|right)\b")
#: How Outlook marks an element it repaints -> the property it has painted over.
_REPAINTED = {"ogsc": "color", "ogsb": "background-color"}
_OTHER_SIDE = {"left": "right", "right": "left"}

Declarations = tuple[tuple[str, str], ...]
Rules = list[tuple[tuple[str, ...], Declarations]]


def inline(markup: str, *, css: str, dark: str, head: str) -> str:
    """`markup` with `css` in its style attributes, right where every style element is taken away.

    `dark` is `css` with the colours of dark mode: what differs goes into the second style
    element, for programs that ask (`prefers-color-scheme`) and for Outlook (`data-ogsc`,
    `data-ogsb`). `head` holds what cannot be inlined. Rules and classes that nothing uses
    are left out. Pure: the same arguments give the same text.
    """
    done = CSSInliner(extra_css=css, minify_css=True, load_remote_stylesheets=False).inline(markup)
    present = _list_names(done)
    extra = [found[1] for found in _DARK_MEDIA.finditer(head)]
    first = _prune(_DARK_MEDIA.sub("", head), present)
    second = _prune(_write_dark(_pair(css, dark), extra), present)
    done = _drop_classes(done, frozenset(name for mark, name in _NAME.findall(first + second) if mark))
    styles = "".join(f"<style>{text}</style>\n" for text in (first, second) if text)
    return done.replace("</head>", f"{styles}</head>", 1).rstrip() + "\n"


def mirror(css: str) -> str:
    """`css` for a language that is written from right to left."""
    return _SIDE.sub(lambda side: _OTHER_SIDE[side[1]], css)


def _pair(css: str, dark: str) -> Rules:
    """The rules of `dark` with the declarations that `css` has otherwise."""
    pairs = zip(_read_rules(css), _read_rules(dark), strict=True)
    changed = [
        (selectors, tuple(_bare(*d) for d in after if d not in before))
        for (selectors, before), (_, after) in pairs
    ]
    return [rule for rule in changed if rule[1]]


def _bare(name: str, value: str) -> tuple[str, str]:
    """A border's colour alone: its width may be otherwise where the colour is wanted."""
    short = name.startswith("border") and " " in value
    return (f"{name}-color", value.rpartition(" ")[2]) if short else (name, value)


def _read_rules(css: str) -> Iterator[tuple[tuple[str, ...], Declarations]]:
    for found in _RULE.finditer(css):
        parts = (line.partition(":") for line in found[2].split(";") if line.strip())
        declarations = tuple((name.strip(), value.strip()) for name, _, value in parts)
        yield tuple(" ".join(selector.split()) for selector in found[1].split(",")), declarations


def _write_dark(rules: Rules, extra: Iterable[str]) -> str:
    """The dark rules for programs that ask, then for Outlook, which marks the elements it repaints itself."""
    asked = "".join([_write_rule(selectors, declarations) for selectors, declarations in rules] + [*extra])
    parts = [f"@media (prefers-color-scheme:dark){{{asked}}}"]
    for selectors, declarations in rules:
        inside = [selector for selector in selectors if selector != "body"]
        for mark, name in _REPAINTED.items():
            kept = tuple(d for d in declarations if d[0] == name)
            if kept and inside:
                parts.append(_write_rule([f"[data-{mark}] {selector}" for selector in inside], kept))
    return "".join(parts)


def _write_rule(selectors: Iterable[str], declarations: Declarations) -> str:
    return f"{','.join(selectors)}{{{';'.join(f'{name}:{value}!important' for name, value in declarations)}}}"


def _list_names(markup: str) -> frozenset[str]:
    """Every tag (`p`) and class (`.fig`) of a page."""
    names: set[str] = set()
    for tag, attributes in _TAG.findall(markup):
        names.add(tag)
        names |= {f".{name}" for found in _CLASS.findall(attributes) for name in found.split()}
    return frozenset(names)


def _prune(css: str, present: frozenset[str]) -> str:
    """`css` without the selectors that name nothing in the page, on one line."""

    def shorten(found: re.Match[str]) -> str:
        kept = [selector for selector in found[1].split(",") if _names_of(selector) <= present]
        body = ";".join(
            re.sub(r"\s*:\s*", ":", line.strip(), count=1) for line in found[2].split(";") if line.strip()
        )
        return f"{','.join(' '.join(selector.split()) for selector in kept)}{{{body}}}" if kept else ""

    short = _EMPTY_MEDIA.sub("", _RULE.sub(shorten, css))
    return re.sub(r"\s*([{}])\s*", r"\1", short).strip()


def _names_of(selector: str) -> set[str]:
    return {mark + name for mark, name in _NAME.findall(_NOT_A_NAME.sub("", selector))}


def _drop_classes(markup: str, kept: frozenset[str]) -> str:
    def shorten(found: re.Match[str]) -> str:
        names = [name for name in found[1].split() if name in kept]
        return f' class="{" ".join(names)}"' if names else ""

    return _TAG.sub(lambda tag: _CLASS.sub(shorten, tag[0]), markup)
