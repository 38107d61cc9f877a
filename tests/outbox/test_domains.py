"""No faster than a domain likes, and no domain keeps back the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest

from outbox import mailing, worker
from outbox.allowance import close_domain, find_closed, spend_domain
from outbox.config import read as read_settings
from outbox.consent import Claim, enlist
from outbox.desk import Desk
from outbox.errors import ConfigError
from outbox.issue import read
from outbox.model import Consent, Envelope, ItemResult, Outcome, PreparedBatch, State
from outbox.rates import Pace
from outbox.store import Store, ledger, verify
from tests.outbox.diary import Diary

IssueMaker = Callable[..., Path]
RATES = {"slow.example": 40.0}
ORDER: dict[str, Any] = {"provider": "file", "on_unknown": "hold", "send_id": "s"}
SLOW, OTHERS = 130, 27


@pytest.fixture
def village(any_store: Store, now: datetime) -> Store:
    """Many people of one domain, and the three of the list among some others."""
    with any_store.begin() as tx:
        mailboxes = [f"p{n}@slow.example" for n in range(SLOW)] + [f"q{n}@fast.example" for n in range(24)]
        for email in mailboxes:
            enlist(tx, Claim(email, "", Consent.CONFIRMED, "yes", "test"), now)
    return any_store


def freeze(store: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime, **more: Any) -> None:
    """With calls of fifty, but to the slow domain."""
    with store.begin() as tx:
        mailing.freeze(
            tx, read(make_issue()), envelope, now=now, **{**ORDER, "max_batch": 50, "domains": RATES, **more}
        )


class Sleeper(Event):
    """Whoever waits for it lets time pass on a diary's clock."""

    def __init__(self, diary: Diary) -> None:
        """Never set."""
        super().__init__()
        self.diary = diary

    def wait(self, timeout: float | None = None) -> bool:
        """At once."""
        self.diary.time += timedelta(seconds=timeout or 0)
        return False


def run(store: Store, diary: Diary, now: datetime) -> None:
    """One pass, in which time passes by waiting alone."""
    diary.time = now
    desk = Desk(store, diary, Pace(connections=2, domains=RATES))
    worker.run(desk, lambda: diary.time, stop=Sleeper(diary))


def test_a_bucket_outlives_the_process(any_store: Store, now: datetime) -> None:
    """What went is written down; after a while more may go, and a domain without a rate is never closed by one."""
    pace = Pace(domains=RATES)
    with any_store.begin() as tx:
        assert {} == find_closed(tx, pace, now)
        assert not spend_domain(tx, pace, "slow.example", 80, now)
        assert spend_domain(tx, pace, "fast.example", 9999, now)
    with any_store.begin() as tx:
        closed = find_closed(tx, pace, now)
        assert ["slow.example"] == list(closed)
        assert timedelta(seconds=1) < closed["slow.example"] - now < timedelta(seconds=1.1)
        assert {} == find_closed(tx, pace, now + timedelta(seconds=1.1))


def test_the_others_do_not_wait(
    village: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """The slow domain gets forty a second, and everybody else is through before it is."""
    freeze(village, make_issue, envelope, now)
    diary = Diary(now)
    run(village, diary, now)
    slow = sorted(at for email, at in diary.got.items() if email.endswith("@slow.example"))
    fast = [at for email, at in diary.got.items() if not email.endswith("@slow.example")]
    with village.read() as tx:
        (progress,), faults = ledger.progress(tx), verify.find_faults(tx)

    assert (SLOW, OTHERS, []) == (len(slow), len(fast), faults)
    assert {State.ACCEPTED: SLOW + OTHERS} == progress.states
    assert max(fast) < slow[-1]
    for number, at in enumerate(slow):  # a full bucket and one call beyond it, then the rate
        assert number < 2 * 40 + 40 * (at - now).total_seconds()
    assert all({"slow.example"} == {one.rpartition("@")[2] for one in who} or len(who) <= 50
               for _, who in diary.calls)  # fmt: skip
    assert max(len(who) for _, who in diary.calls if who[0].endswith("@slow.example")) == 40


def test_a_rate_that_is_gone_holds_nobody_back(
    village: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """Taken out of book.toml after the freeze, the calls go as all others."""
    freeze(village, make_issue, envelope, now)
    diary = Diary(now)
    diary.work(village, now)

    assert SLOW + OTHERS == len(diary.got)


@dataclass
class Strict(Diary):
    """A server that puts off one domain, and takes the others."""

    tries: Counter[str] = field(default_factory=Counter)
    code: str = "smtp 450"

    def send(self, batch: PreparedBatch) -> list[ItemResult]:
        """One message to a call, as with SMTP."""
        ((name,), (email,)) = batch.outbox_ids, batch.recipients
        domain = email.rpartition("@")[2]
        self.tries[domain] += 1
        sleep(0.005)  # a server takes its time, and the ledger is written meanwhile
        if domain == "slow.example":
            return [ItemResult(name, Outcome.THROTTLED, code=self.code, detail="too fast")]
        return super().send(batch)


def test_a_domain_that_puts_off_is_left_alone(
    village: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """A few tries and no more, and the others get theirs."""
    freeze(village, make_issue, envelope, now, max_batch=1, domains={})
    strict = Strict(now)
    strict.work(village, now, pace=Pace(connections=1))

    assert OTHERS == len(strict.got)
    assert strict.tries["slow.example"] < SLOW
    with village.begin() as tx:
        assert ["slow.example"] == list(find_closed(tx, Pace(), now))


def test_an_answer_about_the_connection_is_not_the_domains(
    village: Store, make_issue: IssueMaker, envelope: Envelope, now: datetime
) -> None:
    """421 says that the server closes, whoever the message is for; the pass ends as it always did."""
    freeze(village, make_issue, envelope, now, max_batch=1, domains={})
    strict = Strict(now, code="smtp 421")
    strict.work(village, now, pace=Pace(connections=1))

    with village.begin() as tx:
        assert {} == find_closed(tx, Pace(), now)


def test_a_closed_domain_opens_by_itself(any_store: Store, now: datetime) -> None:
    """At the moment that was written down."""
    with any_store.begin() as tx:
        close_domain(tx, "slow.example", now + timedelta(minutes=5), now)
        assert {"slow.example": now + timedelta(minutes=5)} == find_closed(tx, Pace(), now)
        assert {} == find_closed(tx, Pace(), now + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("table", "says"), [('"Gmail.com" = 1', "no domain in small letters"), ('"a.org" = 0', "> 0")]
)
def test_a_table_that_cannot_be_meant_is_refused(book: Path, table: str, says: str) -> None:
    """With the line where it is."""
    with (book / "book.toml").open("a", encoding="utf-8") as file:
        file.write(f"[outbox.domains]\n{table}\n")

    with pytest.raises(ConfigError, match=says):
        read_settings(book / "book.toml", {})
