"""A PDF that lasts keeps two standards at once, and carries what the book was made from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from pipeline.build import make_edition, open_manuscript
from pipeline.check.judges.books import ask_verapdf, find_verapdf
from pipeline.config import EditionTable
from pipeline.errors import JudgeError

TOML = (
    '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\nlanguage = "en"\ncover = "none"\n'
    '[archive]\nattach = ["epub", "sources"]\n'
)
CHAPTER = "# One\n\nA note.[^1] A [link](https://example.org).\n\n- one\n\n- two\n\n[^1]: At the foot.\n"


@pytest.fixture
def archive(manuscript: Callable[..., Path]) -> Callable[..., bytes]:
    """The archived PDF of a little book."""

    def make(toml: str = TOML) -> bytes:
        opened = open_manuscript(manuscript(CHAPTER, toml=toml))
        (made,) = make_edition(opened, EditionTable(name="full", formats=("archive",)))
        return made.files["small.archive.pdf"]

    return make


@pytest.mark.judges
@pytest.mark.parametrize("profile", ["3a", "ua1"])
def test_one_file_keeps_both_standards(
    archive: Callable[..., bytes], tmp_path: Path, need: Callable[[object, str], None], profile: str
) -> None:
    """PDF/A-3a and PDF/UA-1, with files inside."""
    path = tmp_path / "small.archive.pdf"
    path.write_bytes(archive())
    try:
        command = find_verapdf()
    except JudgeError as error:
        need(None, str(error))
        raise

    assert {path: ()} == ask_verapdf(command, [path], profile=profile)


@pytest.mark.judges
def test_the_ordinary_pdf_is_no_archive(
    everything, tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    """The judge can say no."""
    path = tmp_path / "everything.pdf"
    path.write_bytes(everything.pdf_bytes)
    try:
        command = find_verapdf()
    except JudgeError as error:
        need(None, str(error))
        raise

    assert ask_verapdf(command, [path], profile="3a")[path]


def test_it_carries_the_epub_and_the_manuscript(archive: Callable[..., bytes]) -> None:
    """Both are whole, and say what they are to the book."""
    with pikepdf.open(io.BytesIO(archive())) as pdf:
        held = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
        ties = {str(spec.UF): str(spec.AFRelationship) for spec in pdf.Root.AF}

    assert {"small.epub": "/Alternative", "sources.zip": "/Source"} == ties
    with zipfile.ZipFile(io.BytesIO(held["small.epub"])) as epub:
        assert "mimetype" == epub.namelist()[0]
    with zipfile.ZipFile(io.BytesIO(held["sources.zip"])) as sources:
        assert ["book.toml", "chapters/01-one.md"] == sources.namelist()
        assert CHAPTER == sources.read("chapters/01-one.md").decode()


def test_it_carries_nothing_unasked(archive: Callable[..., bytes]) -> None:
    """Without `[archive] attach` the PDF is alone."""
    with pikepdf.open(io.BytesIO(archive(TOML.replace('"epub", "sources"', "")))) as pdf:
        assert [] == list(pdf.attachments)


def test_two_archives_are_the_same_bytes(archive: Callable[..., bytes]) -> None:
    """No clock, no chance, in the attachments neither."""
    assert archive() == archive()
