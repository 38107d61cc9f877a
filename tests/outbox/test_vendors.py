"""What we send fits what the vendors have published, and outsiders agree with the sandbox and the signer."""

from __future__ import annotations

import email.policy
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from outbox.model import Account, Addressee, Letter, Outcome
from outbox.providers import PROVIDERS
from outbox.providers.ses import sign
from outbox.sandbox import Server

HERE = Path(__file__)
DATE = datetime(2026, 3, 1, 9, tzinfo=UTC)
ENV = {"OUTBOX_TOKEN": "token", "OUTBOX_SES_KEY_ID": "AKIDEXAMPLE", "OUTBOX_SES_SECRET": "wJalrXUtnFEMI"}
JSON = "content/application~1json/schema"
#: Where a vendor's description says what a call must look like.
POINTERS = {
    "resend": {
        "/emails/batch": f"#/paths/~1emails~1batch/post/requestBody/{JSON}",
        "/emails": f"#/paths/~1emails/post/requestBody/{JSON}",
    },
    "mailgun": {
        "": "#/paths/~1v3~1{domain_name}~1messages/post/requestBody/content/multipart~1form-data/schema"
    },
}


def body_of(name: str, letter: Letter, people: list[Addressee], tmp_path: Path) -> tuple[str, bytes]:
    """The path and the bytes of one call."""
    account = Account(
        tmp_path, ENV, domain="m.example.org", region="eu" if name == "mailgun" else "eu-west-1"
    )
    batch = PROVIDERS[name](account).prepare(letter, people, "s.d.1", date=DATE)
    return batch.path, batch.body


def specs() -> Path:
    """The folder of the vendors' descriptions; not everybody has it."""
    folders = (folder / "shared" / "specs" for folder in HERE.parents)
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None:
        pytest.skip("there are no vendors' descriptions beside this folder")
    return found


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", POINTERS)
def test_a_call_fits_the_vendors_description(
    name: str, number: int, letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """CK-1: every field is one they know, of the type they say."""
    document = json.loads((specs() / f"{name}.json").read_text("utf-8"))
    path, body = body_of(name, letter, [write_to(no) for no in range(1, number + 1)], tmp_path)
    pointer = POINTERS[name].get(path) or POINTERS[name][""]
    said = json.loads(body) if name == "resend" else form_of(body)
    Draft202012Validator({**document, "$ref": pointer}).validate(said)

    with pytest.raises(Exception, match=r"is not valid|is a required|is not of type"):
        Draft202012Validator({**document, "$ref": pointer}).validate({"to": 7})


def form_of(body: bytes) -> Mapping[str, Any]:
    """A form as an object; a name that stands once has a text, else a list."""
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--").decode()
    head = f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
    form: dict[str, list[str]] = {}
    for part in message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
        name = part.get_param("name", header="content-disposition")
        form.setdefault(str(name), []).append(part.get_payload(decode=True).decode())
    return {name: values[0] if len(values) == 1 else values for name, values in form.items()}


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("name", ["postmark", "brevo"])
def test_a_call_fits_our_own_description(
    name: str, number: int, letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """CK-5: written from their documentation, where no description may be used; unknown names are refused."""
    schema = json.loads((HERE.parent / "schemas" / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    _, body = body_of(name, letter, [write_to(no) for no in range(1, number + 1)], tmp_path)

    Draft202012Validator(schema).validate(json.loads(body))


# --- Amazon --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def amazon() -> ServiceModel:
    """Amazon's own model of the service."""
    return ServiceModel(Loader().load_service_model("sesv2", "service-2"))


@pytest.mark.parametrize(("number", "operation"), [(1, "SendEmail"), (3, "SendBulkEmail")])
def test_a_call_fits_amazons_model(
    number: int, operation: str, letter: Letter, write_to: Any, tmp_path: Path, amazon: ServiceModel
) -> None:
    """CK-3: path, names and types; what they have no name for is an error here."""
    shape = amazon.operation_model(operation)
    path, body = body_of("ses", letter, [write_to(no) for no in range(1, number + 1)], tmp_path)
    said = json.loads(body)
    if operation == "SendEmail":
        raw = said["Content"]["Raw"]
        raw["Data"] = b64decode(raw["Data"])
        assert max(map(len, raw["Data"].split(b"\r\n"))) < 1000

    assert shape.http["requestUri"] == path
    assert not ParamValidator().validate(said, shape.input_shape).has_errors()
    assert ParamValidator().validate({**said, "Misspelt": 1}, shape.input_shape).has_errors()


@pytest.mark.parametrize("token", ["", "session-token"])
@pytest.mark.parametrize("path", ["/v2/email/outbound-emails", "/v2/email/identities/a%40example.org"])
def test_a_signature_is_amazons(monkeypatch: pytest.MonkeyPatch, token: str, path: str) -> None:
    """CK-4: the same keys, bytes and moment make the same Authorization as their signer's."""
    body, host, region = '{"name": "Zoë"}'.encode(), "email.eu-west-1.amazonaws.com", "eu-west-1"
    request = AWSRequest("POST", f"https://{host}{path}", data=body)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: DATE.replace(tzinfo=None))
    keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    SigV4Auth(Credentials(*keys, token or None), "ses", region).add_auth(request)
    headers = sign("POST", host, path, body, region, (*keys, token) if token else keys, DATE)

    assert request.headers["Authorization"] == headers["Authorization"]
    assert request.headers["X-Amz-Date"] == headers["x-amz-date"]
    assert request.headers.get("X-Amz-Security-Token") == headers.get("x-amz-security-token")


def test_a_stand_in_for_amazon_takes_what_we_send(letter: Letter, write_to: Any, tmp_path: Path) -> None:
    """Moto answers as Amazon does: refused while the sender is not known there, then sent with our headers."""
    with mock_aws():
        provider = PROVIDERS["ses"](Account(tmp_path, ENV, region="eu-west-1"))
        batch = provider.prepare(letter, [write_to(1)], "s.d.1", date=DATE)
        (before,) = provider.send(batch)
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client("sesv2", region_name="eu-west-1", **keys)
        client.create_email_identity(EmailIdentity="hello@example.org")
        (after,) = provider.send(batch)
        (sent,) = ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].sent_messages

    assert (Outcome.INVALID, Outcome.ACCEPTED) == (before.outcome, after.outcome)
    assert sent.id == after.provider_id
    assert "List-Unsubscribe: <https://example.org/mail/unsubscribe/1-abc>" in sent.raw_data


# --- outsiders against the sandbox ---------------------------------------------------------------


@pytest.fixture(scope="module")
def anymail(rehearsal: Server) -> Callable[[str], Any]:
    """Connections of django-anymail, an independent mailer, to the sandbox."""
    import django
    from django.conf import settings
    from django.core.mail import get_connection

    if not settings.configured:
        settings.configure(USE_TZ=True, DEFAULT_CHARSET="utf-8")
        django.setup()
    kinds: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "resend": ("resend", {"api_key": "k", "api_url": rehearsal.url}),
        "postmark": ("postmark", {"server_token": "k", "api_url": rehearsal.url}),
        "mailgun": (
            "mailgun",
            {"api_key": "k", "api_url": f"{rehearsal.url}/v3", "sender_domain": "m.example.org"},
        ),
        "brevo": ("brevo", {"api_key": "k", "api_url": f"{rehearsal.url}/v3"}),
    }

    def connect(name: str) -> Any:
        module, options = kinds[name]
        return get_connection(f"anymail.backends.{module}.EmailBackend", **options)

    return connect


@pytest.mark.parametrize("name", ["resend", "postmark", "mailgun", "brevo"])
def test_another_mailer_is_understood(
    name: str, rehearsal: Server, anymail: Callable[[str], Any], letter: Letter, write_to: Any, tmp_path: Path
) -> None:
    """CK-6: what django-anymail sends and what we send make the same letters in the journal."""
    from anymail.message import AnymailMessage

    journal, people = rehearsal.desk.journal, [write_to(1, "Ana"), write_to(2, "Ana", "b@example.org")]
    values = {"first_name": "Ana", "unsubscribe_url": "https://example.org/mail/unsubscribe/1-abc"}
    people = [
        Addressee(person.outbox_id, person.to, person.message_id, values) for person in people
    ]  # the same words for both: providers without merge fields have one body in anymail
    message = AnymailMessage(
        subject=letter.subject.fill(values),
        body=letter.text.fill(values),
        from_email="Example Press <hello@example.org>",
        to=[f"{person.to.name} <{person.to.email}>" for person in people],
        reply_to=['"Björk, Answers" <reply@example.org>'],
        headers={header: value.fill(values) for header, value in letter.headers},
        connection=anymail(name),
    )
    message.attach_alternative(letter.html.fill(values), "text/html")
    # One message for each, as anymail is asked for it.
    each = {person.to.email: {} for person in people}
    message.merge_metadata, message.merge_data = (each, None) if name == "postmark" else (None, each)
    journal.clear()
    message.send()
    theirs = [(o["email"], o["subject"], o["html"], o["text"], listed(o)) for o in journal.find()]
    statuses = {person.to.email: message.anymail_status.recipients[person.to.email] for person in people}
    journal.clear()
    account = Account(tmp_path, ENV, url=rehearsal.url, domain="m.example.org")
    provider = PROVIDERS[name](account)
    results = provider.send(provider.prepare(letter, people, "s.d.1", date=DATE))
    provider.close()
    ours = [(o["email"], o["subject"], o["html"], o["text"], listed(o)) for o in journal.find()]

    assert sorted(theirs) == sorted(ours)
    assert {status.status for status in statuses.values()} <= {"queued", "sent"}
    assert all(status.message_id for status in statuses.values())
    assert len(results) == 2


def listed(kept: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers of a list among those of a message."""
    return {name: value for name, value in kept["headers"] if name.startswith("List-")}


def test_resends_own_client_is_understood(rehearsal: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """CK-6: their client sends, gets ids, and is answered again under the same key."""
    import resend

    monkeypatch.setattr(resend, "api_key", "k")
    monkeypatch.setattr(resend, "api_url", rehearsal.url)
    rehearsal.desk.journal.clear()
    mail: Any = [
        {"from": "a@example.org", "to": ["b@example.org"], "subject": "Hi", "html": "<p>Hi</p>"},
        {"from": "a@example.org", "to": ["c@example.org"], "subject": "Hi", "html": "<p>Hi</p>"},
    ]
    first = resend.Batch.send(mail, {"idempotency_key": "one"})
    again = resend.Batch.send(mail, {"idempotency_key": "one"})

    assert [one["id"] for one in first["data"]] == [one["id"] for one in again["data"]]
    assert {"b@example.org": 1, "c@example.org": 1} == rehearsal.desk.journal.count()
