"""Every rule of the proofreader but those for letters, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from .book import MANUSCRIPT
from .galley import Rule
from .numbers import NUMBERS
from .quotes import QUOTES
from .signs import SIGNS
from .wording import WORDING

#: Rule id -> rule; an id never changes, and none is used twice.
RULES: Mapping[str, Rule] = {**MANUSCRIPT, **QUOTES, **SIGNS, **NUMBERS, **WORDING}

#: The letter an id begins with -> what its rules are about.
FAMILIES: Mapping[str, str] = {
    "M": "The manuscript",
    "T": "Typography",
}
