"""The book is handed to its reader, whole or in pieces, so often and no oftener, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox import consent
from outbox.gift import File, link_to, open_shelf
from outbox.stamp import Stamper, find_stamps
from outbox.store import Store, downloads, letters, subscribers
from outbox.web.ranges import find_part
from tests.outbox.web.conftest import Door, OpenDoor

GIFT = '\n[gift]\nfiles = ["build/A Büch.pdf", "build/book.epub"]\ndays = 30\ndownloads = 3\n'
BOOK = bytes(range(256)) * 40
HOUR = timedelta(hours=1)


@pytest.fixture
def shelf(book: Path) -> Path:
    """Two books that are ready to be given away."""
    (book / "build").mkdir(exist_ok=True)
    (book / "build" / "A Büch.pdf").write_bytes(b"%PDF-1.7 " + BOOK)
    (book / "build" / "book.epub").write_bytes(BOOK)
    return book / "build"


@pytest.fixture
def giver(store: Store, open_door: OpenDoor, shelf: Path) -> Iterator[Door]:
    """A front door with a gift."""
    with open_door(store, GIFT) as opened:
        yield opened


def gift_path(door: Door, number: int = 1) -> str:
    """A person's link, as a letter would bring it."""
    gift = door.desk.settings.gift
    assert gift
    base = door.desk.settings.envelope.base_url
    return link_to(door.desk.signer, gift, base, number, door.clock.now).removeprefix(base)


def press(door: Door, path: str, number: int = 0) -> Any:
    """Press one of the buttons of the page."""
    page = door.get(path)
    return door.post(re.findall(r'action="/mail([^"]+)"', page.text)[number])


def fetch(door: Door, path: str, number: int = 0) -> str:
    """The address of the file that a button leads to."""
    location: str = press(door, path, number).headers["location"]
    return location.removeprefix("/mail")


def recorded(door: Door, number: int = 1) -> list[str]:
    """What a person has downloaded."""
    with door.desk.store.read() as tx:
        return [each.file for each in downloads.find_downloads(tx, number)]


# -- the way to the book


def test_a_button_leads_to_the_book(giver: Door) -> None:
    """The page names the book, its button the file; what comes is the book, byte for byte."""
    page = giver.get(gift_path(giver))
    answer = giver.get(fetch(giver, gift_path(giver), 1))

    assert page.status_code == 200
    assert "<h1>A Book</h1>" in page.text
    assert answer.status_code == 200
    assert answer.content == BOOK
    assert answer.headers["content-type"] == "application/epub+zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="book.epub"'
    assert answer.headers["content-length"] == str(len(BOOK))


def test_a_file_has_a_name_that_every_machine_takes(giver: Door) -> None:
    """Letters beyond ASCII and blanks are written plainly, in the address and for the reader."""
    path = fetch(giver, gift_path(giver))

    assert path.endswith("/A-Buch.pdf")
    assert 'filename="A-Buch.pdf"' in giver.get(path).headers["content-disposition"]


@given(st.text())
def test_no_name_leads_out_of_a_folder(name: str) -> None:
    """Whatever an author calls a file, what the reader gets is a plain name."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", File(Path(f"{name}.pdf".replace("\0", ""))).name)


def test_looking_changes_nothing(giver: Door) -> None:
    """Scanners that follow every link neither use the link up nor make a reader of anybody (WB-1)."""
    path = gift_path(giver)
    for _ in range(5):
        for method in ("GET", "HEAD", "OPTIONS"):
            giver.ask(method, path)
        giver.get(f"{path}/again")
        giver.get(re.findall(r'action="/mail([^"]+)"', giver.get(path).text)[0])

    assert [] == recorded(giver)
    assert giver.get(path).status_code == 200


def test_a_download_is_remembered(giver: Door) -> None:
    """By the file's name and for this person alone, so that a series can begin with it."""
    press(giver, gift_path(giver))

    assert ["A-Buch.pdf"] == recorded(giver)
    with giver.desk.store.read() as tx:
        assert downloads.has_downloaded(tx, 1)
        assert not downloads.has_downloaded(tx, 2)


def test_nobody_keeps_or_tells_it(giver: Door) -> None:
    """No cache on the way holds the page or the book, no search engine, and no address is passed on."""
    path = gift_path(giver)
    for answer in (giver.get(path), press(giver, path), giver.get(fetch(giver, path))):
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]


# -- in pieces


def test_a_broken_fetch_goes_on(giver: Door) -> None:
    """The pieces are the book, and one download."""
    path = fetch(giver, gift_path(giver), 1)
    pieces = [
        giver.get(path, headers={"Range": f"bytes={start}-{start + 999}"})
        for start in range(0, len(BOOK), 1000)
    ]

    assert {206} == {piece.status_code for piece in pieces}
    assert BOOK == b"".join(piece.content for piece in pieces)
    assert pieces[1].headers["content-range"] == f"bytes 1000-1999/{len(BOOK)}"
    assert ["book.epub"] == recorded(giver)


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-0", 206, BOOK[:1]),
        ("bytes=10000-", 206, BOOK[10000:]),
        ("bytes=-16", 206, BOOK[-16:]),
        ("bytes=-999999", 206, BOOK),
        ("bytes=0-999999", 206, BOOK),
        ("bytes=999999-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=5-2", 200, BOOK),
        ("bytes=0-1,4-5", 200, BOOK),
        ("bytes=-", 200, BOOK),
        ("bytes=x-y", 200, BOOK),
        ("chapters=1-2", 200, BOOK),
        (f"bytes={'9' * 400}-", 200, BOOK),
    ],
)
def test_ranges_are_answered_as_the_rfc_says(giver: Door, asked: str, status: int, content: bytes) -> None:
    """RFC 9110, 14: one range, or the whole."""
    answer = giver.get(fetch(giver, gift_path(giver), 1), headers={"Range": asked})

    assert (status, content) == (answer.status_code, answer.content)
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(BOOK)}"


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_part_lies_within_the_whole(first: int, length: int, size: int) -> None:
    """Whatever is asked for, nothing outside is touched."""
    part = find_part(f"bytes={first}-{first + length}", size)

    assert part == ((first, min(first + length, size - 1)) if first < size else (size, size - 1))


@given(st.text())
def test_no_range_crashes(asked: str) -> None:
    """What is no range is no range."""
    part = find_part(asked, 100)

    assert part is None or 0 <= part[0] <= 100


def test_a_piece_of_another_book_is_not_mixed_in(giver: Door, shelf: Path) -> None:
    """If-Range names the bytes that the first piece was of; when the book has changed the whole comes."""
    path = fetch(giver, gift_path(giver), 1)
    first = giver.get(path, headers={"Range": "bytes=0-9"})
    go_on = {"Range": "bytes=10-19", "If-Range": first.headers["etag"]}
    same = giver.get(path, headers=go_on)
    (shelf / "book.epub").write_bytes(b"another book, longer than before" * 9)
    other = giver.get(path, headers=go_on)
    dated = giver.get(path, headers={**go_on, "If-Range": "Sat, 01 Mar 2025 00:00:00 GMT"})

    assert (206, BOOK[10:20]) == (same.status_code, same.content)
    assert (200, b"another") == (other.status_code, other.content[:7])
    assert dated.status_code == 200


def test_a_head_tells_the_size(giver: Door) -> None:
    """HEAD has the head of GET, whatever range it asks for; what a browser has already is not sent again."""
    path = fetch(giver, gift_path(giver), 1)
    head = giver.ask("HEAD", path, headers={"Range": "bytes=0-9"})
    known = giver.get(path, headers={"If-None-Match": f'"x", W/{head.headers["etag"]}'})

    assert (200, str(len(BOOK)), "bytes") == (
        head.status_code,
        head.headers["content-length"],
        head.headers["accept-ranges"],
    )
    assert (304, b"") == (known.status_code, known.content)


# -- its end


def test_a_link_is_used_up(giver: Door) -> None:
    """Three downloads, then a page that offers a new link; other people's links are not touched."""
    path = gift_path(giver)
    answers = [giver.get(fetch(giver, path)).status_code for _ in range(3)]
    gone = giver.get(path)
    forced = giver.post(f"{path}/{File(Path('A Büch.pdf')).id}")

    assert [200, 200, 200] == answers
    assert (410, 410) == (gone.status_code, forced.status_code)
    assert "Send me a new link" in gone.text
    assert len(recorded(giver)) == 3
    assert giver.get(gift_path(giver, 2)).status_code == 200


def test_a_link_has_its_day(giver: Door) -> None:
    """After thirty days the page offers a new one, which is another link with downloads of its own."""
    path = gift_path(giver)
    ticket = fetch(giver, path)
    giver.clock.now += timedelta(days=30) + HOUR

    assert giver.get(path).status_code == 410
    assert press(giver, path).status_code == 200
    assert giver.get(ticket).status_code == 404
    assert giver.get(gift_path(giver)).status_code == 200


def test_a_new_link_comes_by_mail_once_a_day(giver: Door) -> None:
    """To the person's own mailbox; the page says the same however often it is asked."""
    path = gift_path(giver)
    told = {giver.post(f"{path}/again").text for _ in range(3)}
    with giver.desk.store.read() as tx:
        waiting = [(one.name, one.number) for one in letters.find_waiting(tx)]

    assert len(told) == 1
    assert "If your address is on our list" in told.pop()
    assert [("gift", 1)] == waiting


def test_strangers_learn_nothing(giver: Door) -> None:
    """An erased person's link, and that of nobody, end as a link does that has had its day."""
    with giver.desk.store.begin() as tx:
        person = subscribers.find_by_id(tx, 1)
        assert person
        consent.erase(tx, person, ["a secret of sixteen"], source="test", now=giver.clock.now)
    erased, nobody = (giver.get(gift_path(giver, number)) for number in (1, 999))
    asked = {giver.post(f"{gift_path(giver, number)}/again").text for number in (1, 999, 2)}

    assert (410, 410) == (erased.status_code, nobody.status_code)
    assert len(asked) == 1
    with giver.desk.store.read() as tx:
        assert [1] == [one.number for one in letters.find_waiting(tx)]


@pytest.mark.parametrize(
    "path",
    [
        "/gift/1-0-forged",
        "/gift/../book.toml",
        "/gift/..%2f..%2fbook.toml",
        "/download/1x0-0-forged/book.epub",
        "/download/..%2f..%2fbook.toml/book.toml",
        "/download/x/..%2f..%2f..%2fetc%2fpasswd",
        "/download/%00/%00",
    ],
)
def test_paths_lead_nowhere(giver: Door, path: str) -> None:
    """Files are named by ids in signed words; no path of a request touches the disk."""
    for answer in (giver.get(path), giver.post(path)):
        assert answer.status_code in {404, 405}
        assert "Example Press" in answer.text  # our own page, in full


def test_a_link_to_something_else_opens_nothing(giver: Door) -> None:
    """A token for another page, a ticket for another file, and a page's token as a ticket are refused."""
    signer, path = giver.desk.signer, gift_path(giver)
    token = path.removeprefix("/gift/")
    ticket = fetch(giver, path, 1).split("/")[2]

    assert giver.get(f"/gift/{signer.sign('unsubscribe', 1)}").status_code == 404
    assert giver.get(f"/download/{token}/book.epub").status_code == 404
    assert giver.get(f"/gift/{ticket}").status_code == 404
    assert giver.get(f"/download/2{ticket[1:]}/book.epub").status_code == 404
    assert giver.post(f"{path}/00000000").status_code == 404


def test_a_book_that_is_not_there_is_told(giver: Door, shelf: Path) -> None:
    """While it is being built anew the reader is asked to try again, and it stays one download."""
    path = fetch(giver, gift_path(giver), 1)
    (shelf / "book.epub").unlink()
    missing = giver.get(path)
    (shelf / "book.epub").write_bytes(BOOK)

    assert (503, "30") == (missing.status_code, missing.headers["retry-after"])
    assert giver.get(path).content == BOOK


def test_without_a_gift_there_is_no_page(door: Door) -> None:
    """A book.toml without [gift] gives nothing away."""
    assert door.get(f"/gift/{door.desk.signer.sign('gift', 1)}").status_code == 404


def test_many_readers_at_once_get_their_books(giver: Door, shelf: Path) -> None:
    """More than are held in memory, at the same time, and each one is whole."""
    for number in range(12):
        (shelf / f"{number}.epub").write_bytes(BOOK + bytes([number]))
    gift = giver.desk.settings.gift
    assert gift
    wide = open_shelf(replace(gift, files=tuple(shelf / f"{number}.epub" for number in range(12))))
    with ThreadPoolExecutor(12) as pool:
        copies = list(pool.map(lambda n: wide.copy(wide.files[n % 12], 1, (), "").data[-1], range(240)))

    assert [number % 12 for number in range(240)] == copies


# -- stamped


def test_every_reader_gets_a_copy_of_their_own(
    store: Store, open_door: OpenDoor, book: Path, everything: Any
) -> None:
    """Stamped, the same in every piece, and another one for somebody else."""
    (book / "build").mkdir(exist_ok=True)
    (book / "build" / "book.epub").write_bytes(everything.epub_bytes)
    with open_door(store, '\n[gift]\nfiles = ["build/book.epub"]\nstamp = true\n') as door:
        mine, other = (fetch(door, gift_path(door, number)) for number in (1, 2))
        whole, theirs = door.get(mine), door.get(other)
        end = door.get(mine, headers={"Range": "bytes=1000-"})
        stamper = Stamper(door.desk.signer.secrets, "letters.example.org")

        assert stamper.read(find_stamps(whole.content)[0]).subscriber_id == 1
        assert stamper.read(find_stamps(theirs.content)[0]).subscriber_id == 2
        assert whole.headers["etag"] != theirs.headers["etag"]
        assert whole.content[1000:] == end.content
        assert "only we can read" in door.get(gift_path(door)).text
