"""Each shop gets the EPUB it takes, and a sheet says what was looked at."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import calibre
from pipeline.build import make_edition, open_manuscript
from pipeline.config import EditionTable
from pipeline.errors import ConfigError, PipelineError
from pipeline.preflight import CHECKS, Container
from pipeline.stores import STORES

TOML = '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\nlanguage = "en"\n'
CHAPTERS = {
    "01-part.md": "---\nkind: part\n---\n# Part\n",
    "02-one.md": "# One\n\n## Below\n\nA note.[^1]\n\n[^1]: At the end.\n",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The EPUB of a little book for every shop, on the disk, by the shop's name."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "chapters").mkdir()
    (folder / "book.toml").write_text(TOML)
    for name, text in CHAPTERS.items():
        (folder / "chapters" / name).write_text(text)
    shops = [name for name in STORES if name != "generic"]
    (made,) = make_edition(
        open_manuscript(folder), EditionTable(name="full"), formats=("epub",), stores=shops
    )
    for name, data in made.files.items():
        (folder / name).write_bytes(data)
    return {"generic": folder / "small.epub"} | {name: folder / f"small.{name}.epub" for name in shops}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("rule", [rule for rule, _, _ in CHECKS])
def test_every_shop_gets_what_it_takes(shelf: dict[str, Path], store: str, rule: str) -> None:
    """Every row of the sheet, for every shop."""
    check = next(check for name, _, check in CHECKS if name == rule)

    assert "" == check(Container(shelf[store]), STORES[store])


def test_only_kindle_has_no_page_for_the_cover(shelf: dict[str, Path]) -> None:
    """It shows the cover by itself, and would show it twice (rule I03)."""
    without = {name for name, path in shelf.items() if "EPUB/cover.xhtml" not in Container(path).members}

    assert {"kindle"} == without


def test_kobo_shows_two_levels(shelf: dict[str, Path]) -> None:
    """The third would stand beside the second (rule E08); the others have it."""
    assert (2, 3) == (Container(shelf["kobo"]).levels, Container(shelf["generic"]).levels)


SPOILT = {
    "E14": ("EPUB/one.xhtml", b"</body>", b"<form xmlns='http://www.w3.org/1999/xhtml'></form></body>"),
    "E16": ("EPUB/style.css", b"p", b"p { color: var(--ink) } p"),
    "A08": ("EPUB/one.xhtml", b'role="doc-backlink"', b'role="none"'),
    "E08": ("EPUB/toc.ncx", b"navPoint", b"navNothing"),
    "I02": ("EPUB/content.opf", b"cover-image", b"some-image"),
}


@pytest.mark.parametrize("rule", SPOILT)
def test_a_spoilt_book_is_found_out(shelf: dict[str, Path], tmp_path: Path, rule: str) -> None:
    """A check that cannot fail checks nothing."""
    member, old, new = SPOILT[rule]
    path = tmp_path / "spoilt.epub"
    with zipfile.ZipFile(shelf["generic"]) as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            bad.writestr(name, data.replace(old, new) if name == member else data)
    check = next(check for name, _, check in CHECKS if name == rule)

    assert check(Container(path), STORES["generic"])


def test_a_shop_nobody_knows_is_refused(manuscript: Callable[..., Path]) -> None:
    """With the name that was perhaps meant."""
    opened = open_manuscript(manuscript("# One\n", toml=TOML))

    with pytest.raises(ConfigError, match="kobo"):
        make_edition(opened, EditionTable(name="full"), formats=("epub",), stores=["kobbo"])


def test_a_file_that_is_no_epub_is_no_traceback(tmp_path: Path) -> None:
    """It says what to do."""
    path = tmp_path / "broken.epub"
    path.write_bytes(b"PK\x03\x04 broken")

    with pytest.raises(PipelineError, match="make it anew"):
        _ = Container(path).members


def write_program(path: Path, lines: str) -> str:
    """A stand-in for calibre's converter."""
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def test_an_azw3_is_written_whole(tmp_path: Path, shelf: dict[str, Path]) -> None:
    """What calibre made lies where it belongs."""
    program = write_program(tmp_path / "ebook-convert", 'cp "$1" "$2"')
    calibre.convert(program, shelf["kindle"], tmp_path / "small.azw3")

    assert shelf["kindle"].read_bytes() == (tmp_path / "small.azw3").read_bytes()


def test_what_calibre_cannot_convert_leaves_nothing(tmp_path: Path, shelf: dict[str, Path]) -> None:
    """Its last words are told; no half file stays."""
    program = write_program(tmp_path / "ebook-convert", "echo no memory >&2; exit 1")

    with pytest.raises(PipelineError, match="no memory"):
        calibre.convert(program, shelf["kindle"], tmp_path / "small.azw3")
    assert not (tmp_path / "small.azw3").exists()


def test_two_builds_for_a_shop_are_the_same_bytes(manuscript: Callable[..., Path]) -> None:
    """As for every output."""
    folder = manuscript("# One\n\nText.\n", toml=TOML)
    first, second = (
        make_edition(open_manuscript(folder), EditionTable(name="full"), formats=("epub",), stores=["kobo"])
        for _ in range(2)
    )

    assert first[0].files == second[0].files
    with zipfile.ZipFile(io.BytesIO(first[0].files["small.kobo.epub"])) as archive:
        assert archive.testzip() is None
