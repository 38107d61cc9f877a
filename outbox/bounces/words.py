"""Mail that says in a server's own words that a letter failed."""

from __future__ import annotations

import logging
import re
from email import message_from_bytes

from .causes import find_in_words, find_reply, find_status
from .mail import Fields, Mail, fields_of
from .returned import ADDRESS, LOOKED_AT, Kind, Returned, clean, find_around, header_of, judge, list_addresses
from .signs import finds

#: Our own id in a Message-ID, a return address or a header.
OUTBOX_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{32})[.=-]([0-9]{1,9})@")
#: An answer by a person, or a mail sent on.
ANSWER = re.compile(r"(?:re|aw|sv|fwd?|wg|antw|tr|rv|vs|回复)\s*(?:\[\d+\])?:", re.IGNORECASE)
#: Nobody writes letters under this name.
MACHINE = re.compile(r"mailer-?daemon|mail delivery (?:sub)?system", re.IGNORECASE)
#: Mailboxes that help, or answer for a server.
OURSELVES = re.compile(
    r"mailer-?daemon|postmaster|^abuse@|no-?reply|^root@|administrator@|support@|helpdesk", re.IGNORECASE
)
#: Names of fields that hold the mailbox, where a server writes such lines into a text.
NAMED = ("original-recipient", "final-recipient", "x-actual-recipient", "recipient", "failed-recipient")
#: A mailbox that stands alone on its line, or behind a word that says what it is.
ALONE = re.compile(
    rf"(?m)^[\s>*\"'(-]*(?:(?:to|rcpt to|recipient|address|user|an)[:\s]+)?<?({ADDRESS.pattern})>?[\s:;.,)(\"'-]*"
)
MOST = 10  # mailboxes in one mail


def is_failure(mail: Mail) -> bool:
    """Whether a mail says that a letter failed: two signs at least that do not depend on each other."""
    subject, text = mail.header("Subject"), mail.text[:LOOKED_AT]
    answer = ANSWER.match(subject)
    sender, path = f"{mail.header('From')} {mail.header('Sender')}", mail.head.get("Return-Path", "").strip()
    daemon = (
        finds("daemons", sender)
        or finds("daemons", path)
        or mail.head.get_param("report-type") == "delivery-status"
    )
    listed = bool(mail.head.get("List-Id") or mail.head.get("List-Unsubscribe"))
    if mail.head.get("X-Failed-Recipients"):
        return True
    if (listed or answer) and not daemon:
        return False
    brings, known = mail.returned is not None, find_in_words(text) is not None
    named, said = finds("subjects", subject), finds("phrases", text) or (brings and known)
    if finds("answers", subject) and not named:
        return False
    proof = bool(find_status(text) or find_reply(text)) or brings
    if finds("answer_phrases", text) and not (named and proof and daemon):
        return False
    if daemon:
        proof = proof or (bool(MACHINE.search(sender)) and known)
        return (named and (said or proof)) or (said and proof)
    if not (named and said) or path == "<>":
        return named and said
    # A shop says of a parcel what a server says of a letter; but it brings none back, and names no other mailbox.
    strong = brings or bool(find_status(text))
    return strong or (finds("senders", sender) and _names_another(mail, text))


def read_words(mail: Mail, raw: bytes) -> list[Returned]:
    """What servers write of each mailbox, in whatever form."""
    fields = fields_of(mail.text)
    kind: Kind = "delay" if _is_delay(mail) else "bounce"
    people = _people(mail, fields) or _ask_another(raw)
    if not people:
        people = [one for one in list_addresses(header_of(mail.returned, "To")) if one not in _own(mail)][:1]
    status = find_status(fields.get("status", ""))
    found = []
    for person in people or [""]:
        said = find_around(mail.text, person) if person else ""
        found.append(judge(kind, person, status or find_status(said), said, mail.text))
    return found


def _names_another(mail: Mail, text: str) -> bool:
    """Whether a text names a mailbox that is neither its sender's nor of its sender's domain."""
    home = {one.partition("@")[2].lower() for one in list_addresses(mail.header("From"))}
    return any(one.partition("@")[2].lower() not in home for one in _people(mail, {}) if one in text)


def _is_delay(mail: Mail) -> bool:
    words = f"{mail.header('Subject')}\n{mail.text[:LOOKED_AT]}"
    return finds("delays", words) and not finds("ends", words)


def _people(mail: Mail, fields: Fields) -> list[str]:
    """The mailboxes a failure is about: those that are named as such, else those that stand alone, else any."""
    own = _own(mail)
    named = " ".join([mail.head.get("X-Failed-Recipients", ""), *(fields.get(name, "") for name in NAMED)])
    alone = ALONE.findall(mail.text)
    sent_to = {one.lower() for one in list_addresses(header_of(mail.returned, "To"))}
    everywhere = list_addresses(mail.text)
    for found in (
        list_addresses(named),
        [one for one in everywhere if one.lower() in sent_to],
        alone,
        everywhere,
    ):
        people = [one for one in dict.fromkeys(clean(one) for one in found) if one.lower() not in own]
        if people:
            return people[:MOST]
    return []


def _own(mail: Mail) -> set[str]:
    """Mailboxes of whoever sent the letter, or the failure, and what only looks like one: none of these failed."""
    headers = [mail.head.get(name, "") for name in ("From", "To", "Sender", "Reply-To", "Delivered-To")]
    headers += [
        header_of(mail.returned, name) for name in ("From", "Sender", "Return-Path", "Reply-To", "Message-ID")
    ]
    own = {one.lower() for one in list_addresses(" ".join(map(str, headers)))}
    others = {
        one.lower() for one in list_addresses(mail.text) if OURSELVES.search(one) or OUTBOX_ID.search(one)
    }
    return own | (others - {one.lower() for one in list_addresses(header_of(mail.returned, "To"))})


def _ask_another(raw: bytes) -> list[str]:
    """A second opinion, for dialects that another reader knows."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    try:
        temporary, permanent = all_failures(message_from_bytes(raw))
    except Exception:  # noqa: BLE001  (it fails on mail that breaks the rules; then it has no opinion)
        return []
    return sorted(one.decode("utf-8", "replace") for one in {*temporary, *permanent})
