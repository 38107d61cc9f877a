"""One manuscript says what each edition and each format is to say, and no more."""

from __future__ import annotations

import pypdfium2
import pytest

from pipeline.build import choose_editions, make_edition, open_manuscript
from pipeline.config.variables import VARIABLES
from pipeline.errors import PipelineError
from pipeline.newsletter import resolve_mail
from tests.conftest import BOOK_TOML

PASSAGES = {
    "Turn the page.": ("pdf", "full"), "Touch the edge.": ("epub", "full"), "This copy is printed.": ("", "print"),
}  # fmt: skip


@pytest.fixture(scope="module")
def texts(copied) -> dict[tuple[str, str], str]:
    """What each edition says in the PDF and in the EPUB's chapters, by edition and format."""
    from tests.conftest import Built

    manuscript = open_manuscript(copied("editions"))
    said = {}
    for edition in choose_editions(manuscript.config):
        pdf, epub = make_edition(manuscript, edition)
        with pypdfium2.PdfDocument(next(iter(pdf.files.values()))) as document:
            said[edition.name, "pdf"] = " ".join(page.get_textpage().get_text_range() for page in document)
        built = Built(manuscript, None, pdf, epub)  # type: ignore[arg-type]
        said[edition.name, "epub"] = " ".join(
            " ".join(built.parse(name).itertext()) for name in built.pages if name != "nav.xhtml"
        )
    return {key: " ".join(text.split()) for key, text in said.items()}


def test_a_passage_stands_in_its_format_alone(texts) -> None:
    """Print is told to turn, e-books to touch; a figure of the one is not counted in the other."""
    for edition in ("full", "print", "sample"):
        assert "Turn the page." in texts[edition, "pdf"]
        assert "Touch the edge." not in texts[edition, "pdf"]
        assert "Touch the edge." in texts[edition, "epub"]
        assert "Turn the page." not in texts[edition, "epub"]
        assert ("Figure 1" in texts[edition, "pdf"], "Figure 1" in texts[edition, "epub"]) == (True, False)


def test_a_passage_stands_in_its_edition_alone(texts) -> None:
    """`except` is the other half of `only`."""
    for edition, name in texts:
        printed = edition == "print"
        assert printed == ("This copy is printed." in texts[edition, name])
        assert printed != ("This copy weighs nothing." in texts[edition, name])
        assert "This stands in books." in texts[edition, name]


def test_variables_say_what_the_edition_is_called(texts) -> None:
    """In titles, in running text, and not in code."""
    assert "The Beginning of Many Books in One, on Paper" in texts["print", "epub"]
    assert "This is Many Books in One, by Ada Green, 2026." in texts["full", "pdf"]
    assert "{{title}} in code stays, and so does {{ {x} }}" in texts["full", "epub"]


def test_an_excerpt_ends_at_its_mark(texts) -> None:
    """And says where to get the rest, on a page of the press or of the author."""
    for name in ("pdf", "epub"):
        assert "The rest of it." not in texts["sample", name]
        assert "This is where the excerpt ends. Where to find the rest" in texts["sample", name]
        assert "The whole of it is here: https://example.org/book" in texts["sample", name]
        assert "More of it." not in texts["club", name]
        assert "Members find the whole book in the library." in texts["club", name]
        assert "You have read a part" not in texts["club", name]
        assert "excerpt" not in texts["full", name]


def test_what_an_excerpt_lacks_is_not_led_to(build) -> None:
    """References say so, links are left as words."""
    sample = build("editions", edition="sample")
    links = [
        a.get("href")
        for page in ("beginning.xhtml", "ending.xhtml")
        for a in sample.find(page, "//h:a[@href]")
    ]

    assert "Later of the full book" in "".join(sample.parse("ending.xhtml").itertext())
    assert {"the-rest.xhtml", "beginning.xhtml"} == {href for href in links if not href.startswith("#")}


def test_page_numbers_hold_where_formats_differ(build) -> None:
    """Every page that the navigation lists is there."""
    built = build("editions")
    for page in built.find("nav.xhtml", "//h:nav[@epub:type='page-list']//h:a/@href"):
        name, _, place = page.partition("#")
        assert built.find(name, f"//*[@id='{place}']")


def test_letters_have_neither(copied) -> None:
    """A letter is no PDF and no EPUB."""
    book = resolve_mail(open_manuscript(copied("editions")))
    text = " ".join(node.text for node in book.chapters[0].walk())

    assert "page." not in text
    assert "edge." not in text
    assert "stands in books" not in text
    assert "Many Books in One" in text


@pytest.mark.parametrize(
    ("chapter", "toml", "message"),
    [
        ("# One {{titel}}\n\nText.", "", "chapters/01-one.md:1: there is no {{titel}}; did you mean 'title'?"),
        (
            "# One\n\nBy {{publisher}}.", "",
            "chapters/01-one.md:3: {{publisher}} stands for nothing: book.toml does not say it; write it there",
        ),
        (
            "# One\n\n::: only edition=club\nText.\n:::", "",
            "chapters/01-one.md:3: edition=club: book.toml has no [[edition]] of that name; use one of: full",
        ),
        (
            "# One\n\n::: except output=ebook\nText.\n:::", "",
            "chapters/01-one.md:3: output= knows no 'ebook'; did you mean 'book'?",
        ),
        (
            "# One\n\nText.", '[[edition]]\nname = "full"\nexcerpts = ["one"]\n',
            "chapters/01-one.md:1: is an excerpt in edition 'full', and nothing ends it; write <!-- more -->",
        ),
        (
            "# One\n\nText.", '[[edition]]\nname = "full"\nexcerpts = ["two"]\n',
            "book.toml: edition 'full' has no chapter 'two' to take; use one of: 01-one, one",
        ),
    ],
)  # fmt: skip
def test_faults_say_what_to_do(manuscript, chapter: str, toml: str, message: str) -> None:
    """With the line to mend."""
    folder = manuscript(chapter, toml=BOOK_TOML + toml)
    with pytest.raises(PipelineError) as caught:
        opened = open_manuscript(folder)
        make_edition(opened, choose_editions(opened.config)[0], formats=["epub"])

    assert message in str(caught.value)


def test_the_page_on_chapters_names_every_variable() -> None:
    """None is a secret."""
    from tests.conftest import ROOT

    text = (ROOT / "docs" / "chapters.md").read_text("utf-8")

    assert [] == [name for name in VARIABLES if f"`{{{{{name}}}}}`" not in text]
