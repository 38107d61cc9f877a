"""Every rule of the proofreader but those for letters, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from .addresses import ADDRESSES
from .book import MANUSCRIPT
from .galley import Rule
from .headings import HEADINGS
from .health import HEALTH
from .metadata import METADATA
from .numbers import NUMBERS
from .pages import PAGES
from .pictures import PICTURES
from .quotes import QUOTES
from .reading import READING_EASE
from .references import REFERENCES
from .signs import SIGNS
from .spelling import SPELLING
from .structure import STRUCTURE
from .wording import WORDING

#: Rule id -> rule; an id never changes, and none is used twice.
RULES: Mapping[str, Rule] = {
    **MANUSCRIPT,
    **HEADINGS,
    **STRUCTURE,
    **QUOTES,
    **SIGNS,
    **NUMBERS,
    **WORDING,
    **SPELLING,
    **READING_EASE,
    **PICTURES,
    **REFERENCES,
    **ADDRESSES,
    **METADATA,
    **HEALTH,
    **PAGES,
}

#: The letter an id begins with -> what its rules are about, in the order of the page of rules.
FAMILIES: Mapping[str, str] = {
    "M": "The manuscript",
    "S": "Structure",
    "T": "Typography",
    "W": "Words and sentences",
    "I": "Pictures",
    "R": "References",
    "E": "What the book says of itself",
    "H": "Health",
    "P": "Printed pages",
}
