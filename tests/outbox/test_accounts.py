"""Providers are asked whether they take our secrets, and values that a batch cannot carry go alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from outbox import mailing, worker
from outbox.consent import Claim, enlist
from outbox.desk import Desk
from outbox.issue import read
from outbox.model import Account, Consent, Envelope, State
from outbox.providers import PROVIDERS, Askable
from outbox.providers.base import CallFailed
from outbox.rates import Pace
from outbox.sandbox import Server
from outbox.store import Store, ledger, verify

ENV = {"OUTBOX_TOKEN": "a-secret", "OUTBOX_SES_KEY_ID": "AKIDEXAMPLE", "OUTBOX_SES_SECRET": "a-secret"}
MORE: dict[str, dict[str, Any]] = {"mailgun": {"domain": "m.example.org"}, "ses": {"region": "eu-west-1"}}
ASKED = ["resend", "postmark", "mailgun", "brevo", "ses"]
NAMES = [
    "100 %",
    "%recipient.f3% X",
    "{{f0}}",
    "{f0}",
    "O'Hara",
    'Quote "d"',
    "李小龍",
    "Zoë",
    "<b>&amp;</b>",
]


def make(name: str, folder: Path, url: str) -> Any:
    """A provider that speaks to this machine."""
    return PROVIDERS[name](Account(folder, ENV, url=url, **MORE.get(name, {})))


@contextmanager
def answering(status: int, body: str, kind: str = "") -> Iterator[str]:
    """A server that answers every question alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("x-amzn-ErrorType", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ASKED)
def test_a_provider_that_takes_our_secrets_says_nothing(name: str, rehearsal: Server, tmp_path: Path) -> None:
    """By a call that sends nothing, with the secret where the provider wants it."""
    provider = make(name, tmp_path, rehearsal.url)
    before = rehearsal.desk.journal.count()

    assert isinstance(provider, Askable)
    assert provider.ask_account() == ""
    assert before == rehearsal.desk.journal.count()
    provider.close()


@pytest.mark.parametrize("name", ASKED)
def test_a_refusal_is_told_in_the_providers_words(name: str, tmp_path: Path) -> None:
    """Without our secret in them; a provider that is down has said nothing of it."""
    with answering(401, "no such key: a-secret") as url:
        provider = make(name, tmp_path, url)
        assert provider.ask_account() == "401 no such key: (secret)"
        provider.close()
    with answering(503, "later") as url:
        provider = make(name, tmp_path, url)
        with pytest.raises(CallFailed, match="later"):
            provider.ask_account()
        provider.close()


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [("resend", '{"name":"restricted_api_key"}', ""), ("ses", "{}", "AccessDeniedException")],
)
def test_a_key_that_may_only_send_is_a_good_one(name: str, body: str, kind: str, tmp_path: Path) -> None:
    """It is known to the provider, which is what was asked."""
    with answering(403, body, kind) as url:
        provider = make(name, tmp_path, url)
        assert provider.ask_account() == ""
        provider.close()


@pytest.mark.parametrize("name", ["mailgun", "ses"])
def test_odd_names_go_alone_and_everybody_gets_their_letter(
    name: str,
    store: Store,
    make_issue: Callable[..., Path],
    envelope: Envelope,
    now: datetime,
    rehearsal: Server,
    tmp_path: Path,
) -> None:
    """A whole send through the worker: nobody twice, nobody missing, and each greeted by their own name."""
    people = {f"odd{number}@example.org": odd for number, odd in enumerate(NAMES)}
    with store.begin() as tx:
        for email, odd in people.items():
            enlist(tx, Claim(email, odd, Consent.CONFIRMED, "yes", "test"), now)
        issue = read(make_issue(subject="Light for @@first_name@@", send_at=None))
        provider = make(name, tmp_path, rehearsal.url)
        mailing.freeze(
            tx, issue, envelope, provider=name, max_batch=provider.caps.max_batch, on_unknown="hold",
            send_id=f"odd{name}", now=now,
        )  # fmt: skip
    worker.run(Desk(store, provider, Pace(connections=2)), lambda: now)
    provider.close()
    mine = [one for one in rehearsal.desk.journal.find(until=1e12) if f"odd{name}." in one["outbox_id"]]
    with store.read() as tx:
        (progress,), faults = ledger.progress(tx), verify.find_faults(tx)

    assert ({State.ACCEPTED: len(NAMES) + 3}, []) == (progress.states, faults)
    assert set(Counter(one["email"] for one in mine).values()) == {1}
    assert {one["email"]: one["subject"] for one in mine} | {
        email: f"Light for {odd.split()[0]}" for email, odd in people.items()
    } == {one["email"]: one["subject"] for one in mine}
