"""Measure the sender against a sink on this machine that takes everything at once: nginx, answering 200.

Each line is measured in a process of its own, in turn with what it is compared with: the same bytes sent by
a bare loop of `requests`, or django-anymail sending the same letter to the same people. The ledger is on, on
SQLite with full synchronisation or on PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.timing import Run, measure_call

_ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PARAGRAPH = (
    "<p>A good night begins in the morning; light, walking and a fixed hour do more than any pill.</p>\n"
)
FOOTER = "<p>@@unsubscribe_url@@ @@postal_address@@</p>"
#: What nginx answers to everything: good for each provider that is measured.
ANSWER = json.dumps(
    {"id": "<1@example.org>", "message": "Queued"} | {"data": [{"id": f"{n:020}"} for n in range(100)]}
)
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; client_max_body_size 100m; client_body_buffer_size 8m;
  keepalive_requests 1000000000; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{answer}'; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A line of the table: what goes out in a call, and what it must reach."""

    provider: str
    batch: int  # messages to a call
    html: int  # kilobytes
    text: int
    share: float  # of the people of the bench, as the longer ones need not be so many
    bars: Mapping[str, float]  # how many times as fast as each peer; megabytes


SHAPES: Mapping[str, Shape] = {
    "variables, 500 to a call": Shape("mailgun", 500, 2, 1, 1.0, {"bare": 0.35, "anymail": 5.0, "MB": 150}),
    "whole bodies, 100 to a call": Shape("resend", 100, 25, 8, 0.2, {"bare": 0.6, "MB": 200}),
    "one to a call": Shape("mailgun", 1, 2, 1, 0.01, {"anymail": 1.0}),
}
FREEZE_S = 3.0  # seconds for a million
LATENCY, ROUNDS = 0.1, 60  # seconds of a call; calls of each thread
REACHED = 0.85  # of threads x batch / latency
THIRD = 3  # PostgreSQL may take three times as long

Found = list[dict[str, float]]


def report_send(runs: int, people: int) -> None:
    """Print what a freeze takes, and each shape beside its peers, with the bar of each."""
    databases = ["sqlite", *(["postgresql"] if _find_postgresql() else [])]
    print(f"{people:,} people, medians of {runs} runs in turn, one thread on each side; (bar)")
    with tempfile.TemporaryDirectory() as scratch, sink(Path(scratch)) as url:
        for database in databases:
            _report_freeze(database, people, url, runs)
        for name, shape in SHAPES.items():
            _compare(name, databases, max(int(people * shape.share), shape.batch), url, runs)
    for database in databases:
        _report_latency(database)


def _report_freeze(database: str, people: int, url: str, runs: int) -> None:
    found = [_measure("freeze", database, people, url) for _ in range(runs)]
    seconds, cpu = _median(found, "seconds"), _median(found, "cpu")
    bar = FREEZE_S * _slack(database) * people / 1_000_000
    print(f"freeze, {database:12}{seconds:8.2f} s, CPU {cpu:.2f} s (at most {bar:.2f} s)")


def _compare(name: str, databases: Sequence[str], number: int, url: str, runs: int) -> None:
    peers = ["bare", *(["anymail"] if name in PEERS else [])]
    found: dict[str, Found] = {kind: [] for kind in [*databases, *peers]}
    for _ in range(runs):
        for kind, measured in found.items():
            what, database = (kind, "sqlite") if kind in peers else ("send", kind)
            measured.append(_measure(what, database, number, url, name))
    print(f"{name}: {number:,} messages")
    for kind, measured in found.items():
        rates = [one["messages"] / one["seconds"] for one in measured]
        cpu = _median(measured, "cpu") / number * 1e6
        print(
            f"  {kind:12}{statistics.median(rates):12,.0f}/s ({min(rates):,.0f}-{max(rates):,.0f})"
            f"{cpu:9.2f} us of CPU a message{_median(measured, 'mb'):6.0f} MB"
        )
    for database in databases:
        told = [_tell(peer, found[database], found[peer], name, database) for peer in peers]
        print(f"  {database}: {', '.join(told)}; at most {SHAPES[name].bars.get('MB', 200):.0f} MB")


def _tell(peer: str, ours: Found, theirs: Found, name: str, database: str) -> str:
    """How many times as fast as a peer, by the clock and by CPU, beside the bar."""
    wall, cpu = (
        statistics.median(other[unit] / one[unit] for one, other in zip(ours, theirs, strict=True))
        for unit in ("seconds", "cpu")
    )
    bar = SHAPES[name].bars.get(peer, 0.0) / _slack(database)
    return f"{wall:.2f} of {peer}, by CPU {cpu:.2f}" + (f" (at least {bar:.2f})" if bar else "")


def _slack(database: str) -> int:
    return THIRD if database == "postgresql" else 1


def _report_latency(database: str) -> None:
    """A sink that takes its time for every call; once, since it is waiting and not work that is measured."""
    with slow_sink(LATENCY) as url:
        for threads in (1, 4, 16):
            number = 500 * ROUNDS * threads
            found = _measure("send", database, number, url, threads=threads)
            rate = number / found["seconds"]
            bar = REACHED / _slack(database)
            print(
                f"100 ms, {database:12}{threads:2} threads{rate:12,.0f}/s, "
                f"{rate / (threads * 500 / LATENCY):.2f} of what is possible (at least {bar:.2f})"
            )


def _measure(
    what: str, database: str, number: int, url: str, shape: str = "variables, 500 to a call", threads: int = 0
) -> dict[str, float]:
    """Run one measurement in a new process."""
    with tempfile.TemporaryDirectory() as folder, _database(database, Path(folder)) as where:
        words = [what, str(number), url, shape, where, str(threads)]
        command = [sys.executable, "-m", "tests.bench_send", *words]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(found: Sequence[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in found)


# --- in the process that is measured -----------------------------------------------------------


def main() -> None:
    """One measurement: what, how many, where, which shape, which database, how many threads."""
    what, number, url, shape, database, threads = sys.argv[1:]
    run = MEASURES[what](int(number), url, shape, database, int(threads))
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": run.wall, "cpu": run.cpu, "mb": mb, "messages": int(number)}))


def measure_freeze(number: int, url: str, shape: str, database: str, threads: int) -> Run:
    """How long the freezing transaction takes."""
    store = _filled(database, number)
    run = measure_call(lambda: _freeze(store, shape))
    store.close()
    return run


def measure_send(number: int, url: str, shape: str, database: str, threads: int) -> Run:
    """How long one pass over a frozen send takes."""
    from outbox import worker
    from outbox.desk import Desk
    from outbox.model import State
    from outbox.rates import Pace

    store = _filled(database, number)
    _freeze(store, shape)
    pace = Pace(connections=threads or 1)
    desk = Desk(store, _provider(shape, url), pace)
    tally: dict[State, int] = {}
    run = measure_call(lambda: tally.update(worker.run(desk, lambda: NOW)))
    assert tally == {State.ACCEPTED: number}, tally
    store.close()
    return run


def measure_bare(number: int, url: str, shape: str, database: str, threads: int) -> Run:
    """How long a loop that does nothing but send the same bytes takes."""
    import requests

    calls = _calls(number, url, shape, database)
    session = requests.Session()
    session.trust_env = False
    runs = []
    for batch in calls:  # made one by one, so that they need not all be in memory; only the sending is timed
        headers = {**batch.headers, "Authorization": "Bearer secret-token"}
        post = partial(session.post, url + batch.path, data=batch.body, headers=headers)
        runs.append(measure_call(partial(post, timeout=(5, 60), allow_redirects=False)))
    return Run(sum(run.wall for run in runs), sum(run.cpu for run in runs))


def measure_anymail(number: int, url: str, shape: str, database: str, threads: int) -> Run:
    """How long django-anymail takes for the same letter to as many people, without a ledger."""
    import django
    from django.conf import settings

    backend, options, send = PEERS[shape]
    settings.configure(
        EMAIL_BACKEND=backend,
        ANYMAIL={name: url + "/" if value == "URL" else value for name, value in options.items()},
    )
    django.setup()
    from django.core import mail

    return measure_call(lambda: send(mail, number, _bodies(shape)))


def _merge_data(mail: Any, number: int, bodies: tuple[str, str]) -> None:
    connection = mail.get_connection()
    for first in range(0, number, 500):
        people = range(first, min(first + 500, number))
        message = mail.EmailMultiAlternatives(
            "First light",
            bodies[1],
            "hello@example.org",
            [f"p{n}@example.org" for n in people],
            connection=connection,
        )
        message.attach_alternative(bodies[0], "text/html")
        message.merge_data = {
            f"p{n}@example.org": {
                "first_name": f"Person{n}",
                "unsubscribe_url": f"https://example.org/mail/unsubscribe/{n}-abcdefghijklmnopqrstuv",
                "preferences_url": f"https://example.org/mail/preferences/{n}-abcdefghijklmnopqrstuv",
            }
            for n in people
        }
        message.send()


def _one_by_one(mail: Any, number: int, bodies: tuple[str, str]) -> None:
    connection = mail.get_connection()
    for first in range(0, number, 100):
        messages = []
        for n in range(first, min(first + 100, number)):
            message = mail.EmailMultiAlternatives(
                "First light", bodies[1], "hello@example.org", [f"p{n}@example.org"]
            )
            message.attach_alternative(bodies[0], "text/html")
            messages.append(message)
        connection.send_messages(messages)


PEERS: dict[str, tuple[str, dict[str, str], Callable[[Any, int, tuple[str, str]], None]]] = {
    "variables, 500 to a call": (
        "anymail.backends.mailgun.EmailBackend",
        {"MAILGUN_API_KEY": "x", "MAILGUN_SENDER_DOMAIN": "example.org", "MAILGUN_API_URL": "URL"},
        _merge_data,
    ),
    "one to a call": (
        "anymail.backends.mailgun.EmailBackend",
        {"MAILGUN_API_KEY": "x", "MAILGUN_SENDER_DOMAIN": "example.org", "MAILGUN_API_URL": "URL"},
        _one_by_one,
    ),
}
MEASURES: dict[str, Callable[[int, str, str, str, int], Run]] = {
    "freeze": measure_freeze,
    "send": measure_send,
    "bare": measure_bare,
    "anymail": measure_anymail,
}


def _calls(number: int, url: str, shape: str, database: str) -> Iterator[Any]:
    from outbox import mailing
    from outbox.many import Roster
    from outbox.model import Recipient, State

    store = _filled(database, 1)
    _freeze(store, shape)
    with store.read() as tx:
        frozen = mailing.load(tx, "s" * 32)
    provider, batch = _provider(shape, url), SHAPES[shape].batch
    for first in range(0, number, batch):
        people = [
            Recipient("s" * 32, n, f"p{n}@example.org", f"Person{n} Name", State.PLANNED, f"{n:022}")
            for n in range(first, min(first + batch, number))
        ]
        addressed = mailing.address(frozen, Roster.of(people))
        yield provider.prepare(frozen.letter, addressed, f"bench.{first}", date=NOW)


def _provider(shape: str, url: str) -> Any:
    from outbox.model import Account
    from outbox.providers import PROVIDERS

    name, batch = SHAPES[shape].provider, SHAPES[shape].batch
    env = {"OUTBOX_TOKEN": "secret-token"}
    account = Account(Path(), env, url=url, domain="example.org" if name == "mailgun" else "")
    provider = PROVIDERS[name](account)
    provider.caps = replace(provider.caps, max_batch=batch)  # type: ignore[misc]
    return provider


def _bodies(shape: str) -> tuple[str, str]:
    html, text = SHAPES[shape].html, SHAPES[shape].text
    words = PARAGRAPH.replace("<p>", "").replace("</p>", "")
    filled = PARAGRAPH * (html * 1024 // len(PARAGRAPH))
    return (
        f'<html lang="en"><body><p>Dear @@first_name@@</p>{filled}{FOOTER}</body></html>',
        f"Dear @@first_name@@\n{words * (text * 1024 // len(words))}@@unsubscribe_url@@\n@@postal_address@@\n",
    )


def _filled(database: str, number: int) -> Any:
    """A database with so many people; they get there by a short cut, for this is not what is measured."""
    from outbox.store import open_store, schema

    store = open_store(database, NOW)
    with store.begin() as tx:
        for first in range(0, number, 20_000):
            rows = [
                {
                    "email": f"p{n}@example.org", "email_key": f"p{n}@example.org", "name": f"Person{n} Name",
                    "language": "", "time_zone": "", "token": f"{n:022}", "attributes": "{}",
                    "consent": "confirmed", "created_at": NOW,
                }
                for n in range(first, min(first + 20_000, number))
            ]  # fmt: skip
            tx.connection.execute(schema.subscriber.insert(), rows)
    return store


def _freeze(store: Any, shape: str) -> None:
    from hashlib import sha256

    from outbox import mailing
    from outbox.issue import digest_of, parse
    from outbox.model import Address, Envelope

    html, text = _bodies(shape)
    files = {"body.html": html.encode(), "body.txt": text.encode()}
    kinds = (("first_name", "text"), ("unsubscribe_url", "url"), ("postal_address", "text"))
    document: dict[str, Any] = {
        "format": 1, "kind": "issue", "slug": "2026-03-01-bench", "subject": "First light", "preheader": "",
        "send_at": None, "language": "en", "list": "", "segment": "", "layout": "classic", "words": 9, "minutes": 1,
        "fields": {name: {"type": kind, "default": "friend" if kind == "text" else ""} for name, kind in kinds},
        "attachments": [], "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }  # fmt: skip
    document["sha256"] = digest_of(document)
    issue = parse(json.dumps(document).encode(), files, "2026-03-01-bench")
    sender = Address("Example Press", "hello@example.org")
    envelope = Envelope(
        sender,
        sender,
        "Letters",
        "letters.example.org",
        "1 Sample Street",
        "https://example.org/mail",
        "link",
    )
    name, batch = SHAPES[shape].provider, SHAPES[shape].batch
    with store.begin() as tx:
        mailing.freeze(
            tx, issue, envelope, provider=name, max_batch=batch, on_unknown="hold", send_id="s" * 32, now=NOW
        )


# --- sinks and databases -------------------------------------------------------------------------


@contextmanager
def sink(folder: Path) -> Iterator[str]:
    """nginx, reading what it gets and answering 200."""
    if not shutil.which("nginx"):
        raise SystemExit("there is no nginx; apt-get install nginx-light")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, answer=ANSWER))
    folder.chmod(0o755)
    server = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def slow_sink(seconds: float) -> Iterator[str]:
    """A server that takes its time for every answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            # In one piece: two would wait 40 ms for each other (Nagle's algorithm).
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n\r\n{ANSWER}".encode())

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name != "postgresql":
        yield f"sqlite:///{folder / 'outbox.db'}"
        return
    from tests.outbox.cluster import running_cluster

    with running_cluster(options="-c max_wal_size=4GB") as cluster:
        yield cluster.make_database()


def _find_postgresql() -> bool:
    from tests.outbox.cluster import find_programs

    return find_programs() is not None


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main()
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("people", type=int, nargs="?", default=int(os.environ.get("PEOPLE", "200000")))
        report_send(3, parser.parse_args().people)
