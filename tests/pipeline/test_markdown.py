"""The dialect becomes nodes with lines; what lies outside it becomes errors with lines, never a traceback."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline import markdown
from pipeline.errors import ManuscriptError
from pipeline.markdown.tree import TreeBuilder
from pipeline.markup import RULES, Writer
from pipeline.model import Node
from pipeline.sources import FORBIDDEN


def read(text: str, **options: object) -> tuple[Node, ...]:
    parsed = markdown.parse(text, source="chapters/01-one.md", **options)
    assert () == parsed.errors
    return parsed.nodes


def complaints(text: str, **options: object) -> list[tuple[int, str]]:
    """Line and rule of each error."""
    errors = markdown.parse(text, source="chapters/01-one.md", **options).errors
    assert {"chapters/01-one.md"} >= {error.place.path for error in errors}
    return [(error.place.line, error.rule) for error in errors]


def sketch(nodes: Iterable[Node]) -> str:
    """Nodes as one line: kind, [attributes] where there are any, and (what is inside)."""
    return " ".join(_sketch(node) for node in nodes)


def _sketch(node: Node) -> str:
    if node.kind in {"text", "softbreak", "break"}:
        return {"softbreak": "/", "break": "//"}.get(node.kind, f"'{node.text}'")
    attrs = " ".join(f"{key}={value}" for key, value in node.attrs.items())
    inside = sketch(node.children) or (f"'{node.text}'" if node.text else "")
    return node.kind + (f"[{attrs}]" if attrs else "") + (f"({inside})" if inside else "")


# -- what the dialect knows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Words\nmore", "paragraph('Words' / 'more')"),
        ("Line\\\nline", "paragraph('Line' // 'line')"),
        ("*a* **b** ***c***", "paragraph(emphasis('a') ' ' strong('b') ' ' emphasis(strong('c')))"),
        ("`a  b` ~~c~~", "paragraph(code('a  b') ' ' strike('c'))"),
        ("H~2~O x^2^", "paragraph('H' sub('2') 'O x' sup('2'))"),
        ('[a](https://b.org "c")', "paragraph(link[href=https://b.org title=c]('a'))"),
        ("<https://b.org>", "paragraph(link[href=https://b.org]('https://b.org'))"),
        ("[a](javascript:b)", "paragraph(link[href=javascript:b]('a'))"),  # refused where links are resolved
        ("[a](02-two.md#b){lang=fr}", "paragraph(link[href=02-two.md#b lang=fr]('a'))"),
        ("[a]{.smallcaps #b lang=fr}", "paragraph(span[class=smallcaps id=b lang=fr]('a'))"),
        ("[a *b*]{.smallcaps}[c]{lang=de-AT}",
         "paragraph(span[class=smallcaps]('a ' emphasis('b')) span[lang=de-AT]('c'))"),
        ("`a`{lang=fr}", "paragraph(code[lang=fr]('a'))"),
        ("a ![b](c.png) d", "paragraph('a ' image[src=c.png alt=b] ' d')"),
        ("See [@a, p. 3; @b].", "paragraph('See ' citation('@a, p. 3; @b') '.')"),
        ("As [@a]: and [@a][@b]", "paragraph('As ' citation('@a') ': and ' citation('@a') citation('@b'))"),
        ("[@a](b) me@b.org", "paragraph(link[href=b]('@a') ' me@b.org')"),
        ("In @ch:two-b, @fig:c.", "paragraph('In ' reference[to=ch:two-b] ', ' reference[to=fig:c] '.')"),
        ("`@ch:two`", "paragraph(code('@ch:two'))"),
        ("A^[on the *spot*].", "paragraph('A' note[number=1](paragraph('on the ' emphasis('spot'))) '.')"),
        ("A[^x] b[^x].\n\n[^x]: Once.\n\n    Twice.",
         "paragraph('A' note[number=1](paragraph('Once.') paragraph('Twice.')) ' b' note[number=1 again=1] '.')"),
        ("\\*a\\* &amp; \\@ch:b \\[^c]", "paragraph('*a* & @ch:b [^c]')"),
    ],
)  # fmt: skip
def test_inlines_become_nodes(text: str, expected: str) -> None:
    """Each mark inside a line has its node, and code keeps its own."""
    assert expected == sketch(read(text, smart=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\nB\n=\n\n### C", "heading[level=1]('A') heading[level=1]('B') heading[level=3]('C')"),
        ("## A *b* {#sec:c .unnumbered}", "heading[level=2 id=c class=unnumbered]('A ' emphasis('b'))"),
        ("## A [b]{.smallcaps}", "heading[level=2]('A ' span[class=smallcaps]('b'))"),
        ("## A {b}", "heading[level=2]('A {b}')"),
        ("- a\n- b", "list(item(paragraph[tight=1]('a')) item(paragraph[tight=1]('b')))"),
        ("3. a\n\n4. b", "list[ordered=1 start=3](item(paragraph('a')) item(paragraph('b')))"),
        ("{.steps #s}\n1. a", "list[ordered=1 start=1 class=steps id=s](item(paragraph[tight=1]('a')))"),
        ("{.steps}\n{lang=fr}\n- a", "list[class=steps lang=fr](item(paragraph[tight=1]('a')))"),
        ("> a\n>\n> — b *c*", "quote(paragraph('a') attribution('b ' emphasis('c')))"),
        ("> a\n>\n> -- b", "quote(paragraph('a') attribution('b'))"),
        ("> — alone", "quote(paragraph('— alone'))"),
        ("```python\na\n```", "code_block[code=python]('a\n')"),
        ("    a", "code_block('a\n')"),
        ("***", "rule"),
        ("<!-- gone -->", ""),
        ("a <!-- gone --> b", "paragraph('a ' ' b')"),
        ("T\n:   a\n\n    b\n:   c",
         "definitions(term('T') definition(paragraph('a') paragraph('b')) definition(paragraph('c')))"),
        ("![A.](b.svg){#fig:c width=60%}", "figure[id=c width=60%](image[src=b.svg alt=A.])"),
        ('![A.](b.svg "C *d*.")', "figure(image[src=b.svg alt=A.] caption('C ' emphasis('d') '.'))"),
        ("![A.](b.svg) <!-- later -->", "figure(image[src=b.svg alt=A.])"),
        ("![](b.svg){.decorative}", "figure(image[src=b.svg alt= class=decorative])"),
        ("![a *b* ![c](d)](e)", "figure(image[src=e alt=a b c])"),
        ("| a |\n|--:|\n| b |", "table(row[head=1](cell[align=right]('a')) row(cell[align=right]('b')))"),
        ("Table: C *d*. {#tbl:e .rowheads}\n\n| a |\n|---|",
         "table[id=e class=rowheads](caption('C ' emphasis('d') '.') row[head=1](cell('a')))"),
        ("Table: C\n\n| a |\n|---|\n\nTable: D\n\n| b |\n|---|",
         "table(caption('C') row[head=1](cell('a'))) table(caption('D') row[head=1](cell('b')))"),
        ("Table: of kings", "paragraph('Table: of kings')"),
    ],
)  # fmt: skip
def test_blocks_become_nodes(text: str, expected: str) -> None:
    """Each block has its node, with what the author wrote in braces."""
    assert expected == sketch(read(text, smart=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::: note\na\n:::", "div[name=note](paragraph('a'))"),
        (":::NOTE The *T*\na\n:::", "div[name=note](title('The ' emphasis('T')) paragraph('a'))"),
        ("::: tip T {#x lang=fr}\na\n:::", "div[name=tip id=x lang=fr](title('T') paragraph('a'))"),
        ("a\n::: note\nb\n:::\nc", "paragraph('a') div[name=note](paragraph('b')) paragraph('c')"),
        (":::: ask\n::: aside\na\n:::\n::::", "div[name=ask](div[name=aside](paragraph('a')))"),
        ("::: note\n```\n:::\n```\n:::", "div[name=note](code_block(':::\n'))"),
        ("::: note\n    :::\n:::", "div[name=note](code_block(':::\n'))"),
        ("- a\n\n  ::: note\n  b\n  :::\n\n- c",
         "list(item(paragraph('a') div[name=note](paragraph('b'))) item(paragraph('c')))"),
        ("> ::: note\n> a\n> :::", "quote(div[name=note](paragraph('a')))"),
        ("::: pullquote\na\n\n-- b\n:::", "div[name=pullquote](paragraph('a') attribution('b'))"),
        ("::: epigraph\na\n\n-- b\n:::", "div[name=epigraph](paragraph('a') attribution('b'))"),
        ("::: verse T\na\n*b*\n\nc\n:::",
         "div[name=verse](title('T') lines(line('a') line(emphasis('b'))) lines(line('c')))"),
        ("::: verse\n| a\n|\n| b\n:::", "div[name=verse](lines(line('a')) lines(line('b')))"),
        ("| a\n| b\n|\n| c", "div[name=verse](lines(line('a') line('b')) lines(line('c')))"),
        ("> [!NOTE]\n> a", "div[name=note](paragraph('a'))"),
        ("> [!caution]\n>\n> a", "div[name=warning](paragraph('a'))"),
    ],
)  # fmt: skip
def test_boxes_and_verse_become_divs(text: str, expected: str) -> None:
    """Fenced divs stand in divs, lists and quotes; GitHub's alerts and lines with a bar are divs too."""
    assert expected == sketch(read(text, smart=False))


@pytest.mark.parametrize(
    "name",
    ["note", "tip", "warning", "important", "disclaimer", "safety", "ask", "aside", "pullquote", "epigraph", "verse"],
)  # fmt: skip
def test_every_box_of_the_dialect_is_known(name: str) -> None:
    """The closed list of fenced divs is the one the manual names."""
    assert name == read(f"::: {name}\nWords.\n:::")[0].attrs["name"]


def test_nodes_know_their_lines() -> None:
    """A node's line is that of the file, counted on from the header above the text."""
    text = (
        "One\ntwo *soft*\n\n- item\n  more\n\n> quote\n\n::: verse\na\nb\n:::\n\nLast^[a\nb [c]{.smallcaps}]."
    )
    lines = {node.text: node.line for top in read(text, first_line=10) for node in top.walk() if node.text}

    assert {
        "One": 10, "two ": 11, "soft": 11, "item": 13, "more": 14, "quote": 16, "a": 23, "b": 20, "Last": 23,
        "b ": 24, "c": 24, ".": 23,
    } == lines  # fmt: skip


# -- what it does not know


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("a\n\n<div>\nb\n</div>", 3, "M001"),
        ("a\nb <b>c", 2, "M001"),
        ("<!-- a -->\n<!-- never closed", 2, "M001"),
        ("<!-- a --> *b*", 1, "M001"),
        ("> " * 50 + "a", 1, "M002"),
        ("a\n\n" + "- " * 50 + "a", 3, "M002"),
        ("*a " * 60 + "b* " * 60, 1, "M002"),
        ("a\n\n" + "[" * 10_000, 3, "M002"),
        ("## " + "![" * 10_000, 1, "M002"),
        ("a\n\n::: nota\nb\n:::", 3, "M003"),
        ("> [!DANGER]\n> a", 1, "M003"),
        ("a\n\n::: note\nb", 3, "M004"),
        ("- ::: note\n  b\n\n:::", 1, "M004"),
        ("a\n:::\nb", 2, "M004"),
        ("::: {.note}", 1, "M004"),
        ("a\n[b]{.small}", 2, "M005"),
        ("[b]{colour=red}", 1, "M005"),
        ("![A.](b){width=6cm}", 1, "M005"),
        ("[b]{lang=french}", 1, "M005"),
        ('[b]{lang="f<r"}', 1, "M005"),
        ('# a {#b"c}', 1, "M005"),
        ("# a {#grüße}", 1, "M005"),
        ("# a {#fig:}", 1, "M005"),
        ("a\n\n{.steps}", 3, "M005"),
        ("Table: C {#c}\n\nNo table.", 1, "M005"),
        ("Table: C {.rowhead}\n\n| a |\n|---|", 1, "M005"),
        ("a [^b]", 1, "M006"),
        ("a[^b]\n\n[^b]: c[^d]\n\n[^d]: e", 3, "M006"),
        ("a ^[b ^[c]]", 1, "M006"),
        ("a\n\nb[^c]\n\n[^c]:", 3, "M006"),
        ("a[^b]\n\n[^b]: - c", 3, "M006"),
        ("a[^b]\n\n[^b]: c\n\n[^b]: d", 5, "M006"),
        ("## A[^b]\n\n[^b]: c", 1, "M006"),
        ("## A [@b]", 1, "M006"),
        ("# A [b](02-two.md)", 1, "M006"),
        ("![A^[b].](c.png)", 1, "M006"),
        ('![A.](b.png "C ^[d].")', 1, "M006"),
        ("Table: C^[d].\n\n| a |\n|---|", 1, "M006"),
        ("a\n\n[^b]: c", 3, "M007"),
        ("a [see @fig:b](https://c.org)", 1, "M015"),
    ],
)  # fmt: skip
def test_what_lies_outside_the_dialect_is_an_error(text: str, line: int, rule: str) -> None:
    """It is told with its line and under its rule, and not printed as it stands."""
    assert (line, rule) in complaints(text)


def test_one_run_tells_everything() -> None:
    """An author sees all that is to be mended, in the lines of the file."""
    text = "<b>a</b>\n\n::: nota\nb\n:::\n\nc[^d] [e]{.f}"

    assert [(5, "M001"), (5, "M001"), (7, "M003"), (11, "M006"), (11, "M005")] == complaints(
        text, first_line=5
    )


def test_an_error_says_what_to_do() -> None:
    """A near miss comes with the word that was meant."""
    (error,) = markdown.parse("::: saftey\na\n:::", source="a.md").errors

    assert "a.md:1: there is no '::: saftey'; did you mean 'safety'?" == str(error)


def test_an_error_inside_a_note_has_the_line_of_the_note() -> None:
    """A note stands elsewhere than its mark, and is mended there."""
    assert [(3, "M005")] == complaints("a[^b]\n\n[^b]: c [d]{.e}")
    assert [(3, "M005")] == complaints("a\n\nb^[c [d]{.e}]")


def test_a_title_raises_its_first_error() -> None:
    """Titles come from headers, one by one."""
    assert "'A ' emphasis('b') '…'" == sketch(markdown.parse_inline("A *b*..."))
    with pytest.raises(ManuscriptError, match=r"a.md:2: a note cannot stand in a title"):
        markdown.parse_inline("A[^b]", source="a.md", line=2)
    with pytest.raises(
        ManuscriptError, match=r"a.md:2: a title holds words alone; move the link into the text"
    ):
        markdown.parse_inline("[A](b)", source="a.md", line=2)


# -- typography


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "“It’s ‘so’” – 1–2—yes…"),
        ("en-GB", "“It’s ‘so’” – 1–2—yes…"),
        ("de", "„It’s ‚so‘“ – 1–2—yes…"),
        ("de-CH", "„It’s ‚so‘“ – 1–2—yes…"),
        ("DE", "„It’s ‚so‘“ – 1–2—yes…"),
        ("fr", "«\u202fIt’s “so”\u202f» – 1–2—yes…"),
        ("es", "«It’s “so”» – 1–2—yes…"),
        ("it", "«It’s “so”» – 1–2—yes…"),
        ("da", "»It’s ›so‹« – 1–2—yes…"),
        ("sv", "”It’s ’so’” – 1–2—yes…"),
        ("fi", "”It’s ’so’” – 1–2—yes…"),
        ("pl", "„It’s ‚so’” – 1–2—yes…"),
        ("nl", "“It’s ‘so’” – 1–2—yes…"),
        ("pt-BR", "“It’s ‘so’” – 1–2—yes…"),
        ("ja", "“It’s ‘so’” – 1–2—yes…"),
    ],
)
def test_each_language_has_its_marks(language: str, expected: str) -> None:
    """Typewriter marks become those of the language; one we do not know gets English ones."""
    assert f"paragraph('{expected}')" == sketch(read("\"It's 'so'\" -- 1--2---yes...", language=language))


def test_french_has_spaces_that_do_not_break() -> None:
    """A narrow one before ; ! and ?, a full one before a colon; none is added where none was typed."""
    expected = "paragraph('Oui\u202f! Non\u202f? Si\u00a0: a\u202f; b! 10:30')"

    assert expected == sketch(read("Oui ! Non ? Si : a ; b! 10:30", language="fr"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('`a -- "b"...`', "paragraph(code('a -- \"b\"...'))"),
        ("<https://a.org/b--c>", "paragraph(link[href=https://a.org/b--c]('https://a.org/b--c'))"),
        ('\\"a\\" \\-- b\\...', "paragraph('\"a\" -- b...')"),
        ("a ---- b", "paragraph('a ---- b')"),
        ('```\n"a" -- ...\n```', "code_block('\"a\" -- ...\n')"),
        ("![It's \"b\" -- c...](d.png)", "figure(image[src=d.png alt=It’s “b” – c…])"),
        ("“a” – b … ", "paragraph('“a” – b …')"),
        ("Wait....", "paragraph('Wait….')"),
    ],
)  # fmt: skip
def test_marks_stay_where_they_are_meant(text: str, expected: str) -> None:
    """Code, addresses, escapes and real marks are left alone; alternative texts are read aloud, so they are not."""
    assert expected == sketch(read(text))


# -- hostile text


PIECES = st.sampled_from(
    ["*", "**", "_", "`", "~", "^", "[", "]", "![", "](", ")", "{", "}", "{.x}", "{#a}", "[^", "]: ", "^[", "@", "[@",
     "@fig:a", "\n", "\n\n", "    ", "> ", "- ", "1. ", ":::", "::: note\n", "| ", "|---|\n", ":   ", "# ", "Table: ",
     "<", ">", "<!--", "-->", "&amp;", "\\", '"', "'", "--", "...", "a", " ", "é", "---\n", "```\n", "\u202e",
     "=\n", "\t", "\u2028", "[!NOTE]", "![a](b)", "[a](b)"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=60).map("".join),
    st.text(max_size=200).map(lambda text: FORBIDDEN.sub("", text).replace("\r", "\n")),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, language=st.sampled_from(["en", "fr", "de"]))
@example("[^a]: [^a]\n\n[^a]", "en")
@example('![a](<b> "c{#d}"){.decorative', "en")
@example("::: verse\n# a\n:::", "en")
def test_any_text_becomes_nodes_and_errors_with_lines(text: str, language: str) -> None:
    """Whatever stands in a chapter: no traceback, lines that exist, markup that XML accepts."""
    parsed = markdown.parse(text, source="a.md", language=language)
    last = text.count("\n") + 1
    lines = [n.line for top in parsed.nodes for n in top.walk()] + [e.place.line for e in parsed.errors]

    assert set(lines) <= set(range(1, last + 1))
    if not parsed.errors:
        etree.fromstring(f"<body>{Writer(RULES, {}).write(parsed.nodes)}</body>")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000, "[]" * 10_000, "![" * 5_000 + "](a)" * 5_000, "[^" * 5_000, "^[" * 5_000, "[@a;" * 5_000,
        "x `a`{" + "#a.b" * 5_000, "# a {" + "#a.b " * 5_000, "# a" + " " * 10_000 + "x}",
        "*a " * 2_000 + "b* " * 2_000,
        "**a " * 2_000 + "b** " * 2_000, "> " * 5_000 + "a", "- " * 5_000 + "a", "::: note\n" * 2_000,
        "<!--" * 10_000, "<!--" + " " * 50_000, "\"a' " * 20_000, "`" * 20_000, "|" * 5_000 + "\n" + "|-" * 5_000,
        "~a" * 10_000, "@ch:" * 10_000, "{" * 10_000, "a\n:   b\n" * 1_000, "[^a]: b\n" * 1_000,
    ],
    ids=lambda text: text[:8].strip(),
)  # fmt: skip
def test_a_chapter_made_to_hurt_is_read_all_the_same(text: str) -> None:
    """Runs that would take minutes or break the stack end as nodes and errors."""
    parsed = markdown.parse(text, source="a.md")
    written = Writer(RULES, {}).write(parsed.nodes)

    assert parsed.errors or written


# -- the short way for plain paragraphs


@given(
    st.lists(
        st.sampled_from(
            [
                "Word",
                "a b",
                ": c",
                ":   d",
                "~ e",
                "- f",
                "| g",
                "# h",
                "[i]: j",
                "k*",
                "",
                "",
                "  l",
                "    m",
                "n\u00a0",
                "“o”",
                "---",
                "***",
            ]
        ),
        max_size=9,
    )
)
@settings(max_examples=300)
def test_the_short_way_leads_to_the_same_place(lines: list[str]) -> None:
    """A plain paragraph is read alike with and without the rules that could not have touched it."""
    text = "\n".join(lines)

    def build(*, short: bool) -> tuple[object, list[str]]:
        parser, env = markdown._make_parser("en", smart=True, short=short), {}
        builder = TreeBuilder(parser, source="x.md", first_line=1)
        return builder.build(parser.parse(text, env), env), [str(error) for error in builder.errors]

    assert build(short=False) == build(short=True)
