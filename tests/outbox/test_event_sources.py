"""What each provider reports is proven and read: its payloads, its signatures, and an independent reader beside us."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from outbox.errors import BadSignature, OutboxError
from outbox.events import SOURCES, admit, read, ses, source_of
from outbox.events.mailgun import sign
from outbox.events.proof import sign_standard
from outbox.model import Arrival, EventType, Report
from tests.outbox.payloads import MESSAGE, PAYLOADS, READER, Case

NOW = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)
SECRETS = {
    "postmark": "outbox:a-long-password-1",
    "brevo": "outbox:a-long-password-2",
    "mailgun": "key-0123456789abcdef",
    "resend": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sandbox": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "ses": "arn:aws:sns:eu-west-1:123456789012:letters",
}
EVERY = [(name, title, case) for name, cases in PAYLOADS.items() for title, case in cases.items()]
SITE, PATH = "https://sns.eu-west-1.amazonaws.com", "/SimpleNotificationService-0123456789abcdef.pem"


@cache
def amazon() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key, and the certificate that says it is Amazon's."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=365))
    return key, made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def notify(said: dict[str, Any], **changes: Any) -> bytes:
    """What SNS makes of an event, signed."""
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": SECRETS["ses"],
        "Message": json.dumps(said),
        "Timestamp": "2026-03-01T10:00:03.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": SITE + PATH,
        **changes,
    }
    names = ses.SIGNED[envelope["Type"]]
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    kind = hashes.SHA1() if envelope["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303  (Amazon's own)
    envelope["Signature"] = b64encode(amazon()[0].sign(signed.encode(), padding.PKCS1v15(), kind)).decode()
    return json.dumps(envelope).encode()


def call_of(name: str, said: dict[str, Any], at: datetime = NOW, number: int = 1) -> Arrival:
    """A call as the provider makes it, signed with the right secret."""
    secret, headers = SECRETS[name], dict[str, str]()
    if name == "ses":
        return Arrival(name, {"x-amz-sns-message-type": "Notification"}, notify(said), at)
    moment, token = str(int(at.timestamp())), f"token-{number}"
    if name == "mailgun":
        said = {
            "signature": {"timestamp": moment, "token": token, "signature": sign(secret, moment, token)},
            **said,
        }
    body = json.dumps(said).encode()
    if name in {"postmark", "brevo"}:
        headers["authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    if name in {"resend", "sandbox"}:
        prefix = "svix" if name == "resend" else "webhook"
        signature = sign_standard(secret, f"msg_{number}", moment, body)
        headers |= {
            f"{prefix}-id": f"msg_{number}",
            f"{prefix}-timestamp": moment,
            f"{prefix}-signature": f"v1,{signature}",
        }
    return Arrival(name, headers, body, at)


@pytest.fixture(autouse=True)
def certificates(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Amazon's host, which is asked for certificates; returns what was asked."""
    asked = list[tuple[str, str]]()

    def fetch(site: str, path: str) -> bytes:
        asked.append((site, path))
        return amazon()[1]

    monkeypatch.setattr(source_of("ses"), "_fetch", fetch)
    monkeypatch.setattr(source_of("ses"), "_certificates", {})
    return asked


@pytest.mark.parametrize(
    ("name", "title", "case"), EVERY, ids=[f"{name}: {title}" for name, title, _ in EVERY]
)
def test_every_payload_is_proven_and_read(name: str, title: str, case: Case) -> None:
    """The kind, whom it is about, which message of ours, how firm and why."""
    said, type_, firmness, cause = case
    call = call_of(name, said)
    admit(call, [SECRETS[name]])
    (report,) = read(call)

    assert (type_, firmness, cause) == (report.type, report.firmness, report.cause)
    assert (READER, MESSAGE) == (report.recipient, report.outbox_id)
    assert report.detail
    assert report.event_id
    assert report.at.tzinfo is not None


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_the_same_event_has_the_same_name_when_it_is_told_again(name: str) -> None:
    """And two events have two."""
    first, second, *_ = (case[0] for case in PAYLOADS[name].values())
    told = [read(call_of(name, said))[0].event_id for said in (first, first)]
    other = read(call_of(name, second, number=2) if name != "ses" else _with_id(second))[0].event_id

    assert told[0] == told[1] != other


def _with_id(said: dict[str, Any]) -> Arrival:
    return Arrival("ses", {}, notify(said, MessageId="another"), NOW)


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_wrong_secret_is_refused_and_an_old_one_may_still_be_good(name: str) -> None:
    """Secrets can be changed without losing an event."""
    call = call_of(name, next(iter(PAYLOADS[name].values()))[0])
    wrong = SECRETS[name][:-1] + "x"
    admit(call, [wrong, SECRETS[name]])

    with pytest.raises(BadSignature):
        admit(call, [wrong])
    with pytest.raises(BadSignature):
        admit(call, [])


@pytest.mark.parametrize("name", ["resend", "mailgun", "ses", "sandbox"])
def test_what_is_signed_cannot_be_used_later(name: str) -> None:
    """Nor before its time."""
    said = {"events": []} if name == "sandbox" else next(iter(PAYLOADS[name].values()))[0]
    call = call_of(name, said)
    for shift in (timedelta(days=2), -timedelta(hours=1)):
        with pytest.raises(BadSignature):
            admit(replace(call, at=NOW + shift), [SECRETS[name]])


@pytest.mark.parametrize("name", ["resend", "ses", "sandbox"])
def test_a_changed_body_is_refused(name: str) -> None:
    """One letter is enough."""
    said = {"events": [{"note": "First"}]} if name == "sandbox" else next(iter(PAYLOADS[name].values()))[0]
    call = call_of(name, said)
    changed = replace(call, body=call.body.replace(b"First", b"Worst"))
    admit(call, [SECRETS[name]])

    assert changed != call
    with pytest.raises(BadSignature):
        admit(changed, [SECRETS[name]])


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"signature": 3}', b'{"event-data": []}'])
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_body_that_is_odd_is_an_answer_and_no_accident(name: str, body: bytes) -> None:
    """Neither proof nor reading raises anything but our own errors."""
    call = Arrival(name, {}, body, NOW)
    with pytest.raises(OutboxError):
        admit(call, [SECRETS.get(name, "a long enough secret")])
    try:
        read(call)
    except OutboxError as error:
        assert str(error)


def test_the_standard_signature_is_that_of_the_documentation() -> None:
    """The example that Svix prints."""
    body = b'{"test": 2432232314}'
    signature = sign_standard(SECRETS["resend"], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)

    assert signature == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("header", ["authorization", "x-outbox-secret"])
def test_a_secret_may_come_as_a_token_or_in_a_header_of_ours(header: str) -> None:
    """What a provider cannot send one way it can another."""
    value = f"Bearer {SECRETS['brevo']}" if header == "authorization" else SECRETS["brevo"]
    call = Arrival("brevo", {header: value}, b"{}", NOW)
    admit(call, [SECRETS["brevo"]])

    with pytest.raises(BadSignature):
        admit(call, ["another password of ours"])


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com" + PATH,
        "https://sns.eu-west-1.amazonaws.com.example.org" + PATH,
        "https://example.org/@sns.eu-west-1.amazonaws.com" + PATH,
        "https://sns.eu-west-1.amazonaws.com:8443" + PATH,
        "https://user@sns.eu-west-1.amazonaws.com" + PATH,
        "https://sns.eu-west-1.amazonaws.com/../x.pem",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_is_fetched_from_amazon_only(url: str, certificates: list[tuple[str, str]]) -> None:
    """No request goes where a body says."""
    call = Arrival("ses", {}, notify({}, SigningCertURL=url), NOW)
    with pytest.raises(BadSignature):
        admit(call, [SECRETS["ses"]])

    assert certificates == []


def test_amazons_first_signature_is_known_too_and_the_certificate_is_fetched_once(
    certificates: list[tuple[str, str]],
) -> None:
    """Version 1 is SHA-1."""
    for version in ("1", "2"):
        admit(Arrival("ses", {}, notify({}, SignatureVersion=version), NOW), [SECRETS["ses"]])
    with pytest.raises(BadSignature):
        admit(Arrival("ses", {}, notify({}, SignatureVersion="3"), NOW), [SECRETS["ses"]])

    assert certificates == [(SITE, PATH)]


def test_only_a_topic_of_ours_is_confirmed(certificates: list[tuple[str, str]]) -> None:
    """Anybody can have a topic, with a good signature; and the answer goes to Amazon or nowhere."""
    query = (
        "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:letters&Token=2336412f37"
    )
    asks = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": SITE + query}
    call = Arrival("ses", {}, notify({}, **asks), NOW)
    with pytest.raises(BadSignature):
        admit(call, ["arn:aws:sns:eu-west-1:123456789012:another"])
    elsewhere = {**asks, "SubscribeURL": "https://example.org" + query}
    with pytest.raises(BadSignature):
        admit(Arrival("ses", {}, notify({}, **elsewhere), NOW), [SECRETS["ses"]])
    assert (SITE, query) not in certificates
    admit(call, [SECRETS["ses"]])

    assert certificates[-1] == (SITE, query)
    assert read(call) == []


def test_one_event_of_amazons_may_be_about_several_people() -> None:
    """Each has a name of its own."""
    people = [{"emailAddress": email} for email in ("a@example.org", "b@example.org")]
    said = {"eventType": "Complaint", "mail": {}, "complaint": {"complainedRecipients": people}}
    reports = read(Arrival("ses", {}, notify(said), NOW))

    assert ["a@example.org", "b@example.org"] == [report.recipient for report in reports]
    assert len({report.event_id for report in reports}) == 2


# --- an independent reader -----------------------------------------------------------------------

#: Our words for those of django-anymail.
THEIRS = {
    "queued": EventType.ACCEPTED,
    "sent": EventType.ACCEPTED,
    "rejected": EventType.REFUSED,
    "failed": EventType.REFUSED,
    "bounced": EventType.BOUNCED,
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "autoresponded": EventType.AUTO_REPLY,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
    "complained": EventType.COMPLAINED,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "subscribed": EventType.SUBSCRIBED,
    "unknown": EventType.OTHER,
}
#: What anymail does not know, and we do.
UNKNOWN_TO_THEM = {("resend", "failed"), ("resend", "suppressed"), ("ses", "delay"), ("ses", "left")}
VIEWS = {
    "postmark": ("postmark", "PostmarkTrackingWebhookView", {}),
    "resend": ("resend", "ResendTrackingWebhookView", {}),
    "mailgun": ("mailgun", "MailgunTrackingWebhookView", {"webhook_signing_key": SECRETS["mailgun"]}),
    "brevo": ("brevo", "BrevoTrackingWebhookView", {}),
    "ses": ("amazon_ses", "AmazonSESTrackingWebhookView", {}),
}


def ask_anymail(name: str, call: Arrival) -> list[Any]:
    """What django-anymail reads in the same call; it also checks Mailgun's signature and our passwords."""
    from importlib import import_module

    import django
    from anymail.signals import tracking
    from django.conf import settings
    from django.test import RequestFactory, override_settings

    if not settings.configured:
        settings.configure(USE_TZ=True, DEFAULT_CHARSET="utf-8")
        django.setup()
    module, kind, options = VIEWS[name]
    view = getattr(import_module(f"anymail.webhooks.{module}"), kind)
    found: list[Any] = []

    def receive(event: Any, **_: Any) -> None:
        found.append(event)

    headers = {key: value for key, value in call.headers.items() if key != "authorization"}
    if name == "ses":
        headers["x-amz-sns-message-id"] = json.loads(call.body)["MessageId"]
    password = SECRETS[name] if name in {"postmark", "brevo"} else "user:password"
    headers["authorization"] = (
        call.headers.get("authorization") or f"Basic {b64encode(password.encode()).decode()}"
    )
    request = RequestFactory().generic("POST", "/", call.body, "application/json", headers=headers)
    tracking.connect(receive)
    try:
        with override_settings(ANYMAIL={"WEBHOOK_SECRET": password}, ALLOWED_HOSTS=["*"]):
            answer = view.as_view(**options)(request)
    finally:
        tracking.disconnect(receive)
    assert answer.status_code == 200
    return found


@pytest.mark.parametrize(
    ("name", "title", "case"), EVERY, ids=[f"{name}: {title}" for name, title, _ in EVERY]
)
def test_an_independent_reader_sees_the_same(name: str, title: str, case: Case) -> None:
    """CK-7: the kind, the recipient and the moment."""
    call = call_of(name, case[0])
    (ours,) = read(call)
    # Anymail writes JSON of its own into this field of Brevo's, and reads no other.
    (theirs,) = ask_anymail(name, replace(call, body=call.body.replace(b"X-Mailin-custom", b"X-Other")))

    if (name, title) not in UNKNOWN_TO_THEM:
        assert THEIRS[theirs.event_type] == ours.type
    assert theirs.recipient == ours.recipient
    if theirs.timestamp and name != "ses":  # there it takes the moment of the notification
        assert abs(theirs.timestamp - ours.at) < timedelta(milliseconds=1)


def test_reports_are_plain_data() -> None:
    """Two that say the same are the same."""
    now = NOW
    assert Report("x", "1", EventType.OTHER, now) == Report("x", "1", EventType.OTHER, now)
