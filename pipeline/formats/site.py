"""Issues -> the site: an archive, a page for each issue and each chapter to read on in, and feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import groupby
from urllib.parse import urlsplit

from ..directions import find_direction
from ..layouts import Layout
from ..model import Node
from ..web.feeds import FEEDS, Channel, Entry, clean, write_feeds
from ..web.markup import FEED_RULES, WEB_RULES, write_notes, write_web
from ..web.page import Page, fill_fields

#: Issues that an archive lists in one row before it is cut at the years.
_MANY = 12
_NEWEST = 20  # entries of a feed


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What a site is told beside its pages: `name` is the list's, `language` that of the archive (BCP 47).

    `address` is where the site will be found (`https://letters.example.org`). Without one
    there are no feeds, for they need whole addresses, and pages have no canonical link and no
    picture for those who link to them. `sign_up` is the address of a page where one subscribes.
    """

    name: str
    language: str
    address: str = ""
    description: str = ""
    sign_up: str = ""


def make_site(
    issues: Sequence[Page], layout: Layout, settings: SiteSettings, *, aside: Sequence[Page] = ()
) -> Mapping[str, bytes]:
    """Every file of the site by its path; what a page needs stands before it, the archive and feeds last.

    Pages `aside` stand in no archive and no feed: chapters to read on in, issues that are not
    for everybody. A pure function of its arguments. Raises LayoutError for a template or style
    sheet that cannot be filled.
    """
    newest_first = sorted(map(fill_fields, issues), key=lambda page: (page.day, page.path), reverse=True)
    aside = [fill_fields(page) for page in aside]
    maker = _Maker(layout, settings, feeds=bool(settings.address and issues))
    files: dict[str, bytes] = {"site.css": write_css(layout)}
    for page in [*aside, *newest_first]:
        files |= {f"{page.path}/images/{picture.name}": picture.data for picture in page.pictures}
    files |= {f"{page.path}/index.html": maker.write_page(page) for page in aside}
    for newer, page, older in zip(
        [None, *newest_first], newest_first, [*newest_first[1:], None], strict=False
    ):
        files[f"{page.path}/index.html"] = maker.write_page(page, newer=newer, older=older)
    files["404.html"] = maker.write_missing()
    files["index.html"] = maker.write_archive(newest_first)
    files |= maker.write_feeds(newest_first[:_NEWEST]) if maker.feeds else {}
    return files


def write_css(layout: Layout) -> bytes:
    """The style sheet; colours are CSS variables there, so that the dark ones take their places on a screen."""
    names = [name for name in layout.tokens if f"dark-{name}" in layout.tokens]
    kept = {name: f"var(--{name})" for name in names}
    css = replace(layout, tokens={**layout.tokens, **kept}).read_css("site/site.css")
    used = [name for name in names if kept[name] in css]
    light, dark = (
        "".join(f"--{name}:{layout.tokens[prefix + name]};" for name in used) for prefix in ("", "dark-")
    )
    at_night = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{color-scheme:light dark;{light}}}\n{at_night}\n{css}\n".encode()


@dataclass(frozen=True, slots=True)
class _Maker:
    layout: Layout
    settings: SiteSettings
    feeds: bool

    @property
    def address(self) -> str:
        """Where the site is, with a slash at the end; empty when nobody knows."""
        return f"{self.settings.address.rstrip('/')}/" if self.settings.address else ""

    # -- pages

    def write_page(self, page: Page, *, newer: Page | None = None, older: Page | None = None) -> bytes:
        words, text, root = page.frame.words, page.text, "../" * (page.path.count("/") + 1)

        def write(nodes: Sequence[Node]) -> str:
            return write_web(
                nodes, words, rules=WEB_RULES, pictures=page.pictures, address="images/",
                link=lambda node: self._find(node.attrs["href"], root),
            )  # fmt: skip

        return self._fill(
            "issue", kind="issue", language=page.frame.language, words=words, root=root,
            path=page.path, page=page, frame=page.frame, newer=newer, older=older,
            items=text.items, heading=write(text.title), body=write(text.body),
            notes=write_notes(text.notes, words, rules=WEB_RULES), sources=write(text.sources),
        )  # fmt: skip

    def _find(self, href: str, root: str) -> str:
        """The way to `href`, which is shorter inside the site, and works before it is online."""
        if not self.address or not href.startswith(self.address):
            return href
        path = href.removeprefix(self.address)
        return f"{root}{path}index.html" if path.endswith("/") or not path else root + path

    def write_archive(self, issues: Sequence[Page]) -> bytes:
        years = [(year, [*pages]) for year, pages in groupby(issues, key=lambda page: page.day.year)]
        groups = years if len(issues) > _MANY else [("", issues)]
        return self._fill_own("archive", groups=groups if issues else [], root="", path="")

    def write_missing(self) -> bytes:
        """The page for addresses that lead nowhere: it is shown anywhere, so it names its files from the top."""
        return self._fill_own("missing", root=f"{urlsplit(self.settings.address).path.rstrip('/')}/")

    def _fill_own(self, template: str, **values: object) -> bytes:
        language = self.settings.language
        words = self.layout.read_words(language)
        return self._fill(template, kind=template, language=language, words=words, **values)

    def _fill(self, template: str, *, language: str, **values: object) -> bytes:
        return (
            self.layout.fill(
                f"site/{template}.html.j2", language=language, direction=find_direction(language),
                site=self.settings, address=self.address,
                feeds=[(name, kind, label) for name, (kind, label, _) in FEEDS.items()] if self.feeds else [],
                **values,
            ).strip() + "\n"
        ).encode()  # fmt: skip

    # -- feeds

    def write_feeds(self, issues: Sequence[Page]) -> dict[str, bytes]:
        settings = self.settings
        entries = [self._make_entry(page) for page in issues]
        return write_feeds(
            Channel(settings.name, settings.description, settings.language, self.address, entries)
        )

    def _make_entry(self, page: Page) -> Entry:
        address = f"{self.address}{page.path}/"
        return Entry(
            address=address, title=page.title, summary=page.summary, content=self._write_content(page, address),
            at=datetime.combine(page.day, time(12), UTC), language=page.frame.language,
            picture=f"{address}images/{page.shown.picture.name}" if page.shown else "",
        )  # fmt: skip

    def _write_content(self, page: Page, address: str) -> str:
        words, text = page.frame.words, page.text

        def write(nodes: Sequence[Node]) -> str:
            return write_web(
                nodes, words, rules=FEED_RULES, pictures=page.pictures, address=f"{address}images/"
            )

        notes = write_notes(text.notes, words, rules=FEED_RULES, back=False)
        markup = self.layout.fill(
            "site/entry.html.j2", site=self.settings, frame=page.frame, words=words, body=write(text.body), notes=notes,
            sources=write(text.sources),
        )  # fmt: skip
        return clean(markup)
