"""Take pictures of letters as readers may meet them, for a last look and to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from ..files import write_atomically
from ..formats.issue import PREVIEW, Issue
from ..mail.sample import choose_scheme, fill, read_sender, strip_style
from ..snapshots import Shot, open_browser, take_picture

WIDTHS = (375, 600)  # CSS pixels: a phone, and the widest that a letter is


@dataclass(frozen=True, slots=True)
class State:
    """A way in which a letter is met: what becomes of it, and how it is looked at."""

    change: Callable[[str], str] = lambda html: html
    dark: bool = False
    forced: bool = False
    pictures: bool = True


#: State -> how it comes about (mail rule M45). Where colours are forced, nobody asks the letter for its own.
STATES: Mapping[str, State] = MappingProxyType(
    {
        "light": State(),
        "dark": State(dark=True),
        "forced-dark": State(lambda html: choose_scheme(html, "light"), forced=True),
        "no-pictures": State(pictures=False),
        "no-style": State(strip_style),
    }
)


def write_pictures(folder: Path, paths: Sequence[Path], issues: Sequence[Issue]) -> None:
    """Put pictures of each issue into the folder `preview/` of its path; `folder` is the book's."""
    for path, album in zip(paths, take_pictures(issues, read_sender(folder)), strict=True):
        for name, data in album.items():
            write_atomically(path / PREVIEW / name, data)


def take_pictures(issues: Sequence[Issue], sender: Mapping[str, str]) -> list[Mapping[str, bytes]]:
    """For each issue its pictures by file name, such as `dark-375.png`.

    `sender` holds values of merge fields. Raises PipelineError saying what to install.
    """
    taken: list[dict[str, bytes]] = [{} for _ in issues]
    for forced in (False, True):
        with open_browser(forced_dark=forced) as browser:
            for album, issue in zip(taken, issues, strict=True):
                html, _ = fill(issue.files, sender)
                inside = {PurePosixPath(path).name: data for path, data in issue.files.items()}
                for name, state in STATES.items():
                    for width in WIDTHS if state.forced is forced else ():
                        shot = Shot(width, dark=state.dark, pictures=state.pictures)
                        album[f"{name}-{width}.png"] = take_picture(browser, state.change(html), inside, shot)
    return [dict(sorted(album.items())) for album in taken]
