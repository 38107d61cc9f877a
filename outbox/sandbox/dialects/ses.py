"""As Amazon SES takes messages: raw MIME for one, a template for several."""

from __future__ import annotations

import email.policy
import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from html import escape
from typing import Any

from ..journal import Message
from .base import (
    TAG,
    Call,
    Dialect,
    Item,
    Refusal,
    Search,
    Verdict,
    mailbox_of,
    read_json,
    say_account,
    say_plainly,
)

HEADER = re.compile(r"[ -~]{1,995}")


def _read(call: Call) -> list[Message]:
    said = read_json(call)
    raw = message_from_bytes(b64decode(said["Content"]["Raw"]["Data"]), policy=email.policy.default)
    html, text = raw.get_body(("html", "related")), raw.get_body(("plain",))
    (to,) = said["Destination"]["ToAddresses"]
    names = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Reply-To")
    body = html.get_body(("html",)) if html and html.is_multipart() else html
    return [
        Message(
            email=mailbox_of(to),
            shown=str(raw["To"]),
            sender=said["FromEmailAddress"],
            subject=str(raw["Subject"]),
            html=body.get_content().replace("\r\n", "\n") if body else "",
            text=text.get_content().replace("\r\n", "\n") if text else "",
            headers=tuple((name, str(raw[name])) for name in names if raw[name]),
            outbox_id=_tag(said.get("EmailTags", [])),
            files=tuple(str(part.get_filename()) for part in raw.iter_attachments()),
        )
    ]


def _read_bulk(call: Call) -> list[Message]:
    said = read_json(call)
    template = said["DefaultContent"]["Template"]["TemplateContent"]
    return [_message(said, template, entry) for entry in said["BulkEmailEntries"]]


def _message(said: Mapping[str, Any], template: Mapping[str, str], entry: Mapping[str, Any]) -> Message:
    replacement = entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"]
    values = json.loads(replacement)
    headers = tuple((header["Name"], header["Value"]) for header in entry.get("ReplacementHeaders", []))
    if len(replacement) > 262_144 or not all(HEADER.fullmatch(value) for _, value in headers):
        raise Refusal(400, "a header or the template data is too long, or holds an odd character")

    def put(text: str) -> str:
        # The harsh reading of the documentation: every value is escaped, as Handlebars does it.
        return re.sub(r"\{\{(\w+)\}\}", lambda field: _handlebars(values.get(field[1], "")), text)

    (to,) = entry["Destination"]["ToAddresses"]
    answers = ", ".join(said.get("ReplyToAddresses", []))
    return Message(
        email=mailbox_of(to),
        shown=to,
        sender=said["FromEmailAddress"],
        subject=put(template["Subject"]),
        html=put(template["Html"]),
        text=put(template["Text"]),
        headers=(*headers, ("Reply-To", answers)),
        outbox_id=_tag(entry.get("ReplacementTags", [])),
    )


STATUSES: Mapping[Verdict, str] = {
    "accepted": "SUCCESS",
    "inactive": "MESSAGE_REJECTED",
    "invalid": "INVALID_PARAMETER",
}


def _answer(items: Sequence[Item]) -> Any:
    return {"MessageId": items[0][0]}


def _answer_bulk(items: Sequence[Item]) -> Any:
    results = [
        {
            "Status": STATUSES[verdict],
            **({"MessageId": name} if verdict == "accepted" else {"Error": verdict}),
        }
        for name, verdict, _ in items
    ]
    return {"BulkEmailEntryResults": results}


def _tag(tags: Sequence[Mapping[str, str]]) -> str:
    if not all(TAG.fullmatch(tag["Name"]) and TAG.fullmatch(tag["Value"]) for tag in tags):
        raise Refusal(400, "a tag holds a character that is not allowed")
    return next((tag["Value"].replace("-", ".") for tag in tags if tag["Name"] == "outbox_id"), "")


def _handlebars(value: str) -> str:
    return escape(value).replace("=", "&#x3D;").replace("`", "&#x60;")


def _aws_key(call: Call) -> str:
    found = re.match(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/[\w-]+/ses/", call.headers.get("authorization", "")
    )
    return found[1] if found and "x-amz-date" in call.headers else ""


DIALECTS = (
    Dialect(
        "ses",
        r"/v2/email/outbound-emails",
        token=_aws_key,
        read=_read,
        limit=1,
        answer=_answer,
        refuse=say_plainly,
        atomic=True,
    ),
    Dialect(
        "ses",
        r"/v2/email/outbound-bulk-emails",
        token=_aws_key,
        read=_read_bulk,
        limit=50,
        answer=_answer_bulk,
        refuse=say_plainly,
        atomic=False,
    ),
)
SEARCHES = (Search(r"/v2/email/account", _aws_key, say_account),)
