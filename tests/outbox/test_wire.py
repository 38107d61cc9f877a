"""A message joined from ready pieces is the message that would have been written whole."""

from __future__ import annotations

import json
from html import escape

from hypothesis import given
from hypothesis import strategies as st

from outbox.model import Address, Addressee, Template
from outbox.wire import Form, Hole, Merge, Quoted, json_text, own, spell_json, spell_out

texts = st.text(st.characters(exclude_categories=("Cs",)))
PERSON = Addressee(
    "s.1", Address("Zoë", "zoe@example.org"), "<s.1@l.example.org>", {"name": "Zoë", "town": "Ulm"}
)
NAME, TOWN = ("name", escape), ("town", str)


def person(**values: str) -> Addressee:
    """Somebody with these values."""
    return Addressee("s.1", Address("Zoë", "zoe@example.org"), "<s.1@l.example.org>", values)


@given(before=texts, value=texts, after=texts)
def test_json_from_pieces_is_json_written_whole(before: str, value: str, after: str) -> None:
    """Quotes, backslashes, control characters, emoji: escaped piece by piece, read back as one text."""
    text = Template((before, "", after), (NAME, NAME))
    form = Form(spell_json({"a": [text, {"c": text}], f"k{before}": 1, "n": None, "t": True}))
    filled = text.fill({"name": value})
    whole = {"a": [filled, {"c": filled}], f"k{before}": 1, "n": None, "t": True}

    assert whole == json.loads(form.fill(person(name=value)))


@given(value=texts, literal=texts)
def test_json_inside_json_is_read_back_twice(value: str, literal: str) -> None:
    """What a template wants as a text is an object again when it is opened."""
    inner = {"f0": Template((literal, ""), (NAME,)), "f1": "x"}
    outer = json.loads(Form(spell_json({"data": Quoted(inner)})).fill(person(name=value)))

    assert {"f0": literal + escape(value), "f1": "x"} == json.loads(outer["data"])


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    """AD-1: one way to write an object."""
    assert b'{"a":[1,"x"],"b":"Ulm"}' == Form(
        spell_json({"b": Template(("", ""), (TOWN,)), "a": [1, "x"]})
    ).fill(PERSON)


def test_a_hole_that_occurs_twice_is_filled_once() -> None:
    """However often a name stands in a letter, it is escaped once for each person and place."""
    asked: list[str] = []

    def spell(text: str) -> bytes:
        asked.append(text)
        return text.encode()

    text = Template(("Dear ", " of ", ", ", "!"), (NAME, TOWN, NAME))

    assert "Dear Zoë of Ulm, Zoë!".encode() == Form(spell_out(text, spell)).fill(PERSON)
    asked.clear()
    Form(spell_out(text, spell)).fill(PERSON)
    assert ["Zoë", "Ulm"] == [said for said in asked if said in {"Zoë", "Ulm"}]


def test_a_form_without_holes_is_its_bytes() -> None:
    """A letter that greets nobody is the same for all."""
    assert b"same" == Form([b"sa", b"me"]).fill(PERSON)


def test_a_call_is_one_join() -> None:
    """Head, a message for each, what stands between them, tail."""
    form = Form([Hole(own("email"), json_text)])
    people = [PERSON, Addressee("s.2", Address("", "b@example.org"), "<s.2@l.example.org>", {})]

    assert b"[zoe@example.org|b@example.org]" == form.fill_all(people, head=b"[", between=b"|", tail=b"]")


def test_what_an_addressee_has_of_its_own() -> None:
    """Beside the values of the fields, and never in their way: no field can have such a name."""
    names = ("id", "message-id", "email", "name", "mailbox", "shown")
    made = [Form([Hole(own(name), str.encode)]).fill(PERSON).decode() for name in names]

    assert made == [
        "s.1", "<s.1@l.example.org>", "zoe@example.org", "Zoë", "=?utf-8?b?Wm/Dqw==?= <zoe@example.org>",
        "Zoë <zoe@example.org>",
    ]  # fmt: skip


def test_one_field_escaped_in_two_ways_is_two_of_theirs() -> None:
    """The provider puts in what we escaped, so the HTML and the text need a field each."""
    merge = Merge("{{{}}}")
    name = ("name", str)
    html, text = merge.put(Template(("<b>", "</b>"), (NAME,))), merge.put(Template(("", "!"), (name,)))
    again = merge.put(Template(("", ""), (NAME,)))
    filled = {field: value.fill({"name": "<Ann>"}) for field, value in merge.values().items()}

    assert ("<b>{{f0}}</b>", "{{f1}}!", "{{f0}}") == (html, text, again)
    assert {"f0": "&lt;Ann&gt;", "f1": "<Ann>"} == filled


def test_what_is_the_same_for_all_is_filled_before() -> None:
    """Such a field is gone from the template, escaped as it would have been."""
    text = Template(("Dear ", " of ", ""), (NAME, TOWN))

    assert Template(("Dear &lt;Ann&gt; of ", ""), (TOWN,)) == text.settle({"name": "<Ann>"})
    assert "Dear &lt;Ann&gt; of Ulm" == text.settle({"name": "<Ann>", "town": "Ulm"}).fill({})
