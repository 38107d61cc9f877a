"""Tell people from programs at the form: a token that is signed and dated, a trap, a proof of work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from outbox.tokens import Signer

PURPOSE = "form"
GOOD_FOR = timedelta(hours=24)
SHA = 32  # digits of the form's digest that a token holds
WORDS = re.compile(rf"([0-9a-f]{{{SHA}}})(?:x([0-9]{{1,12}}))?")
TRAP = "website"  # a field that nobody sees
MAX_PROOF = 40  # characters


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a form's token says: which words stood on it, and when it was shown; None for one that was pasted."""

    form: str
    shown_at: datetime | None


def make_challenge(signer: Signer, form_sha: str, now: datetime) -> str:
    """The token of a form that is shown now."""
    words = f"{form_sha[:SHA]}x{int(now.timestamp())}"
    return signer.sign_words(PURPOSE, words, expires=now + GOOD_FOR)


def make_lasting_challenge(signer: Signer, form_sha: str) -> str:
    """The token of a form that is pasted into a page; it says nothing of time, and is good for ever."""
    return signer.sign_words(PURPOSE, form_sha[:SHA])


def read_challenge(signer: Signer, token: str, now: datetime) -> Challenge:
    """What a token says; raises BadSignature for a forged one, ExpiredLink for one that was shown long ago."""
    found = WORDS.fullmatch(signer.read_words(PURPOSE, token, now))
    if not found:
        return Challenge("", None)  # signed by us, so of a form of an earlier version of this program
    shown = datetime.fromtimestamp(int(found[2]), now.tzinfo) if found[2] else None
    return Challenge(found[1], shown)


def is_proof(token: str, proof: str, bits: int) -> bool:
    """Whether somebody worked for it: SHA-256 of `<token>:<proof>` begins with so many zero bits."""
    if len(proof) > MAX_PROOF:
        return False
    digest = sha256(f"{token}:{proof}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - bits) == 0
