"""What a form sent is read whole, whatever it is; nothing that comes in can crash the reader."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from outbox.web.forms import MAX_FIELDS, MAX_VALUE, parse_form

URLENCODED = "application/x-www-form-urlencoded"
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=50)


@given(st.dictionaries(NAMES, VALUES, max_size=10))
def test_urlencoded_fields_come_out_as_they_went_in(fields: dict[str, str]) -> None:
    """Every letter, in every language."""
    form = parse_form(urlencode(fields).encode(), URLENCODED)

    assert {name: (value,) for name, value in fields.items()} == form.fields


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=10))
def test_multipart_fields_come_out_as_they_went_in(fields: dict[str, str]) -> None:
    """As another program writes them."""
    parts = {name: (None, value) for name, value in fields.items()}
    sent = requests.Request("POST", "http://x", files=parts).prepare()
    assert isinstance(sent.body, bytes)
    form = parse_form(sent.body, sent.headers["content-type"])

    assert {name: (value,) for name, value in fields.items()} == form.fields


@given(st.binary(max_size=2000), st.text(max_size=100))
@example(
    b"--x\r\nContent-Disposition: form-data; name*=utf-8''%ff\r\n\r\n1\r\n--x--",
    "multipart/form-data; boundary=x",
)
@example(b"--x\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--x--", "multipart/form-data; boundary=x")
@example(b"", "multipart/form-data")
@example(b"x", 'multipart/form-data; boundary="\x00"')
def test_no_body_crashes_the_reader(body: bytes, kind: str) -> None:
    """Fields or none, and never an error."""
    assert isinstance(parse_form(body, kind).get("email"), str)


@given(st.binary(max_size=500))
def test_no_multipart_crashes_the_reader(inside: bytes) -> None:
    """Nor what stands between two boundaries."""
    body = b"--x\r\nContent-Disposition: form-data; " + inside + b"\r\n--x--"

    assert isinstance(parse_form(body, "multipart/form-data; boundary=x").get("name"), str)


def test_a_file_is_no_field() -> None:
    """Nobody sends us one."""
    sent = requests.Request("POST", "http://x", files={"email": ("a.txt", b"a@b.c")}).prepare()
    assert isinstance(sent.body, bytes)

    assert parse_form(sent.body, sent.headers["content-type"]).get("email") == ""


def test_there_is_an_end_to_fields_and_values() -> None:
    """Many fields are none at all, a long value is cut."""
    assert parse_form(b"a=1&" * (MAX_FIELDS + 1), URLENCODED).get("a") == ""
    assert len(parse_form(b"a=" + b"x" * 5000, URLENCODED).get("a")) == MAX_VALUE


@pytest.mark.parametrize("body", [b"List-Unsubscribe=One-Click", b"List-Unsubscribe=One-Click\r\n"])
def test_a_click_is_read(body: bytes) -> None:
    """As mail programs send it."""
    assert parse_form(body, URLENCODED).get("List-Unsubscribe") == "One-Click"
