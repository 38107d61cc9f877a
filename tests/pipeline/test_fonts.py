"""Faces are pinned, written into a cache, and the only ones the press can see."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
import uharfbuzz as hb
from fontTools.ttLib import TTFont

from pipeline.errors import LayoutError, Place
from pipeline.fonts import Face, FaceSpec, font_css, missing, pin_face, subset

SERIF = FaceSpec("Book Serif", "fontpkg-source-serif-4", 400, "normal", {"opsz": 11})
FACES = (
    SERIF,
    FaceSpec("Book Serif", "fontpkg-source-serif-4", 400, "italic", {"opsz": 11}),
    FaceSpec("Book Serif", "fontpkg-source-serif-4", 700, "normal", {"opsz": 11}),
    FaceSpec("Book Serif", "fontpkg-source-serif-4", 700, "italic", {"opsz": 11}),
    FaceSpec("Book Sans", "fontpkg-source-sans-3", 600),
)

PRESS = """
import sys, warnings
from pathlib import Path
from pipeline.fonts import isolate
warnings.simplefilter("error")
isolate(Path(sys.argv[1]))
import weasyprint
weasyprint.HTML(string=sys.stdin.read()).write_pdf(sys.argv[2])
"""

PAGES = """<html lang="en"><style>
@page { size: 300px 100px; margin: 0 } body { font-family: "Book Serif" }
p { break-after: page; margin: 0; font-size: 30px }
</style>
<p>The first <i>italic</i> <b>bold <i>both</i></b> <span style="font: 600 20px 'Book Sans'">sans</span></p>
<p style="font-family: 'DejaVu Sans', Arial, serif">The first</p>
<p style="font-family: 'Book Serif'">The first</p>
<p style="font-variant-caps: small-caps">Quick 109</p>
<p style="font-feature-settings: 'smcp'">Quick 109</p>
<p style="font-variant-numeric: oldstyle-nums">Quick 109</p>
<p style="font-feature-settings: 'onum'">Quick 109</p>
<p style="font-variant-numeric: lining-nums">Quick 109</p>
<p>Quick 109</p>
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts & <cache>")


@pytest.fixture(scope="module")
def faces(cache: Path) -> list[Face]:
    return [pin_face(spec, cache) for spec in FACES]


@pytest.fixture(scope="module")
def pdf(cache: Path, faces: list[Face]) -> Path:
    """PAGES, laid out by a fresh process that has called `isolate`."""
    path = cache / "pages.pdf"
    html = PAGES.replace("<style>", f"<style>{font_css(faces, lambda face: face.path.as_uri())}")
    command = [sys.executable, "-c", PRESS, str(cache), str(path)]
    folder = Path(__file__).parents[2]
    done = subprocess.run(command, input=html, capture_output=True, text=True, check=False, cwd=folder)

    assert (0, "") == (done.returncode, done.stderr)
    return path


def draw(pdf: Path) -> list[bytes]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [bytes(page.render(scale=1).buffer) for page in document]


def test_pinned_face_is_static_and_knows_its_weight_and_style(faces: list[Face]) -> None:
    """No axis is left, and every table that tells weight or slant agrees with the row of the layout."""
    for face in faces:
        font = TTFont(face.path, checkChecksums=2)
        bold, italic = face.weight == 700, face.style == "italic"

        assert not {"fvar", "gvar", "STAT", "DSIG"} & set(font.keys())
        assert face.weight == font["OS/2"].usWeightClass
        assert (italic, bold) == (bool(font["OS/2"].fsSelection & 1), bool(font["OS/2"].fsSelection & 32))
        assert bold + 2 * italic == font["head"].macStyle
        assert italic == (font["post"].italicAngle != 0)
        assert face.family == font["name"].getDebugName(1)


def test_pinned_face_is_a_valid_font_file(faces: list[Face]) -> None:
    """The sum over the whole file is the constant that OpenType asks for."""
    for face in faces:
        data = face.path.read_bytes()
        words = [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]

        assert 0xB1B0AFBA == sum(words) & 0xFFFFFFFF


def test_axes_change_the_shapes(cache: Path) -> None:
    """A heading cut and a text cut of one font are two files."""
    display = pin_face(FaceSpec("Display", "fontpkg-source-serif-4", axes={"opsz": 60}), cache)
    text = pin_face(SERIF, cache)

    assert display.path != text.path
    assert TTFont(display.path)["hmtx"]["m"] != TTFont(text.path)["hmtx"]["m"]


def test_static_font_is_taken_at_its_own_weight(
    faces: list[Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package may hold one file for each weight instead of a variable font."""
    folder = tmp_path / "fontpkg_static"
    folder.mkdir()
    row = {"path": "bold.ttf", "style": "normal", "weight": 700, "variable": False}
    (folder / "metadata.json").write_text(json.dumps({"files": [row], "copyright": "C"}))
    (folder / "LICENSE").write_text("OFL")
    (folder / "__init__.py").touch()
    shutil.copy(faces[2].path, folder / "bold.ttf")
    monkeypatch.syspath_prepend(tmp_path)
    face = pin_face(FaceSpec("Own", "fontpkg-static", 700), tmp_path / "cache")

    assert "Own" == TTFont(face.path)["name"].getDebugName(1)
    assert faces[2].characters == face.characters
    with pytest.raises(LayoutError, match="has no weight 400; it has 700"):
        pin_face(FaceSpec("Own", "fontpkg-static", 400), tmp_path / "cache")


def test_second_pinning_finds_the_first(tmp_path: Path) -> None:
    """The cache is asked first, and nothing half-written stays behind in it."""
    first = pin_face(SERIF, tmp_path)
    first.path.write_bytes(first.path.read_bytes() + b"mark")
    second = pin_face(SERIF, tmp_path)

    assert first == second
    assert second.path.read_bytes().endswith(b"mark")
    assert [first.path] == list(tmp_path.iterdir())


def test_pinning_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two machines with the same packages have the same fonts."""
    one, two = (pin_face(SERIF, tmp_path / name) for name in ("one", "two"))

    assert one.path.name == two.path.name
    assert one.path.read_bytes() == two.path.read_bytes()


def test_face_carries_its_licence(faces: list[Face]) -> None:
    """Who passes a font on must pass on its licence too."""
    assert "SIL OPEN FONT LICENSE" in faces[0].licence.upper()
    assert "Adobe" in faces[0].notice
    assert "\n" not in faces[0].notice


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (FaceSpec("X", "fontpkg-no-such-face"), "is not installed; run: pip install fontpkg-no-such-face"),
        (FaceSpec("X", "os"), "is no font package"),
        (FaceSpec("X", "fontpkg-../../etc"), "is no font package"),
        (FaceSpec("X", "fontpkg-eb-garamond", 900), "has no weight 900; choose 400 to 800"),
        (FaceSpec("X", "fontpkg-eb-garamond", 450), "one of 100, 200 ... 900"),
        (FaceSpec("X", "fontpkg-eb-garamond", axes={"wght": 500}), "give the weight as `weight`"),
        (FaceSpec("X", "fontpkg-eb-garamond", style="oblique"), "use normal or italic"),
        (FaceSpec("X", "fontpkg-eb-garamond", axes={"opsz": 12}), 'has no axis "opsz"; it has wght'),
        (FaceSpec("X", "fontpkg-literata", axes={"opsz": 99}), 'has no "opsz" 99; choose 7 to 72'),
        (FaceSpec("X", "fontpkg-literata", axes={"opsz": float("nan")}), 'has no "opsz" nan; choose 7 to 72'),
    ],
)
def test_face_that_cannot_be_made_is_explained(spec: FaceSpec, words: str, tmp_path: Path) -> None:
    """The message names the family, the place and the cure."""
    with pytest.raises(LayoutError, match=re.escape(words)) as caught:
        pin_face(spec, tmp_path, place=Place("layouts/classic/layout.toml"))

    assert str(caught.value).startswith('layouts/classic/layout.toml: face "X": ')
    assert [] == list(tmp_path.iterdir())


def test_press_sees_no_font_but_ours(pdf: Path, need: Callable[[object, str], None]) -> None:
    """Missing families and small caps bring in no font of the system, and no second copy of ours."""
    need(shutil.which("pdffonts"), "pdffonts (poppler)")
    listed = subprocess.run(["pdffonts", str(pdf)], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].partition("+")[2].rstrip(",") for line in listed.splitlines()[2:]}

    assert {
        "Book-Serif", "Book-Serif-Italic", "Book-Serif-Bold", "Book-Serif-Bold-Italic", "Book-Sans-Semi-Bold",
    } == names  # fmt: skip


def test_first_face_stands_in_for_missing_families(pdf: Path) -> None:
    """The fallback does not depend on the machine."""
    _, fallback, ours, *_ = draw(pdf)

    assert ours == fallback


def test_small_caps_and_figures_are_the_font_s_own(pdf: Path) -> None:
    """Small caps are drawn by smcp, old-style figures by onum, and both differ from plain text."""
    _, _, _, caps, smcp, oldstyle, onum, lining, plain = draw(pdf)

    assert smcp == caps
    assert onum == oldstyle
    assert plain == lining
    assert 3 == len({caps, oldstyle, plain})


def test_font_css_quotes_what_it_is_given(faces: list[Face]) -> None:
    """A family or an address with a quote in it cannot end the string."""
    (rule,) = font_css(faces[:1], lambda _face: 'a"b\\c.ttf').splitlines()

    assert (
        '@font-face { font-family: "Book Serif"; font-weight: 400; font-style: normal;'
        ' src: url("a\\22 b\\5c c.ttf"); }'
    ) == rule


def shape(data: bytes, text: str, **features: bool) -> list[str]:
    font = hb.Font(hb.Face(hb.Blob(data)))
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer, {"kern": False} | features)
    return [position.x_advance for position in buffer.glyph_positions]


@pytest.mark.parametrize("features", [{}, {"smcp": True}, {"c2sc": True}, {"onum": True}, {"kern": True}])
def test_subset_sets_text_as_the_whole_face_does(faces: list[Face], features: dict[str, bool]) -> None:
    """Ligatures, small capitals, figures and kerning come along with their letters."""
    text = "Wafer office 1906"
    whole = faces[0].path.read_bytes()

    assert shape(whole, text, **features) == shape(subset(faces[0], [text]), text, **features)


def test_subset_is_small_and_always_the_same(faces: list[Face]) -> None:
    """Only what the text needs stays, and two builds are equal."""
    once, again = subset(faces[0], ["abc", "déjà"]), subset(faces[0], ["déjà", "cab"])
    kept = TTFont(io.BytesIO(once)).getBestCmap()

    assert once == again
    assert len(once) < faces[0].path.stat().st_size / 10
    assert set("abcdéjà") <= set(map(chr, kept))
    assert "z" not in map(chr, kept)
    assert set(map(ord, "0123456789-\u2010\u2022")) <= set(kept)


def test_subset_keeps_the_copyright(faces: list[Face]) -> None:
    """The licence asks for it in every copy."""
    names = TTFont(io.BytesIO(subset(faces[0], ["a"])))["name"]

    assert "Adobe" in names.getDebugName(0)
    assert "SIL Open Font License" in names.getDebugName(13)


def test_missing_names_what_no_face_can_show(faces: list[Face]) -> None:
    """Letters count; controls, joiners, soft hyphens, spaces and variation selectors do not."""
    text = [
        "Sleep, déjà vu, ж, 睡眠",
        "\t\n\u00ad\u200c\u200d\u2060\ufeff\ufe0f\U000e0100\u202f\u3000",
        "\ue000",
    ]

    assert {"睡", "眠", "\ue000"} == missing(faces, text)
    assert set() == missing(faces, [])
