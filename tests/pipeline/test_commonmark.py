"""CommonMark's own examples come out as its specification says, but for what the dialect changes on purpose."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline import markdown
from pipeline.markup import RULES, Writer

#: Taken by `make judges` from the source archive of markdown-it-py.
EXAMPLES = Path(__file__).parents[2] / "build" / "judges" / "commonmark.json"

#: The examples, by number, that show raw HTML: the dialect refuses it.
RAW_HTML = {
    21, 31, *range(148, 179), *range(180, 183), *range(184, 192), 201, 344, *range(475, 478), 491, 494, 524, 536,
    *range(613, 618), 623, *range(627, 632), 642, 643,
}  # fmt: skip
#: A title holds words alone, for the contents and the bookmarks repeat it.
LINK_IN_TITLE = {214}
#: Those of a picture alone in a paragraph: it is a figure here, and its title the caption.
FIGURES = {520, *range(572, 579), *range(580, 587), 588, 589, 591}

_BLOCK = re.compile(
    r"\s*(</?(?:blockquote|figcaption|figure|h[1-6]|hr|li|ol|p|pre|ul)\b[^>]*>)\s*", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--(?:-?>|.*?-->)", re.DOTALL)
_PICTURE = re.compile(r'<p>(<img src="[^"]*" alt="[^"]*")(?: title="([^"]*)")? /></p>')


def normalise(html: str) -> str:
    """HTML without the spaces and spellings that mean nothing, and without comments, which the dialect drops."""
    return _BLOCK.sub(r"\1", _COMMENT.sub("", html)).replace("&quot;", '"').strip()


def make_figures(html: str) -> str:
    """What the specification expects, said as the dialect says it."""
    return _PICTURE.sub(
        lambda m: f"<figure>{m[1]} />{f'<figcaption>{m[2]}</figcaption>' if m[2] else ''}</figure>", html
    )


@pytest.fixture(scope="module")
def examples() -> Mapping[int, Mapping[str, str]]:
    """The examples of the specification by number; none when they were not fetched."""
    if not EXAMPLES.is_file():
        return {}
    return {example["example"]: example for example in json.loads(EXAMPLES.read_text("utf-8"))}


@pytest.mark.parametrize("number", range(1, 653))
def test_commonmark(
    number: int, examples: Mapping[int, Mapping[str, str]], need: Callable[[object, str], None]
) -> None:
    """One example: the same HTML, or the one error or figure that the dialect puts in its place."""
    need(examples, "file build/judges/commonmark.json; `make judges` fetches it")
    example = examples[number]
    parsed = markdown.parse(example["markdown"], source="spec.md", smart=False)
    written = Writer(RULES, {}).write(parsed.nodes)

    if number in RAW_HTML | LINK_IN_TITLE:
        assert {"M001" if number in RAW_HTML else "M006"} == {error.rule for error in parsed.errors}
    else:
        expected = make_figures(example["html"]) if number in FIGURES else example["html"]
        assert () == parsed.errors
        assert normalise(expected) == normalise(written)


def test_every_example_is_tried(
    examples: Mapping[int, Mapping[str, str]], need: Callable[[object, str], None]
) -> None:
    """The numbers above are those of the file; a newer specification must be looked at again."""
    need(examples, "file build/judges/commonmark.json; `make judges` fetches it")

    assert set(range(1, 653)) == set(examples)
