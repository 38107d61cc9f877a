"""Amazon SES (API v2): a template for fifty people, or raw MIME for one; signed with the standard library."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from outbox.errors import ConfigError, MustSplit
from outbox.headers import encode_address
from outbox.many import Addressees
from outbox.mime import build
from outbox.model import (
    Account,
    Addressee,
    Capabilities,
    ItemResult,
    Letter,
    Outcome,
    PreparedBatch,
    Template,
)
from outbox.wire import Form, Merge, Quoted, own, spell_json

from .base import Answer, HttpProvider, all_alike, fitted, one_by_one, read_secret

#: Handlebars escapes some of these and reads others; whether SES does is documented both ways.
ODD = re.compile(rb"""[&<>"'`={}\\]""")
FIELD = "{{{}}}"
#: What became of one message of a batch.
STATUSES: Mapping[str, Outcome] = {
    "SUCCESS": Outcome.ACCEPTED,
    "MESSAGE_REJECTED": Outcome.REJECTED,
    "INVALID_PARAMETER": Outcome.INVALID,
    "FAILED": Outcome.REJECTED,
    "ACCOUNT_THROTTLED": Outcome.THROTTLED,
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": Outcome.THROTTLED,
}
#: Errors whose status tells too little.
ERRORS: Mapping[str, tuple[Outcome, str]] = {
    "LimitExceededException": (Outcome.THROTTLED, "http 429"),
    "ThrottlingException": (Outcome.THROTTLED, "http 429"),
    "AccountSuspendedException": (Outcome.NOT_SENT, "http 403"),
    "SendingPausedException": (Outcome.NOT_SENT, "http 403"),
    "MailFromDomainNotVerifiedException": (Outcome.NOT_SENT, "http 403"),
}


class Ses(HttpProvider):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/."""

    name: ClassVar[str] = "ses"
    caps = Capabilities(
        max_batch=50,
        max_message_bytes=40_000_000,
        max_request_bytes=40_000_000,
        per_recipient_headers=True,
        attachments_in_batch=False,
        metadata_hidden=True,
        scheduling=False,
        replay_window_s=None,
        lookup="none",
        lookup_window_s=0,
        atomic_batch=False,
        merges=True,
    )

    def __init__(self, account: Account, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if not account.region:
            raise ConfigError("[provider] needs region, for example eu-west-1")
        site = f"https://email.{account.region}.amazonaws.com"
        super().__init__(account, site)
        self._region, self._configuration, self._clock = account.region, account.stream, clock
        self._host = urlsplit(self._http.site).netloc

    def prepare(
        self, letter: Letter, people: Sequence[Addressee], batch_id: str, *, date: datetime
    ) -> PreparedBatch:
        """One person gets raw MIME, several share a template.

        A value that the template might change goes alone, as a whole message (MustSplit says so).
        """
        people = Addressees.of(people)
        one_by_one(letter, people, self.caps)
        if len(people) == 1:
            path, content = "/v2/email/outbound-emails", self._whole(letter, people[0], date)
        else:
            path, content = "/v2/email/outbound-bulk-emails", self._merged(letter, people)
        names = tuple(people.outbox_ids)
        headers = {"Content-Type": "application/json"}
        return fitted(PreparedBatch(batch_id, batch_id, "POST", path, headers, content, names), self.caps)

    def _whole(self, letter: Letter, person: Addressee, date: datetime) -> bytes:
        message = {
            "Content": {"Raw": {"Data": b64encode(build(letter, person, date=date)).decode()}},
            "Destination": {"ToAddresses": [person.to.email]},
            "EmailTags": [{"Name": "outbox_id", "Value": _tag(person.outbox_id)}],
            "FromEmailAddress": encode_address(letter.sender),
            **self._set(),
        }
        return Form(spell_json(message)).fill(person)

    def _merged(self, letter: Letter, people: Sequence[Addressee]) -> bytes:
        if any("{{" in literal for text in _texts(letter) for literal in text.literals):
            raise MustSplit("the letter itself holds {{", tuple((one.outbox_id,) for one in people))
        shared, entry, values = _merge(letter)
        rows = list(zip(*values.own_columns(people), strict=True))
        odd = {
            person.outbox_id for person, row in zip(people, rows, strict=True) if ODD.search(b"\0".join(row))
        }
        if odd:
            even = tuple(person.outbox_id for person in people if person.outbox_id not in odd)
            alone = tuple((person.outbox_id,) for person in people if person.outbox_id in odd)
            raise MustSplit("a value would be changed by the template", (even, *alone)[not even :])
        head = Form(spell_json({**shared, **self._set()})).fill(people[0])[:-1] + b',"BulkEmailEntries":['
        return entry.fill_all(people, head=head, between=b",", tail=b"]}")

    def _set(self) -> Mapping[str, str]:
        return {"ConfigurationSetName": self._configuration} if self._configuration else {}

    def ask_account(self) -> str:
        """The account; a key that may not look at it is a good one."""
        return self._ask_account("/v2/email/account", ["AccessDenied"])

    def _read_secrets(self, env: Mapping[str, str]) -> tuple[str, ...]:
        ours = bool(env.get("OUTBOX_SES_KEY_ID"))
        names = (
            ("OUTBOX_SES_KEY_ID", "OUTBOX_SES_SECRET")
            if ours
            else ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        )
        token = "" if ours else env.get("AWS_SESSION_TOKEN", "")
        keys = tuple(read_secret(env, name, self.name) for name in names)
        return (*keys, token) if token else keys

    def _authorize(self, method: str, path: str, body: bytes) -> Mapping[str, str]:
        return sign(method, self._host, path, body, self._region, self._secrets, self._clock())

    def _read(self, batch: PreparedBatch, answer: Answer) -> list[ItemResult]:
        said = answer.document()
        if "MessageId" in said:
            return [ItemResult(batch.outbox_ids[0], Outcome.ACCEPTED, provider_id=said["MessageId"])]
        items = said["BulkEmailEntryResults"]
        return [_item(name, item) for name, item in zip(batch.outbox_ids, items, strict=False)]

    def _refused(self, batch: PreparedBatch, answer: Answer) -> list[ItemResult]:
        kind = answer.headers.get("x-amzn-ErrorType", "").partition(":")[0]
        if kind == "MessageRejected" and "not verified" in self._words(answer):
            kind = "MailFromDomainNotVerifiedException"  # our own address, not the reader's
        if kind in ERRORS:
            outcome, code = ERRORS[kind]
            return all_alike(batch, outcome, code, self._words(answer), answer.retry_after())
        return super()._refused(batch, answer)


def sign(
    method: str, host: str, path: str, body: bytes, region: str, keys: Sequence[str], now: datetime
) -> dict[str, str]:
    """Return the headers that sign a call (AWS Signature Version 4); `keys` are id, secret, session token.

    The path is encoded once more, as for every service but S3.
    """
    key_id, secret, *token = keys
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-date": moment} | ({"x-amz-security-token": token[0]} if token else {})
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked = "\n".join((method, quote(path, safe="/~"), "", lines, names, sha256(body).hexdigest()))
    scope = f"{moment[:8]}/{region}/ses/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, sha256(asked.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    del headers["host"]  # the connection adds it
    return {**headers, "Authorization": authorization}


@lru_cache(maxsize=8)
def _merge(letter: Letter) -> tuple[Mapping[str, Any], Form, Form]:
    """What all share, the entry of one recipient, and what of it the template puts in."""
    merge = Merge(FIELD)
    template = {
        "TemplateContent": {
            "Subject": merge.put(letter.subject),
            "Html": merge.put(letter.html),
            "Text": merge.put(letter.text),
        },
        "TemplateData": "{}",
    }
    values = merge.values()
    shared = {
        "FromEmailAddress": encode_address(letter.sender),
        "ReplyToAddresses": [encode_address(address) for address in letter.reply_to],
        "DefaultContent": {"Template": template},
    }
    entry = {
        "Destination": {"ToAddresses": [own("mailbox")]},
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": Quoted(values)}},
        "ReplacementHeaders": [{"Name": name, "Value": value} for name, value in letter.headers],
        "ReplacementTags": [{"Name": "outbox_id", "Value": own("id", _tag)}],
    }
    return shared, Form(spell_json(entry)), Form(spell_json(values))


def _texts(letter: Letter) -> tuple[Template, ...]:
    return letter.subject, letter.html, letter.text


def _tag(outbox_id: str) -> str:
    # Tags take letters, digits, "_" and "-" only.
    return outbox_id.replace(".", "-")


def _item(name: str, item: Mapping[str, Any]) -> ItemResult:
    # Every status that is not listed says that nothing was sent, for a reason outside the message.
    status = item["Status"]
    outcome = STATUSES.get(status, Outcome.NOT_SENT)
    return ItemResult(name, outcome, item.get("MessageId") or "", status, item.get("Error") or "")
