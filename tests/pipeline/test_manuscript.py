"""A folder of Markdown becomes chapters in reading order, or says what keeps it from that."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.config import Author, Config, Ebook, EditionTable, Metadata, default_config
from pipeline.errors import PipelineError
from pipeline.manuscript import make_slug, read_manuscript
from pipeline.model import Chapter, Node, plain

CONFIG = Config(book=Metadata(title="Rest", authors=(Author(name="Ada Green"),)))
HEADER = "---\ntitle: {}\n---\n\nText.\n"

Write = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into the folder of chapters of a new book; gives the book's folder."""

    def write_files(files: Mapping[str, str | bytes]) -> Path:
        (tmp_path / "chapters").mkdir(exist_ok=True)
        for name, text in files.items():
            path = tmp_path / "chapters" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write_files


def read_one(write: Write, text: str | bytes, name: str = "01-sleep.md") -> Chapter:
    """The chapter that a file with this text gives."""
    [chapter] = read_manuscript(write({name: text}), CONFIG)
    return chapter


def complain(folder: Path, config: Config = CONFIG) -> list[str]:
    """The lines of the error that a book gives."""
    with pytest.raises(PipelineError) as caught:
        read_manuscript(folder, config)
    return str(caught.value).splitlines()


def kinds(nodes: tuple[Node, ...]) -> list[str]:
    """The kinds of blocks, to see what is left of a body."""
    return [node.kind for node in nodes]


# -- titles and bodies


def test_plain_markdown_takes_its_title_from_the_heading(write: Write) -> None:
    """The heading leaves the body; its words, emphasis and all, are the title."""
    chapter = read_one(write, "# Why *we* sleep\n\nText.\n\n## More\n")

    assert chapter.title == "Why we sleep"
    assert kinds(chapter.heading) == ["text", "emphasis", "text"]
    assert kinds(chapter.body) == ["paragraph", "heading"]
    assert (chapter.slug, chapter.kind, chapter.title_line) == ("sleep", "chapter", 1)


def test_a_header_fills_the_chapter(write: Write) -> None:
    """What the header says arrives; lines count from the top of the file."""
    chapter = read_one(
        write,
        "---\ntitle: Why *we* sleep\nslug: rest\nkind: appendix\nlang: en-GB\nauthors: [Ben]\n"
        "categories: [A / B]\ndate: 2026-08-31\nstatus: draft\n---\n\nText.\n",
    )

    assert (chapter.title, chapter.slug, chapter.kind, chapter.lang) == (
        "Why we sleep",
        "rest",
        "appendix",
        "en-GB",
    )
    assert (chapter.authors, chapter.categories, chapter.status) == (("Ben",), ("A / B",), "draft")
    assert (chapter.date, chapter.title_line) == (date(2026, 8, 31), 2)
    assert chapter.body[0].line == 12
    assert chapter.source == "chapters/01-sleep.md"


def test_a_heading_that_repeats_the_title_is_dropped(write: Write) -> None:
    """Many tools want both; a book prints one."""
    chapter = read_one(write, "---\ntitle: It's  *late*\n---\n# It's *late*\n\nText.\n")

    assert kinds(chapter.body) == ["paragraph"]


def test_the_language_sets_the_quotes_of_the_title(write: Write) -> None:
    """A German chapter in an English book has German quotation marks in heading and header alike."""
    chapter = read_one(write, '---\ntitle: Der "Schlaf"\nlang: de\n---\n# Der "Schlaf"\n')

    assert chapter.title == "Der „Schlaf“"
    assert chapter.body == ()


def test_a_second_title_is_an_error(write: Write) -> None:
    """Each further `#`, also one inside a quotation, is pointed to."""
    folder = write({"a.md": "# One\n\n# Two\n\n> # Three\n", "b.md": "---\ntitle: One\n---\n# Other\n"})

    complaints = complain(folder)

    assert complaints == [
        "chapters/a.md:3: a second title: 'Two'; a chapter has one, so write ## for a section",
        "chapters/a.md:5: a second title: 'Three'; a chapter has one, so write ## for a section",
        "chapters/b.md:4: a second title: 'Other'; a chapter has one, so write ## for a section",
    ]


@pytest.mark.parametrize("text", ["Text.\n", "", "#\n\nText.\n", "---\nkind: appendix\n---\nText."])
def test_a_chapter_needs_a_title(write: Write, text: str) -> None:
    """The message says what to write."""
    [complaint] = complain(write({"01-sleep.md": text}))

    assert complaint == (
        "chapters/01-sleep.md:1: has no title; "
        "begin the text with a line such as # The title, or write title: in the header"
    )


@pytest.mark.parametrize("kind", ["dedication", "epigraph", "part", "preface", "about"])
def test_other_kinds_may_go_by_their_file(write: Write, kind: str) -> None:
    """A dedication has no heading of its own, but the contents want a name."""
    chapter = read_one(write, f"---\nkind: {kind}\n---\nText.\n", "02-for_my-mother.md")

    assert chapter.title == "For my mother"
    assert plain(chapter.heading) == "For my mother"
    assert chapter.title_line == 0


# -- files, order, slugs


def test_files_are_read_in_natural_order(write: Write) -> None:
    """2 comes before 10, and small beside great letters do not part."""
    names = ["10-z.md", "2-y.md", "B.md", "a.md", "01 intro.md"]
    chapters = read_manuscript(write({name: HEADER.format("T") for name in names}), CONFIG)

    assert [Path(chapter.source).name for chapter in chapters] == [
        "01 intro.md",
        "2-y.md",
        "10-z.md",
        "a.md",
        "B.md",
    ]


def test_only_chapters_are_read(write: Write) -> None:
    """Sub-folders, hidden files, README.md and other files are none."""
    files = [
        "01-a.md",
        "letters/welcome.md",
        "issues/one.md",
        ".draft.md",
        "README.md",
        "readme.MD",
        "notes.txt",
    ]

    chapters = read_manuscript(write({name: HEADER.format("T") for name in files}), CONFIG)

    assert [chapter.source for chapter in chapters] == ["chapters/01-a.md"]


def test_an_order_may_be_given(write: Write) -> None:
    """`[ebook] order` lists stems, and then file names no longer count."""
    folder = write({"a.md": "# A", "b.md": "# B", "c.md": "# C"})
    config = msgspec.structs.replace(CONFIG, ebook=Ebook(order=("c", "a", "b")))

    assert [chapter.slug for chapter in read_manuscript(folder, config)] == ["c", "a", "b"]


def test_an_order_must_fit_the_files(write: Write) -> None:
    """Unknown, repeated and forgotten chapters are all named."""
    folder = write({"sleep.md": "# A", "wake.md": "# B"})
    config = msgspec.structs.replace(CONFIG, ebook=Ebook(order=("slep", "sleep", "sleep")))

    complaints = complain(folder, config)

    assert complaints == [
        "book.toml: [ebook] order has no chapter 'slep'; did you mean 'sleep'?",
        "book.toml: [ebook] order names 'sleep' twice; keep one",
        "book.toml: [ebook] order lacks the chapter 'wake'; add it, or move its file away",
    ]


@pytest.mark.parametrize(
    ("stem", "slug"),
    [
        ("03-sleep", "sleep"),
        ("03 Sleep & Rest!", "sleep-rest"),
        ("1984", "chapter-1984"),
        ("03-10-reasons", "chapter-10-reasons"),
        ("2.1_Über-Schlaf", "uber-schlaf"),
        ("04-Straße", "strasse"),
        ("05-Łódź Ærø", "lodz-aero"),
        ("06-睡眠", "chapter-06"),
        ("07-", "chapter-07"),
        ("...", "chapter-ab5df625"),
    ],
)
def test_a_slug_comes_from_the_file_name(stem: str, slug: str) -> None:
    """Without its number, in plain letters, and never empty."""
    assert make_slug(stem) == slug


def test_odd_names_are_welcome(write: Write) -> None:
    """Spaces, quotes and other scripts are file names like any other."""
    names = ['01 it\'s "odd" & <b>.md', "02-睡眠.md", "03-%20#x.md", "04-a\nb.md"]

    chapters = read_manuscript(write(dict.fromkeys(names, "# T")), CONFIG)

    assert [chapter.slug for chapter in chapters] == ["it-s-odd-b", "chapter-02", "chapter-20-x", "a-b"]


def test_two_chapters_cannot_share_a_slug(write: Write) -> None:
    """The second is told who has it."""
    complaints = complain(
        write({"01-sleep.md": "# A", "02-sleep.md": "# B", "03-x.md": "---\nslug: sleep\n---\n# C"})
    )

    assert complaints == [
        f"{file}:1: the slug 'sleep' belongs to chapters/01-sleep.md; write another slug: in the header"
        for file in ("chapters/02-sleep.md", "chapters/03-x.md")
    ]


def test_editions_must_be_those_of_book_toml(write: Write) -> None:
    """A slip would drop the chapter from every book in silence."""
    folder = write({"a.md": "---\ntitle: A\neditions: [full, smaple]\n---\n"})
    config = msgspec.structs.replace(CONFIG, edition=(EditionTable(name="sample"),))

    assert complain(folder, config) == [
        "chapters/a.md:3: editions: book.toml has no [[edition]] 'smaple'; did you mean 'sample'?"
    ]


def test_faults_of_all_chapters_come_together(write: Write) -> None:
    """Header, text and title of every file, in one run and in order."""
    folder = write({"a.md": "---\ntitel: A\n---\nRaw <br> here\n", "b.md": b"\xff", "c.md": "---\n"})

    places = [line.split(": ")[0] for line in complain(folder)]

    assert places == [
        "chapters/a.md:1",
        "chapters/a.md:2",
        "chapters/a.md:4",
        "chapters/b.md:1",
        "chapters/c.md:1",
    ]


def test_a_folder_without_book_toml_is_read(write: Write) -> None:
    """Plain Markdown and the default config make a book at once."""
    folder = write({"01-a.md": "# A\n\nText.", "02-b.md": "# B\n\nText."})

    chapters = read_manuscript(folder, default_config(folder))

    assert [chapter.title for chapter in chapters] == ["A", "B"]


# -- encodings


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_do_not_matter(write: Write, end: str, mark: str) -> None:
    """Whichever system the file comes from, the chapter and its lines are the same."""
    text = "---\ntitle: A\n---\n\n## S\n\nText.\n"

    chapter = read_one(write, mark + text.replace("\n", end))

    assert chapter == read_one(write, text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "# Été\n".encode("utf-16"),
            "chapters/x.md: is UTF-16, not UTF-8; save it as UTF-8 in your editor, or run: iconv",
        ),
        ("# A sheep\n".encode("utf-16-be"), "chapters/x.md: is UTF-16, not UTF-8"),
        ("# A\n\nÉté\n".encode("latin-1"), "chapters/x.md:3: byte 0xC9 is not UTF-8; save it as UTF-8"),
        ("# A\r\rÉté\r".encode("latin-1"), "chapters/x.md:3: byte 0xC9 is not UTF-8"),
        (b"# A\n\nB\0C and more text\n", "chapters/x.md:3: holds the control character U+0000; delete it"),
        (b"# A\n\x1b[1mB\n", "chapters/x.md:2: holds the control character U+001B; delete it"),
    ],
)
def test_what_is_not_utf_8_is_refused_with_a_way_out(write: Write, data: bytes, message: str) -> None:
    """The line, the byte, and how to convert the file."""
    [complaint] = complain(write({"x.md": data}))

    assert complaint.startswith(message)


# -- hostile folders


def test_a_huge_file_is_refused_before_it_is_read(write: Write) -> None:
    """50 MB of nothing; the limit is 5."""
    folder = write({"x.md": ""})
    os.truncate(folder / "chapters" / "x.md", 50_000_000)

    assert complain(folder) == ["chapters/x.md: is too large: 50.0 MB, 5 MB are allowed; split it"]


def test_a_folder_is_no_chapter(write: Write) -> None:
    """Even when it is called like one."""
    folder = write({"01-a.md": "# A"})
    (folder / "chapters" / "x.md").mkdir()

    assert complain(folder) == [
        "chapters/x.md: is a folder; a chapter is a file: rename the folder or take it away"
    ]


def test_a_socket_is_no_chapter(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no plain file is never opened; a pipe would wait for ever."""
    folder = write({"01-a.md": "# A"})
    os.mkfifo(folder / "chapters" / "x.md")
    monkeypatch.chdir(folder / "chapters")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("y.md")

        complaints = complain(folder)

    assert complaints == [
        "chapters/x.md: is not a plain file; replace it by a text file",
        "chapters/y.md: is not a plain file; replace it by a text file",
    ]


def test_a_closed_file_says_so(
    write: Write, without_rights: Callable[[], AbstractContextManager[None]]
) -> None:
    """The system's reason, and what to check."""
    folder = write({"x.md": "# A"})
    (folder / "chapters" / "x.md").chmod(0)

    with without_rights():
        complaints = complain(folder)

    assert complaints == ["chapters/x.md: cannot be read: Permission denied; check the file and its rights"]


def test_links_stay_in_the_book(write: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A link to a file in the book is a chapter; one that leads out, nowhere or to itself is an error."""
    outside = tmp_path_factory.mktemp("outside") / "secret.md"
    outside.write_text("# Secret")
    folder = write({"notes/inside.md": "# Inside"})
    for name, target in {"a": "notes/inside.md", "b": str(outside), "c": "gone.md", "d": "d.md"}.items():
        (folder / "chapters" / f"{name}.md").symlink_to(target)

    complaints = complain(folder)

    assert complaints == [
        "chapters/b.md: points outside the book's folder; copy the file here instead",
        "chapters/c.md: cannot be read: No such file or directory; check the file and its rights",
        "chapters/d.md: cannot be read: Too many levels of symbolic links; check the file and its rights",
    ]


def test_a_name_that_is_no_text_is_refused(write: Write) -> None:
    """Bytes that are not UTF-8 are shown, and never printed raw."""
    folder = write({"01-a.md": "# A"})
    (Path(os.fsdecode(os.fsencode(folder) + b"/chapters/\xff.md"))).write_text("# B")

    assert complain(folder) == ["chapters/\\udcff.md: has a name that is not UTF-8; rename the file"]


def test_a_missing_folder_says_where_chapters_go(tmp_path: Path) -> None:
    """The folder is named, and the key that would name another."""
    [complaint] = complain(tmp_path)

    assert complaint == (
        "chapters: cannot be opened: No such file or directory; "
        "put the chapters there, or name their folder as [ebook] chapters"
    )


def test_an_empty_folder_says_how_to_begin(write: Write) -> None:
    """A first file name is suggested."""
    assert complain(write({"README.md": "# Not a chapter"})) == [
        "chapters: holds no chapters; write the first one in a file such as 01-introduction.md"
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(st.text("abAB #-:[]{}>\n\t\"'`|*_!&%@\\^~=$.é\u2028", max_size=60) | st.binary(max_size=30))
@example("---\ntitle: '<b>'\n---\n")
@example("---\ntitle: '[^a]'\n---\n[^a]: b")
@example("---\ntitle: '{.x}'\nkind: part\n---\n# {#a}")
@example("# [](x)")
@example("---\ntitle: '\\'\n---\n")
def test_no_file_gives_a_traceback(write: Write, text: str | bytes) -> None:
    """Any bytes are a chapter with a title, or an error with a place."""
    try:
        chapter = read_one(write, text, "x.md")
    except PipelineError as error:
        assert str(error).startswith("chapters/x.md")
    else:
        assert chapter == replace(chapter, slug="x")
        assert chapter.title
