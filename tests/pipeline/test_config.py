"""What `read_config` takes, and what it says about the rest."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.config import Author, Config, Series, default_config, read_config
from pipeline.errors import ConfigError, PipelineError

BOOK = '[book]\ntitle = "Sleep"\nauthors = ["Ada Green"]\n'

Read = Callable[[str | bytes], Config]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a book.toml and read it."""

    def write_and_read(text: str | bytes) -> Config:
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "book.toml").write_bytes(data)
        return read_config(tmp_path)

    return write_and_read


def complain(read: Read, text: str | bytes) -> list[str]:
    """The lines of the error that `text` gives."""
    with pytest.raises(PipelineError) as caught:
        read(text)
    return str(caught.value).splitlines()


def test_title_and_author_are_enough(read: Read) -> None:
    """Everything else has a default."""
    config = read(BOOK)

    assert config.book.title == "Sleep"
    assert config.book.authors == (Author(name="Ada Green"),)
    assert config.ebook.formats == ("pdf", "epub")


def test_a_full_book_is_read(read: Read) -> None:
    """Tables, lists of tables, dates and numbers arrive as their types."""
    config = read("""
        [book]
        title = "Sleep"
        authors = ["Ada Green", {name = "Ben Stone", role = "ill", file_as = "Stone, B."}]
        language = "en-GB"
        date = 2026-08-31
        isbn = { epub = "978-0-00-000000-2" }
        website = "https://example.org/sleep"
        cover = "images/cover.jpg"
        [book.series]
        name = "Rest"
        number = 2
        [ebook]
        page = "148mm 210mm"
        [bibliography]
        style = "styles/apa.csl"
        [[edition]]
        name = "full"
        [[edition]]
        name = "sample"
        chapters = ["sleep"]
        formats = ["epub"]
        [check.off]
        M010 = "The poem needs it."
    """)

    assert config.book.authors[1] == Author(name="Ben Stone", role="ill", file_as="Stone, B.")
    assert config.book.date == date(2026, 8, 31)
    assert config.book.series == Series(name="Rest", number=2.0)
    assert [edition.name for edition in config.edition] == ["full", "sample"]
    assert config.check.off == {"M010": "The poem needs it."}


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_byte_order_marks_and_windows_lines_do_not_matter(read: Read, change: Callable[[str], str]) -> None:
    """Editors on Windows write both."""
    config = read(change(BOOK))

    assert config == read(BOOK)


def test_the_tables_of_the_outbox_are_not_ours(read: Read) -> None:
    """Their keys are checked by the package that reads them."""
    config = read(BOOK + '[list]\nname = 1\n[outbox]\nanything = true\n[provider]\nname = "file"\n')

    assert config == read(BOOK)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: Sleep", "book.toml:1: is not TOML: expected '=' after a key"),
        ('[book]\ntitle = "Sleep', "book.toml:2: is not TOML: "),
        ("[book]\ntitle = Sleep", "book.toml:2: is not TOML: invalid value"),
        ("[book]\n[book]", "book.toml:2: is not TOML: cannot declare"),
        ("[book]\ntitle = [", "book.toml:2: is not TOML: "),
        (f"x = {'9' * 5000}", "book.toml: is not TOML: "),
        (f"x = {'[' * 5000}", "book.toml: brackets are nested too deeply"),
        ("", "book.toml: there is no table [book]; write [book]"),
        ("[ebook]", "book.toml: there is no table [book]; write [book]"),
        ("book = 3", "book.toml:1: [book] wants a table, not 3; write [book]"),
        (f"{BOOK}titel = 1", "book.toml:4: [book] has no key 'titel'; did you mean 'title'?"),
        (f"{BOOK}[outbocks]", "book.toml:4: there is no table [outbocks]; did you mean 'outbox'?"),
        (
            f"titel = 1\n{BOOK}",
            "book.toml:1: 'titel' stands outside every table; put it below one, such as [book]",
        ),
        (
            '[book]\nauthors = ["A"]',
            "book.toml:1: [book] lacks the key 'title'; write title = text in quotes",
        ),
        (f"{BOOK}publisher = 3", "book.toml:4: [book] publisher wants text in quotes, not 3"),
        (f"{BOOK}publisher = true", "book.toml:4: [book] publisher wants text in quotes, not true"),
        (f"{BOOK}keywords = 'rest'", "book.toml:4: [book] keywords wants a list in brackets"),
        (
            f"{BOOK}keywords = ['rest', 1]",
            "book.toml:4: [book] keywords, item 2, wants text in quotes, not 1",
        ),
        (
            f"{BOOK}date = '2026-08-31'",
            "book.toml:4: [book] date wants a date such as 2026-08-31, without quotes",
        ),
        (f"{BOOK}date = 2026-08-31T10:00:00", "book.toml:4: [book] date wants a date such as 2026-08-31"),
        (
            f"{BOOK}[book.series]\nname='R'\nnumber=true",
            "book.toml:6: [book.series] number wants a number, not true",
        ),
        (f"{BOOK}[ebook]\nembed_fonts = 1", "book.toml:5: [ebook] embed_fonts wants true or false, not 1"),
        (
            f"{BOOK}[ebook]\nformats=['pdf', 'epbu']",
            "book.toml:5: [ebook] formats, item 2, knows no 'epbu'; did you",
        ),
        (
            f"{BOOK}[edition]\nname = 'full'",
            "book.toml:4: [edition] wants a list in brackets, each item a table",
        ),
        (f"{BOOK}[[ebook]]\nlayout = 'x'", "book.toml:4: [ebook] wants a table, not a list; write [ebook]"),
        (
            f"{BOOK}place = 'a\\u0007b'".replace("'", '"'),
            "book.toml:4: [book] place holds a control character",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(read: Read, text: str, message: str) -> None:
    """File, line, table, key, and what to write instead."""
    [complaint] = complain(read, text)

    assert complaint.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[book]\ntitle=' '\nauthors=['A']", "book.toml:2: [book] title is empty"),
        ("[book]\ntitle='T'\nauthors=[]", "book.toml:3: [book] authors is empty; name at least one"),
        ("[book]\ntitle='T'\nauthors=['']", "book.toml:3: [[book.authors]] name is empty"),
        (
            "[book]\ntitle='T'\n[[book.authors]]\nname='A'\nrole='editor'",
            "book.toml:5: [[book.authors]] role is not a MARC relator code: 'editor'; write 'edt'",
        ),
        (f"{BOOK}language = 'en_GB'", "book.toml:4: [book] language is not a language tag; write 'en-GB'"),
        (
            f"{BOOK}subjects = ['Cancer']",
            "book.toml:4: [book] subjects, item 1, is not a BISAC or Thema code",
        ),
        (f"{BOOK}isbn.pdf = '978-0-00-000000-1'", "book.toml:4: [book.isbn] pdf has a wrong check digit"),
        (
            f"{BOOK}isbn = {{pdf='9780000000002', epub='978-0000000002'}}",
            "book.toml:4: [book.isbn] epub is the ISBN",
        ),
        (f"{BOOK}identifier = 'my book'", "book.toml:4: [book] identifier is not a URN"),
        (f"{BOOK}cover = '../cover.jpg'", "book.toml:4: [book] cover leaves the book's folder"),
        (f"{BOOK}cover = '/etc/passwd'", "book.toml:4: [book] cover is not a path inside"),
        (f"{BOOK}cover = 'C:\\\\x.jpg'", "book.toml:4: [book] cover is not a path inside"),
        (f"{BOOK}cover = 'https://example.org/x.jpg'", "book.toml:4: [book] cover is a web address"),
        (f"{BOOK}website = 'example.org'", "book.toml:4: [book] website is not a web address"),
        (f"{BOOK}series = {{name='R', number=inf}}", "book.toml:4: [book.series] number is not a number"),
        (f"{BOOK}[ebook]\nchapters = '..'", "book.toml:5: [ebook] chapters leaves the book's folder"),
        (f"{BOOK}[ebook]\nformats = []", "book.toml:5: [ebook] formats is empty"),
        (f"{BOOK}[ebook]\npage = '6in'", "book.toml:5: [ebook] page is not a page size: '6in'"),
        (f"{BOOK}[ebook]\npage = '0in 9in'", "book.toml:5: [ebook] page is not a page size"),
        (f"{BOOK}[[edition]]\nname = '../x'", "book.toml:5: [[edition]] name cannot be part of a file name"),
        (f"{BOOK}[[edition]]\nname='a'\n[[edition]]\nname='a'", "book.toml:7: [[edition]] name 'a' is taken"),
        (f"{BOOK}[bibliography]\nfile = 'refs.txt'", "book.toml:5: [bibliography] file is no bibliography"),
        (f"{BOOK}[bibliography]\nstyle = 'apa'", "book.toml:5: [bibliography] style is unknown: 'apa'"),
        (f"{BOOK}[check.off]\nM001 = ''", "book.toml:5: [check.off] M001 is empty"),
    ],
)
def test_values_no_book_can_use_are_refused(read: Read, text: str, message: str) -> None:
    """The right type is not enough: codes, paths and names are checked where they are written."""
    [complaint] = complain(read, text)

    assert complaint.startswith(message)


def test_all_faults_come_in_one_run(read: Read) -> None:
    """An author mends everything at once, from top to bottom."""
    complaints = complain(read, "[book]\ntitel = 1\nauthors = [{nam = 'A'}]\n[ebok]\n[check]\nof = 1\n")

    assert [line.split(": ")[0] for line in complaints] == [
        "book.toml:1", "book.toml:2", "book.toml:3", "book.toml:3", "book.toml:4", "book.toml:6",
    ]  # fmt: skip


def test_lines_are_right_behind_long_values(read: Read) -> None:
    """Text that looks like a table, comments and lists over several lines do not mislead the count."""
    text = (
        BOOK
        + 'description = """\n[ebook]\npublisher = 1\n"""\n'
        + 'keywords = [\n  "a", # ]\n  "b",\n]\n\n# rest\nplaice = 1\n'
    )

    [complaint] = complain(read, text)

    assert complaint == "book.toml:14: [book] has no key 'plaice'; did you mean 'place'?"


def test_lines_are_right_in_repeated_tables(read: Read) -> None:
    """The second edition's slip is not blamed on the first."""
    [complaint] = complain(read, BOOK + "[[edition]]\nname = 'a'\n[[edition]]\nname = 'b'\nnotes = 'x'\n")

    assert complaint == "book.toml:8: [[edition]] has no key 'notes'; did you mean 'note'?"


def test_lines_behind_an_endless_value_are_not_looked_for(read: Read) -> None:
    """After a list of 600 lines the nearest table is named, and reading stays quick."""
    [complaint] = complain(read, BOOK + "keywords = [\n" + '"a",\n' * 600 + "]\nplaice = 1\n")

    assert complaint == "book.toml:1: [book] has no key 'plaice'; did you mean 'place'?"


def test_other_encodings_are_refused(read: Read) -> None:
    """A Latin-1 file is named as such, with the line to look at."""
    [complaint] = complain(read, '[book]\ntitle = "Été"'.encode("latin-1"))

    assert complaint.startswith("book.toml:2: byte 0xC9 is not UTF-8; save it as UTF-8")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A sparse file of 50 GB costs nothing."""
    (tmp_path / "book.toml").touch()
    os.truncate(tmp_path / "book.toml", 50_000_000_000)

    with pytest.raises(ConfigError, match=r"is too large: 50000\.0 MB, 0\.1 MB are allowed"):
        read_config(tmp_path)


def test_a_missing_file_says_how_to_start(tmp_path: Path) -> None:
    """The way on is a command."""
    with pytest.raises(ConfigError, match=r"^book.toml: is missing; run `pipeline new`"):
        read_config(tmp_path)


def test_a_folder_called_book_toml_is_no_file(tmp_path: Path) -> None:
    """The system's own words, and what to look at."""
    (tmp_path / "book.toml").mkdir()

    with pytest.raises(ConfigError, match=r"^book.toml: cannot be read: Is a directory"):
        read_config(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["[book]", "[[edition]]", "[book.isbn]", "[[book.authors]]", "[check.off]", "[x]", ""]
            ),
            st.sampled_from(
                ["title", "authors", "name", "number", "pdf", "formats", "off", "a.b", '""', "date"]
            ),
            st.sampled_from(
                ["1", "1.5", "nan", "true", '"x"', "'''\n[x]'''", "[]", "[[1]]", "{}", "{a=1}", "2026-01-01"]
            ),
        ),
        max_size=5,
    )
)
@example([("", "series", "{name='x', number=1e400}")])
@example([("", "series", f"{{name='x', number={'9' * 4000}}}")])
def test_no_file_gives_a_traceback(read: Read, rows: list[tuple[str, str, str]]) -> None:
    """Tables put together at random are a book or an error with a place."""
    text = BOOK + "".join(f"{table}\n{key} = {value}\n" for table, key, value in rows)
    try:
        config = read(text)
    except PipelineError as error:
        assert str(error).startswith("book.toml")
    else:
        assert config.book.authors


def test_a_folder_of_markdown_is_a_book(tmp_path: Path) -> None:
    """Several files take the folder's name as title, and need no author."""
    folder = tmp_path / "my-first_book"
    folder.mkdir()
    (folder / "01-a.md").write_text("# A\n")
    (folder / "02-b.md").write_text("# B\n")
    (folder / "README.md").write_text("# Not this\n")

    config = default_config(folder)

    assert config.book.title == "My first book"
    assert config.book.authors == ()
    assert config.ebook.chapters == "."


def test_a_single_file_gives_the_book_its_heading(tmp_path: Path) -> None:
    """The one heading there is names the book; a folder named chapters comes first."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "story.md").write_text("Words.\n\n# The Story #\n")

    config = default_config(tmp_path)

    assert config.book.title == "The Story"
    assert config.ebook.chapters == "chapters"


def test_an_empty_folder_is_no_book(tmp_path: Path) -> None:
    """Without book.toml and without Markdown there is nothing to guess from."""
    with pytest.raises(ConfigError, match="run `pipeline new`"):
        default_config(tmp_path)
