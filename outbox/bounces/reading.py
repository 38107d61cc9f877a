"""From a mail to what it says of letters: by the standards where it keeps them, else by what servers write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from .mail import Mail, read_mail
from .returned import Returned
from .standard import read_feedback, read_report
from .words import OUTBOX_ID, is_failure, read_words

#: The way out of a letter, with the person's own token.
TOKEN = re.compile(r"/unsubscribe/([0-7][0-9a-f]{7}[A-Za-z0-9_-]{24})(?![A-Za-z0-9_-])")
#: A program refused the letter by itself; any other disposition is a receipt (RFC 8098 section 3.2.6).
REFUSED = re.compile(r"automatic-action.*(?:deleted|failed|denied|error)", re.IGNORECASE)


def read(raw: bytes) -> list[Returned]:
    """What a mail says of letters that did not arrive, or were complained of; nothing for ordinary mail.

    Reads delivery status notifications (RFC 3464), feedback reports (RFC 5965), and what servers write that
    keep to neither. Raises nothing, whatever the mail is.
    """
    mail = read_mail(raw)
    if mail.disposition and not REFUSED.search(mail.disposition):
        return []
    found = read_feedback(mail)
    if found is None:
        found = read_report(mail)
    if found is None:
        found = read_words(mail, raw) if is_failure(mail) else []
    return _name(found, mail, raw) if found else []


def _name(found: Iterable[Returned], mail: Mail, raw: bytes) -> list[Returned]:
    """Say which letter of ours it was, by what came back of it or by the address it came back to."""
    text = re.sub(r"\r?\n[ \t]+", "", f"{raw.decode('latin-1')}\n{mail.text}")
    ids, tokens = OUTBOX_ID.findall(text), set(TOKEN.findall(text))
    outbox_id = ".".join(ids[0]) if ids else ""
    token = next(iter(tokens)) if len(tokens) == 1 else ""
    return [replace(one, outbox_id=outbox_id, token=token) for one in found]
