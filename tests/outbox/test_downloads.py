"""Who fetched the book is known, on both databases, and by no more than a number once they are erased."""

from __future__ import annotations

from datetime import datetime, timedelta

from outbox import consent
from outbox.store import Store, downloads, issues, subscribers

LINK = "1-zzzz-a-link-that-is-signed"


def test_a_link_can_be_used_so_often(any_store: Store, now: datetime) -> None:
    """Each use is a row in order; one too many is refused and leaves none, and another link begins anew."""
    with any_store.begin() as tx:
        taken = [
            downloads.record(tx, 1, f"book-{number}.pdf", LINK, most=2, now=now + timedelta(hours=number))
            for number in range(3)
        ]
        other = downloads.record(tx, 1, "book.epub", f"{LINK}er", most=2, now=now)
    with any_store.read() as tx:
        found = downloads.find_downloads(tx, 1)

    assert ([True, True, False], True) == (taken, other)
    assert {"book-0.pdf", "book-1.pdf", "book.epub"} == {one.file for one in found}
    assert found == sorted(found, key=lambda one: one.at)


def test_the_database_holds_no_link(any_store: Store, now: datetime) -> None:
    """Whoever reads the database cannot open anybody's page; an erased person's links cannot be told apart."""
    with any_store.begin() as tx:
        downloads.record(tx, 1, "book.pdf", LINK, most=2, now=now)
        kept = tx.connection.exec_driver_sql("SELECT link FROM download").scalar_one()
        person = subscribers.find_by_id(tx, 1)
        assert person
        consent.erase(tx, person, (), source="test", now=now)
        left = tx.connection.exec_driver_sql("SELECT subscriber_id, file, link FROM download").one()

    assert LINK not in kept
    assert len(kept) == 32
    assert (1, "book.pdf", "") == tuple(left)
    with any_store.read() as tx:
        assert downloads.has_downloaded(tx, 1)


def test_nothing_has_gone_out_of_an_empty_ledger(any_store: Store) -> None:
    """The archive of a new list is empty, and asks nothing that a database does not know."""
    with any_store.read() as tx:
        assert [] == issues.find_gone_out(tx)
        assert issues.find_file(tx, "nothing", "images/a.png") is None
