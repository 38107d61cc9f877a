"""A stamped copy says whose it is to the outbox that made it, and to nobody else."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import BadSignature, OutboxError
from outbox.stamp import Stamper, find_stamps, stamp
from outbox.stamp.seal import STAMP

OLD = Stamper(("an old secret",), "letters.example.org")
NEW = Stamper(("a new secret", "an old secret"), "letters.example.org")
BOOK = b"%PDF- any book"
NUMBERS = st.integers(min_value=0, max_value=2**64 - 1)


@pytest.fixture(scope="module", params=["pdf", "epub"])
def whole(request: pytest.FixtureRequest, everything: Any) -> bytes:
    """The book that says each thing once, in both formats."""
    book: bytes = getattr(everything, f"{request.param}_bytes")
    return book


# -- the word


@given(NUMBERS)
def test_any_number_is_read_back(number: int) -> None:
    """A stamp is opaque and has one form, whoever's it is."""
    word = NEW.make(number, BOOK)

    assert number == NEW.read(word).subscriber_id
    assert STAMP.fullmatch(word)


@given(NUMBERS, NUMBERS)
def test_two_readers_have_nothing_in_common(one: int, other: int) -> None:
    """Nobody who has both copies learns a number, or makes a third stamp out of two."""
    first, second = NEW.make(one, BOOK), NEW.make(other, BOOK)

    assert (one == other) == (first == second)
    if one != other:
        with pytest.raises(BadSignature):
            NEW.read(first[:25] + second[25:])


@given(NUMBERS, st.integers(min_value=5, max_value=44), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_letter_is_noticed(number: int, place: int, letter: str) -> None:
    """Nobody turns suspicion on another reader."""
    word = NEW.make(number, BOOK)
    forged = word[:place] + letter + word[place + 1 :]

    if forged != word:
        with pytest.raises(BadSignature):
            NEW.read(forged)


@given(st.text())
def test_no_text_crashes_the_reader(word: str) -> None:
    """Whatever is given for a stamp, the answer is BadSignature."""
    with pytest.raises(BadSignature):
        NEW.read(word)


def test_a_changed_secret_keeps_old_stamps_readable() -> None:
    """Books live longer than secrets; another outbox's stamp is refused."""
    assert NEW.read(OLD.make(7, BOOK)).subscriber_id == 7
    with pytest.raises(BadSignature, match="not made by this outbox"):
        OLD.read(NEW.make(7, BOOK))
    with pytest.raises(BadSignature):
        NEW.read(Stamper(NEW.secrets, "other.example.org").make(7, BOOK))


def test_it_says_which_book_it_is_of() -> None:
    """Two books of one reader cannot be told to be of the same person."""
    one, other = NEW.make(7, BOOK), NEW.make(7, BOOK + b" of another edition")

    assert one[5:12] != other[5:12]
    assert NEW.read(one).book != NEW.read(other).book


# -- the copy


def test_the_same_copy_has_the_same_bytes(whole: bytes) -> None:
    """So a broken download can be taken up where it ended; another reader's differs."""
    assert stamp(whole, NEW, 7) == stamp(whole, NEW, 7)
    assert stamp(whole, NEW, 7) != stamp(whole, NEW, 8)


def test_a_copy_tells_its_owner(whole: bytes) -> None:
    """In several places the same word; none of them says a thing in clear."""
    found = find_stamps(stamp(whole, NEW, 7))

    assert len(found) > 3
    assert {NEW.make(7, whole)} == set(found)
    assert [] == find_stamps(whole)


def test_a_book_grows_by_little(whole: bytes) -> None:
    """What was packed stays packed."""
    assert len(stamp(whole, NEW, 7)) < len(whole) * 1.05 + 4000


def test_pages_look_and_read_as_before(everything: Any) -> None:
    """A stamp has no ink and no words."""
    before = pypdfium2.PdfDocument(everything.pdf_bytes)
    after = pypdfium2.PdfDocument(stamp(everything.pdf_bytes, NEW, 7))
    with before, after:
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert old.get_textpage().get_text_range() == new.get_textpage().get_text_range()
        old, new = (each[2].render(scale=0.5).to_pil() for each in (before, after))
        assert old.tobytes() == new.tobytes()


def test_every_page_of_a_pdf_carries_it(everything: Any) -> None:
    """One page taken out of the book still tells."""
    copy = stamp(everything.pdf_bytes, NEW, 7)
    with pikepdf.open(io.BytesIO(copy)) as pdf, pikepdf.new() as other:
        other.pages.append(pdf.pages[3])
        out = io.BytesIO()
        other.save(out)

    assert NEW.read(find_stamps(out.getvalue())[0]).subscriber_id == 7


@pytest.mark.parametrize(
    "words",
    [
        ["qpdf", "--linearize"],
        ["qpdf", "--object-streams=disable", "--normalize-content=y"],
        ["mutool", "clean", "-ggg", "-z"],
    ],
    ids=" ".join,
)
def test_a_pdf_keeps_it_when_it_is_written_anew(
    words: list[str], everything: Any, tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    """Programs that tidy a PDF leave it in."""
    from shutil import which

    need(which(words[0]), words[0])
    (tmp_path / "in.pdf").write_bytes(stamp(everything.pdf_bytes, NEW, 7))
    subprocess.run([*words, "in.pdf", "out.pdf"], cwd=tmp_path, check=True)

    assert {NEW.make(7, everything.pdf_bytes)} == set(find_stamps((tmp_path / "out.pdf").read_bytes()))


def test_an_epub_stays_one(everything: Any) -> None:
    """The mimetype is first and stored, members, order and dates stay."""
    copy = stamp(everything.epub_bytes, NEW, 7)
    before = zipfile.ZipFile(io.BytesIO(everything.epub_bytes))
    with before, zipfile.ZipFile(io.BytesIO(copy)) as after:
        facts = [
            [(i.filename, i.date_time, i.compress_type, i.external_attr) for i in archive.infolist()]
            for archive in (before, after)
        ]
        pages = [after.read(name).decode() for name in after.namelist() if name.endswith(".xhtml")]

        assert after.testzip() is None
        assert facts[0] == facts[1]
    assert copy.startswith(b"PK\x03\x04")
    assert copy[30:58] == b"mimetypeapplication/epub+zip"
    assert all(re.search(r"<!-- copy:\w{40} --></body>", page) for page in pages)


def test_an_epub_of_another_maker_keeps_its_members() -> None:
    """Names beyond ASCII, members written in one go, folders: they come over as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", '<rootfile full-path="ö.opf"/>', zipfile.ZIP_DEFLATED)
        archive.mkdir("bilder")
        archive.writestr("ö.opf", "<opf:metadata></opf:metadata>")
        with archive.open("one.html", "w") as page:
            page.write(b"<body>no end")
    copy = stamp(out.getvalue(), NEW, 7)
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        assert archive.testzip() is None
        assert b"<body>no end" == archive.read("one.html")
        assert len(archive.namelist()) == 5
    assert [NEW.make(7, out.getvalue())] == find_stamps(copy)


@pytest.mark.parametrize(
    "book",
    [b"", b"Words.", b"%PDF-1.7 and nothing", b"PK\x03\x04", b"PK\x03\x04 and more"],
)
def test_what_is_no_book_is_refused(book: bytes) -> None:
    """With a sentence, never a traceback."""
    with pytest.raises(OutboxError):
        stamp(book, NEW, 7)
    with pytest.raises(OutboxError):
        find_stamps(book)


def test_a_zip_without_a_package_is_refused() -> None:
    """A zip alone is no EPUB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")

    with pytest.raises(OutboxError, match="cannot be stamped"):
        stamp(out.getvalue(), NEW, 7)


# -- the command


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shelf(book: Path, everything: Any, outbox: Run) -> Path:
    """A book's folder with its people and an EPUB."""
    (book / "book.epub").write_bytes(everything.epub_bytes)
    outbox("init", "--sample")
    return book


def test_a_found_copy_is_traced(shelf: Path, outbox: Run) -> None:
    """Stamped for one person, it is said to be theirs, and no address is in the file."""
    outbox("stamp", "book.epub", "--for", "ana@example.org", "-o", "ana.epub")
    told = outbox("stamp", "--who", "ana.epub").stdout

    assert re.match(r"ana@example.org \(subscriber \d+\), in \d+ places, of the book [0-9a-f]{8}\n", told)
    with zipfile.ZipFile(shelf / "ana.epub") as archive:
        assert not any(b"ana@" in archive.read(name) for name in archive.namelist())


def test_an_erased_owner_is_not_named(shelf: Path, outbox: Run) -> None:
    """The number is all that is left of them."""
    outbox("stamp", "book.epub", "--for", "ana@example.org", "-o", "ana.epub")
    outbox("subscribers", "erase", "ana@example.org")

    assert outbox("stamp", "--who", "ana.epub").stdout.startswith("a person who was erased (subscriber ")


def test_mistakes_are_told(shelf: Path, outbox: Run) -> None:
    """A file without a stamp, a stranger, a file that is not there, half a command."""
    assert "there is no stamp in it" in outbox("stamp", "--who", "book.epub", code=1).stderr
    stranger = outbox("stamp", "book.epub", "--for", "xenia@example.org", "-o", "x.epub", code=1)
    assert "xenia@example.org is not on the list" in stranger.stderr
    assert "No such file" in outbox("stamp", "--who", "lost.pdf", code=1).stderr
    assert "give --for ADDRESS and -o FILE" in outbox("stamp", "book.epub", code=2).stderr
    assert not (shelf / "x.epub").exists()
