"""A layout is a folder: its tokens, templates and CSS over those of base, and errors that name the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import LayoutError
from pipeline.layouts import list_layouts, read_layout

LAYOUTS = Path(__file__).parents[2] / "layouts"
NAMES = sorted(path.parent.name for path in LAYOUTS.glob("*/layout.toml") if path.parent.name != "base")

Builder = Callable[..., object]


@pytest.fixture
def mine(tmp_path: Path) -> Callable[..., Path]:
    """Write a layout `mine` into a book's own folder; returns the book's folder."""

    def write(toml: str = "", **files: str) -> Path:
        folder = tmp_path / "layouts" / "mine"
        (folder / "book").mkdir(parents=True, exist_ok=True)
        (folder / "layout.toml").write_text(toml)
        for name, text in files.items():
            (folder / "book" / name.replace("_", ".", 1)).write_text(text)
        return tmp_path

    return write


def test_the_layouts_of_the_project_are_found() -> None:
    """`base` is no layout one could choose."""
    assert {"classic", "modern"} <= set(NAMES)
    assert tuple(NAMES) == list_layouts(Path())


@pytest.mark.parametrize("name", ["clasic", "base", "../classic", ""])
def test_a_layout_that_is_not_there_is_refused(name: str) -> None:
    """The message names those that are."""
    with pytest.raises(LayoutError, match=f"^book.toml: there is no layout '{name}'; .*classic"):
        read_layout(name, Path())


def test_a_books_own_layout_wins(mine: Callable[..., Path]) -> None:
    """A folder `layouts` beside book.toml comes first; what it leaves out comes from base."""
    folder = mine('[colors.light]\nink = "red"\n[page]\nsize = "A5"', print_css="p { color: var(--ink) }")
    layout = read_layout("mine", folder)

    assert {"classic", "mine", "modern"} <= set(list_layouts(folder))
    assert ("red", "A5") == (layout.tokens["ink"], layout.tokens["page-size"])
    assert read_layout("classic", folder).tokens["dark-ink"] == layout.tokens["dark-ink"]
    assert layout.read_css("book/print.css").endswith("p { color: red }")
    assert len(layout.read_css("book/print.css")) > len("p { color: red }")
    assert layout.faces


def test_a_layout_of_ones_own_may_bear_a_known_name(mine: Callable[..., Path]) -> None:
    """Then it takes the place of the one that comes with the project."""
    folder = mine('[page]\nsize = "A4"')
    (folder / "layouts" / "mine").rename(folder / "layouts" / "classic")

    assert "A4" == read_layout("classic", folder).tokens["page-size"]


def test_a_variable_nobody_defines_is_told_with_its_line(mine: Callable[..., Path]) -> None:
    """No `var()` reaches a reader."""
    layout = read_layout("mine", mine(print_css="p {\n  color: var( --inc );\n}"))

    with pytest.raises(LayoutError, match=r"^layouts/mine/book/print\.css:2: .* no token 'inc'"):
        layout.read_css("book/print.css")


def test_comments_and_variables_do_not_reach_the_outputs() -> None:
    """The CSS a reader gets is plain."""
    for name in NAMES:
        css = "".join(read_layout(name, Path()).read_css(f"book/{file}.css") for file in ("print", "epub"))

        assert "var(" not in css
        assert "/*" not in css


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[page", "layouts/mine/layout.toml"),
        ('[[face]]\nfamilly = "A"', r"layouts/mine/layout\.toml: \[\[face\]\]: .*familly"),
    ],
)
def test_a_layout_toml_that_cannot_be_used_is_named(
    mine: Callable[..., Path], toml: str, message: str
) -> None:
    """A slip in it is no traceback."""
    with pytest.raises(LayoutError, match=message):
        read_layout("mine", mine(toml))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("<p>\n{% if %}</p>", r"layouts/mine/book/title\.html\.j2:2: "),
        ("{{ nobody }}", "'nobody' is undefined"),
    ],
)
def test_a_template_that_cannot_be_filled_is_named(
    mine: Callable[..., Path], template: str, message: str
) -> None:
    """Its fault is the layout's, with the line where there is one."""
    folder = mine()
    (folder / "layouts" / "mine" / "book" / "title.html.j2").write_text(template)

    with pytest.raises(LayoutError, match=message):
        read_layout("mine", folder).fill("book/title.html.j2")


def test_words_fall_back_to_english_one_by_one(mine: Callable[..., Path]) -> None:
    """A language may know a few words only; a region may differ from its language."""
    folder = mine()
    words = folder / "layouts" / "mine" / "words"
    words.mkdir()
    (words / "xx.toml").write_text('chapter = "Kapitel"\nnote = "Notiz"')
    (words / "xx-YY.toml").write_text('note = "Merke"')
    layout = read_layout("mine", folder)

    assert ("Chapter", "Note") == (layout.read_words("zz")["chapter"], layout.read_words("zz")["note"])
    assert ("Kapitel", "Notiz") == (layout.read_words("xx")["chapter"], layout.read_words("xx")["note"])
    assert ("Kapitel", "Merke") == (layout.read_words("xx-YY")["chapter"], layout.read_words("xx-YY")["note"])
    assert layout.read_words("zz").keys() == layout.read_words("xx-YY").keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_layout_makes_a_book(build: Builder, name: str) -> None:
    """Whatever folder stands in layouts/ makes the book that says everything, and a plain one."""
    built = build("everything", layout=name)

    assert built.pdf_bytes.startswith(b"%PDF-")
    assert built.epub_bytes.startswith(b"PK")


def test_a_layout_that_asks_for_what_is_not_there_fails_the_build(
    mine: Callable[..., Path], manuscript: Callable[..., Path], tmp_path: Path
) -> None:
    """What WeasyPrint would only log is a fault of the layout: no file, no network."""
    from pipeline.build import make_edition, open_manuscript
    from pipeline.config import EditionTable

    mine(print_css="p { background: url(https://example.org/a.png); colour: red }")
    folder = manuscript("# One\n\nx", folder=tmp_path)

    with pytest.raises(LayoutError, match=r"colour|example\.org"):
        make_edition(open_manuscript(folder), EditionTable(name="full", layout="mine"), formats=("pdf",))
