"""Amazon SES's events, brought by SNS: signed with a certificate that only Amazon's own host can show."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from outbox.errors import BadSignature, ConfigError
from outbox.model import Arrival, Cause, EventType, Firmness, Report

from .proof import check_any, check_moment
from .reading import find_outbox_id, judge, moment_of, part_of, read_object, words_of

#: A call goes nowhere else, whatever a body says (no SSRF).
HOST = r"https://sns\.[a-z]{2}(?:-[a-z]+){1,3}-[0-9]\.amazonaws\.com(?:\.cn)?"
CERTIFICATE = re.compile(rf"({HOST})(/SimpleNotificationService-[0-9a-f]{{8,64}}\.pem)")
CONFIRMATION = re.compile(rf"({HOST})(/\?Action=ConfirmSubscription&[A-Za-z0-9&=%:._~-]+)")
#: What is signed, in this order, as far as it is there.
SIGNED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
        "SubscriptionConfirmation": (
            "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
        ),
        "UnsubscribeConfirmation": (
            "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
        ),
    }
)  # fmt: skip
TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "Send": EventType.ACCEPTED,
        "Delivery": EventType.DELIVERED,
        "DeliveryDelay": EventType.DEFERRED,
        "Bounce": EventType.BOUNCED,
        "Complaint": EventType.COMPLAINED,
        "Reject": EventType.REFUSED,
        "Rendering Failure": EventType.REFUSED,
        "Open": EventType.OPENED,
        "Click": EventType.CLICKED,
        "Subscription": EventType.UNSUBSCRIBED,
    }
)
CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "NoEmail": Cause.UNKNOWN_USER,
        "MailboxFull": Cause.FULL,
        "MessageTooLarge": Cause.TOO_LARGE,
        "ContentRejected": Cause.CONTENT,
        "AttachmentRejected": Cause.CONTENT,
        "Suppressed": Cause.SUPPRESSED,
        "OnAccountSuppressionList": Cause.SUPPRESSED,
    }
)
#: Where an event tells more, if not under its own name.
PARTS: Mapping[str, str] = MappingProxyType({"Rendering Failure": "failure"})
#: SNS repeats for up to an hour, and longer where a topic is set so. An id counts once, so that is safe.
REPEATS = timedelta(days=1)
Fetch = Callable[[str, str], bytes]  # site and path -> what is there


class Ses:
    """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.

    The secret is the topic's ARN: a signature says only that some topic of somebody spoke.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch, self._certificates = fetch, dict[str, bytes]()

    def verify(self, call: Arrival, secrets: Sequence[str]) -> None:
        said = read_object(call.body)
        check_any([str(said.get("TopicArn", ""))], secrets)
        check_moment(
            str(moment_of(said.get("Timestamp"), call.at - 2 * REPEATS).timestamp()), call.at, REPEATS
        )
        found = CERTIFICATE.fullmatch(str(said.get("SigningCertURL", "")))
        names = SIGNED.get(str(said.get("Type")))
        if not found or not names:
            raise BadSignature("the certificate is not Amazon's, or the kind of message is not known")
        signed = "".join(f"{name}\n{said[name]}\n" for name in names if said.get(name) is not None)
        hash_name = {"1": "SHA1", "2": "SHA256"}.get(str(said.get("SignatureVersion")), "")
        _check_rsa(self._certificate(*found.groups()), str(said.get("Signature", "")), signed, hash_name)

    def confirm(self, call: Arrival) -> None:
        """Answer a topic of ours that asks whether it may send here; the call was verified."""
        said = read_object(call.body)
        found = CONFIRMATION.fullmatch(str(said.get("SubscribeURL", "")))
        if said.get("Type") == "SubscriptionConfirmation":
            if not found:
                raise BadSignature("the address to confirm at is not Amazon's")
            self._fetch(*found.groups())

    def read(self, call: Arrival) -> list[Report]:
        envelope = read_object(call.body)
        if envelope.get("Type") != "Notification":
            return []
        said = read_object(str(envelope["Message"]).encode())
        name = str(said.get("eventType") or said.get("notificationType") or "")
        mail = part_of(said, "mail")
        told = part_of(said, PARTS.get(name, name[:1].lower() + name[1:]))
        people = _people(name, told, mail)
        return [
            Report(
                "ses",
                f"{envelope['MessageId']}.{place}" if len(people) > 1 else str(envelope["MessageId"]),
                _type(name, told),
                moment_of(told.get("timestamp") or mail.get("timestamp"), call.at),
                _find_id(mail),
                str(person.get("emailAddress", "")),
                *_judge(name, told, person),
                words_of(person.get("diagnosticCode"), told.get("bounceType"), told.get("bounceSubType"))
                or words_of(told.get("reason"), told.get("errorMessage"), told.get("complaintFeedbackType"))
                or words_of(name),
                str(mail.get("messageId") or ""),
            )
            for place, person in enumerate(people)
        ]

    def _certificate(self, site: str, path: str) -> bytes:
        if site + path not in self._certificates:
            self._certificates = {site + path: self._fetch(site, path)}  # one at a time: they last a year
        return self._certificates[site + path]


def _type(name: str, told: Mapping[str, Any]) -> EventType:
    back = name == "Subscription" and not part_of(told, "newTopicPreferences").get("unsubscribeAll")
    return EventType.OTHER if back else TYPES.get(name, EventType.OTHER)


def _people(name: str, told: Mapping[str, Any], mail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = {
        "Bounce": "bouncedRecipients",
        "Complaint": "complainedRecipients",
        "DeliveryDelay": "delayedRecipients",
    }
    named = told.get(lists.get(name, ""), [])
    if not named:
        named = [{"emailAddress": one} for one in told.get("recipients") or mail.get("destination") or [""]]
    return [one for one in named if isinstance(one, dict)]


def _judge(name: str, told: Mapping[str, Any], person: Mapping[str, Any]) -> tuple[Firmness, Cause | None]:
    if name != "Bounce":
        return "", None
    firmness: Firmness = "hard" if told.get("bounceType") == "Permanent" else "soft"
    known = CAUSES.get(str(told.get("bounceSubType")))
    return judge(firmness, person.get("diagnosticCode"), person.get("status"), cause=known)


def _find_id(mail: Mapping[str, Any]) -> str:
    tags = part_of(mail, "tags").get("outbox_id") or [""]
    return find_outbox_id(tags[0]) or find_outbox_id(part_of(mail, "commonHeaders").get("messageId"))


def _check_rsa(certificate: bytes, signature: str, signed: str, hash_name: str) -> None:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.x509 import load_pem_x509_certificate
    except ImportError:
        raise ConfigError("Amazon's signatures need a library: pip install 'chapterpost[ses]'") from None
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey) or not hash_name:
            raise BadSignature("the signature is of an unknown kind")
        key.verify(b64decode(signature), signed.encode(), padding.PKCS1v15(), getattr(hashes, hash_name)())
    except (InvalidSignature, ValueError):
        raise BadSignature("the signature is not right") from None
