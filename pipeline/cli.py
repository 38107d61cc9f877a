"""The command `pipeline`: make books and letters from a folder of Markdown."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import DONE, MUST_ACT, TRY_LATER, PipelineError, Place

app = typer.Typer(
    help="Make an e-book and letters from one folder of Markdown chapters.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_Book = Annotated[Path, typer.Option("--book", metavar="DIR", help="The book's folder; here when left out.")]
_Edition = Annotated[str, typer.Option("--edition", metavar="NAME", help="Only this edition of book.toml.")]
_Verbose = Annotated[bool, typer.Option("--verbose", help="Say how long each stage took.")]


def main() -> None:
    """Run the command: what the author must mend is said in plain sentences, and by the exit code."""
    try:
        app()
    except PipelineError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:  # a full disk, a folder that may not be written: nothing of the book is to blame
        print(
            f"{error.filename or 'build'}: {error.strerror or error}; the last good book is still there",
            file=sys.stderr,
        )
        raise SystemExit(TRY_LATER) from None
    except KeyboardInterrupt:
        print("stopped; what was made before is still there", file=sys.stderr)
        raise SystemExit(MUST_ACT) from None


@app.callback()
def _begin() -> None:
    """Make an e-book and letters from one folder of Markdown chapters.

    Exit codes: 0 done, 1 something for you to mend, 2 a wrong command line, 75 try later.
    """


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must not exist yet.")],
) -> None:
    """Begin a book: a folder with a small book in it to write over.

    Example: pipeline new mybook && cd mybook && pipeline ebook
    """
    from .starter import begin_book

    begin_book(folder, today=_today())
    print(f"{folder} is begun. Next: cd {folder} && pipeline ebook")


@app.command()
def check(
    book: _Book = Path(),
    edition: _Edition = "",
    judges: Annotated[
        bool, typer.Option("--judges", help="Also have the finished files judged from outside.")
    ] = False,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="text|json|github|html",
            help="How findings are told.",
        ),
    ] = "text",
    advice: Annotated[bool, typer.Option("--advice", help="Also say what may be better.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the addresses whether they still answer.")
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages", help="Also lay the book out and look at its pages.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: show the changes, make none.")
    ] = False,
) -> None:
    """Read the manuscript and its letters over: type, structure, pictures, links, words, sources.

    Examples: pipeline check; pipeline check --advice; pipeline check --fix --dry-run
    """
    from .proofread import judge_outputs, read_over
    from .proofread.reports import choose_report, count

    report = choose_report(form)
    if fix:
        _fix(book, edition, dry_run=dry_run)
    read = read_over(book, edition, today=_today(), pages=pages or form == "html", online=online)
    found = read.findings
    shown = [finding for finding in found if advice or finding.severity != "advice"]
    if text := report(read, shown):
        print(text)
    if form == "text" and len(shown) < len(found):
        _warn(f"and {count([each for each in found if each not in shown])}; --advice shows them")
    failed = any(finding.severity == "error" for finding in found)
    if judges:
        table, passed = judge_outputs(book)
        print(table)
        failed = failed or not passed
    raise SystemExit(MUST_ACT if failed else DONE)


def _fix(book: Path, edition: str, *, dry_run: bool) -> None:
    """Mend the book's files, or show how; a dry run ends here."""
    from .proofread.mend import mend_book, show_changes, write_files

    before, after = mend_book(book, edition, today=_today())
    if dry_run:
        print(show_changes(before, after) or "nothing to mend")
        raise SystemExit(DONE)
    write_files(book, after)
    for path in after:
        print(f"mended {path}")


@app.command()
def ebook(
    book: _Book = Path(),
    edition: _Edition = "",
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="pdf|epub|print|archive|onix", help="Only this format."),
    ] = None,
    for_print: Annotated[
        bool, typer.Option("--print", help="Make what a printing house wants: the pages and the cover.")
    ] = False,
    archive: Annotated[
        bool, typer.Option("--archive", help="Make a PDF that is to last: PDF/A-3a and PDF/UA-1.")
    ] = False,
    stores: Annotated[
        list[str] | None,
        typer.Option("--store", metavar="kindle|kobo|apple", help="Also an EPUB as this shop wants it."),
    ] = None,
    verbose: _Verbose = False,
) -> None:
    """Make the PDF and the EPUB of every edition in build/.

    Examples: pipeline ebook; pipeline ebook --edition sample --format epub; pipeline ebook --edition full --print
    """
    asked = [*(formats or ()), *["print"] * for_print, *["archive"] * archive]
    gc.disable()  # a build is short: looking for garbage costs it a tenth of its time and finds none
    from .build import choose_editions, make_edition, open_manuscript, write_editions

    with _watch(verbose=verbose) as say:
        manuscript = open_manuscript(book, epoch=os.environ.get("SOURCE_DATE_EPOCH"))
        tables = choose_editions(manuscript.config, edition)
        made = [
            one
            for table in tables
            for one in make_edition(
                manuscript, table, formats=asked, stores=stores or (), say=say, warn=_warn
            )
        ]
        paths = write_editions(manuscript.folder / "build", made)
        paths += _convert_for_kindle(paths, say)
    for path in paths:
        print(path.relative_to(manuscript.folder))


def _convert_for_kindle(paths: Sequence[Path], say: Callable[[str], None]) -> tuple[Path, ...]:
    """An AZW3 beside each EPUB for Kindle, where calibre is installed."""
    from .calibre import convert, find_calibre

    epubs = [path for path in paths if path.name.endswith(".kindle.epub")]
    program = find_calibre() if epubs else ""
    if epubs and not program:
        _warn("no AZW3 was made, for calibre is not installed; KDP takes the EPUB as well")
    made = []
    for epub in epubs if program else ():
        made.append(epub.with_name(epub.name.removesuffix(".kindle.epub") + ".azw3"))
        say(made[-1].name)
        convert(program, epub, made[-1])
    return tuple(made)


@app.command()
def preflight(book: _Book = Path()) -> None:
    """Look every EPUB in build/ over as its shop will, and write a sheet beside it.

    A sheet says what was checked, by whom, and what a person must still look at.

    Example: pipeline ebook --store kindle && pipeline preflight
    """
    from .files import write_atomically
    from .preflight import write_sheet

    build = book.resolve() / "build"
    epubs = sorted(build.glob("*.epub"))
    if not epubs:
        raise PipelineError("there is no EPUB; run `pipeline ebook` first", Place("build"))
    failed = False
    for path in epubs:
        sheet, passed = write_sheet(path)
        write_atomically(path.with_name(f"{path.stem}.preflight.md"), sheet.encode())
        print(sheet)
        failed = failed or not passed
    raise SystemExit(MUST_ACT if failed else DONE)


@app.command()
def newsletter(
    book: _Book = Path(),
    issue: Annotated[str, typer.Option("--issue", metavar="NAME", help="Only this issue or letter.")] = "",
    pictures: Annotated[
        bool, typer.Option("--preview", help="Also write pictures of each into its folder preview/.")
    ] = False,
    verbose: _Verbose = False,
) -> None:
    """Write issues and letters for the outbox to deliver to build/issues and build/letters, the site to build/site.

    The site holds all issues, so --issue leaves it alone.

    Examples: pipeline newsletter; pipeline newsletter --issue immune-system-and-cancer --preview
    """
    gc.disable()  # as for a book
    from .build import open_manuscript
    from .files import update_folder
    from .newsletter import NO_SITE, make_issues, make_pages, resolve_mail, write_issues
    from .proofread import read_letters

    with _watch(verbose=verbose) as say:
        manuscript = open_manuscript(book, epoch=os.environ.get("SOURCE_DATE_EPOCH"))
        build = manuscript.folder / "build"
        say("issues")
        mail = resolve_mail(manuscript)
        issues = make_issues(manuscript, only=issue, book=mail)
        say("check")
        findings = read_letters(mail, issues, off=manuscript.config.check.off)
        for notice in (*(notice for made in issues for notice in made.notices), *findings):
            _warn(str(notice))
        if any(finding.severity == "error" for finding in findings):
            _warn(
                "no letter was written; mend the errors, and until then what was made before is still there"
            )
            raise SystemExit(MUST_ACT)
        paths = write_issues(build, issues, all_of_them=not issue)
        if not issue:
            say("site")
            update_folder(build / "site", make_pages(manuscript, mail, issues))
            paths = (*paths, build / "site" / "index.html")
    if not issues:
        _warn("nothing goes out by mail; write issue: 2026-08-31 in a chapter's header")
    elif not issue and not manuscript.config.newsletter.site:
        _warn(NO_SITE)
    for path in paths:
        print(path.relative_to(manuscript.folder))
    if pictures:
        from .preview.pictures import write_pictures

        with _watch(verbose=verbose) as say:
            say("pictures of the letters")
            write_pictures(manuscript.folder, paths[: len(issues)], issues)


@app.command()
def preview(
    book: _Book = Path(),
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=0, max=65535, help="The port; else the next free one."),
    ] = None,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Show a chapter in every output, in a browser on this machine, made anew whenever you save.

    Examples: pipeline preview; pipeline preview --port 9000 --no-open
    """
    from .preview.server import serve

    serve(book, port=port, show=show, say=partial(print, flush=True), today=_today())


def _today() -> date:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)).date()


def _warn(message: str) -> None:
    print(message, file=sys.stderr)


class _watch:  # noqa: N801  (used as a context manager, like a function)
    """Tell what is being made: timings with --verbose, a spinner where someone is looking."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._started = time.perf_counter()
        self._spinner: Any = None

    def __enter__(self) -> Callable[[str], None]:
        if not self._verbose and sys.stderr.isatty():
            from rich.console import Console

            self._spinner = Console(stderr=True).status("reading the manuscript")
            self._spinner.__enter__()
        return self._say

    def _say(self, stage: str) -> None:
        if self._verbose:
            print(f"{time.perf_counter() - self._started:7.2f} s  {stage}", file=sys.stderr)
        elif self._spinner:
            self._spinner.update(stage)

    def __exit__(self, *problem: object) -> None:
        if self._spinner:
            self._spinner.__exit__(*problem)
        elif self._verbose:
            self._say("done")
