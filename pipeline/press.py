"""Put sections on pages: no note is lost, and no chapter ends in a scrap of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import LayoutError
from .sections import Section
from .typeset import Sheet, Type, count_last_lines, lay_out

if TYPE_CHECKING:
    from weasyprint import Document


@dataclass(frozen=True, slots=True)
class Press:
    """Puts sections on pages; `at_page` is called before each page and may raise to call it off.

    A part of a book printed `alone` may point at what is not there.
    """

    make_sheet: Callable[[Sequence[Section]], Sheet]
    kind: Type
    alone: bool = False
    at_page: Callable[[], None] = lambda: None

    def print(self, sections: Sequence[Section], *, alone: bool = False, thorough: bool = False) -> Document:
        sheet = self.make_sheet(sections)
        return lay_out(sheet, self.kind, alone=alone or self.alone, thorough=thorough, at_page=self.at_page)


_NOTE = re.compile(r'<span class="footnote" id="([^"]+)"')
_TRIES = 5


def lay_out_whole(press: Press, sections: tuple[Section, ...]) -> tuple[Document, tuple[Section, ...]]:
    """Pages that hold every note, and the sections as they were set for it.

    WeasyPrint 70 can drop a note that it moves from one page to the next. Then every page is
    made anew in each round, and a paragraph that still loses its note is kept whole. Raises
    LayoutError when a note is lost all the same.
    """
    for attempt in range(_TRIES):
        document = press.print(sections, thorough=attempt > 0)
        lost = find_lost_notes(document, sections)
        if not lost:
            return document, sections
        if attempt == 0:
            continue
        sections = tuple(replace(section, markup=_keep_whole(section.markup, lost)) for section in sections)
    raise LayoutError(
        f"{len(lost)} notes find no place on the pages ({lost[0]}); change the page or the type size"
    )


def find_lost_notes(document: Document, sections: Sequence[Section]) -> list[str]:
    """Ids of notes that are in the text and on no page."""
    printed = {name for page in document.pages for name in page.anchors}
    return [name for section in sections for name in _NOTE.findall(section.markup) if name not in printed]


def _keep_whole(markup: str, notes: Sequence[str]) -> str:
    """The block around each note is not broken any more."""
    for name in notes:
        mark = markup.find(f'<span class="footnote" id="{name}"')
        start = max(
            markup.rfind(f"<{tag}", 0, max(mark, 0)) for tag in ("p>", "p ", "li>", "li ", "dd>", "tr>")
        )
        if mark >= 0 and start >= 0:
            end = start + len(re.match(r"<\w+", markup[start:])[0])  # type: ignore[index]
            markup = f'{markup[:end]} style="break-inside: avoid"{markup[end:]}'
    return markup


#: Classes tried in turn on a chapter whose last page would hold too few lines (rule P08).
FITS = ("tight", "tighter", "loose", "looser")
_FEWEST_LINES = 4


def fit(press: Press, document: Document, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections, those that end in a scrap of a page set a little closer or wider.

    Each is tried alone: a chapter begins on a new page, so no other one changes.
    """
    depths = count_last_lines(document, [section.slug for section in sections])
    fitted = []
    for section in sections:
        if depths.get(section.slug, _FEWEST_LINES) < _FEWEST_LINES and not section.front:
            tries = (replace(section, markup=_add_class(section.markup, name)) for name in FITS)
            section = next((some for some in tries if _ends_well(some, press)), section)  # noqa: PLW2901
        fitted.append(section)
    return tuple(fitted)


def _ends_well(section: Section, press: Press) -> bool:
    document = press.print([section], alone=True)
    return count_last_lines(document, [section.slug]).get(section.slug, _FEWEST_LINES) >= _FEWEST_LINES


def _add_class(markup: str, name: str) -> str:
    return markup.replace('<section class="', f'<section class="{name} ', 1)
