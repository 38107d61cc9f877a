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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

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
#: provider, messages to a call, kilobytes of HTML and of text, threads
SHAPES: dict[str, tuple[str, int, int, int, int]] = {
    "variables, 500 to a call": ("mailgun", 500, 2, 1, 1),
    "whole bodies, 100 to a call": ("resend", 100, 25, 8, 1),
    "one to a call": ("mailgun", 1, 2, 1, 4),
}


def report_send(runs: int, people: int) -> None:
    """Print what a freeze takes, and each shape beside its peers."""
    databases = ["sqlite", *(["postgresql"] if _find_postgresql() else [])]
    with tempfile.TemporaryDirectory() as scratch, sink(Path(scratch)) as url:
        for database in databases:
            found = [_measure("freeze", database, people, url) for _ in range(runs)]
            print(f"freeze {people:,}, {database:12}{_median(found, 'seconds'):9.2f} s")
        for shape, (_, batch, *_) in SHAPES.items():
            number = max(people if batch == 500 else people // 5 if batch == 100 else people // 100, batch)
            _compare(shape, databases, number, url, runs)
        _report_latency(databases[0], runs)


def _compare(shape: str, databases: Sequence[str], number: int, url: str, runs: int) -> None:
    kinds = [f"send {name}" for name in databases] + ["bare"] + (["anymail"] if shape in PEERS else [])
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(runs):
        for kind in kinds:
            what, _, database = kind.partition(" ")
            found[kind].append(_measure(what, database or "sqlite", number, url, shape))
    for kind, measured in found.items():
        rates = [number_of["messages"] / number_of["seconds"] for number_of in measured]
        ratios = [
            rate / other["messages"] * other["seconds"]
            for rate, other in zip(rates, found["bare"], strict=True)
        ]
        spread = f"{min(rates):,.0f}-{max(rates):,.0f}"
        print(
            f"{shape}, {kind:18}{statistics.median(rates):12,.0f}/s ({spread})"
            f"{statistics.median(ratios):7.2f} of bare{_median(measured, 'mb'):7.0f} MB"
        )


def _report_latency(database: str, runs: int) -> None:
    """A sink that takes 100 ms for every call."""
    with slow_sink(0.1) as url:
        for threads in (1, 4, 16):
            number = 500 * 20 * threads
            found = [
                _measure("send", database, number, url, "variables, 500 to a call", threads)
                for _ in range(runs)
            ]
            rate = number / _median(found, "seconds")
            print(
                f"100 ms, {threads:2} threads{rate:12,.0f}/s{rate / (threads * 500 / 0.1):7.2f} of what is possible"
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
    seconds = MEASURES[what](int(number), url, shape, database, int(threads))
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mb": mb, "messages": int(number)}))


def measure_freeze(number: int, url: str, shape: str, database: str, threads: int) -> float:
    """How long the freezing transaction takes."""
    store = _filled(database, number)
    started = time.perf_counter()
    _freeze(store, shape)
    taken = time.perf_counter() - started
    store.close()
    return taken


def measure_send(number: int, url: str, shape: str, database: str, threads: int) -> float:
    """How long one pass over a frozen send takes."""
    from outbox import worker
    from outbox.desk import Desk
    from outbox.model import State
    from outbox.rates import Pace

    store = _filled(database, number)
    _freeze(store, shape)
    pace = Pace(connections=threads or SHAPES[shape][4])
    desk = Desk(store, _provider(shape, url), pace)
    started = time.perf_counter()
    tally = worker.run(desk, lambda: NOW)
    taken = time.perf_counter() - started
    assert tally == {State.ACCEPTED: number}, tally
    store.close()
    return taken


def measure_bare(number: int, url: str, shape: str, database: str, threads: int) -> float:
    """How long a loop that does nothing but send the same bytes takes."""
    import requests

    calls = _calls(number, url, shape, database)
    session = requests.Session()
    session.trust_env = False
    taken = 0.0
    for batch in calls:  # made one by one, so that they need not all be in memory; only the sending is timed
        headers = {**batch.headers, "Authorization": "Bearer secret-token"}
        started = time.perf_counter()
        session.post(
            url + batch.path, data=batch.body, headers=headers, timeout=(5, 60), allow_redirects=False
        )
        taken += time.perf_counter() - started
    return taken


def measure_anymail(number: int, url: str, shape: str, database: str, threads: int) -> float:
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

    started = time.perf_counter()
    send(mail, number, _bodies(shape))
    return time.perf_counter() - started


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
MEASURES: dict[str, Callable[[int, str, str, str, int], float]] = {
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
    provider, batch = _provider(shape, url), SHAPES[shape][1]
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

    name, batch, *_ = SHAPES[shape]
    env = {"OUTBOX_TOKEN": "secret-token"}
    account = Account(Path(), env, url=url, domain="example.org" if name == "mailgun" else "")
    provider = PROVIDERS[name](account)
    provider.caps = replace(provider.caps, max_batch=batch)  # type: ignore[misc]
    return provider


def _bodies(shape: str) -> tuple[str, str]:
    _, _, html, text, _ = SHAPES[shape]
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
    name, batch, *_ = SHAPES[shape]
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
        parser.add_argument("people", type=int, nargs="?", default=int(os.environ.get("PEOPLE", "1000000")))
        report_send(3, parser.parse_args().people)
