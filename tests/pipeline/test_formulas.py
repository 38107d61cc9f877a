"""Formulas are set, drawn and said; prices are left alone."""

from __future__ import annotations

import io

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline import markdown
from pipeline.build import open_manuscript
from pipeline.formulas import FormulaError, draw_formula, read_formula
from pipeline.mail.text import write_text
from pipeline.newsletter import resolve_mail
from tests.conftest import MANUSCRIPTS

GOLDEN = MANUSCRIPTS / "formulas" / "golden"
MATH = "{http://www.w3.org/1998/Math/MathML}math"


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        ("x", "x"), ("x^2 + y^2 = z^2", "x² + y² = z²"), (r"\frac{a}{b}", "a/b"), (r"\frac{a+1}{b}", "(a + 1)/b"),
        (r"\sqrt{2}", "√2"), (r"\sqrt[3]{a+b}", "³√(a + b)"), ("x_{10}", "x₁₀"), ("x_{i,j}", "x_(i, j)"),
        (r"a \leq b", "a ≤ b"), (r"5\,\text{mg}", "5 mg"), (r"\hat{x}", "x̂"), (r"\binom{n}{k}", "(n ¦ k)"),
        (r"\begin{matrix} a & b \\ c & d \end{matrix}", "a, b; c, d"), ("(a+b)^2", "(a + b)²"),
    ],
)  # fmt: skip
def test_a_formula_is_said_in_a_line(tex: str, said: str) -> None:
    """As a letter prints it, and a listener hears it."""
    assert said == read_formula(tex).said


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5.", "From $5 to $6.", "$20,000 and $30,000", "$5/$6", "5$ or 6$", "US$5 and US$6", r"\$5\$",
        "`$x$`", "$ x $", "$5 or 10$", "a $ b", "$$", "$", "It is $5–$7", "($5)–($6)", "$x",
    ],
)  # fmt: skip
def test_prices_are_no_formulas(text: str) -> None:
    """Nobody has to think of mathematics to say what something costs."""
    parsed = markdown.parse(f"Price: {text}", source="a.md")

    assert () == parsed.errors
    assert [] == [node for block in parsed.nodes for node in block.walk() if node.kind == "math"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (r"a $\frac{a$ b", 1, "a brace { } has no partner"),
        (r"a $\foo{x}$", 1, r"the command \foo is unknown"),
        (r"a $x_{}^$", 1, ""),
        ("a\n\n$$\na & b\n$$\n", 3, "it holds a sign that has no meaning here, such as &"),
        (f"a ${'x+' * 600}x$", 1, "it is longer than 1000 characters"),
        ("a\n$x +\ny$ and\n$\\oops$", 4, r"the command \oops is unknown"),
    ],
)
def test_faults_say_where_and_why(text: str, line: int, reason: str) -> None:
    """With the line of the formula."""
    (error,) = markdown.parse(text, source="chapters/01-one.md").errors

    assert ("M020", line) == (error.rule, error.place.line)
    assert reason in error.message


@given(st.text(alphabet=r"\{}^_&$abxfrac sqrt[]()<>/=1\begin", max_size=60))
def test_whatever_is_written_there_is_no_crash(tex: str) -> None:
    """A formula, or one sentence that says what is wrong; what is made is well-formed and leads nowhere."""
    try:
        formula = read_formula(tex)
    except FormulaError:
        return
    root = etree.fromstring(f"<math>{formula.mathml}</math>")

    assert formula.said
    assert not {name for element in root.iter() for name in element.attrib} & {
        "href",
        "src",
        "style",
        "onclick",
    }


def test_the_page_is_the_golden_one(build, golden) -> None:
    """After a change that is meant, run pytest with --update-golden and read the difference."""
    golden(GOLDEN / "sums.xhtml", build("formulas").members["sums.xhtml"].decode())


def test_every_formula_says_its_words(build) -> None:
    """E-books in `alttext`, the PDF in the alternative text of the drawing; the package claims it."""
    built = build("formulas")
    words = [math.get("alttext") for math in built.parse("sums.xhtml").iter(MATH)]
    with pikepdf.open(io.BytesIO(built.pdf_bytes)) as pdf:
        drawn = [str(o.Alt) for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/Alt" in o]

    assert sorted(words) == sorted(drawn)
    assert ["mathml"] == built.find("content.opf", "//opf:item[@href='sums.xhtml']/@properties")
    features = built.find("content.opf", "//opf:meta[@property='schema:accessibilityFeature']/text()")
    assert {"MathML", "describedMath"} <= set(features)


def test_a_letter_says_them(copied) -> None:
    """In running text, without a mark of LaTeX."""
    from pipeline.mail.compose import compose

    manuscript = open_manuscript(copied("formulas"))
    book = resolve_mail(manuscript)
    words = manuscript.read_layout("classic").read_words("en")
    text = write_text(compose(book, book.chapters[0], words).body, words)

    assert "BMI = (weight in kg)/((height in m)²)" in text
    assert "A quotation: E = mc²." in text
    assert "\\" not in text


def test_a_drawing_is_the_same_every_time() -> None:
    """And stands on the line of the text: what is below it goes below the line."""
    draw_formula.cache_clear()
    first = draw_formula(r"\frac{a}{b}", display=False, color="#123")
    draw_formula.cache_clear()

    assert first == draw_formula(r"\frac{a}{b}", display=False, color="#123")
    assert 0 < first.depth < first.height
