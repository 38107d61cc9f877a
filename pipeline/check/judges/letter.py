"""Read an issue folder as the letter that one person gets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import JudgeError

_FIELD = re.compile(r"@@([a-z_]+)@@")
#: What stands in a gap of the letter, by the merge field's type.
_SAMPLES = {"text": "Ana Ruiz", "html": "Ana Ruiz", "url": "https://letters.example.org/a/1a2b3c4d"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One issue with its gaps filled; `pictures` are the files of images/ by name."""

    subject: str
    html: str
    text: str
    pictures: Mapping[str, bytes]


def read_letter(folder: Path) -> Letter:
    """Raise JudgeError for a folder that is no issue folder."""
    try:
        document = json.loads((folder / "issue.json").read_text("utf-8"))
        samples = {name: _SAMPLES[field["type"]] for name, field in document["fields"].items()}
        return Letter(
            subject=_fill(document["subject"], samples),
            html=_fill((folder / "body.html").read_text("utf-8"), samples),
            text=_fill((folder / "body.txt").read_text("utf-8"), samples),
            pictures={path.name: path.read_bytes() for path in folder.glob("images/*")},
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise JudgeError(f"{folder} cannot be judged ({error}); make it again or take it away") from error


def _fill(text: str, samples: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: samples[field[1]], text)
