"""The sign-up form as HTML to be pasted into a page of the author's own."""

from __future__ import annotations

from .challenge import TRAP, make_lasting_challenge
from .desk import WebDesk
from .wording import keep_wording


def write_form(desk: WebDesk) -> str:
    """Plain HTML without style and script; its token names the words that stand on it, and is good for ever."""
    wording = keep_wording(desk)
    language = desk.settings.language
    return desk.look.fill(
        "pasted", language=language, words=desk.words(language), wording=wording, table=desk.settings.sign_up,
        token=make_lasting_challenge(desk.signer, wording.sha), trap=TRAP, address=desk.settings.envelope.base_url,
    )  # fmt: skip
