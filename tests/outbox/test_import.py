"""A list comes in whole or says what it lacks: by row, by line, and after any stop."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from outbox.errors import PeopleError
from outbox.people import claims, importing
from outbox.people.claims import read_batches
from outbox.people.export import write_list
from outbox.people.importing import Report, import_list, try_list
from outbox.people.sheet import open_sheet, read_mapping
from outbox.store import Store, evidence, open_store, subscribers
from tests.outbox.conftest import NOW

Take = Callable[..., Report]
MakeFile = Callable[[bytes | str], Path]


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Write a list."""

    def make(content: bytes | str) -> Path:
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def take(
    store: Store, path: Path, *, basis: str = "talk", maps: tuple[str, ...] = (), **more: object
) -> Report:
    """Import a list."""
    sheet = open_sheet(
        path, mapping=read_mapping(maps), basis=basis, encoding=str(more.pop("encoding", "utf-8"))
    )
    return import_list(store, sheet, clock=lambda: NOW, rejects=path.with_name("rejects.csv"), **more)  # type: ignore[arg-type]


def export(store: Store) -> str:
    """The whole list as it is exported."""
    with store.read() as tx:
        return "".join(write_list(tx))


def read_csv(path: Path) -> list[list[str]]:
    """The rows of a file."""
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


ODD = (
    "\ufeffEmail,name,consent,basis,given_at\r\n"
    "ana@Example.ORG,Ana,confirmed,talk,2026-01-12\r\n"
    "ANA@example.org,Ana again,confirmed,talk,\r\n"
    "not an address,,confirmed,talk,\r\n"
    "bo@example.org,Bo,maybe,talk,\r\n"
    '"li@example.org","Li\nBcc: x",confirmed,talk,\r\n'
    "zoë@example.org,Zoë,confirmed,talk,\r\n"
    "max@bücher.example.com,Max,,talk,\r\n"
    "ida@example.org,Ida,confirmed,,\r\n"
    "kim@example.org,Kim,unsubscribed,,\r\n"
    "lou@example.org,Lou\r\n"
    "\r\n"
    "eva@gmial.com,Eva,confirmed,talk,\r\n"
)


def test_a_list_is_taken_and_its_bad_rows_named(any_store: Store, make_file: MakeFile) -> None:
    """A row that cannot be taken is named with its line; the others are taken, each with where it came from."""
    report = take(any_store, make_file(ODD), basis="")
    with any_store.read() as tx:
        people = {e.person.email: e for e in subscribers.everyone(tx)}

    assert [4, 5, 6, 10, 12] == [reject.line for reject in report.rejects]
    assert {"added": 4, "changed": 1, "repeated": 1, "rejected": 5, "doubtful": 1} == report.counts
    assert {"zoë@example.org", "max@xn--bcher-kva.example.com", "kim@example.org"} < people.keys()
    event = people["zoë@example.org"].event
    assert event is not None
    assert ("list.csv:8", "import", "talk") == (event.source, event.method, event.basis)
    assert ["eva@gmial.com: did they mean eva@gmail.com?"] == [doubt.reason for doubt in report.doubts]


def test_the_rows_not_taken_can_be_mended_and_imported(
    store: Store, make_file: MakeFile, tmp_path: Path
) -> None:
    """The file of rejects is a list itself: line, reason, and the cells as they were."""
    take(store, make_file(ODD), basis="")
    bad = tmp_path / "rejects.csv"
    rows = read_csv(bad)
    bad.write_text(bad.read_text("utf-8").replace("not an address", "now@example.org"), "utf-8")
    mended = import_list(store, open_sheet(bad), clock=lambda: NOW, rejects=tmp_path / "more.csv")

    assert ["line", "reason", "Email", "name", "consent", "basis", "given_at"] == rows[0]
    assert ["5", "consent 'maybe' is none of confirmed, pending, unsubscribed, suppressed"] == rows[2][:2]
    assert 1 == mended.counts["added"]


def test_no_rejects_leave_no_file(store: Store, make_file: MakeFile, tmp_path: Path) -> None:
    """Nothing to mend, nothing to look at."""
    take(store, make_file("email\neve@example.org\n"))

    assert [] == list(tmp_path.glob("rejects*"))


WRONG = {
    "empty": (b"", "list.csv:1: is empty"),
    "blank": (b"\n\n", "list.csv:1: is empty"),
    "no column": (b"name\nAna\n", "list.csv:1: has no column for email among 'name'"),
    "a heading twice": (b"email,Name,name\n", "list.csv:1: names the column 'Name' twice"),
    "two columns for one": (
        b"email,e-mail address\n",
        "list.csv:1: has several columns for email; say which",
    ),
    "not UTF-8": (b"email,pr\xe9nom\n", "list.csv:1: is not utf-8; save it as UTF-8, or say --encoding"),
    "UTF-16": ("email\n".encode("utf-16"), "list.csv:1: is UTF-16"),
    "NUL": (b"email\0\n", "list.csv:1: holds a NUL"),
    "CR alone": (b"email,name\rana@example.org,Ana\r", "list.csv:1: ends its lines with CR alone"),
    "no end of line": (b"email" + b"," * 30_000, "list.csv:1: has a first line of more than 20,000 bytes"),
    "a quote in the heading": (b'email,"name\n', "list.csv:1: has a first line that cannot be read"),
}


@pytest.mark.parametrize(("content", "says"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_no_list_is_refused(make_file: MakeFile, content: bytes, says: str) -> None:
    """Nothing is taken from a file whose columns cannot be understood."""
    with pytest.raises(PeopleError, match=says):
        open_sheet(make_file(content))


BROKEN = {
    "mixed encodings": (b"z\xf6e@example.org,Z\n", "the row is not utf-8"),
    "NUL": (b"a\0na@example.org,A\n", "the row holds a NUL character"),
    "10 MB in one line": (
        b"a@example.org," + b"x" * 10_000_000 + b"\n",
        "the line has more than 100,000 bytes",
    ),
    "a long cell": (b"a@example.org," + b"x" * 20_000 + b"\n", "a cell has more than 10,000 characters"),
    "a quote that never ends": (b'a@example.org,"Ana\n', "does not close"),
    "a quote in the middle": (b'"a@example.org"x,Ana\n', "a quote stands in the middle of a cell"),
    "too many cells": (b"a@example.org,Ana,1,2\n", "the row has 4 cells, the first line has 2"),
    "CR in a cell": (b"a@example.org,An\ra\n", "a line break stands in a cell without quotes"),
    "formula": (b'"=HYPERLINK(1)",x\n', "is not a mail address"),
    "line break in a name": (b'a@example.org,"A\nB"\n', "line break"),
}


@pytest.mark.parametrize(("row", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_row_spoils_no_other(store: Store, make_file: MakeFile, row: bytes, says: str) -> None:
    """It is named with its line and its reason; everybody before and behind it comes in."""
    many = b"".join(b"p%d@example.net,P\n" % number for number in range(1500))
    report = take(
        store, make_file(b"email,name\none@example.org,One\n" + row + many + b"two@example.org,Two\n")
    )

    assert [3] == [reject.line for reject in report.rejects]
    assert says in report.rejects[0].reason
    assert 1502 == report.counts["added"]


def test_another_encoding_is_read_when_it_is_named(store: Store, make_file: MakeFile) -> None:
    """A spreadsheet's own encoding, and its semicolons."""
    content = "E-Mail;Vorname;Nachname\r\neve@example.org;Zoë;Müller\r\n".encode("windows-1252")
    report = take(store, make_file(content), encoding="windows-1252")
    with store.read() as tx:
        eve = subscribers.find(tx, "eve@example.org")

    assert 1 == report.counts["added"]
    assert eve is not None
    assert "Zoë Müller" == eve.name


def test_columns_are_mapped(store: Store, make_file: MakeFile) -> None:
    """Any column can be any field, or an attribute with a kind; a value that is not of it is a bad row."""
    path = make_file(
        "Wohin,Town,Visits,Since,Groups,Language,Zone\n"
        'eve@example.org,Kyiv,12,2026-03-01,"Carer, Spring 2026; carer",uk,Europe/Kyiv\n'
        "a@example.org,,twelve,,,,\nb@example.org,,,1.3.2026,,,\nc@example.org,,,,,not one,\nd@example.org,,,,,,Mars\n"
    )
    maps = (
        "email=wohin",
        "city=Town",
        "visits:number=Visits",
        "since:date=Since",
        "tags=Groups",
        "time_zone=Zone",
    )
    report = take(store, path, maps=maps)
    with store.read() as tx:
        eve = subscribers.find(tx, "eve@example.org")
        assert eve is not None
        tags = subscribers.tags_of(tx, eve.id)

    assert {"city": "Kyiv", "visits": 12, "since": "2026-03-01"} == eve.attributes
    assert ("uk", "Europe/Kyiv") == (eve.language, eve.time_zone)
    assert ["carer", "spring 2026"] == tags
    assert [3, 4, 5, 6] == [reject.line for reject in report.rejects]


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (("email",), "maps nothing"),
        (("=x",), "maps nothing"),
        (("City=x",), "maps nothing"),
        (("email=Mial",), "has no column 'Mial'; did you mean 'Mail'"),
        (("visits:float=Mail",), "is one of text, number, date"),
        (("name:date=Mail",), "have no kind"),
    ],
)
def test_a_wrong_mapping_is_told(make_file: MakeFile, maps: tuple[str, ...], says: str) -> None:
    """Before anything is read."""
    with pytest.raises(PeopleError, match=says):
        open_sheet(make_file("Mail,Town\n"), mapping=read_mapping(maps))


def test_a_dry_run_shows_the_difference_and_changes_nothing(store: Store, make_file: MakeFile) -> None:
    """New, changed, kept, each in a line."""
    before = export(store)
    path = make_file(
        "email,name,consent,tags\neve@example.org,Eve,,\nana@example.org,Ana R.,,carer\n"
        "bjork@example.com,Björk,,\ndora@example.com,,pending,\nbad,,,\n"
    )
    report = try_list(store, open_sheet(path, basis="talk"), now=NOW)

    assert [
        "~ ana@example.org: name Ana Ruiz -> Ana R., tag carer",
        "! dora@example.com: stays confirmed; the list says pending",
        "+ eve@example.org: confirmed, talk",
    ] == report.differences
    assert {
        "added": 1,
        "changed": 1,
        "same": 1,
        "kept as they are": 1,
        "rejected": 1,
        "doubtful": 0,
    } == report.counts
    assert before == export(store)


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of six rows, and another process for every list."""
    monkeypatch.setattr(claims, "BATCH", 3)
    monkeypatch.setattr(importing, "SLICE", 2)


def many_rows(number: int, start: int = 0) -> str:
    """A list with a bad row here and there."""
    rows = (f"p{n}@example.net,P {n}\n" if n % 7 else f"bad {n},x\n" for n in range(start, start + number))
    return "email,name\n" + "".join(rows)


class Stopped(Exception):
    """Somebody pulled the plug."""


def stop_after(path: Path, share: float) -> Callable[[int], None]:
    """Pull it when this share of a file is in."""

    def tell(offset: int) -> None:
        if offset > path.stat().st_size * share:
            raise Stopped

    return tell


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
def test_a_stopped_import_goes_on(
    any_store: Store, make_file: MakeFile, tmp_path: Path, share: float
) -> None:
    """What is in is not taken twice, what is not is not lost, and each bad row stands once among the rejects."""
    path = make_file(many_rows(50))
    with pytest.raises(Stopped):
        take(any_store, path, tell=stop_after(path, share))
    report = take(any_store, path)
    lines = [row[0] for row in read_csv(tmp_path / "rejects.csv")]
    with any_store.read() as tx:
        broken = evidence.find_broken_link(tx)

    assert {"added": 42, "rejected": 8, "doubtful": 0} == report.counts
    assert ["line", *(str(n + 2) for n in range(0, 50, 7))] == lines
    assert (report.resumed_at > 0) is (share > 0)
    assert broken is None
    assert 42 + 4 == export(any_store).count("\n") - 1


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("change", ["shorter", "other", "longer"])
def test_a_file_that_changed_since_the_stop_is_noticed(
    store: Store, make_file: MakeFile, change: str
) -> None:
    """What changed before the place it was stopped at is an error with the line; what was added behind it is not."""
    path = make_file(many_rows(50))
    with pytest.raises(Stopped):
        take(store, path, tell=stop_after(path, 0.5))
    content = path.read_text()
    changed = {
        "shorter": content[:100],
        "other": content.replace("p3@", "q3@"),
        "longer": content + "z@example.org,Z\n",
    }
    path.write_text(changed[change])
    if change != "longer":
        with pytest.raises(
            PeopleError, match=r"list.csv:\d+: has changed since its import was stopped behind this line"
        ):
            take(store, path)
    report = take(store, path, restart=change != "longer")

    assert ("z@example.org" in export(store)) is (change == "longer")
    assert 0 < report.counts["rejected"]


@pytest.mark.usefixtures("small_slices")
def test_a_file_that_changes_while_it_is_read_is_noticed(store: Store, make_file: MakeFile) -> None:
    """What was read is kept; the rest is asked for again."""
    path = make_file(many_rows(50))

    def cut(_: int) -> None:
        os.truncate(path, 300)

    with pytest.raises(PeopleError, match="changed while it was read; import it again"):
        take(store, path, tell=cut)


def test_another_process_reads_the_same(make_file: MakeFile) -> None:
    """A large list is read ahead; its batches are the same, and so are its errors."""
    sheet = open_sheet(make_file(ODD), basis="talk")

    assert list(read_batches(sheet)) == list(importing.read_ahead(sheet))
    with pytest.raises(PeopleError, match=r"list.csv:7: has changed since"):
        list(importing.read_ahead(sheet, offset=20, line=7, digest="another"))


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from outbox.people import claims, importing
from outbox.people.sheet import open_sheet
from outbox.store import open_store

if __name__ == "__main__":
    claims.BATCH, importing.SLICE = 20, 2
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    path = Path(sys.argv[2])
    store = open_store(sys.argv[1], now)
    rejects = path.with_name("rejects.csv")
    importing.import_list(store, open_sheet(path, basis="talk"), clock=lambda: now, rejects=rejects)
"""


@pytest.mark.slow
def test_a_killed_import_goes_on(
    tmp_path: Path, make_file: MakeFile, outbox_environment: dict[str, str]
) -> None:
    """Killed at any moment, run again and again: in the end everybody is in once, and each bad row named once."""
    path, url = make_file(many_rows(7000)), f"sqlite:///{tmp_path / 'killed.db'}"
    script, chance, kills = tmp_path / "run.py", random.Random(7), 0
    script.write_text(KILLED)
    while kills < 60:
        process = subprocess.Popen([sys.executable, script, url, path], env=outbox_environment, cwd=tmp_path)
        try:
            process.wait(timeout=0.4 + chance.random() * 0.1 * (kills + 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        else:
            assert 0 == process.returncode
            break
    lines = [row[0] for row in read_csv(tmp_path / "rejects.csv")]
    store = open_store(url, NOW)
    with store.read() as tx:
        people = sum(subscribers.count(tx).values())
        broken = evidence.find_broken_link(tx)
    store.close()

    assert kills > 1
    assert 7000 - 1000 == people
    assert 1000 + 1 == len(lines) == len(set(lines))
    assert broken is None


@pytest.mark.usefixtures("small_slices")
def test_an_address_that_stands_twice_is_taken_once(any_store: Store, make_file: MakeFile) -> None:
    """The first time, however far apart the two rows are, and though the import was stopped between them."""
    path = make_file(
        "email,name\nz@example.org,First\n" + many_rows(20).partition("\n")[2] + "Z@example.org,Second\n"
    )
    with pytest.raises(Stopped):
        take(any_store, path, tell=stop_after(path, 0.6))
    report = take(any_store, path)
    with any_store.read() as tx:
        person = subscribers.find(tx, "z@example.org")

    assert person is not None
    assert "First" == person.name
    assert 1 == report.counts["repeated"]
