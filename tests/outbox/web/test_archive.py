"""Anybody may read what went out to everybody, search in it, and learns nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox import issue as issues
from outbox import mailing, worker
from outbox.archive import Entry, fold, search
from outbox.desk import Desk
from outbox.model import Account, Envelope
from outbox.providers.file import File
from outbox.store import Store
from outbox.timing import Timing
from tests.outbox.web.conftest import Clock, Door, OpenDoor

IssueMaker = Callable[..., Path]
DAY = timedelta(days=1)
FOOT = "\n---\n\n@@unsubscribe_url@@\n@@postal_address@@\n"
SLEEP = f"Sleep well\n\nDear @@first_name@@, Müdigkeit is no weakness. Rest <early> & often.{FOOT}"


@pytest.fixture
def send(
    store: Store, make_issue: IssueMaker, envelope: Envelope, clock: Clock, tmp_path: Path
) -> Callable[..., str]:
    """Make an issue and send it to everybody; `at` is later than now, or now."""

    def send_(slug: str, *, at: datetime | None = None, segment: str = "", **changes: object) -> str:
        folder = make_issue(slug=slug, segment=segment, **changes)
        with store.begin() as tx:
            mailing.freeze(
                tx, issues.read(folder), envelope, provider="file", max_batch=1, on_unknown="hold",
                send_id=f"{slug}-send", now=clock.now, timing=Timing(at) if at else None,
                segments={"carers": '"carer" in tags'},
            )  # fmt: skip
        worker.run(Desk(store, File(Account(tmp_path / "mail", {}))), clock)
        return slug

    return send_


@pytest.fixture
def shop(send: Callable[..., str], store: Store, open_door: OpenDoor, clock: Clock) -> Iterator[Door]:
    """A list that has sent two issues, and one that is for tomorrow."""
    send("2026-02-01-sleep", text=SLEEP, subject="Sleep, @@first_name@@", preheader="An easier night")
    clock.now += DAY
    send("2026-02-08-walk", subject="A walk", preheader="Ten minutes <are> enough")
    send("2026-02-15-tomorrow", subject="Tomorrow", at=clock.now + DAY)
    with open_door(store) as opened:
        yield opened


def titles(page: str) -> list[str]:
    """What the archive lists."""
    return [unescape(one) for one in re.findall(r"<h[23]><a [^>]*>(.*?)</a></h[23]>", page)]


def test_the_archive_lists_what_went_out(shop: Door) -> None:
    """The newest first, with date, title and summary; what waits for its day is not there."""
    page = shop.get("/archive").text

    assert ["A walk", "Sleep, friend"] == titles(page)
    assert "2 March 2026" in page
    assert "Ten minutes &lt;are&gt; enough" in page
    assert "tomorrow" not in page.lower()


def test_an_issue_is_read_as_by_anybody(shop: Door) -> None:
    """No name, no token, nothing that acts for one person; the way out leads to where one asks for a link."""
    answer = shop.get("/issues/2026-02-01-sleep/")
    tokens = {row[0] for row in _rows(shop, "SELECT token FROM subscriber")}

    assert answer.status_code == 200
    assert "Dear friend," in answer.text
    assert 'href="https://example.org/mail/link"' in answer.text
    assert "@@" not in answer.text
    assert not any(token in answer.text for token in tokens)
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_issue_shows_its_pictures(shop: Door) -> None:
    """From the frozen copy, for ever the same, and also to a mail program in a browser."""
    page = shop.get("/issues/2026-02-01-sleep/").text
    (name,) = re.findall(r'src="(images/[^"]+)"', page)
    picture = shop.get(f"/issues/2026-02-01-sleep/{name}")

    assert (200, "image/png") == (picture.status_code, picture.headers["content-type"])
    assert picture.content == b"\x89PNG dawn"
    assert "immutable" in picture.headers["cache-control"]
    assert picture.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/issues/2026-02-15-tomorrow/",
        "/issues/nothing/",
        "/issues/2026-02-01-sleep/images/body.html",
        "/issues/2026-02-01-sleep/images/..%2fbody.html",
        "/issues/2026-02-01-sleep/images/..%2f..%2f..%2f..%2fbook.toml",
        "/issues/..%2f..%2fbook.toml/",
        "/feed.xml",
    ],
)
def test_nothing_else_is_shown(shop: Door, path: str) -> None:
    """What has not gone out, and what is no part of an issue, is no page."""
    assert shop.get(path).status_code == 404


def test_an_issue_for_some_is_found_by_nobody_else(
    send: Callable[..., str], store: Store, open_door: OpenDoor
) -> None:
    """Its letter names its page, and neither archive nor search does."""
    with store.begin() as tx:
        tx.connection.exec_driver_sql("INSERT INTO tag VALUES (1, 'carer')")
    send("2026-02-01-carers", segment="carers", subject="For carers")
    with open_door(store) as door:
        assert [] == titles(door.get("/archive").text)
        assert [] == titles(door.get("/archive?q=dear").text)
        assert door.get("/issues/2026-02-01-carers/").status_code == 200


# -- the search


def test_a_search_finds_words_in_titles_and_texts(shop: Door) -> None:
    """Accents and case do not matter, the beginning of a word is enough, and all words must be there."""
    found = {
        query: titles(shop.get("/archive", params={"q": query}).text)
        for query in ("MUDIGK", "walk", "rest early", "rest walk", "leepless", "unsubscribe", "Sampletown")
    }

    assert found == {
        "MUDIGK": ["Sleep, friend"], "walk": ["A walk"], "rest early": ["Sleep, friend"], "rest walk": [],
        "leepless": [], "unsubscribe": [], "Sampletown": [],
    }  # fmt: skip


def test_what_was_found_is_shown(shop: Door) -> None:
    """A piece of the text with the words marked, as text and never as markup."""
    page = shop.get("/archive", params={"q": "early"}).text

    assert "Rest &lt;<mark>early</mark>&gt; &amp; often." in page


@pytest.mark.parametrize(
    "query", ['"><script>alert(1)</script>', "{{ 7 * 7 }}", "%00", "a" * 5000, "' OR 1=1 --"]
)
def test_a_search_is_only_words(shop: Door, query: str) -> None:
    """Whatever is typed comes back as text."""
    answer = shop.get("/archive", params={"q": query})

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "49" not in answer.text
    assert len(answer.text) < 30_000


def test_a_search_is_not_written_down(shop: Door, caplog: pytest.LogCaptureFixture) -> None:
    """What somebody looks for about an illness stands in no log."""
    caplog.set_level("INFO", "outbox.web")
    shop.get("/archive", params={"q": "metastases"})

    assert "metastases" not in caplog.text


def entry(title: str, text: str) -> Entry:
    return Entry("slug", datetime(2026, 2, 1, tzinfo=UTC), "en", 1, title, "", text)


@given(st.text(), st.text(), st.text())
def test_no_search_crashes(query: str, title: str, text: str) -> None:
    """An excerpt is a piece of the text, whatever is in either."""
    for found in search([entry(title, text)], query):
        inside = "".join(found.excerpt).removeprefix("… ").removesuffix(" …")

        assert inside in " ".join(text.split())


@given(st.text())
def test_folding_keeps_places(text: str) -> None:
    """So what was found in the folded text can be marked in the real one."""
    assert len(fold(text)) == len(text)
    assert fold("MÜDIGKEIT İ ß Å") == "mudigkeit i ß a"


def test_titles_go_before_texts() -> None:
    """Who searches for the subject of an issue finds that issue first."""
    found = search([entry("Rest", "sleep"), entry("Sleep", "rest")], "sleep")

    assert ["Sleep", "Rest"] == [one.entry.title for one in found]


def test_a_long_archive_is_cut_at_the_years(shop: Door) -> None:
    """Thirteen issues of two years have two headings."""
    from outbox.web.archive import _cut_at_years

    entries = [entry(str(number), "") for number in range(7)]
    older = [Entry("slug", datetime(2025, 2, 1, tzinfo=UTC), "en", 1, "", "", "")] * 6

    assert [2026, 2025] == [year for year, _ in _cut_at_years(search([*entries, *older], ""), whole=True)]
    assert [None] == [year for year, _ in _cut_at_years(search(entries, ""), whole=True)]


# -- what the site has, and what machines ask for


def test_feeds_of_the_site_are_served(shop: Door, book: Path) -> None:
    """As the pipeline wrote them, and named in the head of the archive."""
    site = book / "build" / "site"
    site.mkdir()
    (site / "feed.json").write_text('{"version": "https://jsonfeed.org/version/1.1"}')
    answer = shop.get("/feed.json")

    assert json.loads(answer.text)["version"] == "https://jsonfeed.org/version/1.1"
    assert answer.headers["content-type"].startswith("application/feed+json")
    assert 'href="/mail/feed.json"' in shop.get("/archive").text
    assert "atom.xml" not in shop.get("/archive").text


def test_the_archive_leads_to_the_site_where_there_is_one(
    send: Callable[..., str], store: Store, open_door: OpenDoor
) -> None:
    """Its pages are made for reading; the letter's own page stays where it is."""
    send("2026-02-01-sleep")
    with open_door(store, '\n[newsletter]\nsite = "https://letters.example.org/"\n') as door:
        assert 'href="https://letters.example.org/2026-02-01-sleep/"' in door.get("/archive").text
        policy = door.get("/issues/2026-02-01-sleep/").headers["content-security-policy"]

    assert "img-src 'self' https://letters.example.org/;" in policy


def test_whoever_finds_a_weakness_knows_whom_to_tell(door: Door) -> None:
    """RFC 9116: a contact, and an end within a year."""
    text = door.get("/.well-known/security.txt").text
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    end = datetime.fromisoformat(lines["Expires"])

    assert lines["Contact"] == "mailto:hello@example.org"
    assert lines["Canonical"] == "https://example.org/mail/.well-known/security.txt"
    assert door.clock.now < end < door.clock.now + timedelta(days=365)


def test_search_engines_stay_away(door: Door) -> None:
    """Pages of the front door are for those who have a link."""
    assert door.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_there_is_an_icon(door: Door) -> None:
    """Of the layout's colour; browsers ask for the old name too."""
    for path in ("/favicon.svg", "/favicon.ico"):
        answer = door.get(path)

        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert door.desk.look.tokens["accent"] in answer.text


def _rows(door: Door, query: str) -> list[tuple[str]]:
    with door.desk.store.read() as tx:
        return [tuple(row) for row in tx.connection.exec_driver_sql(query)]
