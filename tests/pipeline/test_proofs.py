"""Proofs: a chapter alone is made as it is in the book, in a letter's every state, and follows the disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Event, Thread

import pypdfium2
import pytest

from pipeline.errors import ManuscriptError, Place
from pipeline.images import for_epub, for_print
from pipeline.layouts import HOMES
from pipeline.mail.sample import STATES, choose_scheme, fill, strip_style
from pipeline.preview.changes import Changes, find_roots, watch_book
from pipeline.preview.desk import Desk, Outdated
from pipeline.preview.pages import find_page_number, lay_out
from pipeline.preview.proofs import View, describe_trouble, make_proof

CASE = Path(__file__).parents[1] / "manuscripts"
TODAY = date(2026, 8, 31)
Writer = Callable[..., Path]
TWO = {"01-one.md": "# One\n\nFirst words.\n", "02-two.md": "# Two\n\nSecond words.\n"}


def never() -> None:
    """Call nothing off."""


def read_pages(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


# -- one chapter


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, build: Callable[..., object]) -> Path:
    """The folder of a book whose PDF was built."""
    built = build("everything")
    folder = built.book.folder  # type: ignore[attr-defined]
    (folder / "build").mkdir(exist_ok=True)
    for name, data in built.pdf.files.items():  # type: ignore[attr-defined]
        (folder / "build" / name).write_bytes(data)
    return Path(folder)


@pytest.mark.parametrize(
    "slug", ["dedication", "preface", "part-one", "words", "blocks", "pictures", "references"]
)
def test_a_chapter_alone_falls_on_pages_as_in_the_book(whole: Path, slug: str) -> None:
    """The same words on the same pages with the same numbers, only without the page numbers of other chapters."""
    proof = make_proof(whole, View(slug), today=TODAY)
    assert proof.print
    *_, pages = lay_out(proof.print, at_page=never)
    alone = read_pages(pages.document.write_pdf())
    printed = read_pages(proof.print.whole.read_bytes())
    with pypdfium2.PdfDocument(proof.print.whole) as pdf:
        labels = [pdf.get_page_label(number) for number in range(len(pdf))]
    first = labels.index(pages.about["pages"][0])

    assert pages.about["known"]
    assert labels[first : first + len(alone)] == pages.about["pages"]
    for ours, theirs in zip(alone, printed[first:], strict=False):
        missing = [word for word in theirs.split() if word not in ours]
        assert [] == [word for word in missing if "p." not in word and not word.strip("(),.").isdigit()]


def test_without_a_whole_build_numbers_begin_at_one(manuscript: Writer) -> None:
    """And the browser is told that they are a stand-in."""
    proof = make_proof(manuscript(TWO), View("two"), today=TODAY)
    assert proof.print
    *_, pages = lay_out(proof.print, at_page=never)

    assert {"pages": ["1"], "left": False, "known": False, "turn": 0} == pages.about


def test_a_broken_whole_build_is_no_hindrance(manuscript: Writer) -> None:
    """A file that is no PDF tells no page number, and nothing falls over."""
    folder = manuscript(TWO, files={"build/small.pdf": b"half a file"})

    assert 0 == find_page_number(folder / "build" / "small.pdf", "one")


def test_a_scrap_of_a_last_page_is_set_as_the_book_has_it(whole: Path) -> None:
    """The pages come at once as they fall, and once more when the end is mended."""
    proof = make_proof(whole, View("words"), today=TODAY)
    assert proof.print

    assert [0, 1] == [pages.about["turn"] for pages in lay_out(proof.print, at_page=never)]


def test_a_layout_can_be_called_off(manuscript: Writer) -> None:
    """Whoever is asked before each page may raise, and that ends it."""
    proof = make_proof(manuscript(TWO), View("one"), today=TODAY)
    assert proof.print

    def stop() -> None:
        raise Outdated

    with pytest.raises(Outdated):
        list(lay_out(proof.print, at_page=stop))


def test_a_chapter_that_is_gone_gives_way_to_the_first(manuscript: Writer) -> None:
    """A bookmark of a chapter that was renamed still shows something."""
    proof = make_proof(manuscript(TWO), View("three"), today=TODAY)

    assert "one" == proof.about["chapter"]


def test_the_choosers_hold_chapters_and_what_goes_by_mail_alone(manuscript: Writer) -> None:
    """An issue of its own can be chosen, has a letter, and stands in no book."""
    issue = "---\ntitle: Hello\ndate: 2026-05-01\n---\n\nDear reader.\n"
    folder = manuscript({**TWO, "issues/2026-05-01-hello.md": issue})
    proof = make_proof(folder, View("issues/hello"), today=TODAY)

    assert ["one", "two"] == [each["slug"] for each in proof.about["chapters"]]
    assert ["issues/hello"] == [each["slug"] for each in proof.about["mail"]]
    assert "Dear reader." in proof.files["letter/body.txt"].decode()
    assert proof.print is None


def test_another_layout_is_used_for_book_and_letter(manuscript: Writer) -> None:
    """The chooser stands above what book.toml says."""
    proof = make_proof(manuscript(TWO), View("one", "modern"), today=TODAY)
    assert proof.print

    assert ("modern", "modern") == (proof.about["layout"], proof.print.layout.name)


def test_findings_say_where_and_quote_the_line(manuscript: Writer) -> None:
    """An author without line numbers finds the place by its words."""
    chapters = {**TWO, "02-two.md": "# Two\n\nTODO write this.\n"}
    (finding,) = make_proof(manuscript(chapters), View("two"), today=TODAY).about["findings"]

    assert ("chapters/02-two.md:3", "TODO write this.", True) == tuple(
        finding[key] for key in ("place", "quote", "here")
    )


def test_what_is_sent_is_read_over_as_a_letter(manuscript: Writer) -> None:
    """A subject that shouts is told where the chapter is sent, and only there."""
    shouting = "---\ntitle: One\nissue:\n  date: 2026-05-01\n  subject: HURRY NOW!!\n---\n\nWords.\n"
    folder = manuscript({"01-one.md": shouting, "02-two.md": "# HURRY NOW!!\n\nWords.\n"})
    found = [make_proof(folder, View(slug), today=TODAY).about["findings"] for slug in ("one", "two")]

    assert [True, False] == [any(each["rule"] == "N037" for each in some) for some in found]


def test_trouble_of_any_kind_is_told_in_words(tmp_path: Path) -> None:
    """The manuscript's own faults, a file that went away, and a fault of ours."""
    told = [
        describe_trouble(error, tmp_path)[0]
        for error in (
            ManuscriptError("is wrong", Place("chapters/a.md", 3)),
            FileNotFoundError(2, "No such file", str(tmp_path / "chapters" / "b.md")),
            ZeroDivisionError("division by zero"),
        )
    ]

    assert ["chapters/a.md:3", "chapters/b.md", ""] == [each["place"] for each in told]
    assert "report it" in told[2]["message"]


# -- the states of a letter

ISSUE = {
    "issue.json": json.dumps(
        {
            "fields": {
                "first_name": {"type": "text", "default": "friend"},
                "list_name": {"type": "text", "default": ""},
                "unsubscribe_url": {"type": "url", "default": ""},
                "city": {"type": "text", "default": ""},
            }
        }
    ).encode(),
    "body.html": b"""<html><head><meta name="color-scheme" content="light dark">
<style>:root { color-scheme: light dark }</style>
<style>@media (prefers-color-scheme:dark){p{color:#fff!important}}</style></head>
<body><p>@@first_name@@ of @@list_name@@ in @@city@@</p><a href="@@unsubscribe_url@@">Leave</a>
<img src="https://letters.example.org/2026-05-01-hello/images/leaf-1a2b3c4d.jpg" alt="A leaf">
<img src="images/bark.jpg" alt=""></body></html>""",
    "body.txt": b"@@first_name@@ of @@list_name@@",
}


def test_a_letter_is_filled_for_one_reader() -> None:
    """With values, with defaults, with the field's name, always as text; links of fields lead nowhere."""
    html, text = fill(ISSUE, {"list_name": "Peas & Beans"})

    assert "<p>friend of Peas &amp; Beans in [city]</p>" in html
    assert '<a href="#">' in html
    assert "friend of Peas & Beans" == text


def test_pictures_are_found_beside_the_letter() -> None:
    """Wherever the letter says they are."""
    html, _ = fill(ISSUE, {})

    assert ['src="images/leaf-1a2b3c4d.jpg"', 'src="images/bark.jpg"'] == [
        word for word in html.split() if word.startswith("src=")
    ]


@pytest.mark.parametrize(("scheme", "holds"), [("dark", "(min-width: 0)"), ("light", "(max-width: 0)")])
def test_a_scheme_is_chosen_for_the_reader(scheme: str, holds: str) -> None:
    """The letter is light or dark whatever the browser's own choice."""
    shown = choose_scheme(ISSUE["body.html"].decode(), scheme)

    assert f"@media {holds}" in shown
    assert f'content="{scheme}"' in shown
    assert f"color-scheme: {scheme} }}" in shown


def test_style_elements_are_stripped() -> None:
    """All of them, and nothing else."""
    html = ISSUE["body.html"].decode()

    assert (2, 0) == (html.count("<style"), strip_style(html).count("<style"))
    assert strip_style(html).endswith("</body></html>")


def test_there_are_five_states() -> None:
    """The page of the preview and the documents name the same five."""
    page = (Path(__file__).parents[2] / "pipeline/preview/page/page.js").read_text("utf-8")

    assert ["light", "dark", "forced-dark", "no-pictures", "no-style"] == [*STATES]
    assert all(f'"{state}": [' in page for state in STATES)


# -- following the disk


def test_a_save_is_noticed_wherever_it_is(manuscript: Writer) -> None:
    """In a chapter, in book.toml, and in a folder that came later; what is built is not looked at."""
    folder = manuscript(TWO)
    (folder / "build").mkdir()
    noticed = Event()
    Thread(target=watch_book, args=(folder, noticed.set), daemon=True).start()

    def save(name: str) -> bool:
        for attempt in range(40):  # the watch begins a moment after the thread
            noticed.clear()
            (folder / name).write_text(f"Saved {attempt} times.")
            if noticed.wait(0.5):
                return True
        return False

    assert save("chapters/01-one.md")
    assert save("book.toml")
    (folder / "layouts" / "mine").mkdir(parents=True)
    assert [True] * 3 == [save("layouts/mine/layout.toml") for _ in range(3)]  # one may be the folder itself


def test_what_is_built_is_not_followed(manuscript: Writer) -> None:
    """Else a preview that writes its cache would follow itself for ever."""
    folder = manuscript(TWO, files={"build/cache/a": b"", ".git/b": b"", "layouts/c": b""})

    assert {folder / "chapters", folder / "layouts"} == set(find_roots(folder)) - set(HOMES)


def test_the_same_view_is_made_once(manuscript: Writer) -> None:
    """Two windows on one chapter cost no more than one; after a save it is made anew."""

    async def look() -> list[int]:
        changes = Changes()
        desk = Desk(manuscript(TWO), changes, today=TODAY)
        views = [(View("one"), 0), (View("one"), 0), (View("two"), 0), (View("one"), 1)]
        return [(await desk.make(view, stamp)).number for view, stamp in views]

    assert [1, 1, 2, 3] == asyncio.run(look())


def test_pages_of_an_outdated_proof_are_not_laid_out(manuscript: Writer) -> None:
    """A save meanwhile calls them off."""

    async def look() -> None:
        changes = Changes()
        desk = Desk(manuscript(TWO), changes, today=TODAY)
        made = await desk.make(View("one"), changes.count)
        changes.note()
        async for _ in desk.lay_out(made):
            pass

    with pytest.raises(Outdated):
        asyncio.run(look())


def test_old_proofs_are_let_go(manuscript: Writer) -> None:
    """A day of writing fills no memory."""

    async def look() -> list[bool]:
        desk = Desk(manuscript(TWO), Changes(), today=TODAY)
        numbers = [(await desk.make(View("one"), stamp)).number for stamp in range(9)]
        return [holds(desk, number) for number in numbers]

    def holds(desk: Desk, number: int) -> bool:
        try:
            return bool(desk.find(number))
        except LookupError:
            return False

    assert [False] * 3 + [True] * 6 == asyncio.run(look())


# -- pictures are not made again


def test_a_picture_is_made_anew_only_when_it_changed(tmp_path: Path) -> None:
    """A preview with photographs follows as fast as one without."""
    source = CASE / "everything" / "chapters" / "images" / "square.png"
    path = tmp_path / "square.png"
    path.write_bytes(source.read_bytes())
    first, again = for_epub(path, "A square"), for_epub(path, "A square")
    for_print(path, "A square")
    (tmp_path / "other.png").write_bytes((CASE / "letter" / "chapters" / "images" / "bark.png").read_bytes())
    (tmp_path / "other.png").replace(path)

    assert first is again
    assert first.data != for_epub(path, "A square").data


def test_findings_come_with_the_proof(manuscript: Writer) -> None:
    """What the text of this chapter says wrong, and what the book does; waivers hold in every chapter."""
    folder = manuscript(
        {
            "01-one.md": "# One\n\nWater the the pot.\n",
            "02-two.md": "# Two\n\n<!-- off M045: a test -->\nGo [here](https://example.org), and and the rest.\n",
        }
    )
    proof = make_proof(folder, View(chapter="one"), today=date(2026, 11, 1))

    assert [("chapters/01-one.md:3:7", "T017")] == [(f["place"], f["rule"]) for f in proof.about["findings"]]
