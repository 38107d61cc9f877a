"""A file is written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.files import update_folder, write_atomically


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


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_loses_what_is_not_made_any_more(tmp_path: Path) -> None:
    """With the folders that held nothing else; what somebody else put there stays."""
    site = tmp_path / "site"
    update_folder(site, {"a/b/old.html": b"old", "a/c.html": b"c", "index.html": b"1"})
    (site / "a" / "mine.txt").write_bytes(b"mine")
    update_folder(site, {"index.html": b"2"})

    assert {"a/mine.txt": b"mine", "index.html": b"2"} == read(site)
    assert [] == [path.name for path in (site / "a").iterdir() if path.is_dir()]


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    """Its date stays, so that whoever uploads the folder sends what changed."""
    update_folder(tmp_path / "site", {"index.html": b"same"})
    before = (tmp_path / "site" / "index.html").stat().st_ino
    update_folder(tmp_path / "site", {"index.html": b"same"})

    assert before == (tmp_path / "site" / "index.html").stat().st_ino


def test_a_folder_that_was_written_in_part_is_known(tmp_path: Path) -> None:
    """What a failed call wrote before it failed is taken away by the next one."""
    site = tmp_path / "site"
    with pytest.raises(FileExistsError):
        update_folder(site, {"old.html": b"old", "old.html/x": b"x"})
    update_folder(site, {"new.html": b"new"})

    assert {"new.html": b"new"} == read(site)


def test_a_folder_holds_nothing_but_its_files(tmp_path: Path) -> None:
    """The list of what was written stands beside it, so that it is not uploaded."""
    update_folder(tmp_path / "site", {"index.html": b"1"})

    assert {"site/index.html": b"1", ".site": b"index.html\n"} == read(tmp_path)
