"""What `make bench` measures with is what it says it is."""

from __future__ import annotations

from pathlib import Path

from lxml import html as lxml_html

from pipeline.build import open_manuscript
from pipeline.formats.issue import Issue
from pipeline.newsletter import make_issues
from tests.bench_index import SIZES, write_marked_book
from tests.bench_letter import write_book, write_mjml
from tests.reading.markup import Markup
from tests.reading.words import Word, find_difference, list_words


def make_letter(folder: Path) -> Issue:
    """The one issue of the book that is measured with."""
    write_book(folder)
    (issue,) = make_issues(open_manuscript(folder))
    return issue


def read_body(markup: str, path: str) -> list[Word]:
    """The words of a page from the element on that `path` finds."""
    (body,) = lxml_html.document_fromstring(markup).xpath(path)
    return list_words(Markup().read(body))


def test_the_letter_is_of_the_size_that_is_aimed_at(tmp_path: Path) -> None:
    """1,300 words, one picture, notes."""
    issue = make_letter(tmp_path)

    assert 1250 < issue.taken.words < 1350
    assert 1 == len(issue.pictures)
    assert issue.taken.notes


def test_mjml_is_given_the_same_words(tmp_path: Path) -> None:
    """From the name of the list to the last line of the foot, alternative text and numbers included."""
    issue = make_letter(tmp_path)
    ours = read_body(issue.files["body.html"].decode(), "//div[@class='opening']/..")
    theirs = read_body(write_mjml(issue).replace("<mj-image", "<img"), "//mj-body")

    assert "" == find_difference(ours, theirs)


def test_the_marked_book_has_as_many_marks_as_it_says(tmp_path: Path) -> None:
    """2,000 of them in the largest, and as many in every chapter."""
    chapters, marks = SIZES[-1]
    folder = write_marked_book(tmp_path / "book", chapters=chapters, marks=marks)
    counts = [path.read_text().count("{index=") for path in folder.glob("chapters/*.md")]

    assert (2000, 2000, 24) == (marks, sum(counts), len(counts))
    assert max(counts) - min(counts) <= 1
