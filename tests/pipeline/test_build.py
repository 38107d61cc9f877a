"""One build: the same bytes from the same sources, all of it or nothing, and plain words when it cannot be."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pikepdf
import pytest
from lxml import etree

from pipeline.build import choose_editions, make_edition, name_file, open_manuscript, write_editions
from pipeline.config import Config, EditionTable, Metadata
from pipeline.errors import ConfigError, PipelineError
from pipeline.model import Edition

ROOT = Path(__file__).parents[2]
MANUSCRIPTS = ROOT / "tests" / "manuscripts"

Scribe = Callable[..., Path]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pipeline() -> Command:
    """Run the command line on a book's folder in a process of its own and demand an exit code."""

    def run(
        folder: Path, *words: str, code: int = 0, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        command = [sys.executable, "-W", "error", "-m", "pipeline", "ebook", "--book", str(folder), *words]
        done = subprocess.run(
            command, env={**kept, "PYTHONPATH": str(ROOT), **(env or {})}, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert code == done.returncode, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def write_manuscript(case: str, folder: Path) -> Path:
    """A copy of one of the little books, without what was kept beside it."""
    for path in (MANUSCRIPTS / case).rglob("*"):
        if path.is_file() and not {"golden", "build"} & set(path.relative_to(MANUSCRIPTS).parts):
            target = folder / path.relative_to(MANUSCRIPTS / case)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "build").glob("*.*")) if path.is_file()}


def make(folder: Path, *formats: str, epoch: str | None = None) -> dict[str, bytes]:
    made = make_edition(open_manuscript(folder, epoch=epoch), EditionTable(name="full"), formats=formats)
    return {name: data for edition in made for name, data in edition.files.items()}


def fault(folder: Path, *formats: str) -> str:
    with pytest.raises(PipelineError) as raised:
        make(folder, *(formats or ("epub",)))
    return str(raised.value)


# -- the same bytes


def test_two_builds_in_two_places_give_the_same_bytes(everything, pipeline: Command, tmp_path: Path) -> None:
    """Another folder, another process, another hash seed and time zone: PDF and EPUB agree to the last byte."""
    folder = write_manuscript("everything", tmp_path / "somewhere else")
    pipeline(folder, "--edition", "full", env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"})

    assert everything.pdf_bytes == outputs(folder)["everything.pdf"]
    assert everything.epub_bytes == outputs(folder)["everything.epub"]


def test_the_epoch_is_the_time_of_the_book(manuscript: Scribe) -> None:
    """SOURCE_DATE_EPOCH stands in both outputs; other times give other bytes."""
    folder = manuscript("# One\n\nx")
    first, again, other = (make(folder, "pdf", "epub", epoch=epoch) for epoch in ("86400", "86400", "172800"))

    assert first == again
    with pikepdf.open(io.BytesIO(first["small.pdf"])) as pdf:
        assert "D:19700102000000+00'00'" == str(pdf.docinfo["/CreationDate"])
    assert all(first[name] != other[name] for name in first)


@pytest.mark.parametrize("epoch", ["yesterday", "1.5", "9" * 30, "0x10"])
def test_an_epoch_that_is_no_time_is_refused(manuscript: Scribe, epoch: str) -> None:
    """It says what it must be."""
    with pytest.raises(ConfigError, match=f"SOURCE_DATE_EPOCH is '{epoch}'; it must be a number of seconds"):
        open_manuscript(manuscript("# One\n\nx"), epoch=epoch)


# -- all or nothing


def test_a_failed_build_leaves_the_last_good_book(pipeline: Command, manuscript: Scribe) -> None:
    """Both editions, both formats: an error in one leaves all of them as they were."""
    toml = (
        '[book]\ntitle = "Small"\nauthors = ["A"]\ncover = "none"\n[ebook]\nformats = ["epub"]\n'
        '[[edition]]\nname = "full"\n[[edition]]\nname = "sample"\nchapters = ["one"]\n'
    )
    folder = manuscript({"01-one.md": "# One\n\nGood.", "02-two.md": "# Two\n\nGood."}, toml=toml)
    done = pipeline(folder)
    good = outputs(folder)
    manuscript({"02-two.md": "# Two\n\n[bad](#nowhere)"}, toml=toml)
    failed = pipeline(folder, code=1)

    assert ["build/small.epub", "build/small-sample.epub"] == done.stdout.split()
    assert {"small.epub", "small-sample.epub"} == set(good)
    assert good == outputs(folder)
    assert failed.stderr.startswith("chapters/02-two.md:3: nothing in 'two' has the id 'nowhere'")
    assert "" == failed.stdout


def test_editions_are_written_with_all_their_files(tmp_path: Path) -> None:
    """In the order in which they were made."""
    editions = [Edition("full", "pdf", {"a.pdf": b"1"}), Edition("full", "epub", {"b/c.epub": b"2"})]

    assert (tmp_path / "a.pdf", tmp_path / "b" / "c.epub") == write_editions(tmp_path, editions)
    assert b"2" == (tmp_path / "b" / "c.epub").read_bytes()


# -- editions and formats


def test_editions_are_chosen_by_name() -> None:
    """All of book.toml, one of them, `full` when there are none; a wrong name names the right ones."""
    meta = Metadata(title="T", authors=())
    two = Config(book=meta, edition=(EditionTable(name="full"), EditionTable(name="sample")))

    assert ["full", "sample"] == [table.name for table in choose_editions(two)]
    assert ["sample"] == [table.name for table in choose_editions(two, "sample")]
    assert ["full"] == [table.name for table in choose_editions(Config(book=meta))]
    with pytest.raises(ConfigError, match="there is no edition 'simple'; there are full, sample"):
        choose_editions(two, "simple")


@pytest.mark.parametrize(
    ("title", "edition", "expected"),
    [("Größe & Maß", "full", "grosse-mass"), ("A b", "sample", "a-b-sample"), ("Война", "full", "book")],
)
def test_files_are_named_after_the_title(title: str, edition: str, expected: str) -> None:
    """In ASCII, whatever the language."""
    assert expected == name_file(Config(book=Metadata(title=title, authors=())), EditionTable(name=edition))


def test_formats_come_from_the_caller_the_edition_or_the_book(manuscript: Scribe) -> None:
    """The nearest wins, and the PDF is always first: the EPUB needs its pages."""
    toml = '[book]\ntitle = "S"\nauthors = ["A"]\ncover = "none"\n[ebook]\nformats = ["epub"]\n'
    opened = open_manuscript(manuscript("# One\n\nx", toml=toml))
    heard: list[str] = []

    assert ["epub"] == [e.format for e in make_edition(opened, EditionTable(name="full"))]
    assert ["pdf"] == [e.format for e in make_edition(opened, EditionTable(name="full", formats=("pdf",)))]
    assert ["pdf", "epub"] == [
        e.format
        for e in make_edition(opened, EditionTable(name="full"), formats=("epub", "pdf"), say=heard.append)
    ]
    assert ["s.pdf", "s.epub"] == [stage for stage in heard if stage.startswith("s.")]
    assert "pages written and tagged" in heard


def test_a_format_that_is_not_there_is_refused(manuscript: Scribe) -> None:
    """The message names those that are."""
    message = fault(manuscript("# One\n\nx"), "mobi")

    assert "mobi" in message
    assert "epub" in message


@pytest.mark.parametrize("page", ["A5", "148mm 210mm", "letter", "5.5in 8.5in"])
def test_a_page_has_the_size_the_book_asks_for(manuscript: Scribe, page: str) -> None:
    """Named or measured."""
    toml = f'[book]\ntitle = "Small"\nauthors = ["A"]\ncover = "none"\n[ebook]\npage = "{page}"\n'
    sizes = {"A5": (420, 595), "148mm 210mm": (420, 595), "letter": (612, 792), "5.5in 8.5in": (396, 612)}
    data = make(manuscript("# One\n\nx", toml=toml), "pdf")["small.pdf"]
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert {sizes[page]} == {tuple(round(float(n)) for n in each.mediabox[2:]) for each in pdf.pages}


# -- plain folders


@pytest.mark.parametrize("below", ["", "chapters"])
def test_a_folder_of_markdown_is_a_book_at_once(pipeline: Command, tmp_path: Path, below: str) -> None:
    """No book.toml, no headers: titles from headings, order from file names."""
    folder = tmp_path / "my first-book"
    write_manuscript("plain", folder / below)
    done = pipeline(folder)

    assert ["build/my-first-book.pdf", "build/my-first-book.epub"] == done.stdout.split()
    assert {"my-first-book.pdf", "my-first-book.epub"} == set(outputs(folder))


def test_an_empty_folder_says_how_to_begin(pipeline: Command, tmp_path: Path) -> None:
    """And exits with the code for something to mend."""
    done = pipeline(tmp_path, code=1)

    assert "book.toml" in done.stderr
    assert "pipeline new" in done.stderr


# -- hostile manuscripts


@pytest.mark.parametrize(
    "source",
    [
        "http://example.org/a.png", "https://example.org/a.png", "//example.org/a.png", "file:///etc/passwd",
        "/etc/passwd", "../../secret.png", "images/../../../secret.png", "data:image/png;base64,AAAA", "a.png",
        "%2e%2e/x.png",
        "C:%5Ca.png",
    ],
)  # fmt: skip
def test_a_picture_from_elsewhere_is_refused(manuscript: Scribe, source: str) -> None:
    """The network, the disk and the folders above are out of bounds; the line is told."""
    folder = manuscript(f"# One\n\nx\n\n![A picture.]({source})")
    (folder.parent / "secret.png").write_bytes(b"\x89PNG")

    assert fault(folder).startswith("chapters/01-one.md:5: ")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n broken"),
        (
            "a.svg",
            b'<!DOCTYPE a [<!ENTITY b "c">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">&b;</svg>',
        ),
        ("a.svg", b"<svg"),
        ("a.jpg", b"\x89PNG\r\n\x1a\n"),
        ("a.tiff", b"II*\0"),
    ],
)
def test_a_picture_that_is_none_is_refused(manuscript: Scribe, name: str, data: bytes) -> None:
    """Broken, disguised or dangerous files fail with the line that names them."""
    folder = manuscript(f"# One\n\n![A picture.]({name})", files={f"chapters/{name}": data})

    assert fault(folder).startswith("chapters/01-one.md:3: ")


def test_an_image_bomb_is_refused(manuscript: Scribe) -> None:
    """A small file of very many pixels is not opened."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )

    assert fault(manuscript("# One\n\n![A picture.](a.png)", files={"chapters/a.png": png})).startswith(
        "chapters/01-one.md:3: "
    )


def test_one_build_tells_of_every_picture(manuscript: Scribe) -> None:
    """Not only of the first."""
    told = fault(
        manuscript({"1-a.md": "# A\n\n![A.](a.png)\n\n![B.](b.png)", "2-b.md": "# B\n\n![C.](c.png)"})
    )

    assert ["chapters/1-a.md:3", "chapters/1-a.md:5", "chapters/2-b.md:3"] == [
        line.split(": ")[0] for line in told.splitlines()
    ]


@pytest.mark.parametrize(
    "chapter",
    ["# One\n\n" + "> " * 200 + "deep", "# One\n\n" + "[" * 10_000, "# One\n\n" + "- " * 500 + "deep",
     "# One\n\n<script>alert(1)</script>", "---\na: &a [*a, *a]\n---\n# One"],
    ids=["quotes", "brackets", "lists", "script", "yaml"],
)  # fmt: skip
def test_a_hostile_chapter_is_an_error(manuscript: Scribe, chapter: str) -> None:
    """With the file's name and without a traceback."""
    assert fault(manuscript(chapter)).startswith("chapters/01-one.md:")


def test_words_that_look_like_markup_stay_words(manuscript: Scribe) -> None:
    """Titles, names and alternative texts from outside cannot break the pages."""
    toml = '[book]\ntitle = "<b>&\\"A\\""\nsubtitle = "]]>"\nauthors = ["<i>"]\nrights = "&amp;"\ncover = "none"\n'
    folder = manuscript(
        "---\ntitle: '\\<u>&amp;\"'\nsubtitle: </h1>\nauthors: ['&lt;']\n---\na &lt;b> \\<c>", toml=toml
    )
    data = next(iter(make(folder, "epub").values()))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pages = {
            n: etree.fromstring(archive.read(n)) for n in archive.namelist() if n.endswith((".xhtml", ".opf"))
        }
    said = " ".join(" ".join(page.itertext()) for page in pages.values())

    assert {"u", "b", "i", "c"}.isdisjoint(
        etree.QName(e).localname for p in pages.values() for e in p.iter(etree.Element)
    )
    for words in ['<b>&"A"', "]]>", "<i>", "<u>&", "</h1>", "<c>"]:
        assert words in said
