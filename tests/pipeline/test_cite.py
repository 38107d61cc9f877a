"""Citations and the list of references, from the bibliography's file to nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from citeproc import CitationStylesStyle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.citations.cite import (
    STYLES,
    CiteItem,
    Library,
    Reference,
    cite,
    keys,
    nearest,
    parse_citation,
    read_bibliography,
)
from pipeline.errors import ConfigError, ManuscriptError, ManyErrors
from pipeline.model import Node

LIBRARY = r"""
@string{jco = "Journal of Clinical Oncology"}

@article{campbell2019,
  author = {Campbell, Kristin L. and Winters-Stone, Kerri M and Courneya, KS},
  title  = {Exercise Guidelines for Cancer Survivors},
  journal = {Medicine \& Science in Sports},
  year = 2019, volume = 51, number = 11, pages = {2375--2390},
  doi = {https://doi.org/10.1249/MSS.0000000000002116}
}
@misc{nci, author = {{National Cancer Institute}}, publisher = {National Cancer Institute},
  title = {Fatigue and Cancer Treatment}, year = {2023}, url = {https://example.org/about_fatigue?a=1~2},
  urldate = {2024-03-12}}
@misc{who, author = {{World Health Organization}}, title = {Are we there yet?},
  howpublished = {\url{https://example.org/x}}, year = {n.d.}}
@book{angstrom, author = {{\AA}ngstr{\"o}m, Anders and van der Berg, Jan},
  title = {The \emph{E. coli} Book},
  edition = {Third}, publisher = {Elsevier}, address = {London}, year = 2015}
@article{second, author = {John Smith and Karl Jones}, title = {The second},
  journal = jco, year = 2018, volume = 3}
@article{first, author = {John Smith and Karl Jones}, title = {The first},
  journal = jco, year = 2018, volume = 3}
@article{many, author = {Mao, Jun J. and others}, title = {Pain}, journal = jco, year = 2022}
@incollection{sleep, author = {Zola, {\'E}mile}, title = {On Sleep}, booktitle = {Handbook of Sleep},
  editor = {Doe, Jane and Roe, Richard}, pages = {10-20},
  publisher = {Springer}, address = {Berlin}, year = 2001}
@book{guide, title = {A Quiet Guide}, publisher = {Press}, year = 2000}
"""


def write(folder: Path, text: str, name: str = "references.bib") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, name: str = "references.bib") -> Library:
    return read_bibliography(write(folder, text, name), f"chapters/{name}")


def fail(folder: Path, text: str, name: str = "references.bib") -> list[str]:
    with pytest.raises((ManuscriptError, ManyErrors)) as caught:
        read(folder, text, name)
    return str(caught.value).splitlines()


def tell(folder: Path, text: str) -> str:
    """The keys of what can be read, or what is wrong."""
    try:
        return " ".join(keys(read(folder, text)))
    except (ManuscriptError, ManyErrors) as error:
        return str(error)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return read(tmp_path, LIBRARY)


def show(nodes: tuple[Node, ...]) -> str:
    """Nodes as a line of text: *emphasis* and <target|words>."""
    forms = {"text": "{text}", "emphasis": "*{inner}*", "link": "<{href}|{inner}>", "sup": "^{inner}^"}
    return "".join(
        forms.get(node.kind, node.kind + "[{inner}]").format(
            text=node.text, inner=show(node.children), href=node.attrs.get("href", "")
        )
        for node in nodes
    )


def words(nodes: tuple[Node, ...]) -> str:
    return "".join(node.text + words(node.children) for node in nodes)


def print_all(
    library: Library, style: str | Path, *brackets: str, locale: str = "en-GB"
) -> tuple[list[str], list[Reference]]:
    clusters = [parse_citation(bracket) or () for bracket in brackets]
    printed, references = cite(library, style, clusters, locale=locale)
    return [words(nodes) for nodes in printed], list(references)


def print_entry(library: Library, style: str, key: str, *, locale: str = "en-GB") -> str:
    _, (reference,) = print_all(library, style, f"@{key}", locale=locale)
    return f"{reference.label} {show(reference.body)}".strip()


class TestParseCitation:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("@a", CiteItem("a")),
            ("-@a", CiteItem("a", suppress_author=True)),
            ("see @a", CiteItem("a", prefix="see")),
            ("see also -@a", CiteItem("a", prefix="see also", suppress_author=True)),
            ("@a, p. 3", CiteItem("a", locator_label="page", locator="3")),
            ("@a, pp. 33--35", CiteItem("a", locator_label="page", locator="33–35")),
            ("@a, p. iv", CiteItem("a", locator_label="page", locator="iv")),
            ("@a, 12", CiteItem("a", locator_label="page", locator="12")),
            ("@a, ch. 2", CiteItem("a", locator_label="chapter", locator="2")),
            ("@a, sec. 4.1", CiteItem("a", locator_label="section", locator="4.1")),
            ("@a, fig. 2b", CiteItem("a", locator_label="figure", locator="2b")),
            ("@a, vol. 3", CiteItem("a", locator_label="volume", locator="3")),
            ("@a, p. 3, in part", CiteItem("a", locator_label="page", locator="3", suffix=", in part")),
            ("@a, mild cases only", CiteItem("a", suffix=", mild cases only")),
            ("@DBLP:a/b.c-1", CiteItem("DBLP:a/b.c-1")),
            ("@müller2020.", CiteItem("müller2020", suffix=".")),
        ],
    )
    def test_one_work(self, text: str, expected: CiteItem) -> None:
        """A bracket names a work, and may say where in it and what of it."""
        assert (expected,) == parse_citation(text)

    def test_several_works(self) -> None:
        """Semicolons stand between works."""
        items = parse_citation("see @a, p. 3; @b, ch. 2")

        assert (CiteItem("a", "see", "page", "3"), CiteItem("b", "", "chapter", "2")) == items

    @pytest.mark.parametrize(
        "text", ["foo@bar.com", "", "plain words", "@", "@a; and others", "@fig:pulse", "see @ch:sleep", "-"]
    )
    def test_what_is_no_citation(self, text: str) -> None:
        """Addresses, cross-references and plain words in brackets stay text."""
        assert parse_citation(text) is None


class TestAuthorDate:
    @pytest.mark.parametrize(
        ("bracket", "expected"),
        [
            ("@guide", "(A Quiet Guide, 2000)"),
            ("@nci", "(National Cancer Institute, 2023)"),
            ("@angstrom", "(Ångström and van der Berg, 2015)"),
            ("@campbell2019", "(Campbell et al., 2019)"),
            ("@many", "(Mao et al., 2022)"),
            ("@who", "(World Health Organization, n.d.)"),
            ("-@campbell2019", "(2019)"),
            ("-@guide", "(2000)"),
            ("@sleep, p. 12", "(Zola, 2001, p. 12)"),
            ("@sleep, 12--14", "(Zola, 2001, pp. 12–14)"),
            ("see @sleep, ch. 2; @many, for more", "(see Zola, 2001, ch. 2; Mao et al., 2022, for more)"),
            ("-@sleep; @angstrom", "(2001; Ångström and van der Berg, 2015)"),
        ],
    )
    def test_bracket(self, library: Library, bracket: str, expected: str) -> None:
        """A bracket prints authors and year, in the order its author wrote."""
        (printed,), _ = print_all(library, "author-date", bracket)

        assert expected == printed

    def test_links(self, library: Library) -> None:
        """Each work of a bracket links to its entry."""
        (nodes,), _ = cite(library, "author-date", [(CiteItem("nci", "see"), CiteItem("guide"))])
        expected = "(see <#ref-nci|National Cancer Institute, 2023>; <#ref-guide|*A Quiet Guide*, 2000>)"

        assert expected == show(nodes)
        assert {"biblioref"} == {node.attrs["role"] for node in nodes if node.kind == "link"}

    def test_same_authors_same_year(self, library: Library) -> None:
        """Letters tell apart what would be cited alike, in the order of the list."""
        printed, references = print_all(library, "author-date", "@second", "@first", "-@second, p. 2")

        assert ["(Smith and Jones, 2018b)", "(Smith and Jones, 2018a)", "(2018b, p. 2)"] == printed
        assert ["first", "second"] == [reference.key for reference in references]
        assert "Smith J, Jones K (2018a). The first." in words(references[0].body)

    def test_no_letter_for_a_work_that_is_not_cited(self, library: Library) -> None:
        """Only the works of this book count."""
        printed, _ = print_all(library, "author-date", "@second")

        assert ["(Smith and Jones, 2018)"] == printed

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            (
                "campbell2019",
                (
                    "Campbell KL, Winters-Stone KM, Courneya KS (2019). "
                    "Exercise Guidelines for Cancer Survivors. "
                    "*Medicine & Science in Sports* 51(11): 2375–2390. <https://doi.org/10.1249/MSS.0000000000002116"
                    "|https://doi.org/10.1249/MSS.0000000000002116>"
                ),
            ),
            (
                "nci",
                (
                    "National Cancer Institute (2023). Fatigue and Cancer Treatment. "
                    "<https://example.org/about_fatigue?a=1~2|https://example.org/about_fatigue?a=1~2> "
                    "(accessed 12 March 2024)"
                ),
            ),
            (
                "who",
                (
                    "World Health Organization (n.d.). Are we there yet? "
                    "<https://example.org/x|https://example.org/x>"
                ),
            ),
            (
                "angstrom",
                ("Ångström A, van der Berg J (2015). *The *E. coli* Book*, 3rd edn. London: Elsevier."),
            ),
            ("many", "Mao JJ, et al. (2022). Pain. *Journal of Clinical Oncology*."),
            (
                "sleep",
                (
                    "Zola É (2001). On Sleep. In: Doe J, Roe R (eds), *Handbook of Sleep*, pp. 10–20. "
                    "Berlin: Springer."
                ),
            ),
            ("guide", "*A Quiet Guide* (2000). Press."),
        ],
    )
    def test_entry(self, library: Library, key: str, expected: str) -> None:
        """An entry names who, when, what and where, with a link where there is one."""
        assert expected == print_entry(library, "author-date", key)

    def test_order_of_the_list(self, library: Library) -> None:
        """The list goes by letters, Å among the A's and a title by its first word."""
        _, references = print_all(library, "author-date", "@sleep; @nci; @campbell2019; @guide; @angstrom")

        assert ["guide", "angstrom", "campbell2019", "nci", "sleep"] == [entry.key for entry in references]

    @pytest.mark.parametrize(
        ("locale", "expected"),
        [
            ("de", "(Ångström und van der Berg, 2015, S. 4; World Health Organization, o. J.)"),
            ("fr-FR", "(Ångström et van der Berg, 2015, p. 4; World Health Organization, s. d.)"),
            ("es_ES", "(Ångström y van der Berg, 2015, p. 4; World Health Organization, s. f.)"),
            ("en", "(Ångström and van der Berg, 2015, p. 4; World Health Organization, n.d.)"),
            ("tlh", "(Ångström and van der Berg, 2015, p. 4; World Health Organization, n.d.)"),
            ("not a language", "(Ångström and van der Berg, 2015, p. 4; World Health Organization, n.d.)"),
        ],
    )
    def test_locale(self, library: Library, locale: str, expected: str) -> None:
        """Words of the style speak the book's language, and English where it is not known."""
        (printed,), _ = print_all(library, "author-date", "@angstrom, p. 4; @who", locale=locale)

        assert expected == printed.replace("\u00a0", " ")


class TestNumeric:
    def test_numbers(self, library: Library) -> None:
        """Works are numbered as they are first cited, and stand in that order."""
        printed, references = print_all(library, "numeric", "@sleep", "@nci; @sleep", "-@nci, pp. 3-4")

        assert ["[1]", "[1, 2]", "[2 (pp. 3–4)]"] == printed
        assert [("sleep", "[1]"), ("nci", "[2]")] == [(entry.key, entry.label) for entry in references]

    def test_words_of_the_author_stay_put(self, library: Library) -> None:
        """A bracket with words in it is not sorted."""
        printed, _ = print_all(library, "numeric", "@sleep", "see @nci; @sleep, for more")

        assert ["[1]", "[see 2, 1, for more]"] == printed

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            (
                "campbell2019",
                (
                    "[1] Campbell KL, Winters-Stone KM, Courneya KS. "
                    "Exercise Guidelines for Cancer Survivors. "
                    "Medicine & Science in Sports. 2019;51(11):2375–2390. "
                    "doi:<https://doi.org/10.1249/MSS.0000000000002116|10.1249/MSS.0000000000002116>"
                ),
            ),
            (
                "angstrom",
                ("[1] Ångström A, van der Berg J. The *E. coli* Book. 3rd edn. London: Elsevier; 2015."),
            ),
            (
                "sleep",
                (
                    "[1] Zola É. On Sleep. In: Doe J, Roe R, editors. Handbook of Sleep. "
                    "Berlin: Springer; 2001. pp. 10–20."
                ),
            ),
            ("guide", "[1] A Quiet Guide. Press; 2000."),
            (
                "who",
                (
                    "[1] World Health Organization. Are we there yet? n.d. "
                    "<https://example.org/x|https://example.org/x>"
                ),
            ),
        ],
    )
    def test_entry(self, library: Library, key: str, expected: str) -> None:
        """An entry follows the Vancouver manner, its number apart."""
        assert expected == print_entry(library, "numeric", key)


class TestStyles:
    @pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
    def test_own_styles_are_valid(self, style: Path) -> None:
        """Both styles pass the CSL schema; a warning would fail the test."""
        loaded = CitationStylesStyle(str(style), validate=True)

        assert loaded.has_bibliography()

    def test_style_of_the_author(self, library: Library, tmp_path: Path) -> None:
        """A .csl file in the book's folder works, with letters after years it does not mention."""
        style = write(
            tmp_path,
            """<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0" class="in-text">
            <citation disambiguate-add-year-suffix="true"><layout delimiter="/" vertical-align="sup">
            <names variable="author" font-variant="small-caps"><name form="short" and="symbol"/></names>
            <date variable="issued" prefix=" (" suffix=")"><date-part name="year"/></date>
            </layout></citation>
            <bibliography><layout><text variable="citation-number" suffix=") "/><text variable="title"/>
            <text variable="DOI" prefix=" "/></layout></bibliography></style>""",
            "own.csl",
        )
        clusters = [(CiteItem("second"), CiteItem("first")), (CiteItem("campbell2019"),)]
        ((one,), _), references = cite(library, style, clusters)

        assert "<#ref-second|span[Smith & Jones] (2018a)>/<#ref-first|span[Smith & Jones] (2018b)>" == show(
            one.children
        )
        assert ["1)", "2)", "3)"] == [reference.label for reference in references]
        assert (
            "Exercise Guidelines for Cancer Survivors "
            "<https://doi.org/10.1249/MSS.0000000000002116|10.1249/MSS.0000000000002116>"
        ) == show(references[2].body)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<style", "this is not XML"),
            ("<style xmlns='http://purl.org/net/xbiblio/csl'/>", "lays out no citation"),
            (
                (
                    "<style xmlns='http://purl.org/net/xbiblio/csl'>"
                    "<citation><layout><text macro='gone'/></layout></citation>"
                    "<bibliography><layout><text variable='title'/></layout></bibliography></style>"
                ),
                "cannot be used",
            ),
        ],
    )
    def test_broken_style(self, library: Library, tmp_path: Path, text: str, expected: str) -> None:
        """A style that cannot be used is named; nothing else is blamed."""
        style = write(tmp_path, text, "broken.csl")

        with pytest.raises(ConfigError, match=expected) as caught:
            print_all(library, style, "@nci")

        assert caught.value.place is not None
        assert str(style) == caught.value.place.path

    def test_unknown_style(self, library: Library) -> None:
        """A style's name is one of two, or a file."""
        with pytest.raises(ConfigError, match='unknown citation style "apa"; use author-date, numeric'):
            print_all(library, "apa", "@nci")
        with pytest.raises(ConfigError, match=r"apa\.csl: there is no such citation style"):
            print_all(library, "apa.csl", "@nci")


class TestKeys:
    def test_keys_of_a_library(self, library: Library) -> None:
        """All keys of the file are known, in its order."""
        assert ("campbell2019", "nci", "who", "angstrom") == keys(library)[:4]

    @pytest.mark.parametrize(
        ("key", "expected"), [("campbel2019", "campbell2019"), ("NCI", "nci"), ("xyzzy", "")]
    )
    def test_nearest(self, library: Library, key: str, expected: str) -> None:
        """A mistyped key finds the one that was meant."""
        assert expected == nearest(key, keys(library))

    def test_keys_that_differ_in_case(self, tmp_path: Path) -> None:
        """Keys keep their capitals: two that differ in nothing else are two works."""
        library = read(tmp_path, "@book{A, title={One}, year=2001}\n@book{a, title={Two}, year=2002}")
        printed, references = print_all(library, "author-date", "@a; @A")

        assert ["(Two, 2002; One, 2001)"] == printed
        assert ["A", "a"] == [reference.key for reference in references]

    def test_nothing_cited(self, library: Library) -> None:
        """A book without citations has no list."""
        assert ((), ()) == cite(library, "author-date", [])


class TestBibtex:
    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            (r"{\"o}{\'e}\'{\i}\c{c}\v s \ss{} \O re", "öéíçš ß Øre"),
            (r"Vitamin B$_{12}$ and 10\% of {DNA}", "Vitamin B12 and 10% of DNA"),
            (r"``Green'' -- 1--2 --- it's 3$\pm$1\,$\mu$g", "“Green” – 1–2 — it’s 3±1\u202fμg"),
            (r"H\textsubscript{2}O~x \textless 5 < 6 & 7", "H2O\u00a0x <5 < 6 & 7"),
            (r"{\em Why} not", "Why not"),
        ],
    )
    def test_latex(self, tmp_path: Path, title: str, expected: str) -> None:
        """LaTeX in a title becomes the characters it stands for."""
        library = read(tmp_path, f"@misc{{a, title = {{{title}}}}}")
        _, (reference,) = print_all(library, "numeric", "@a")

        assert f"{expected}. n.d." == words(reference.body)

    def test_markup_of_titles(self, tmp_path: Path) -> None:
        """Emphasis and raised figures of a title stay what they are."""
        library = read(tmp_path, r"@misc{a, title = {\emph{In vivo} $^{18}$F}}")

        assert "[1] *In vivo* ^18^F. n.d." == print_entry(library, "numeric", "a")

    @pytest.mark.parametrize(
        ("author", "expected"),
        [
            ("Ludwig van Beethoven", "van Beethoven L"),
            ("de la Cruz, Ana Mar{\\'i}a", "de la Cruz AM"),
            ("King, Jr., Martin Luther", "King ML Jr"),
            ("Smith, JA", "Smith JA"),
            ("Jean-Paul Sartre", "Sartre JP"),
            ("{Food and Drug Administration} and Doe, J.", "Food and Drug Administration, Doe J"),
            ("Cochrane", "Cochrane"),
        ],
    )
    def test_names(self, tmp_path: Path, author: str, expected: str) -> None:
        """Names are read as BibTeX reads them."""
        library = read(tmp_path, f"@misc{{a, author = {{{author}}}, title = {{T}}}}")

        assert f"[1] {expected}. T. n.d." == print_entry(library, "numeric", "a")

    @pytest.mark.parametrize(
        ("dates", "expected"),
        [
            ("year = 2019", "2019"),
            ('year = "2019", month = mar', "2019"),
            ("date = {2019-03-12}", "2019"),
            ("year = {2010--2012}", "2010–2012"),
            ("year = {in press}", "in press"),
            ("year = {}", "n.d."),
        ],
    )
    def test_dates(self, tmp_path: Path, dates: str, expected: str) -> None:
        """A year may be a number, a date, a span, words or nothing."""
        library = read(tmp_path, f"@misc{{a, title = {{T}}, {dates}}}")
        printed, _ = print_all(library, "author-date", "@a")

        assert [f"(T, {expected})"] == printed

    def test_what_is_no_entry(self, tmp_path: Path) -> None:
        """Comments, preambles and words between entries are passed over; brackets may be round."""
        library = read(
            tmp_path,
            '\ufeffwrite to me@example.org\n@comment{x}\n@preamble{"y"}\n'
            '@book(a, title = "T " # {and} # " U",)\n',
        )

        assert ("a",) == keys(library)
        assert "[1] T and U. n.d." == print_entry(library, "numeric", "a")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("@artcle{a, title={T}}", "unknown entry type @artcle; did you mean @article?"),
            ("@book{, title={T}}", "this @book has no key; write @book{key, ...}"),
            ("@book{a, title={T}", 'entry "a": the closing brace is missing'),
            ("@book{a, title={T, year=2000}", 'entry "a": the closing brace is missing'),
            ('@book{a, title="T}', 'entry "a": the value of "title" is opened and never closed'),
            (
                "@book{a, title={T} year=2000}",
                'entry "a": cannot be read at "year=2000}"; a comma or a brace before it may be missing',
            ),
            ("@book{a, title=T}", 'entry "a": title = T: no @string defines "T"; put it in braces'),
            ("@book{a, title={T}, title={U}}", 'entry "a": the field "title" stands twice'),
            ("@book{a, year=2000}", 'entry "a" has no title'),
            (
                "@book{fig:a, title={T}}",
                (
                    'the key "fig:a" cannot be cited; it has letters, digits and _-:./+, '
                    "and begins with no ch: fig: tbl: sec:"
                ),
            ),
            (
                r"@book{a, title={T \foo}}",
                (
                    r'entry "a", title: the LaTeX command \foo is not known here; '
                    "write the character itself"
                ),
            ),
            (
                "@misc{a, title={T}, url={javascript:alert(1)}}",
                ('entry "a": "javascript:alert(1)" is no URL; it begins with https://'),
            ),
            ("@misc{a, title={T}, doi={12/34}}", 'entry "a": "12/34" is no DOI; it looks like 10.1000/182'),
            (
                "@misc{a, title={T}, urldate={12 March}}",
                ('entry "a", urldate: cannot read "12 March"; write it as YYYY-MM-DD'),
            ),
            (
                "@book{a, title={T}, author={A, B, C, D}}",
                ('entry "a", author: cannot read "A, B, C, D"; separate names by "and"'),
            ),
        ],
    )
    def test_broken_entry(self, tmp_path: Path, text: str, expected: str) -> None:
        """A broken entry is told with its line and what to do."""
        assert [f"chapters/references.bib:2: {expected}"] == fail(tmp_path, "\n" + text)

    def test_all_faults_at_once(self, tmp_path: Path) -> None:
        """One run shows every broken entry, and a duplicate key with its first line."""
        keys_and_kinds = ("book{a", "bok{b", "book{a")
        text = "".join(f"@{start}, title={{T}}}}\n" for start in keys_and_kinds)
        text += "@book{c, title={T\n@book{d, title={T}}\n"

        assert [
            "chapters/references.bib:2: unknown entry type @bok; did you mean @book?",
            'chapters/references.bib:3: the key "a" stands twice, first in line 1; rename one',
            'chapters/references.bib:4: entry "c": the value of "title" is opened and never closed',
        ] == fail(tmp_path, text)


class TestFiles:
    def test_csl_json(self, tmp_path: Path) -> None:
        """CSL-JSON is read as reference managers write it, unknown members and all."""
        record = {
            "id": 7,
            "type": "article-journal",
            "title": "<i>In vivo</i> & more",
            "container-title": ["J Clin Oncol"],
            "author": [{"family": "Doe", "given": "Jane", "sequence": "first"}],
            "issued": {"date-parts": [["2019", 3]]},
            "volume": 3,
            "URL": "https://doi.org/10.1000/182",
            "citation-key": "x",
            "custom": {"a": 1},
        }
        library = read(tmp_path, json.dumps([record]), "references.json")

        assert (
            "Doe J (2019). *In vivo* & more. *J Clin Oncol* 3. "
            "<https://doi.org/10.1000/182|https://doi.org/10.1000/182>"
            == print_entry(library, "author-date", "7")
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "[\n{]",
                ("references.json:2: this is not JSON: Expecting property name enclosed in double quotes"),
            ),
            ("{}", "references.json: CSL-JSON is a list of references: [{...}, ...]"),
            ('[{"title": "T"}]', 'references.json: reference 1 has no "id"'),
            (
                '[\n{"id": "a", "type": "bok"}]',
                ('references.json:2: entry "a": unknown type "bok"; did you mean "book"?'),
            ),
            ('[\n{"id": "a", "type": "book"}]', 'references.json:2: entry "a" has no title'),
            ("[" * 100_000, "references.json: nested too deeply, or a number too long"),
        ],
    )
    def test_broken_csl_json(self, tmp_path: Path, text: str, expected: str) -> None:
        """Broken CSL-JSON is told with its line where it has one."""
        assert [f"chapters/{expected}"] == fail(tmp_path, text, "references.json")

    def test_other_files(self, tmp_path: Path) -> None:
        """Other endings, other encodings, missing and huge files are refused."""
        (tmp_path / "latin.bib").write_bytes("@book{a,\ntitle={\xfc}}".encode("latin-1"))
        (tmp_path / "huge.bib").write_bytes(b" " * 4_000_001)
        messages = []
        for name in ("references.yaml", "missing.bib", "latin.bib", "huge.bib"):
            with pytest.raises(ManuscriptError) as caught:
                read_bibliography(tmp_path / name, name)
            messages.append(str(caught.value))

        assert [
            "references.yaml: a bibliography is a .bib (BibTeX) or .json (CSL-JSON) file",
            "missing.bib: cannot be read: No such file or directory",
            "latin.bib:2: this is not UTF-8; save the file as UTF-8",
            "huge.bib: larger than 4 MB; keep only what is cited",
        ] == messages

    @given(st.text(st.sampled_from('@{}()=,"#\\n\\\\%~$^_ abookmiscTitle1-'), max_size=60))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_text(self, tmp_path: Path, text: str) -> None:
        """Whatever stands in the file, the next entry is read or the fault is told with its file."""
        told = tell(tmp_path, f"@book{{a, title={{{text}}}}}\n@misc{{b, title={{T}}}}")

        assert told.startswith(("a b", "chapters/references.bib"))

    def test_sample_book(self) -> None:
        """Every reference of the sample book prints in both styles."""
        path = Path(__file__).parents[2] / "chapters" / "references.bib"
        library = read_bibliography(path, "chapters/references.bib")
        clusters = [[CiteItem(key)] for key in keys(library)]

        for style in STYLES:
            printed, references = cite(library, style, clusters)
            assert len(clusters) == len(printed) == len(references)
            assert all(words(reference.body) for reference in references)
