"""How the pages look and what they say: templates, style and words of the book's layout."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from outbox.errors import ConfigError, Place

#: Where the layouts that come with the project are: inside the wheel, else beside the packages in a clone.
HOMES = tuple(Path(__file__).parents[2] / home for home in ("pipeline/_layouts", "layouts"))
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})
ENGLISH = "en"


@dataclass(frozen=True)
class Look:
    """A layout as the pages need it: its own folder first, then `base`."""

    folders: tuple[Path, ...]
    tokens: Mapping[str, str]

    def fill(self, template: str, **values: object) -> str:
        """Fill `door/<template>.html.j2`; all that stands in `values` is escaped there."""
        return self._environment.get_template(f"door/{template}.html.j2").render(
            values | {"tokens": self.tokens}
        )

    def read(self, name: str) -> bytes:
        """A file of the layout, else of `base`."""
        return next(folder / name for folder in self.folders if (folder / name).is_file()).read_bytes()

    @cached_property
    def css(self) -> bytes:
        """The style of all pages: the tokens as CSS variables, then what `base` and the layout say of them."""
        light = {name: value for name, value in self.tokens.items() if not name.startswith("dark-")}
        dark = {name.removeprefix("dark-"): v for name, v in self.tokens.items() if name.startswith("dark-")}
        night = f"@media screen and (prefers-color-scheme:dark){{{_root(dark)}}}"
        sheets = [
            path.read_text("utf-8")
            for name in ("site/site.css", "door/door.css")
            for folder in reversed(self.folders)
            if (path := folder / name).exists()
        ]
        return "\n".join([":root{color-scheme:light dark}", _root(light), night, *sheets]).encode()

    def read_words(self, language: str) -> Mapping[str, str]:
        """What the pages say by themselves, in `language` or, word by word, in English."""
        if language not in self._words:
            words: dict[str, str] = {}
            for code in dict.fromkeys([ENGLISH, language.split("-", maxsplit=1)[0], language]):
                for folder in reversed(self.folders):
                    path = folder / "door" / "words" / f"{code}.toml"
                    words |= tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
            self._words[language] = words
        return self._words[language]

    @cached_property
    def _environment(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folders),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @cached_property
    def _words(self) -> dict[str, Mapping[str, str]]:
        return {}


def read_look(name: str, folder: Path) -> Look:
    """The look of the layout `name`, from the book's own `layouts/` or from those that come with the project.

    Raises ConfigError when there is none, or when its layout.toml cannot be used.
    """
    homes = (folder / "layouts", *HOMES)
    found, base = (
        next((home / one for home in homes if (home / one / "layout.toml").is_file()), None)
        for one in (name, "base")
    )
    if not found or not base:
        raise ConfigError(f"there is no layout {name!r}", Place("book.toml"))
    tokens = {key: value for path in (base, found) for key, value in _read_tokens(path).items()}
    return Look((found, base), tokens)


def find_direction(language: str) -> str:
    """`rtl` or `ltr`, as HTML says it."""
    return "rtl" if language.split("-", maxsplit=1)[0].lower() in RIGHT_TO_LEFT else "ltr"


def _read_tokens(folder: Path) -> dict[str, str]:
    """The tokens of a layout.toml: `[colors.light] ink` is `ink`, `[colors.dark] ink` is `dark-ink`."""
    try:
        tables: dict[str, Any] = tomllib.loads((folder / "layout.toml").read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(error), Place(f"layouts/{folder.name}/layout.toml")) from None
    colors = tables.pop("colors", {})
    tokens = dict(colors.get("light", {}))
    tokens |= {f"dark-{name}": value for name, value in colors.get("dark", {}).items()}
    for section, values in tables.items():
        if isinstance(values, dict):
            tokens |= {f"{section}-{name}": str(value) for name, value in values.items()}
    return tokens


def _root(tokens: Mapping[str, str]) -> str:
    return f":root{{{''.join(f'--{name}:{value};' for name, value in tokens.items())}}}"
