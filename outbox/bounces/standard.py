"""Reports that keep the standards: delivery status notifications (RFC 3464) and feedback reports (RFC 5965)."""

from __future__ import annotations

import re

from outbox.model import Cause

from .causes import find_status
from .mail import Fields, Mail
from .returned import HOLLOW, Kind, Returned, find_around, header_of, judge, list_addresses, one_line

#: What became of a message by the Action of its report (RFC 3464 section 2.3.3).
ACTIONS: dict[str, Kind | None] = {
    "failed": "bounce",
    "failure": "bounce",
    "undeliverable": "bounce",
    "delayed": "delay",
    "delivered": None,
    "relayed": None,
    "expanded": None,
}
#: Subjects of complaints that come without fields for machines.
COMPLAINT = re.compile(
    r"complaint about|(?:spam|abuse) (?:report|complaint)|e-?mail (?:feedback|abuse) report", re.IGNORECASE
)
#: Feedback that is no complaint.
NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc", "virus-report"})


def read_feedback(mail: Mail) -> list[Returned] | None:
    """A complaint, as mailbox providers send it on."""
    kind = mail.feedback.get("feedback-type", "").lower()
    about = COMPLAINT.match(mail.header("Subject"))
    microsoft = mail.head.get("X-HmXmrOriginalRecipient", "") or header_of(
        mail.returned, "X-HmXmrOriginalRecipient"
    )
    if not kind and not microsoft and not (about and mail.returned is not None):
        return None
    if kind in NO_COMPLAINT:
        return []
    said = (
        mail.feedback.get("original-rcpt-to", "") or mail.feedback.get("removal-recipient", "") or microsoft
    )
    found = list_addresses(said) or list_addresses(header_of(mail.returned, "To"))
    detail = one_line(f"feedback report: {kind or 'abuse'}")
    return [Returned("complaint", found[0] if found else "", Cause.SPAM, "", "", detail)]


def read_report(mail: Mail) -> list[Returned] | None:
    """A delivery status notification; None for a mail that is none."""
    groups = [group for group in mail.groups if _is_of_somebody(group)]
    if not groups:
        return None
    found = [one for group in groups if (one := _read_group(group, mail))]
    told = {ACTIONS.get(group.get("action", "").split(" ")[0].lower(), "bounce") for group in groups}
    return found if found or told == {None} else None


def _is_of_somebody(group: Fields) -> bool:
    names = ("final-recipient", "original-recipient", "action", "status", "diagnostic-code")
    return any(name in group for name in names)


def _read_group(group: Fields, mail: Mail) -> Returned | None:
    told = group.get("diagnostic-code", "") or re.sub(r"^[245]\.\d+\.\d+ *", "", group.get("status", ""))
    said = one_line(re.sub(r"^[A-Za-z0-9-]+ ?; ?", "", told))
    status = find_status(group.get("status", "")) or ""
    action = re.split(r"[ (;]", group.get("action", "").strip().lower(), maxsplit=1)[0]
    kind = ACTIONS.get(action, "bounce" if status[:1] != "4" or said[:1] == "5" else "delay")
    if kind is None or group.get("status", "").startswith("2."):
        return None
    if not status or HOLLOW.fullmatch(status):
        status = find_status(said) or status
    recipient = _recipient(group) or next(iter(list_addresses(header_of(mail.returned, "To"))), "")
    return judge(kind, recipient, status, said, find_around(mail.text, recipient))


def _recipient(group: Fields) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = re.sub(r"^\s*[A-Za-z0-9-]+\s*;", "", group.get(name, "")).strip()
        if found := list_addresses(value):
            return found[0]
    return ""
