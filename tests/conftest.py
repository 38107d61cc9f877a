"""Little books written for a test, books built once for all tests, and texts kept to compare with."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from pipeline.build import Manuscript, make_edition, open_manuscript, resolve_edition
from pipeline.check.judges.browser import FLAGS
from pipeline.check.judges.programs import find_browser, find_in_package, list_variables
from pipeline.config import EditionTable
from pipeline.errors import JudgeError
from pipeline.model import Book, Edition

ROOT = Path(__file__).parents[1]
MANUSCRIPTS = ROOT / "tests" / "manuscripts"
#: A book.toml that asks for no cover, since drawing one takes longer than the rest of a small book.
BOOK_TOML = '[book]\ntitle = "Small"\nauthors = ["Ana Ruiz"]\nlanguage = "en"\ncover = "none"\n'

NAMES = {
    "h": "http://www.w3.org/1999/xhtml",
    "epub": "http://www.idpf.org/2007/ops",
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
    "ncx": "http://www.daisy.org/z3986/2005/ncx/",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the kept texts anew instead of comparing"
    )


@dataclass(frozen=True)
class Built:
    """A book made once, and ways to look into its outputs."""

    manuscript: Manuscript
    book: Book
    pdf: Edition | None
    epub: Edition | None
    _parsed: dict[str, etree._Element] = field(default_factory=dict, repr=False)

    @cached_property
    def pdf_bytes(self) -> bytes:
        assert self.pdf
        return next(iter(self.pdf.files.values()))

    @cached_property
    def epub_bytes(self) -> bytes:
        assert self.epub
        return next(iter(self.epub.files.values()))

    @cached_property
    def members(self) -> Mapping[str, bytes]:
        """The files of the EPUB by name, below their common folder."""
        with zipfile.ZipFile(io.BytesIO(self.epub_bytes)) as archive:
            return {name.removeprefix("EPUB/"): archive.read(name) for name in archive.namelist()}

    @cached_property
    def pages(self) -> list[str]:
        """The names of the XHTML files."""
        return [name for name in self.members if name.endswith(".xhtml")]

    def parse(self, name: str) -> etree._Element:
        """An XML file of the EPUB; parsed strictly and once."""
        if name not in self._parsed:
            self._parsed[name] = etree.fromstring(self.members[name], etree.XMLParser(resolve_entities=False))
        return self._parsed[name]

    def find(self, name: str, path: str) -> list:
        """What an XPath selects in a file of the EPUB; prefixes h, epub, opf, dc and ncx."""
        return self.parse(name).xpath(path, namespaces=NAMES)


Writer = Callable[..., Path]
Builder = Callable[..., Built]


@pytest.fixture
def manuscript(tmp_path: Path) -> Writer:
    """Write a little book: its chapters by file name, `toml` for book.toml, `files` for anything else."""

    def write(
        chapters: Mapping[str, str] | str, *, toml: str | None = BOOK_TOML, files: Mapping[str, bytes] | None = None,
        folder: Path = tmp_path / "book",
    ) -> Path:  # fmt: skip
        named = {"01-one.md": chapters} if isinstance(chapters, str) else chapters
        contents = {f"chapters/{name}": text.encode() for name, text in named.items()} | dict(files or {})
        if toml is not None:
            contents["book.toml"] = toml.encode()
        for name, data in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    return write


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of a folder of tests/manuscripts, or of the `sample` book, in which a build leaves nothing behind."""
    shelf = tmp_path_factory.mktemp("manuscripts")

    def copy_once(case: str) -> Path:
        folder = shelf / case
        if not folder.exists() and case == "sample":
            shutil.copytree(ROOT / "chapters", folder / "chapters")
            shutil.copy(ROOT / "book.toml", folder)
        elif not folder.exists():
            shutil.copytree(MANUSCRIPTS / case, folder, ignore=shutil.ignore_patterns("golden", "build"))
        return folder

    return copy_once


@pytest.fixture(scope="session")
def build(copied: Callable[[str], Path]) -> Builder:
    """Make an edition of a folder of tests/manuscripts, of the `sample`, or of one's own folder, once a session."""
    made: dict[tuple[object, ...], Built] = {}

    def build_once(
        case: str | Path,
        *,
        edition: str = "full",
        layout: str = "",
        formats: tuple[str, ...] = ("pdf", "epub"),
    ) -> Built:
        key = (case, edition, layout or "classic", formats)
        if key not in made:
            folder = copied(case) if isinstance(case, str) else case
            made[key] = _build(folder, edition, layout, formats)
        return made[key]

    return build_once


def _build(folder: Path, edition: str, layout: str, formats: tuple[str, ...]) -> Built:
    manuscript = open_manuscript(folder)
    tables = {table.name: table for table in manuscript.config.edition}
    table = tables.get(edition, EditionTable(name=edition))
    chosen = msgspec.structs.replace(table, layout=layout or table.layout, formats=())
    made = {each.format: each for each in make_edition(manuscript, chosen, formats=formats)}
    book, _ = resolve_edition(manuscript, chosen)
    return Built(manuscript, book, made.get("pdf"), made.get("epub"))


@pytest.fixture(scope="session")
def everything(build: Builder) -> Built:
    """The book that says each thing once, as PDF and as EPUB with its pages."""
    return build("everything")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with the one kept in a file below tests/; --update-golden keeps it instead."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        assert path.exists(), f"{path} is not there; run pytest --update-golden and read what it wrote"
        assert path.read_text("utf-8") == text

    return compare


@pytest.fixture
def need() -> Callable[[object, str], None]:
    """Skip a test when something from outside is missing; where judges are required that is a failure."""

    def demand(there: object, what: str) -> None:
        if not there and os.environ.get("REQUIRE_JUDGES") == "1":
            pytest.fail(f"REQUIRE_JUDGES=1, but there is no {what}")
        elif not there:
            pytest.skip(f"there is no {what}")

    return demand


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The Chromium of the judges, None without one."""
    try:
        program = find_browser()
        find_in_package("playwright", "sync_api/__init__.py")
    except JudgeError:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS, env={**list_variables()})
        yield started
        started.close()


@pytest.fixture
def without_rights(tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """A block in which a file closed to everybody is closed to the test too; root may read everything."""

    @contextmanager
    def give_up() -> Iterator[None]:
        if os.geteuid():
            yield
            return
        for folder in (tmp_path, *tmp_path.parents):
            if folder.owner() == "root" and folder.name.startswith(("test_", "pytest-", "popen-")):
                folder.chmod(0o755)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return give_up
