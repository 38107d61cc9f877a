"""Write files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path` at once: readers find the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def update_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold `files` and none that an earlier call put there and this one does not; others stay.

    Files are written in their order, each at once, and one that is there already is not touched.
    The list of what was written stands beside the folder, under its name with a dot in front.
    """
    record = folder.with_name(f".{folder.name}")
    before = record.read_text("utf-8").splitlines() if record.exists() else []
    _write_list(record, {*before, *files})  # whatever stops us now, the next call knows of every file
    for name, data in files.items():
        path = folder / name
        if not (path.is_file() and path.read_bytes() == data):
            write_atomically(path, data)
    for name in before:
        if name not in files:
            _remove(folder / name, folder)
    _write_list(record, files)


def _write_list(path: Path, names: Iterable[str]) -> None:
    write_atomically(path, "".join(f"{name}\n" for name in sorted(names)).encode())


def _remove(path: Path, folder: Path) -> None:
    """Take the file away, and the folders round it that hold nothing else."""
    path.unlink(missing_ok=True)
    for parent in path.relative_to(folder).parents[:-1]:
        if (folder / parent).is_dir() and not any((folder / parent).iterdir()):
            (folder / parent).rmdir()
