"""The judges praise a sound book, name what is wrong with a broken one, and say when they are missing."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from pipeline.check.judges import JUDGES, name_kind
from pipeline.check.judges.books import ask_verapdf, find_verapdf
from pipeline.check.outside import Verdict, format_table, judge
from pipeline.errors import JudgeError
from pipeline.model import FaceSpec
from pipeline.typeset import Sheet, lay_out, prepare_type

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""

PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:3c1d5f0e-6c52-4c1e-9c5c-0a4a5a3f8f10</dc:identifier>
<dc:title>Small</dc:title><dc:language>en</dc:language>
<meta property="dcterms:modified">2024-01-01T00:00:00Z</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Text alone.</meta>
</metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="one"/></spine>
</package>"""

PAGE = """<?xml version="1.0" encoding="utf-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>Small</title></head>
<body>
{body}
</body></html>"""

CONTENTS = """<nav epub:type="toc" role="doc-toc"><h1>Contents</h1>
<ol><li><a href="one.xhtml">One</a></li></ol></nav>"""

SOUND = "<h1>One</h1>\n<p>Words.</p>"
MISNESTED = "<h1>One</h1>\n<p>Words.</p>\n<p><p>A paragraph within another.</p></p>"
PALE = '<h1>One</h1>\n<p style="color: #aaa; background: #fff">Hardly to be seen.</p>'

SOUND_PDF = '<html lang="en"><title>Small</title><h1>One</h1><p>Words.</p>'
NAMELESS_PDF = "<h1>One</h1><p>Words.</p>"


def write_epub(path: Path, body: str) -> Path:
    with zipfile.ZipFile(path, "w") as epub:
        epub.writestr("mimetype", "application/epub+zip")
        epub.writestr("META-INF/container.xml", CONTAINER)
        epub.writestr("EPUB/book.opf", PACKAGE)
        epub.writestr("EPUB/nav.xhtml", PAGE.format(body=CONTENTS))
        epub.writestr("EPUB/one.xhtml", PAGE.format(body=body))
    return path


def write_pdf(path: Path, html: str) -> Path:
    kind = prepare_type([FaceSpec("Source Serif 4", "fontpkg-source-serif-4")], path.parent / "cache")
    lay_out(Sheet(html, "html { font-family: 'Source Serif 4' }"), kind).write_pdf(
        path, pdf_variant="pdf/ua-1"
    )
    return path


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One sound book and the broken ones, as EPUB and as PDF."""
    folder = tmp_path_factory.mktemp("a shelf")
    (folder / "torn.epub").write_text("no archive")
    (folder / "torn.pdf").write_text("no pages")
    return [
        write_epub(folder / "sound.epub", SOUND),
        write_epub(folder / "misnested.epub", MISNESTED),
        write_epub(folder / "pale.epub", PALE),
        folder / "torn.epub",
        write_pdf(folder / "sound.pdf", SOUND_PDF),
        write_pdf(folder / "nameless.pdf", NAMELESS_PDF),
        folder / "torn.pdf",
    ]


@pytest.fixture(scope="module")
def verdicts(books: list[Path]) -> dict[tuple[str, str], Verdict]:
    """All that the judges say of them, asked once; with REQUIRE_JUDGES=1 a missing judge is an error here."""
    return {(verdict.judge, verdict.file.name): verdict for verdict in judge(books)}


def state_of(verdicts: dict[tuple[str, str], Verdict], name: str, file: str) -> str:
    verdict = verdicts[name, file]
    if verdict.state == "not run":
        pytest.skip(verdict.findings[0])
    return verdict.state


@pytest.mark.judges
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("EPUBCheck", "sound.epub"),
        ("Ace", "sound.epub"),
        ("veraPDF", "sound.pdf"),
        ("qpdf", "sound.pdf"),
    ],
)
def test_each_judge_passes_a_sound_book(
    verdicts: dict[tuple[str, str], Verdict], name: str, file: str
) -> None:
    """A book without faults earns no findings from any judge of its kind."""
    assert "passed" == state_of(verdicts, name, file)
    assert () == verdicts[name, file].findings


@pytest.mark.judges
@pytest.mark.parametrize(
    ("name", "file", "finding"),
    [
        ("EPUBCheck", "misnested.epub", "EPUB/one.xhtml:7: ERROR RSC-005"),
        ("EPUBCheck", "torn.epub", "PKG-008"),
        ("Ace", "pale.epub", "one.xhtml: color-contrast (serious)"),
        ("Ace", "torn.epub", "no verdict"),
        ("veraPDF", "nameless.pdf", "7.1-9: "),
        ("veraPDF", "nameless.pdf", "7.2-29: "),
        ("veraPDF", "torn.pdf", "cannot be judged"),
        ("qpdf", "torn.pdf", "file is damaged"),
    ],
)
def test_each_judge_names_what_is_wrong(
    verdicts: dict[tuple[str, str], Verdict], name: str, file: str, finding: str
) -> None:
    """A fault comes back as the judge's own rule, with its place where it has one."""
    assert "failed" == state_of(verdicts, name, file)
    assert finding in "\n".join(verdicts[name, file].findings)


@pytest.mark.judges
def test_the_judges_look_at_different_things(verdicts: dict[tuple[str, str], Verdict]) -> None:
    """Pale text is valid, an untitled PDF has a sound structure: no judge replaces another."""
    assert "passed" == state_of(verdicts, "EPUBCheck", "pale.epub")
    assert "passed" == state_of(verdicts, "qpdf", "nameless.pdf")


@pytest.mark.judges
def test_verdicts_come_file_by_file(books: list[Path], verdicts: dict[tuple[str, str], Verdict]) -> None:
    """Every file is judged by every judge of its kind, in the order in which it was given."""
    expected = [(each.name, book.name) for book in books for each in JUDGES if name_kind(book) in each.kinds]

    assert expected == list(verdicts)


@pytest.mark.judges
def test_another_profile_judges_by_other_rules(books: list[Path]) -> None:
    """A PDF that everybody can read aloud is not yet one for the archive."""
    try:
        command = find_verapdf()
    except JudgeError as missing:
        if os.environ.get("REQUIRE_JUDGES") == "1":
            raise
        pytest.skip(missing.message)
    sound = next(book for book in books if book.name == "sound.pdf")

    assert any(finding.startswith("6.") for finding in ask_verapdf(command, [sound], profile="2b")[sound])
    assert "has no profile wt1a" in ask_verapdf(command, [sound], profile="wt1a")[sound][0]


def test_a_missing_judge_has_not_run(
    books: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without its programs a judge says so; it never passes a book unread."""
    monkeypatch.delenv("REQUIRE_JUDGES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    states = {verdict.judge: (verdict.state, verdict.findings) for verdict in judge(books)}

    assert {"EPUBCheck", "Ace", "veraPDF", "qpdf"} == set(states)
    assert {"not run"} == {state for state, _ in states.values()}
    assert ("qpdf is not installed; see docs/judges.md",) == states["qpdf"][1]


def test_a_missing_judge_is_an_error_where_all_are_required(
    books: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """REQUIRE_JUDGES=1 turns "not run" into an error, so that no gate opens by itself."""
    monkeypatch.setenv("REQUIRE_JUDGES", "1")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(JudgeError, match="is not installed"):
        judge([book for book in books if book.name == "sound.pdf"])


@pytest.mark.parametrize(
    ("name", "message"),
    [("book.mobi", "no judge knows this kind of file"), ("gone.pdf", "no such file")],
)
def test_a_file_nobody_can_judge_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """Silence about a file would look like praise."""
    (tmp_path / "book.mobi").touch()

    with pytest.raises(JudgeError, match=message):
        judge([tmp_path / name])


def test_the_table_shows_findings_under_their_verdict() -> None:
    """One line for each verdict in aligned columns, the findings below it, long lists cut short."""
    many = tuple(f"rule {number}" for number in range(23))
    verdicts = [
        Verdict("EPUBCheck", Path("build/book.epub"), "passed", (), 6.25),
        Verdict("qpdf", Path("build/book.pdf"), "not run", ("qpdf is not installed",)),
        Verdict("Ace", Path("build/book.epub"), "failed", many, 12),
    ]

    table = format_table(verdicts).splitlines()

    assert [
        "judge      verdict  seconds  file",
        "EPUBCheck  passed       6.2  build/book.epub",
        "qpdf       not run      0.0  build/book.pdf",
        "    qpdf is not installed",
        "Ace        failed      12.0  build/book.epub",
        "    rule 0",
    ] == table[:6]
    assert ["    rule 19", "    and 3 more"] == table[-2:]
