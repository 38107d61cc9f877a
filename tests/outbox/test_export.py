"""What goes out comes in again: the export of any list, imported into an empty database, exports the same bytes."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbox.addresses import read_mailbox
from outbox.consent import enlist, erase, suppress
from outbox.errors import PeopleError
from outbox.model import Claim, Consent
from outbox.people.cells import quote, read_attributes, read_cell, read_tags, unquote
from outbox.people.export import write_list
from outbox.people.importing import import_list
from outbox.people.sheet import open_sheet
from outbox.store import Store, open_store, subscribers
from tests.outbox.conftest import NOW


def is_clean(text: str) -> bool:
    """Whether a text may stand in a cell."""
    try:
        return read_cell(quote(text)) == text
    except PeopleError:
        return False


WORDS = (
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["=1+1", "+49", "-", "@x", "'", "''=x", "'ana", 'a "b", c', "a,b;c", "Zoë", "שלום"]),
    )
    .map(str.strip)
    .filter(is_clean)
)
EMAILS = st.sampled_from(
    ["ana@example.org", "Ana@Example.com", "=x@example.org", "-y@example.org", "+z@example.org", "'q@example.org",
     "zoë@example.org", "max@bücher.example.com", "用户@例子.广告", "ÅSA@example.net", "åsa@example.net"]
)  # fmt: skip
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
VALUES = st.one_of(WORDS, st.integers(-(10**12), 10**12), st.floats(-1e15, 1e15))
CONSENTS = st.sampled_from([consent for consent in Consent if consent is not Consent.ERASED])


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """Anybody, put forward by any list."""
    return Claim(
        read_mailbox(draw(EMAILS)),
        draw(WORDS),
        draw(CONSENTS),
        draw(WORDS.filter(bool)),
        draw(WORDS.filter(bool)),
        draw(WORDS),
        draw(st.sampled_from(["", "en", "pt-BR"])),
        draw(st.sampled_from(["", "Europe/Kyiv"])),
        tuple(read_tags(draw(WORDS))),
        draw(st.dictionaries(NAMES, VALUES, max_size=3)),
    )


def export(store: Store) -> bytes:
    """The whole list."""
    with store.read() as tx:
        return "".join(write_list(tx)).encode()


@given(
    people=st.lists(claims(), max_size=12),
    barred=st.lists(EMAILS.map(read_mailbox), max_size=3),
    erased=st.lists(st.integers(0, 5), max_size=2),
)
@settings(max_examples=60)
def test_what_goes_out_comes_in_again(people: list[Claim], barred: list[str], erased: list[int]) -> None:
    """Nothing is lost and nothing is altered on the way through a file, whoever is on the list."""
    with TemporaryDirectory() as folder:
        stores = [open_store(f"sqlite:///{folder}/{name}.db", NOW) for name in ("one", "two")]
        with stores[0].begin() as tx:
            for claim in people:
                enlist(tx, claim, NOW)
            for number, email in enumerate(barred):
                suppress(tx, email, ("bounce", "complaint", "request")[number], source="test", now=NOW)
            for number in erased:
                person = subscribers.find_by_id(tx, number)
                if person and person.consent is not Consent.ERASED:
                    erase(tx, person, (), source="test", now=NOW)
        path = Path(folder, "people.csv")
        path.write_bytes(export(stores[0]))
        report = import_list(stores[1], open_sheet(path), clock=lambda: NOW, rejects=Path(folder, "bad.csv"))
        out, again = path.read_bytes(), export(stores[1])
        for store in stores:
            store.close()

    assert [] == report.rejects
    assert out == again


def test_an_export_imported_where_it_came_from_changes_nobody(
    any_store: Store, tmp_path: Path, now: datetime
) -> None:
    """The same list again is the same list."""
    with any_store.begin() as tx:
        suppress(tx, "x@example.org", "bounce", source="test", now=now)
    path = tmp_path / "people.csv"
    path.write_bytes(export(any_store))
    report = import_list(any_store, open_sheet(path), clock=lambda: now, rejects=tmp_path / "bad.csv")

    assert {"same": 5} == {name: number for name, number in report.counts.items() if number}
    assert path.read_bytes() == export(any_store)


def test_both_databases_export_the_same_bytes(
    store: Store, request: pytest.FixtureRequest, now: datetime
) -> None:
    """The order of a list does not depend on who keeps it."""
    other = open_store(request.getfixturevalue("postgresql").make_database("empty_outbox"), now)
    texts = ["Zoe", "äa", "Ångström", "b"]
    for one in (store, other):
        with one.begin() as tx:
            for number, name in enumerate(texts):
                enlist(
                    tx, Claim(f"{name}{number}@example.org", name, Consent.CONFIRMED, "b", "s", "2026"), now
                )
            enlist(tx, Claim("ana@example.org", "Ana Ruiz", Consent.CONFIRMED, "said yes", "test"), now)
    rows = export(other).splitlines()
    other.close()

    assert set(rows) <= set(export(store).splitlines())
    assert [row for row in export(store).splitlines() if row in rows] == rows


@given(st.text(max_size=8))
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    """No cell begins a formula, and every cell comes back as it was."""
    assert not quote(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert text == unquote(quote(text))


def test_an_exported_cell_is_quoted(store: Store, now: datetime) -> None:
    """In the file itself."""
    with store.begin() as tx:
        enlist(tx, Claim("=x@example.org", "=cmd|' /C calc'!A0", Consent.CONFIRMED, "b", "s"), now)
    rows = list(csv.reader(export(store).decode().splitlines()))

    assert "'=x@example.org" in rows[1][0]
    assert "'=cmd|' /C calc'!A0" == rows[1][1]


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        '{"a": null}',
        '{"a": true}',
        '{"a": NaN}',
        '{"A": 1}',
        '{"a": {}}',
        '{"a": 1e999}',
        '{"a": 1' + "0" * 40 + "}",
        "{" * 9000,
    ],
)
def test_attributes_that_are_none_are_refused(text: str) -> None:
    """A name in small letters, and a text or a number."""
    with pytest.raises(PeopleError, match="attributes"):
        read_attributes(text)
