"""Find a layout, read its tokens and fill its templates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .directions import mirror
from .errors import LayoutError, Place
from .hints import suggest
from .model import FaceSpec

#: Where the layouts that come with the project are: beside the packages in a clone, inside the wheel otherwise.
HOMES = (Path(__file__).parent / "_layouts", Path(__file__).parent.parent / "layouts")
_VARIABLE = re.compile(r"var\(\s*--([a-z][a-z0-9-]*)\s*\)")
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


@dataclass(frozen=True)
class Layout:
    """One look for every output: tokens, templates and CSS of a folder, the rest from `base`.

    `tokens` are flat: `[colors.light] ink` is `ink`, `[colors.dark] ink` is
    `dark-ink`, `[colors.print] ink` is `print-ink`, and `[space] line` is
    `space-line`; CSS says `var(--ink)`.
    """

    name: str
    folders: tuple[Path, ...]
    tokens: Mapping[str, str]
    faces: tuple[FaceSpec, ...]
    cache: Path | None = None  # where compiled templates may be kept

    @cached_property
    def _environment(self) -> Any:
        import jinja2

        kept = None
        if self.cache:
            self.cache.mkdir(parents=True, exist_ok=True)
            kept = jinja2.FileSystemBytecodeCache(str(self.cache))
        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folders),
            bytecode_cache=kept,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )

    def fill(self, template: str, **values: object) -> str:
        """Fill one template, e.g. `book/title.html.j2`; a name it does not get is a LayoutError."""
        import jinja2

        try:
            return str(self._environment.get_template(template).render(values | {"tokens": self.tokens}))
        except jinja2.TemplateSyntaxError as error:
            raise LayoutError(
                str(error.message), Place(f"layouts/{self.name}/{error.name}", error.lineno)
            ) from error
        except jinja2.TemplateError as error:
            raise LayoutError(f"{template}: {error}", Place(f"layouts/{self.name}")) from error

    def read_css(self, name: str, *, direction: str = "ltr") -> str:
        """The CSS of base and then of the layout, `var(--token)` replaced by its value, comments dropped.

        How a chapter opens (`[opening] style`) is a style sheet of its own, which comes last.
        For a book that is written from right to left it is the mirror of what the layout says.
        """
        names = (name, name.replace(".css", f"-{self.tokens['opening-style']}.css"))
        texts = [
            self._resolve(folder / each)
            for each in names
            for folder in reversed(self.folders)
            if (folder / each).exists()
        ]
        css = "\n".join(texts)
        return mirror(css) if direction == "rtl" else css

    def _resolve(self, path: Path) -> str:
        css = path.read_text(encoding="utf-8")

        def value(found: re.Match[str]) -> str:
            if found[1] not in self.tokens:
                line = css.count("\n", 0, found.start()) + 1
                place = Place(f"layouts/{path.parent.parent.name}/{path.parent.name}/{path.name}", line)
                raise LayoutError(
                    f"layout.toml names no token '{found[1]}'; add it or correct the name", place
                )
            return self.tokens[found[1]]

        return _COMMENT.sub("", _VARIABLE.sub(value, css)).strip()

    def in_black(self) -> Layout:
        """The layout with the colours of `[colors.print]`, for a press with one ink."""
        changed = {
            name.removeprefix("print-"): value
            for name, value in self.tokens.items()
            if name.startswith("print-")
        }
        return replace(self, tokens={**self.tokens, **changed})

    def find(self, name: str) -> Path | None:
        """A file of the layout, or of base; None when neither has it."""
        return next((folder / name for folder in self.folders if (folder / name).exists()), None)

    def read_words(self, language: str) -> Mapping[str, str]:
        """What the press prints by itself, in `language` or, word by word, in English."""
        if language not in self._words:
            words: dict[str, str] = {}
            for code in dict.fromkeys(["en", language.split("-", maxsplit=1)[0], language]):
                path = self.find(f"words/{code}.toml")
                words |= tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
            self._words[language] = words
        return self._words[language]

    @cached_property
    def _words(self) -> dict[str, Mapping[str, str]]:
        """Words by language, read once."""
        return {}


def list_layouts(folder: Path) -> tuple[str, ...]:
    """Names of the layouts a book in `folder` can choose."""
    homes = [folder / "layouts", *HOMES]
    names = {path.parent.name for home in homes for path in home.glob("*/layout.toml")}
    return tuple(sorted(names - {"base"}))


def read_layout(name: str, folder: Path, *, cache: Path | None = None) -> Layout:
    """The layout `name`, from the book's own `layouts/` or from those that come with the project.

    Raises LayoutError when there is none, or when its layout.toml cannot be used.
    """
    homes = [home for home in (folder / "layouts", *HOMES) if home.is_dir()]
    found = next((home / name for home in homes if (home / name / "layout.toml").exists()), None)
    base = next((home / "base" for home in homes if (home / "base" / "layout.toml").exists()), None)
    if not found or not base or name == "base":
        known = ", ".join(list_layouts(folder))
        raise LayoutError(f"there is no layout '{name}'; there are {known}", Place("book.toml"))
    tables = [_read_toml(path / "layout.toml") for path in (base, found)]
    tokens = {key: value for table in tables for key, value in _flatten(table).items()}
    _check_opening(tokens["opening-style"], (found, base), name)
    faces = next(table["face"] for table in reversed(tables) if "face" in table)
    return Layout(name, (found, base), tokens, tuple(_make_face(row, name) for row in faces), cache)


def _check_opening(style: str, folders: Sequence[Path], layout: str) -> None:
    known = {
        path.stem.removeprefix("print-") for folder in folders for path in folder.glob("book/print-*.css")
    }
    if style not in known | {"plain"}:
        message = f"[opening] style is '{style}'; {suggest(style, known | {'plain'})}"
        raise LayoutError(message, Place(f"layouts/{layout}/layout.toml"))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LayoutError(str(error), Place(f"layouts/{path.parent.name}/layout.toml")) from error


def _flatten(table: Mapping[str, Any]) -> dict[str, str]:
    tokens = {key: value for key, value in table.items() if isinstance(value, str)}
    for section, values in table.items():
        if section == "colors":
            tokens |= values.get("light", {})
            for column in ("dark", "print"):
                tokens |= {f"{column}-{key}": value for key, value in values.get(column, {}).items()}
        elif isinstance(values, dict):
            tokens |= {f"{section}-{key}": str(value) for key, value in values.items()}
    return tokens


def _make_face(row: Mapping[str, Any], layout: str) -> FaceSpec:
    try:
        return FaceSpec(**row)
    except TypeError as error:
        raise LayoutError(f"[[face]]: {error}", Place(f"layouts/{layout}/layout.toml")) from error
