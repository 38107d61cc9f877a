"""A file is written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.files import write_atomically


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """Readable for everybody, and nothing else is left in the folder."""
    write_atomically(tmp_path / "a" / "b.txt", b"words")

    assert b"words" == (tmp_path / "a" / "b.txt").read_bytes()
    assert ["b.txt"] == names(tmp_path / "a")
    assert 0o644 == stat.S_IMODE((tmp_path / "a" / "b.txt").stat().st_mode)


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """What cannot be written changes nothing and leaves no crumbs."""
    path = tmp_path / "b.txt"
    write_atomically(path, b"old")

    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")  # type: ignore[arg-type]
    assert b"old" == path.read_bytes()
    assert ["b.txt"] == names(tmp_path)


def test_a_folder_in_the_way_stays(tmp_path: Path) -> None:
    """Only files are replaced."""
    (tmp_path / "b.txt").mkdir()

    with pytest.raises(OSError, match=r"b\.txt"):
        write_atomically(tmp_path / "b.txt", b"new")
    assert ["b.txt"] == names(tmp_path)
