"""Fields are found once, escaped by type and place, and never found again in a value."""

from __future__ import annotations

from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.errors import IssueError
from outbox.fields import KNOWN, TOKEN, check_values, split

VALUES = {
    "first_name": "Ana & <b>",
    "unsubscribe_url": "https://example.org/u/1-a?b=1&c=2",
    "preferences_url": "https://example.org/p/1",
    "browser_url": "https://example.org/i/",
    "postal_address": "1 Street",
    "list_name": "Care",
}
names = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "))


@pytest.mark.parametrize(
    ("source", "text", "filled"),
    [
        ("html", "<p>@@first_name@@</p>", "<p>Ana &amp; &lt;b&gt;</p>"),
        ("html", '<p title="@@first_name@@">', '<p title="Ana &amp; &lt;b&gt;">'),
        ("html", '<a href="@@unsubscribe_url@@">', '<a href="https://example.org/u/1-a?b=1&amp;c=2">'),
        ("html", '<a href="@@browser_url@@a.png">', '<a href="https://example.org/i/a.png">'),
        (
            "html",
            "<a href='https://x.org/?n=@@first_name@@'>",
            "<a href='https://x.org/?n=Ana%20%26%20%3Cb%3E'>",
        ),
        (
            "html",
            '<a href="https://x.org/?u=@@browser_url@@">',
            f'<a href="https://x.org/?u={quote("https://example.org/i/", safe="")}">',
        ),
        ("html", '<p title="a > b">@@list_name@@</p>', '<p title="a > b">Care</p>'),
        ("text", "Dear @@first_name@@", "Dear Ana & <b>"),
        (
            "text",
            "https://x.org/?n=@@first_name@@ @@list_name@@",
            "https://x.org/?n=Ana%20%26%20%3Cb%3E Care",
        ),
        ("text", "@@unsubscribe_url@@", "https://example.org/u/1-a?b=1&c=2"),
        ("header", "For @@first_name@@", "For Ana & <b>"),
        ("text", "no field", "no field"),
        ("text", "@@@first_name@@@", "@Ana & <b>@"),
    ],
)
def test_a_value_is_escaped_for_its_place(source: str, text: str, filled: str) -> None:
    """The same value looks different in HTML, in plain text, in a link and in a header."""
    assert filled == split(text, source, "x").fill(VALUES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "text", "says"),
    [
        ("html", '<a href="@@first_name@@">', "must not stand in a target"),
        ("html", "<a href=@@browser_url@@>", "attribute without quotes"),
        ("html", '<a onclick="@@first_name@@">', "a style, a script"),
        ("html", '<p style="color:@@first_name@@">', "a style, a script"),
        ("html", "<style>@@first_name@@</style>", "a style, a script"),
        ("html", "<script>\n'@@first_name@@'</script>", "x:2: "),
        ("header", "See @@browser_url@@", "must not stand in a header"),
        ("text", "Hello @@who@@", "unknown field @@who@@; known are browser_url"),
        ("text", "Hello @@first_name", "looks like a field"),
        ("text", "one\ntwo @@ three", "x:2: '@@ three'"),
    ],
)
def test_a_field_out_of_place_is_refused(source: str, text: str, says: str) -> None:
    """A name is no link, and nothing is filled in where no escape is safe."""
    with pytest.raises(IssueError, match=says):
        split(text, source, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b"])
def test_a_value_with_a_line_break_is_refused(bad: str) -> None:
    """Nothing that could begin a header line gets through."""
    with pytest.raises(IssueError, match="line break"):
        check_values({"first_name": bad})


@pytest.mark.parametrize(
    "bad", ["javascript:alert(1)", "", "/relative", 'https://x.org/"onclick', "https://x y"]
)
def test_a_value_that_is_no_link_is_refused(bad: str) -> None:
    """A field of type url holds a link or nothing goes out."""
    with pytest.raises(IssueError, match="is not a link"):
        check_values({"browser_url": bad})


class Reader(HTMLParser):
    """Reads HTML as a mail program would."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@given(names)
def test_no_name_can_change_the_page(name: str) -> None:
    """Whatever a person is called, the page keeps its elements, and the name is read back as it was."""
    page = '<p title="@@first_name@@">@@first_name@@</p><a href="https://x.org/?n=@@first_name@@">x</a>'
    found = Reader(split(page, "html", "x").fill({"first_name": name}))

    assert [tag for tag, _ in found.tags] == ["p", "a"]
    assert found.tags[0][1] == {"title": name}
    assert found.words == f"{name}x"
    link = urlsplit(found.tags[1][1]["href"] or "")
    assert parse_qs(link.query, keep_blank_values=True) == {"n": [name]}


@given(
    st.lists(
        st.sampled_from(
            [*(f"@@{name}@@" for name in KNOWN if not name.endswith("_url")), "a ", "<p>", "@ ", "é"]
        )
    )
)
def test_a_text_is_its_literals_and_its_fields(parts: list[str]) -> None:
    """Filling each field with its own token gives back the text."""
    text = " ".join(parts)
    template = split(text, "text", "x")

    assert text == template.fill({name: f"@@{name}@@" for name in KNOWN})
    assert template.names == {match[1] for match in TOKEN.finditer(text)}


@given(names)
def test_a_value_is_never_searched_for_fields(name: str) -> None:
    """A person called @@unsubscribe_url@@ is called so in their letter."""
    odd = f"{name}@@unsubscribe_url@@"
    filled = split("<p>@@first_name@@</p>", "html", "x").fill({"first_name": odd})

    assert filled == f"<p>{escape(odd)}</p>"
    assert unescape(filled[3:-4]) == odd
