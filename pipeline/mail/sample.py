"""A letter as it meets one reader: fields filled, light or dark, without its pictures, without its style."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

_FIELD = re.compile(r"@@([a-z_]+)@@")
_PICTURE = re.compile(r'(<img\b[^>]*?\bsrc=")https?://[^"]*/(images/[^"/]+")')
_STYLE = re.compile(r"<style\b.*?</style>\s*", re.DOTALL | re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_BOTH_SCHEMES = re.compile(r"\b(light dark|dark light)\b")
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"


def read_sender(folder: Path) -> Mapping[str, str]:
    """Values of the fields that the outbox fills: the list's name and address, out of book.toml."""
    path = folder / "book.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("list", {}) if path.exists() else {}
    return {"list_name": str(table.get("name", "")), "postal_address": str(table.get("address", ""))}


def fill(files: Mapping[str, bytes], values: Mapping[str, str]) -> tuple[str, str]:
    """HTML and text of an issue as one reader gets it, its pictures found in `images/` beside it.

    A field that `values` lacks has its default in issue.json, else its name. Links made of a
    field lead nowhere.
    """
    fields = json.loads(files["issue.json"])["fields"]
    known = {name: values.get(name) or _find_default(name, about) for name, about in fields.items()}
    html = _FIELD.sub(lambda found: escape(known.get(found[1], found[0])), files["body.html"].decode())
    text = _FIELD.sub(lambda found: known.get(found[1], found[0]), files["body.txt"].decode())
    return _PICTURE.sub(r"\1\2", html), text


def _find_default(name: str, about: object) -> str:
    """`about` is a field's type, or a table with its type and its default."""
    table = about if isinstance(about, dict) else {"type": about}
    return str(table.get("default") or ("#" if table["type"] == "url" else f"[{name.replace('_', ' ')}]"))


def strip_style(html: str) -> str:
    """What a program leaves that takes every style element away (rule D3)."""
    return _STYLE.sub("", html)


def choose_scheme(html: str, scheme: str) -> str:
    """The letter as a program in `scheme`, light or dark, shows it; whoever looks may have chosen the other."""
    chosen = _SCHEME.sub(lambda found: _ALWAYS if found[1] == scheme else _NEVER, html)
    return _BOTH_SCHEMES.sub(scheme, chosen)


def _force_dark(html: str) -> str:
    """Colours turned round and pictures turned back: a stand-in for what mail programs do by force."""
    style = (
        "<style>html { background: #fff; filter: invert(1) hue-rotate(180deg) }"
        " img { filter: invert(1) hue-rotate(180deg) }</style>"
    )
    return choose_scheme(html, "light").replace("</head>", f"{style}</head>", 1)


#: State -> the letter in it. Pictures are blocked by whoever shows the letter.
STATES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "light": lambda html: choose_scheme(html, "light"),
        "dark": lambda html: choose_scheme(html, "dark"),
        "forced-dark": _force_dark,
        "no-pictures": lambda html: choose_scheme(html, "light"),
        "no-style": lambda html: strip_style(choose_scheme(html, "light")),
    }
)
