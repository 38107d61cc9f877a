"""Pictures of a chapter become JPEGs that mail can carry."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import ManyErrors
from pipeline.layouts import read_layout
from pipeline.mail.markup import MailPicture
from pipeline.mail.pictures import prepare_pictures
from pipeline.model import Chapter, Node
from pipeline.typeset import Type, prepare_type

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20"><rect width="60" height="20" fill="#4f7a4a"/></svg>'


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Type:
    """The faces of a layout."""
    return prepare_type(read_layout("classic", Path()).faces, tmp_path_factory.mktemp("cache"))


def chapter(*sources: str, width: str = "") -> Chapter:
    """A chapter that shows pictures, one below the other."""
    images = [
        Node("image", attrs={"src": src, "alt": "A bed."}, line=line) for line, src in enumerate(sources, 3)
    ]
    figures = [Node("figure", (image,), attrs={"width": width} if width else {}) for image in images]
    return Chapter("bed", "chapter", "Bed", tuple(figures), "chapters/01-bed.md")


def save(folder: Path, name: str, width: int, height: int) -> None:
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(folder / name)


def size(picture: MailPicture) -> tuple[int, int]:
    return Image.open(io.BytesIO(picture.data)).size


def prepare(one: Chapter, folder: Path, kind: Type) -> tuple[MailPicture, ...]:
    """All the pictures of a chapter."""
    shown = {node.attrs["src"] for node in one.walk() if node.kind == "image"}
    return prepare_pictures([one], folder, shown=shown, cache=kind.cache, kind=lambda: kind)


def test_a_large_picture_is_made_twice_the_column(tmp_path: Path, kind: Type) -> None:
    """And no larger than 200 KB, whatever is on it."""
    save(tmp_path, "bed.png", 1500, 750)
    [picture] = prepare(chapter("bed.png"), tmp_path, kind)

    assert (528, 264) == (picture.width, picture.height)
    assert len(picture.data) <= 200_000
    assert b"\xff\xd8\xff" == picture.data[:3]


def test_a_small_picture_is_not_blown_up(tmp_path: Path, kind: Type) -> None:
    """It is shown as wide as it is."""
    save(tmp_path, "bed.png", 100, 50)
    [picture] = prepare(chapter("bed.png"), tmp_path, kind)

    assert (100, 50) == (picture.width, picture.height) == size(picture)


@pytest.mark.filterwarnings(
    "ignore:No fonts configured"
)  # WeasyPrint says so once; system fonts are kept out
def test_a_drawing_is_drawn(tmp_path: Path, kind: Type) -> None:
    """As no mail program shows SVG."""
    (tmp_path / "bed.svg").write_text(SVG, "utf-8")
    [picture] = prepare(chapter("bed.svg"), tmp_path, kind)

    assert (528, 176) == (picture.width, picture.height)
    assert (1056, 352) == size(picture)
    assert picture.name.startswith("bed-")


@pytest.mark.parametrize(("width", "shown"), [("85%", 528), ("40%", 211)])
def test_only_a_narrow_picture_stays_narrow(tmp_path: Path, kind: Type, width: str, shown: int) -> None:
    """On a phone the column is narrow enough for the others."""
    save(tmp_path, "bed.png", 1100, 550)
    [picture] = prepare(chapter("bed.png", width=width), tmp_path, kind)

    assert shown == picture.width


def test_a_picture_shown_twice_is_made_once(tmp_path: Path, kind: Type) -> None:
    """Under one name."""
    save(tmp_path, "bed.png", 100, 50)

    assert 1 == len(prepare(chapter("bed.png", "bed.png"), tmp_path, kind))


def test_a_photograph_is_made_once_for_all(tmp_path: Path, kind: Type) -> None:
    """What lies in the cache is taken from there, and a photograph that changed is made anew."""
    save(tmp_path, "bed.png", 600, 300)
    [first] = prepare(chapter("bed.png"), tmp_path, kind)
    [kept] = [path for path in kind.cache.glob("*.jpg") if path.read_bytes() == first.data]
    kept.write_bytes(b"kept")
    [second] = prepare(chapter("bed.png"), tmp_path, kind)
    save(tmp_path, "bed.png", 600, 300)
    [third] = prepare(chapter("bed.png"), tmp_path, kind)

    assert b"kept" == second.data
    assert third.data not in {first.data, second.data}


def test_a_jpeg_that_mail_can_carry_stays_as_it_is(tmp_path: Path, kind: Type) -> None:
    """Nothing is lost by writing it again; one that is too wide is."""
    for name, width in (("small.jpg", 800), ("wide.jpg", 1200)):
        Image.new("RGB", (width, 400), "#4f7a4a").save(tmp_path / name, quality=95)
    small, wide = prepare(chapter("small.jpg", "wide.jpg"), tmp_path, kind)

    assert (tmp_path / "small.jpg").read_bytes() == small.data
    assert (1056, 352) == size(wide)


def test_a_photograph_needs_no_fonts(tmp_path: Path) -> None:
    """They are made ready for drawings alone."""
    save(tmp_path, "bed.png", 100, 50)

    def refuse() -> Type:
        raise AssertionError("fonts are slow to make ready")

    assert prepare_pictures(
        [chapter("bed.png")], tmp_path, shown={"bed.png"}, cache=tmp_path / "cache", kind=refuse
    )


def test_every_missing_picture_is_named_with_its_line(tmp_path: Path, kind: Type) -> None:
    """One run shows them all."""
    with pytest.raises(ManyErrors) as caught:
        prepare(chapter("a.png", "b.png"), tmp_path, kind)

    assert ["chapters/01-bed.md:3", "chapters/01-bed.md:4"] == [
        str(error.place) for error in caught.value.errors
    ]
