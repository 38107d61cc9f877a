"""The archive: issues as anybody may read them, with a search, their pictures, and the feeds of the site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from outbox.archive import MAX_QUERY, Entry, Found, make_entry, read_for_anybody, search
from outbox.issue import parse
from outbox.mailing import MEDIA_TYPES
from outbox.model import Issue
from outbox.store import Tx, issues

from .desk import WebDesk

#: What the pipeline's site has for feed readers, and what each file is.
FEEDS: Mapping[str, str] = MappingProxyType(
    {
        "feed.xml": "application/rss+xml",
        "atom.xml": "application/atom+xml",
        "feed.json": "application/feed+json",
    }
)
#: A letter brings its styles inside; nothing else may run, load or be sent from its page.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'{site}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
#: What is frozen never changes. Mail programs in a browser show pictures from elsewhere.
PICTURE_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "cross-origin-resource-policy": "cross-origin",
}
BODY = re.compile(r"(<body\b[^>]*>)", re.IGNORECASE)
MANY = 12  # issues in one row before it is cut at the years


def routes(desk: WebDesk) -> list[Route]:
    """The archive, a page for each issue, its pictures, and the feeds as far as the site has any."""
    archive = _Archive(desk)
    feeds = [Route(f"/{name}", archive.show_feed) for name in FEEDS]
    return [
        Route("/archive", archive.show),
        Route("/issues/{slug}/", archive.show_issue),
        Route("/issues/{slug}/images/{name}", archive.show_picture),
        *feeds,
    ]


def _add_landmark(html: str) -> str:
    """A letter as a page: mail programs bring what is round a letter themselves, a page says where its text is."""
    if "<main" in html:
        return html
    return BODY.sub(r"\1<main>", html, count=1).replace("</body>", "</main></body>")


def _cut_at_years(found: Sequence[Found], *, whole: bool) -> list[tuple[int | None, list[Found]]]:
    """Groups with a year each, where it is the whole of a long archive."""
    if len(found) <= MANY or not whole:
        return [(None, [*found])] if found else []
    return [(year, [*some]) for year, some in groupby(found, key=lambda one: one.entry.day.year)]


@dataclass(frozen=True, slots=True)
class _Archive:
    desk: WebDesk
    known: dict[str, Entry | None] = field(default_factory=dict)

    async def show(self, request: Request) -> Response:
        """Every public issue, or those that have what is searched for."""
        query = request.query_params.get("q", "").strip()[:MAX_QUERY]
        found = search(await self.desk.read(self._read_all), query)
        site = self.desk.settings.site
        return self.desk.show(
            "archive", query=query, number=len(found), groups=_cut_at_years(found, whole=not query),
            feeds=[(name, kind) for name, kind in FEEDS.items() if (self._site / name).is_file()],
            home=f"{site}/" if site else f"{self.desk.root}issues/",
        )  # fmt: skip

    async def show_issue(self, request: Request) -> Response:
        """The letter itself, as one reads it who is nobody in particular."""
        slug = request.path_params["slug"]
        issue = await self.desk.read(lambda tx: self._read(tx, slug))
        if issue is None:
            raise HTTPException(404)
        site = f" {self.desk.settings.site}/" if self.desk.settings.site else ""
        read = read_for_anybody(issue, self.desk.settings.envelope)
        return HTMLResponse(
            _add_landmark(read.html), headers={"content-security-policy": LETTER_POLICY.format(site=site)}
        )

    async def show_picture(self, request: Request) -> Response:
        """A picture of an issue: looked up by its name in the database, never on the disk."""
        slug, name = request.path_params["slug"], request.path_params["name"]
        content = await self.desk.read(lambda tx: issues.find_file(tx, slug, f"images/{name}"))
        kind = MEDIA_TYPES.get(name.rpartition(".")[2].lower())
        if content is None or kind is None:
            raise HTTPException(404)
        etag = {"etag": f'"{sha256(content).hexdigest()[:32]}"'}
        return Response(content, media_type=kind, headers={**PICTURE_HEADERS, **etag})

    async def show_feed(self, request: Request) -> Response:
        """A feed as `pipeline newsletter` wrote it."""
        name = request.url.path.rpartition("/")[2]
        path = self._site / name
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=FEEDS[name], headers={"cache-control": "public, max-age=900"})

    @property
    def _site(self) -> Path:
        """Where the pipeline puts the site: beside the issues."""
        return self.desk.settings.issues.parent / "site"

    def _read_all(self, tx: Tx) -> list[Entry]:
        """The public issues, the newest first; what was read once is kept, for it never changes."""
        gone = issues.find_gone_out(tx)
        for slug, day in gone:
            if slug not in self.known:
                issue = parse(*issues.load(tx, slug), slug)
                self.known[slug] = make_entry(issue, day, self.desk.settings.envelope)
        return [entry for slug, _ in gone if (entry := self.known[slug])]

    def _read(self, tx: Tx, slug: str) -> Issue | None:
        """An issue that somebody has got already; None for any other."""
        gone = dict(issues.find_gone_out(tx))
        return parse(*issues.load(tx, slug), slug) if slug in gone else None
