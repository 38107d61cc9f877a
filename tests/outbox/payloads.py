"""What providers send to a webhook, after their own documentation, beside what we read in it."""

from __future__ import annotations

from typing import Any

from outbox.model import Cause, EventType, Firmness

MESSAGE = "0123456789abcdef0123456789abcdef.42"
TAG = MESSAGE.replace(".", "-")
READER = "ana@example.org"
Case = tuple[dict[str, Any], EventType, Firmness, Cause | None]


def _postmark(record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "ServerID": 23,
        "MessageStream": "broadcast",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Tag": "2026-03-01-first-light",
        "Metadata": {"batch": "b", "outbox_id": MESSAGE},
        **more,
    }


def _bounce(kind: str, code: int, details: str = "") -> dict[str, Any]:
    return _postmark(
        "Bounce",
        ID=4323372036854775807,
        Type=kind,
        TypeCode=code,
        Name=kind,
        Description=kind,
        Details=details,
        Email=READER,
        From="hello@example.org",
        BouncedAt="2026-03-01T10:02:03.1234567Z",
        Inactive=True,
        CanActivate=True,
        DumpAvailable=True,
        Subject="First light",
    )


POSTMARK: dict[str, Case] = {
    "delivery": (
        _postmark("Delivery", Recipient=READER, DeliveredAt="2026-03-01T10:00:01Z", Details="250 2.0.0 OK"),
        EventType.DELIVERED,
        "",
        None,
    ),
    "hard bounce": (
        _bounce("HardBounce", 1, "smtp;550 5.1.1 no such user"),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "soft bounce": (
        _bounce("SoftBounce", 4096, "smtp;452 4.2.2 over quota"),
        EventType.BOUNCED,
        "soft",
        Cause.FULL,
    ),
    "transient": (_bounce("Transient", 2), EventType.DEFERRED, "", None),
    "automatic answer": (_bounce("AutoResponder", 32), EventType.AUTO_REPLY, "", None),
    "bad address": (_bounce("BadEmailAddress", 100000), EventType.REFUSED, "hard", Cause.UNKNOWN_USER),
    "blocked": (_bounce("Blocked", 100006), EventType.REFUSED, "soft", Cause.BLOCKED),
    "spam notification": (_bounce("SpamNotification", 512), EventType.COMPLAINED, "", Cause.SPAM),
    "unsubscribe by mail": (_bounce("Unsubscribe", 16), EventType.UNSUBSCRIBED, "", None),
    "complaint": (
        _postmark(
            "SpamComplaint",
            ID=42,
            Type="SpamComplaint",
            TypeCode=512,
            Email=READER,
            BouncedAt="2026-03-02T08:00:00Z",
        ),
        EventType.COMPLAINED,
        "",
        None,
    ),
    "left": (
        _postmark(
            "SubscriptionChange",
            Recipient=READER,
            SuppressSending=True,
            SuppressionReason="ManualSuppression",
            Origin="Recipient",
            ChangedAt="2026-03-02T08:00:00Z",
        ),
        EventType.UNSUBSCRIBED,
        "",
        None,
    ),
    "suppressed for a bounce": (
        _postmark(
            "SubscriptionChange",
            Recipient=READER,
            SuppressSending=True,
            SuppressionReason="HardBounce",
            Origin="Recipient",
            ChangedAt="2026-03-02T08:00:00Z",
        ),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "back": (
        _postmark(
            "SubscriptionChange",
            Recipient=READER,
            SuppressSending=False,
            SuppressionReason=None,
            Origin="Customer",
            ChangedAt="2026-03-02T08:00:00Z",
        ),
        EventType.SUBSCRIBED,
        "",
        None,
    ),
    "open": (
        _postmark("Open", Recipient=READER, ReceivedAt="2026-03-01T11:00:00Z", FirstOpen=True, UserAgent="x"),
        EventType.OPENED,
        "",
        None,
    ),
    "click": (
        _postmark(
            "Click", Recipient=READER, ReceivedAt="2026-03-01T11:00:00Z", OriginalLink="https://example.org/"
        ),
        EventType.CLICKED,
        "",
        None,
    ),
    "something new": (_postmark("Sneeze", Recipient=READER), EventType.OTHER, "", None),
}


def _resend(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "created_at": "2026-03-01T10:00:02.000Z",
        "data": {
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "created_at": "2026-03-01T10:00:00.000Z",
            "from": "Example Press <hello@example.org>",
            "to": [READER],
            "subject": "First light",
            "tags": {"outbox_id": TAG},
            **more,
        },
    }


RESEND: dict[str, Case] = {
    "sent": (_resend("email.sent"), EventType.ACCEPTED, "", None),
    "delivered": (_resend("email.delivered"), EventType.DELIVERED, "", None),
    "delayed": (_resend("email.delivery_delayed"), EventType.DEFERRED, "", None),
    "complained": (_resend("email.complained"), EventType.COMPLAINED, "", None),
    "permanent": (
        _resend(
            "email.bounced",
            bounce={
                "type": "Permanent",
                "subType": "General",
                "message": "The recipient's mail server rejected it.",
                "diagnosticCode": ["smtp; 550 5.1.1 user unknown"],
            },
        ),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "blocked for good": (
        _resend(
            "email.bounced",
            bounce={
                "type": "Permanent",
                "subType": "General",
                "message": "",
                "diagnosticCode": ["smtp; 554 5.7.1 listed at zen.spamhaus.org"],
            },
        ),
        EventType.BOUNCED,
        "soft",
        Cause.BLOCKED,
    ),
    "full": (
        _resend(
            "email.bounced",
            bounce={"type": "Transient", "subType": "MailboxFull", "message": "", "diagnosticCode": []},
        ),
        EventType.BOUNCED,
        "soft",
        Cause.FULL,
    ),
    "opened": (_resend("email.opened"), EventType.OPENED, "", None),
    "clicked": (
        _resend(
            "email.clicked",
            click={
                "link": "https://example.org/",
                "timestamp": "2026-03-01T11:00:00Z",
                "ipAddress": "192.0.2.1",
                "userAgent": "x",
            },
        ),
        EventType.CLICKED,
        "",
        None,
    ),
    "failed": (
        _resend("email.failed", failed={"reason": "reached_daily_quota"}),
        EventType.REFUSED,
        "",
        None,
    ),
    "suppressed": (
        _resend(
            "email.suppressed",
            suppressed={
                "type": "OnAccountSuppressionList",
                "message": "Resend has suppressed it",
                "reason": "bounce",
                "diagnosticCode": [],
            },
        ),
        EventType.REFUSED,
        "hard",
        Cause.SUPPRESSED,
    ),
    "something new": (_resend("email.sneezed"), EventType.OTHER, "", None),
}


def _mailgun(event: str, **more: Any) -> dict[str, Any]:
    return {
        "event-data": {
            "event": event,
            "id": "CPgfbmQMTCKtHW6uIWtuVe",
            "timestamp": 1772359202.31,
            "recipient": READER,
            "recipient-domain": "example.org",
            "message": {
                "headers": {
                    "message-id": "20260301.1@m.example.org",
                    "to": READER,
                    "from": "hello@example.org",
                }
            },
            "tags": ["2026-03-01-first-light"],
            "user-variables": {"outbox_id": MESSAGE, "batch": "b"},
            **more,
        }
    }


def _failed(severity: str, reason: str, code: int, words: str) -> dict[str, Any]:
    status = {"code": code, "message": words, "description": "", "attempt-no": 1, "session-seconds": 0.1}
    return _mailgun("failed", severity=severity, reason=reason, **{"delivery-status": status})


MAILGUN: dict[str, Case] = {
    "delivered": (
        _mailgun(
            "delivered", **{"delivery-status": {"code": 250, "message": "OK", "description": "", "tls": True}}
        ),
        EventType.DELIVERED,
        "",
        None,
    ),
    "permanent": (
        _failed(
            "permanent", "bounce", 550, "5.1.1 The email account that you tried to reach does not exist."
        ),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "permanent, for its content": (
        _failed("permanent", "bounce", 554, "5.7.1 Message rejected as spam"),
        EventType.BOUNCED,
        "soft",
        Cause.SPAM,
    ),
    "suppressed": (
        _failed("permanent", "suppress-bounce", 605, "Not delivering to previously bounced address"),
        EventType.BOUNCED,
        "hard",
        Cause.SUPPRESSED,
    ),
    "too old": (_failed("permanent", "old", 602, "Too old"), EventType.BOUNCED, "soft", Cause.EXPIRED),
    "temporary": (
        _failed("temporary", "generic", 452, "4.2.2 The email account is over quota"),
        EventType.DEFERRED,
        "",
        Cause.FULL,
    ),
    "complained": (_mailgun("complained"), EventType.COMPLAINED, "", None),
    "unsubscribed": (_mailgun("unsubscribed"), EventType.UNSUBSCRIBED, "", None),
    "opened": (_mailgun("opened"), EventType.OPENED, "", None),
    "clicked": (_mailgun("clicked", url="https://example.org/"), EventType.CLICKED, "", None),
    "rejected": (
        _mailgun("rejected", reject={"reason": "Sandbox subdomains are for test purposes only"}),
        EventType.REFUSED,
        "",
        None,
    ),
    "something new": (_mailgun("sneezed"), EventType.OTHER, "", None),
}


def _brevo(event: str, **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "email": READER,
        "id": 26224,
        "date": "2026-03-01 11:00:02",
        "ts": 1772359202,
        "ts_event": 1772359202,
        "ts_epoch": 1772359202310,
        "message-id": "<202603011000.81021420520@smtp-relay.mailin.fr>",
        "subject": "First light",
        "tag": '["2026-03-01-first-light"]',
        "tags": ["2026-03-01-first-light"],
        "X-Mailin-custom": MESSAGE,
        "sending_ip": "192.0.2.1",
        **more,
    }


BREVO: dict[str, Case] = {
    "request": (_brevo("request"), EventType.ACCEPTED, "", None),
    "delivered": (_brevo("delivered"), EventType.DELIVERED, "", None),
    "hard bounce": (
        _brevo("hard_bounce", reason="550 5.1.1 unknown user"),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "soft bounce": (
        _brevo("soft_bounce", reason="452 4.2.2 mailbox full"),
        EventType.BOUNCED,
        "soft",
        Cause.FULL,
    ),
    "invalid": (_brevo("invalid_email"), EventType.BOUNCED, "hard", Cause.UNKNOWN_USER),
    "blocked": (
        _brevo("blocked", reason="blocked : due to blacklist user"),
        EventType.REFUSED,
        "soft",
        Cause.BLOCKED,
    ),
    "spam": (_brevo("spam"), EventType.COMPLAINED, "", None),
    "complaint": (_brevo("complaint"), EventType.COMPLAINED, "", None),
    "deferred": (_brevo("deferred", reason="451 greylisted"), EventType.DEFERRED, "", None),
    "left": (_brevo("unsubscribe"), EventType.UNSUBSCRIBED, "", None),
    "opened": (_brevo("opened"), EventType.OPENED, "", None),
    "opened first": (_brevo("unique_opened"), EventType.OPENED, "", None),
    "opened by a proxy": (_brevo("proxy_open"), EventType.OPENED, "", None),
    "click": (_brevo("click", link="https://example.org/"), EventType.CLICKED, "", None),
    "error": (_brevo("error", reason="Some error"), EventType.REFUSED, "soft", None),
    "something new": (_brevo("sneezed"), EventType.OTHER, "", None),
}


def _ses(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "mail": {
            "timestamp": "2026-03-01T10:00:00.123Z",
            "source": "Example Press <hello@example.org>",
            "sendingAccountId": "123456789012",
            "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            "destination": [READER],
            "headersTruncated": False,
            "commonHeaders": {"to": [READER], "subject": "First light", "messageId": "EXAMPLE7c191be45"},
            "tags": {"ses:configuration-set": ["letters"], "outbox_id": [TAG]},
        },
        **more,
    }


def _ses_bounce(kind: str, sub: str, diagnostic: str) -> dict[str, Any]:
    person = {"emailAddress": READER, "action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic}
    return _ses(
        "Bounce",
        bounce={
            "bounceType": kind,
            "bounceSubType": sub,
            "bouncedRecipients": [person],
            "timestamp": "2026-03-01T10:00:02.669Z",
            "feedbackId": "01",
            "reportingMTA": "dsn; mta.example.com",
        },
    )


SES: dict[str, Case] = {
    "send": (_ses("Send", send={}), EventType.ACCEPTED, "", None),
    "delivery": (
        _ses(
            "Delivery",
            delivery={"timestamp": "2026-03-01T10:00:02Z", "recipients": [READER], "smtpResponse": "250 ok"},
        ),
        EventType.DELIVERED,
        "",
        None,
    ),
    "permanent": (
        _ses_bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown"),
        EventType.BOUNCED,
        "hard",
        Cause.UNKNOWN_USER,
    ),
    "suppressed": (
        _ses_bounce("Permanent", "OnAccountSuppressionList", "Amazon SES did not send"),
        EventType.BOUNCED,
        "hard",
        Cause.SUPPRESSED,
    ),
    "full": (
        _ses_bounce("Transient", "MailboxFull", "smtp; 552 5.2.2 full"),
        EventType.BOUNCED,
        "soft",
        Cause.FULL,
    ),
    "complaint": (
        _ses(
            "Complaint",
            complaint={
                "complainedRecipients": [{"emailAddress": READER}],
                "timestamp": "2026-03-01T12:00:00Z",
                "complaintFeedbackType": "abuse",
                "feedbackId": "02",
            },
        ),
        EventType.COMPLAINED,
        "",
        None,
    ),
    "reject": (_ses("Reject", reject={"reason": "Bad content"}), EventType.REFUSED, "", None),
    "rendering": (
        _ses(
            "Rendering Failure", failure={"errorMessage": "Attribute 'x' is not present", "templateName": "t"}
        ),
        EventType.REFUSED,
        "",
        None,
    ),
    "delay": (
        _ses(
            "DeliveryDelay",
            deliveryDelay={
                "timestamp": "2026-03-01T10:30:00Z",
                "delayType": "TransientCommunicationFailure",
                "expirationTime": "2026-03-02T10:30:00Z",
                "delayedRecipients": [
                    {"emailAddress": READER, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1"}
                ],
            },
        ),
        EventType.DEFERRED,
        "",
        None,
    ),
    "open": (
        _ses("Open", open={"timestamp": "2026-03-01T11:00:00Z", "userAgent": "x", "ipAddress": "192.0.2.1"}),
        EventType.OPENED,
        "",
        None,
    ),
    "click": (
        _ses("Click", click={"timestamp": "2026-03-01T11:00:00Z", "link": "https://example.org/"}),
        EventType.CLICKED,
        "",
        None,
    ),
    "left": (
        _ses(
            "Subscription",
            subscription={
                "contactList": "letters",
                "timestamp": "2026-03-01T11:00:00Z",
                "source": "UnsubscribeHeader",
                "newTopicPreferences": {"unsubscribeAll": True},
            },
        ),
        EventType.UNSUBSCRIBED,
        "",
        None,
    ),
    "something new": (_ses("Sneeze"), EventType.OTHER, "", None),
}

PAYLOADS: dict[str, dict[str, Case]] = {
    "postmark": POSTMARK,
    "resend": RESEND,
    "mailgun": MAILGUN,
    "brevo": BREVO,
    "ses": SES,
}
