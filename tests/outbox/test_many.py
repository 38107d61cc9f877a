"""Many as columns say of each the same as when they are told one by one."""

from __future__ import annotations

from html import escape

from hypothesis import given
from hypothesis import strategies as st

from outbox.headers import show_address, show_addresses
from outbox.many import Accepted, Addressees, Roster, sum_up
from outbox.model import Address, Addressee, ItemResult, Outcome, Recipient, State, Template
from outbox.wire import MARK, Form, Hole, own, spell_json

texts = st.text(st.characters(exclude_categories=("Cs",)))
#: Values with what might be taken for a border between two of them, or for a place to put something in.
values = st.one_of(texts, st.sampled_from([MARK, f"a{MARK}b", '"', "\\", "<&>", "%s", "%"]))
#: A greeting as HTML, a subject of two values, a text spelled word by word, and nothing of anybody.
FORM = Form(
    [
        *spell_json({"html": Template(("Dear ", "!"), (("name", escape),)), "id": own("id")}),
        Hole(Template(("100 %s ", " of ", ""), (("name", str), ("town", str))), lambda text: text[::-1].encode()),
        Hole(Template(("nobody's",)), str.encode),
        *spell_json(own("shown")),
    ]
)  # fmt: skip


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4))
def test_a_call_is_its_messages_one_after_the_other(people: list[tuple[str, str]]) -> None:
    """Made from columns or person by person: the same bytes, whatever the values hold."""
    crowd = [
        Addressee(f"s.{no}", Address(name, f"p{no}@example.org"), f"<s.{no}@l>", {"name": name, "town": town})
        for no, (name, town) in enumerate(people)
    ]
    one_by_one = b"[" + b"|".join(FORM.fill(person) for person in crowd) + b"]"

    assert one_by_one == FORM.fill_all(crowd, head=b"[", between=b"|", tail=b"]")
    assert crowd == list(Addressees.of(crowd))


@given(st.lists(values, min_size=1, max_size=4))
def test_addresses_are_shown_alike(names: list[str]) -> None:
    """One name with a comma must not change how another is shown."""
    emails = [f"p{no}@example.org" for no in range(len(names))]
    shown = [show_address(Address(*one)) for one in zip(names, emails, strict=True)]

    assert shown == show_addresses(names, emails)


def test_a_roster_is_cut() -> None:
    """Those who are wanted keep what is known of them, in their order."""
    people = [
        Recipient("s", no, f"p{no}@example.org", f"P{no}", state, f"t{no}", {"town": f"T{no}"})
        for no, state in ((3, State.PLANNED), (5, State.HELD), (9, State.PLANNED))
    ]
    roster = Roster.of(people)

    assert people == list(roster)
    assert people[1:] == roster[1:]
    assert [people[0], people[2]] == list(roster.only({9, 3, 4}))
    assert ["s.3", "s.5", "s.9"] == roster.ids()


def test_answers_are_summed_up_when_everybody_was_accepted() -> None:
    """One who was refused, and each speaks for themselves."""
    good = [ItemResult(f"s.{no}", Outcome.ACCEPTED, f"given {no}") for no in range(3)]

    assert good == list(sum_up(good) or ())
    assert [ItemResult("s.1", Outcome.ACCEPTED, "same")] == list(Accepted(("s.1",), "same"))
    assert sum_up([*good, ItemResult("s.3", Outcome.REJECTED)]) is None


@given(st.lists(st.tuples(values, values), min_size=1, max_size=3))
def test_a_call_knows_itself_before_it_is_joined(people: list[tuple[str, str]]) -> None:
    """Its length is that of its bytes, and its digest is another one as soon as one byte is."""
    crowd = [
        Addressee(f"s.{no}", Address("", f"p{no}@example.org"), "<m>", {"name": name, "town": town})
        for no, (name, town) in enumerate(people)
    ]
    call, again = (FORM.gather(crowd, head=b"[", between=b"|", tail=b"]") for _ in range(2))
    others = [
        FORM.gather(crowd, head=b"", between=b"|", tail=b"]"),
        FORM.gather(crowd, head=b"[", between=b"", tail=b"|]"),
        FORM.gather([*crowd, crowd[0]], head=b"[", between=b"|", tail=b"]"),
        Form([b"x", Hole(own("email"), str.encode)]).gather(crowd, head=b"[", between=b"|", tail=b"]"),
    ]

    assert len(bytes(call)) == len(call)
    assert (call, call.digest()) == (again, again.digest())
    assert call.digest() not in {other.digest() for other in others}
