"""The documents tell the truth: what they show works, and what there is stands in them."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import msgspec
import pypdfium2
import pytest
import typer
from markdown_it import MarkdownIt

import outbox.config
import pipeline.config
from outbox.cli import app as outbox_app
from outbox.providers import PROVIDERS
from pipeline import markdown
from pipeline.build import choose_editions, make_edition, open_manuscript, resolve_edition, write_editions
from pipeline.check import READING
from pipeline.check.galley import Galley
from pipeline.check.mail import RULES as LETTER_RULES
from pipeline.check.mail.letter import read_mail
from pipeline.check.rules import RULES
from pipeline.cli import app as pipeline_app
from pipeline.errors import PipelineError
from pipeline.formats import FORMATS
from pipeline.layouts import Layout, list_layouts, read_layout
from pipeline.manuscript.header import Header
from pipeline.markdown.attributes import CLASSES, KEYS
from pipeline.markdown.blocks import ALERTS, DIVS
from pipeline.model import MADE, Book, Kind
from pipeline.newsletter import make_issues
from pipeline.resolve import MAIL

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
HEADINGS = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)

BOOK = """\
[book]
title = "The Kitchen Garden"
authors = ["Ada Green"]
cover = "none"
[bibliography]
file = "references.bib"
"""
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40" width="60" height="40">'
    '<rect x="5" y="5" width="50" height="30" fill="#3a7d44"/></svg>'
)


# -- reading the documents


def read_page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def list_fences(name: str) -> list[tuple[str, str, int]]:
    """Every fenced block of a document: its info string, its content and its line."""
    tokens = MarkdownIt("commonmark").parse(read_page(name))
    return [(t.info, t.content, (t.map or [0])[0] + 1) for t in tokens if t.type == "fence"]


def list_examples(*, wrong: bool) -> list[Any]:
    """The Markdown of docs/chapters.md with what stands in the block below it, named by its line."""
    fences = list_fences("docs/chapters.md")
    followed = zip(fences, [*fences[1:], ("", "", 0)], strict=True)
    return [
        pytest.param(info, text, below, id=f"line-{line}")
        for (info, text, line), (_, below, _) in followed
        if info.split()[:1] == ["markdown"] and ("wrong" in info) is wrong
    ]


def list_commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below `command` with its full name."""
    for word, below in getattr(command, "commands", {}).items():
        yield f"{name} {word}", below
        yield from list_commands(below, f"{name} {word}")


COMMANDS = {
    name: command
    for app, program in ((pipeline_app, "pipeline"), (outbox_app, "outbox"))
    for name, command in [
        (program, typer.main.get_command(app)),
        *list_commands(typer.main.get_command(app), program),
    ]
}
OPTIONS = sorted(
    (name, option)
    for name, command in COMMANDS.items()
    for parameter in command.params
    for option in parameter.opts
    if option.startswith("--") and option != "--help"
)
TARGETS = sorted(set(re.findall(r"^([a-z]+):.*## ", read_page("Makefile"), re.MULTILINE)))


def cut_sections(text: str, level: int) -> list[str]:
    """A document cut at its headings of `level`."""
    return re.split(rf"^(?={'#' * level} )", text, flags=re.MULTILINE)


# -- the examples of docs/chapters.md


def write_book(folder: Path, files: dict[str, str]) -> Path:
    """A book's folder with these chapters, a picture of every name they show, and the page's bibliography."""
    chapters = folder / "chapters"
    (chapters / "images").mkdir(parents=True)
    (folder / "book.toml").write_text(BOOK, encoding="utf-8")
    works = next(text for info, text, _ in list_fences("docs/chapters.md") if info == "bibtex")
    (folder / "references.bib").write_text(works, encoding="utf-8")
    for name, text in files.items():
        (chapters / name).write_text(text, encoding="utf-8")
        for picture in re.findall(r"\((images/[\w.-]+)", text):
            (chapters / picture).write_text(PICTURE, encoding="utf-8")
    return folder


def read_book(folder: Path) -> tuple[Book, Layout]:
    """The only edition of a book's folder, and its layout."""
    manuscript = open_manuscript(folder)
    return resolve_edition(manuscript, choose_editions(manuscript.config)[0])


def add_title(text: str, number: int) -> str:
    """A snippet as a chapter of its own."""
    if text.startswith("---\n") or re.search(r"^# ", text, re.MULTILINE):
        return text
    return f"# Example {number}\n\n{text}"


@pytest.mark.parametrize(("info", "text", "below"), list_examples(wrong=False))
def test_examples_are_in_the_dialect(info: str, text: str, below: str) -> None:
    """An author may copy any right example."""
    body = text.split("---\n", 2)[2] if text.startswith("---\n") else text
    found = markdown.parse(body, source=info)

    assert [] == [str(error) for error in found.errors], below


@pytest.mark.parametrize(("info", "text", "below"), list_examples(wrong=True))
def test_wrong_examples_give_the_error_below_them(info: str, text: str, below: str, tmp_path: Path) -> None:
    """What a wrong example is said to answer is what it answers."""
    folder = write_book(tmp_path, {"03-sleep.md": text})

    with pytest.raises(PipelineError) as caught:
        read_book(folder)

    assert below.strip() == str(caught.value), info


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the EPUB that all right examples make together, by file name."""
    right = [example.values for example in list_examples(wrong=False)]
    files = {
        (info.split()[1:] or [f"{number + 10}-example-{number}.md"])[0]: add_title(text, number)
        for number, (info, text, _) in enumerate(right)
    }
    folder = write_book(tmp_path_factory.mktemp("examples"), files)
    manuscript = open_manuscript(folder)
    made = make_edition(manuscript, choose_editions(manuscript.config)[0], formats=["epub"])
    (path,) = write_editions(folder / "build", made)
    with ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xhtml")}


@pytest.mark.parametrize(
    "markup",
    [
        "H<sub>2</sub>O", "m<sup>2</sup>", "“It’s late,” she said—", 'lang="fr">bon appétit', "<dt>Mulch</dt>",
        'class="attribution"', 'class="stanza"', 'role="doc-pullquote"', "<s>wrong</s>", 'class="steps"',
        'scope="row">Peas', 'role="presentation"', "Figure 1", "Table 1", 'role="doc-footnote"',
    ],
)  # fmt: skip
def test_examples_come_out_as_the_page_says(examples: dict[str, str], markup: str) -> None:
    """Each construct reaches the e-book."""
    pages = re.sub(r' id="[^"]*"', "", "".join(examples.values()))

    assert markup in pages


def test_examples_cite_as_the_page_says(examples: dict[str, str]) -> None:
    """The page quotes two citations; the e-book prints the same."""
    pages = "".join(examples.values())
    said = re.findall(r"\([^()]*(?:2019|2021)[^()]*\)", read_page("docs/chapters.md").replace("\n", " "))

    assert said
    assert [] == [text for text in said if text.replace("&", "&amp;") not in re.sub(r"<[^>]+>", "", pages)]


# -- everything there is stands in a document

#: Rule ids as the code raises them, whether or not a table knows them.
RAISED = {
    rule
    for path in (ROOT / "pipeline").rglob("*.py")
    for rule in re.findall(r'rule="(M\d{3})"', path.read_text(encoding="utf-8"))
}
#: Numbers of letter rules that docs/letter-rules.md says are others' work.
JUDGED_ELSEWHERE = {"N013", "N035", "N036", "N041", "N045", "N049", "N050"}
CHAPTER_WORDS = sorted(
    {
        *(f"::: {name}" for name in DIVS),
        *(f"[!{name}]" for name in ALERTS),
        *(f".{name}" for name in CLASSES),
        *(f"{key}=" for key in KEYS),
        *(f"`{key.name}`" for key in fields(Header) if key.name != "lines"),
        *(f"`{kind}`" for kind in get_args(Kind) if kind not in {*MADE, *MAIL}),
        *(f"| {rule} |" for rule in (RAISED | {*READING, "M000"}) - {*RULES}),
        *("@ch:", "@fig:", "@tbl:", "@sec:"),
    }
)


@pytest.mark.parametrize("word", CHAPTER_WORDS)
def test_the_dialect_is_documented(word: str) -> None:
    """No fenced div, alert, class, attribute, header key, kind or rule is a secret."""
    text = read_page("docs/chapters.md")

    assert word in text


def test_no_document_speaks_of_rules_that_are_not_there() -> None:
    """A rule that was taken out leaves the documents too."""
    said = {
        rule for page in PAGES for rule in re.findall(r"\b[A-Z]\d{3}\b", page.read_text(encoding="utf-8"))
    }

    assert JUDGED_ELSEWHERE == said - RAISED - {*RULES, *READING, *LETTER_RULES, "M000"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_commands_are_documented_and_help(name: str) -> None:
    """Every command stands in a document and says what it does."""
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert f"`{name}" in texts or f"\n{name}" in texts
    assert COMMANDS[name].help


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_options_are_documented(name: str, option: str) -> None:
    """Every option stands in a section, a line or a block that names its command."""
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    sections = [section for text in pages for section in cut_sections(text, 2) if name in section]

    assert any(option in section for section in sections)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (table.__name__, field)
        for module in (pipeline.config, outbox.config)
        for table in vars(module).values()
        if isinstance(table, type) and issubclass(table, msgspec.Struct)
        for field in table.__struct_fields__
    ],
)
def test_config_keys_are_documented(table: str, key: str) -> None:
    """Every key of book.toml stands in a document, as code."""
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert re.search(rf"`{key}`|\[{key}\]|^(?:# )?{key} = ", texts, re.MULTILINE), table


@pytest.mark.parametrize("name", list_layouts(ROOT))
def test_layouts_are_documented(name: str) -> None:
    """Whoever looks for a layout finds it in docs/layouts.md."""
    assert f"`{name}`" in read_page("docs/layouts.md")


@pytest.mark.parametrize("name", sorted(read_layout("classic", ROOT).tokens))
def test_tokens_are_documented(name: str) -> None:
    """Every token has its row; a colour at night or in print shares that of the light one."""
    assert f"`{name.removeprefix('dark-').removeprefix('print-')}`" in read_page("docs/layouts.md")


@pytest.mark.parametrize("path", sorted(p.name for p in (ROOT / "layouts/base").glob("[bdms]*/*")))
def test_templates_are_documented(path: str) -> None:
    """Every file that a layout can replace is named."""
    assert f"`{path}`" in read_page("docs/layouts.md")


@pytest.mark.parametrize("name", sorted([*PROVIDERS, *FORMATS]))
def test_providers_and_formats_are_documented(name: str) -> None:
    """Every row of the two tables stands in a document as code."""
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert f"`{name}`" in texts


@pytest.mark.parametrize("target", TARGETS)
def test_make_targets_are_documented(target: str) -> None:
    """What `make` can do stands in docs/getting-started.md."""
    assert f"`make {target}`" in read_page("docs/getting-started.md")


def list_layers() -> list[Any]:
    """The layers of each package as pyproject.toml declares them, from the top."""
    contracts = tomllib.loads(read_page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return [
        pytest.param(contract["containers"][0], contract["layers"], id=contract["containers"][0])
        for contract in contracts
        if contract["type"] == "layers"
    ]


@pytest.mark.parametrize(("package", "layers"), list_layers())
def test_layers_are_drawn_as_they_are_checked(package: str, layers: list[str]) -> None:
    """The table of ARCHITECTURE.md has the rows of the contract."""
    table = read_page("ARCHITECTURE.md").split(f"| `{package}` | |\n")[1].split("\n\n")[0]
    drawn = [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in table.splitlines()[1:]]

    assert [set(re.findall(r"\w+", layer)) for layer in layers] == drawn


def test_the_way_of_a_chapter_names_modules_that_are_there() -> None:
    """A step of ARCHITECTURE.md leads to code."""
    steps = re.findall(r"^\| \d+ \|[^|]+\|([^|]+)\|", read_page("ARCHITECTURE.md"), re.MULTILINE)
    names = [name for step in steps for name in re.findall(r"`([\w/]+)`", step)]
    paths = [
        ROOT / name if name.startswith(("outbox", "pipeline")) else ROOT / "pipeline" / name for name in names
    ]

    assert names
    assert [] == [str(path) for path in paths if not path.is_dir() and not path.with_suffix(".py").is_file()]


# -- what the documents show is there


def list_shell_lines() -> list[Any]:
    """Every command line that a document shows in a block of shell, cut at `&&`."""
    return [
        pytest.param(line.split("#")[0].strip(), id=f"{page.name}-{number}-{index}")
        for page in PAGES
        for info, text, number in list_fences(str(page.relative_to(ROOT)))
        if info == "sh"
        for index, line in enumerate(re.split(r"\n|&&", text))
        if line.split("#")[0].strip()
    ]


@pytest.mark.parametrize("line", list_shell_lines())
def test_shown_commands_exist(line: str) -> None:
    """A reader may type what a document shows."""
    program, *words = line.replace(".venv/bin/", "").split()
    plain = [word for word in words if not word.startswith("-")]
    if program in {"make", "gmake"}:
        assert not {word for word in plain if "=" not in word} - set(TARGETS)
    if program in {"pipeline", "outbox"}:
        names = [" ".join([program, *plain[:length]]) for length in (2, 1)]
        name = next((name for name in names if name in COMMANDS), "")
        known = {option for n, option in OPTIONS if n in {name, program}} | {"--help"}

        assert name or "--help" in words
        assert not {word for word in words if word.startswith("--")} - known


def make_anchor(heading: str) -> str:
    """The name that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def list_links() -> list[Any]:
    """Every link of every document that leads to a file or a heading of this project."""
    links = []
    for page in PAGES:
        blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
        for token in (child for block in blocks for child in block.children or []):
            target = str(token.attrs.get("href") or token.attrs.get("src") or "")
            if target and not re.match(r"[a-z]+:", target):
                links.append(pytest.param(page, target, id=f"{page.name}-{target}"))
    return links


@pytest.mark.parametrize(("page", "target"), list_links())
def test_links_lead_somewhere(page: Path, target: str) -> None:
    """Files and headings that documents point at are there."""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page

    assert path.exists()
    if anchor:
        text = re.sub(r"^(`{3,}).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

        assert anchor in {make_anchor(heading) for heading in HEADINGS.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documents_name_no_machine_and_no_registry(page: Path) -> None:
    """A document is as true on any other machine."""
    said = re.findall(
        r"(?:^|[\s`\"'(=])(/(?:work|tmp|root|home|Users)\b\S*)|\b(pypi\.\w+|registry\.npm\S+|proxy\.golang\S+)",
        page.read_text(encoding="utf-8"),
    )

    assert [] == said


def test_glossary_words_are_in_use() -> None:
    """A word that nothing uses any more leaves the glossary."""
    words = re.findall(r"^\| \*\*([^*]+)\*\*", read_page("docs/glossary.md"), re.MULTILINE)
    others = [page for page in PAGES if page.name != "glossary.md"]
    code = [path for name in ("pipeline", "outbox") for path in (ROOT / name).rglob("*.py")]
    used = "".join(path.read_text(encoding="utf-8").lower() for path in (*others, *code))

    assert words
    assert [] == [word for word in words if word.split(",")[0].lower() not in used]


# -- the examples of docs/layouts.md and docs/adding.md


def write_examples(name: str, folder: Path) -> None:
    """Add the blocks of a document to the files their info strings name; a template is written anew."""
    for info, text, _ in list_fences(name):
        path = (info.split()[1:] or [""])[0]
        if path.startswith("layouts/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("w" if path.endswith(".j2") else "a", encoding="utf-8") as file:
                file.write(f"\n{text}")


def test_a_copied_layout_makes_a_book(tmp_path: Path) -> None:
    """A stranger copies `classic`, changes a token, a rule and a template as the page says, and has a new look."""
    folder = write_book(tmp_path, {"01-water.md": "# Water\n\nMost plants want more water less often.\n"})
    shutil.copytree(ROOT / "layouts/classic", folder / "layouts/mine")
    write_examples("docs/layouts.md", folder)
    (folder / "book.toml").write_text(f'{BOOK}[ebook]\nlayout = "mine"\n', encoding="utf-8")

    manuscript = open_manuscript(folder)
    (edition,) = make_edition(manuscript, choose_editions(manuscript.config)[0], formats=["pdf"])

    with pypdfium2.PdfDocument(next(iter(edition.files.values()))) as pdf:
        size, half_title = pdf[0].get_size(), pdf[0].get_textpage().get_text_range()

    assert (5 * 72, 8 * 72) == size
    assert "A book from the kitchen" in half_title


def test_a_copied_layout_makes_a_letter(tmp_path: Path) -> None:
    """The same stranger changes the letter's foot, a rule and what wide screens show, as the page says."""
    chapter = "---\ntitle: Water\nissue: 2026-05-04\n---\n\nMost plants want more.\n\n> Less.\n"
    folder = write_book(tmp_path, {"01-water.md": chapter})
    shutil.copytree(ROOT / "layouts/classic", folder / "layouts/mine")
    write_examples("docs/layouts.md", folder)
    (folder / "book.toml").write_text(f'{BOOK}[ebook]\nlayout = "mine"\n', encoding="utf-8")

    (issue,) = make_issues(open_manuscript(folder))
    html = issue.files["body.html"].decode()

    assert "Written in the kitchen, sent by @@list_name@@, @@postal_address@@." in html
    assert re.search('<blockquote style="[^"]*border-left:1px solid #d9d5c9;[^"]*font-style:normal', html)
    assert "@media (min-width:700px){.sheet{max-width:640px!important}}" in html


def test_a_layout_of_one_file_makes_a_book(tmp_path: Path) -> None:
    """What a layout leaves out comes from `base`."""
    (tmp_path / "layouts/small").mkdir(parents=True)
    (tmp_path / "layouts/small/layout.toml").write_text('[page]\nsize = "A5"\n', encoding="utf-8")

    layout = read_layout("small", tmp_path)

    assert "A5" == layout.tokens["page-size"]
    assert layout.find("book/print.css")


def test_a_words_file_adds_a_language(tmp_path: Path) -> None:
    """The words of docs/adding.md are printed, and English fills the gaps."""
    shutil.copytree(ROOT / "layouts/classic", tmp_path / "layouts/mine")
    write_examples("docs/adding.md", tmp_path)

    words = read_layout("mine", tmp_path).read_words("nl-BE")

    assert ("Hoofdstuk", "Cover") == (words["chapter"], words["cover"])


def list_python(name: str, *, kind: str = "python", package: str = "pipeline.formats") -> dict[str, Any]:
    """What the Python of a document defines, all its blocks of a kind run in a row."""
    names: dict[str, Any] = {"__name__": f"{package}.example", "__package__": package}
    for info, text, _ in list_fences(name):
        if info == kind:
            exec(compile(text, name, "exec"), names)  # noqa: S102  (our own document)
    return names


def test_the_example_rule_finds_what_it_is_for(tmp_path: Path) -> None:
    """The rule of docs/adding.md works as it stands there."""
    folder = write_book(tmp_path, {"01-water.md": "# Water\n\nVery, very, very wet!!\n\nDry.\n"})
    book, _ = read_book(folder)

    found = list(list_python("docs/adding.md")["find_shouting"](Galley(book, date(2026, 8, 31))))

    assert ["chapters/01-water.md:3"] == [str(spot.place) for spot in found]


def test_the_example_letter_rule_finds_what_it_is_for() -> None:
    """So does the rule for letters, on the good letter with one long word."""
    files = {path.name: path.read_bytes() for path in (ROOT / "tests/letters/good").iterdir()}
    files["body.html"] = files["body.html"].replace(b"softer", b"softer" * 6)
    mail = read_mail("2026-03-02-moss", files, source="", chapters=())
    find = list_python("docs/adding.md", kind="python letter", package="pipeline.check.mail")[
        "find_long_words"
    ]

    assert ["build/issues/2026-03-02-moss/body.html:19"] == [str(place) for place, _ in find(mail)]


def test_the_example_format_renders(tmp_path: Path) -> None:
    """The format of docs/adding.md works as it stands there."""
    folder = write_book(tmp_path, {"01-water.md": "# Water\n\nMost plants want *more* water less often.\n"})
    book, layout = read_book(folder)
    settings = msgspec.defstruct("Settings", ["file_name"])("kitchen")

    edition = list_python("docs/adding.md")["render"](book, layout, settings)

    assert ["kitchen.txt"] == list(edition.files)
    assert b"Most plants want more water less often." in edition.files["kitchen.txt"]
