"""Have calibre, where it is installed, turn an EPUB into an AZW3 for reading on a Kindle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import PipelineError, Place
from .files import write_atomically

_PATIENCE_S = 300


def find_calibre() -> str:
    """The path of ebook-convert; empty when calibre is not installed."""
    return shutil.which("ebook-convert") or ""


def convert(program: str, epub: Path, target: Path) -> None:
    """Write `target` (.azw3) from `epub`. Raises PipelineError with what calibre said last."""
    with TemporaryDirectory() as folder:
        made = Path(folder, target.name)
        done = subprocess.run(
            [program, str(epub), str(made), "--no-inline-toc"],
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode or not made.exists():
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            raise PipelineError(f"calibre could not convert it; it said: {said[-1]}", Place(epub.name))
        write_atomically(target, made.read_bytes())
