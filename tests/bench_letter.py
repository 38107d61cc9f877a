"""Measure how long a letter takes beside MJML: the same article, written for each as its authors write."""

from __future__ import annotations

import random
import shutil
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

from PIL import Image

from pipeline.build import open_manuscript
from pipeline.formats.issue import Issue
from pipeline.mail.markup import MailPicture, write_mail, write_notes
from pipeline.model import Node
from pipeline.newsletter import choose_mail, render_issue, resolve_mail
from tests.timing import Run, compare, invent_words, measure_call, measure_command, print_head

_MJML = Path(__file__).parents[1] / "build" / "bench" / "node_modules" / ".bin" / "mjml"
_RENDERS = 200
_SITE = "https://letters.example.org"
_CONFIG = f"""[book]
title = "A Small Book"
authors = [{{ name = "A. Author" }}]
language = "en-GB"
publisher = "Bench"
disclaimer = "This book gives general information and takes the place of nobody's advice."
cover = "none"

[newsletter]
site = "{_SITE}"
"""
_HEADER = """---
title: A long letter
summary: What an article of some length looks like, in words that nobody has to understand.
issue: 2026-05-04
---
"""


def report_letter(folder: Path, runs: int) -> None:
    """Print how long one letter takes in a process that has begun, and both ways beside MJML's command."""
    if not _MJML.exists():
        raise SystemExit("MJML is not there; run: make bench")
    write_book(folder)
    manuscript = open_manuscript(folder)
    book = resolve_mail(manuscript)
    (chapter,) = choose_mail(book)
    render = partial(render_issue, manuscript, book, chapter)
    issue = render()
    (folder / "letter.mjml").write_text(write_mjml(issue), "utf-8")
    theirs = partial(
        measure_command, [str(_MJML), str(folder / "letter.mjml"), "-o", str(folder / "mjml.html")]
    )
    theirs()
    sizes = (len(issue.files["body.html"]), (folder / "mjml.html").stat().st_size)
    print("one letter: {:,} words, 1 picture, {} notes; {:,} bytes of HTML, of MJML's {:,}".format(
        issue.taken.words, len(issue.taken.notes), *sizes,
    ))  # fmt: skip
    times = sorted(1000 * measure_call(render).wall for _ in range(_RENDERS))
    print(f"{f'rendered {_RENDERS} times, milliseconds':34}{statistics.median(times):9.1f} median"
          f"{statistics.mean(times):9.1f} mean{times[_RENDERS * 95 // 100]:9.1f} in 95 of 100")  # fmt: skip
    print_head()
    compare("letter, warm", lambda: measure_call(render), theirs, runs=runs, name="mjml")
    compare("letter, cold", lambda: render_cold(folder, issue), theirs, runs=runs, name="mjml")


def render_cold(folder: Path, issue: Issue) -> Run:
    """The command, for an issue that is not there yet; its picture is, as after the first time."""
    shutil.rmtree(folder / "build" / "issues" / issue.slug, ignore_errors=True)
    command = [sys.executable, "-m", "pipeline", "newsletter", "--book", str(folder), "--issue", issue.slug]
    return measure_command(command)


# -- the article


def write_book(folder: Path) -> None:
    """A book of one chapter, which is an issue, with a photograph."""
    (folder / "chapters" / "images").mkdir(parents=True)
    (folder / "book.toml").write_text(_CONFIG)
    (folder / "chapters" / "01-letter.md").write_text(_HEADER + invent_article(random.Random(1)), "utf-8")
    photograph = Image.effect_mandelbrot((1600, 1000), (-2.2, -1.2, 1.0, 1.2), 100)
    photograph.save(folder / "chapters" / "images" / "garden.jpg")


def invent_article(chance: random.Random) -> str:
    """Some 1,300 words in six sections, with links, notes, lists, a quotation, a table, a picture and a button."""
    vocabulary = invent_words(chance, 400)

    def say(count: int) -> str:
        return " ".join(chance.choices(vocabulary, k=count)).capitalize() + "."

    sections = [
        f"## {say(4)[:-1]}\n\n{say(66)}[^{n}] {say(14)}\n\n{say(32)} *{say(3)}* {say(20)} "
        f"[{say(3)[:-1]}](https://example.org/{n}) {say(35)}\n\n[^{n}]: {say(14)}\n"
        for n in range(1, 7)
    ]
    extras = [
        '![A garden, seen from above.](images/garden.jpg "The garden."){#fig:garden}\n',
        "\n".join(f"- {say(12)}" for _ in range(5)) + "\n",
        f"> {say(25)}\n>\n> -- {say(2)[:-1]}\n",
        "| Plant | Depth | Gap |\n|---|--:|---|\n"
        + "\n".join(f"| {say(2)} | {n} | {say(2)} |" for n in range(6))
        + "\n",
        "\n".join(f"{n}. {say(15)}" for n in range(1, 6)) + "\n",
        f"::: tip\n{say(40)}\n:::\n\n[{say(3)[:-1]}](https://example.org/more){{.button}}\n",
    ]
    return "\n".join(part for pair in zip(sections, extras, strict=True) for part in ("", *pair))


# -- the same in MJML

_MJML_HEAD = """<mj-head>
<mj-title>{title}</mj-title>
<mj-preview>{preheader}</mj-preview>
<mj-attributes>
<mj-all font-family="Georgia, serif" />
<mj-text font-size="18px" line-height="1.6" color="#1f2925" padding="0 24px 16px" />
<mj-image padding="8px 24px" />
<mj-button background-color="#1d5c57" color="#ffffff" font-size="18px" padding="8px 24px 24px" align="left" />
</mj-attributes>
<mj-style inline="inline">
h1 {{ font-size: 30px; line-height: 37px; font-weight: normal; margin: 0; }}
h2 {{ font-size: 24px; line-height: 31px; font-weight: normal; margin: 24px 0 0; }}
p {{ margin: 0; }}
a {{ color: #1d5c57; }}
blockquote {{ margin: 0; padding-left: 20px; border-left: 3px solid #b5683f; }}
table {{ width: 100%; border-collapse: collapse; }}
td, th {{ padding: 6px; text-align: left; }}
</mj-style>
</mj-head>"""


def write_mjml(issue: Issue) -> str:
    """The letter as a competent author writes it for MJML: a component for each block, the same words."""
    frame = issue.frame
    address = f"{_SITE}/{issue.slug}/images/"
    title = escape(frame.subject)
    body = [write_block(node, issue, address) for node in issue.taken.body]
    notes = write_notes(issue.taken.notes, frame.words)
    foot = [f"<p>{escape(line)}</p>" for line in frame.footer]
    links = "<br />".join(f'<a href="{escape(href)}">{escape(label)}</a>' for label, href in frame.links)
    text = [
        write_text("@@list_name@@"), write_text(f"<h1>{title}</h1>"),
        write_text(f"{escape(frame.date)} · {escape(frame.byline)}"), *body,
        write_text(f"<h2>{escape(frame.words['notes'])}</h2>{notes}"),
    ]  # fmt: skip
    return "\n".join([
        f'<mjml lang="{frame.language}" dir="{frame.direction}">',
        _MJML_HEAD.format(title=title, preheader=escape(frame.preheader)),
        '<mj-body width="600px" background-color="#f4f1ea">',
        write_section(text, "#fffdf8"), write_section([*map(write_text, foot), write_text(links)], "#f4f1ea"),
        "</mj-body>", "</mjml>",
    ])  # fmt: skip


def write_section(parts: Sequence[str], ground: str) -> str:
    inside = "\n".join(parts)
    return f'<mj-section background-color="{ground}"><mj-column>\n{inside}\n</mj-column></mj-section>'


def write_text(markup: str) -> str:
    return f"<mj-text>{markup.strip()}</mj-text>"


def write_block(node: Node, issue: Issue, address: str) -> str:
    """A picture and a button have a component of their own, everything else is text."""
    pictures = {picture.source: picture for picture in issue.pictures}

    def write(nodes: Sequence[Node]) -> str:
        return write_mail(
            nodes, issue.frame.words, picture=lambda image: pictures[image.attrs["src"]], address=address
        )

    images = [child for child in node.children if child.kind == "image"]
    if images:
        captions = [child for child in node.children if child.kind == "caption"]
        shown = [write_image(image, pictures[image.attrs["src"]], address) for image in images]
        return "\n".join([*shown, *(write_text(write([caption])) for caption in captions)])
    if [child.attrs.get("class") for child in node.children] == ["button"]:
        (link,) = node.children
        return f'<mj-button href="{escape(link.attrs["href"])}">{write(link.children)}</mj-button>'
    return write_text(write([node]))


def write_image(node: Node, picture: MailPicture, address: str) -> str:
    return f'<mj-image src="{address}{picture.name}" alt="{escape(node.attrs["alt"])}" width="{picture.width}px" />'
