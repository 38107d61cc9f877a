"""What the sign-up form says: the author's words, and plain ones where the author says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from outbox.store import evidence

from .desk import WebDesk


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of the form; `text` is all of them, as evidence of consent keeps it."""

    title: str
    paragraphs: Sequence[str]
    gift: str
    consent: str
    privacy: str
    topics: Mapping[str, str]
    text: str

    @property
    def sha(self) -> str:
        """The digest by which the evidence names these words (store.evidence.keep_form)."""
        return sha256(self.text.encode()).hexdigest()


def word_form(desk: WebDesk) -> Wording:
    """The words of the form as book.toml has them now."""
    table, list_name = desk.settings.sign_up, desk.settings.envelope.list_name
    words = desk.look.read_words(desk.settings.language)
    title = table.title or list_name
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", table.text) if part.strip()]
    gift = words["gift"].format(gift=table.gift) if table.gift else ""
    consent = table.consent or words["consent"].format(list=list_name)
    said = [title, *paragraphs, gift, *table.topics.values(), consent, words["leave_any_time"], table.privacy]
    return Wording(
        title, paragraphs, gift, consent, table.privacy, table.topics, "\n".join(filter(None, said))
    )


def keep_wording(desk: WebDesk) -> Wording:
    """The words of the form, kept in the database under their version: evidence of consent will name them."""
    wording = word_form(desk)
    with desk.store.begin() as tx:
        evidence.keep_form(tx, wording.text, desk.settings.sign_up.version, desk.clock())
    return wording
