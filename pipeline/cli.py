"""The command `pipeline`: make books and letters from a folder of Markdown."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Optional

import typer

from .errors import DONE, PipelineError

app = typer.Typer(
    help="Make an e-book and a newsletter from one folder of Markdown chapters.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
_Folder = Annotated[Path, typer.Option("--book", help="The book's folder.", show_default="here")]


@app.callback()
def _start() -> None:
    """Make an e-book and a newsletter from one folder of Markdown chapters."""


def main() -> None:
    """Run the command; what an author must mend is said in plain sentences, and the exit code says so too."""
    try:
        app(standalone_mode=False)
    except PipelineError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    raise SystemExit(DONE)


@app.command()
def ebook(
    book: _Folder = Path(),
    edition: Annotated[str, typer.Option(help="Make this edition only.")] = "",
    formats: Annotated[Optional[list[str]], typer.Option("--format", help="pdf or epub; both when left out.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say how long each stage took.")] = False,
) -> None:
    """Make the PDF and the EPUB of every edition, into build/."""
    from .build import choose_editions, make_edition, open_manuscript, read_environment, write_editions

    started = time.perf_counter()

    def say(what: str) -> None:
        if verbose:
            print(f"{time.perf_counter() - started:6.2f} s  {what}", file=sys.stderr)

    manuscript = open_manuscript(book, epoch=read_environment())
    say("manuscript read")
    made = [e for table in choose_editions(manuscript.config, edition) for e in make_edition(manuscript, table, formats=formats or (), say=say)]
    for path in write_editions(book / "build", made):
        print(path)
    say("written")
