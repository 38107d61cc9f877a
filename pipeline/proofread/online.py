"""Ask the addresses of a book whether they still answer: once a week, one at a time for each host."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ..check.galley import Answer, Galley, State
from ..files import write_atomically

_PATIENCE = 10.0  # seconds
_PAUSE = 1.0  # seconds between two questions to one host
_HOSTS = 8  # asked side by side
_AGENT = "Chapterpost/0.1 (looks whether links of a book still answer)"
#: How long an answer is good for.
_FRESH: Mapping[State, timedelta] = {
    "fine": timedelta(days=7),
    "moved": timedelta(days=7),
    "dead": timedelta(days=1),
    "silent": timedelta(hours=1),
}
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_LASTING = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_UNKNOWN_HOST = "its host is not known"

Ask = Callable[[str], Answer]


def list_addresses(galley: Galley) -> tuple[str, ...]:
    """Every address on the web that the book or its bibliography names, each once."""
    links = (node.attrs.get("href", "") for node, _ in galley.find("link"))
    works = (address for work in galley.works.records.values() for address in list_work_addresses(work))
    found = (address for address in (*links, *works) if re.match(r"https?://\w", address))
    return tuple(dict.fromkeys(address.partition("#")[0] for address in found))


def list_work_addresses(work: Mapping[str, Any]) -> Iterator[str]:
    if "DOI" in work:
        yield f"https://doi.org/{work['DOI']}"
    if "URL" in work:
        yield str(work["URL"])


def ask_all(
    addresses: Sequence[str], record: Path, *, now: datetime, ask: Ask, pause: float = _PAUSE
) -> Mapping[str, Answer]:
    """What each address answers; `record` keeps answers while they are fresh.

    Where no host at all is known, this machine is not connected, and nobody is called dead.
    """
    kept = {url: answer for url, (at, answer) in _read(record).items() if now - at < _FRESH[answer.state]}
    hosts: dict[str, list[str]] = {}
    for url in addresses:
        if url not in kept:
            hosts.setdefault(urlsplit(url).netloc, []).append(url)
    with ThreadPoolExecutor(_HOSTS) as pool:
        rounds = pool.map(lambda urls: _ask_host(urls, ask, pause), hosts.values())
        asked = {url: answer for answers in rounds for url, answer in answers.items()}
    if asked and all(answer.detail == _UNKNOWN_HOST for answer in asked.values()):
        asked = {url: Answer("silent", "this machine is not connected") for url in asked}
    _write(record, now, asked)
    return {url: answer for url, answer in {**kept, **asked}.items() if url in addresses}


def _ask_host(urls: Iterable[str], ask: Ask, pause: float) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for url in urls:
        if answers:
            time.sleep(pause)
        answers[url] = ask(url)
    return answers


# -- one question


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, and remembers whether all of them are for good."""

    def __init__(self) -> None:
        self.lasting = True

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        self.lasting = self.lasting and code in _LASTING
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following and req.get_method() == "HEAD":
            following.method = "HEAD"
        return following


def ask_address(url: str) -> Answer:
    """HEAD, and GET where a server does not take it; at most ten seconds each."""
    answer = _ask("HEAD", url)
    return answer if answer.state in {"fine", "moved"} else _ask("GET", url)


def _ask(method: str, url: str) -> Answer:
    redirects = _Redirects()
    request = Request(url, method=method, headers={"User-Agent": _AGENT, "Accept": "*/*"})  # noqa: S310  (http alone)
    try:
        with build_opener(redirects).open(request, timeout=_PATIENCE) as response:
            final = str(response.url)
    except HTTPError as error:
        error.close()
        return Answer("dead" if error.code in _GONE else "silent", f"it answers {error.code}")
    except (OSError, ValueError) as error:  # http.client's errors too
        reason = getattr(error, "reason", error)
        if type(reason).__name__ == "gaierror":
            return Answer("dead", _UNKNOWN_HOST)
        return Answer("silent", f"it does not answer ({reason})")
    moved = redirects.lasting and final.rstrip("/") != url.rstrip("/")
    return Answer("moved", final) if moved else Answer("fine")


# -- what was answered before


def _read(record: Path) -> dict[str, tuple[datetime, Answer]]:
    """What cannot be read was never asked."""
    try:
        rows = json.loads(record.read_text("utf-8"))
        return {
            url: (datetime.fromisoformat(row["at"]), Answer(row["state"], row["detail"]))
            for url, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(record: Path, now: datetime, asked: Mapping[str, Answer]) -> None:
    rows = {url: (at, answer) for url, (at, answer) in _read(record).items()}
    rows |= {url: (now, answer) for url, answer in asked.items()}
    kept = {
        url: {"at": at.isoformat(), "state": answer.state, "detail": answer.detail}
        for url, (at, answer) in sorted(rows.items())
        if now - at < max(_FRESH.values())
    }
    if asked:
        write_atomically(record, json.dumps(kept, indent=1).encode())
