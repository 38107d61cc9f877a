"""A cover is drawn from the title, or is the author's own; it has its size and its words."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from PIL import Image

from pipeline.build import open_manuscript, resolve_edition
from pipeline.config import EditionTable
from pipeline.cover import describe_cover, draw_cover, make_cover, set_lines
from pipeline.errors import ManuscriptError
from pipeline.fonts import Face
from pipeline.layouts import Layout, read_layout
from pipeline.model import Book
from pipeline.typeset import Type, prepare_type

Scribe = Callable[..., Path]
LAYOUTS = [path.parent.name for path in sorted((Path(__file__).parents[2] / "layouts").glob("*/layout.toml"))]


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Type:
    """The faces of a layout, pinned once."""
    return prepare_type(read_layout("classic", Path()).faces, tmp_path_factory.mktemp("cache"))


def resolve(folder: Path) -> tuple[Book, Layout]:
    return resolve_edition(open_manuscript(folder), EditionTable(name="full"))


def with_cover(book: Book, **values: object) -> Book:
    return replace(book, meta=msgspec.structs.replace(book.meta, **values))


def save(width: int, height: int, kind: str, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), 0).save(out, kind)
    return out.getvalue()


def test_a_drawn_cover_has_the_size_that_stores_ask_for(everything) -> None:
    """A JPEG of 1600 by 2560 pixels, in RGB (rule I02), and words for those who cannot see it."""
    picture = Image.open(io.BytesIO(everything.members["images/cover.jpg"]))

    assert ("JPEG", "RGB", (1600, 2560)) == (picture.format, picture.mode, picture.size)
    assert len(picture.getcolors(1 << 20) or range(1 << 20)) > 10
    assert ["Cover: Everything. Each construct once. Ana Ruiz."] == everything.find(
        "cover.xhtml", "//h:img/@alt"
    )


def test_no_cover_is_drawn_where_none_is_wanted(manuscript: Scribe, kind: Type) -> None:
    """`cover = "none"` says so."""
    book, layout = resolve(manuscript("# One\n\nx"))

    assert make_cover(book, layout, kind, page_ratio=1.5) is None


@pytest.mark.parametrize(
    ("name", "form", "mode"), [("c.png", "PNG", "RGBA"), ("c.jpg", "JPEG", "RGB"), ("c.png", "PNG", "L")]
)
def test_an_authors_own_cover_becomes_a_jpeg(
    manuscript: Scribe, kind: Type, name: str, form: str, mode: str
) -> None:
    """Its size stays, and its words are the author's."""
    book, layout = resolve(manuscript("# One\n\nx", files={name: save(1400, 1500, form, mode)}))
    cover = make_cover(with_cover(book, cover=name, cover_alt="A door."), layout, kind, page_ratio=1.5)

    assert cover
    picture = Image.open(io.BytesIO(cover.jpeg))

    assert ("JPEG", "RGB", (1400, 1500)) == (picture.format, picture.mode, picture.size)
    assert ("A door.", b"") == (cover.alt, cover.vector)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("c.png", save(1399, 3000, "PNG"), "the cover's shorter side has 1399 pixels"),
        ("c.png", b"no picture", "c.png"),
        ("c.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1600 2560"/>', "SVG"),
        ("other.png", b"", "is missing"),
    ],
)
def test_a_cover_that_cannot_be_used_is_refused(
    manuscript: Scribe, kind: Type, name: str, data: bytes, message: str
) -> None:
    """Told in book.toml, where it is named."""
    book, layout = resolve(manuscript("# One\n\nx", files={name: data} if data else {}))

    with pytest.raises(ManuscriptError, match=message) as raised:
        make_cover(with_cover(book, cover=name), layout, kind, page_ratio=1.5)
    assert "book.toml" == raised.value.place.path


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "base"])
def test_the_art_is_well_formed_and_says_the_title(manuscript: Scribe, name: str, tmp_path: Path) -> None:
    """Each word of the title, whatever its signs; nothing but shapes and words."""
    layout = read_layout(name, Path())
    book, _ = resolve(manuscript("# One\n\nx"))
    book = with_cover(book, title="Sense & <Sensibility>", subtitle="Twice", authors=book.meta.authors * 2)
    root = etree.fromstring(
        draw_cover(book, layout, prepare_type(layout.faces, tmp_path), height=2400).encode()
    )
    said = " ".join(" ".join(root.itertext()).split()).casefold()

    assert "0 0 1600 2400" == root.get("viewBox")
    assert "sense & <sensibility>" in said
    assert "ana ruiz and ana ruiz" in said
    assert {"svg", "text"} <= {etree.QName(element).localname for element in root.iter(etree.Element)}
    assert {"script", "image", "foreignObject"}.isdisjoint(
        etree.QName(e).localname for e in root.iter(etree.Element)
    )


def test_the_description_names_what_is_there(manuscript: Scribe) -> None:
    """Without subtitle and people there are no empty sentences."""
    book, layout = resolve(manuscript("# One\n\nx"))

    assert "Cover: Small. Ana Ruiz." == describe_cover(book, layout)
    assert "Cover: Small." == describe_cover(with_cover(book, authors=()), layout)


def lines(faces: tuple[Face, ...], text: str, **values: float) -> tuple[float, list[str]]:
    return set_lines(
        faces, text, family=faces[0].family, width=1000, size=100, weight=faces[0].weight, **values
    )


def test_lines_fit_and_are_balanced(kind: Type) -> None:
    """No word is lost, the size is the largest that fits, and the last line is no widow."""
    text = "The quick brown fox jumps over the lazy dog and rests a while"
    size, broken = lines(kind.faces, text)

    assert text.split() == " ".join(broken).split()
    assert 0 < size <= 100
    assert 1 < len(broken) <= 5
    assert min(map(len, broken)) * 2 > max(map(len, broken))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("One", ["One"]), ("a" * 200, ["a" * 200]), ("b " * 300, None)],
    ids=["nothing", "one word", "a long word", "many words"],
)
def test_titles_of_any_length_are_set(kind: Type, text: str, expected: list[str] | None) -> None:
    """A title too long for its size is set smaller."""
    size, broken = lines(kind.faces, text)

    assert size > 0
    assert expected in (None, broken)
    assert text.split() == " ".join(broken).split()
