"""Pictures are found where authors say, and made fit for a book."""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageFile

from pipeline.errors import ManuscriptError, Place
from pipeline.images import (
    EPUB_BYTES,
    EPUB_PIXELS,
    MAX_BYTES,
    Picture,
    find_image,
    for_epub,
    for_print,
    size_of,
)

PLACE = Place("chapters/03-sleep.md", 12)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40"><g/></svg>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A book's folder with one good picture in it."""
    (tmp_path / "book" / "images").mkdir(parents=True)
    Image.new("RGB", (60, 40), "green").save(tmp_path / "book" / "images" / "cell.png")
    return tmp_path / "book"


def refused(folder: Path, src: str) -> str:
    with pytest.raises(ManuscriptError) as caught:
        find_image(folder, src, PLACE)

    assert PLACE == caught.value.place
    return caught.value.message


def look(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def noise(width: int, height: int) -> Image.Image:
    """A photograph of nothing: as hard to compress as any."""
    return Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in "RGB"])


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header claims a size that its data need not have."""
    header = (b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    parts = [header, *chunks, (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def private_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "CAMERA"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return exif


@pytest.mark.parametrize(
    "src", ["images/cell.png", "./images//cell.png", "images/../images/cell.png", "images/cell%2Epng"]
)
def test_picture_is_found(folder: Path, src: str) -> None:
    """Paths are relative to the book's folder, as Markdown may encode them."""
    assert folder / "images" / "cell.png" == find_image(folder, src, PLACE)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_name_with_spaces_and_umlauts_is_found(folder: Path, form: str) -> None:
    """However the disk composes its accents; the name in the book is plain."""
    name = unicodedata.normalize("NFD", "Große Zelle über.png")
    (folder / "images" / "cell.png").rename(folder / name)
    path = find_image(folder, unicodedata.normalize(form, "Gro%C3%9Fe Zelle%20über.png"), PLACE)

    assert folder / name == path
    assert re.fullmatch(r"grosse-zelle-uber-[0-9a-f]{8}\.png", for_epub(path, "").name)


@pytest.mark.parametrize(
    ("src", "words"),
    [
        ("https://example.org/cell.png", "copy it there"),
        ("data:image/png;base64,AA==", "copy it there"),
        ("file:///etc/hosts", "copy it there"),
        ("/etc/hosts", "copy it there"),
        ("C:/cell.png", "copy it there"),
        ("../book/images/cell.png", "leads out of the book's folder"),
        ("images/%2e%2e/../cell.png", "leads out of the book's folder"),
        ("images\\cell.png", "has a backslash"),
        ("images/cell%00.png", "is missing"),
        ("images", "is not a file"),
        ("", "is not a file"),
        ("images/Cell.png", 'is written "cell.png" on disk; write it so'),
        ("Images/cell.png", 'is written "images" on disk; write it so'),
        ("images/cels.png", '(did you mean "images/cell.png"?)'),
        ("cell.png", '(did you mean "images/cell.png"?)'),
        ("images/cell.png/more.png", "is missing"),
        ("x" * 5000, "is missing; put it into the book's folder under that name"),
    ],
)
def test_address_that_is_no_picture_of_the_book_is_refused(folder: Path, src: str, words: str) -> None:
    """The message says what is wrong with the address and what to do."""
    message = refused(folder, src)

    assert words in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.png", png(60_000, 60_000), "has more than 100 million pixels"),
        ("x.png", png(12_000, 9_000), "has more than 100 million pixels"),
        ("x.png", png(9, 9, (b"zTXt", b"a\0\0" + zlib.compress(bytes(90_000_000)))), "is damaged"),
        ("x.png", png(9, 9)[:-20], "is damaged or cut short"),
        ("x.png", b"\xff\xd8\xff\xe0 and so on", "holds JPEG, not PNG; rename it to end in .jpeg"),
        ("x.svg", png(9, 9), "holds PNG, not SVG; rename it to end in .png"),
        ("x.png", b"", "holds something else, not PNG; save it again"),
        ("x.gif", SVG, "holds something else, not GIF"),
        ("x.jpg", b"\xff\xd8\xff\xe0", "is damaged or cut short"),
        ("x.webp", b"RIFF0000WEBPVP8 ", "is damaged or cut short"),
        ("x.tiff", b"II*\0", "save it as PNG, JPEG, GIF, WebP or SVG"),
        ("x.eps", b"%!PS", "save it as PNG, JPEG, GIF, WebP or SVG"),
        ("x", b"", "save it as PNG, JPEG, GIF, WebP or SVG"),
        ("x.svg", SVG.replace(b"<g/>", b"<script/>"), "has a script"),
        ("x.png", png(9, 9) + bytes(MAX_BYTES), "has 30 MB, the most is 30 MB"),
    ],
)
def test_file_that_is_no_good_picture_is_refused(folder: Path, name: str, data: bytes, words: str) -> None:
    """Bombs, wrong extensions, damage and scripts are found before anything is decoded."""
    (folder / name).write_bytes(data)

    assert words in refused(folder, name)


@pytest.mark.parametrize("kind", ["jpg", "gif", "webp"])
def test_file_cut_short_is_refused_even_after_weasyprint(folder: Path, kind: str) -> None:
    """WeasyPrint tells Pillow to bear with cut files, for the whole process; authors want to know."""
    import weasyprint.images  # noqa: F401

    assert ImageFile.LOAD_TRUNCATED_IMAGES
    file = io.BytesIO()
    noise(90, 90).save(file, {"jpg": "JPEG"}.get(kind, kind))
    (folder / f"x.{kind}").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])

    assert "is damaged or cut short" in refused(folder, f"x.{kind}")


def test_link_out_of_the_folder_is_refused(folder: Path) -> None:
    """A link to a picture elsewhere, or a linked folder, would break on another machine."""
    (folder.parent / "other").mkdir()
    (folder / "images" / "cell.png").rename(folder.parent / "other" / "cell.png")
    (folder / "link.png").symlink_to(folder.parent / "other" / "cell.png")
    (folder / "linked").symlink_to(folder.parent / "other")
    (folder / "loose.png").symlink_to(folder / "nowhere.png")

    assert "is a link out of the book's folder" in refused(folder, "link.png")
    assert "is a link out of the book's folder" in refused(folder, "linked/cell.png")
    assert "is not a file" in refused(folder, "loose.png")


def test_link_within_the_folder_is_taken(folder: Path) -> None:
    """Two names for one picture are the author's business."""
    (folder / "link.png").symlink_to(folder / "images" / "cell.png")

    assert (60, 40) == size_of(find_image(folder, "link.png", PLACE))


def test_file_that_may_not_be_read_is_refused(
    folder: Path, without_rights: Callable[[], AbstractContextManager[None]]
) -> None:
    """Permission is the author's to give."""
    (folder / "images" / "cell.png").chmod(0)

    with without_rights():
        reason = refused(folder, "images/cell.png")

    assert "allow yourself to read it" in reason


@pytest.mark.parametrize(("name", "options"), [("x.png", {}), ("x.jpg", {"quality": 80, "dpi": (300, 300)})])
def test_good_picture_keeps_its_bytes(folder: Path, name: str, options: dict[str, int]) -> None:
    """Nothing is encoded twice."""
    noise(90, 60).save(folder / name, **options)
    picture = for_epub(folder / name, "Noise.")

    assert (folder / name).read_bytes() == picture.data == for_print(folder / name, "").data
    assert (90, 60) == (picture.width, picture.height) == size_of(folder / name)
    assert {".png": "image/png", ".jpg": "image/jpeg"}[Path(name).suffix] == picture.media_type


@pytest.mark.parametrize(
    ("name", "options"),
    [("x.png", {}), ("x.jpg", {"comment": b"HOME"}), ("x.jpg", {"comment": b"HOME", "progressive": True})],
)
def test_metadata_is_cut_out_and_pixels_stay(folder: Path, name: str, options: dict[str, bytes]) -> None:
    """Where and with what a picture was taken stays with the author, in the EPUB and in the PDF."""
    noise(90, 60).save(folder / name, exif=private_exif(), **options)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"HOME")
    for picture in (for_epub(path, ""), for_print(path, "")):
        assert b"CAMERA" in path.read_bytes()
        assert b"CAMERA" not in picture.data
        assert b"HOME" not in picture.data
        assert {} == dict(look(picture).getexif())
        assert Image.open(path).tobytes() == look(picture).tobytes()


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp"])
def test_picture_taken_sideways_is_turned(folder: Path, name: str) -> None:
    """Orientation 6: the camera was turned left, so the file's left edge is the top."""
    sideways = Image.new("RGB", (80, 40), "white")
    sideways.paste("black", (0, 0, 20, 40))
    sideways.save(folder / name, exif=private_exif(orientation=6))
    picture = for_epub(folder / name, "")
    shown = look(picture).convert("L")

    assert (40, 80) == shown.size == (picture.width, picture.height) == size_of(folder / name)
    assert shown.getpixel((20, 5)) < 50
    assert shown.getpixel((20, 75)) > 200
    assert b"CAMERA" not in picture.data


@pytest.mark.parametrize(
    ("name", "image", "colour"),
    [
        ("x.jpg", Image.new("CMYK", (9, 9), (255, 0, 0, 0)), (0, 255, 255)),
        ("x.png", Image.new("RGBA", (9, 9), (255, 0, 0, 0)), (255, 255, 255)),
        ("x.png", Image.new("RGBA", (9, 9), (255, 0, 0, 255)), (255, 0, 0)),
        ("x.png", Image.new("LA", (9, 9), (0, 0)), (255, 255, 255)),
        ("x.png", Image.new("P", (9, 9), "red"), (255, 0, 0)),
        ("x.png", Image.new("I;16", (9, 9), 0x8080), (128, 128, 128)),
        ("x.png", Image.new("1", (9, 9), 1), (255, 255, 255)),
        ("x.gif", Image.new("P", (9, 9), "red"), (255, 0, 0)),
        ("x.webp", Image.new("RGBA", (9, 9), (255, 0, 0, 0)), (255, 255, 255)),
    ],
)
def test_picture_becomes_rgb_on_white(
    folder: Path, name: str, image: Image.Image, colour: tuple[int, int, int]
) -> None:
    """Stores refuse CMYK and transparency, and old readers other depths."""
    image.save(folder / name)
    picture = for_epub(folder / name, "")
    shown = look(picture)

    assert picture.media_type in {"image/png", "image/jpeg"}
    assert shown.mode in {"RGB", "L"}
    assert not shown.has_transparency_data
    assert picture == for_epub(folder / name, "")
    assert all(abs(a - b) < 6 for a, b in zip(colour, shown.convert("RGB").getpixel((4, 4)), strict=True))


def test_transparent_colour_is_flattened(folder: Path) -> None:
    """A palette or RGB picture may call one colour transparent."""
    Image.new("RGB", (9, 9), "blue").save(folder / "x.png", transparency=(0, 0, 255))

    assert (255, 255, 255) == look(for_epub(folder / "x.png", "")).getpixel((4, 4))


def test_colour_profile_is_kept_with_the_bytes_and_obeyed_without(folder: Path) -> None:
    """A profile is part of the picture; where it goes, its colours come over into sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (9, 9), "teal").save(folder / "kept.jpg", icc_profile=profile)
    Image.new("RGBA", (9, 9), "teal").save(folder / "obeyed.png", icc_profile=profile)

    assert profile == look(for_epub(folder / "kept.jpg", "")).info["icc_profile"]
    assert (0, 128, 128) == look(for_epub(folder / "obeyed.png", "")).getpixel((4, 4))


@pytest.mark.parametrize(
    ("name", "options"), [("x.jpg", {"quality": 95}), ("x.png", {}), ("x.webp", {"quality": 90})]
)
def test_big_photograph_is_brought_within_the_limits(
    folder: Path, name: str, options: dict[str, int]
) -> None:
    """At most 4,000,000 pixels and 1.5 MB, of the same proportions."""
    noise(525, 490).resize((2100, 1950)).save(folder / name, **options)
    picture = for_epub(folder / name, "")

    assert "image/jpeg" == picture.media_type
    assert len(picture.data) <= EPUB_BYTES
    assert picture.width * picture.height <= EPUB_PIXELS
    assert pytest.approx(2100 / 1950, rel=0.01) == picture.width / picture.height
    assert (picture.width, picture.height) == look(picture).size


def test_photograph_that_will_not_compress_is_made_smaller(folder: Path) -> None:
    """The limit of 1.5 MB holds whatever the picture shows."""
    noise(1800, 1600).save(folder / "x.jpg", quality=95)
    picture = for_epub(folder / "x.jpg", "")

    assert len(picture.data) <= EPUB_BYTES < (folder / "x.jpg").stat().st_size


def test_big_drawing_stays_a_png(folder: Path) -> None:
    """Flat colours and sharp edges do not survive JPEG."""
    Image.new("RGB", (2100, 1950), "green").save(folder / "x.png")
    picture = for_epub(folder / "x.png", "")

    assert "image/png" == picture.media_type
    assert picture.width * picture.height <= EPUB_PIXELS
    assert (2100, 1950) == look(for_print(folder / "x.png", "")).size


def test_names_tell_pictures_apart(folder: Path) -> None:
    """Two pictures of one name in two folders stay two; a name without a Latin letter is still a name."""
    Image.new("RGB", (60, 40), "red").save(folder / "cell.png")
    Image.new("RGB", (60, 40), "red").save(folder / "睡眠.png")
    names = [for_epub(folder / name, "").name for name in ("cell.png", "images/cell.png", "睡眠.png")]

    assert 3 == len(set(names))
    assert all(re.fullmatch(r"(cell|image)-[0-9a-f]{8}\.png", name) for name in names)


def test_drawing_is_titled_and_sized(folder: Path) -> None:
    """An SVG keeps its shapes; its title is the alternative text."""
    (folder / "x.svg").write_bytes(SVG)
    picture = for_epub(find_image(folder, "x.svg", PLACE), "A cell.")

    assert ("image/svg+xml", 60, 40) == (picture.media_type, picture.width, picture.height)
    assert b"<title>A cell.</title><g/>" in picture.data
    assert (60, 40) == size_of(folder / "x.svg")


def test_drawing_too_big_for_the_stores_is_refused(folder: Path) -> None:
    """It cannot be compressed for the author, and it may still be printed."""
    (folder / "x.svg").write_bytes(SVG.replace(b"<g/>", b"<desc>" + b"x" * EPUB_BYTES + b"</desc>"))

    with pytest.raises(ManuscriptError, match="simplify it or save it as PNG"):
        for_epub(folder / "x.svg", "")

    assert 60 == for_print(folder / "x.svg", "").width
