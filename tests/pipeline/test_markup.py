"""Nodes become well-formed markup; an address, a class or an id is written where something needs it."""

from __future__ import annotations

import pytest

from pipeline import markdown
from pipeline.markup import RULES, Writer
from pipeline.model import Node

WORDS = {"note": "Note", "safety": "Safety"}

TABLE = """\
<table class="rowheads">
<thead>
<tr><th scope="col">a</th><th scope="col" class="right">b</th></tr>
</thead>
<tbody>
<tr><th scope="row">c</th><td class="right">d</td></tr>
</tbody>
</table>
"""


def write(text: str, **options: object) -> str:
    parsed = markdown.parse(text, source="a.md", smart=False)
    assert () == parsed.errors
    return Writer(RULES, WORDS, **options).write(parsed.nodes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a < b & "c"', '<p>a &lt; b &amp; "c"</p>\n'),
        ('[a](b?c&d "e<f")', '<p><a href="b?c&amp;d" title="e&lt;f">a</a></p>\n'),
        ("[a](b){lang=fr #c}", '<p><a id="c" lang="fr" xml:lang="fr" href="b">a</a></p>\n'),
        ("[a]{.smallcaps}", '<p><span class="smallcaps">a</span></p>\n'),
        ("`<a>`{lang=fr}", '<p><code lang="fr" xml:lang="fr">&lt;a&gt;</code></p>\n'),
        ("~~a~~ b~2~ c^2^", "<p><s>a</s> b<sub>2</sub> c<sup>2</sup></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n\n4. b", '<ol start="3">\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ol>\n'),
        ("{.steps}\n2. a", '<ol class="steps" start="2">\n<li>a</li>\n</ol>\n'),
        ("> a\n>\n> -- b", '<blockquote><p>a</p>\n<p class="attribution">b</p>\n</blockquote>\n'),
        ("T\n:   a", "<dl><dt>T</dt>\n<dd>a</dd>\n</dl>\n"),
        ("***", "<hr />\n"),
        ("a\\\nb", "<p>a<br />\nb</p>\n"),
        ("```x<y\na<b\n```", '<pre><code class="language-x&lt;y">a&lt;b\n</code></pre>\n'),
        ('![A "b".](c.png "D")',
         '<figure>\n<img src="c.png" alt="A &quot;b&quot;." /><figcaption>D</figcaption>\n</figure>\n'),
        ("![A.](c.png){#d width=57%}",
         '<figure id="d" class="w60">\n<img src="c.png" alt="A." /></figure>\n'),
        ("![](c.png){.decorative}",
         '<figure>\n<img src="c.png" alt="" role="presentation" /></figure>\n'),
        ("{.rowheads}\n| a | b |\n|---|--:|\n| c | d |", TABLE),
        ("::: verse\na\nb\n:::",
         '<div class="verse">\n<p class="stanza"><span class="line">a</span><span class="line">b</span></p>\n</div>\n'),
        ("::: epigraph\na\n:::", '<blockquote class="epigraph" role="doc-epigraph">\n<p>a</p>\n</blockquote>\n'),
        ("::: pullquote\na\n:::", '<aside class="pullquote box" role="doc-pullquote">\n<p>a</p>\n</aside>\n'),
    ],
)  # fmt: skip
def test_nodes_become_markup(text: str, expected: str) -> None:
    """Each kind of node has its element, and what the author typed is escaped."""
    assert expected == write(text)


def test_a_box_has_the_title_of_its_language_or_its_own() -> None:
    """The words of a box come from the language table unless the author gives some."""
    assert '<p class="box-title">Safety</p>' in write("::: safety\na\n:::")
    assert '<p class="box-title">Mind <em>out</em></p>' in write("::: safety Mind *out*\na\n:::")
    assert "box-title" not in write("::: pullquote\na\n:::")


def test_an_id_is_written_where_something_wants_it() -> None:
    """Unused ids stay out of the files; without a list all are written."""
    assert '<h2 id="a">' in write("## A {#a}")
    assert '<h2 id="a">' in write("## A {#a}", wanted=frozenset({"a"}))
    assert "<h2>" in write("## A {#a}", wanted=frozenset({"b"}))


def test_something_may_be_set_before_a_block() -> None:
    """So an e-book marks where a page of the PDF begins."""
    assert "<i/><h2>B</h2>" in write("a\n\n## B {#b}", before={"b": "<i/>"}, wanted=frozenset())
    assert "<p><i/>B</p>" in write("a\n\n{#b}\nB", before={"b": "<i/>"}, wanted=frozenset())


def test_a_format_says_where_a_link_leads() -> None:
    """Internal targets have other names in other outputs."""
    assert 'href="x:b"' in write("[a](b)", link=lambda node: f"x:{node.attrs['href']}")


def test_notes_are_gathered_in_order_and_once() -> None:
    """The mark stands in the text; the format prints the notes where it likes."""
    writer = Writer(RULES, WORDS)
    marks = writer.write(markdown.parse("a^[b] c[^d] e[^d]\n\n[^d]: f", source="a.md").nodes)

    assert "<p>a<sup>1</sup> c<sup>2</sup> e<sup>2</sup></p>\n" == marks
    assert ["1", "2"] == [note.attrs["number"] for note in writer.notes]


def test_a_reference_to_what_is_not_there_is_words_alone() -> None:
    """An edition without the chapter still says its name."""
    node = Node("reference", (Node("text", text="Chapter 3"),), attrs={"to": "ch:three"})

    assert "Chapter 3" == Writer(RULES, WORDS).write([node])
    assert '<a class="ref ch" href="#three">Chapter 3</a>' == Writer(RULES, WORDS).write(
        [node.with_attrs(href="#three", type="ch")]
    )
