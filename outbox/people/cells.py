"""Read one cell of a list: what it may say, and a sentence when it says something else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from zoneinfo import available_timezones

from outbox.addresses import MANY, read_name
from outbox.errors import PeopleError
from outbox.model import Attribute, Consent

from .sheet import Kind

CONSENTS: Mapping[str, str] = {
    "": Consent.CONFIRMED.value,
    "subscribed": Consent.CONFIRMED.value,
    **{consent.value: consent.value for consent in Consent if consent is not Consent.ERASED},
}
MAX_TAG, MAX_NUMBER = 64, 1e15  # characters; what every database can compare
#: A cell that begins so would be run by a spreadsheet; the export puts a quote before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def unquote(cell: str) -> str:
    """Undo what `quote` did."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*FORMULA, "'")) else cell


def quote(cell: str) -> str:
    """Put a quote before what a spreadsheet would run as a formula; `unquote` takes it away."""
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


@lru_cache(MANY)
def read_cell(cell: str) -> str:
    """One line of text in NFC; raises PeopleError for a line break or control character."""
    return read_name(unquote(cell)) if cell else ""


def read_tags(text: str) -> list[str]:
    """Tags out of `carer, spring 2026`, in small letters; raises PeopleError for one that is too long."""
    tags = [" ".join(tag.split()).lower() for tag in re.split("[,;]", text)]
    for tag in tags:
        if len(tag) > MAX_TAG:
            raise PeopleError(f"the tag {tag[:20]!r}... has more than {MAX_TAG} characters")
    return sorted(set(filter(None, tags)))


def read_attributes(text: str) -> dict[str, Attribute]:
    """Attributes out of a JSON object of texts and numbers; raises PeopleError."""
    try:
        found = json.loads(text or "{}", parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise PeopleError(f"attributes: {text[:60]!r} is not JSON") from None
    if not isinstance(found, dict):
        raise PeopleError('attributes: write a JSON object such as {"city": "Kyiv"}')
    for name, value in found.items():
        if not PLAIN_NAME.fullmatch(name):
            raise PeopleError(f"attributes: {name[:60]!r} is no name; use small letters, digits and _")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise PeopleError(f"attributes: {name} is neither a text nor a number")
        if not isinstance(value, str) and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
            raise PeopleError(f"attributes: {name} is too large a number")
        if isinstance(value, str):
            found[name] = read_name(value)
    return found


def read_number(text: str) -> int | float:
    """A number with a decimal point; raises PeopleError."""
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text, re.ASCII):
        raise PeopleError(f"{text[:60]!r} is not a number; write 12 or 12.5")
    return float(text) if "." in text else int(text)


def read_date(text: str) -> str:
    """A date as 2026-03-01; raises PeopleError."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise PeopleError(f"{text[:60]!r} is not a date; write 2026-03-01") from None


def read_language(text: str) -> str:
    """A language tag such as `en` or `pt-BR` (BCP 47); raises PeopleError."""
    if text and not (LANGUAGE.fullmatch(text) and len(text) <= 35):
        raise PeopleError(f"{text[:60]!r} is not a language; write en, or pt-BR")
    return text


def read_time_zone(text: str) -> str:
    """A time zone's name such as Europe/Berlin (IANA); raises PeopleError."""
    if text and text not in _time_zones():
        raise PeopleError(f"{text[:60]!r} is not a time zone; write Europe/Berlin")
    return text


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_consent(cell: str) -> str:
    """A state of consent; raises PeopleError."""
    state = CONSENTS.get(unquote(cell).strip().lower())
    if state is None:
        raise PeopleError(f"consent {cell[:60]!r} is none of confirmed, pending, unsubscribed, suppressed")
    return state


READ: Mapping[Kind, Callable[[str], Attribute]] = {"text": str, "number": read_number, "date": read_date}
