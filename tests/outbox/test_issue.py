"""An issue folder is read whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import IssueError
from outbox.issue import digest_of, parse, read, schema
from outbox.model import Field


def list_fields(**types: str) -> dict[str, dict[str, str]]:
    """`fields` of an issue.json, by the type of each."""
    return {name: {"type": kind, "default": ""} for name, kind in types.items()}


#: What every letter of these tests uses, and one field more.
FIELDS = list_fields(first_name="text", postal_address="text", unsubscribe_url="url")
TEXT = "Dear @@first_name@@,\n\n@@unsubscribe_url@@\n@@postal_address@@\n"
SCHEMA = Path(__file__).parents[2] / "docs" / "issue.schema.json"


def test_a_good_folder_is_read(make_issue: Callable[..., Path]) -> None:
    """Everything issue.json says, and the bytes of every other file, come back."""
    issue = read(make_issue(send_at="2026-03-01T09:00:00+00:00"))

    assert issue.slug == "2026-03-01-first-light"
    assert issue.send_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert list(issue.files) == ["body.html", "body.txt", "images/dawn.png"]
    assert issue.fields == {
        "first_name": Field("text", "friend"), "postal_address": Field("text"), "unsubscribe_url": Field("url"),
    }  # fmt: skip


def test_an_issue_brings_fields_of_its_own(make_issue: Callable[..., Path]) -> None:
    """A field that only its author knows has a type and a default that come along."""
    city = {"city": {"type": "text", "default": "your town"}}
    issue = read(make_issue(text=f"{TEXT}@@city@@\n", fields={**FIELDS, **city}))

    assert Field("text", "your town") == issue.fields["city"]


def test_a_default_that_is_no_link_is_refused(make_issue: Callable[..., Path]) -> None:
    """What could forge a link is stopped before anybody gets it."""
    shop = {"shop_url": {"type": "url", "default": "javascript:alert(1)"}}

    with pytest.raises(IssueError, match="@@shop_url@@ is not a link"):
        read(make_issue(text=f"{TEXT}@@shop_url@@\n", fields={**FIELDS, **shop}))


def test_a_frozen_folder_is_the_same_issue(make_issue: Callable[..., Path]) -> None:
    """What the database gives back reads as what was put in."""
    issue = read(make_issue())

    assert issue == parse(issue.document, issue.files, issue.slug)


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown format": ({"format": 2}, "format 2 is not known"),
    "unknown key": ({"colour": "red"}, "unknown field colour"),
    "unknown kind": ({"kind": "advert"}, "kind"),
    "empty subject": ({"subject": ""}, "subject"),
    "line break in the subject": ({"subject": "Hello\nBcc: all@example.org"}, "subject"),
    "text for a number": ({"words": "nine"}, "words"),
    "true for a number": ({"minutes": True}, "minutes"),
    "no time": ({"send_at": "tomorrow"}, "is not a time"),
    "no offset": ({"send_at": "2026-03-01T09:00:00"}, "has no offset"),
    "slug of another folder": ({"slug": "2026-03-01-other"}, "is not the folder's name"),
    "slug with a path in it": ({"slug": "../up"}, "slug"),
    "wrong digest": ({"sha256": "0" * 64}, "was changed after the build"),
    "unlisted field": (
        {"fields": list_fields(first_name="text", unsubscribe_url="url")},
        "look at postal_address",
    ),
    "field not used": (
        {
            "fields": list_fields(
                first_name="text", unsubscribe_url="url", postal_address="text", list_name="text"
            )
        },
        "look at list_name",
    ),
    "field of another type": (
        {"fields": list_fields(first_name="html", unsubscribe_url="url", postal_address="text")},
        "of type text, not html",
    ),
    "attachment that is not there": (
        {"attachments": [{"name": "a.pdf", "media_type": "application/pdf"}]},
        "missing",
    ),
    "file outside the folder": ({"files": {"../../secret": "0" * 64}}, "files"),
    "unknown field in the subject": ({"subject": "Hi @@nickname@@"}, "unknown field @@nickname@@"),
    "link in the subject": ({"subject": "Go @@browser_url@@"}, "must not stand in a header"),
}


@pytest.mark.parametrize(("changes", "says"), CHANGES.values(), ids=CHANGES)
def test_a_wrong_document_is_refused(
    make_issue: Callable[..., Path], changes: dict[str, Any], says: str
) -> None:
    """Each wrong value is named."""
    folder = make_issue()
    document = json.loads((folder / "issue.json").read_text()) | changes
    document["sha256"] = changes.get("sha256") or digest_of(document)
    (folder / "issue.json").write_text(json.dumps(document))

    with pytest.raises(IssueError, match=re.escape(says)):
        read(folder)


@pytest.mark.parametrize("key", sorted(schema()["$defs"]["Document"]["required"]))
def test_every_key_is_required(make_issue: Callable[..., Path], key: str) -> None:
    """A document that leaves a key out is refused."""
    folder = make_issue()
    document = json.loads((folder / "issue.json").read_text())
    del document[key]
    (folder / "issue.json").write_text(json.dumps(document))

    with pytest.raises(IssueError, match=f"{key}|format None"):
        read(folder)


def spoil_html(folder: Path) -> None:
    """Change one letter."""
    (folder / "body.html").write_text("changed")


def remove_text(folder: Path) -> None:
    """Take a body away."""
    (folder / "body.txt").unlink()


def add_file(folder: Path) -> None:
    """Put a stranger in."""
    (folder / ".DS_Store").write_text("x")


def add_folder(folder: Path) -> None:
    """Put a folder in."""
    (folder / "more").mkdir()


def add_link(folder: Path) -> None:
    """Point outside."""
    (folder / "images" / "passwd.png").symlink_to("/etc/passwd")


def link_preview(folder: Path) -> None:
    """Have the folder of pictures lead elsewhere."""
    (folder / "preview").symlink_to("/etc")


def write_preview(folder: Path) -> None:
    """A file where the folder of pictures would be."""
    (folder / "preview").write_text("x")


def remove_document(folder: Path) -> None:
    """Take issue.json away."""
    (folder / "issue.json").unlink()


def break_json(folder: Path) -> None:
    """Cut issue.json short."""
    (folder / "issue.json").write_text("{")


def double_key(folder: Path) -> None:
    """Say a thing twice."""
    whole = (folder / "issue.json").read_text()
    (folder / "issue.json").write_text(whole.replace("{", '{"kind": "letter",', 1))


def not_an_object(folder: Path) -> None:
    """A list instead."""
    (folder / "issue.json").write_text("[1]")


def test_pictures_of_the_letter_are_passed_over(make_issue: Callable[..., Path]) -> None:
    """A folder preview/ is no part of the issue: not its size, not its digest, not what is sent."""
    folder = make_issue()
    bare = read(folder)
    (folder / "preview").mkdir()
    (folder / "preview" / "light-375.png").write_bytes(b"\x89PNG")

    assert bare == read(folder)


TAMPERINGS: dict[Callable[[Path], None], str] = {
    spoil_html: "body.html: was changed",
    remove_text: "body.txt: is missing",
    add_file: "DS_Store: does not belong",
    add_folder: "more: a folder that does not belong",
    add_link: "is not a plain file",
    link_preview: "preview: is not a plain file",
    write_preview: "preview: does not belong",
    remove_document: "has no issue.json",
    break_json: "is not valid JSON",
    double_key: "a key stands twice",
    not_an_object: "must be one JSON object",
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_a_tampered_folder_is_refused(
    make_issue: Callable[..., Path], tamper: Callable[[Path], None]
) -> None:
    """Whatever is done to the folder after the build is found and named."""
    folder = make_issue()
    tamper(folder)

    with pytest.raises(IssueError, match=TAMPERINGS[tamper]):
        read(folder)


@pytest.mark.parametrize(
    ("bodies", "says"),
    [
        ({"text": "a\nb @@First@@"}, r"body\.txt:2: '@@First@@' looks like a field"),
        ({"html": "<p>@@name@</p>"}, r"body\.html:1: '@@name@"),
        ({"text": "a \x07 bell"}, r"control character U\+0007"),
        ({"html": "  "}, "is empty"),
    ],
)
def test_a_bad_body_is_refused(make_issue: Callable[..., Path], bodies: dict[str, str], says: str) -> None:
    """Leftover fields and control characters are named with their line."""
    with pytest.raises(IssueError, match=says):
        read(make_issue(**bodies))


def test_the_published_schema_is_the_readers_own() -> None:
    """docs/issue.schema.json is what the reader checks by."""
    assert schema() == json.loads(SCHEMA.read_text())


def test_the_schema_names_every_key_of_the_folder(make_issue: Callable[..., Path]) -> None:
    """A good issue.json has exactly the schema's keys."""
    document = json.loads((make_issue() / "issue.json").read_text())
    definition = schema()["$defs"]["Document"]

    assert set(definition["required"]) == set(document) == set(definition["properties"]) - {"subjects"}
    assert definition["additionalProperties"] is False


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_the_digest_ignores_order_and_itself(document: dict[str, Any]) -> None:
    """A digest depends on what the object says, not on how it is written."""
    document = json.loads(json.dumps(document))
    backwards = dict(reversed(list(document.items())))

    assert digest_of(document) == digest_of({**backwards, "sha256": "anything"})


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    """Anything that is not a good issue.json ends as an IssueError."""
    with pytest.raises(IssueError):
        parse(content, {}, "x")
